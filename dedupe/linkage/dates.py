"""Birth dates as packed digits: 1983-12-03 is 0x19831203, so that a slip of one digit is one nibble."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
from numpy.typing import NDArray

from dedupe.linkage.values import by_distinct

MONTH_NAMES = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
MONTHS = {name: number + 1 for number, name in enumerate(MONTH_NAMES.split())}
DEFAULTS = frozenset({19000101, 18000101, 18991230, 18991231, 10101, 99991231, 47121231, 17530101, 19010101})

ISO = re.compile(r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$")
BRITISH = re.compile(r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?: .*)?$")
NAMED = re.compile(r"^(\d{1,2})[-/. ]([A-Z]{3})[A-Z]*[-/. ](\d{4})(?: .*)?$")


def parse_date(text: str) -> int:
    """Date text as the number yyyymmdd, 0 when it is none or a system's default.

    >>> [parse_date(t) for t in ("1983-12-03", "03/12/1983", "3-Dec-1983", "19831203", "01/01/1900", "?")]
    [19831203, 19831203, 19831203, 19831203, 0, 0]

    A day or month out of range is kept (19834103): its other digits are evidence all the same.
    """
    text = text.strip().upper()
    if text.endswith(".0"):
        text = text[:-2]
    if re.fullmatch(r"\d{8}", text):
        number = int(text)
    elif match := ISO.match(text):
        number = int(match[1]) * 10000 + int(match[2]) * 100 + int(match[3])
    elif match := BRITISH.match(text):
        number = int(match[3]) * 10000 + int(match[2]) * 100 + int(match[1])
    elif (match := NAMED.match(text)) and match[2] in MONTHS:
        number = int(match[3]) * 10000 + MONTHS[match[2]] * 100 + int(match[1])
    else:
        return 0
    return 0 if number in DEFAULTS or number < 10_000_000 else number


def packed_dates(column: pl.Series) -> NDArray[np.uint32]:
    """A column of dates or date text as packed digits, 0 for missing; each distinct text is parsed once."""
    if column.dtype.is_temporal():
        numbers = column.cast(pl.Date).to_frame().select(_date_number(column.name)).to_series()
        clean = numbers.fill_null(0).to_numpy().astype(np.int64)
        clean = np.where(np.isin(clean, list(DEFAULTS)) | (clean < 10_000_000), 0, clean)
        return digits_packed(clean).astype(np.uint32)
    rows, distinct = by_distinct(column)
    parsed = _iso_dates(distinct)
    odd = np.flatnonzero(parsed == 0)
    parsed[odd] = [parse_date(text) for text in distinct.gather(odd).to_list()]
    parsed[np.isin(parsed, list(DEFAULTS))] = 0
    return digits_packed(np.append(parsed, 0)).astype(np.uint32).take(rows, mode="wrap")


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
        rest, low = np.divmod(rest, 10_000)
        packed |= FOUR_DIGITS[low] << np.uint64(16 * place)
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
