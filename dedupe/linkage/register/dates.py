"""Birth dates as packed digits: 1983-12-03 is 0x19831203, so that a slip of one digit is one nibble."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.known import Known
from casebridge.dedupe.linkage.register.values import by_distinct, flagged_rows
from casebridge.project.months import ORDINALS, OTHER_ORDINALS, month_of, without_accents

DEFAULTS = frozenset({
    19000101, 18000101, 18991230, 18991231, 10101, 99991231, 47121231, 17530101, 19010101, 20790606, 23000101,
})  # fmt: skip
LATEST_YEAR = 2026  # of birth, for a register that shows too few years of four digits to say so itself
YEARS_THAT_SAY, NEARLY_ALL = 100, 0.999
FILLED_IN, TIMES_USUAL, LEAST_FILLED = 0.01, 10.0, 1_000
NEW_YEAR, SEVERAL_YEARS = np.uint32(0x0101), 5  # month and day, packed
YEARS = range(1700, 2201)
MIXED = 0.05  # share of the dates that can be read in one order only, from which a column is written in both

SHORT = "'"
"""What stands before a year of two digits that leads: '83-12-03."""
_REST = r"(?:[T ,].*)?$"
ISO = re.compile(r"^(\d{4}|'\d{2})[-/.](\d{1,2})[-/.](\d{1,2})" + _REST)
NUMERIC = re.compile(r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4}|\d{2})" + _REST)
_DAY = rf"(\d{{1,2}})(?:(?:{ORDINALS})|(?:{OTHER_ORDINALS})(?=[-/. ]))?"
_OF = r"(?:DEL? +|O +)?"  # 12 de mayo de 1980; 12 o Fai 1980
NAMED = re.compile(rf"^{_DAY}[-/. ]*{_OF}([A-Z]{{3,}})[-/., ]*{_OF}(\d{{4}}|\d{{2}})" + _REST)
MONTH_FIRST = re.compile(rf"^([A-Z]{{3,}})[-/. ]*{_DAY}[-/., ]+(\d{{4}}|\d{{2}})" + _REST)
SERIAL = re.compile(r"^\d{5}(?:\.\d+)?$")
FIRST_DAY = np.datetime64("1899-12-30")
"""What a workbook counts its days from, as of March 1900 (ECMA-376, part 1, 18.17.4.1)."""
YEAR_FIRST = re.compile(r"^(\d{4}|'\d{2})[-/. ]*([A-Z]{3,})[-/. ]*(\d{1,2})" + _REST)


@dataclass(frozen=True)
class Order:
    """In which order a column writes its dates. mixed: both orders are met so often that each date that can only
    be read in one of them is read in that; else a month over 12 is a slip. year_last: of eight digits the last
    four are the year, where neither end looks like one, and seven are such a date whose first zero a workbook
    dropped. serial: numbers of five digits are the days that a
    workbook counts."""

    month_first: bool = False
    mixed: bool = False
    year_last: bool = False
    serial: bool = False


DAY_FIRST = Order()


@dataclass(frozen=True)
class Dates:
    """A column of dates: packed digits, 0 for missing; which rows hold what is no date; and which could be read in
    two orders, where the column does not say in which."""

    packed: NDArray[np.uint32]
    unread: NDArray[np.bool_]
    unsure: NDArray[np.bool_]


def parse_date(text: str, latest: int = LATEST_YEAR, order: Order = DAY_FIRST) -> int:
    """Date text as the number yyyymmdd, 0 when it is none or a system's default.

    >>> [parse_date(t) for t in ("1983-12-03", "03/12/1983", "3-Dec-1983", "19831203", "01/01/1900", "?")]
    [19831203, 19831203, 19831203, 19831203, 0, 0]
    >>> [parse_date(t) for t in ("03.12.83", "December 3rd, 1983", "03/12/19", "03121983")]
    [19831203, 19831203, 20191203, 19831203]
    >>> [parse_date(t) for t in ("3ydd Rhagfyr 1983", "3 de diciembre de 1983", "3. Dezember 1983", "3 déc. 83")]
    [19831203, 19831203, 19831203, 19831203]
    >>> [parse_date(t) for t in ("'83-12-03", "'19-Dec-03", "1983-12-", "'3-12-03")]
    [19831203, 20191203, 0, 0]

    A day or month out of range is kept (19834103): its other digits are evidence all the same. A year of two
    digits is the last one that is not after `latest`: nobody is born in the future, and hardly anyone over
    100 years old. A year alone, or with a month, is no date.
    """
    return max(_read(text.strip().upper(), latest, order), 0)


