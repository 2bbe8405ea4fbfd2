"""Fuzzing for as long as one likes: `make fuzz MINUTES=60 SEED=1`.

Each property of this folder in turn, with ever new seeds. What breaks one is printed, made small, with the seed
that finds it again; the end is 1 then.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz import PROPERTIES, Property

EXAMPLES = 25


def tried(holds: Property, number: int, examples: int = EXAMPLES) -> None:
    """One property on some examples. What it raises is what broke it."""

    def holds_for(data: st.DataObject) -> None:
        holds(data)

    loose = settings(max_examples=examples, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    run: Callable[[], None] = seed(number)(loose(given(data=st.data())(holds_for)))
    run()


def main(minutes: float, number: int) -> int:
    """Go round until the time is over. The exit code: 1 when something broke."""
    end, done, broken = time.monotonic() + 60 * minutes, dict.fromkeys(PROPERTIES, 0), 0
    while time.monotonic() < end:
        for holds in PROPERTIES:
            try:
                tried(holds, number)
            except Exception as error:  # noqa: BLE001 (whatever breaks a property is told, and the next is tried)
                broken += 1
                sys.stdout.write(f"\n{holds.__name__}, SEED={number}: {type(error).__name__}: {error}\n")
                sys.stdout.write("\n".join(getattr(error, "__notes__", ())) + "\n")
            done[holds] += EXAMPLES
        number += 1
    sys.stdout.writelines(f"{count:>8,} examples: {holds.__name__}\n" for holds, count in done.items())
    sys.stdout.write(f"{broken} broken\n")
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2])))
