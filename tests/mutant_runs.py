"""Runs some tests once for each mutant of a module, all in one process: once all is imported most cost little.

`python -m tests.mutant_runs`, in a folder that `tests/mutants.py` made, reads there which mutants and tests. First
the tests run on the sound code: that tells which functions each of them reaches, and how long it takes. After some
mutants they run on it again, so that no mutant can spoil the process for those after it: if they fail, what was
found since counts for nothing, and the process ends, to be started again (`tests/mutant_results.py`).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from hypothesis import HealthCheck, Phase, settings
from mutmut.mutation import trampoline

from tests.mutant_results import KILLED, OUT_OF_TIME, SURVIVED, UNREACHED, WORK, one_by_one

LEAST = 10.0  # seconds of a processor that any mutant may take
QUIET = (
    "-q", "--tb=line", "--assert=plain", "--basetemp=tmp", "-p", "no:cacheprovider",
    "-o", "tmp_path_retention_policy=none", "-W", "ignore::pytest.PytestAssertRewriteWarning",
    "-W", "ignore::ResourceWarning", "-W", "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip
"""What a mutant leaves open is noticed in the tests of the next one, which is not to blame. It has
folders of its own: pytest clears those of other sessions away."""


class TakesTooLongError(BaseException):
    """A mutant needs more of the processor than it may: no code that catches errors may catch this."""


class OncePerMutant:
    """A plugin of pytest: its loop over the tests, once for each mutant."""

    def __init__(self, names: Sequence[str], patience: float) -> None:
        self.names, self.patience = names, patience
        self.reached: dict[pytest.Item, set[str]] = {}
        self.seconds: dict[pytest.Item, float] = {}
        self.kills: Counter[pytest.Item] = Counter()

    def pytest_sessionstart(self) -> None:
        """Property tests give the same examples each time, and do not look for the smallest that fails."""
        settings.register_profile(
            "mutants",
            deadline=None,
            database=None,
            derandomize=True,
            phases=(Phase.explicit, Phase.generate),
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """All mutants."""
        self._learn(session)
        one_by_one(
            self.names, lambda name: self._result(session, name), lambda: self._sound(session), self._seconds
        )
        return True

    def _learn(self, session: pytest.Session) -> None:
        """Run each test on the sound code: twice, for the first run imports and compiles."""
        hits: set[str] = set()
        trampoline.record_trampoline_hit = lambda name, **_: hits.add(name)
        for under in ("", "stats"):
            for item in session.items:
                hits.clear()
                begun = time.process_time()
                if not self._passes([item], under, session):
                    raise pytest.UsageError(f"{item.nodeid} fails on the sound code")
                self.reached[item], self.seconds[item] = set(hits), time.process_time() - begun

    def _result(self, session: pytest.Session, name: str) -> str:
        """What the tests make of one mutant: those first that found most, then the quickest."""
        items = sorted(self._reaching(name), key=lambda item: (-self.kills[item], self.seconds[item]))
        if not items:
            return UNREACHED
        try:
            with _at_most(self._seconds(name)) as late:
                passes = self._passes(items, name, session)
        except TakesTooLongError:
            return OUT_OF_TIME
        return OUT_OF_TIME if late else SURVIVED if passes else KILLED

    def _reaching(self, name: str) -> list[pytest.Item]:
        """The tests that reach the function of a mutant; all of them for the sound code."""
        function = name.rpartition("__mutmut_")[0]
        return [item for item, reached in self.reached.items() if not name or function in reached]

    def _seconds(self, name: str) -> float:
        """What a mutant may take of the processor."""
        return LEAST + self.patience * sum(self.seconds[item] for item in self._reaching(name))

    def _sound(self, session: pytest.Session) -> bool:
        return self._passes(session.items, "", session)

    def _passes(self, items: Sequence[pytest.Item], under: str, session: pytest.Session) -> bool:
        """Whether all these tests pass with one mutant under test. What a session shares was made on the sound
        code, and stays; all else is made anew."""
        os.environ["MUTANT_UNDER_TEST"] = under
        for item, after in zip(items, [*items[1:], session], strict=True):
            reports = runtestprotocol(item, log=False, nextitem=after)
            if any(report.failed for report in reports):
                session._setupstate.teardown_exact(session)
                gc.collect()  # files and databases that the failed test left open
                self.kills[item] += 1
                if not under:
                    sys.stdout.writelines(f"{report.longreprtext}\n" for report in reports if report.failed)
                return False
        return True


@contextmanager
def _at_most(seconds: float) -> Iterator[list[bool]]:
    """Raise TakesTooLongError in what runs here when it needs more of the processor; the list says whether."""
    late: list[bool] = []

    def stop(*_: Any) -> None:
        late.append(True)
        raise TakesTooLongError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield late
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def main() -> None:
    """Run what the folder's work file names."""
    work = json.loads(Path(WORK).read_text(encoding="utf-8"))
    runs = OncePerMutant(work["names"], work["patience"])
    raise SystemExit(pytest.main([*QUIET, *work["tests"]], plugins=[runs]))


if __name__ == "__main__":
    main()
