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

NUMBER = "number"


def unique_violations(
    connection: sa.Connection, table: TargetTable, batches: Sequence[Batch]
) -> Iterator[tuple[Batch, pl.DataFrame]]:
    """Legacy key and reason of one spec's rows, batch by batch. Read only.

    Of our own rows with one value the one with the lowest id stays; none does where the value stands in a row
    that this spec did not write.
    """
    key = table.primary_key
    ours = pl.concat([b.read([KEY, key]).with_columns(pl.lit(n).alias(NUMBER)) for n, b in enumerate(batches)])
    for column in (column.name for column in table.columns if column.unique):
        doubled = _doubled(connection, table.name, key, column).join(ours, on=key, how="left")
        others = doubled.filter(pl.col(KEY).is_null()).get_column("value")
        mine = doubled.filter(pl.col(KEY).is_not_null()).sort(key)
        second = mine.filter(~pl.col("value").is_first_distinct() | pl.col("value").is_in(others.implode()))
        reason = pl.lit(f"{column} must be unique, and another row has the value").alias("reason")
        for number in second.get_column(NUMBER).unique(maintain_order=True):
            yield batches[number], second.filter(pl.col(NUMBER) == number).select(KEY, reason)


def _doubled(connection: sa.Connection, name: str, key: str, column: str) -> pl.DataFrame:
    """Primary key and value (as text) of all rows of the target whose value another row has."""
    value: sa.ColumnClause[object] = sa.column(column)
    there = sa.table(name, sa.column(key), value)
    several = sa.select(value).select_from(there).group_by(value).having(sa.func.count() > 1)
    wanted: list[sa.ColumnElement[object]] = [sa.column(key), sa.cast(value, sa.Text)]
    rows = connection.execute(sa.select(*wanted).select_from(there).where(value.in_(several)))
    found = [tuple(row) for row in rows]
    return pl.DataFrame(found, schema={key: pl.Int64, "value": pl.String}, orient="row")