def _read(text: str, latest: int, order: Order) -> int:
    """As `parse_date`, of stripped capitals; -1 for what is no date that can be read."""
    text = without_accents(text.removesuffix(".0"))
    if re.fullmatch(r"[0/. -]+", text):
        return 0
    if order.year_last and re.fullmatch(r"\d{7}", text):
        text = f"0{text}"
    if re.fullmatch(r"\d{8}", text):
        number = _eight_digits(text, order)
    elif order.serial and SERIAL.match(text):
        number = _workbook_day(text)
    elif match := ISO.match(text):
        number = _year(match[1], latest) * 10000 + int(match[2]) * 100 + int(match[3])
    elif match := NUMERIC.match(text):
        number = _year_last(match[1], match[2], match[3], latest, order)
    elif (match := NAMED.match(text)) and (month := month_of(match[2])):
        number = _year(match[3], latest) * 10000 + month * 100 + int(match[1])
    elif (match := MONTH_FIRST.match(text)) and (month := month_of(match[1])):
        number = _year(match[3], latest) * 10000 + month * 100 + int(match[2])
    elif (match := YEAR_FIRST.match(text)) and (month := month_of(match[2])):
        number = _year(match[1], latest) * 10000 + month * 100 + int(match[3])
    else:
        return -1
    if number in DEFAULTS:
        return 0
    return number if number >= 10_000_000 else -1


def _workbook_day(text: str) -> int:
    return int(str(FIRST_DAY + int(text[:5])).replace("-", ""))


def _eight_digits(text: str, order: Order) -> int:
    """Eight digits whose year leads, where that can be; else those whose year stands last."""
    leads, lasts = int(text[:4]) in YEARS, int(text[4:]) in YEARS
    if leads and (not lasts or (int(text[4:6]) <= 12 and int(text[6:]) <= 31)):
        return int(text)
    last = lasts or (order.year_last and not leads)
    return _year_last(text[:2], text[2:4], text[4:], 0, order) if last else int(text)


def _year_last(first: str, second: str, year: str, latest: int, order: Order) -> int:
    """A date of three numbers of which the year is the last; or the first, where only that can be."""
    if int(first) > 31 and len(year) == 2:
        return _year(first, latest) * 10000 + int(second) * 100 + int(year)
    month_first = order.month_first
    if order.mixed and max(int(first), int(second)) > 12:
        month_first = int(second) > 12
    month, day = (first, second) if month_first else (second, first)
    return _year(year, latest) * 10000 + int(month) * 100 + int(day)


def _day_and_month(text: str) -> tuple[int, int] | None:
    """The two numbers before the year, of a date written in numbers with the year last."""
    text = text.removesuffix(".0")
    if re.fullmatch(r"\d{8}", text):
        leads = int(text[:4]) in YEARS and int(text[4:6]) <= 12 and int(text[6:]) <= 31
        found = (text[:2], text[2:4]) if int(text[4:]) in YEARS and not leads else None
    else:
        match = NUMERIC.match(text)
        found = (match[1], match[2]) if match and not (int(match[1]) > 31 and len(match[3]) == 2) else None
    return (int(found[0]), int(found[1])) if found else None


