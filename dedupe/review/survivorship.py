"""The survivor's values: its own where it has them, else those of the records folded into it.

A restriction is never lowered: the survivor has the strictest mark of all its records.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from casebridge.project.contracts import KEY, REST, ROW
from casebridge.project.restriction import rank
from casebridge.project.target import Marks

_RANK = "__rank"
_HEAD = "__head"


def golden_rows(people: pl.DataFrame, survivor_of: pl.DataFrame, marks: Sequence[Marks]) -> pl.DataFrame:
    """The rows of survivors whose values changed, in the shape of `people`.

    `people` has `id` (system:key), `table`, ROWS and the target's columns for every record of the groups;
    `survivor_of` has `id` and `survivor`; `marks` are the columns that keep marks of restriction. The row keeps
    the survivor's key and source row; the other rows are accounted for as merged, by the crosswalk.
    """
    joined = people.join(survivor_of, on="id", how="inner").with_columns(
        (pl.col("id") != pl.col("survivor")).alias(_RANK), pl.col("survivor").alias(_HEAD)
    )
    ordered = joined.sort(_HEAD, _RANK, pl.col("id").str.len_chars(), "id")
    own = ["id", "table", KEY, ROW, REST]
    values = [name for name in people.columns if name not in own]
    keeping = {item.column: item for item in marks}
    folded = ordered.group_by(_HEAD, maintain_order=True).agg(
        *(pl.col(name).first() for name in own),
        *(_merged(name, keeping.get(name)).alias(name) for name in values),
    )
    return folded.select(people.columns)


def _merged(name: str, marks: Marks | None) -> pl.Expr:
    values = pl.col(name)
    if marks:
        values = values.sort_by(rank(marks, pl.col(name)), descending=True, maintain_order=True)
    return values.drop_nulls().first()
