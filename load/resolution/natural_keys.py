"""Keys that the specs say, not casebridge: read off the rows themselves, and no two rows with the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from casebridge.project.batch import Batch
from casebridge.project.contracts import KEY
from casebridge.project.keys import JOINER
from casebridge.project.spec import TableSpec
from casebridge.project.target import TargetTable

_BATCH, _SPEC = "_batch", "_spec"


def keys_of(batch: Batch, table: TargetTable) -> pl.DataFrame:
    """KEY and `id`, the row's own key, of each row of a batch of transform or load: in its type where it has one
    column, else its parts as one text. A key that no spec maps is the legacy key itself."""
    there = batch.scan().collect_schema().names()
    rows = batch.read([KEY, *(name for name in table.primary_key if name in there)])
    if len(table.primary_key) > 1:
        parts = [pl.col(name).cast(pl.String).fill_null("") for name in table.primary_key if name in there]
        return rows.select(KEY, pl.concat_str(parts, separator=JOINER).alias("id"))
    name = table.id_column
    return rows.select(KEY, pl.col(name if name in there else KEY).cast(table.id_type).alias("id"))


def reason_of(table: TargetTable) -> str:
    """Why the second of two rows with one key is refused; names no value."""
    return f"the key {' and '.join(table.primary_key)} must be unique, and another row has it"


def second_rows(
    table: TargetTable, specs: Sequence[tuple[TableSpec, Sequence[Batch]]]
) -> Iterator[tuple[TableSpec, Batch, pl.DataFrame]]:
    """The rows of a table whose key an earlier row has, spec by spec and batch by batch, with the reason."""
    if not table.natural_key:
        return
    batches = [(spec, batch) for spec, files in specs for batch in files]
    key = list(table.primary_key)
    kinds: Mapping[str, pl.DataType] = {name: table.by_name[name].type.dtype for name in key}
    found = [pl.DataFrame(schema={KEY: pl.String(), **kinds, _BATCH: pl.Int64()})]
    for number, (_, batch) in enumerate(batches):
        found.append(
            batch.read([KEY, *key]).with_columns(pl.lit(number, pl.Int64).alias(_BATCH)).select(found[0].columns)
        )
    rows = pl.concat(found)
    second = rows.filter(~pl.struct(key).is_first_distinct())
    reason = pl.lit(reason_of(table)).alias("reason")
    for (number,), part in second.group_by([_BATCH], maintain_order=True):
        yield *batches[int(str(number))], part.select(KEY, reason)
