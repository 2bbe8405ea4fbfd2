"""A mixture of relations, fitted by expectation-maximisation to counts of comparison patterns.

Fellegi and Sunter (1969) weigh a pair by m, the chance of its pattern among matches, against u, its chance
among non-matches. Here non-matches are not one class: two people are twins, siblings, of one household, or
agree by chance, and each relation has its own chances; chance agreement has one profile for every blocking
rule, since a pair brought in by "same surname and birth date" agrees on these and on little else.
Estimation: Dempster, Laird and Rubin (1977), on pattern counts as Jaro (1989) has it, with Dirichlet priors
(the starting beliefs as pseudo-counts), missing answers left out of the likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.kind import CHANCE, SAME
from casebridge.dedupe.linkage.model.background import NONE, Background
from casebridge.dedupe.linkage.model.calibration import Curve
from casebridge.dedupe.linkage.model.held_chance import HeldChance

PRIOR_PEOPLE = 30.0
PRIOR_CHANCE = 200.0
PRIOR_MEASURED = 600.0
PRIOR_LUCKY = 300.0
"""Pairs' worth of belief behind a start: of people, of what a rule demands, of what random pairs show, of
agreement by luck. Halved or doubled they move F1 by 0.004 at most (docs/linkage-figures.md)."""


@dataclass(frozen=True)
class Component:
    """One profile of the mixture: its name, the relation it belongs to, its starting share of the candidate pairs
    and its starting chances of each level, one array a comparison; `prior` is how many pairs' worth of belief
    stands behind the start of each comparison (inf: the data cannot move it). Components `pooled` on a comparison
    share one set of chances for it. The share of a `steady` component stays as it starts; none passes its `most`,
    or falls below its `least`, but where the background leaves too little room; a first fit starts with no more
    than `first`. `ceilings` bounds each level's
    chance, levels of all comparisons in a row."""

    name: str
    relation: str
    share: float
    start: tuple[NDArray[np.float64], ...]
    prior: tuple[float, ...]
    pooled: tuple[bool, ...] = ()
    steady: bool = False
    most: float = 1.0
    least: float = 0.0
    ceilings: tuple[float, ...] = ()
    first: float = 1.0


@dataclass(frozen=True)
class Model:
    """A fitted mixture. `log_chances[c]` has shape (components, levels of comparison c + 1): the natural
    log of each level's chance, the last column (missing) being 0: no evidence. `groups[c]`: how many of its levels
    make up each distribution (`Comparison.groups`). `relation_names`: what a pair may be (`Kind.relations`).
    `beside`: fits from other beliefs, where decisions hang on these (`identified`): nothing says which is
    right, so that each counts for as much."""

    comparisons: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    components: tuple[Component, ...]
    shares: NDArray[np.float64]
    log_chances: tuple[NDArray[np.float64], ...]
    rounds: int
    converged: bool
    log_likelihood: float
    background: Background
    groups: tuple[tuple[int, ...], ...] = ()
    curve: Curve | None = None
    held: HeldChance | None = None
    relation_names: tuple[str, ...] = (SAME, CHANCE)
    beside: tuple[Model, ...] = ()

    @property
    def same(self) -> NDArray[np.bool_]:
        return np.array([c.relation == SAME for c in self.components])

    @property
    def chance(self) -> NDArray[np.bool_]:
        return np.array([c.relation == CHANCE for c in self.components])

    def log_joint(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """log(share by chance of the pattern) of each component; shape (patterns, components)."""
        total = np.tile(np.log(self.shares), (len(levels), 1))
        for place, table in enumerate(self.log_chances):
            total += table.T.take(levels[:, place], axis=0)
        return total

    def log_evidence(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Natural log of the chance of each pattern, as the fit has it."""
        return _log_sum(np.column_stack([self.log_joint(levels), self.background.log_joint(levels)]))

    def relations(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Probability of each of `relation_names` given the pattern, that of one entity first; shape (patterns,
        relations), rows add to 1. Beside other fits: as all have it on average, or this one where it says less."""
        return _mean_relations([one._relations(*one._weighed(levels)) for one in (self, *self.beside)])

    def log_odds(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Natural log of the odds that the pair is one person, one a pattern, as `relations` has it."""
        return _mean_odds([one._odds(*one._weighed(levels)) for one in (self, *self.beside)])

    def judged(self, levels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """`relations` and `log_odds`, which have most of their work in common."""
        fits = [(one, *one._weighed(levels)) for one in (self, *self.beside)]
        relations = [one._relations(joint, shift) for one, joint, shift in fits]
        return _mean_relations(relations), _mean_odds([one._odds(joint, shift) for one, joint, shift in fits])

    def _weighed(self, levels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What this fit alone says of each pattern: `_with_background`, and the witnesses' shift of the odds."""
        return self._with_background(levels), self._shift(levels)

    def _relations(self, joint: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
        posterior, _ = _posterior(joint)
        relation = [*(c.relation for c in self.components), CHANCE]
        found = np.stack(
            [_row_sums(posterior[:, [one == r for one in relation]]) for r in self.relation_names], axis=1
        )
        if self.curve is not None:
            found[:, 0] *= np.exp(shift)
            found /= found.sum(axis=1, keepdims=True)
        return found

    def _odds(self, joint: NDArray[np.float64], shift: NDArray[np.float64]) -> NDArray[np.float64]:
        same = np.append(self.same, False)
        return _log_sum(joint[:, same]) - _log_sum(joint[:, ~same]) + shift

    def profile(self, name: str, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Probability of the component of that name given the pattern; 0 where there is none."""
        posterior, _ = _posterior(self._with_background(levels))
        return _row_sums(posterior[:, : len(self.components)][:, [c.name == name for c in self.components]])

    def _shift(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        if self.curve is None:
            return np.zeros(len(levels))
        without = self.curve.number.without(levels)
        fitted = self._odds(self._with_background(without), np.zeros(len(levels)))
        return self.curve.at(fitted, self.counted(without))

    def counted(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns whose chance agreement is held to a count (`namesakes`)."""
        return np.zeros(len(levels), dtype=bool) if self.held is None else self.held.count.counted(levels)

    def _with_background(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        joint = self.log_joint(levels)
        if self.held is not None:
            self.held.hold(joint, self.same, self.chance, levels)
        return np.column_stack([joint, self.background.with_least(levels, joint[:, self.chance])])

    def among_all(self, levels: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Chance that a pair is one person where any two records may have been brought together, not only those
        that the rules bring: beside the components stand all strangers of the register."""
        joint = self._with_background(levels)
        joint[:, -1] = self.background.log_joint(levels, everywhere=True)
        posterior, _ = _posterior(joint)
        return np.asarray(posterior[:, : len(self.components)][:, self.same].sum(axis=1))

    def bound(
        self, levels: NDArray[np.uint8], opens: Sequence[tuple[tuple[int, ...], ...]]
    ) -> NDArray[np.float64]:
        """The highest log odds any completion of unfinished patterns can reach (or a little above it).

        A level number above the missing one names a set in `opens`: the levels still possible. For every pair of a
        same-person component s and another o, s gains at most the largest log-ratio over the levels possible;
        sum_s a_s / sum_o b_o <= sum_s min_o a_s / b_o. Leaving out the background, and chance where it is held to
        a count, keeps this an upper bound. It knows no curve: pairs are scored before there is one.
        """
        settled = [
            np.concatenate([t, np.zeros((t.shape[0], len(o)))], axis=1)
            for t, o in zip(self.log_chances, opens, strict=True)
        ]
        joint = np.tile(np.log(self.shares), (len(levels), 1))
        for place, table in enumerate(settled):
            joint += table.T.take(levels[:, place], axis=0)
        if self.held is not None:
            joint[np.ix_(self.held.count.counted(levels), ~self.same)] = NONE
        gap = joint[:, self.same][:, :, None] - joint[:, ~self.same][:, None, :]
        for place, sets in enumerate(opens):
            for which, possible in enumerate(sets):
                rows = levels[:, place] == self.log_chances[place].shape[1] + which
                if rows.any():
                    gap[rows] += self._best_ratio(place, possible)
        return _log_sum(gap.min(axis=2))

    def _best_ratio(self, place: int, possible: tuple[int, ...]) -> NDArray[np.float64]:
        table = self.log_chances[place][:, list(possible)]
        return (table[self.same][:, None, :] - table[~self.same][None, :, :]).max(axis=2)


def _posterior(joint: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    top = joint.max(axis=1, keepdims=True)
    weight = np.exp(joint - top)
    total = weight.sum(axis=1, keepdims=True)
    return weight / total, (top + np.log(total))[:, 0]


def _mean_relations(fits: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """What several fits say of patterns on average, or the first where it says less."""
    if len(fits) == 1:
        return fits[0]
    together = np.stack(fits).mean(axis=0)
    return np.where(fits[0][:, :1] < together[:, :1], fits[0], together)


def _mean_odds(fits: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """As `_mean_relations`, of log odds."""
    if len(fits) == 1:
        return fits[0]
    found = np.stack(fits, axis=1)
    together = _log_sum(-np.logaddexp(0, -found)) - _log_sum(-np.logaddexp(0, found))
    return np.minimum(fits[0], together)


def _log_sum(values: NDArray[np.float64]) -> NDArray[np.float64]:
    top = values.max(axis=1, keepdims=True)
    return np.asarray(top[:, 0] + np.log(_row_sums(np.exp(values - top))))


def _row_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum of each row, column by column: numpy adds up a single row in another order, and what is said of a
    pattern must not hang on how many others are looked at with it, not even in the last digit."""
    total = np.zeros(len(values))
    for column in values.T:
        total += column
    return total
