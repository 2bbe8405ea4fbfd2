"""The ways to look for a merge blocker: pairs and facts to the pairs for which it is there.

Facts are rows of the tables that feed a check, with the record (`ID`, as `system:key`) that each leads to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from casebridge.dedupe.review.merge_rules import Blocker, Check

ID, SYSTEM = "__id", "__system"
PAIR = ["left_id", "right_id"]


def _counted(pairs: pl.DataFrame, facts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The pairs with how many rows each side has in all."""
    counts = pl.concat([frame.select(ID) for frame in facts]).group_by(ID).agg(pl.len().alias("count"))
    for side in ("left", "right"):
        mine = counts.select(pl.col(ID).alias(f"{side}_id"), pl.col("count").cast(pl.Int64).alias(side))
        pairs = pairs.join(mine, on=f"{side}_id", how="left").with_columns(pl.col(side).fill_null(0))
    return pairs


def _on_source(pairs: pl.DataFrame, facts: Sequence[pl.DataFrame], _: Blocker) -> pl.DataFrame:
    return _counted(pairs, facts).filter((pl.col("left") > 0) | (pl.col("right") > 0))


def _on_both(pairs: pl.DataFrame, facts: Sequence[pl.DataFrame], _: Blocker) -> pl.DataFrame:
    return _counted(pairs, facts).filter((pl.col("left") > 0) & (pl.col("right") > 0))


def _overlap(pairs: pl.DataFrame, facts: Sequence[pl.DataFrame], blocker: Blocker) -> pl.DataFrame:
    """Rows of both on one day. A row without a beginning is taken to begin before all others, one without an end
    to go on; of one that ends before it begins neither day is known."""
    until = pl.col(blocker.until).cast(pl.Date) if blocker.until else pl.lit(None)
    since = pl.col(blocker.since).cast(pl.Date)
    sound = ~(until < since).fill_null(False)
    rows = pl.concat(facts, how="vertical_relaxed").with_columns(
        pl.when(sound).then(since).fill_null(pl.date(1, 1, 1)).alias("__from"),
        pl.when(sound).then(until).fill_null(pl.date(9999, 12, 31)).alias("__to"),
    )
    left = rows.select(pl.col(ID).alias("left_id"), "__from", "__to")
    right = rows.select(pl.col(ID).alias("right_id"), "__from", "__to")
    both = pairs.join(left, on="left_id").join(right, on="right_id")
    both = both.filter((pl.col("__from") <= pl.col("__to_right")) & (pl.col("__from_right") <= pl.col("__to")))
    return _counted(both.select(PAIR).unique(), facts)


def _between(pairs: pl.DataFrame, facts: Sequence[pl.DataFrame], blocker: Blocker) -> pl.DataFrame:
    """A row that names both, whichever of them first."""
    rows, other = facts[0], blocker.feeds[1].path[0]
    named = rows.select(pl.col(ID).alias("one"), (pl.col(SYSTEM) + ":" + pl.col(other)).alias("two"))
    smaller, larger = pl.min_horizontal("one", "two"), pl.max_horizontal("one", "two")
    both = named.select(smaller.alias("left_id"), larger.alias("right_id"))
    counts = both.group_by(PAIR).agg(pl.len().cast(pl.Int64).alias("left"))
    return pairs.join(counts, on=PAIR).with_columns(pl.col("left").alias("right"))


def _differ(pairs: pl.DataFrame, facts: Sequence[pl.DataFrame], blocker: Blocker) -> pl.DataFrame:
    """Values of both that are not the same ones. A record without a row has none that could differ; one whose rows
    are empty there differs from one with a value."""
    values = (
        pl.concat(facts, how="vertical_relaxed")
        .group_by(ID)
        .agg(pl.col(blocker.column).cast(pl.String).drop_nulls().unique().sort().alias("value"))
    )
    for side in ("left", "right"):
        mine = values.select(pl.col(ID).alias(f"{side}_id"), pl.col("value").alias(f"value_{side}"))
        pairs = pairs.join(mine, on=f"{side}_id")
    apart = pairs.filter(pl.col("value_left") != pl.col("value_right"))
    return _counted(apart.select(PAIR), facts)


CHECKS: Mapping[Check, Callable[[pl.DataFrame, Sequence[pl.DataFrame], Blocker], pl.DataFrame]] = {
    Check.ON_SOURCE: _on_source,
    Check.ON_BOTH: _on_both,
    Check.OVERLAP: _overlap,
    Check.BETWEEN: _between,
    Check.DIFFER: _differ,
}
