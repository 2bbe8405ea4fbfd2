"""What further rules would bring: counted in samples, not assumed.

Of each rule that might be added a sample of its own pairs is looked at; that which brings most for the pairs it
makes is taken first, what the others bring is then counted without its pairs, and so on, as far as the budget
goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import (
    BlockedPairs,
    Blocks,
    Pairs,
    build_blocks,
    rows_key,
)
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.register.encoding import Register

PAIRS_LOOKED_AT = 20_000  # of each rule
LEAST_GAIN = 3e-5  # of the true pairs: a rule that brings less is not taken
MUCH_LOST, MOST_TIMES = 0.1, 3.0
LIKELY, LEAST_YIELD = 0.5, 5e-4
"""Where a larger share is lost, as many times more pairs may be made, by rules of whose pairs so large a share is
likely one person: else a model that takes strangers for one would ask for ever more of them."""
PAIRS_A_ROW, PAIRS_AT_MOST, PAIRS_A_ROW_OF_MANY = 20.0, 5e6, 3.0

Judge = Callable[[Pairs], tuple[Pairs, NDArray[np.float64]]]
"""Pairs to those that may be one person, and the chance that each is."""


@dataclass(frozen=True)
class RuleSample:
    """What a rule was found to make. blocks: its own; left, right: pairs of the sample that may be one person;
    same: how many pairs of one person each stands for; likely: the same, 0 for those that hardly are one."""

    blocks: Blocks
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    same: NDArray[np.float64]
    likely: NDArray[np.float64]

    def affordable(self, budget: float, wide: float) -> bool:
        """Whether its pairs are within a budget; or a wider one, for a rule that surely brings many."""
        pairs = self.blocks.raw_pairs
        return pairs <= budget or (pairs <= wide and float(self.likely.sum()) >= LEAST_YIELD * pairs)

    def without(self, register: Register, rule: Rule) -> RuleSample:
        """As if another rule had made its pairs first."""
        mine = rows_key(register, rule, self.left, len(self.left))
        new = (mine == 0) | (mine != rows_key(register, rule, self.right, len(self.right)))
        return replace(
            self, left=self.left[new], right=self.right[new], same=self.same[new], likely=self.likely[new]
        )


def worthwhile_rules(
    register: Register, candidates: BlockedPairs, rules: Sequence[Rule], judge: Judge,
    expected: tuple[float, float], max_block: int, threads: int,
) -> tuple[Blocks, ...]:  # fmt: skip
    """Of `rules` those that are worth their pairs, the best first. expected: how many true pairs are found
    already, and which share of all may be lost."""
    true_pairs, lost = expected

    def look(rule: Rule) -> RuleSample:
        blocks = build_blocks(register, rule, max_block)
        with_it = replace(candidates, blocks=(*candidates.blocks, blocks))
        rate = min(1.0, PAIRS_LOOKED_AT / max(1, blocks.raw_pairs))
        (left, right), p = judge(with_it.sample(len(candidates.blocks), rate))
        return RuleSample(blocks, left, right, p / rate, np.where(p >= LIKELY, p, 0.0) / rate)

    with ThreadPoolExecutor(threads) as pool:
        left = list(pool.map(look, rules))
    most = max(PAIRS_AT_MOST, PAIRS_A_ROW_OF_MANY * register.size)
    all_lost = min(max(1.0, lost / MUCH_LOST), MOST_TIMES)
    budget, wide = (min(PAIRS_A_ROW * times * register.size, most) for times in (1.0, all_lost))
    least = max(LEAST_GAIN * true_pairs, 0.5)
    found: list[Blocks] = []
    spent = 0
    while left:
        left = [one for one in left if one.same.sum() >= least and one.affordable(budget - spent, wide - spent)]
        if not left:
            break
        best = max(left, key=lambda one: one.same.sum() / (one.blocks.raw_pairs + register.size))
        spent += best.blocks.raw_pairs
        found.append(best.blocks)
        left = [one.without(register, best.blocks.rule) for one in left if one is not best]
    return tuple(found)
