"""Small migration projects for these tests: a dump, a target and specs, as a council would have them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from casebridge.extract.readers import FORMATS
from casebridge.project.job import Job
from casebridge.project.specreader import Vocabulary
from tests.staged import read_job

WORDS = Vocabulary(frozenset({"digits"}), frozenset({"positive"}), frozenset(FORMATS))


@dataclass
class Recorder:
    """A reporter that remembers."""

    tables: list[tuple[str, str, int | None]] = field(default_factory=list)
    rows: int = 0
    rejected: int = 0
    notes: list[str] = field(default_factory=list)

    def table(self, stage: str, name: str, rows: int | None) -> None:
        self.tables.append((stage, name, rows))

    def advance(self, rows: int, rejected: int = 0) -> None:
        self.rows, self.rejected = self.rows + rows, self.rejected + rejected

    def skip(self, rows: int, rejected: int = 0) -> None:
        self.advance(rows, rejected)

    def note(self, text: str) -> None:
        self.notes.append(text)


def make(
    folder: Path,
    tables: Mapping[str, Sequence[str]],
    *,
    read: Mapping[str, str] | None = None,
    encoding: str = "cp1252",
    batch_rows: int = 1000,
) -> Path:
    """Write a project whose tables have these columns, the first of them the key; `read` gives a table's
    [read] in TOML. Returns the dump folder."""
    dump = folder / "dump"
    dump.mkdir(parents=True, exist_ok=True)
    (folder / "tables").mkdir(exist_ok=True)
    (folder / "casebridge.toml").write_text(
        f'[project]\nbatch_rows = {batch_rows}\n[systems.old]\ndump = "dump"\nencoding = "{encoding}"\n'
    )
    target = ""
    for name, columns in tables.items():
        at = name.lower()
        there = {column: re.sub(r"\W", "_", column.lower()).lstrip("_") for column in columns}
        fields = "".join(f'[{at}.columns.{c}]\ntype = "text"\n' for c in there.values())
        target += f'[{at}]\nprimary_key = "id"\n[{at}.columns.id]\ntype = "bigint"\n{fields}'
        mapped = "".join(f'[columns.{goal}]\nfrom = "{column}"\n' for column, goal in there.items())
        how = f"[read]\n{read[name]}\n" if read and name in read else ""
        head = f'[table]\nsystem = "old"\nsource = "{name}"\ntarget = "{at}"\nkey = ["{columns[0]}"]\n'
        (folder / "tables" / f"{at}.toml").write_text(head + how + mapped)
    (folder / "target.toml").write_text(target)
    return dump


def job_of(folder: Path, *, run: str = "trial-1", report: Recorder | None = None) -> Job:
    """A job on such a project, which knows one step and one check."""
    return read_job(folder, run, WORDS, report or Recorder())


def standing(job: Job, name: str, kind: str = "raw") -> pl.DataFrame:
    """All rows of one kind that the run has of `old.<name>`."""
    return pl.concat(batch.read() for batch in job.ledger.sealed(job.run, "extract", f"old.{name}", kind))


def files_below(folder: Path) -> dict[str, str]:
    """Every file below a folder with its sha256; the ledger's own files left out."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(("ledger.db", "lock"))
    }
