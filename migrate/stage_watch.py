"""One attempt at a stage, timed: its rows and seconds are on record also when it is killed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import perf_counter

from casebridge.project.attempts import DONE, STOPPED, Attempt, Attempts, together
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job, Reporter
from casebridge.project.journal import Journal
from casebridge.project.tally import Tally

BEAT = 5.0
"""Seconds between two notes of how far an attempt has come."""


class StageWatch:
    """Watches a stage at work. `job` is the job to work with; `worked` says how many rows were done so far."""

    def __init__(self, job: Job, stage: str, worked: Callable[[], int]) -> None:
        self._stage, self._worked, self._run = stage, worked, job.run
        self._ledger, self._attempts = job.ledger, Attempts(job.ledger)
        self._number, self._started = self._attempts.begin(job.run, stage), perf_counter()
        self.job = replace(job, report=_Beating(job.report, self._beat))

    def stopped(self) -> None:
        """The stage did not come to its end. A ledger that cannot be written keeps what it has."""
        with suppress(CasebridgeError):
            self._note(STOPPED)

    def done(self, tally: Tally, worked: int | None) -> Attempt:
        """The stage came to its end. `worked` where the ledger does not count it."""
        self._note(DONE, worked)
        attempts = self._attempts.of(self._run, self._stage)
        rows, seconds, _ = together(attempts)
        Journal(self._ledger).timed(self._run, self._stage, tally.read, rows, seconds)
        return attempts[-1]

    def _beat(self) -> None:
        self._note()

    def _note(self, outcome: str | None = None, worked: int | None = None) -> None:
        seconds = perf_counter() - self._started
        rows = self._worked() if worked is None else worked
        self._attempts.note(self._number, rows, seconds, *([outcome] if outcome else []))


class _Beating:
    """A reporter that passes everything on, and beats every so often."""

    def __init__(self, inner: Reporter, beat: Callable[[], None]) -> None:
        self._inner, self._beat, self._last = inner, beat, perf_counter()

    def table(self, stage: str, name: str, rows: int | None) -> None:
        self._inner.table(stage, name, rows)

    def advance(self, rows: int, rejected: int = 0) -> None:
        self._inner.advance(rows, rejected)
        self._perhaps()

    def skip(self, rows: int, rejected: int = 0) -> None:
        self._inner.skip(rows, rejected)

    def note(self, text: str) -> None:
        self._inner.note(text)

    def _perhaps(self) -> None:
        if perf_counter() - self._last > BEAT:
            self._beat()
            self._last = perf_counter()
