"""The checks a spec may name. To add one: a function, and its name in CHECKS.

A check takes the converted value and the check's argument and is true for a good value. A missing value
is never judged by a check: `required` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from casebridge.transform import identifiers

CheckFunction = Callable[[pl.Expr, str], pl.Expr]


def email(value: pl.Expr, _: str) -> pl.Expr:
    """Something, one @, something with a dot: no more can be known without writing to it."""
    return value.str.contains(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")


def years(value: pl.Expr, span: str) -> pl.Expr:
    """A day in these years, both included: `years:1880;2040`. Other years are a slip of the keyboard."""
    first, _, last = (pl.lit(part) for part in span.partition(";"))
    return value.dt.year().is_between(first.cast(pl.Int32), last.cast(pl.Int32))


def period(value: pl.Expr, _: str) -> pl.Expr:
    """A year and a month of it: YYYYMM."""
    return value.str.contains(r"^(19|20)[0-9]{2}(0[1-9]|1[0-2])$")


def positive(value: pl.Expr, _: str) -> pl.Expr:
    """More than nothing."""
    return value > 0


def one_of(value: pl.Expr, choices: str) -> pl.Expr:
    """One of the values after the colon: `one_of:A;B;C`."""
    return value.is_in(choices.split(";"))


@dataclass(frozen=True)
class Check:
    """A check, and what it judges: the cleaned text before the cast, or the value after it."""

    holds: CheckFunction
    of_text: bool = False


CHECKS: Mapping[str, Check] = {
    "nhs_number": Check(lambda text, _: identifiers.nhs_number(text), of_text=True),
    "upn": Check(lambda text, _: identifiers.upn(text), of_text=True),
    "postcode": Check(lambda text, _: identifiers.postcode(text), of_text=True),
    "email": Check(email, of_text=True),
    "period": Check(period, of_text=True),
    "one_of": Check(one_of, of_text=True),
    "years": Check(years),
    "positive": Check(positive),
}
