"""Fitting the mixture: expectation-maximisation, and what stands against the data.

Dempster, Laird and Rubin (1977), on pattern counts as Jaro (1989) has it, with Dirichlet priors (the starting
beliefs as pseudo-counts), missing answers left out of the likelihood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.kind import SAME
from casebridge.dedupe.linkage.model.background import Background
from casebridge.dedupe.linkage.model.expectation import Halves
from casebridge.dedupe.linkage.model.held_chance import HeldChance
from casebridge.dedupe.linkage.model.mixture import Component, Model
from casebridge.dedupe.linkage.model.patterns import Patterns

PRIOR_SHARE = 1.0
"""Pairs' worth of belief behind the shares. Halved or doubled nothing moves (docs/linkage-figures.md)."""
MOST_ROUNDS = 200
TOLERANCE = 1e-5
FLOOR = 1e-9


def fit(
    samples: Sequence[Patterns], components: Sequence[Component], names: Sequence[str],
    labels: Sequence[Sequence[str]], groups: Sequence[tuple[int, ...]], strangers: Background,
) -> Model:  # fmt: skip
    """Fit the mixture to pattern counts: on each sample in turn, starting where the one before ended, so that
    most rounds run on the small first sample. Deterministic: patterns come in the order of their codes.
    ArithmeticError for a fit that is none: it would put nothing forward, unsaid."""
    belief = Belief(components, groups)
    state = _State(belief.start, belief.first_shares)
    for patterns in samples:
        state = _settle(state, belief, patterns, strangers)
    if not np.isfinite(state.log_likelihood):
        raise ArithmeticError("the mixture has no likelihood: a share or a chance is negative")
    return _model(state, belief, components, names, labels, strangers)


def refit(model: Model, patterns: Patterns, strangers: Background, held: HeldChance | None = None) -> Model:
    """The model after more rounds on another count of patterns, starting where it stands."""
    belief = Belief(model.components, model.groups)
    now = np.exp(np.concatenate([table[:, :-1] for table in model.log_chances], axis=1))
    state = _settle(_State(now, model.shares, model.rounds), belief, patterns, strangers)
    found = _model(state, belief, model.components, model.comparisons, model.labels, strangers)
    return replace(found, held=held, relation_names=model.relation_names)


def _model(
    state: _State, belief: Belief, components: Sequence[Component], names: Sequence[str],
    labels: Sequence[Sequence[str]], strangers: Background,
) -> Model:  # fmt: skip
    log_chances = [np.log(state.chances[:, a:b]) for a, b in pairwise(np.cumsum([0, *belief.sizes]))]
    return Model(
        tuple(names),
        tuple(tuple(one) for one in labels),
        tuple(components),
        state.shares,
        tuple(np.concatenate([t, np.zeros((len(components), 1))], axis=1) for t in log_chances),
        state.rounds,
        state.converged,
        state.log_likelihood,
        strangers,
        belief.groups,
    )


