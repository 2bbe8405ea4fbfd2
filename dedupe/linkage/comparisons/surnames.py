"""Comparing surnames: earlier surnames, double surnames, and women who may have married."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import (
    Comparison,
    Level,
    Levels,
    level,
    split_by_rareness,
    with_given,
)
from casebridge.dedupe.linkage.comparisons.namepairs import (
    agreement,
    either_listed,
    quick_equal,
    rare_spelling,
    second_set,
    swapped,
)
from casebridge.dedupe.linkage.register.dates import last_births, year_table
from casebridge.dedupe.linkage.register.encoding import FEMALE, Register
from casebridge.dedupe.linkage.register.nametable import ALIKE, CLOSE, NameTable
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, edits, jaro_winkler, per_distinct_pair

GROWN_WOMEN = "both grown women"
MARRIAGE = 16  # years
YEARS = year_table()
SURNAME_EXACT = level("same surname", 0.86, 0.96, 0.93, 0.70, moved=0.78, namesake=0.97)
SURNAME_REST = (
    level("surname is an earlier surname of the other", 0.02, 0.001, 0.001, 0.002, moved=0.06),
    level("part of a double surname agrees", 0.015, 0.004, 0.006, 0.01, moved=0.02),
    level("surname one slip away, one spelling rare", 0.045, 0.012, 0.012, 0.01),
    level("surname one slip away, both are names in use", 0.007, 0.003, 0.003, 0.004),
    level("surname spelled closely, one spelling rare", 0.012, 0.003, 0.003, 0.004),
    level("surname spelled closely, both are names in use", 0.003, 0.002, 0.003, 0.004),
    level("surname somewhat alike", 0.004, 0.003, 0.006, 0.02),
    level("surname differs", 0.034, 0.012, 0.03, 0.24, moved=0.09, namesake=0.01),
)


def surname_comparison(register: Register, table: NameTable) -> Comparison:
    """Surnames, with earlier surnames. Where forename and surname change places the forename says so. Women who
    may have married change theirs more often, and have levels of their own."""
    column = register.columns["surname"]
    share, steps = agreement(column, len(table.values))
    levels: tuple[Level, ...] = (*split_by_rareness(SURNAME_EXACT, share, steps), *SURNAME_REST)
    base, size = len(levels) - len(SURNAME_REST), len(levels)
    women = grown_women(register)
    if women is not None:
        levels, grown = with_given(levels, GROWN_WOMEN), register.mark("grown women", lambda: women)
    null = len(levels)
    rest = tuple(range(base, size))
    opens = ((*rest, null),) if women is None else ((*rest, null), (*(size + k for k in rest), null))
    rare = rare_spelling(column, len(table.values))
    earlier = register.lists.get("previous_surnames")

    def judge(a: Codes, b: Codes) -> Levels:
        return judge_surnames(table, a, b, rare(a, b)) + np.uint8(base)

    def settle(left: PairSide, right: PairSide) -> Levels:
        found = per_distinct_pair(left.of("surname"), right.of("surname"), judge)
        if earlier is not None:
            found[either_listed(earlier, "surname", left, right)] = base
        if women is not None:
            found += (left.of(grown) & right.of(grown)) * np.uint8(size)
        if register.has("forename"):
            found[swapped(left, right)] = null
        return found

    equal = quick_equal("surname", steps, null)

    def quick(left: PairSide, right: PairSide) -> Levels:
        found = equal(left, right)
        if earlier is None:
            at = np.flatnonzero(found > null)
            one, other = left.take(at), right.take(at)
            apart = table.surely_unlike(one.of("surname"), other.of("surname"))
            if register.has("forename"):
                apart &= ~swapped(one, other)
            found[at[apart]] = size - 1
        return found if women is None else second_set(found, left.of(grown) & right.of(grown), size, null)

    given = () if women is None else ("sex",)
    return Comparison("surname", levels, quick, settle, opens, moves=True, given=given)


def judge_surnames(table: NameTable, a: Codes, b: Codes, rare: NDArray[np.bool_]) -> Levels:
    """Place in SURNAME_REST of pairs of different surnames.

    | left         | right    | rare | place |
    |--------------|----------|------|-------|
    | SMITH-JONES  | JONES    | no   | 1     |
    | THOMPSON     | THOMPSEN | yes  | 2     |
    | CLARK        | CLARKE   | no   | 3     |
    | MACDONALD    | MCDONOLD | yes  | 4     |
    | HARRISON     | HARRIS   | no   | 5     |
    | BAKER        | BARTON   | no   | 6     |
    | SMITH        | PATEL    | no   | 7     |
    """
    likeness, apart = jaro_winkler(table.values, a, b), edits(table.values, a, b)
    found = np.where(likeness >= ALIKE, 6, 7)
    close = (likeness >= CLOSE) | ((apart == 2) & (np.minimum(table.length[a], table.length[b]) >= 6))
    found[close] = np.where(rare, 4, 5)[close]
    slip = (apart == 1) & (np.maximum(table.length[a], table.length[b]) >= 3)
    found[slip] = np.where(rare, 2, 3)[slip]
    found[table.same_part(a, b)] = 1
    return found.astype(np.uint8)


def grown_women(register: Register) -> NDArray[np.bool_] | None:
    """Rows of women who may have married: MARRIAGE years or more before the last births, or of no known age."""
    if not register.has("sex"):
        return None
    women = register.columns["sex"] == FEMALE
    if register.has("birth_date"):
        years = YEARS.take(register.columns["birth_date"] >> np.uint32(16))
        women &= years <= last_births(years[years > 0]) - MARRIAGE
    return np.asarray(women)
