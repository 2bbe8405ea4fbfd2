"""What the comparisons of names, and of addresses, have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Levels
from casebridge.dedupe.linkage.register.encoding import Lists
from casebridge.dedupe.linkage.register.holders import Holders
from casebridge.dedupe.linkage.register.nametable import ALIKE, CLOSE, NameTable
from casebridge.dedupe.linkage.register.namewords import likeness, without_common
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.runs import spans
from casebridge.dedupe.linkage.register.similarity import Codes, edits, jaro_winkler


def rare_spelling(held: Holders) -> Callable[[Codes, Codes], NDArray[np.bool_]]:
    """Says of two spellings whether the rarer one is likely a slip: hardly anyone else writes it so."""
    counts, few = held.counts, held.few

    def rare(a: Codes, b: Codes) -> NDArray[np.bool_]:
        less, more = np.minimum(counts[a], counts[b]), np.maximum(counts[a], counts[b])
        return (less <= few) | (less < 0.01 * more)

    return rare


def half_swapped(left: PairSide, right: PairSide) -> NDArray[np.bool_]:
    """True where the forename of one is the surname of the other, one way at least."""
    a, b = left.of("forename"), right.of("forename")
    return ((a == right.of("surname")) & (a >= 0)) | ((b == left.of("surname")) & (b >= 0))


def rests(table: NameTable, a: Codes, b: Codes, at: NDArray[np.int64]) -> list[tuple[int, str, str]]:
    """Of pairs of names of several words at `at`: place, and what is left of both without the words they share."""
    words = table.words.text
    found = []
    for place in at.tolist():
        left, right = without_common(words[int(a[place])], words[int(b[place])])
        found.append((place, left, right))
    return found


def by_likeness(
    table: NameTable, a: Codes, b: Codes, rare: NDArray[np.bool_], first: int, unlike: NDArray[np.int64] | int
) -> NDArray[np.int64]:
    """Places of pairs of names by their likeness: from `first` on a slip away, spelled closely (of each, one
    spelling rare, or both in use), somewhat alike; `unlike` for the others."""
    long_a, long_b = table.length[a], table.length[b]
    return _places(
        jaro_winkler(table.values, a, b), edits(table.values, a, b), np.minimum(long_a, long_b),
        np.maximum(long_a, long_b), rare, first, unlike,
    )  # fmt: skip


def texts_by_likeness(left: str, right: str, rare: bool, first: int, unlike: int) -> int:
    """As `by_likeness`, of what is left of two names."""
    sizes = sorted((len(left), len(right)))
    facts = [np.array([fact]) for fact in (*likeness(left, right), *sizes, rare)]
    return int(_places(facts[0], facts[1], facts[2], facts[3], facts[4], first, unlike)[0])


def _places(
    likely: NDArray[Any], apart: NDArray[Any], shortest: NDArray[Any], longest: NDArray[Any],
    rare: NDArray[np.bool_], first: int, unlike: NDArray[np.int64] | int,
) -> NDArray[np.int64]:  # fmt: skip
    found = np.where(likely >= ALIKE, first + 4, unlike)
    close = (likely >= CLOSE) | ((apart == 2) & (shortest >= 6))
    found[close] = np.where(rare, first + 2, first + 3)[close]
    slip = (apart == 1) & (longest >= 3)
    found[slip] = np.where(rare, first, first + 1)[slip]
    return found


def second_set(found: Levels, which: NDArray[np.bool_], size: int, null: int) -> Levels:
    """The levels of the pairs `which` as those of the second set of `size`; the open ones as the second open."""
    return found + np.where(found == null, 0, np.where(found > null, 1, size)).astype(np.uint8) * which


def either_listed(lists: Lists, role: str, left: PairSide, right: PairSide) -> NDArray[np.bool_]:
    """True where a value listed for one row is the present value, or a listed one, of the other."""
    count = np.diff(lists.starts)
    found = np.zeros(len(left), dtype=bool)
    for mine, other in ((left, right), (right, left)):
        some = np.flatnonzero(count.take(mine.rows) > 0)
        rows = mine.rows[some]
        many = count.take(rows)
        value = lists.codes.take(spans(lists.starts.take(rows), many))
        place = np.repeat(some, many)
        found[place[value == other.of(role)[place]]] = True
    return found
