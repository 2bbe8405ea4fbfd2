"""A register that stands in one file of any form, read whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from casebridge.extract.dump import SourceTable
from casebridge.extract.packed import unpacking
from casebridge.migrate.drafting.names import title_of
from casebridge.migrate.profiling.discover import examined, tables_in
from casebridge.migrate.profiling.supplies import pieces_of
from casebridge.project.contracts import CELL_FAULT
from casebridge.project.errors import SourceError


@dataclass(frozen=True)
class OneFile:
    """The records of a file, all columns text under the names of its header; lost: lines that are no records; how:
    the way it was read, in words."""

    records: pl.DataFrame
    lost: int
    how: str


def read_one_file(path: Path) -> OneFile:
    """The one table of a file: text with any delimiter, a workbook, JSON, XML, what a zip or gzip holds.
    SourceError where it holds none, or several."""
    with unpacking(None) as packed:
        tables = tables_in(path, packed)
        if len(tables) > 1:
            names = ", ".join(table.read.source.name for table in tables)
            hint = "save the one you mean in a file of its own"
            raise SourceError(path.name, f"holds {len(tables)} tables: {names}", hint=hint)
        table = examined(tables[0])
        pieces = list(pieces_of(table))
    empty = pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
    records = pl.concat([empty, *(values for values, _ in pieces)])
    is_fault = pl.all().str.starts_with(CELL_FAULT)
    records = records.select(pl.when(~is_fault).then(pl.all())).rename(title_of)
    return OneFile(records, sum(lost for _, lost in pieces), _how(table))


def _how(table: SourceTable) -> str:
    read = table.read
    return f"text in {read.encoding}, delimiter {read.delimiter!r}" if read.format == "csv" else read.format
