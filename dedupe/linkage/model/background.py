"""How many pairs of strangers would look like this: the floor under thin evidence.

The mixture is fitted to candidate pairs, and could take any amount of thin agreement ("same surname, nothing
else known") for duplicates. But the register says how many pairs of strangers must agree on as much: all its
pairs, times the chance of the agreement. For patterns with fewer than ENOUGH answers that expected number
stands beside the fitted components, fixed. Elsewhere it would count pairs that no blocking rule brings in.
What a pair lacks tells nothing: strangers and pairs of one person lack it alike, so that there are as many of the
one for each of the other whatever is missing. (Candidates cannot say how many miss something: a rule brings in
no pair without what it demands.)

Where a column is lacking without which relations cannot be told apart, the fit may take a common name for
evidence, whatever else is held. There the expected number is the least that is taken for strangers of the pairs
that a rule surely brings in, once the mixture is fitted. (In the fit it leaves families taken for duplicates.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ENOUGH = 3  # belief: 2 gains 0.003 of F1 in one register of six, 6 gains 0.005 and loses 0.01
NONE = -1e9
MOST = 700.0  # natural log: less is nothing to a float64
ALL_ANSWER = (1 << 62) - 1  # as `Background.telling`: no pattern has too few answers, so that there is no floor


@dataclass(frozen=True)
class Background:
    """log_chances[c]: natural log of the chance of each level of comparison c in two rows drawn at random,
    given that both hold a value; the last entry (missing) is 0. share: natural log of the pairs of the register
    as a multiple of the candidate pairs. `telling` marks the comparisons that count as answers, one bit each.
    whole: of each rule of whose pairs it is the least that are strangers, however many answers there are: the
    numbers (levels, missing, open) that say a comparison agrees, by its place."""

    log_chances: tuple[NDArray[np.float64], ...]
    share: float
    telling: int
    whole: tuple[dict[int, NDArray[np.bool_]], ...] = ()

    @classmethod
    def of(cls, chances: Sequence[NDArray[np.float64]], pairs_a_candidate: float, telling: int) -> Background:
        """The background of a register. chances: of each level by comparison, in two rows at random.
        pairs_a_candidate: pairs of the register for each candidate pair."""
        logs = tuple(np.append(np.log(np.maximum(c, 1e-12)), 0.0) for c in chances)
        return cls(logs, float(np.log(pairs_a_candidate)), telling)

    def log_joint(self, levels: NDArray[np.uint8], everywhere: bool = False) -> NDArray[np.float64]:
        """log of the pairs of strangers expected to show each pattern, on the scale of the components; of patterns
        with ENOUGH answers only where `everywhere` is asked for: pairs that no rule brings in."""
        total = np.full(len(levels), self.share)
        if not everywhere:
            mask = missing(levels, [len(table) - 1 for table in self.log_chances])
            total[answers(mask, self.telling) >= ENOUGH] = NONE
        for place, table in enumerate(self.log_chances):
            total += table.take(levels[:, place])
        return total

    def with_least(self, levels: NDArray[np.uint8], chance: NDArray[np.float64]) -> NDArray[np.float64]:
        """The background beside what the components take for strangers (`chance`: log; shape (patterns,
        components)), and what these lack of the strangers that there are at least: of pairs that one of the
        `whole` rules brings in."""
        beside = self.log_joint(levels)
        rows = np.flatnonzero(self._brought(levels))
        least = self.log_joint(levels[rows], everywhere=True)
        taken = np.logaddexp(np.logaddexp.reduce(chance[rows], axis=1), beside[rows])
        lacking = np.log(np.maximum(-np.expm1(np.minimum(taken - least, 0.0)), np.exp(-MOST))) + least
        beside[rows] = np.where(taken < least, np.logaddexp(beside[rows], lacking), beside[rows])
        return beside

    def _brought(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns that one of the `whole` rules brings in."""
        found = np.zeros(len(levels), dtype=bool)
        for tables in self.whole:
            met = np.ones(len(levels), dtype=bool)
            for place, table in tables.items():
                met &= table[levels[:, place]]
            found |= met
        return found


def answers(mask: NDArray[np.int64], telling: int) -> NDArray[np.uint8]:
    return np.bitwise_count(~mask & telling)


def missing(levels: NDArray[np.uint8], nulls: Sequence[int]) -> NDArray[np.int64]:
    """Which comparisons of each pattern are missing, as bits."""
    found = np.zeros(len(levels), dtype=np.int64)
    for place, null in enumerate(nulls):
        found |= (levels[:, place] == null).astype(np.int64) << place
    return found
