"""A spec's rules as a pandera schema: the one contract that every batch is held against.

pandera's own coercion is not used: it spoils the verdicts of neighbouring columns. To import pandera takes a
second, and only converting needs it: this file is imported when the first batch comes.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors

from casebridge.project.contracts import KEY
from casebridge.project.errors import SpecError
from casebridge.transform.conditions import each_row
from casebridge.transform.quarantine import FAILURES
from casebridge.transform.schema import Rule, fails_on_rows


def pandera_schema(judged: tuple[Rule, ...]) -> pa.DataFrameSchema:
    """The rules as pandera checks, carried by the key column so that a failure names only its row."""
    return pa.DataFrameSchema(
        {KEY: pa.Column(pl.String, [_check(rule) for rule in judged], nullable=True)}, name="spec"
    )


def _check(rule: Rule) -> pa.Check:
    def holds(data: PolarsData) -> pl.LazyFrame:
        return each_row(data.lazyframe, rule.holds.fill_null(True))

    return pa.Check(holds, name=rule.label, ignore_na=False)


def check_rows(
    frame: pl.DataFrame, judged: tuple[Rule, ...], schema: pa.DataFrameSchema, spec: str
) -> pl.DataFrame:
    """Every failed check of every row, in FAILURES. SpecError names the rules of `spec` that could not judge."""
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as errors:
        return _failures(errors.failure_cases, judged, spec)
    return pl.DataFrame(schema=FAILURES)


def _failures(cases: pl.DataFrame, judged: tuple[Rule, ...], spec: str) -> pl.DataFrame:
    label = pl.col("check").cast(pl.Int32, strict=False)
    unjudged = cases.filter(pl.col("index").is_null()).select(label).to_series().unique().sort()
    if unjudged.len():
        names = ["the contract" if rank is None else f"rule `{judged[rank].name}`" for rank in unjudged]
        raise SpecError([fails_on_rows(spec, name) for name in names])
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
