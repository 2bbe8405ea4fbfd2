"""What the comparisons of names, and of addresses, have in common."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from dedupe.linkage.levels import Levels, Rows
from dedupe.linkage.register import Lists, Register
from dedupe.linkage.similarity import Codes
from dedupe.linkage.values import rareness, shares


def agreement(column: NDArray[np.int32], size: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    share = shares(column, size)
    return share, rareness(share)


def quick_equal(column: NDArray[np.int32], steps: NDArray[np.uint8], null: int) -> Callable[[Rows, Rows], Levels]:
    """Agreement by rareness, missing, or open."""
    table = np.append(steps, np.uint8(null)).astype(np.uint8)

    def quick(left: Rows, right: Rows) -> Levels:
        a, b = column.take(left), column.take(right)
        found = np.where(a == b, table.take(a), np.uint8(null + 1))
        found[(a | b) < 0] = null
        return found

    return quick


def rare_spelling(column: NDArray[np.int32], size: int) -> Callable[[Codes, Codes], NDArray[np.bool_]]:
    """Says of two spellings whether the rarer one is likely a slip: hardly anyone else writes it so."""
    counts = np.bincount(column[column >= 0], minlength=size)
    few = max(2.0, 3e-5 * counts.sum())

    def rare(a: Codes, b: Codes) -> NDArray[np.bool_]:
        less, more = np.minimum(counts[a], counts[b]), np.maximum(counts[a], counts[b])
        return (less <= few) | (less < 0.01 * more)

    return rare


def swapped(register: Register, left: Rows, right: Rows, other: str = "surname") -> NDArray[np.bool_]:
    first, last = register.columns["forename"], register.columns[other]
    return (
        (first.take(left) == last.take(right)) & (last.take(left) == first.take(right)) & (first.take(left) >= 0)
        & (first.take(right) >= 0) & (first.take(left) != first.take(right))
    )  # fmt: skip


def second_set(found: Levels, which: NDArray[np.bool_], size: int, null: int) -> Levels:
    """The levels of the pairs `which` as those of the second set of `size`; the open ones as the second open."""
    return found + np.where(found == null, 0, np.where(found > null, 1, size)).astype(np.uint8) * which


def either_listed(lists: Lists, column: NDArray[np.int32], left: Rows, right: Rows) -> NDArray[np.bool_]:
    """True where a value listed for one row is the present value, or a listed one, of the other."""
    count = np.diff(lists.starts)
    found = np.zeros(len(left), dtype=bool)
    for mine, other in ((left, right), (right, left)):
        some = np.flatnonzero(count.take(mine) > 0)
        many = count.take(mine[some])
        item = np.repeat(lists.starts.take(mine[some]), many) + _within(many)
        value, row = lists.codes.take(item), np.repeat(some, many)
        found[row[value == column.take(other[row])]] = True
    return found


def _within(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    ends = np.cumsum(counts)
    return np.arange(int(counts.sum())) - np.repeat(ends - counts, counts)
