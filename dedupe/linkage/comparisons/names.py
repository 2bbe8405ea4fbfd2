"""Comparing names: forename and surname together, with middle names and short forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.equality import quick_equal
from casebridge.dedupe.linkage.comparisons.levels import CLOSE as NEAR
from casebridge.dedupe.linkage.comparisons.levels import (
    CROSSED,
    INITIALS,
    SWAP,
    UNLIKE,
    Comparison,
    Level,
    Levels,
    level,
    split_by_rareness,
    with_given,
)
from casebridge.dedupe.linkage.comparisons.levels import SLIP as A_SLIP
from casebridge.dedupe.linkage.comparisons.misplaced import equal_names, nearly_swapped, rare_in_either, swapped
from casebridge.dedupe.linkage.comparisons.namepairs import (
    by_likeness,
    half_swapped,
    rare_spelling,
    rests,
    second_set,
    texts_by_likeness,
)
from casebridge.dedupe.linkage.comparisons.surnames import surname_comparison
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import Holders, holders
from casebridge.dedupe.linkage.register.nametable import ALIKE, CLOSE, NameTable, alike_forenames
from casebridge.dedupe.linkage.register.namewords import likeness, one_word, telling_words, without_common
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, jaro_winkler, per_distinct_pair

ALIKE_FORENAME = "forenames alike"
(
    SWAPPED, MIDDLE, SHORT, SHORT_COMMON, PART, INITIAL, SLIP, SLIP_IN_USE, CLOSE_RARE, CLOSE_IN_USE, SOMEWHAT,
    FIRST_LETTER, DIFFERS,
) = range(13)  # fmt: skip
COMMON = 1e-3  # share of records from which a forename is a common one

FORENAME_EXACT = level("same forename", 0.84, 0.002, 0.002, 0.008, namesake=0.93)
SAME_INITIAL = level(
    "the same initial, no more of either forename", 0.02, 0.004, 0.004, 0.004, namesake=0.01, tag=INITIALS
)
FORENAME_REST = (
    level("forename changes places with surname or middle name", 0.006, 0.0002, 0.0002, 0.0002, tag=SWAP),
    level("forename of one is the middle name of the other", 0.008, 0.001, 0.001, 0.001, tag=CROSSED),
    level(
        "one forename is a short form of the other, one of them uncommon",
        0.02,
        0.001,
        0.001,
        0.002,
        namesake=0.01,
    ),
    level("one forename is a short form of the other, both common", 0.01, 0.002, 0.002, 0.002, namesake=0.01),
    level("one of several forenames agrees", 0.01, 0.002, 0.002, 0.002, namesake=0.01),
    level("an initial agrees with the forename", 0.02, 0.004, 0.004, 0.004, namesake=0.01),
    level("forename one slip away, one spelling rare", 0.045, 0.002, 0.002, 0.002, namesake=0.01, tag=A_SLIP),
    level("forename one slip away, both are names in use", 0.006, 0.008, 0.008, 0.008, namesake=0.005, tag=NEAR),
    level("forename spelled closely, one spelling rare", 0.012, 0.006, 0.006, 0.006, namesake=0.005, tag=NEAR),
    level("forename spelled closely, both are names in use", 0.003, 0.02, 0.02, 0.02, namesake=0.005, tag=NEAR),
    level("forename somewhat alike", 0.004, 0.03, 0.03, 0.03, namesake=0.002, tag=UNLIKE),
    level("only the first letter of the forename agrees", 0.003, 0.07, 0.07, 0.07, namesake=0.002, tag=UNLIKE),
    level("forename differs", 0.013, 0.85, 0.85, 0.85, namesake=0.005, tag=UNLIKE),
)


MIDDLE_EXACT = level("same middle name", 0.80, 0.06, 0.06, 0.03, namesake=0.3)
MIDDLE_REST = (
    level("an initial agrees with the middle name", 0.08, 0.03, 0.03, 0.02, namesake=0.05),
    level("middle name spelled closely", 0.06, 0.02, 0.02, 0.02),
    level("middle name differs", 0.06, 0.89, 0.89, 0.93, namesake=0.6, tag=UNLIKE),
)


def name_comparisons(register: Register) -> list[Comparison]:
    """The comparisons of the name columns that the register holds."""
    if "names" not in register.values:
        return []
    table = NameTable(register.values["names"])
    found = []
    if register.has("forename"):
        found.append(forename_comparison(register, table))
    if register.has("surname"):
        found.append(surname_comparison(register, table))
    if register.has("middle_name"):
        found.append(middle_comparison(register, table))
    return found


def forename_comparison(register: Register, table: NameTable) -> Comparison:
    """Forenames, read together with surname and middle name."""
    held = holders(register, "forename", "names")
    share = held.share
    same, steps = _same_forename(register, table, held)
    base = len(same)
    levels = _with_initials((*same, *FORENAME_REST), base, float(share[table.length == 1].sum()))
    rare = rare_spelling(held)
    either = rare_in_either(register) if register.has("surname") else rare

    def judge(a: Codes, b: Codes) -> Levels:
        common = np.minimum(share[a], share[b]) >= COMMON
        return judge_forenames(table, a, b, rare(a, b), common) + np.uint8(base)

    def settle(left: PairSide, right: PairSide) -> Levels:
        found = per_distinct_pair(left.of("forename"), right.of("forename"), judge)
        if register.has("middle_name"):
            found[_denied_by_middle(table, left, right, found == base + PART)] = base + DIFFERS
            found[_known_by_middle(left, right)] = base + MIDDLE
            found[swapped(left, right, "middle_name")] = base + SWAPPED
        if register.has("surname"):
            found[swapped(left, right) | nearly_swapped(table, left, right, either)] = base + SWAPPED
        return found

    null = len(levels)
    equal = equal_names(register, "forename", steps, null)

    def quick(left: PairSide, right: PairSide) -> Levels:
        found = equal(left, right)
        at = np.flatnonzero(found > null)
        one, other = left.take(at), right.take(at)
        a, b = one.of("forename"), other.of("forename")
        apart = table.surely_unlike(a, b) & ~_elsewhere(register, one, other)
        first = table.first.take(a[apart]) == table.first.take(b[apart])
        found[at[apart]] = np.where(first, np.uint8(null - 2), np.uint8(null - 1))
        return found

    return Comparison("forename", levels, quick, settle, (tuple(range(base, null)),), lucky=True)


def _same_forename(
    register: Register, table: NameTable, held: Holders
) -> tuple[tuple[Level, ...], NDArray[np.uint8]]:
    """Levels of two forenames that are the same, and which of them each value is at: by how many hold it. Where
    there are any, initials have a level of their own, for twins are named by one letter often enough."""
    exact, steps = split_by_rareness(FORENAME_EXACT, held.share, held.steps), held.steps
    initial = table.length == 1
    if not register.known.fact("forename: initials", lambda: bool((held.counts[initial] > 1).any())):
        return exact, steps
    own = replace(SAME_INITIAL, bin=len(exact))
    return (*exact, own), np.where(initial, np.uint8(len(exact)), steps)


def _with_initials(levels: tuple[Level, ...], base: int, share: float) -> tuple[Level, ...]:
    """The levels, those of FORENAME_REST from `base` on, where a share of the records has no more than an initial:
    two of these agree as often as the first letters of whole names do. What is believed of few is the least."""
    start = np.array([one.start for one in levels])
    differs = start[[base + SOMEWHAT, base + DIFFERS]].sum(axis=0)
    whole = (1 - share) ** 2
    found = whole * start
    found[base + DIFFERS] += (1 - whole) * differs
    found[base + INITIAL] = np.maximum(start[base + INITIAL], 2 * share * (1 - share) * (1 - differs))
    if levels[base - 1].tag == INITIALS:
        found[base - 1] = np.maximum(start[base - 1], share**2 * (1 - differs))
    return tuple(replace(one, start=tuple(new)) for one, new in zip(levels, found.tolist(), strict=True))


def judge_forenames(
    table: NameTable, a: Codes, b: Codes, rare: NDArray[np.bool_], common: NDArray[np.bool_]
) -> Levels:
    """Place in FORENAME_REST of pairs of different forenames; rare: one is hardly in use, common: both are.

    | left      | right     | use    | place |
    |-----------|-----------|--------|-------|
    | ROBERT    | BOB       |        | 2     |
    | ROBERT    | BOB       | common | 3     |
    | MARY JANE | MARY      |        | 4     |
    | ANNE MARIE | ANNE LOUISE |     | 12    |
    | MOHAMMED IMRAN | MOHAMED IMRAN | | 4    |
    | ANNE MARIE | ANNE MARIA | rare | 4     |
    | HAO QI    | HAOQI     |        | 6     |
    | J         | JOHN      |        | 5     |
    | JOHNATHAN | JOHNATHON | rare   | 6     |
    | ELLA      | ELLE      |        | 7     |
    | MARTIN    | MARTINA   |        | 7     |
    | MARGARET  | MARGRETE  | rare   | 8     |
    | JULIANNE  | JULIEANN  |        | 9     |
    | KAREN     | KERRY     |        | 11    |
    | ANWEN     | ZOE       |        | 12    |
    """
    unlike = np.where(table.first[a] == table.first[b], FIRST_LETTER, DIFFERS)
    found = by_likeness(table, a, b, rare, SLIP, unlike)
    found[table.same_initial(a, b)] = INITIAL
    family = table.same_family(a, b)
    found[family] = np.where(common, SHORT_COMMON, SHORT)[family]
    part = table.same_part(a, b)
    found[part] = PART
    for place, left, right in rests(table, a, b, table.unlike_rests(a, b)):
        found[place] = _rest(left, right, bool(rare[place]))
    found[table.words.letters[a] == table.words.letters[b]] = SLIP
    return found.astype(np.uint8)


def _rest(left: str, right: str, rare: bool) -> int:
    """Place of two names of several words by what is left without those they share; all shared by one: a part."""
    if not left or not right:
        return PART
    return texts_by_likeness(left, right, rare, SLIP, FIRST_LETTER if left[0] == right[0] else DIFFERS)


def _elsewhere(register: Register, left: PairSide, right: PairSide) -> NDArray[np.bool_]:
    """True where a forename stands in another column of the other record."""
    found = np.zeros(len(left), dtype=bool)
    if register.has("surname"):
        found |= half_swapped(left, right)
    if register.has("middle_name"):
        found |= _known_by_middle(left, right)
    return found


def _known_by_middle(left: PairSide, right: PairSide) -> NDArray[np.bool_]:
    a, b = left.of("forename"), right.of("forename")
    return ((a == right.of("middle_name")) | (left.of("middle_name") == b)) & (a >= 0) & (b >= 0)


def _denied_by_middle(
    table: NameTable, left: PairSide, right: PairSide, part: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Of pairs of which one forename is a part of the other: whether what the longer has more is not what the
    other has for a middle name. Mohammed Imran, and Mohammed with the middle name Bilal, are Imran and Bilal."""
    found = np.zeros(len(left), dtype=bool)
    at = np.flatnonzero(part)
    text = table.values.text
    for one, other in ((left, right), (right, left)):
        known = at[other.of("middle_name")[at] >= 0]
        codes = (one.of("forename")[known], other.of("forename")[known], other.of("middle_name")[known])
        names = (text.gather(pl.Series(c.astype(np.uint32))).to_list() for c in codes)
        for place, mine, theirs, middle in zip(known, *names, strict=True):
            more, _ = without_common(telling_words(mine), telling_words(theirs))
            found[place] |= bool(more) and not _may_be_one(more, middle)
    return found


