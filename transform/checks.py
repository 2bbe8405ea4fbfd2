"""The checks a spec may name. To add one: a function, and its name in CHECKS.

A check takes the converted value and the check's argument and is true for a good value. A missing value
is never judged by a check: `required` does that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import polars as pl

from casebridge.project.spec import OnFail
from casebridge.transform import identifiers, statutory

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
    """A check, and what it judges: the cleaned text before the cast, or the value after it. `severity` is what a
    failure does where the spec says nothing; `wrong` says what is wrong with an argument, or nothing."""

    holds: CheckFunction
    of_text: bool = False
    severity: OnFail | None = None
    wrong: Callable[[str], str] = lambda _: ""


def _of_text(holds: CheckFunction, wrong: Callable[[str], str] = lambda _: "") -> Check:
    """A check of an identifier or a code, which costs the value and not the row."""
    return Check(holds, of_text=True, severity=OnFail.NULL, wrong=wrong)


CHECKS: Mapping[str, Check] = {
    "nhs_number": Check(lambda text, _: identifiers.nhs_number(text), of_text=True),
    "upn": Check(lambda text, _: identifiers.upn(text), of_text=True),
    "postcode": Check(lambda text, _: identifiers.postcode(text), of_text=True),
    "email": Check(email, of_text=True),
    "period": Check(period, of_text=True),
    "one_of": Check(one_of, of_text=True),
    "temporary_upn": _of_text(statutory.temporary_upn),
    "uln": _of_text(statutory.uln),
    "nino": _of_text(statutory.nino),
    "uprn": _of_text(statutory.uprn),
    "ods_practice": _of_text(statutory.ods_practice),
    "ssda903_id": _of_text(statutory.ssda903_id),
    "ssda903_legal_status": _of_text(statutory.ssda903_legal_status, statutory.is_year),
    "ssda903_placement": _of_text(statutory.ssda903_placement, statutory.is_year),
    "ssda903_need": _of_text(statutory.ssda903_need, statutory.is_year),
    "ssda903_new_episode": _of_text(statutory.ssda903_new_episode, statutory.is_year),
    "ssda903_end_reason": _of_text(statutory.ssda903_end_reason, statutory.is_year),
    "ssda903_ethnicity": _of_text(statutory.ssda903_ethnicity, statutory.is_year),
    "ssda903_sex": _of_text(statutory.ssda903_sex, statutory.is_year),
    "age": Check(statutory.age, severity=OnFail.WARN, wrong=statutory.is_day),
    "years": Check(years),
    "positive": Check(positive),
}
