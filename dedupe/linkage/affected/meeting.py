"""Which records meet some records by the blocking rules: found by their keys, no list of pairs is ever kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.divisions import Division
from casebridge.dedupe.linkage.blocking.keys import WINDOW
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.register.encoding import pair_key
from casebridge.dedupe.linkage.register.runs import Key, spans

Rows = NDArray[np.int64]
Order = Callable[[Rows], NDArray[np.int64]]
"""Places of rows in the order that their ids decide."""


@dataclass(frozen=True)
class Meeting:
    """The rules of a kept model, with how each divides its blocks."""

    rules: Sequence[Rule]
    divisions: Sequence[Division]
    max_block: int

    def pairs(self, keys: Sequence[Key], rows: Rows, order: Order) -> NDArray[np.uint64]:
        """Pair keys of `rows` with every record that a rule brings them together with, each once. keys: of every
        record, by rule."""
        found = [np.zeros(0, dtype=np.uint64)]
        for rule, division, key in zip(self.rules, self.divisions, keys, strict=True):
            found += list(self._of_rule(rule, division, key, rows, order))
        return np.unique(np.concatenate(found))

    def _of_rule(
        self, rule: Rule, division: Division, key: Key, rows: Rows, order: Order
    ) -> Iterator[NDArray[np.uint64]]:
        met = Met.of(key, rows)
        some = division.by_neighbours(rule, met.wanted, met.held, self.max_block)
        for which in np.flatnonzero(some):
            block = met.block(int(which))
            block = block[order(block)]
            at = np.flatnonzero(np.isin(block, rows))
            for step in range(1, WINDOW + 1):
                for near in (at + step, at - step):
                    within = (near >= 0) & (near < len(block))
                    yield pair_key(block[at[within]], block[near[within]])
        yield met.pairs(rows, key, ~some)

    def moved(self, keys: Sequence[Key], left: Rows, came: Rows, order: Order) -> Rows:
        """Records of blocks paired by neighbours whose neighbours may be others now. keys: of every record, those
        that left among them. left, came: records that left and that came; one that changed stands in both, once as
        it was and once as it is."""
        found = [np.zeros(0, dtype=np.int64)]
        changed = np.concatenate([left, came])
        for rule, division, key in zip(self.rules, self.divisions, keys, strict=True):
            met = Met.of(key, changed)
            then, today = (
                division.by_neighbours(rule, met.wanted, met.held - met.count(some), self.max_block)
                for some in (came, left)
            )
            for which in np.flatnonzero(then | today):
                block = met.block(int(which))
                if then[which] == today[which]:
                    block = block[order(block)]
                    at = np.flatnonzero(np.isin(block, changed))
                    near = (at[:, None] + np.arange(-WINDOW, WINDOW + 1)).ravel()
                    block = block[np.unique(near[(near >= 0) & (near < len(block))])]
                found.append(block)
        return np.unique(np.concatenate(found))


@dataclass(frozen=True)
class Met:
    """The records that share a key with some records. wanted: these keys, in order. held: how many records hold
    each. members: they, key by key; starts: where each key's begin."""

    wanted: Key
    held: NDArray[np.int64]
    members: Rows
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, key: Key, rows: Rows) -> Met:
        wanted = np.unique(key[rows])
        wanted = wanted[wanted > 0]
        if not len(wanted):
            none = np.zeros(0, dtype=np.int64)
            return cls(wanted, none, none, none)
        slots = np.zeros(1 << 16, dtype=bool)  # a quick look first: most records share no key with any
        slots[wanted >> np.uint32(16)] = True
        members = np.flatnonzero(slots.take(key >> np.uint32(16)))
        at = np.minimum(np.searchsorted(wanted, key[members]), len(wanted) - 1)
        same = wanted[at] == key[members]
        members, at = members[same], at[same]
        order = np.argsort(at, kind="stable")
        held = np.bincount(at, minlength=len(wanted))
        return cls(wanted, held, members[order], np.cumsum(held) - held)

    def block(self, which: int) -> Rows:
        """The records of one key."""
        return self.members[self.starts[which] : self.starts[which] + self.held[which]]

    def count(self, rows: Rows) -> NDArray[np.int64]:
        """How many of `rows` hold each key."""
        at = np.repeat(np.arange(len(self.held)), self.held)
        return np.bincount(at[np.isin(self.members, rows)], minlength=len(self.held))

    def pairs(self, rows: Rows, key: Key, some: NDArray[np.bool_]) -> NDArray[np.uint64]:
        """Pair keys of `rows` with all who share their key, where that is one of `some`."""
        rows = rows[key[rows] > 0]
        at = np.searchsorted(self.wanted, key[rows])
        rows, at = rows[some[at]], at[some[at]]
        many = self.held[at]
        one, other = np.repeat(rows, many), self.members[spans(self.starts[at], many)]
        apart = one != other
        return pair_key(one[apart], other[apart])
