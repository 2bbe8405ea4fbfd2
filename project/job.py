"""Everything a stage may touch. Nothing global exists; importing does nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from filelock import FileLock, Timeout

from casebridge.project.audit import KEY_FILE, AuditLog
from casebridge.project.database import open_database, open_own, shown
from casebridge.project.errors import CasebridgeError
from casebridge.project.fingerprint import FILE as CODE_FILE
from casebridge.project.fingerprint import Fingerprint, fingerprints
from casebridge.project.ledger import Ledger
from casebridge.project.schema import watch_target
from casebridge.project.settings import Settings
from casebridge.project.spec import ReadSpec, Source, TableSpec
from casebridge.project.tally import Tally
from casebridge.project.target import Target


class Reporter(Protocol):
    """Where a stage says how far it has come. Counts and table names only."""

    def table(self, stage: str, name: str, rows: int | None) -> None:
        """Work on a table begins; `rows` is how many are expected, when known."""

    def advance(self, rows: int, rejected: int = 0) -> None:
        """So many more rows are done, so many of them did not pass."""

    def skip(self, rows: int, rejected: int = 0) -> None:
        """So many rows of the table were done before: they tell nothing of how fast it goes."""

    def note(self, text: str) -> None:
        """A sentence for the person who watches."""


class Silent:
    """A reporter that says nothing."""

    def table(self, stage: str, name: str, rows: int | None) -> None:
        """Nothing."""

    def advance(self, rows: int, rejected: int = 0) -> None:
        """Nothing."""

    def skip(self, rows: int, rejected: int = 0) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


def council_day() -> dt.date:
    """Today, where the council is."""
    return dt.date.today()  # noqa: DTZ011 (the council's day)


@dataclass(frozen=True)
class Job:
    """One run of one project: what a stage is given, and all it is given."""

    settings: Settings
    target: Target
    specs: tuple[TableSpec, ...]
    ledger: Ledger
    run: str
    report: Reporter
    leave_undecided: int | None = None
    route: str = ""
    keeps: bool = True
    """Whether anything may be written: what is found out, for the next command, and into databases."""
    day: dt.date = field(default_factory=council_day)
    """The day as the run began: one that goes on past midnight does not tell ages by two days."""
    _controls: dict[bool, sa.Engine] = field(default_factory=dict, repr=False, compare=False)

    @property
    def work(self) -> Path:
        """Where batch files go."""
        return self.settings.work

    @property
    def folder(self) -> Path:
        """The project's folder."""
        return self.settings.folder

    @property
    def fingerprints(self) -> Mapping[str, Fingerprint]:
        """The code of each stage, as this process has it."""
        return fingerprints(self.work / CODE_FILE, keep=self.keeps)

    def code(self, stage: str) -> str:
        """The digest of a stage's code: a part of the inputs of every batch that it makes."""
        return self.fingerprints[stage].digest

    def reads(self) -> dict[Source, ReadSpec]:
        """How each source table is read, in the order of their names."""
        reads = {read.source: read for spec in self.specs for read in spec.reads}
        return {source: reads[source] for source in sorted(reads, key=str)}

    def specs_of(self, source: Source) -> tuple[TableSpec, ...]:
        """The specs that take rows of a source."""
        return tuple(spec for spec in self.specs if source in spec.sources)

    def open_target(self) -> sa.Engine:
        """An engine for the target database. One that holds newer tables of ours is refused."""
        engine = open_database(self.settings.target_url, reading=not self.keeps)
        return watch_target(engine, f"the target {shown(self.settings.target_url)}")

    def open_control(self, *, writing: bool = False) -> sa.Engine:
        """The engine for the control database, where decisions live. It is closed with the job. A job that only
        looks opens it to read, unless it asks for `writing`."""
        writes = self.keeps or writing
        if writes not in self._controls:
            self._controls[writes] = self._opened_control(writes=writes)
        return self._controls[writes]

    def close(self) -> None:
        """Let go of the control database: its file holds all, and may be copied."""
        for engine in self._controls.values():
            engine.dispose()

    def _opened_control(self, *, writes: bool) -> sa.Engine:
        hint = "restore it from a backup, for decisions stand in it, and see that control.url names it"
        name = f"the control database {shown(self.settings.control_url)}"
        return open_own(self.settings.control_url, name, hint, reading=not writes)

    def audit_log(self, *, writing: bool = False) -> AuditLog:
        """The audit log, which stands in the control database. `writing`: also for a job that only looks."""
        writes = self.keeps or writing
        return AuditLog(self.open_control(writing=writes), self.folder / KEY_FILE, reading=not writes)


class Stage(Protocol):
    """A stage is a function of the job that gives the row account of what it did."""

    def __call__(self, job: Job) -> Tally:
        """Do all that is pending."""


@contextmanager
def sole_run(work: Path) -> Iterator[None]:
    """Hold the project for one process; a second one is told so at once."""
    work.mkdir(parents=True, exist_ok=True)
    # Only a lock of the system goes with its process. Where a disk has none, a marker file would stay behind.
    lock = FileLock(work / "lock", timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise CasebridgeError(
            f"another casebridge command is working on {work.parent}",
            hint="wait for it to end, or stop it; whatever it has finished stays done",
        ) from error
    try:
        yield
    finally:
        lock.release()
