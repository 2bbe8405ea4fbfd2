"""The auditor's own reading of raw text."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from casebridge.project.spec import ColumnSpec, Step
from casebridge.project.target import ColumnType
from casebridge.reconciliation.counting.money import pounds
from casebridge.reconciliation.reading.raw_text import as_mapped, days, minor_units, restricted


def read(expression: pl.Expr, text: str | None) -> object:
    return pl.DataFrame({"text": [text]}, schema={"text": pl.String}).select(expression).item()


@pytest.mark.parametrize(
    ("text", "pence"),
    [
        ("1234.50", 123450),
        ("1,234.50", 123450),
        ("£12.50", 1250),
        ("12.50-", -1250),
        ("-£3", -300),
        ("  7 ", 700),
        ("0.5", 50),
        ("12.500", 1250),
        ("12.505", None),
        (".5", 50),
        ("12.", 1200),
        ("+12.50", 1250),
        ("£ 12.50", 1250),
        ("(12.50)", -1250),
        ("5.0E2", 50000),
        ("1e5-", -10000000),
        ("\u221212.50", -1250),
        ("1,23.00", None),
        ("0,123", None),
        ("1e999999999", None),
        ("12e9999999999999999999", None),
        ("12,5", None),
        ("92233720368547758.08", 9223372036854775808),
        ("-999999999999999999999999999999999999.99", -(10**38) + 1),
        ("99999999999999999999999999999.990", 9999999999999999999999999999999),
        ("12345678901234567890123456789.5e1", 12345678901234567890123456789500),
        ("-1e35", -(10**37)),
        ("1e37", None),
        ("1" + "0" * 36, None),
        ("-" + "9" * 38 + ".01", None),
        ("1234567890123456789012345678901234567890.00", None),
        ("abc", None),
        ("", None),
        (None, None),
    ],
)
def test_money(text: str | None, pence: int | None) -> None:
    assert minor_units(pl.Series([text], dtype=pl.String)).to_list() == [pence]


def test_an_amount_of_many_digits_is_shown_to_the_penny() -> None:
    assert pounds(10**38 - 1) == "9" * 36 + ".99"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01/02/1990", date(1990, 2, 1)),
        ("01/02/1990 00:00:00", date(1990, 2, 1)),
        ("1-FEB-1990", date(1990, 2, 1)),
        ("01-feb-26", date(2026, 2, 1)),
        ("01-feb-27", date(1927, 2, 1)),
        ("01/02/90", date(1990, 2, 1)),
        ("19900201", date(1990, 2, 1)),
        ("1990-02-01", date(1990, 2, 1)),
        ("01-02-1990", date(1990, 2, 1)),
        ("01.02.1990", date(1990, 2, 1)),
        ("1990/2/1", date(1990, 2, 1)),
        ("1 February 1990", date(1990, 2, 1)),
        ("01-FEB-90 09.30.00.000000 AM", date(1990, 2, 1)),
        ("01/02/1990 2:30 PM", date(1990, 2, 1)),
        ("2024-06-30T23:30:00Z", date(2024, 7, 1)),
        ("2024-06-30T23:30:00.5+01:00", date(2024, 6, 30)),
        ("11 Sept 1950 23:30-01:00", date(1950, 9, 12)),
        ("Jan  5 2024  9:30AM", date(2024, 1, 5)),
        ("01-02-24", None),
        ("01-02-90", date(1990, 2, 1)),
        ("31/02/1960", None),
        ("00/00/1950", None),
        ("soon", None),
        ("", None),
    ],
)
def test_days(text: str, expected: date | None) -> None:
    assert days(pl.Series([text], dtype=pl.String), 26).to_list() == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Y", True),
        ("y ", True),
        ("1", True),
        ("N", False),
        (" ", False),
        (None, False),
        ("no", False),
        ("?", True),
    ],
)
def test_a_restriction_nobody_can_read_is_one(text: str | None, expected: bool) -> None:
    assert read(restricted(pl.col("text")), text) is expected


@pytest.mark.parametrize(
    ("step", "text", "expected"),
    [
        (Step("zero_pad", "8"), "12", "00000012"),
        (Step("zero_pad", "3"), "12345", "12345"),
        (Step("prefix", "CF-"), "1", "CF-1"),
        (Step("strip_zeros"), "0012", "12"),
        (Step("strip_zeros"), "000", "0"),
        (Step("upper"), " a ", "A"),
        (Step("digits"), "a1b2", "12"),
        (Step("digits"), "ab", None),
    ],
)
def test_simple_steps(step: Step, text: str, expected: str | None) -> None:
    expression = as_mapped(ColumnSpec("x", ColumnType("text"), ("text",), steps=(step,)))
    assert expression is not None
    assert read(expression, text) == expected


def test_a_step_the_auditor_does_not_know() -> None:
    assert as_mapped(ColumnSpec("x", ColumnType("text"), ("text",), steps=(Step("first_of_names"),))) is None
