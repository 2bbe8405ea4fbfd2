"""A spec's rules as a pandera schema: the one contract that every batch is held against.

pandera's own coercion is not used: it spoils the verdicts of neighbouring columns. To import pandera takes a
second, and only converting needs it: this file is imported when the first batch comes.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl
from pandera.api.polars.types import PolarsData
from pandera.errors import SchemaErrors
from polars.exceptions import PolarsError

from casebridge.project.contracts import KEY
from casebridge.project.errors import SpecError
from casebridge.transform.conditions import each_row
from casebridge.transform.quarantine import FAILURES
from casebridge.transform.schema import Rule, fails_on_rows

_RULE = "__rule_"


def pandera_schema(judged: tuple[Rule, ...]) -> pa.DataFrameSchema:
    """The rules as pandera checks, carried by the key column so that a failure names only its row."""
    return pa.DataFrameSchema(
        {KEY: pa.Column(pl.String, [_check(rule) for rule in judged], nullable=True)}, name="spec"
    )


def _holds(rule: Rule) -> pl.Expr:
    return rule.holds.fill_null(True)


def _check(rule: Rule) -> pa.Check:
    def holds(data: PolarsData) -> pl.LazyFrame:
        return each_row(data.lazyframe, _holds(rule))

    return pa.Check(holds, name=rule.label, ignore_na=False)


def check_rows(frame: pl.DataFrame, judged: tuple[Rule, ...], spec: str) -> pl.DataFrame:
    """Every failed check of every row, in FAILURES. SpecError names the rules of `spec` that could not judge.

    A rule looks at one row by itself, so pandera is asked only about the rules that some row breaks, and about the
    rows that break one: most batches need one look in all.
    """
    try:
        broken, suspects = _suspects(frame, judged)
    except PolarsError:
        return held_against(frame, judged, spec)  # it says which rule it is
    if not broken:
        return pl.DataFrame(schema=FAILURES)
    named = {KEY}.union(*(rule.holds.meta.root_names() for rule in broken))
    failures = held_against(frame.select(name for name in frame.columns if name in named)[suspects], broken, spec)
    return failures.with_columns(
        suspects.gather(failures.get_column("index")).cast(FAILURES["index"]).alias("index")
    )


def held_against(frame: pl.DataFrame, judged: tuple[Rule, ...], spec: str) -> pl.DataFrame:
    """The same, every rule asked of every row by pandera."""
    try:
        pandera_schema(judged).validate(frame, lazy=True)
    except SchemaErrors as errors:
        return _failures(errors.failure_cases, judged, spec)
    return pl.DataFrame(schema=FAILURES)


def _suspects(frame: pl.DataFrame, judged: tuple[Rule, ...]) -> tuple[tuple[Rule, ...], pl.Series]:
    """The rules that some row breaks, and the places of the rows that break one."""
    verdicts = frame.lazy().with_columns((~_holds(rule)).alias(_RULE + rule.label) for rule in judged)
    answers = verdicts.select(_RULE + rule.label for rule in judged).collect()
    broken = tuple(rule for rule in judged if answers.get_column(_RULE + rule.label).any())
    if not broken:
        return (), pl.Series([], dtype=pl.UInt32)
    failed = answers.select(pl.any_horizontal(_RULE + rule.label for rule in broken)).to_series()
    return broken, failed.arg_true()


def _failures(cases: pl.DataFrame, judged: tuple[Rule, ...], spec: str) -> pl.DataFrame:
    label = pl.col("check").cast(pl.Int32, strict=False)
    unjudged = cases.filter(pl.col("index").is_null()).select(label).to_series().unique().sort()
    if unjudged.len():
        by_number = {rule.rank: rule.name for rule in judged}
        names = ["the contract" if rank is None else f"rule `{by_number[rank]}`" for rank in unjudged]
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
