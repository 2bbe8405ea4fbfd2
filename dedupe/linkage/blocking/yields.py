"""What blocking loses, and what further rules would bring: counted in samples, not assumed.

`lost_pairs`: a random sample of records is compared with all that share any of many loose keys with them; of the
pairs of one person met so, those that no rule makes are lost. `worthwhile_rules`: of each rule that might be added
a sample of its own pairs is looked at; that which brings most for the pairs it makes is taken first, what the
others bring is then counted without its pairs, and so on, as far as the budget goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import (
    BlockedPairs,
    Blocks,
    Pairs,
    build_blocks,
    rows_key,
    rule_key,
)
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.register.encoding import Register, pair_key

PAIRS_LOOKED_AT = 20_000  # of each rule
LEAST_GAIN = 3e-5  # of the true pairs: a rule that brings less is not taken
PAIRS_A_ROW, PAIRS_AT_MOST, PAIRS_A_ROW_OF_MANY = 20.0, 5e6, 3.0
NET_RECORDS, NET_PAIRS = 1_000, 100_000  # records of the sample, and pairs of each key at most

Judge = Callable[[Pairs], tuple[Pairs, NDArray[np.float64]]]
"""Pairs to those that may be one person, and the chance that each is."""


@dataclass(frozen=True)
class RuleSample:
    """What a rule was found to make. blocks: its own; left, right: pairs of the sample that may be one person;
    same: how many pairs of one person each stands for."""

    blocks: Blocks
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    same: NDArray[np.float64]

    def without(self, register: Register, rule: Rule) -> RuleSample:
        """As if another rule had made its pairs first."""
        mine = rows_key(register, rule, self.left, len(self.left))
        new = (mine == 0) | (mine != rows_key(register, rule, self.right, len(self.right)))
        return replace(self, left=self.left[new], right=self.right[new], same=self.same[new])


def worthwhile_rules(
    register: Register, candidates: BlockedPairs, rules: Sequence[Rule], judge: Judge, true_pairs: float,
    max_block: int, threads: int,
) -> tuple[Blocks, ...]:  # fmt: skip
    """Of `rules` those that are worth their pairs, the best first. true_pairs: how many are expected to be found
    already."""

    def look(rule: Rule) -> RuleSample:
        blocks = build_blocks(register, rule, max_block)
        with_it = replace(candidates, blocks=(*candidates.blocks, blocks))
        rate = min(1.0, PAIRS_LOOKED_AT / max(1, blocks.raw_pairs))
        (left, right), p = judge(with_it.sample(len(candidates.blocks), rate))
        return RuleSample(blocks, left, right, p / rate)

    with ThreadPoolExecutor(threads) as pool:
        left = list(pool.map(look, rules))
    budget = min(PAIRS_A_ROW * register.size, max(PAIRS_AT_MOST, PAIRS_A_ROW_OF_MANY * register.size))
    found: list[Blocks] = []
    while left:
        left = [one for one in left if one.blocks.raw_pairs <= budget]
        left = [one for one in left if one.same.sum() >= max(LEAST_GAIN * true_pairs, 0.5)]
        if not left:
            break
        best = max(left, key=lambda one: one.same.sum() / (one.blocks.raw_pairs + register.size))
        budget -= best.blocks.raw_pairs
        found.append(best.blocks)
        left = [one.without(register, best.blocks.rule) for one in left if one is not best]
    return tuple(found)


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
    met = [np.zeros(0, np.uint64), *(_met(blocks.key, size, None) for blocks in candidates.blocks)]
    spread: list[Rule] = []
    for rule in sorted(net, key=len):
        if any(set(looser) <= register.kind.implied(rule) for looser in spread):
            continue
        pairs = _met(rule_key(register, rule), size, NET_PAIRS)
        if pairs is not None:
            spread.append(rule)
            met.append(pairs)
    keys = np.unique(np.concatenate(met))
    left, right = (keys >> np.uint64(32)).astype(np.int32), (keys & np.uint64(0xFFFFFFFF)).astype(np.int32)
    allowed = candidates.allowed(left, right)
    (left, right), p = judge((left[allowed], right[allowed]))
    made = candidates.captures(left, right) > 0
    return Lost(size, float(p[made].sum()), float(p[~made].sum()))


@overload
def _met(key: NDArray[np.uint32], size: int, most: None) -> NDArray[np.uint64]: ...
@overload
def _met(key: NDArray[np.uint32], size: int, most: int) -> NDArray[np.uint64] | None: ...
def _met(key: NDArray[np.uint32], size: int, most: int | None) -> NDArray[np.uint64] | None:
    """Keys of the pairs of one of the first `size` rows with any row of the same key. None where these are more
    than `most`."""
    mine = np.flatnonzero(key[:size])  # 0 takes no part
    wanted, counts = np.unique(key[mine], return_counts=True)
    if not len(wanted):
        return np.zeros(0, dtype=np.uint64)
    slots = np.zeros(1 << 16, dtype=bool)
    slots[wanted >> np.uint32(16)] = True
    rows = np.flatnonzero(slots.take(key >> np.uint32(16)))
    at = np.minimum(np.searchsorted(wanted, key[rows]), len(wanted) - 1)
    rows, at = rows[wanted[at] == key[rows]], at[wanted[at] == key[rows]]
    if most is not None and counts[at].sum() > most:
        return None
    order = mine[np.argsort(key[mine], kind="stable")]
    starts = (np.cumsum(counts) - counts)[at]
    many = counts[at]
    ends = np.cumsum(many)
    place = np.repeat(starts, many) + np.arange(int(many.sum())) - np.repeat(ends - many, many)
    one, other = order[place], np.repeat(rows, many)
    apart = one != other
    return np.unique(pair_key(one[apart], other[apart]))
