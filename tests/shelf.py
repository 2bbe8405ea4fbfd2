"""Projects that many tests begin with: each is made once for all workers of a session, and copied.

What stands on the shelf is nobody's to change.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from casebridge.migrate.pipeline import STAGES
from casebridge.project.job import council_day
from tests.councils import Migration, make_migration, small_council

NOTHING = "init"
SMALL = 1_000
"""So many rows a batch make many batches of the council's larger tables."""


@dataclass(frozen=True)
class Shelf:
    """A folder that all workers share."""

    folder: Path

    def made(self, name: str, make: Callable[[Path], object]) -> Path:
        """The folder of this name with what `make` puts into it; the first worker that asks does it."""
        there, ready = self.folder / name, self.folder / f"{name}.ready"
        with FileLock(self.folder / f"{name}.lock"):
            if not ready.exists():
                shutil.rmtree(there, ignore_errors=True)
                there.mkdir()
                make(there)
                ready.touch()
        return there

    def council(self) -> Path:
        """The small council."""
        return self.made("council", lambda folder: small_council(folder / "council")) / "council"

    def after(self, stage: str, *, batch_rows: int | None = None) -> Migration:
        """The small council's project as a stage left it today, or, after `init`, before any. What reviewers see
        hangs on the day: after midnight it is made anew."""

        def make(folder: Path) -> None:
            if stage == NOTHING:
                council = shutil.copytree(self.council(), folder / "council")
                make_migration(folder / "project", council, batch_rows=batch_rows)
            else:
                copy_of(self.after(_before(stage), batch_rows=batch_rows), folder).run(until=stage)

        return migration_in(self.made(f"after-{stage}-{batch_rows or 'all'}-{council_day()}", make))


def _before(stage: str) -> str:
    stages = [NOTHING, *STAGES]
    return stages[stages.index(stage) - 1]


def migration_in(folder: Path, target: str = "") -> Migration:
    """The project that lies in a folder, beside its council."""
    project = folder / "project"
    return Migration(project, folder / "council", target or f"sqlite:///{project / 'target.db'}")


def copy_of(migration: Migration, into: Path, url: str = "") -> Migration:
    """The project with all its work, its dump beside it as its settings have it (not to be changed), for the same
    target in its own folder, or for another."""
    shutil.copytree(migration.folder, into / "project")
    (into / "council").symlink_to(migration.council.resolve())
    made = migration_in(into, url)
    if url:
        _aim(made.folder, url)
        forget_targets(made)
    return made


def with_its_dump(migration: Migration) -> Migration:
    """The same project with a dump of its own, to change."""
    whole = migration.council.resolve()
    migration.council.unlink()
    shutil.copytree(whole, migration.council)
    return migration


def forget_targets(migration: Migration) -> None:
    """Its runs may go to other targets than those that they were begun with."""
    path = migration.folder / "work" / "ledger.db"
    if path.exists():
        with contextlib.closing(sqlite3.connect(path)) as ledger, ledger:
            ledger.execute("UPDATE bindings SET target = NULL")


def _aim(folder: Path, url: str) -> None:
    settings = folder / "casebridge.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(re.sub(r'url = ".*"', f'url = "{url}"', text, count=1), encoding="utf-8")
