"""What did not pass: each failed check as one row, with its rule, its value and what it did to the row.

Order decides the first cause: a rule of exclusion, then a reason to reject in the order of the spec,
then a reason to hold.
"""

from __future__ import annotations

import polars as pl

from casebridge.project.contracts import KEY, QUARANTINE, REST, ROW, ROW_VERDICTS, Verdict
from casebridge.project.spec import OnFail

VERDICT_OF: dict[OnFail, Verdict] = {
    OnFail.REJECT: Verdict.REJECTED,
    OnFail.HOLD: Verdict.HELD,
    OnFail.NULL: Verdict.SET_ASIDE,
    OnFail.TRUNCATE: Verdict.TRUNCATED,
    OnFail.WARN: Verdict.WARNED,
}

SHOWN = "__shown_"
"""Prefix of the column that holds a converted column's value as the source had it."""

_STRENGTH = {Verdict.EXCLUDED: 0, Verdict.REJECTED: 1, Verdict.HELD: 2}

FAILURES = {"index": pl.UInt32(), "verdict": pl.String(), "column": pl.String(), "rule": pl.String(),
            "rank": pl.Int32()}  # fmt: skip
"""Failed checks of one batch: `index` is the row's place in it, `rank` the check's place in the spec."""


def with_first_cause(failures: pl.DataFrame) -> pl.DataFrame:
    """Failures in order, `first` set on the one that gives each row its place.

    What else was found in an excluded row is nobody's business, and goes.
    """
    if failures.is_empty():
        return failures.with_columns(first=False)
    strength = pl.col("verdict").replace_strict(_STRENGTH, default=9, return_dtype=pl.Int32)
    only_warned = pl.col("verdict") == Verdict.WARNED
    ordered = failures.with_columns(strength=strength).sort("index", only_warned, "rank")
    # A value breaks its first rule; that it breaks later ones too says nothing new, unless the first one
    # only warns.
    of_row = pl.col("column").is_null()
    ordered = ordered.filter(of_row | pl.struct("index", "column").is_first_distinct())
    ordered = ordered.sort("index", "strength", "rank")
    places = pl.col("verdict").is_in([str(verdict) for verdict in ROW_VERDICTS])
    ordered = ordered.with_columns(first=places & pl.struct("index", places).is_first_distinct())
    excluded = ordered.filter(pl.col("verdict") == Verdict.EXCLUDED).get_column("index").unique()
    kept = ~pl.col("index").is_in(excluded.implode()) | (pl.col("first") & (pl.col("strength") == 0))
    return ordered.filter(kept).drop("strength")


def quarantine_rows(batch: pl.DataFrame, failures: pl.DataFrame, shown: dict[str, pl.Expr]) -> pl.DataFrame:
    """The quarantine file of a batch.

    `batch` has ROWS columns; `shown` gives, for each converted column, its value as the source had it.
    """
    if failures.is_empty():
        return pl.DataFrame(schema=dict(QUARANTINE))
    failed = batch[failures.get_column("index")]
    texts = failed.select(KEY, ROW, REST, *(text.alias(SHOWN + name) for name, text in shown.items()))
    value = pl.coalesce(
        *(pl.when(pl.col("column") == name).then(pl.col(SHOWN + name)) for name in shown),
        pl.lit(None, dtype=pl.String),
    )
    return pl.concat([failures, texts], how="horizontal").select(
        KEY, ROW, REST, "verdict", "first", "column", "rule", value.alias("value"),
        pl.lit(None, dtype=pl.String).alias("parent"),
    )  # fmt: skip
