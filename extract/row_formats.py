"""The long tail: formats that are read row by row, where breadth counts and speed does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import polars as pl

from casebridge.extract.dump import Piece, SourceTable
from casebridge.extract.oddities import without_nothing
from casebridge.extract.records import Reason
from casebridge.project.contracts import ORIGIN, UNREADABLE

ROWS_AT_ONCE = 50_000


class Row(NamedTuple):
    """One row of a file: its values, or what it is in bytes and why it cannot be read."""

    line: int
    values: tuple[str | None, ...]
    reason: Reason = Reason.READABLE
    raw: bytes = b""


def pieces(rows: Iterable[Row], table: SourceTable, file: str, first: int) -> Iterator[Piece]:
    """Rows as pieces, numbered on from `first`. Values stand in the order of the table's columns."""
    rows = iter(rows)
    while some := list(islice(rows, ROWS_AT_ONCE)):
        numbered = list(enumerate(some, first + 1))
        good = [(row, file, r.line, 1, *r.values) for row, r in numbered if r.reason is Reason.READABLE]
        bad = [
            (row, file, r.line, 1, r.reason.name.lower(), r.raw)
            for row, r in numbered
            if r.reason is not Reason.READABLE
        ]
        schema = {**ORIGIN, **dict.fromkeys(table.columns, pl.String())}
        raw = pl.DataFrame(good, schema=schema, orient="row")
        yield Piece(
            len(some),
            without_nothing(raw, table.columns, table.read, file),
            pl.DataFrame(bad, schema=dict(UNREADABLE), orient="row"),
        )
        first += len(some)
