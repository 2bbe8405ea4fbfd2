"""The log of a project's commands, in `work/logs`: what was done when, how long it took, what was refused.

A line has its time (UTC), and names stages, tables, counts and what went wrong: never a person's data. A run has
one file.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import perf_counter

from casebridge.project.errors import CasebridgeError, printable
from casebridge.project.job import Reporter
from casebridge.project.ledger import now

FOLDER = "logs"


class RunLog:
    """Writes lines to a run's log; a log that cannot be written stops nothing."""

    def __init__(self, work: Path, run: str) -> None:
        self._path = work / FOLDER / f"{run}.log"

    def line(self, text: str) -> None:
        """One line, with the time before it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # A link that somebody laid there is not followed.
            how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            with os.fdopen(os.open(self._path, how, 0o666), "a", encoding="utf-8") as file:
                file.write(f"{now()} {printable(text).replace(chr(10), ' | ')}\n")
        except OSError:
            return

    def failed(self, what: str, error: BaseException) -> None:
        """What could not be done. An error of ours is worded without anybody's data; of others only the kind is
        told."""
        ours = isinstance(error, CasebridgeError)
        self.line(f"{what} stopped: {error.message if ours else type(error).__name__}")  # type: ignore[attr-defined]


class Logged:
    """A reporter that passes everything on, and writes each table and the troubles into the log."""

    def __init__(self, inner: Reporter, log: RunLog) -> None:
        self._inner, self._log = inner, log
        self._table, self._rows, self._left, self._began = "", 0, 0, 0.0

    def table(self, stage: str, name: str, rows: int | None) -> None:
        """The next table; the one before is done."""
        self.finish()
        self._table, self._rows, self._left, self._began = f"{stage} {name}", 0, 0, perf_counter()
        self._inner.table(stage, name, rows)

    def advance(self, rows: int, rejected: int = 0) -> None:
        """Rows of the table in hand."""
        self._rows, self._left = self._rows + rows, self._left + rejected
        self._inner.advance(rows, rejected)

    def skip(self, rows: int, rejected: int = 0) -> None:
        """Rows that were done before are no news."""
        self._inner.skip(rows, rejected)

    def note(self, text: str) -> None:
        """What a stage says to whoever watches. It may go on to name files, records or reviewers: only what it is
        about is kept, but for what the target says of itself."""
        self._log.line(text if text.startswith("the target") else text.partition(": ")[0])
        self._inner.note(text)

    def finish(self) -> None:
        """The table in hand is done."""
        if self._table and self._rows:
            left = f", {self._left:,} stay behind" if self._left else ""
            self._log.line(f"{self._table}: {self._rows:,} rows{left} in {perf_counter() - self._began:.1f} s")
        self._table = ""
