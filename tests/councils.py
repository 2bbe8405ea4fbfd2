"""A made-up council and its migration, for tests that go the whole way."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from casebridge.migrate.cli.main import main
from casebridge.migrate.pipeline import open_job, run_stages
from casebridge.migrate.projects import init_project
from casebridge.project.database import open_database
from casebridge.synthetic import make_council
from tests.audit_key import lay_key

ROOT = Path(__file__).parent.parent
BATCH_ROWS = "batch_rows = 250_000"


@dataclass(frozen=True)
class Migration:
    """A migration project, and where its dump and the truth lie."""

    folder: Path
    council: Path
    target: str

    def run(self, until: str | None = None, run: str | None = None) -> None:
        """All stages, in this process."""
        with open_job(self.folder, run) as job:
            for _ in run_stages(job, until):
                pass

    def truth(self, name: str) -> pl.DataFrame:
        """One table of the truth."""
        return pl.read_parquet(self.council / "truth" / f"{name}.parquet")

    def report_path(self, run: str = "trial-1") -> Path:
        """The run's report.json."""
        return self.folder / "reports" / run / "report.json"

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on this project."""
        return casebridge(*words, "--project", str(self.folder))


def casebridge(*words: str) -> subprocess.CompletedProcess[str]:
    """The real command line, from its entry point to its exit code, in this process."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), command_line(words):
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


@contextmanager
def as_nobody() -> Iterator[None]:
    """The superuser may read and write everything, so a test steps down for as long as it asks."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


@contextmanager
def command_line(words: Sequence[str]) -> Iterator[None]:
    """The command line's words, for as long as it runs."""
    before = sys.argv
    sys.argv = ["casebridge", *words]
    try:
        yield
    finally:
        sys.argv = before


def make_migration(
    folder: Path, council: Path, target: str | None = None, *, batch_rows: int | None = None
) -> Migration:
    """A migration project for a council's dump; small batches make many of them."""
    init_project(folder, council / "dump", target)
    lay_key(folder)
    settings = folder / "casebridge.toml"
    if batch_rows:
        text = settings.read_text(encoding="utf-8")
        settings.write_text(text.replace(BATCH_ROWS, f"batch_rows = {batch_rows}"), encoding="utf-8")
    return Migration(folder, council, target or f"sqlite:///{folder / 'target.db'}")


def small_council(folder: Path, people: int = 600, seed: int = 7) -> Path:
    """A council with every kind of mess in it."""
    make_council(folder, people=people, seed=seed)
    return folder


def copy_of(council: Path, folder: Path) -> Path:
    """A council of one's own, to spoil."""
    shutil.copytree(council, folder)
    return folder


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of a target, in order; of our side tables what is not the time or the run."""
    engine = open_database(url)
    metadata = sa.MetaData()
    metadata.reflect(engine)
    found: dict[str, list[tuple[object, ...]]] = {}
    with engine.connect() as connection:
        for name, table in sorted(metadata.tables.items()):
            columns = [c for c in table.columns if c.name not in {"run", "applied_at", "begun_at", "inputs"}]
            rows = [tuple(row) for row in connection.execute(sa.select(*columns))]
            found[name] = sorted(rows, key=repr)
    engine.dispose()
    return found
