"""Forename and surname that stand in one another's column: on one side of a pair, with a slip, or on both."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.equality import quick_equal
from casebridge.dedupe.linkage.comparisons.levels import Levels
from casebridge.dedupe.linkage.comparisons.namepairs import rare_spelling
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import Holders, holders
from casebridge.dedupe.linkage.register.nametable import NameTable
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, edits, per_distinct_pair

Rare = Callable[[Codes, Codes], NDArray[np.bool_]]
MISPLACED = 10  # times as many hold a name in the other column
MARK = "turned names"


def swapped(left: PairSide, right: PairSide, other: str = "surname") -> NDArray[np.bool_]:
    """True where the forename of each is the `other` name of the other."""
    a, b = left.of("forename"), right.of("forename")
    return (a == right.of(other)) & (left.of(other) == b) & (a >= 0) & (b >= 0) & (a != b)


def rare_in_either(register: Register) -> Rare:
    """As `rare_spelling`, of names that stand in either of the two columns."""
    first, last = (holders(register, role, "names") for role in ("forename", "surname"))
    return rare_spelling(Holders(np.maximum(first.counts, last.counts), max(first.total, last.total)))


def nearly_swapped(table: NameTable, left: PairSide, right: PairSide, rare: Rare) -> NDArray[np.bool_]:
    """True where forename and surname change places, and one of the two has a slip: one of them stands as it is in
    the other's other field, and the rest are a slip apart, one spelling hardly in use, or the same words. Frank
    Peters and Peter Frank are two people."""
    found = np.zeros(len(left), dtype=bool)
    for one, other in ((left, right), (right, left)):
        first, last = one.of("surname"), other.of("forename")
        crossed = (one.of("forename") == other.of("surname")) & (one.of("forename") >= 0)
        at = np.flatnonzero(crossed & (first >= 0) & (last >= 0) & (first != last))
        found[at] |= per_distinct_pair(first[at], last[at], lambda a, b: _one_slip(table, a, b, rare)) > 0
    return found


def _one_slip(table: NameTable, a: Codes, b: Codes, rare: Rare) -> Levels:
    longest = np.maximum(table.length[a], table.length[b])
    slip = (edits(table.values, a, b, most=1) == 1) & (longest > 3) & rare(a, b)
    return (slip | table.same_words(a, b)).astype(np.uint8)


def equal_names(
    register: Register, role: str, steps: NDArray[np.uint8], null: int
) -> Callable[[PairSide, PairSide], Levels]:
    """As `quick_equal`, of forenames or surnames by their rareness. Of records whose forename is far commoner as a
    surname, and the surname as a forename, the names are as rare as in the column that they are of: two strangers
    entered as Jones, Sian agree as easily as if they were Sian Jones."""
    equal = quick_equal(role, steps, null)
    if not (register.has("forename") and register.has("surname")):
        return equal
    first, last = (holders(register, one, "names") for one in ("forename", "surname"))
    turned = _turned(register, first, last)
    if not turned.any():
        return equal
    mark, in_place = register.mark(MARK, lambda: turned), np.minimum(first.steps, last.steps)

    def quick(left: PairSide, right: PairSide) -> Levels:
        found, a = equal(left, right), left.of(role)
        at = np.flatnonzero(left.of(mark) & right.of(mark) & (a == right.of(role)))
        found[at] = in_place.take(a[at])
        return found

    return quick


def _turned(register: Register, first: Holders, last: Holders) -> NDArray[np.bool_]:
    """Rows of which both names are MISPLACED times commoner in the other column. What few hold counts as held by
    so many, for a kept model does not know how few they are."""
    forename, surname = register.columns["forename"], register.columns["surname"]
    found = (forename >= 0) & (surname >= 0)
    for codes, own, other in ((forename, first, last), (surname, last, first)):
        often = other.counts >= MISPLACED * np.maximum(own.counts, own.few)
        found &= often.take(codes, mode="wrap")
    return np.asarray(found)