def _may_be_one(a: str, b: str) -> bool:
    """Whether two texts have a word or an initial in common, or are spelled somewhat alike."""
    words = set(b.split())
    initials = {word[0] for word in words}
    shared = any(word in words or (min(len(word), len(b)) == 1 and word[0] in initials) for word in a.split())
    return shared or any(one_word(x, y) for x in a.split() for y in words) or likeness(a, b)[0] >= ALIKE


def _crossed(register: Register, left: PairSide, right: PairSide) -> NDArray[np.bool_]:
    """True where a forename stands as the other's middle name. The forename says so: that the middle names then
    differ tells nothing more."""
    if not register.has("forename"):
        return np.zeros(len(left), dtype=bool)
    return _known_by_middle(left, right) & (left.of("forename") != right.of("forename"))


def middle_comparison(register: Register, table: NameTable) -> Comparison:
    """Middle names and initials. Those whose forenames are alike are of one sex, and more often of one origin
    and age: they share middle names more often, and have levels of their own."""
    held = holders(register, "middle_name", "names")
    share, steps = held.share, (held.steps >= 3).astype(np.uint8)
    exact = split_by_rareness(
        MIDDLE_EXACT, share, steps, ["same middle name", "same middle name, an uncommon one"]
    )
    levels: tuple[Level, ...] = (*exact, *MIDDLE_REST)
    base, size = len(exact), len(levels)
    alike = alike_forenames(register)
    if alike:
        levels = with_given(levels, ALIKE_FORENAME)
    null = len(levels)
    rest = tuple(range(base, size))
    opens = ((*rest, null), (*(size + k for k in rest), null)) if alike else ((*rest, null),)

    def judge(a: Codes, b: Codes) -> Levels:
        found = np.full(len(a), base + 2, dtype=np.uint8)
        close = (jaro_winkler(table.values, a, b) >= CLOSE) | table.same_part(a, b) | table.same_family(a, b)
        found[close] = base + 1
        found[table.same_initial(a, b)] = base
        return found

    def settle(left: PairSide, right: PairSide) -> Levels:
        found = per_distinct_pair(left.of("middle_name"), right.of("middle_name"), judge)
        if alike:
            found += alike(left, right) * np.uint8(size)
        found[_crossed(register, left, right)] = null
        return found

    equal = quick_equal("middle_name", steps, null)

    def quick(left: PairSide, right: PairSide) -> Levels:
        found = equal(left, right)
        at = np.flatnonzero(found > null)
        one, other = left.take(at), right.take(at)
        apart = table.surely_unlike(one.of("middle_name"), other.of("middle_name"))
        found[at[apart & ~_crossed(register, one, other)]] = size - 1
        if alike:
            held = np.flatnonzero(found != null)
            found[held] = second_set(found[held], alike(left.take(held), right.take(held)), size, null)
        return found

    given = ("forename",) if alike else ()
    return Comparison("middle_name", levels, quick, settle, opens, lucky=True, given=given)
