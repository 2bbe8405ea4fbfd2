"""Whole small migrations of values whose truth is known: what is loaded is the truth, and every row is counted."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
from hypothesis import strategies as st

from tests.cases_run import Ran, command
from tests.fuzz.files import FORMATS
from tests.fuzz.values import COLUMNS, Written

HEAD = """
[project]
name = "fuzz"
batch_rows = {batch}
[systems.old]
dump = "dump"
encoding = "utf-8"
[limits]
rejected = 1.0
held = 1.0
set_aside = 1.0
"""
Record = Mapping[str, Written]


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """A table of 1 to 12 rows."""
    row = st.fixed_dictionaries({name: column.values for name, column in COLUMNS.items()})
    return draw(st.lists(row, min_size=1, max_size=12))


def lay_down(folder: Path, read: str, batch: int) -> None:
    """The specs of a project whose dump is there."""
    (folder / "tables").mkdir()
    (folder / "casebridge.toml").write_text(HEAD.format(batch=batch), encoding="utf-8")
    target = '[t]\nprimary_key = "id"\nlegacy_key = "ref"\n'
    target += '[t.columns.id]\ntype = "bigint"\n[t.columns.ref]\ntype = "varchar(8)"\n'
    spec = f'[table]\nsystem = "old"\nsource = "T"\ntarget = "t"\nkey = ["KEY"]\n[read]\nnull = []\n{read}\n'
    for name, column in COLUMNS.items():
        target += f'[t.columns.{name}]\ntype = "{column.kind}"\n'
        spec += f'[columns.{name}]\nfrom = "{name}"\non_fail = "null_and_report"\n'
    (folder / "target.toml").write_text(target, encoding="utf-8")
    (folder / "tables" / "t.toml").write_text(spec, encoding="utf-8")


def judge(ran: Ran, table: Sequence[Record]) -> None:
    """Every row loaded; each value the truth, or set aside where it may be."""
    assert ran.code == 0, ran.said
    with contextlib.closing(sqlite3.connect(ran.folder / "target.db")) as connection:
        columns = ", ".join(COLUMNS)
        stored = connection.execute(f"SELECT ref, {columns} FROM t ORDER BY ref").fetchall()  # noqa: S608
    assert [row[0] for row in stored] == [f"K{n:04}" for n in range(len(table))]
    aside = _set_aside(ran.folder)
    for row, record in zip(stored, table, strict=True):
        for value, name in zip(row[1:], COLUMNS, strict=True):
            (text, truth), where = record[name], (row[0], name)
            if truth is ...:
                assert value is not None or where in aside or not text.strip(" \t"), (name, text, value)
                continue
            assert (where in aside) == (truth is not None and value is None), (name, text, truth, value)
            assert value is None or _same(value, truth), (name, text, truth, value)
            assert truth is None or value is not None, (name, text, truth, "set aside")


def _set_aside(folder: Path) -> set[tuple[str, str]]:
    found = [pl.read_parquet(path) for path in sorted(folder.glob("work/transform/t/*quarantine*"))]
    lines = pl.concat(found).filter(pl.col("verdict") != "warned") if found else pl.DataFrame()
    return set(lines.select("_key", "column").iter_rows()) if found else set()


def _same(value: object, truth: object) -> bool:
    if isinstance(truth, Decimal):
        return Decimal(str(value)) == truth
    if isinstance(truth, datetime):
        return str(value).split(".")[0] == f"{truth:%Y-%m-%d %H:%M:%S}"
    return str(value) == (f"{truth:%Y-%m-%d}" if isinstance(truth, date) else str(truth))


def what_is_loaded_is_the_truth(data: st.DataObject) -> None:
    """A table in any format goes through all stages."""
    table = data.draw(records())
    folder = Path(tempfile.mkdtemp(prefix="casebridge-fuzz-"))
    try:
        (folder / "dump").mkdir()
        names = ["KEY", *COLUMNS]
        rows = [[f"K{n:04}", *(record[name][0] for name in COLUMNS)] for n, record in enumerate(table)]
        read = data.draw(st.sampled_from(FORMATS))(folder / "dump", names, rows, data.draw)
        lay_down(folder, read, data.draw(st.sampled_from([1, 3, 250_000])))
        judge(command(folder, "run"), table)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
