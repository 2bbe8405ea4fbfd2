"""The E-step: how far each component explains each pattern, and what each component then expects of each level."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from casebridge.dedupe.linkage.model.patterns import Patterns, distinct

MOST_ODDS = 700.0  # natural log: beyond it a float64 overflows
LEAST = 1e-300


class Halves:
    """Patterns cut in two. Twenty thousand patterns are pairs of some hundred first and second halves: the chance
    of a half is worked out once, and a pattern's is the product of two.

    Sparse sums run on one thread: a dense product would wake as many as the machine has cores.
    floor: natural log of the background's chance of each pattern.
    """

    def __init__(self, patterns: Patterns, sizes: Sequence[int], floor: NDArray[np.float64]) -> None:
        levels, self.floor = patterns.levels, floor
        cut = _best_cut(levels, sizes)
        self.parts = [
            _Part(levels, sizes, columns, patterns.weight) for columns in (range(cut), _from(cut, sizes))
        ]

    def expect(
        self, log_chances: NDArray[np.float64], log_shares: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """log of the chance of each pattern under the whole mixture; expected pairs by (component, level) and by
        component."""
        first, second = self.parts
        one, top_one = first.chances(log_chances, log_shares)
        other, top_other = second.chances(log_chances, 0.0)
        posterior = one.take(first.place, axis=0)
        posterior *= other.take(second.place, axis=0)
        top = top_one.take(first.place) + top_other.take(second.place)
        total = posterior.sum(axis=1) + np.exp(np.minimum(self.floor - top, MOST_ODDS))
        total = np.maximum(total, LEAST)
        posterior /= total[:, None]
        by_first, by_second = first.weighed @ posterior, second.weighed @ posterior
        counts = first.by_level @ by_first + second.by_level @ by_second
        return np.log(total) + top, counts.T, by_first.sum(axis=0)


class _Part:
    """Some of the comparisons. place: which of its own distinct patterns each whole pattern has; weighed: sums
    over whole patterns by these, each as often as it stands; by_level: sums over these by level."""

    def __init__(
        self, levels: NDArray[np.uint8], sizes: Sequence[int], columns: range, weight: NDArray[np.float64]
    ) -> None:
        found, self.place = distinct(_codes(levels, sizes, columns))
        several = np.arange(len(levels))
        self.weighed = csr_array((weight, (self.place, several)), shape=(len(found), len(levels)))
        example = np.zeros(len(found), dtype=np.int64)
        example[self.place] = several
        self.one_hot = _one_hot(levels[example], sizes, columns)
        self.by_level = self.one_hot.T.tocsr()

    def chances(
        self, log_chances: NDArray[np.float64], log_shares: NDArray[np.float64] | float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Chance of each half pattern by component as a share of the largest, and the log of the largest."""
        joint = self.one_hot @ log_chances.T + log_shares
        top = joint.max(axis=1)
        return np.exp(joint - top[:, None]), top


def _from(cut: int, sizes: Sequence[int]) -> range:
    return range(cut, len(sizes))


def _codes(levels: NDArray[np.uint8], sizes: Sequence[int], columns: range) -> NDArray[np.int64]:
    code = np.zeros(len(levels), dtype=np.int64)
    for column in columns:
        code = code * (sizes[column] + 1) + levels[:, column]
    return code


def _best_cut(levels: NDArray[np.uint8], sizes: Sequence[int]) -> int:
    """Where to cut so that both parts have the fewest patterns."""

    def held(columns: range) -> int:
        return len(distinct(_codes(levels, sizes, columns))[0])

    return min(range(len(sizes) + 1), key=lambda cut: held(range(cut)) + held(_from(cut, sizes)))


def _one_hot(levels: NDArray[np.uint8], sizes: Sequence[int], columns: range) -> csr_array:
    """One column a level of all comparisons, 1 where the pattern has it; a missing answer has no column."""
    before = np.cumsum([0, *sizes[:-1]])
    within = np.isin(np.arange(len(sizes)), np.array(columns, dtype=np.int64))
    given = (levels < np.array(sizes)) & within
    places = (levels.astype(np.int64) + before)[given]
    starts = np.concatenate([[0], np.cumsum(given.sum(axis=1))])
    return csr_array((np.ones(len(places)), places, starts), shape=(len(levels), sum(sizes)))
