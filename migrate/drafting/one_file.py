"""A register that stands in one file of any form, read whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.csv

from casebridge.extract.dump import SourceTable
from casebridge.extract.packed import unpacking
from casebridge.migrate.drafting.names import title_of
from casebridge.migrate.profiling.discover import examined, tables_in
from casebridge.migrate.profiling.supplies import pieces_of
from casebridge.project.contracts import CELL_FAULT
from casebridge.project.errors import SourceError

_BLOCK = 64 << 20
"""Bytes that are taken apart at once: more than the longest record."""


@dataclass(frozen=True)
class OneFile:
    """The records of a file, all columns text under the names of its header; lost: lines that are no records;
    faults: cells of a workbook that hold an error, or a formula without its result, and are missing; how: the way
    it was read, in words, and what else in it was not."""

    records: pl.DataFrame
    lost: int
    faults: int
    how: str


def read_one_file(path: Path) -> OneFile:
    """The one table of a file: text with any delimiter, a workbook, JSON, XML, what a zip or gzip holds.
    SourceError where it holds none, or several."""
    with unpacking(None) as packed:
        tables, unread = tables_in(path, packed)
        if len(tables) > 1:
            names = ", ".join(table.read.source.name for table in tables)
            hint = "save the one you mean in a file of its own"
            raise SourceError(path.name, f"holds {len(tables)} tables: {names}", hint=hint)
        beside = [error.message.removeprefix(f"{error.file}: ") for error in unread]
        table = examined(tables[0])
        pieces = list(pieces_of(table))
    empty = pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
    records = pl.concat([empty, *(values for values, _ in pieces)])
    is_fault = pl.all().str.starts_with(CELL_FAULT)
    faults = sum(records.select(is_fault.sum()).row(0))
    records = records.select(pl.when(~is_fault).then(pl.all())).rename(title_of)
    return OneFile(records, sum(lost for _, lost in pieces), faults, "; ".join([_how(table), *beside]))


def short_lines(path: Path, columns: int) -> int:
    """How many lines of a CSV with a header of so many columns have fewer fields, or more."""
    found: list[int] = []

    def counted(row: pyarrow.csv.InvalidRow) -> str:
        found.append(row.actual_columns)
        return "skip"

    names = [f"f{place}" for place in range(columns)]  # as pyarrow calls them, to which the header is a row
    rows = pyarrow.csv.open_csv(
        path, pyarrow.csv.ReadOptions(autogenerate_column_names=True, block_size=_BLOCK),
        pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=counted),
        pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.binary())),
    )  # fmt: skip
    for _ in rows:
        pass
    return len(found)


def _how(table: SourceTable) -> str:
    read = table.read
    return f"text in {read.encoding}, delimiter {read.delimiter!r}" if read.format == "csv" else read.format
