"""What a fitted mixture says of pairs of one name and one date, or nearly one, held to what was counted.

What it takes for chance stays near to the count of strangers (`namesakes`). Of pairs whose dates are a slip apart
what is more than strangers explain is one person, whatever the product of chances says: who is written wrong in
one column may be written well in all others, and the product expects fewer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Comparison
from casebridge.dedupe.linkage.model.background import MOST, missing
from casebridge.dedupe.linkage.model.namesakes import Namesakes
from casebridge.dedupe.linkage.model.patterns import Patterns

ROUNDS, BELIEF = 50, 1.0  # of `_rate`: pairs' worth of belief that one person's are as many as the model says
LogJoint = Callable[[NDArray[np.uint8]], NDArray[np.float64]]


@dataclass(frozen=True)
class HeldChance:
    """The count beside candidate pairs: what the components of chance are held to.

    Components take as given which comparisons are missing, and of those with two sets of levels (the second from
    `splits` on) which set it is. cells: these facts as bits, in order; log_pairs: natural log of the candidate
    pairs of each cell. shown, more: codes of patterns whose dates nearly agree,
    in order, and by how much one person's pairs among them are more than the model says, natural log; excess:
    the same by number of the date's level, for patterns not shown."""

    count: Namesakes
    nulls: list[int]
    splits: list[int]
    cells: NDArray[np.int64]
    log_pairs: NDArray[np.float64]
    shown: NDArray[np.int64]
    more: NDArray[np.float64]
    excess: NDArray[np.float64]

    @classmethod
    def of(cls, count: Namesakes, comparisons: Sequence[Comparison], patterns: Patterns) -> HeldChance:
        """The count beside the candidates with these patterns."""
        nulls, splits = [c.null for c in comparisons], [c.groups[0] for c in comparisons]
        cells, place = np.unique(_cells(patterns.levels, nulls, splits), return_inverse=True)
        log_pairs = np.log(np.bincount(place, weights=patterns.weight) / patterns.share)
        none, excess = np.zeros(0), np.zeros(len(count.off))
        return cls(count, nulls, splits, cells, log_pairs, none.astype(np.int64), none, excess)

    def hold(
        self, joint: NDArray[np.float64], same: NDArray[np.bool_], chance: NDArray[np.bool_],
        levels: NDArray[np.uint8],
    ) -> None:  # fmt: skip
        """Hold what is taken for chance near to what was counted, and what is taken for one person near to what
        pairs show beyond it. joint: log of the share of each pattern by component, changed in place; same,
        chance: which components are one person, and which chance."""
        rows = np.flatnonzero(self.count.counted(levels))
        cell = _cells(levels[rows], self.nulls, self.splits)
        at = np.minimum(np.searchsorted(self.cells, cell), len(self.cells) - 1)
        known = self.cells[at] == cell
        rows, at = rows[known], at[known]
        if not len(rows):
            return
        expected, off = self.count.log_expected(levels[rows])
        expected -= self.log_pairs[at]
        place = np.ix_(rows, np.flatnonzero(chance))
        fitted = np.logaddexp.reduce(joint[place], axis=1)
        joint[place] += (np.clip(fitted, expected - off, expected + off) - fitted)[:, None]
        joint[np.ix_(rows, np.flatnonzero(same))] += self._more(levels[rows])[:, None]

    def beyond(
        self, log_joint: LogJoint, same: NDArray[np.bool_], chance: NDArray[np.bool_], patterns: Patterns
    ) -> HeldChance:
        """The count with what the pairs of these patterns show beyond strangers. log_joint: log of the share of
        each pattern by component, as the model has it."""
        near = self.count.counted(patterns.levels) & ~self.count.same_date(patterns.levels)
        levels, weight = patterns.levels[near], patterns.weight[near]
        if not len(levels):
            return self
        joint = log_joint(levels)
        self.hold(joint, same, chance, levels)
        size = self.log_pairs[np.searchsorted(self.cells, _cells(levels, self.nulls, self.splits))]
        pairs = np.exp(np.maximum(joint + size[:, None], -MOST)) * patterns.share
        one, others = pairs[:, same].sum(axis=1), pairs[:, ~same].sum(axis=1)
        date, many = levels[:, self.count.date], len(self.excess)
        shown, said, strangers = (
            np.bincount(date, w, minlength=many).astype(np.float64) for w in (weight, one, others)
        )
        strangers = np.maximum(strangers, patterns.share * self.count.most)  # each may be held below its count
        met, excess = np.unique(date), np.zeros(many)
        excess[met] = np.log(_rate(shown[met], said[met], strangers[met]) / said[met])
        more = np.log(_rate(weight, one * np.exp(excess[date]), others) / one)
        codes = self.count.radix.encode(list(levels.T))
        order = np.argsort(codes)
        return replace(self, shown=codes[order], more=more[order], excess=excess)

    def _more(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        by_level = self.excess[levels[:, self.count.date]]
        if not len(self.shown):
            return by_level
        codes = self.count.radix.encode(list(levels.T))
        at = np.minimum(np.searchsorted(self.shown, codes), len(self.shown) - 1)
        return np.where(self.shown[at] == codes, self.more[at], by_level)


def _rate(
    shown: NDArray[np.float64], one: NDArray[np.float64], others: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How many of the pairs `shown` are one person beside so many others: the likeliest, with BELIEF that they are
    `one` (a gamma prior; EM for the rate of one of two Poisson counts)."""
    found = one
    for _ in range(ROUNDS):
        found = (shown * found / (found + others) + BELIEF) / (1 + BELIEF / one)
    return found


def _cells(levels: NDArray[np.uint8], nulls: Sequence[int], splits: Sequence[int]) -> NDArray[np.int64]:
    found = missing(levels, nulls)
    for place, (null, split) in enumerate(zip(nulls, splits, strict=True)):
        second = (levels[:, place] >= split) & (levels[:, place] < null)
        found |= second.astype(np.int64) << (len(nulls) + place)
    return found
