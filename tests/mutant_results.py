"""What became of each mutant, in a file that two processes share.

One runs the tests and writes a line for each mutant; the other reads them. A line counts once the line _SOUND
stands behind it, for a mutant may spoil the process for those after it: what a process had found when it ended, or
was ended, before the sound code passed again counts for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WORK, FOUND, BEGUN = "work.json", "found.jsonl", "begun.json"
KILLED, SURVIVED, UNREACHED, OUT_OF_TIME = "killed", "survived", "no test", "out of time"
FEW = 40
_SOUND = json.dumps(["", "sound"])


@dataclass(frozen=True)
class Results:
    """`kept`: what became of each mutant. `loose`: those of which a result was told that does not count yet."""

    kept: Mapping[str, str]
    loose: frozenset[str]


def one_by_one(
    names: Sequence[str],
    result: Callable[[str], str],
    is_sound: Callable[[], bool],
    seconds: Callable[[str], float],
) -> None:
    """Tell each mutant's result, and ask whether the process is sound: after one, after two more, four more … but
    never after more than FEW. Ends where it is not. The first after a sound check counts at once: nothing came
    between. `seconds`: of a processor that a mutant may take, or, of "", the sound check."""
    step, since = 1, 0
    for number, name in enumerate(names, 1):
        _begin(name, seconds(name))
        _tell(json.dumps([name, result(name)]), *[_SOUND] * (since == 0))
        since += 1
        if since == step or number == len(names):
            _begin("", seconds(""))
            if not is_sound():
                return
            _tell(_SOUND)
            step, since = min(2 * step, FEW), 0


def read_results(folder: Path) -> Results:
    """What the file tells."""
    path = folder / FOUND
    kept: dict[str, str] = {}
    loose: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line == _SOUND:
            kept, loose = kept | loose, {}
        else:
            loose |= dict([json.loads(line)])
    return Results(kept, frozenset(loose))


def keep(folder: Path, results: Mapping[str, str]) -> None:
    """Write the file anew, with these results only, all of which count."""
    lines = [*(json.dumps(item) for item in results.items()), _SOUND]
    (folder / FOUND).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def begun(folder: Path) -> tuple[str, float] | None:
    """What was begun last, and the seconds of a processor that it may take; none before the first mutant."""
    path = folder / BEGUN
    if not path.is_file():
        return None
    name, seconds = json.loads(path.read_text(encoding="utf-8"))
    return name, seconds


def _begin(name: str, seconds: float) -> None:
    fresh = Path(f"{BEGUN}.new")
    fresh.write_text(json.dumps([name, seconds]), encoding="utf-8")
    fresh.replace(BEGUN)


def _tell(*lines: str) -> None:
    with Path(FOUND).open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
