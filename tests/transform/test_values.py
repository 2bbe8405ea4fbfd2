"""Truth tables of everything that makes or judges one value: steps, checks, identifiers, dates, money."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebridge.transform import statutory
from casebridge.transform.checks import CHECKS
from casebridge.transform.dates import OPEN_ENDS, close_open_end, parse_date, parse_timestamp
from casebridge.transform.identifiers import UPN_LETTERS, nhs_number, upn
from casebridge.transform.numbers import decimal
from casebridge.transform.placeholders import PLACEHOLDERS
from casebridge.transform.schema import key_number
from casebridge.transform.steps import STEPS


def _one(expression: pl.Expr, value: object, kind: pl.DataType | None = None) -> object:
    return pl.DataFrame({"v": [value]}, schema={"v": kind or pl.String()}).select(expression.alias("x")).item()


# Steps: every entry of the registry has its table. Null stays null unless a table says otherwise.

STEP_TABLES: dict[str, list[tuple[str, str | None, str | None]]] = {
    "upper": [("", "o'brien", "O'BRIEN"), ("", "ÿ ß", "Ÿ SS"), ("", None, None)],
    "lower": [("", "A@B.UK", "a@b.uk"), ("", None, None)],
    "collapse_spaces": [
        ("", "a  b", "a b"), ("", "a\t\r\n b ", "a b"), ("", " a", "a"), ("", "\t", None), ("", "\n \n", None),
        ("", None, None),
    ],
    "digits": [("", "0191 4-98", "0191498"), ("", "x", None), ("", "١٢", None), ("", None, None)],
    "nhs_number_text": [
        ("", "943 476 5919", "9434765919"), ("", "943-476-5919", "9434765919"), ("", " - ", None),
        ("", "943.476", "943.476"), ("", None, None),
    ],
    "null_placeholders": [
        *(("", word, None) for word in PLACEHOLDERS), ("", "n/k", None), ("", "Unknown", None),
        ("", "Xavier", "Xavier"), ("", "NA NA", "NA NA"), ("", None, None),
    ],
    "strip_zeros": [("", "007", "7"), ("", "000", "0"), ("", "0", "0"), ("", "70", "70"), ("", None, None)],
    "zero_pad": [("8", "123", "00000123"), ("3", "1234", "1234"), ("2", "é", "0é"), ("8", None, None)],
    "replace": [
        ("St.=>Street", "High St.", "High Street"), ("-=>", "1-2-3", "123"), ("x=>", "x", None),
        ("a=>b", None, None), (".=>,", "1.5", "1,5"),
    ],
    "substring": [
        ("3;4", "AB1234CD", "1234"), ("3", "AB12", "12"), ("9", "AB", None), ("1;2", "é1x", "é1"),
        ("1", None, None),
    ],
    "prefix": [("CF-", "1", "CF-1"), ("", "1", "1"), ("CF-", None, None)],
    "yes_no": [
        *(("", word, "Y") for word in ("Y", "y", "YES", "t", "TRUE", "1")),
        *(("", word, "N") for word in ("N", "no", "F", "false", "0")),
        ("", None, "N"), ("", "maybe", "MAYBE"), ("", "YN", "YN"),
    ],
    "postcode": [
        ("", "sw1a1aa", "SW1A 1AA"), ("", "SW1A  1AA", "SW1A 1AA"), ("", "m1 1ae", "M1 1AE"),
        ("", "B338TH", "B33 8TH"), ("", "ZZ993VZ", "ZZ99 3VZ"), ("", "nowhere", "NOWHERE"), ("", "\t", None),
        ("", None, None),
    ],
    "phone": [
        ("", "(0191) 498-0000", "01914980000"), ("", "+44 191 498 0000", "01914980000"),
        ("", "+44 (0)191 4980000", "01914980000"), ("", "0044 191 4980000", "01914980000"),
        ("", "+33 1 23", "+33123"), ("", "--", None), ("", "ext 5", "ext5"), ("", None, None),
    ],
    "house": [
        ("", "14 High St", "14"), ("", "14a High St", "14A"), ("", "Flat 2, 14 High St", "FLAT 2"),
        ("", "The Lodge", None), ("", "1st Cottage", None), ("", None, None),
    ],
    "street": [
        ("", "14 High  St", "HIGH ST"), ("", "14a, High St", "HIGH ST"), ("", "The Lodge", "THE LODGE"),
        ("", "Flat 2, 14 High St", "HIGH ST"), ("", "14", "14"), ("", None, None),
    ],
    "end_date": [("", "31/12/4712", "31/12/4712"), ("", None, None)],
    "first_of": [("", "x", "x"), ("", None, None)],
}  # fmt: skip


@pytest.mark.parametrize("name", STEPS)
def test_every_step_does_as_its_table_says(name: str) -> None:
    """A step without a table here fails: add its rows above."""
    step = STEPS[name]
    assert [(a, v, _one(step(pl.col("v"), a), v)) for a, v, _ in STEP_TABLES[name]] == STEP_TABLES[name]
    assert step.__doc__ or name == "null_placeholders"


@pytest.mark.parametrize("name", sorted(STEPS.keys() - {"zero_pad", "prefix"}))
@given(text=st.text(max_size=30))
def test_no_step_fails_on_any_text_or_makes_an_empty_one(name: str, text: str) -> None:
    """Blank is null in this project; a step that empties a text says so."""
    argument = {"replace": "a=>", "substring": "2;3"}.get(name, "")
    once = _one(STEPS[name](pl.col("v"), argument), text.strip(" ") or None)
    assert once is None or once != ""


@pytest.mark.parametrize(
    "name", ["upper", "lower", "collapse_spaces", "digits", "nhs_number_text", "strip_zeros", "yes_no", "postcode"]
)
@given(text=st.text(alphabet=st.characters(max_codepoint=0x24F), min_size=1, max_size=20))
def test_cleaning_twice_is_cleaning_once(name: str, text: str) -> None:
    once = _one(STEPS[name](pl.col("v"), ""), text)
    assert _one(STEPS[name](pl.col("v"), ""), once) == once


# Checks

CHECK_TABLES: dict[str, list[tuple[str, object, bool]]] = {
    "nhs_number": [
        ("", "9434765919", True), ("", "9434765918", False), ("", "943476591", False), ("", "94347659190", False),
        ("", "943 476 5919", False), ("", "943476591A", False), ("", "١٢٣٤٥٦٧٨٩٠", False),
        *(("", str(figure) * 10, False) for figure in range(10)),
    ],
    "upn": [
        ("", "A950000178301", True), ("", "H243278544154", True), ("", "H801200001001", True),
        ("", "R247962919251", False), ("", "X428558133462", False), ("", "a950000178301", False),
        ("", "I950000178301", False), ("", "A95000017830", False), ("", "A9500001783011", False),
        ("", "A95000017830O", False),
    ],
    "postcode": [
        ("", "SW1A 1AA", True), ("", "M1 1AE", True), ("", "GIR 0AA", True), ("", "ZZ99 3VZ", True),
        ("", "SW1A1AA", False), ("", "SW1A 1CA", False), ("", "SW1A 1AV", False), ("", "1AA SW1", False),
        ("", "SW1A 1AA\n", False), ("", "ZZ99 3WZ", True), ("", "ZZ99 4VZ", False),
    ],
    "email": [
        ("", "a@b.uk", True), ("", "a.b+c@d-e.gov.uk", True), ("", "a@b", False), ("", "a b@c.uk", False),
        ("", "a@@b.uk", False), ("", "ab.uk", False),
    ],
    "period": [
        ("", "202401", True), ("", "199912", True), ("", "202400", False), ("", "202413", False),
        ("", "20241", False), ("", "2024-1", False), ("", "210001", False),
    ],
    "one_of": [("A;B", "A", True), ("A;B", "B", True), ("A;B", "a", False), ("A;B", "A;B", False)],
    "years": [
        ("1880;2040", dt.date(1879, 12, 31), False), ("1880;2040", dt.date(1880, 1, 1), True),
        ("1880;2040", dt.date(2040, 12, 31), True), ("1880;2040", dt.date(2041, 1, 1), False),
    ],
    "positive": [("", Decimal("0.01"), True), ("", Decimal(0), False), ("", Decimal("-1"), False)],
}  # fmt: skip

_KINDS = {"years": pl.Date(), "positive": pl.Decimal(10, 2)}
_WITH_EXAMPLES = {name for name, check in CHECKS.items() if check.holds.__module__ == statutory.__name__}
"""Checks whose tables stand in their docstrings."""


@pytest.mark.parametrize("name", sorted(CHECKS.keys() - _WITH_EXAMPLES))
def test_every_check_judges_as_its_table_says(name: str) -> None:
    """A check without a table here fails. A missing value is never judged bad."""
    check, kind = CHECKS[name], _KINDS.get(name, pl.String())
    table = CHECK_TABLES[name]
    assert [(a, v, _one(check.holds(pl.col("v"), a), v, kind)) for a, v, _ in table] == table
    assert _one(check.holds(pl.col("v"), table[0][0]), None, kind) is not False
    assert check.of_text == (name not in _KINDS)


@given(text=st.text(max_size=14) | st.from_regex(r"[0-9A-Z]{9,13}", fullmatch=True))
def test_identifiers_give_a_verdict_on_any_text(text: str) -> None:
    """Null would count as good."""
    for check in (name for name, kind in CHECKS.items() if kind.of_text):
        assert _one(CHECKS[check].holds(pl.col("v"), "A"), text) in (True, False)


@given(nine=st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_at_most_one_tenth_digit_makes_an_nhs_number(nine: str) -> None:
    """Counted by hand: weights 10 to 2, 11 minus the rest; ten never occurs."""
    rest = 11 - sum(int(figure) * weight for figure, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
    good = {0 if rest == 11 else rest} - {10} - ({int(nine[0])} if len(set(nine)) == 1 else set())
    frame = pl.DataFrame({"v": [nine + str(last) for last in range(10)]})
    assert set(frame.with_row_index().filter(nhs_number(pl.col("v")))["index"]) == good


@given(middle=st.from_regex(r"[0-9]{11}", fullmatch=True), last=st.sampled_from("0123456789" + UPN_LETTERS))
def test_exactly_one_letter_makes_a_upn(middle: str, last: str) -> None:
    """Temporary numbers (a letter last) have the check letter too."""
    values = [*map(int, middle), int(last) if last.isdigit() else UPN_LETTERS.index(last)]
    letter = UPN_LETTERS[sum(v * w for v, w in zip(values, range(2, 14), strict=True)) % 23]
    frame = pl.DataFrame({"v": [first + middle + last for first in UPN_LETTERS]})
    assert frame.filter(upn(pl.col("v")))["v"].to_list() == [letter + middle + last]


# Dates

DAY = dt.date(1950, 2, 1)
DATES: list[tuple[str | None, dt.date | None]] = [
    *((text, DAY) for text in (
        "01/02/1950", "1/2/1950", "01-FEB-1950", "1-feb-1950", "01-FEB-50", "01/02/50", "19500201", "1950-02-01",
        "01/02/1950 00:00:00", "01/02/1950 00:00", "01-FEB-50 23:59:59", "1950-02-01T10:30:00.000",
        "01-02-1950", "01-02-50", "1950/02/01", "01.02.1950", "1 February 1950", "Feb  1 1950  9:30AM",
        "01/02/1950 9:30", "01-FEB-50 09.30.00.000000 AM", "01/02/1950 02:30 PM", "1950-02-01T09:30:00Z",
        "19500201093000", "19500201T0930", "01/02/1950 1030", "01/02/1950 9999",
        "01/02/1950 24:00", "01/02/1950 99:99", "1950-02-01 09:30:00.1234567",
    )),
    ("01/02/26", dt.date(2026, 2, 1)), ("01/02/27", dt.date(1927, 2, 1)), ("01/02/00", dt.date(2000, 2, 1)),
    ("01-JAN-99", dt.date(1999, 1, 1)),
    ("29/02/2000", dt.date(2000, 2, 29)), ("29/02/2024", dt.date(2024, 2, 29)), ("29/02/1900", None),
    ("29/02/2023", None), ("29-FEB-00", dt.date(2000, 2, 29)),
    ("31/12/4712", dt.date(4712, 12, 31)), ("31/12/9999", dt.date(9999, 12, 31)),
    ("06/06/2079", dt.date(2079, 6, 6)), ("01/01/0001", dt.date(1, 1, 1)),
    *((text, None) for text in (
        "00/00/1950", "31/02/1960", "32/01/1960", "01/13/1950", "01/01/0000", "00000101", "00000000", "19501301",
        "01-ABC-50", "01-Septe-1950", "01-02/1950", "01-02-24", "1950", "01/02/195", "01/02/19500",
        "around 1950", "01/02/1950x", "01/02/1950 103", "01/02/1950\n",
        "\u0660\u0661/\u0660\u0662/\u0661\u0669\u0665\u0660", "-1/2/1950", "?", "",
    )),
    (None, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "day"), DATES)
def test_dates_in_every_format_and_days_that_never_were(text: str | None, day: dt.date | None) -> None:
    assert _one(parse_date(pl.col("v"), 26), text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("01/02/1950", dt.datetime(1950, 2, 1)),  # noqa: DTZ001
        ("01/02/1950 10:30", dt.datetime(1950, 2, 1, 10, 30)),  # noqa: DTZ001
        ("01-FEB-50 23:59:59", dt.datetime(1950, 2, 1, 23, 59, 59)),  # noqa: DTZ001
        ("1950-02-01T00:00:00.0", dt.datetime(1950, 2, 1)),  # noqa: DTZ001
        ("01/02/1950 9:30", dt.datetime(1950, 2, 1, 9, 30)),  # noqa: DTZ001
        ("01/02/1950 02:30 PM", dt.datetime(1950, 2, 1, 14, 30)),  # noqa: DTZ001
        ("01/02/1950 12:05 am", dt.datetime(1950, 2, 1, 0, 5)),  # noqa: DTZ001
        ("01-FEB-50 09.30.00.120000 AM", dt.datetime(1950, 2, 1, 9, 30, 0, 120000)),  # noqa: DTZ001
        ("1950-02-01 09:30:00.1234567", dt.datetime(1950, 2, 1, 9, 30, 0, 123457)),  # noqa: DTZ001
        ("2024-07-20T07:13:55Z", dt.datetime(2024, 7, 20, 8, 13, 55)),  # noqa: DTZ001
        ("2024-01-20T07:13:55Z", dt.datetime(2024, 1, 20, 7, 13, 55)),  # noqa: DTZ001
        ("2024-06-30T23:30:00+00:00", dt.datetime(2024, 7, 1, 0, 30)),  # noqa: DTZ001
        ("2024-07-01T00:30:00+0530", dt.datetime(2024, 6, 30, 20, 0)),  # noqa: DTZ001
        ("01/02/1950 24:00", None),
        ("01/02/1950 14:30 PM", None),
        ("01/02/1950 10:60", None),
        ("01/02/1950 23:59:60", None),
        ("31/02/1950 10:30", None),
        (None, None),
    ],
)
def test_timestamps_keep_their_time_of_day(text: str | None, moment: dt.datetime | None) -> None:
    assert _one(parse_timestamp(pl.col("v"), 26), text) == moment


@given(day=st.dates(dt.date(1, 1, 1)))
def test_every_day_reads_back_in_every_format_with_four_digits(day: dt.date) -> None:
    month = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"][day.month - 1]
    year = f"{day.year:04}"
    texts = [
        f"{day.day:02}/{day.month:02}/{year}", f"{day.day}/{day.month}/{year}", f"{day.day:02}-{month}-{year}",
        f"{year}{day.month:02}{day.day:02}", day.isoformat(), f"{day.isoformat()} 00:00:00",
    ]  # fmt: skip
    read = pl.DataFrame({"v": texts}).select(parse_date(pl.col("v"), 26)).to_series()
    assert set(read) == {day}


@pytest.mark.parametrize("pivot", [0, 26, 99])
def test_two_digit_years_turn_at_the_pivot(pivot: int) -> None:
    frame = pl.DataFrame({"v": [f"01/01/{year:02}" for year in range(100)]})
    years = frame.select(parse_date(pl.col("v"), pivot).dt.year()).to_series().to_list()
    assert years == [(2000 if year <= pivot else 1900) + year for year in range(100)]


@given(text=st.text(max_size=24))
def test_no_text_breaks_a_date(text: str) -> None:
    day = _one(parse_date(pl.col("v"), 26), text)
    assert day is None or isinstance(day, dt.date)


def test_open_ends_become_null_and_other_ends_stay() -> None:
    for kind in (pl.Date(), pl.Datetime("us")):
        days = pl.DataFrame({"v": [*OPEN_ENDS, dt.date(2079, 6, 5), None]}, schema={"v": kind})
        closed = days.select(close_open_end(pl.col("v")).cast(pl.Date)).to_series()
        assert closed.to_list() == [None] * 4 + [dt.date(2079, 6, 5), None]


# Money

MONEY: list[tuple[str | None, str | None]] = [
    ("1234.50", "1234.50"), ("1,234.50", "1234.50"), ("£1,234.50", "1234.50"), ("12.50-", "-12.50"),
    ("-12.50", "-12.50"), ("£-12.50", "-12.50"), ("-£12.50", "-12.50"), ("0", "0.00"), ("0-", "0.00"),
    ("5", "5.00"), (".5", "0.50"), ("5.", "5.00"), ("1e5", "100000.00"), ("1E5", "100000.00"), ("+5", "5.00"),
    ("5.0E2", "500.00"), ("5E-1", "0.50"), ("(12.50)", "-12.50"), ("(£1,234.50)", "-1234.50"),
    ("£ 12.50", "12.50"), ("£.50", "0.50"), ("-.50", "-0.50"), ("\u221212.50", "-12.50"), ("£-.5", "-0.50"),
    ("12.50 -", "-12.50"),
    ("5.1", "5.10"), ("12.500", "12.50"), ("12.5000000000", "12.50"), ("007.00", "7.00"),
    ("1,234,567.89", "1234567.89"), ("99999999.99", "99999999.99"), ("-99999999.99", "-99999999.99"),
    *((text, None) for text in (
        "100000000.00", "12.505", "12.5001", "12,34.50", "1234,567", ",5", "", ".", "-", "()", "(-5)", "(5",
        "5)", "1.5e", "1e999", "12,50", "1.234,50", "1.234.567", "+-5", "5+",
        "abc", "--5", "-5-", "5--", "£", "££5", "5£", "12.50 CR", "1 234.50", "0x10",
        "NaN", "inf", "١٢",
        "9" * 40, "12.50\n", "1.2.3",
    )),
    (None, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "amount"), MONEY)
def test_money_is_exact_or_nothing(text: str | None, amount: str | None) -> None:
    found = _one(decimal(pl.col("v"), pl.Decimal(10, 2), 2), text)
    assert (None if found is None else str(found)) == amount


@given(pence=st.integers(-(10**10) + 1, 10**10 - 1), scale=st.sampled_from([0, 2, 4]))
def test_money_reads_back_to_the_penny(pence: int, scale: int) -> None:
    amount = Decimal(pence).scaleb(-scale)
    written = [f"{amount:,.{scale}f}", f"{amount:.{scale}f}", f"£{abs(amount):,.{scale}f}" + "-" * (pence < 0)]
    read = pl.DataFrame({"v": written}).select(decimal(pl.col("v"), pl.Decimal(38, scale), scale))
    assert set(read["v"]) == {amount}


@pytest.mark.parametrize(
    ("kind", "key", "number"),
    [
        ("integer", "2147483647", 2**31 - 1),
        ("integer", "-2147483648", -(2**31)),
        ("integer", "2147483648", None),
        ("bigint", "1834567890123456789", 1834567890123456789),
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("bigint", "9223372036854775808", None),
        ("bigint", "0000000000000000007", 7),
        ("bigint", "1e3", None),
        ("bigint", "", None),
    ],
)
def test_a_key_is_each_number_that_its_column_takes(kind: str, key: str, number: int | None) -> None:
    assert pl.select(key_number(kind, pl.lit(key))).item() == number
