"""What differs between two sets of batch files of one table, row by row.

A source line more at the top of a file shifts every batch after it; the rows in them stay what they were.
Rows are compared by primary key and a 64-bit hash of all their values, so memory is some 16 bytes a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from casebridge.project.batch import Batch
from casebridge.project.target import TargetTable

HASH = "_hash"


@dataclass(frozen=True)
class Changes:
    """Primary keys to delete, and primary keys to write, each a frame of the key's columns; a changed row is in
    both."""

    gone: pl.DataFrame
    put: pl.DataFrame


def changes(old: Sequence[Batch], new: Sequence[Batch], table: TargetTable) -> Changes:
    """From the rows of `old` to the rows of `new`."""
    key = list(table.primary_key)
    before, after = _hashes(old, table), _hashes(new, table)
    both = before.join(after, on=key, how="full", coalesce=True, suffix="_after")
    differs = both.filter(pl.col(HASH).ne_missing(pl.col(f"{HASH}_after")))
    gone = differs.filter(pl.col(HASH).is_not_null()).select(key)
    put = differs.filter(pl.col(f"{HASH}_after").is_not_null()).select(key)
    return Changes(gone, put)


def _hashes(batches: Sequence[Batch], table: TargetTable) -> pl.DataFrame:
    kinds = {name: table.by_name[name].type.dtype for name in table.primary_key}
    found = [pl.DataFrame(schema={**kinds, HASH: pl.UInt64()})]
    for batch in batches:
        rows = rows_of(batch, table)
        found.append(rows.select(table.primary_key).with_columns(rows.hash_rows(seed=7).rename(HASH)))
    return pl.concat(found)


def rows_of(batch: Batch, table: TargetTable) -> pl.DataFrame:
    """A file's rows with the table's columns; one that target.toml did not have when it was written is empty."""
    present = set(batch.scan().collect_schema().names())
    rows = batch.read([column.name for column in table.columns if column.name in present])
    return rows.select(
        pl.col(column.name) if column.name in present else pl.lit(None, dtype=column.type.dtype).alias(column.name)
        for column in table.columns
    )