class Belief:
    """What stands against the data: starting chances as pseudo-counts, and those that data cannot move."""

    def __init__(self, components: Sequence[Component], groups: Sequence[tuple[int, ...]]) -> None:
        self.groups = tuple(groups)
        self.sizes = sizes = [sum(one) for one in groups]
        start = np.maximum(np.stack([np.concatenate(c.start) for c in components]), FLOOR)
        belief = np.repeat(np.array([c.prior for c in components]), sizes, axis=1)
        self.start, self.held = start, np.isinf(belief)
        self.counts = np.where(self.held, 0.0, belief) * start
        self.edges = np.cumsum([0, *(size for one in groups for size in one)])
        none = (False,) * len(sizes)
        self.pooled = np.repeat(np.array([c.pooled or none for c in components]), sizes, axis=1)
        self.same = np.array([c.relation == SAME for c in components], dtype=np.float64)
        shares = np.array([c.share for c in components])
        self.first_shares = shares / shares.sum()
        self.steady = np.array([c.steady for c in components])
        self.most, self.least = (np.array([getattr(c, bound) for c in components]) for bound in ("most", "least"))
        width = start.shape[1]
        self.ceilings = np.array([c.ceilings or (1.0,) * width for c in components])

    def shares(self, counts: NDArray[np.float64], total: float) -> NDArray[np.float64]:
        expected = np.where(self.steady, 0.0, counts + PRIOR_SHARE * self.first_shares)
        room = min(1.0, counts.sum() / total) - self.first_shares[self.steady].sum()
        room = max(room, FLOOR)
        found = np.where(self.steady, self.first_shares, expected / expected.sum() * room)
        least = self.least * min(1.0, room / 2 / max(float(self.least.sum()), FLOOR))
        bounded = np.clip(found, least, self.most)
        free = (bounded == found) & ~self.steady
        if free.all() or not free.any():
            return found
        spare = float((found - bounded).sum())
        return np.where(free, found * (1 + spare / found[free].sum()), bounded)

    def chances(self, counts: NDArray[np.float64]) -> NDArray[np.float64]:
        counts = counts + self.counts
        together = np.where(self.pooled, counts, 0.0).sum(axis=0)
        counts = np.where(self.pooled, together, counts)
        found = _normalised(counts, self.edges)
        for a, b in pairwise(self.edges):
            found[:, a:b] = bounded_by(found[:, a:b], self.ceilings[:, a:b])
        return np.where(self.held, self.start, found)


@dataclass(frozen=True)
class _State:
    chances: NDArray[np.float64]
    shares: NDArray[np.float64]
    rounds: int = 0
    converged: bool = False
    log_likelihood: float = -np.inf


def _settle(state: _State, belief: Belief, patterns: Patterns, strangers: Background) -> _State:
    """Rounds of expectation and maximisation until neither the likelihood nor the share of pairs that are one
    person moves: what becomes of the other relations among themselves changes no decision."""
    total = max(float(patterns.weight.sum()), 1.0)
    chances, shares, before, rounds = state.chances, state.shares, -np.inf, 0
    converged, likelihood = False, -np.inf
    halves = Halves(patterns, belief.sizes, strangers.log_joint(patterns.levels))
    while rounds < MOST_ROUNDS and not converged:
        rounds += 1
        evidence, counts, by_component = halves.expect(np.log(chances), np.log(shares))
        likelihood = float((patterns.weight * evidence).sum()) / total
        chances = belief.chances(counts)
        before_share, shares = shares @ belief.same, belief.shares(by_component, total)
        moved = abs(float(shares @ belief.same - before_share))
        converged = moved < TOLERANCE and abs(likelihood - before) < TOLERANCE
        before = likelihood
    return _State(chances, shares, state.rounds + rounds, converged, likelihood)


def _normalised(counts: NDArray[np.float64], edges: NDArray[np.int64]) -> NDArray[np.float64]:
    chances = np.empty_like(counts)
    for a, b in pairwise(edges):
        chances[:, a:b] = counts[:, a:b] / np.maximum(counts[:, a:b].sum(axis=1, keepdims=True), FLOOR)
    return np.maximum(chances, FLOOR)


def bounded_by(chances: NDArray[np.float64], most: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chances, rows of one distribution, none above `most`: what lies above goes to the others in proportion, as
    the likeliest that keep the bounds do."""
    held = chances > most
    while held.any():
        room = np.maximum(1 - np.where(held, most, 0.0).sum(axis=1, keepdims=True), FLOOR)
        free = np.where(held, 0.0, chances)
        total = free.sum(axis=1, keepdims=True)
        chances = np.where(held, most, free * room / np.maximum(total, FLOOR))
        more = ~held & (chances > most)
        if not more.any():
            break
        held |= more
    return np.maximum(chances / chances.sum(axis=1, keepdims=True), FLOOR)
