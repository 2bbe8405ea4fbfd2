"""Numbers that name a person as witnesses: how far the rest of the evidence may be believed.

Two records that both hold a valid NHS number say, but for slips, whether they are one person. So what the
model makes of such pairs *without* the number can be held against what the number says, and put right for
the pairs that lack one. The curve is a shift of the log odds, linear between knots, fitted by penalised
logistic regression (a random walk over the knots, pulled to nothing: Eilers and Marx 1996), with the
numbers' own rates of error allowed for. Few witnesses move little; without any the model stands as it is.

This rests on numbers being missing for reasons that have nothing to do with how alike the pair is otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Comparison

KNOTS = np.array([-9.0, -6.0, -4.5, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.5, 6.0, 9.0])
STEP, SIZE = 0.25, 1.0  # standard deviations of the shift from knot to knot, and of the shift itself
SURE, BELIEVED = 7.0, 30.0
"""Log odds (natural) from which pairs tell how often one person's numbers agree, and pairs' worth of what the fit
says of that. Nothing hangs on either."""
ROUNDS = 30


@dataclass(frozen=True)
class Number:
    """Where the comparison of a number stands among all, and the levels that speak: same, different, missing."""

    place: int
    same: int
    differs: int
    missing: int

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> Number | None:
        for place, comparison in enumerate(comparisons):
            if comparison.witness:
                return cls(place, *comparison.witness, comparison.null)
        return None

    def without(self, levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The patterns as if neither record held the number."""
        found = levels.copy()
        found[:, self.place] = self.missing
        return found


@dataclass(frozen=True)
class Curve:
    """By how much log odds (natural) are shifted at each of KNOTS, shape (2, knots): the second row for patterns
    of the second kind, whose chance agreement was counted (`namesakes`). `witnesses`: how many pairs say so."""

    number: Number
    shift: NDArray[np.float64]
    witnesses: float

    def at(self, log_odds: NDArray[np.float64], kind: NDArray[np.bool_] | bool = False) -> NDArray[np.float64]:
        """The shift of log odds; kind: which are of patterns of the second kind."""
        return np.where(kind, *(np.interp(log_odds, KNOTS, self.shift[k]) for k in (1, 0)))


def fit_curve(
    number: Number, log_odds: NDArray[np.float64], same: NDArray[np.float64], differs: NDArray[np.float64],
    agreement: tuple[float, float], kind: NDArray[np.bool_] | None = None,
) -> Curve:  # fmt: skip
    """The curve under which the witnesses are most likely.

    log_odds: of each pattern without the number. same, differs: how many pairs of the pattern agree and differ on
    the number. agreement: the model's chance that two records of one person, and of two, hold the same number.
    kind: patterns of the second kind; none where not given.
    """
    total = same + differs
    for_one, for_two = _error_rates(log_odds, same, total, agreement)

    def score(odds: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """First derivative of the log likelihood by the log odds of each pattern, and Fisher's information."""
        p = 1 / (1 + np.exp(-np.clip(odds, -40, 40)))
        expected = np.clip(for_two + (for_one - for_two) * p, 1e-6, 1 - 1e-6)
        slope = (for_one - for_two) * p * (1 - p)
        spread = expected * (1 - expected)
        return (same - total * expected) / spread * slope, total * slope**2 / spread

    second = np.zeros(len(log_odds), dtype=bool) if kind is None else kind
    steps = np.diff(np.eye(len(KNOTS)), axis=0)
    penalty = np.kron(np.eye(2), steps.T @ steps / STEP**2 + np.eye(len(KNOTS)) / SIZE**2)
    shift = np.zeros(2 * len(KNOTS))
    at, near = _between(log_odds)
    at += len(KNOTS) * second
    both, nearness = (at[:, None] * len(shift) + at).ravel(), near[:, None] * near
    for _ in range(ROUNDS):
        pull, weight = score(log_odds + (near * shift[at]).sum(axis=0))
        pulls = np.bincount(at.ravel(), (near * pull).ravel(), len(shift))
        weights = np.bincount(both, (nearness * weight).ravel(), len(shift) ** 2).reshape(penalty.shape)
        step = np.linalg.solve(weights + penalty, pulls - penalty @ shift)
        shift = shift + np.clip(step, -0.5, 0.5)
    return Curve(number, shift.reshape(2, -1), float(total.sum()))


def _error_rates(
    log_odds: NDArray[np.float64], same: NDArray[np.float64], total: NDArray[np.float64],
    agreement: tuple[float, float],
) -> tuple[float, float]:  # fmt: skip
    """Chance of the same number in one person and in two: as the model has it, and for one person as
    pairs have it of which the rest of the evidence leaves no doubt."""
    sure = log_odds >= SURE
    for_one = (same[sure].sum() + BELIEVED * agreement[0]) / (total[sure].sum() + BELIEVED)
    return float(for_one), agreement[1]


def _between(log_odds: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The two of KNOTS between which each pattern lies, and how much each counts in linear interpolation; shape
    (2, patterns)."""
    low = np.clip(np.searchsorted(KNOTS, log_odds, side="right") - 1, 0, len(KNOTS) - 2)
    after = np.clip((log_odds - KNOTS[low]) / np.diff(KNOTS)[low], 0.0, 1.0)
    return np.stack([low, low + 1]), np.stack([1 - after, after])
