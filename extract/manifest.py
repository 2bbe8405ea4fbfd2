"""Two manifests: the one the exporter may have put into the dump, and the one we write of what we read."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.extract.databases import Table
from casebridge.extract.dump import Part, SourceTable
from casebridge.project.batch import digest, write_text
from casebridge.project.contracts import FILE
from casebridge.project.errors import SourceError
from casebridge.project.job import Job
from casebridge.project.ledger import now
from casebridge.project.lists import LARGEST, ListTooLargeError, read_list
from casebridge.project.taken import TakenTables

NAME = "MANIFEST.csv"
_COLUMNS = ["file", "bytes", "lines", "sha256"]


@dataclass(frozen=True)
class Declared:
    """What the exporter says of one file; None or empty where the manifest leaves it open."""

    bytes: int | None
    lines: int | None
    sha256: str

    def check(self, part: Part) -> None:
        """SourceError, with both figures, when the file is not the one that was declared."""
        # Some count line ends, some count lines: the two differ when the last line has no end.
        counts = (part.lines, None if part.ended or part.lines is None else part.lines - 1)
        if self.bytes is not None and self.bytes != part.bytes:
            raise differs(part.name, "bytes", self.bytes, part.bytes)
        if part.lines is not None and self.lines is not None and self.lines not in counts:
            raise differs(part.name, "lines", self.lines, part.lines)
        if self.sha256 and self.sha256 != part.sha256:
            raise differs(part.name, "sha256", self.sha256, part.sha256)


def differs(name: str, what: str, declared: int | str, found: int | str) -> SourceError:
    """The file is not the one its exporter wrote down."""
    figures = [f"{figure:,}" if isinstance(figure, int) else figure for figure in (found, declared)]
    hint = "it was cut short or changed on its way: fetch the file again, and its manifest with it"
    if what == "sha256":
        return SourceError(name, f"has the sha256 {figures[0]}, but {NAME} says {figures[1]}", hint=hint)
    return SourceError(name, f"has {figures[0]} {what}, but {NAME} says {figures[1]}", hint=hint)


def read_manifest(dump: Path, largest: int = LARGEST) -> Mapping[str, Declared]:
    """What the dump's MANIFEST.csv declares, by file name; empty when there is none."""
    path = dump / NAME
    if not path.is_file():
        return {}
    try:
        rows = list(csv.reader(read_list(path, largest).decode("utf-8-sig").splitlines()))
        header = [name.strip().lower() for name in rows[0]]
        places = [header.index(name) for name in _COLUMNS]
        return {
            row[places[0]].strip().replace("\\", "/"): _declared([row[place].strip() for place in places[1:]])
            for row in rows[1:]
            if row
        }
    except ListTooLargeError as error:
        raise SourceError(NAME, str(error).partition(":")[0], hint=str(error).partition(": ")[2]) from error
    except (OSError, ValueError, IndexError, csv.Error) as error:
        hint = "it must be a CSV file with these four columns; mend it, or take it away to read without it"
        raise SourceError(NAME, f"is no list of {', '.join(_COLUMNS)}", hint=hint) from error


def _declared(cells: Sequence[str]) -> Declared:
    size, lines, sha256 = cells
    return Declared(int(size) if size else None, int(lines) if lines else None, sha256.lower())


def write_manifest(job: Job, tables: Sequence[SourceTable], unread: Mapping[str, Sequence[str]]) -> None:
    """Write `work/extract/<run>-manifest.json`: every file of this run, what it is and what was found in
    it; and under `unread`, by system, the files of the dump that no spec reads. A manifest that says the
    same already is left as it is, with its time."""
    path = job.work / "extract" / f"{job.run}-manifest.json"
    files = [entry for table in tables for entry in _entries(job, table)]
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["files"] == files and before["unread"] == unread:
            return
    except (OSError, ValueError, KeyError, TypeError):
        pass
    text = json.dumps(
        {"run": job.run, "when": now(), "files": files, "unread": unread}, indent=2, ensure_ascii=False
    )
    write_text(path, text + "\n")


def _entries(job: Job, table: SourceTable) -> list[dict[str, Any]]:
    """Of a table of a database: which moment it was taken of, and the database's own totals; its digest is that of
    the rows as they arrived."""
    part = table.parts[0]
    if isinstance(part, Table):
        raw = job.ledger.sealed(job.run, "extract", str(table.source), "raw")
        taken = TakenTables(job.ledger).of(job.run, table.source)
        assert taken is not None
        found = {"taken": taken.moment, "rows": taken.rows, "totals": [list(each) for each in taken.totals]}
        said = {"bytes": None, "lines": None, "sha256": digest([batch.sha256 for batch in raw]), "snapshot": found}
        return [{**_file_entries(job, table)[0], **said}]
    return _file_entries(job, table)


def _file_entries(job: Job, table: SourceTable) -> list[dict[str, Any]]:
    readable, unreadable = (_by_file(job, table, kind) for kind in ("raw", "unreadable"))
    return [
        {
            "system": table.source.system,
            "source": table.source.name,
            "path": part.name,
            "bytes": part.bytes,
            "lines": part.lines,
            "records": readable.get(part.name, 0),
            "unreadable": unreadable.get(part.name, 0),
            "sha256": part.sha256,
        }
        for part in table.parts
    ]


def _by_file(job: Job, table: SourceTable, kind: str) -> dict[str, int]:
    """Rows of each file among the batches that stand."""
    batches = job.ledger.sealed(job.run, "extract", str(table.source), kind)
    if len(table.parts) == 1:
        return {table.parts[0].name: sum(batch.rows for batch in batches)}
    counts = pl.concat([batch.scan().select(FILE) for batch in batches]).group_by(FILE).len().collect()
    return dict(counts.iter_rows())
