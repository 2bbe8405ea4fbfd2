"""The survivor's values: its own where it has them, else those of the records folded into it.

A restriction is never lowered: where any of the records is restricted, the survivor is.
"""

from __future__ import annotations

import polars as pl

from casebridge.project.contracts import KEY, REST, ROW

RESTRICTED = "restricted"

_RANK = "__rank"
_HEAD = "__head"


def golden_rows(people: pl.DataFrame, survivor_of: pl.DataFrame) -> pl.DataFrame:
    """The rows of survivors whose values changed, in the shape of `people`.

    `people` has `id` (system:key), `table`, ROWS and the target's columns for every record of the groups;
    `survivor_of` has `id` and `survivor`. The row keeps the survivor's key and source row; the other rows
    are accounted for as merged, by the crosswalk.
    """
    joined = people.join(survivor_of, on="id", how="inner").with_columns(
        (pl.col("id") != pl.col("survivor")).alias(_RANK), pl.col("survivor").alias(_HEAD)
    )
    ordered = joined.sort(_HEAD, _RANK, pl.col("id").str.len_chars(), "id")
    own = ["id", "table", KEY, ROW, REST]
    values = [name for name in people.columns if name not in own]
    folded = ordered.group_by(_HEAD, maintain_order=True).agg(
        *(pl.col(name).first() for name in own),
        *(_merged(name).alias(name) for name in values),
    )
    return folded.select(people.columns)


def _merged(name: str) -> pl.Expr:
    if name == RESTRICTED:
        most = pl.when((pl.col(name) == "Y").any()).then(pl.lit("Y"))
        return most.otherwise(pl.col(name).drop_nulls().first())
    return pl.col(name).drop_nulls().first()
