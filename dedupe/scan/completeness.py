"""How complete the register is: what is filled in for which share of people, and NHS numbers by cohort."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import polars as pl

from casebridge.dedupe.scan.config import ScanConfig

CHILD = 18
"""The age in years at which somebody is an adult."""


def filled_shares(register: pl.DataFrame, config: ScanConfig) -> dict[str, float]:
    """Of each role the share of people for whom something stands there, from 0 to 1."""
    if register.is_empty():
        return {}
    return {role: round(1 - register.get_column(column).null_count() / register.height, 4)
            for role, column in config.fields}  # fmt: skip


def nhs_by_cohort(register: pl.DataFrame, config: ScanConfig, day: dt.date) -> dict[str, Mapping[str, int]]:
    """How many children, adults, and people of unknown age there are, and how many of each have no NHS number
    (`missing`) or one whose check digit is wrong (`invalid`). Empty where the register has no such column."""
    roles = dict(config.fields)
    if "nhs_number" not in roles:
        return {}
    born = pl.col(roles["birth_date"]) if "birth_date" in roles else pl.lit(None, dtype=pl.Date)
    adult = dt.date(day.year - CHILD, day.month, min(day.day, 28))
    day_of_birth = born.cast(pl.String).str.head(10).str.to_date("%Y-%m-%d", strict=False)
    is_child = day_of_birth > adult
    of_age = pl.when(day_of_birth.is_not_null()).then(pl.lit("adults")).otherwise(pl.lit("age unknown"))
    cohort = pl.when(is_child).then(pl.lit("children")).otherwise(of_age)
    number = pl.col(roles["nhs_number"]).cast(pl.String)
    counted = register.group_by(cohort.alias("cohort")).agg(
        pl.len().alias("people"), number.is_null().sum().alias("missing"),
        (number.is_not_null() & ~_valid(number)).sum().alias("invalid"),
    )  # fmt: skip
    return {str(row.pop("cohort")): row for row in counted.sort("cohort").to_dicts()}


def _valid(number: pl.Expr) -> pl.Expr:
    """Whether a text is an NHS number: ten digits, the last one right (modulus 11, NHS Data Dictionary)."""
    digits = [number.str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(10)]
    rest = 11 - pl.sum_horizontal(*(digit * (10 - place) for place, digit in enumerate(digits[:9]))) % 11
    right = pl.when(rest == 11).then(0).otherwise(rest) == digits[9]
    return (number.str.contains(r"^[0-9]{10}$") & right).fill_null(False)