def order_of(texts: Sequence[str]) -> tuple[Order, NDArray[np.bool_]]:
    """The order in which a column's distinct dates are written, and which of them could be read in two, where
    the others do not say in which: none can be a day only, or a share of MIXED speaks for either order."""
    parts = [_day_and_month(text) for text in texts]
    known = [part for part in parts if part is not None]
    day_first = sum(a > 12 >= b >= 1 for a, b in known)
    month_first = sum(b > 12 >= a >= 1 for a, b in known)
    fewer, told = min(day_first, month_first), day_first + month_first
    mixed = fewer > MIXED * told and fewer > 1
    unsure = np.zeros(len(parts), dtype=bool)
    if mixed or not told:
        unsure[:] = [p is not None and p[0] != p[1] and min(p) >= 1 and max(p) <= 12 for p in parts]
    eight = sum(re.fullmatch(r"\d{8}(?:\.0)?", text) is not None for text in texts)
    lasting = sum(p is not None and text[:8].isdigit() for p, text in zip(parts, texts, strict=True))
    return Order(month_first > day_first, mixed, 2 * lasting > eight, _serial(texts)), unsure


def _serial(texts: Sequence[str]) -> bool:
    """Whether a column's numbers of five digits are a workbook's days: nearly all before LATEST_YEAR is over, and
    none has six, as days, months and years of two digits would."""
    five = [int(text[:5]) for text in texts if SERIAL.match(text)]
    inside = sum(_workbook_day(str(days)) // 10_000 <= LATEST_YEAR for days in five)
    six = any(re.fullmatch(r"\d{6}(?:\.0)?", text) for text in texts)
    return inside > 1 and inside >= (1 - MIXED) * len(five) and not six


def _year(digits: str, latest: int) -> int:
    """A year as a number; one of two digits as the last such year up to `latest`."""
    digits = digits.removeprefix(SHORT)
    return int(digits) if len(digits) == 4 else latest - (latest - int(digits)) % 100


def packed_dates(column: pl.Series) -> NDArray[np.uint32]:
    """A column of dates or date text as packed digits, 0 for missing."""
    return read_dates(column).packed


def read_dates(column: pl.Series, known: Known | None = None, role: str = "date") -> Dates:
    """A column of dates or date text; each distinct text is parsed once.

    The century of two-digit years is that which the register's own four-digit years allow: births end in the year
    that all but 1 in 1,000 of its dates do not pass (a slip of the pen makes births to come). Whether day or month
    comes first the column's own dates say: those with a number over 12 can be read in one order only. Or both are
    known.
    """
    known = known or Known()
    none = np.zeros(len(column), dtype=bool)
    if column.dtype.is_temporal():
        numbers = column.cast(pl.Date).to_frame().select(_date_number(column.name)).to_series()
        clean = numbers.fill_null(0).to_numpy().astype(np.int64)
        default = np.isin(clean, list(DEFAULTS)) | (clean == 0)
        unread = ~default & ((clean < 10_000) | (clean > 99_999_999))
        known.fact(f"{role}: order", lambda: astuple(DAY_FIRST))
        known.fact(f"{role}: last year", lambda: last_births(clean[clean >= 10_000_000] // 10_000))
        return Dates(digits_packed(np.where(default | unread, 0, clean)).astype(np.uint32), unread, none)
    rows, distinct = by_distinct(column)
    parsed = _iso_dates(distinct)
    odd = np.flatnonzero(parsed == 0)
    texts = [text.strip().upper() for text in distinct.gather(odd).to_list()]
    found, unsure = order_of(texts)
    told: tuple[bool, ...] = astuple(found)
    order = Order(*known.fact(f"{role}: order", lambda: told))
    first = [_read(text, 0, order) for text in texts]  # 0 for two-digit years
    read = np.append(parsed, first)
    latest = known.fact(f"{role}: last year", lambda: last_births(read[read >= 10_000_000] // 10_000))
    parsed[odd] = [n if n > 0 else _read(text, latest, order) for text, n in zip(texts, first, strict=True)]
    parsed[parsed > 99_999_999] = -1
    unread = parsed < 0
    unread[odd] &= ~fillers(distinct.gather(odd)).to_numpy()
    parsed[np.isin(parsed, list(DEFAULTS)) | (parsed < 0)] = 0
    packed = digits_packed(np.append(parsed, 0)).astype(np.uint32)
    doubted = np.zeros(len(distinct), dtype=bool)
    doubted[odd] = unsure
    return Dates(packed.take(rows, mode="wrap"), flagged_rows(unread, rows), flagged_rows(doubted, rows))


def filled_in(packed: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Rows whose date is what a system fills in where none is known: one that FILLED_IN of the dates given are,
    and TIMES_USUAL as many as nine in ten dates have. Of fewer than LEAST_FILLED dates that is not said. 1 January
    of SEVERAL_YEARS or more is no such date: who knows the year of birth only is entered so, and the year tells
    people apart."""
    dates = pl.Series("date", packed).value_counts(sort=False).filter(pl.col("date") > 0)
    given = int(dates["count"].sum())
    if given < LEAST_FILLED or dates.height < 2:
        return np.zeros(len(packed), dtype=bool)
    least = max(FILLED_IN * given, TIMES_USUAL * float(dates["count"].quantile(0.9) or 1))
    often = dates.filter(pl.col("count") > least)["date"].to_numpy()
    new_year = often & np.uint32(0xFFFF) == NEW_YEAR
    often = often[~new_year] if np.count_nonzero(new_year) >= SEVERAL_YEARS else often
    return np.isin(packed, often) if len(often) else np.zeros(len(packed), dtype=bool)


def last_births(years: NDArray[np.integer]) -> int:
    """The year that all but 1 in 1,000 births do not pass; LATEST_YEAR where too few say so."""
    return int(np.quantile(years, NEARLY_ALL, method="lower")) if len(years) >= YEARS_THAT_SAY else LATEST_YEAR


def _iso_dates(text: pl.Series) -> NDArray[np.int64]:
    """yyyy-mm-dd as a number; 0 for anything else, which is left to `parse_date`."""
    date = text.rename("t").str.to_date("%Y-%m-%d", strict=False)
    return date.to_frame().select(_date_number("t")).to_series().fill_null(0).to_numpy().copy()


def _date_number(name: str) -> pl.Expr:
    date = pl.col(name).dt
    return date.year().cast(pl.Int64) * 10000 + date.month().cast(pl.Int64) * 100 + date.day().cast(pl.Int64)


def _four_digits() -> NDArray[np.uint64]:
    n = np.arange(10_000, dtype=np.uint64)
    packed = n % 10 | n // 10 % 10 << 4 | n // 100 % 10 << 8 | n // 1000 << 12
    return packed.astype(np.uint64)


FOUR_DIGITS = _four_digits()


def digits_packed(numbers: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Non-negative numbers of up to 16 digits, one digit a nibble (binary-coded decimal)."""
    packed = np.zeros(len(numbers), dtype=np.uint64)
    rest = numbers.astype(np.int64)
    for place in range(4):
        higher = rest // 10_000  # quicker than divmod
        packed |= FOUR_DIGITS.take(rest - higher * 10_000) << np.uint64(16 * place)
        rest = higher
        if not rest.any():
            break
    return packed


def year_table() -> NDArray[np.int16]:
    """Packed year (16 bits) -> year as a number."""
    packed = np.arange(1 << 16, dtype=np.int64)
    years = packed & 15
    for place, unit in ((4, 10), (8, 100), (12, 1000)):
        years = years + (packed >> place & 15) * unit
    return years.astype(np.int16)


def day_numbers(packed: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Days since 1 January of YEARS' first year; -1 for missing, other years and days that no month has.

    >>> day_numbers(np.array([0x17000101, 0x17000301, 0x17000230, 0], dtype=np.uint32)).tolist()
    [0, 59, -1, -1]
    """
    year = year_table().take(packed >> np.uint32(16)).astype(np.int64)
    month, day = ((packed >> np.uint32(at) & 15) + (packed >> np.uint32(at + 4) & 15) * 10 for at in (8, 0))
    since = (year - YEARS.start) * 12 + month.astype(np.int64) - 1
    months = (np.datetime64(f"{YEARS.start}-01") + np.arange(len(YEARS) * 12 + 1)).astype("datetime64[D]")
    starts = (months - months[0]).astype(np.int64)
    real = (since >= 0) & (since < len(starts) - 1) & (month >= 1) & (month <= 12) & (day >= 1)
    since = np.where(real, since, 0)
    found = starts[since] + day.astype(np.int64) - 1
    return np.where(real & (found < starts[since + 1]), found, -1)
