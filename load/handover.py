"""Where the supplier imports the rows himself: files, what is in them, and who has them now.

A run that balances in a staging target is written out as CSV, with a manifest. Exactly-once ends where the
files leave the house, so a hand-over has states (`STATES`), each a line of the ledger that nobody takes back:

    prepared → handed_over → acknowledged, or → differs, and then prepared again

It is acknowledged only when the supplier's read-back, row for row, is what was handed over. The files are
UTF-8, RFC 4180, with a header, an empty field for null, dates as YYYY-MM-DD, times as YYYY-MM-DD
HH:MM:SS.ffffff, decimals with a point, true and false for booleans.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from polars.exceptions import PolarsError

from casebridge.load.resolution.key_map import STAGE
from casebridge.load.writing.writers import sqlite_rows
from casebridge.project.batch import Batch, file_digest, write_file, write_text
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError, SourceError, did_you_mean
from casebridge.project.headers import nameable
from casebridge.project.job import Job
from casebridge.project.journal import Journal
from casebridge.project.lines import refuse_long_lines
from casebridge.project.target import TargetTable

PREPARED, HANDED_OVER, ACKNOWLEDGED, DIFFERS = "prepared", "handed_over", "acknowledged", "differs"
STATES: Mapping[str, tuple[str, ...]] = {
    PREPARED: ("", PREPARED, DIFFERS),
    HANDED_OVER: (PREPARED,),
    ACKNOWLEDGED: (HANDED_OVER, DIFFERS),
    DIFFERS: (HANDED_OVER, DIFFERS),
}
"""Each state, and those that may be before it."""

MANIFEST = "manifest.json"
_HINTS = {
    "": "begin with `casebridge handover prepare NAME`",
    PREPARED: "say who has the files: `casebridge handover handed NAME --to WHO`",
    HANDED_OVER: "take in the supplier's read-back: `casebridge handover acknowledge NAME READBACK_DIR`",
    ACKNOWLEDGED: "it is over; hand over another run",
    DIFFERS: "take in another read-back, or prepare the files again",
}


def prepare(job: Job) -> Path:
    """Write the files of a run that balances, and their manifest. Gives the folder."""
    _may_become(job, PREPARED)
    balanced = {str(run.name) for run in job.ledger.runs() if run.verdict == "balanced"}
    if job.run not in balanced:
        hint = "load it into a staging target first, and do `casebridge run` to its end"
        raise CasebridgeError(f"run {job.run} does not balance in its target", hint=hint)
    folder = folder_of(job)
    _clear(job, folder)
    files = [_write(folder, table, batch) for table, batch in _batches(job)]
    made = {"run": job.run, "project": job.settings.name, "files": files, "tables": _totals(job, files)}
    write_text(folder / MANIFEST, json.dumps(made, indent=1) + "\n")
    Journal(job.ledger).note_handover(job.run, PREPARED, "", file_digest(folder / MANIFEST))
    return folder


def _clear(job: Job, folder: Path) -> None:
    """Delete what was prepared before. CasebridgeError where somebody's own files stand in the folder: none is
    deleted, and none goes to the supplier."""
    there = [path for path in folder.rglob("*") if not path.is_dir()]
    others = [path for path in there if not _prepared(job, path.relative_to(folder))]
    if others:
        raise CasebridgeError(
            f"{others[0].relative_to(folder)} in handover/{job.run} was not written by casebridge",
            hint="move it out of that folder, and prepare again",
        )
    for path in there:
        path.unlink()


def _prepared(job: Job, file: Path) -> bool:
    """Whether a file of a run's folder is called as those that are prepared, half written ones too."""
    name = file.as_posix()
    named = re.fullmatch(r"(?:([^/]+)/)?\.?(.+?)(?:\.\d+\.part)?", name)
    table, base = named.groups() if named else (None, "")
    if table is None:
        return base == MANIFEST
    return table in job.target.by_name and re.fullmatch(r".+-\d{5,}\.csv", base) is not None


def handed(job: Job, who: str) -> None:
    """The files, unchanged since they were prepared, are with the supplier."""
    _may_become(job, HANDED_OVER)
    check_files(job)
    Journal(job.ledger).note_handover(job.run, HANDED_OVER, who, file_digest(folder_of(job) / MANIFEST))


def check_files(job: Job) -> None:
    """CasebridgeError when a file is not what was prepared. Read only."""
    folder = folder_of(job)
    last = Journal(job.ledger).handovers(job.run)[-1]
    manifest = folder / MANIFEST
    wrong = [] if manifest.is_file() and file_digest(manifest) == last.manifest else [MANIFEST]
    listed = json.loads(manifest.read_text(encoding="utf-8"))["files"] if not wrong else []
    for item in listed:
        path = folder / item["file"]
        if not path.is_file() or file_digest(path) != item["sha256"]:
            wrong.append(item["file"])
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    if listed and [item["made_from"] for item in listed] != [batch.sha256 for _, batch in _batches(job)]:
        raise CasebridgeError(
            f"run {job.run} was done again after its files were prepared",
            hint="prepare them again, or do the next load under another name",
        )
    wrong += sorted(there - {item["file"] for item in listed} - {MANIFEST}) if listed else []
    if wrong:
        raise CasebridgeError(
            f"not as they were prepared: {', '.join(wrong[:10])}",
            hint="nobody edits these files; mend the rules or the data, run again, and prepare again",
        )


