"""Birth dates: equal, or apart by a kind of slip that people and systems make."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import (
    AGREES,
    DEFAULT,
    GENERATION,
    NEAR,
    SLIP,
    UNLIKE,
    Comparison,
    Levels,
    level,
)
from casebridge.dedupe.linkage.register.dates import NEW_YEAR, year_table
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import rows_of_many
from casebridge.dedupe.linkage.register.identifiers import digits_apart, neighbours_swapped
from casebridge.dedupe.linkage.register.pair_rows import PairSide

BIRTH_LEVELS = (
    level("same birth date", 0.86, 0.985, 0.001, 0.001, namesake=0.004, tag=AGREES),
    level("same birth date, one entered far more often than others", 0.02, 0.005, 0.001, 0.002, tag=AGREES),
    level("day and month change places", 0.02, 0.0005, 0.0005, 0.0005, tag=SLIP),
    level("one digit of the day or month differs", 0.035, 0.003, 0.004, 0.002, tag=SLIP),
    level("one digit of the year differs", 0.02, 0.001, 0.004, 0.002, tag=SLIP),
    level("two neighbouring digits change places", 0.01, 0.0005, 0.001, 0.001, tag=SLIP),
    level("same year, and one of the two is 1 January", 0.004, 0.002, 0.002, 0.002, tag=DEFAULT),
    level("same day and month, another year", 0.004, 0.0005, 0.004, 0.003),
    level("same month and year, another day", 0.007, 0.001, 0.003, 0.003, tag=NEAR),
    level("same day and year, another month", 0.003, 0.0005, 0.003, 0.002, tag=NEAR),
    level("same year, day and month differ", 0.004, 0.001, 0.03, 0.04, tag=UNLIKE),
    level("birth dates up to 3 years apart", 0.003, 0.0005, 0.45, 0.15, tag=UNLIKE),
    level("birth dates 3 to 15 years apart", 0.004, 0.0005, 0.45, 0.20, tag=UNLIKE),
    level("birth dates over 15 years apart", 0.006, 0.0005, 0.05, 0.60, namesake=0.95, tag=GENERATION),
)
COMMON_DATE = 4.0
COMMON = "common birth date"
YEARS = year_table()


def birth_comparison(register: Register) -> list[Comparison]:
    """Birth dates, by kind of slip.

    | left       | right      | level                                   |
    |------------|------------|-----------------------------------------|
    | 1983-12-03 | 1983-12-03 | same birth date                         |
    | 1983-12-03 | 1983-03-12 | day and month change places             |
    | 1983-12-03 | 1983-12-08 | one digit of the day or month differs   |
    | 1983-12-03 | 1993-12-03 | one digit of the year differs           |
    | 1983-12-13 | 1983-12-31 | two neighbouring digits change places   |
    | 1983-12-03 | 1983-01-01 | same year, and one of the two is 1 January |
    | 1983-12-03 | 1978-12-03 | same day and month, another year        |
    | 1983-12-03 | 1983-12-17 | same month and year, another day        |
    | 1983-12-03 | 1983-07-03 | same day and year, another month        |
    | 1983-12-03 | 1983-07-21 | same year, day and month differ         |
    | 1983-12-03 | 1981-05-21 | birth dates up to 3 years apart         |
    | 1983-12-03 | 1971-05-21 | birth dates 3 to 15 years apart         |
    | 1983-12-03 | 1950-05-21 | birth dates over 15 years apart         |

    Of two that are 1 January, the day of those of whom the year alone is known, only the years say anything:
    1983-01-01 and 1985-01-01 are up to 3 years apart, not a digit.
    """
    column = register.columns["birth_date"]

    def value(rows: NDArray[np.integer] | slice) -> NDArray[np.uint64]:
        return column[rows].astype(np.uint64)

    common = register.mark(COMMON, lambda: rows_of_many(register, COMMON, value, lambda: _common(column)))

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of("birth_date"), right.of("birth_date")
        found = np.full(len(a), len(BIRTH_LEVELS), dtype=np.uint8)
        same = a == b
        found[same] = 0
        found[same & left.of(common)] = 1
        apart = np.flatnonzero(~same)
        found[apart] = _kind_of_slip(a[apart], b[apart])
        found[(a == 0) | (b == 0)] = len(BIRTH_LEVELS)
        return found

    return [Comparison("birth_date", BIRTH_LEVELS, quick)]


def _common(column: NDArray[np.uint32]) -> tuple[NDArray[np.bool_], NDArray[np.integer]]:
    """Rows whose date is held by far more records than most dates: system defaults, or "1 January"; once as flags,
    once as numbers."""
    dates = pl.Series("date", column).value_counts(sort=False).filter(pl.col("date") > 0)
    if dates.height < 50:
        return np.zeros(len(column), dtype=bool), np.zeros(0, dtype=np.intp)
    usual = max(1.0, float(dates["count"].quantile(0.9) or 1))
    often = dates.filter(pl.col("count") > max(5.0, COMMON_DATE * usual))["date"]
    found = pl.Series(column).is_in(often.implode()).to_numpy()
    return found, np.flatnonzero(found)


def _kind_of_slip(a: NDArray[np.uint32], b: NDArray[np.uint32]) -> Levels:
    apart = a ^ b
    digits = digits_apart(a.astype(np.uint64), b.astype(np.uint64))
    year, month, day = (
        (apart >> np.uint32(16)) == 0,
        (apart & np.uint32(0xFF00)) == 0,
        (apart & np.uint32(0xFF)) == 0,
    )
    gap = np.abs(YEARS.take(a >> np.uint32(16)) - YEARS.take(b >> np.uint32(16)))
    by_gap = np.where(gap <= 3, 11, np.where(gap <= 15, 12, 13)).astype(np.uint8)
    found = by_gap.copy()
    found[year] = 10
    found[year & day] = 9
    found[year & month] = 8
    found[month & day] = 7
    one = np.flatnonzero(year)
    new_year = (a[one] & np.uint32(0xFFFF) == NEW_YEAR) | (b[one] & np.uint32(0xFFFF) == NEW_YEAR)
    found[one[new_year]] = 6
    two = np.flatnonzero(digits == 2)
    found[two[neighbours_swapped(a[two].astype(np.uint64), b[two].astype(np.uint64))]] = 5
    found[(digits == 1) & month & day] = 4
    found[(digits == 1) & year] = 3
    turned = (
        (a & np.uint32(0xFFFF0000)) | (a & np.uint32(0xFF)) << np.uint32(8) | (a >> np.uint32(8) & np.uint32(0xFF))
    )
    found[turned == b] = 2
    days = np.uint32(0xFFFF)
    defaults = np.flatnonzero((a & days == NEW_YEAR) & (b & days == NEW_YEAR) & ~year)
    found[defaults] = by_gap[defaults]
    return found
