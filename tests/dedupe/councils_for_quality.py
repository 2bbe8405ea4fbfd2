"""A made-up council's pairs, cheaply: what linkage thinks of each, what is true, and what reviewers said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casebridge.dedupe.quality.estimates import Estimate, Seen, found_share, share_of
from casebridge.dedupe.quality.sampling import draw, plan_for
from casebridge.dedupe.quality.strata import APART, MERGED, WAITING, Candidate, Stratum, strata_of

LEVELS = ("same NHS number", "two different valid NHS numbers", None)
"""What the NHS number says: one person, two, nothing."""


@dataclass(frozen=True)
class MadeUp:
    """Pairs, whether each is one person (by ids), the share of merges that are right, and of duplicates found."""

    pairs: tuple[Candidate, ...]
    same: dict[tuple[str, str], bool]
    missed: int

    @property
    def precision(self) -> float:
        """Of the pairs merged, the share that is one person."""
        merged = [self.same[p.left_id, p.right_id] for p in self.pairs if p.outcome == MERGED]
        return sum(merged) / len(merged)

    @property
    def recall(self) -> float:
        """Of the pairs that are one person, the share merged."""
        merged = sum(self.same[p.left_id, p.right_id] for p in self.pairs if p.outcome == MERGED)
        return merged / (sum(self.same.values()) + self.missed)


def made_up_council(seed: int) -> MadeUp:
    """3,000 to 6,000 pairs. Linkage is too sure of itself by up to a factor of four in odds, more so where the NHS
    number is missing; reviewers err in 1 to 4 of 100, and more often where linkage is unsure."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(3_000, 6_000))
    p = np.concatenate([rng.beta(12, 0.3, count // 2), rng.beta(0.35, 3, count - count // 2)]).clip(0.011, 0.9999)
    level = rng.choice(3, count, p=(0.5, 0.2, 0.3))
    odds = p / (1 - p) * np.array([1.5, 0.4, 0.5])[level] * rng.uniform(0.5, 2)
    same = rng.random(count) < odds / (1 + odds)
    slip = rng.random(count) < rng.uniform(0.01, 0.04) * (0.5 + 4 * p * (1 - p))
    said = same ^ slip
    looked_at = (p >= 0.5) & (rng.random(count) < 0.95)
    outcome = np.where(~looked_at, np.where(p >= 0.5, WAITING, APART), np.where(said, MERGED, APART))
    pairs = tuple(
        Candidate(f"a{n}", f"b{n}", str(outcome[n]), float(p[n]), LEVELS[level[n]]) for n in range(count)
    )
    return MadeUp(pairs, {(f"a{n}", f"b{n}"): bool(same[n]) for n in range(count)}, int(rng.integers(0, 40)))


def stated(council: MadeUp, seed: int, margin: float = 0.01) -> tuple[Estimate, Estimate, int]:
    """What the desk would state: precision of the merges, duplicates found, and how many pairs were looked at. Who
    checks errs in 2 of 100; where he contradicts what was decided, a third person speaks, who errs as often."""
    rng = np.random.default_rng(seed + 10_000)
    strata = strata_of(council.pairs)
    seen: dict[str, list[Seen]] = {MERGED: [], APART: []}
    looked = 0
    for outcome in ((MERGED,), (APART, WAITING)):
        mine = [stratum for stratum in strata if stratum.outcome in outcome]
        for share in plan_for(mine, margin).shares:
            found = [_judged(council, pair, rng) for pair in draw(share, str(seed))]
            seen[outcome[0]].append(Seen(share.stratum.name, share.stratum.size, len(found), sum(found)))
            looked += len(found)
    precision, found_ = share_of(seen[MERGED]), found_share(seen[MERGED], seen[APART], council.missed)
    assert precision is not None
    assert found_ is not None
    return precision, found_, looked


def _judged(council: MadeUp, pair: Candidate, rng: np.random.Generator) -> bool:
    truth = council.same[pair.left_id, pair.right_id]
    first = truth ^ bool(rng.random() < 0.02)
    contradicts = (first != (pair.outcome == MERGED)) and pair.outcome != WAITING
    return truth ^ bool(rng.random() < 0.02) if contradicts or pair.outcome == WAITING else first


def one_stratum(council: MadeUp) -> list[Stratum]:
    """All pairs as one stratum."""
    return [Stratum("all", MERGED, 0, 0.5, council.pairs)]
