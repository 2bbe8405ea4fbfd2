"""What the other records of a person say of a pair: the evidence of a third record.

Each pair is first judged alone. But one person's records hang together: if a third record is surely the person
of the one and surely the person of the other, the two are one person, little as they may have in common; if it
is surely the one and not the other, they are hardly one. The mixture cannot know this: to it pairs are
independent. So pairs that are not sure by themselves get one more comparison, whose chances among pairs of one
person and of two are fitted by EM with each pair's own p as its prior. What is sure by itself stays as it is.

Two records that no rule brought together, or that were dropped, but that a third binds, are pairs as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import SURE, Levels
from casebridge.dedupe.linkage.register.encoding import ends, pair_key
from casebridge.dedupe.linkage.register.pair_rows import Rows
from casebridge.dedupe.linkage.register.runs import spans

NAME = "third_record"
LABELS = (
    "a third record is surely both",
    "one third record is surely both, another only one of them",
    "a third record is surely one of them and not the other",
)
BOTH, DIVIDED, ONE, NULL = range(4)
UNLIKE = 0.1  # p below which a third record is not the other: belief, on which nothing hangs
MOST_LINKS = 20  # a record bound to more says nothing: it is alike in everything to many
START = np.array([[0.86, 0.06, 0.08], [0.01, 0.01, 0.98]])
PRIOR = 30.0  # pairs' worth of START, a belief: doubled it costs 0.0006 of F1
WRONGLY_BOUND = 0.002  # of pairs of two people, at least: sure links are not always right
ROUNDS, TOLERANCE = 500, 1e-6

Pairs = tuple[Rows, Rows]
Allowed = Callable[[Rows, Rows], NDArray[np.bool_]]


@dataclass(frozen=True)
class Links:
    """The records that each record is surely one person with: those of row r are to[starts[r]:starts[r + 1]]."""

    starts: NDArray[np.int64]
    to: Rows

    @classmethod
    def of(cls, size: int, left: Rows, right: Rows) -> Links:
        one, other = np.concatenate([left, right]), np.concatenate([right, left])
        count = np.bincount(one, minlength=size)
        few = (count <= MOST_LINKS)[one]
        one, other = one[few], other[few]
        ordered = np.sort(one.astype(np.uint64) << np.uint64(32) | other.astype(np.uint64))
        starts = np.concatenate([[0], np.cumsum(np.where(count <= MOST_LINKS, count, 0))])
        return cls(starts, (ordered & np.uint64(0xFFFFFFFF)).astype(np.int32))

    def beside(self, rows: Rows) -> tuple[NDArray[np.int64], Rows]:
        """Of each of `rows` its linked records: place in `rows`, record."""
        count = np.diff(self.starts)[rows]
        return np.repeat(np.arange(len(rows)), count), self.to[spans(self.starts[rows], count)]

    def bound(self) -> Pairs:
        """Pairs of records that a third is linked to, each once, in order."""
        centre = np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))
        at, other = self.beside(centre.astype(np.int32))
        one = self.to[at]
        apart = one < other
        key = np.sort(pair_key(one[apart], other[apart]))
        key = key[np.append(True, key[1:] != key[:-1])] if len(key) else key
        left, right = ends(key)
        return left.astype(np.int32), right.astype(np.int32)


@dataclass(frozen=True)
class PairLookup:
    """p of the pairs that were kept, by sorted pair key."""

    key: NDArray[np.uint64]
    p: NDArray[np.float64]

    @classmethod
    def of(cls, left: Rows, right: Rows, p: NDArray[np.float64]) -> PairLookup:
        key = pair_key(left, right)
        order = np.argsort(key)
        return cls(key[order], p[order])

    def find(self, left: Rows, right: Rows) -> NDArray[np.float64]:
        """p of each pair, -1 where it was not kept."""
        if not len(self.key):
            return np.full(len(left), -1.0)
        key = pair_key(left, right)
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return np.where(self.key[at] == key, self.p[at], -1.0)


def bound_pairs(links: Links, judged: PairLookup, allowed: Allowed) -> Pairs:
    """Pairs that a third record binds and that were not kept."""
    left, right = links.bound()
    new = (judged.find(left, right) < 0) & allowed(left, right)
    return left[new], right[new]


def third_levels(links: Links, judged: PairLookup, allowed: Allowed, left: Rows, right: Rows) -> Levels:
    """What third records say of each pair, as a place in LABELS, or NULL: there is none, or it is in doubt itself.

    | left - third | third - right           | level |
    |--------------|-------------------------|-------|
    | sure         | sure                    | 0     |
    | sure         | doubtful                | NULL  |
    | sure         | unlike, or not kept     | 2     |
    | sure         | may not meet            | NULL  |
    """
    both, one = np.zeros(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
    for mine, other in ((left, right), (right, left)):
        place, third = links.beside(mine)
        across = other[place]
        meet = np.flatnonzero(third != across)
        meet = meet[allowed(third[meet], across[meet])]
        p = judged.find(third[meet], across[meet])
        both[place[meet[p >= SURE]]] = True
        one[place[meet[p < UNLIKE]]] = True
    found = np.full(len(left), NULL, dtype=np.uint8)
    found[one] = ONE
    found[both] = BOTH
    found[both & one] = DIVIDED
    return found


@dataclass(frozen=True)
class ThirdRecords:
    """The fitted comparison. chances: of each of LABELS among pairs of one person and of two, shape (2, 3);
    pairs: how many were not sure by themselves and had a third record."""

    chances: NDArray[np.float64]
    pairs: int

    def shift(self, levels: Levels) -> NDArray[np.float64]:
        """What each level adds to the log odds (natural); NULL adds nothing."""
        return np.append(np.log(self.chances[0] / self.chances[1]), 0.0)[levels]


def fit_thirds(p: NDArray[np.float64], levels: Levels) -> ThirdRecords:
    """The chances of each level by expectation-maximisation: p is each pair's own, and stands."""
    told = levels != NULL
    prior, level = p[told], levels[told]
    chances = START
    for _ in range(ROUNDS):
        same = prior * chances[0, level]
        same /= np.maximum(same + (1 - prior) * chances[1, level], 1e-300)
        counts = np.stack([np.bincount(level, w, len(LABELS)) for w in (same, 1 - same)]) + PRIOR * START
        before, chances = chances, counts / counts.sum(axis=1, keepdims=True)
        chances[1, BOTH] = max(chances[1, BOTH], WRONGLY_BOUND)
        chances /= chances.sum(axis=1, keepdims=True)
        if np.abs(chances - before).max() < TOLERANCE:
            break
    return ThirdRecords(chances, len(level))
