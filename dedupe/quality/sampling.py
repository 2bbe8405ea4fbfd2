"""How many pairs to look at, and which: a plan for a stated margin, and a draw whose chances are kept.

The margin of a stratified estimate is z·√(Σ W² (1 - n/N) v/n), with W = N/ΣN and v = p(1 - p) (Cochran, *Sampling
Techniques*, ch. 5). The shares in a stratum go by √v·N (Neyman), at least FEWEST_DRAWN of it. Before anybody has
looked, no stratum is taken for surer than 2 in 100: a plan that believed the model would ask for nothing where it
is sure.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from casebridge.dedupe.quality.strata import Candidate, Stratum
from casebridge.project.errors import CasebridgeError

FEWEST_DRAWN = 5
SUREST = 0.02


@dataclass(frozen=True)
class Share:
    """How many pairs to draw from a stratum."""

    stratum: Stratum
    draw: int


@dataclass(frozen=True)
class Plan:
    """How many pairs to look at, of which strata, and the margin (a share of 1) that this is expected to give."""

    shares: tuple[Share, ...]
    margin: float
    confidence: float

    @property
    def total(self) -> int:
        """Pairs to look at."""
        return sum(share.draw for share in self.shares)


def plan_for(
    strata: Sequence[Stratum], margin: float, confidence: float = 0.95, budget: int | None = None
) -> Plan:
    """The smallest plan that gives the margin, a share of 1 either side.

    budget: the most pairs that may be looked at. CasebridgeError when it cannot give the margin: it names the
    smallest that can. The same when there is nothing to draw from.
    """
    if not strata:
        raise CasebridgeError("there are no pairs to draw from", hint="`casebridge run` finds pairs first")
    low, high = 1, sum(stratum.size for stratum in strata)
    while low < high:
        middle = (low + high) // 2
        low, high = (
            (low, middle) if _margin(_allocate(strata, middle), confidence) <= margin else (middle + 1, high)
        )
    plan = _plan(strata, low, confidence)
    if budget is not None and plan.total > budget:
        raise CasebridgeError(
            f"{budget:,} pairs cannot say it to {100 * margin:g} points at {100 * confidence:g} %",
            hint=f"the smallest budget that can is {plan.total:,}; or allow a wider margin",
        )
    return plan


def _plan(strata: Sequence[Stratum], total: int, confidence: float) -> Plan:
    shares = _allocate(strata, total)
    return Plan(tuple(shares), _margin(shares, confidence), confidence)


def _allocate(strata: Sequence[Stratum], total: int) -> list[Share]:
    """By size and by what is unsure in it; each stratum has some, none more than it holds."""
    wants = np.array([stratum.size * math.sqrt(_variance(stratum)) for stratum in strata])
    sizes = np.array([stratum.size for stratum in strata])
    fewest = np.minimum(sizes, FEWEST_DRAWN)
    draw = np.clip(np.ceil(total * wants / wants.sum()), fewest, sizes).astype(int)
    return [Share(stratum, int(count)) for stratum, count in zip(strata, draw, strict=True)]


def _variance(stratum: Stratum) -> float:
    p = min(max(stratum.expected, SUREST), 1 - SUREST)
    return p * (1 - p)


def _margin(shares: Sequence[Share], confidence: float) -> float:
    whole = sum(share.stratum.size for share in shares)
    variance = sum(
        (share.stratum.size / whole) ** 2 * (1 - share.draw / share.stratum.size) * _variance(share.stratum)
        / share.draw for share in shares
    )  # fmt: skip
    return NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(variance)


def draw(share: Share, seed: str) -> list[Candidate]:
    """A random draw without replacement, the same for the same seed, whatever the order of the rows."""

    def ticket(pair: Candidate) -> bytes:
        return hashlib.sha256(f"{seed}\n{pair.left_id}\n{pair.right_id}".encode()).digest()

    return sorted(share.stratum.pairs, key=ticket)[: share.draw]