def take_readback(job: Job, readback: Path) -> str:
    """Put the supplier's read-back into a database of its own; gives its URL. The run's target is not touched."""
    _may_become(job, ACKNOWLEDGED)
    check_files(job)
    if not readback.is_dir():
        raise SourceError(readback.name, "is no folder", hint="name the folder with a folder for each table")
    path = job.work / "handover" / f"{job.run}.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    for old in path.parent.glob(f"{job.run}.db*"):
        old.unlink()
    url = f"sqlite:///{path}"
    engine = open_database(url)
    # Texts without any key: what came back wrong must get in, to be counted.
    metadata, longest = sa.MetaData(), job.settings.bounds.longest_record
    for table in job.target.tables:
        sa.Table(table.name, metadata, *(sa.Column(column.name, sa.Text) for column in table.columns))
    try:
        metadata.create_all(engine)
        with engine.begin() as connection:
            for table in job.target.tables:
                for file in sorted((readback / table.name).glob("*.csv")):
                    _take(connection, metadata.tables[table.name], table, file, longest)
    finally:
        engine.dispose()
    return url


def acknowledged(job: Job, who: str, *, same: bool) -> str:
    """The read-back was compared: the state that it gives."""
    state = ACKNOWLEDGED if same else DIFFERS
    _may_become(job, state)
    last = Journal(job.ledger).handovers(job.run)[-1]
    Journal(job.ledger).note_handover(job.run, state, who, last.manifest)
    return state


def folder_of(job: Job) -> Path:
    """Where a run's files are."""
    return job.folder / "handover" / job.run


def _may_become(job: Job, state: str) -> None:
    states = Journal(job.ledger).handovers(job.run)
    last = states[-1].state if states else ""
    if last not in STATES[state]:
        is_now = f"is {last}" if last else "has not begun"
        raise CasebridgeError(
            f"the hand-over of run {job.run} {is_now}, so it cannot become {state}", hint=_HINTS[last]
        )


def _batches(job: Job) -> Iterator[tuple[TargetTable, Batch]]:
    for name in job.target.load_order:
        for spec in (spec for spec in job.specs if spec.target == name):
            for batch in job.ledger.sealed(job.run, STAGE, spec.name, "rows"):
                if batch.rows:
                    yield job.target.by_name[name], batch


def _write(folder: Path, table: TargetTable, batch: Batch) -> dict[str, Any]:
    path = folder / table.name / f"{batch.table}-{batch.number:05d}.csv"
    if file_digest(batch.path) != batch.sha256:
        raise CasebridgeError(f"{batch.path.name} was changed in work/{STAGE}", hint="run again, then prepare")
    rows = batch.read([column.name for column in table.columns])
    day, moment = "%Y-%m-%d", "%Y-%m-%d %H:%M:%S%.6f"
    write_file(path, lambda file: rows.write_csv(file, datetime_format=moment, date_format=day))
    sums = {name: str(rows[name].sum()) for name, kind in rows.schema.items() if isinstance(kind, pl.Decimal)}
    return {
        "file": path.relative_to(folder).as_posix(),
        "table": table.name,
        "batch": f"{batch.table}-{batch.number}",
        "rows": rows.height,
        "sha256": file_digest(path),
        "made_from": batch.sha256,
        "keys": _key_sum(rows.select(table.primary_key)),
        "sums": sums,
    }


def _key_sum(keys: pl.DataFrame) -> str:
    """The sum of the first eight bytes of each key's sha256 (its text; where it has several columns, their texts
    joined by `|`), modulo 2^64, in hexadecimal: whoever has the same keys, in whatever order and language, gets
    the same sum."""
    texts = ("|".join(map(str, key)) for key in keys.iter_rows())
    hashes = (hashlib.sha256(text.encode()).digest()[:8] for text in texts)
    return f"{sum(int.from_bytes(eight, 'big') for eight in hashes) % (1 << 64):016x}"


def _totals(job: Job, files: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The control totals by table: rows, keys, money."""
    made = {}
    for name in job.target.load_order:
        mine = [item for item in files if item["table"] == name]
        columns = [column.name for column in job.target.by_name[name].columns if column.type.name == "numeric"]
        texts = {column: pl.Series([i["sums"][column] for i in mine], dtype=pl.String) for column in columns}
        made[name] = {
            "rows": sum(item["rows"] for item in mine),
            "keys": f"{sum(int(item['keys'], 16) for item in mine) % (1 << 64):016x}",
            "sums": {column: str(sums.cast(pl.Decimal(38, 6)).sum()) for column, sums in texts.items()},
        }
    return made


def _take(connection: sa.Connection, into: sa.Table, table: TargetTable, file: Path, longest: int) -> None:
    """The rows of one read-back file, as texts; what they mean is for reconciliation to say."""
    name = f"{table.name}/{file.name}"
    refuse_long_lines(file, name, longest)
    try:
        rows = pl.read_csv(file, infer_schema=False, encoding="utf8")
    except (OSError, PolarsError):
        # The reason would quote a piece of the file, which is somebody's data.
        hint = "ask for it again in the format of the files that were handed over"
        raise SourceError(name, "is no CSV in UTF-8 with a header", hint=hint) from None
    wanted = [column.name for column in table.columns]
    missing = [column for column in wanted if column not in rows.columns]
    if missing:
        hint = (
            did_you_mean(missing[0], nameable(rows.columns, wanted)) or "ask for all columns that were handed over"
        )
        raise SourceError(name, f"has no column {', '.join(missing)}", hint=hint)
    sqlite_rows(connection, into, rows.select(wanted))
