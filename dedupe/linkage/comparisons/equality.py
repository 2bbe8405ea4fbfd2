"""Values that are the same or not: the comparison of a column of text, whatever is asked of two that differ."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Comparison, Level, Levels
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import holders
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, per_distinct_pair


def quick_equal(role: str, same: NDArray[np.integer], null: int) -> Callable[[PairSide, PairSide], Levels]:
    """Missing, open where two values differ, or the level of those that agree (`same`, by code of the value)."""
    table = np.append(same, null).astype(np.uint8)

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of(role), right.of(role)
        found = np.where(a == b, table.take(a), np.uint8(null + 1))
        found[(a | b) < 0] = null
        return found

    return quick


def value_comparison(
    role: str, levels: tuple[Level, ...], same: NDArray[np.integer], judge: Callable[[Codes, Codes], Levels],
    first: int, identifier: bool = False, moves: bool = False,
) -> Comparison:  # fmt: skip
    """The comparison of a column of text. same: the level of two that agree, by code of the value. judge: the
    levels of pairs of codes that differ, from `first` on."""

    def settle(left: PairSide, right: PairSide) -> Levels:
        return per_distinct_pair(left.of(role), right.of(role), judge)

    quick, rest = quick_equal(role, same, len(levels)), tuple(range(first, len(levels)))
    return Comparison(role, levels, quick, settle, (rest,), identifier=identifier, moves=moves)


def held_by_more(register: Register, role: str, most: int) -> Levels:
    """1 for a value that more than `most` records hold, 0 for others; by its code."""
    return (holders(register, role, role).counts > most).astype(np.uint8)
