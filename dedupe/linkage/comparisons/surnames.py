"""Comparing surnames: earlier surnames, double surnames, and women who may have married."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import (
    UNLIKE,
    Comparison,
    Level,
    Levels,
    level,
    split_by_rareness,
    with_given,
)
from casebridge.dedupe.linkage.comparisons.misplaced import equal_names, nearly_swapped, rare_in_either, swapped
from casebridge.dedupe.linkage.comparisons.namepairs import (
    by_likeness,
    either_listed,
    half_swapped,
    rare_spelling,
    rests,
    second_set,
    texts_by_likeness,
)
from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.dates import last_births, year_table
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import holders
from casebridge.dedupe.linkage.register.known import ValueTable
from casebridge.dedupe.linkage.register.languages import FEMALE
from casebridge.dedupe.linkage.register.nametable import NameTable
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, per_distinct_pair

GROWN_WOMEN = "both grown women"
MARRIAGE = 16  # years
YEARS = year_table()
WORDS = "words of surnames"
COMMON_WORD = 2e-3  # share of records from which a word of surnames says little of a family
(
    EARLIER, SAME_WORDS, PART, PART_COMMON, SLIP, SLIP_IN_USE, CLOSE_RARE, CLOSE_IN_USE, SOMEWHAT, DIFFERS,
) = range(10)  # fmt: skip
SURNAME_EXACT = level("same surname", 0.86, 0.96, 0.93, 0.70, moved=0.78, namesake=0.97)
SURNAME_REST = (
    level("surname is an earlier surname of the other", 0.02, 0.001, 0.001, 0.002, moved=0.06),
    level("the same words of a surname, in another order or joined", 0.006, 0.001, 0.001, 0.0005, moved=0.006),
    level("part of a double surname agrees, an uncommon one", 0.012, 0.003, 0.004, 0.006, moved=0.016),
    level("part of a double surname agrees, one that many hold", 0.003, 0.001, 0.002, 0.004, moved=0.004),
    level("surname one slip away, one spelling rare", 0.045, 0.012, 0.012, 0.01),
    level("surname one slip away, both are names in use", 0.007, 0.003, 0.003, 0.004),
    level("surname spelled closely, one spelling rare", 0.012, 0.003, 0.003, 0.004),
    level("surname spelled closely, both are names in use", 0.003, 0.002, 0.003, 0.004),
    level("surname somewhat alike", 0.004, 0.003, 0.006, 0.02),
    level("surname differs", 0.034, 0.012, 0.03, 0.24, moved=0.09, namesake=0.01, tag=UNLIKE),
)


def surname_comparison(register: Register, table: NameTable) -> Comparison:
    """Surnames, with earlier surnames. Where forename and surname change places the forename says so. Women who
    may have married change theirs more often, and have levels of their own."""
    held = holders(register, "surname", "names")
    share, steps = held.share, held.steps
    levels: tuple[Level, ...] = (*split_by_rareness(SURNAME_EXACT, share, steps), *SURNAME_REST)
    base, size = len(levels) - len(SURNAME_REST), len(levels)
    women = grown_women(register)
    if women is not None:
        levels, grown = with_given(levels, GROWN_WOMEN), register.mark("grown women", lambda: women)
    null = len(levels)
    rest = tuple(range(base, size))
    opens = ((*rest, null),) if women is None else ((*rest, null), (*(size + k for k in rest), null))
    rare = rare_spelling(held)
    either = rare_in_either(register) if register.has("forename") else rare
    earlier = register.lists.get("previous_surnames")
    use = _use_of_words(register, table)

    def judge(a: Codes, b: Codes) -> Levels:
        return judge_surnames(table, a, b, rare(a, b), use) + np.uint8(base)

    def settle(left: PairSide, right: PairSide) -> Levels:
        found = per_distinct_pair(left.of("surname"), right.of("surname"), judge)
        if earlier is not None:
            found[either_listed(earlier, "surname", left, right)] = base
        if women is not None:
            found += (left.of(grown) & right.of(grown)) * np.uint8(size)
        if register.has("forename"):
            found[swapped(left, right) | nearly_swapped(table, left, right, either)] = null
        return found

    equal = equal_names(register, "surname", steps, null)

    def quick(left: PairSide, right: PairSide) -> Levels:
        found = equal(left, right)
        if earlier is None:
            at = np.flatnonzero(found > null)
            one, other = left.take(at), right.take(at)
            apart = table.surely_unlike(one.of("surname"), other.of("surname"))
            if register.has("forename"):
                apart &= ~half_swapped(one, other)
            found[at[apart]] = size - 1
        return found if women is None else second_set(found, left.of(grown) & right.of(grown), size, null)

    given = () if women is None else ("sex",)
    return Comparison("surname", levels, quick, settle, opens, moves=True, given=given)


def judge_surnames(
    table: NameTable, a: Codes, b: Codes, rare: NDArray[np.bool_], use: NDArray[np.float64] | None = None
) -> Levels:
    """Place in SURNAME_REST of pairs of different surnames; use: share of the records that hold each word.

    | left         | right      | rare | place |
    |--------------|------------|------|-------|
    | PEREZ RUIZ   | RUIZ PEREZ | no   | 1     |
    | VAN DER BERG | BERG       | no   | 1     |
    | SMITH-JONES  | JONES      | no   | 2     |
    | THOMPSON     | THOMPSEN   | yes  | 4     |
    | CLARK        | CLARKE     | no   | 5     |
    | MACDONALD    | MCDONOLD   | yes  | 6     |
    | HARRISON     | HARRIS     | no   | 7     |
    | BAKER        | BARTON     | no   | 8     |
    | SMITH        | PATEL      | no   | 9     |
    | BINTI AHMAD  | BINTI YUSOF | no  | 9     |
    | PEREZ RUIZ   | PEREZ VEGA | no   | 9     |

    A particle (`PARTICLES`) is no agreement, and a word agreed on counts by how many hold it, as whole names do
    (Winkler 1989): Singh and Kaur are names of religion, not of family. Of two double surnames that share one word
    the others decide: in Spanish naming cousins share the first.
    """
    found = by_likeness(table, a, b, rare, SLIP, DIFFERS)
    part = np.flatnonzero(table.same_part(a, b))
    found[part] = np.where(_widely_held(table, a[part], b[part], use), PART_COMMON, PART)
    for place, left, right in rests(table, a, b, table.unlike_rests(a, b)):
        if left and right:
            found[place] = texts_by_likeness(left, right, bool(rare[place]), SLIP, DIFFERS)
    found[table.same_words(a, b)] = SAME_WORDS
    return found.astype(np.uint8)


def _use_of_words(register: Register, table: NameTable) -> NDArray[np.float64]:
    """Share of the records that hold each word of surnames, by its number; as a kept model has it, of the words
    that many hold."""
    words = pl.Series(table.words.words, dtype=pl.String)
    if register.known.frozen:
        return register.known.tables[WORDS].look_up(text_keys(words))
    column = register.columns["surname"]
    given = max(1, int(np.count_nonzero(column >= 0)))
    use = table.words.use(column) / given
    often = np.flatnonzero(use >= COMMON_WORD)
    alone = np.bincount(column[column >= 0], minlength=len(table.values)) / given
    whole = np.flatnonzero((alone >= COMMON_WORD) & (table.words.numbers[:, 0] < 0))
    text = pl.concat([words.gather(often), table.values.text.gather(whole)])
    register.known.table(WORDS, lambda: ValueTable.of(text_keys(text), np.append(use[often], alone[whole]), 0.0))
    return use


def _widely_held(table: NameTable, a: Codes, b: Codes, use: NDArray[np.float64] | None) -> NDArray[np.bool_]:
    """Of names that share words: whether even the rarest of these is held by COMMON_WORD of the records."""
    if use is None:
        return np.zeros(len(a), dtype=bool)
    shared = table.words.shared(a, b)
    rarest = np.where(shared >= 0, use[np.maximum(shared, 0)], 1.0).min(axis=1)
    return np.asarray(rarest >= COMMON_WORD)


def grown_women(register: Register) -> NDArray[np.bool_] | None:
    """Rows of women who may have married: MARRIAGE years or more before the last births, or of no known age."""
    if not register.has("sex"):
        return None
    women = register.columns["sex"] == FEMALE
    if register.has("birth_date"):
        years = YEARS.take(register.columns["birth_date"] >> np.uint32(16))
        women &= years <= register.known.fact("last births", lambda: last_births(years[years > 0])) - MARRIAGE
    return np.asarray(women)
