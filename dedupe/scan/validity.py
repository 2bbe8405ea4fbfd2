"""Which values of a register are such as their field can have: a count of form, nobody looks anything up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

_OLDEST = 1900
"""Nobody in a register was born before."""


def _nhs_number(value: pl.Expr) -> pl.Expr:
    """Ten digits, the last one right (modulus 11, NHS Data Dictionary)."""
    digits = [value.str.slice(place, 1).cast(pl.Int32, strict=False) for place in range(10)]
    rest = 11 - pl.sum_horizontal(*(digit * (10 - place) for place, digit in enumerate(digits[:9]))) % 11
    right = pl.when(rest == 11).then(0).otherwise(rest) == digits[9]
    return value.str.contains(r"^[0-9]{10}$") & right


def _birth_date(value: pl.Expr) -> pl.Expr:
    """A day of the calendar since 1900; the unborn have one that is to come."""
    return value.str.head(10).str.to_date("%Y-%m-%d", strict=False).dt.year() >= _OLDEST


def _postcode(value: pl.Expr) -> pl.Expr:
    """The form of a British postcode, with or without its blank (Royal Mail PAF)."""
    return value.str.contains(r"(?i)^\s*[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}\s*$")


def _phone(value: pl.Expr) -> pl.Expr:
    """Ten digits at least."""
    return value.str.count_matches("[0-9]") >= 10


VALID: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    "nhs_number": _nhs_number, "birth_date": _birth_date, "postcode": _postcode, "phone": _phone,
}  # fmt: skip
"""By role; of other roles any text may be one."""


def is_valid(role: str, column: str) -> pl.Expr:
    """Whether what stands in a column is a value that its role can have; no for what is empty."""
    return VALID[role](pl.col(column).cast(pl.String)).fill_null(value=False)
