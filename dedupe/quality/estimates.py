"""Estimates from weighted samples, with intervals that hold where errors are rare.

A share is Σ W p̂ over the strata (W = N/ΣN). Its interval is that of Clopper and Pearson for the effective number
of pairs, n* = p(1 - p)/v (Korn and Graubard, *Survey Methodology* 24, 1998); in p and in its variance v each
stratum counts half an error more than was seen, so that one in which nothing was found wrong is not taken for
certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import betaincinv

FINEST = 1e-12


@dataclass(frozen=True)
class Seen:
    """What was found in one stratum: its size, how many pairs of it were judged, and how many are one person."""

    name: str
    size: int
    judged: int
    same: int


@dataclass(frozen=True)
class Estimate:
    """A share with its interval, and from how many judged pairs. All shares are of 1."""

    share: float
    low: float
    high: float
    judged: int

    def __str__(self) -> str:
        """In per cent: 99.6 % (99.3 to 99.8). An end is never rounded towards the middle."""
        low, high = int(self.low * 1000) / 10, -int(-self.high * 1000 // 1) / 10
        return f"{100 * self.share:.1f} % ({low:.1f} to {min(high, 100.0):.1f})"


def share_of(seen: Sequence[Seen], confidence: float = 0.95) -> Estimate | None:
    """The share of one person in all strata together; None while a stratum has pairs and none was judged."""
    strata = [one for one in seen if one.size]
    if not strata or any(not one.judged for one in strata):
        return None
    whole = sum(one.size for one in strata)
    judged = sum(one.judged for one in strata)
    share = sum(one.size / whole * one.same / one.judged for one in strata)
    if all(one.judged >= one.size for one in strata):
        return Estimate(share, share, share, judged)
    low, high = _interval(share, _effective(strata, whole, judged), confidence)
    return Estimate(share, low, high, judged)


def _effective(strata: Sequence[Seen], whole: int, judged: int) -> float:
    """How many pairs of a plain sample would tell as much."""
    smooth = [(one.same + 0.5) / (one.judged + 1) for one in strata]
    variance = sum(
        (one.size / whole) ** 2 * (1 - one.judged / one.size) * p * (1 - p) / one.judged
        for one, p in zip(strata, smooth, strict=True)
    )
    middle = sum(one.size / whole * p for one, p in zip(strata, smooth, strict=True))
    return max(min(middle * (1 - middle) / max(variance, FINEST), _most(strata, whole, judged)), 1.0)


def _most(strata: Sequence[Seen], whole: int, judged: int) -> float:
    """No more than were judged, and more only as far as a small population is exhausted."""
    left = sum((one.size / whole) * (1 - one.judged / one.size) for one in strata)
    return judged / max(left, 0.05)


def _interval(share: float, number: float, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    hits = share * number
    low = 0.0 if share <= 0 else float(betaincinv(hits, number - hits + 1, tail))
    high = 1.0 if share >= 1 else float(betaincinv(hits + 1, number - hits, 1 - tail))
    return low, high


def found_share(
    merged: Sequence[Seen], others: Sequence[Seen], missed: float = 0.0, confidence: float = 0.95
) -> Estimate | None:
    """Of all pairs that are one person, the share that is merged. missed: how many linkage expects among pairs
    that were never compared. The interval takes the worse end of both estimates; None while a stratum was not
    judged."""
    right, left = share_of(merged, confidence), share_of(others, confidence)
    there, elsewhere = sum(one.size for one in merged), sum(one.size for one in others)
    if right is None or (left is None and elsewhere):
        return None
    rest = left or Estimate(0.0, 0.0, 0.0, 0)

    def recall(good: float, lost: float) -> float:
        found, gone = good * there, lost * elsewhere + missed
        return found / (found + gone) if found + gone else 1.0

    return Estimate(recall(right.share, rest.share), recall(right.low, rest.high), recall(right.high, rest.low),
                    right.judged + rest.judged)  # fmt: skip
