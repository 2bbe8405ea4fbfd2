"""What blocking loses: a random sample of records is compared with all that share a loose key with them.

Of the pairs of one person met so, those that no rule makes are lost. The register is gone through once, a stretch
of rows at a time: each part of a key is made once for all keys, and rows are left out of which one part says
something that no record of the sample says.
"""

from __future__ import annotations

from collections.abc import Sequence
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
SLOTS = 16  # 2 to this power places for what the sample holds


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


def lost_pairs(register: Register, candidates: BlockedPairs, net: Sequence[Rule], judge: Judge) -> Lost:
    """What the rules of `candidates` lose of all that a sample of records meets in the keys of `net`. What no key
    of the net brings together stays unseen."""
    size = min(NET_RECORDS, register.size)  # rows stand in the order of a hash: the first are a random sample
    met = [made_by(blocks, size) for blocks in candidates.blocks]
    keys = pl.Series(np.concatenate([*met, *_spread(register, net, size)])).unique().sort().to_numpy()
    left, right = (rows.astype(np.int32) for rows in ends(keys))
    allowed = candidates.allowed(left, right)
    (left, right), p = judge((left[allowed], right[allowed]))
    made = candidates.captures(left, right) > 0
    return Lost(size, float(p[made].sum()), float(p[~made].sum()))


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


class _Places:
    """Which numbers may be among some: a table of places, in which others fall by accident at times."""

    def __init__(self, some: NDArray[np.uint64]) -> None:
        self.taken = np.zeros(1 << SLOTS, dtype=bool)
        self.taken[self._of(some)] = True

    @staticmethod
    def _of(numbers: NDArray[np.uint64]) -> NDArray[np.int64]:
        return ((numbers * SEED) >> np.uint64(64 - SLOTS)).view(np.int64)

    def may_hold(self, numbers: NDArray[np.uint64]) -> NDArray[np.bool_]:
        return self.taken.take(self._of(numbers))


class _Wide:
    """One key of the net: what the sample holds of it, and its pairs with the rows that hold the same. Given up
    once these are more than NET_PAIRS."""

    def __init__(self, rule: Rule, key: Key) -> None:
        self.rule, self.rows = rule, np.flatnonzero(key)  # 0 takes no part
        self.wanted, self.counts = np.unique(key[self.rows], return_counts=True)
        self.order = self.rows[np.argsort(key[self.rows], kind="stable")]
        self.places = _Places(self.wanted.astype(np.uint64))
        self.met: list[NDArray[np.uint64]] = []
        self.pairs = 0

    @property
    def given_up(self) -> bool:
        return self.pairs > NET_PAIRS

    def meet(self, rows: NDArray[np.int64], key: Key) -> None:
        """Take the pairs of some rows of the register, of which these are the keys."""
        may = np.flatnonzero(self.places.may_hold(key.astype(np.uint64)))
        rows, key = rows[may], key[may]
        at = np.minimum(np.searchsorted(self.wanted, key), len(self.wanted) - 1)
        same = self.wanted[at] == key
        rows, at = rows[same], at[same]
        many = self.counts[at]
        self.pairs += int(many.sum())
        if self.given_up:
            self.met.clear()
            return
        place = spans(np.cumsum(self.counts)[at] - many, many)
        self.met.append(_apart(self.order[place], np.repeat(rows, many)))


def _apart(one: NDArray[np.integer], other: NDArray[np.integer]) -> NDArray[np.uint64]:
    """Keys of pairs of rows; of a row with itself none."""
    apart = one != other
    return pair_key(one[apart], other[apart])


def _spread(register: Register, net: Sequence[Rule], size: int) -> list[NDArray[np.uint64]]:
    """Keys of the pairs of one of the first `size` rows with any row, for each key of the net that makes no more
    than NET_PAIRS; those left out that a looser one covers."""
    parts = sorted({name for rule in net for name in rule})
    sample = {name: part_key(register, name, slice(0, size)) for name in parts}
    places = {name: _Places(sample[name]) for name in parts}
    wide = [_Wide(rule, key_of([sample[name] for name in rule])) for rule in sorted(net, key=len)]
    wide = [one for one in wide if len(one.wanted)]
    for first in range(0, register.size, CHUNK):
        some = slice(first, min(first + CHUNK, register.size))
        _meet_rows(register, [one for one in wide if not one.given_up], places, some)
    kept: list[_Wide] = []
    for one in wide:
        covered = any(set(looser.rule) <= register.kind.implied(one.rule) for looser in kept)
        if not one.given_up and not covered:
            kept.append(one)
    return [met for one in kept for met in one.met]


def _meet_rows(register: Register, wide: Sequence[_Wide], places: dict[str, _Places], some: slice) -> None:
    values = {name: part_key(register, name, some) for name in {name for one in wide for name in one.rule}}
    alike = {name: places[name].may_hold(part) & (part != 0) for name, part in values.items()}
    for one in wide:
        at = np.flatnonzero(np.logical_and.reduce([alike[name] for name in one.rule]))
        if len(at):
            one.meet(at + some.start, key_of([values[name][at] for name in one.rule]))
