"""A spec's rules as a pandera schema: the one contract that every batch is held against.

pandera's own coercion is not used: it spoils the verdicts of neighbouring columns. To import pandera takes a
second, and only converting needs it: this file is imported when the first batch comes.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from project.contracts import KEY
from project.errors import CasebridgeError
from transform.quarantine import FAILURES
from transform.schema import Rule


def pandera_schema(judged: tuple[Rule, ...]) -> pa.DataFrameSchema:
    """The rules as pandera checks, carried by the key column so that a failure names only its row."""
    return pa.DataFrameSchema(
        {KEY: pa.Column(pl.String, [_check(rule) for rule in judged], nullable=True)}, name="spec"
    )


def _check(rule: Rule) -> pa.Check:
    def holds(data: PolarsData) -> pl.LazyFrame:
        return data.lazyframe.select(rule.holds.fill_null(True))

    return pa.Check(holds, name=rule.label, ignore_na=False)


def judge(frame: pl.DataFrame, judged: tuple[Rule, ...], schema: pa.DataFrameSchema) -> pl.DataFrame:
    """Every failed check of every row, in FAILURES."""
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return _failures(errors.failure_cases, judged)
    return pl.DataFrame(schema=FAILURES)


def _failures(cases: pl.DataFrame, judged: tuple[Rule, ...]) -> pl.DataFrame:
    label = pl.col("check").cast(pl.Int32, strict=False)
    unknown = cases.filter(label.is_null() | pl.col("index").is_null())
    if unknown.height:
        reason = str(unknown.get_column("check")[0])
        raise CasebridgeError(
            f"the contract could not be evaluated: {reason[:200]}",
            hint="an expression in [[check]] or [[exclude]] does not fit its columns' types",
        )
    by_rank = pl.DataFrame(
        {
            "rank": [rule.rank for rule in judged],
            "verdict": [str(rule.effect) for rule in judged],
            "column": [rule.column for rule in judged],
            "rule": [rule.name for rule in judged],
        },
        schema={"rank": pl.Int32, "verdict": pl.String, "column": pl.String, "rule": pl.String},
    )
    failed = cases.select(pl.col("index").cast(pl.UInt32), label.alias("rank"))
    return failed.join(by_rank, on="rank", how="left").select(*FAILURES)
