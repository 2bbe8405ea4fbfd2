"""Rows that hold a value which must be unique in the target and which another row has too.

Unique keys are off while rows are written, so such a row is not refused when it goes in; the key cannot be
built afterwards. It is found then, and kept out with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl
import sqlalchemy as sa

from casebridge.project.batch import Batch
from casebridge.project.contracts import KEY
from casebridge.project.target import TargetTable

NUMBER, _SPELT, _VALUE = "_number", "_spelt_", "__value"


def unique_violations(
    connection: sa.Connection, table: TargetTable, batches: Sequence[Batch]
) -> Iterator[tuple[Batch, pl.DataFrame]]:
    """Legacy key and reason of one spec's rows, batch by batch. Read only.

    Of our own rows with one value the one with the lowest id stays; none does where the value stands in a row
    that this spec did not write.
    """
    key = table.primary_key
    read = [batch.read([KEY, *key]).with_columns(pl.lit(n).alias(NUMBER)) for n, batch in enumerate(batches)]
    texts = {f"{_SPELT}{name}": _spelt(pl.col(name).cast(pl.String)) for name in key}
    ours = pl.concat(read).with_columns(**texts)
    for column in (column.name for column in table.columns if column.unique):
        doubled = _doubled(connection, table, column).join(ours, on=list(texts), how="left")
        others = doubled.filter(pl.col(KEY).is_null()).get_column(_VALUE)
        mine = doubled.filter(pl.col(KEY).is_not_null()).sort(key)
        second = mine.filter(~pl.col(_VALUE).is_first_distinct() | pl.col(_VALUE).is_in(others.implode()))
        reason = pl.lit(f"{column} must be unique, and another row has the value").alias("reason")
        for number in second.get_column(NUMBER).unique(maintain_order=True):
            yield batches[number], second.filter(pl.col(NUMBER) == number).select(KEY, reason)


def _spelt(text: pl.Expr) -> pl.Expr:
    """A key's text, as both sides write it: a moment without the zeros behind its seconds."""
    return text.str.replace(r"(:\d\d)(\.\d*?)0+$", "${1}${2}").str.strip_suffix(".")


def _doubled(connection: sa.Connection, table: TargetTable, column: str) -> pl.DataFrame:
    """Primary key and value (as texts) of all rows of the target whose value another row has."""
    value: sa.ColumnClause[object] = sa.column(column)
    key: list[sa.ColumnClause[object]] = [sa.column(name) for name in table.primary_key]
    there = sa.table(table.name, *{item.name: item for item in (*key, value)}.values())
    several = sa.select(value).select_from(there).group_by(value).having(sa.func.count() > 1)
    wanted = [sa.cast(item, sa.Text) for item in (*key, value)]
    rows = connection.execute(sa.select(*wanted).select_from(there).where(value.in_(several)))
    names = [*(f"{_SPELT}{name}" for name in table.primary_key), _VALUE]
    found = pl.DataFrame([tuple(row) for row in rows], schema=dict.fromkeys(names, pl.String), orient="row")
    return found.with_columns(_spelt(pl.col(name)) for name in names[:-1])
