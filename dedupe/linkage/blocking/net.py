"""What blocking loses: a random sample of records is compared with all that share a loose key with them.

Of the pairs of one person met so, those that no rule makes are lost. The register is gone through once, a stretch
of rows at a time: each part of a key is made once for all keys, and a small table for each key leaves out nearly
all rows that say something that no record of the sample says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import CHUNK, BlockedPairs, Blocks, key_of, part_key
from casebridge.dedupe.linkage.blocking.yields import Judge
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.register.content import SEED
from casebridge.dedupe.linkage.register.encoding import Register, ends, pair_key
from casebridge.dedupe.linkage.register.runs import Key, spans

NET_RECORDS, NET_PAIRS = 1_000, 100_000  # records of the sample, and pairs of each key at most
SPREAD = np.uint16(0x9E37)
Slots = NDArray[np.uint16]


@dataclass(frozen=True)
class Lost:
    """Pairs of one person that a sample of records met in a wide net: those that blocking makes, and those it does
    not. records: how many were looked at."""

    records: int
    found: float
    missed: float

    @property
    def recall(self) -> float:
        return self.found / (self.found + self.missed) if self.found + self.missed > 0 else 1.0

    def of(self, found: float) -> float:
        """How many pairs a register loses whose blocking makes `found`."""
        return found * (1 - self.recall) / max(self.recall, 0.01)


def lost_pairs(register: Register, candidates: BlockedPairs, met: NDArray[np.uint64], judge: Judge) -> Lost:
    """What the rules of `candidates` lose of all that a sample of records meets. met: what it meets in a net
    (`met_in`). What no key of the net brings together stays unseen."""
    size = min(NET_RECORDS, register.size)
    made = [made_by(blocks, size) for blocks in candidates.blocks]
    keys = pl.Series(np.concatenate([*made, met])).unique().sort().to_numpy()
    left, right = (rows.astype(np.int32) for rows in ends(keys))
    allowed = candidates.allowed(left, right)
    (left, right), p = judge((left[allowed], right[allowed]))
    found = candidates.captures(left, right) > 0
    return Lost(size, float(p[found].sum()), float(p[~found].sum()))


def made_by(blocks: Blocks, size: int) -> NDArray[np.uint64]:
    """Keys of the pairs of one of the first `size` rows that a rule makes."""
    mine = np.flatnonzero(blocks.order < size)
    held = blocks.key.take(blocks.order.take(mine))
    first, end = blocks.edge(held), blocks.edge(held, after=True)
    reach = blocks.reach.take(first).astype(np.int64)
    first, end = np.maximum(first, mine - reach), np.minimum(end, mine + reach + 1)
    many = end - first
    place = np.repeat(first - np.cumsum(many) + many, many) + np.arange(int(many.sum()))
    return _apart(np.repeat(blocks.order.take(mine), many), blocks.order.take(place))


def _slots(numbers: NDArray[np.uint64]) -> Slots:
    """A place for each number, in which others fall by accident at times."""
    return ((numbers * SEED) >> np.uint64(48)).astype(np.uint16)


def _slots_of(rule: Rule, slots: Mapping[str, Slots]) -> Slots:
    """A place for what rows say in all parts of a rule. slots: those of each part."""
    found = slots[rule[0]]
    for name in rule[1:]:
        found = found * SPREAD + slots[name]
    return found


class _Wide:
    """One key of the net: what the sample holds of it, and its pairs with the rows that hold the same. Given up
    once these are more than NET_PAIRS."""

    def __init__(self, rule: Rule, key: Key, slots: Mapping[str, Slots]) -> None:
        self.rule, rows = rule, np.flatnonzero(key)  # 0 takes no part
        self.wanted, self.counts = np.unique(key[rows], return_counts=True)
        self.order = rows[np.argsort(key[rows], kind="stable")]
        self.held = np.zeros(1 << 16, dtype=bool)
        self.held[_slots_of(rule, slots)[rows]] = True
        self.met: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
        self.pairs = 0

    @property
    def given_up(self) -> bool:
        return self.pairs > NET_PAIRS

    def meet(self, rows: NDArray[np.int64], key: Key) -> None:
        """Take some rows of the register, of which these are the keys, where the sample holds the same."""
        at = np.minimum(np.searchsorted(self.wanted, key), len(self.wanted) - 1)
        same = self.wanted[at] == key
        rows, at = rows[same], at[same]
        self.pairs += int(self.counts[at].sum())
        self.met.append((rows.astype(np.int32), at.astype(np.int32)))
        if self.given_up:
            self.met.clear()

    def keys(self) -> NDArray[np.uint64]:
        """Keys of the pairs of the rows taken with those of the sample."""
        rows, at = (np.concatenate(side) for side in zip(*self.met, strict=True))
        many = self.counts[at]
        place = spans(np.cumsum(self.counts)[at] - many, many)
        return _apart(self.order[place], np.repeat(rows, many))


def _apart(one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Keys of pairs of rows; of a row with itself none."""
    apart = one != other
    return pair_key(one[apart], other[apart])


def met_in(register: Register, net: Sequence[Rule]) -> NDArray[np.uint64]:
    """Keys of the pairs of one of NET_RECORDS rows with any row, for each key of the net that makes no more than
    NET_PAIRS; those left out that a looser one covers. One pair may come several times."""
    size = min(NET_RECORDS, register.size)  # rows stand in the order of a hash: the first are a random sample
    parts = sorted({name for rule in net for name in rule})
    sample = {name: part_key(register, name, slice(0, size)) for name in parts}
    slots = {name: _slots(part) for name, part in sample.items()}
    wide = [_Wide(rule, key_of([sample[name] for name in rule]), slots) for rule in sorted(net, key=len)]
    wide = [one for one in wide if len(one.wanted)]
    for first in range(0, register.size, CHUNK):
        some = slice(first, min(first + CHUNK, register.size))
        _meet_rows(register, [one for one in wide if not one.given_up], some)
    kept: list[_Wide] = []
    for one in wide:
        covered = any(set(looser.rule) <= register.kind.implied(one.rule) for looser in kept)
        if not one.given_up and not covered:
            kept.append(one)
    return np.concatenate([np.zeros(0, dtype=np.uint64), *(one.keys() for one in kept if one.met)])


def _meet_rows(register: Register, wide: Sequence[_Wide], some: slice) -> None:
    values = {name: part_key(register, name, some) for name in {name for one in wide for name in one.rule}}
    slots = {name: _slots(part) for name, part in values.items()}
    for one in wide:
        at = np.flatnonzero(one.held.take(_slots_of(one.rule, slots)))
        if len(at):
            one.meet(at + some.start, key_of([values[name][at] for name in one.rule]))
