"""How many pairs of strangers would look like this: the floor under thin evidence.

The mixture is fitted to candidate pairs, and could take any amount of thin agreement ("same surname, nothing
else known") for duplicates. But the register says how many pairs of strangers must agree on as much: all its
pairs, times the chance of the agreement. For patterns with fewer than ENOUGH answers that expected number
stands beside the fitted components, fixed. Elsewhere it would count pairs that no blocking rule brings in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.02
ENOUGH = 3
NONE = -1e9
LEAST = 1e-9


@dataclass(frozen=True)
class Background:
    """log_chances[c]: natural log of the chance of each level of comparison c in two rows drawn at random,
    given that both hold a value; the last entry (missing) is 0. `masks` (sorted) are which comparisons are
    missing, one bit each; `offsets` the log of the pairs of strangers that miss just these, as a multiple
    of the candidate pairs that do; `otherwise` for other masks. `telling` marks the comparisons that count as
    answers, one bit each."""

    log_chances: tuple[NDArray[np.float64], ...]
    masks: NDArray[np.int64]
    offsets: NDArray[np.float64]
    otherwise: float
    telling: int

    def log_joint(self, levels: NDArray[np.uint8], everywhere: bool = False) -> NDArray[np.float64]:
        """log of the pairs of strangers expected to show each pattern, on the scale of the components; of patterns
        with ENOUGH answers only where `everywhere` is asked for: pairs that no rule brings in."""
        mask = missing(levels, [len(table) - 1 for table in self.log_chances])
        at = np.minimum(np.searchsorted(self.masks, mask), len(self.masks) - 1)
        total = np.where(self.masks[at] == mask, self.offsets[at], self.otherwise)
        if not everywhere:
            total = np.where(answers(mask, self.telling) < ENOUGH, total, NONE)
        for place, table in enumerate(self.log_chances):
            total = total + table[levels[:, place]]
        return np.asarray(total, dtype=np.float64)

    def beside(self, demands: Sequence[int], shares: NDArray[np.float64]) -> Background:
        """The same on the scale of components of which not each can miss what a pattern misses: a rule that demands
        a comparison brings in no pair without it. demands: of each component, one bit a comparison; shares: of the
        candidate pairs."""
        able = (self.masks[:, None] & np.array(demands, dtype=np.int64)) == 0
        return replace(self, offsets=self.offsets + np.log(np.maximum(able @ shares, LEAST)))


def answers(mask: NDArray[np.int64], telling: int) -> NDArray[np.uint8]:
    return np.bitwise_count(~mask & telling)


def missing(levels: NDArray[np.uint8], nulls: Sequence[int]) -> NDArray[np.int64]:
    """Which comparisons of each pattern are missing, as bits."""
    found = np.zeros(len(levels), dtype=np.int64)
    for place, null in enumerate(nulls):
        found |= (levels[:, place] == null).astype(np.int64) << place
    return found


def background(
    chances: list[NDArray[np.float64]], held: NDArray[np.float64], levels: NDArray[np.uint8],
    weight: NDArray[np.float64], all_pairs: float, telling: int,
) -> Background:  # fmt: skip
    """The background of a register.

    chances: of each level by comparison, in two rows at random. held: chance that both rows hold a value, by
    comparison. levels, weight: the candidate patterns. all_pairs: how many pairs the register has.
    telling: bits of the comparisons that count as answers.
    """
    nulls = [len(c) for c in chances]
    mask = missing(levels, nulls)
    masks = np.unique(mask)
    candidates = np.bincount(np.searchsorted(masks, mask), weights=weight, minlength=len(masks))
    total = candidates.sum()
    bits = (masks[:, None] >> np.arange(len(nulls)) & 1).astype(bool)
    seen = np.clip((candidates @ ~bits) / max(total, 1.0), 1e-6, 1 - 1e-6)
    expected = total * np.where(bits, 1 - seen, seen).prod(axis=1)
    likely = (candidates + SMOOTHING * expected) / (1 + SMOOTHING)
    at_random = np.clip(held, 1e-6, 1 - 1e-6)
    strangers = all_pairs * np.where(bits, 1 - at_random, at_random).prod(axis=1)
    offsets = np.log(strangers) - np.log(np.maximum(likely, 1e-9))
    logs = tuple(np.append(np.log(np.maximum(c, 1e-12)), 0.0) for c in chances)
    thin = offsets[answers(masks, telling) < ENOUGH]
    return Background(logs, masks, offsets, float(np.median(thin)) if len(thin) else NONE, telling)
