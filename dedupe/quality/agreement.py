"""Whether reviewers agree who judged one pair without knowing of one another: kappa, and agreement by verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Agreement:
    """Of how many pairs judged twice; the share on which both said the same; Cohen's kappa (1: always, 0: as often
    as chance; None where both always say one thing, so that chance explains all); and the share by verdict: of the
    pairs that either called so, those that both did."""

    pairs: int
    share: float
    kappa: float | None
    by_verdict: tuple[tuple[str, int, float], ...]


def agreement(twice: Sequence[tuple[str, str]]) -> Agreement | None:
    """twice: two verdicts a pair, in any order: who is first and who second is by chance, so both orders count."""
    if not twice:
        return None
    both = [pair for one, other in twice for pair in ((one, other), (other, one))]
    total = len(both)
    share = sum(one == other for one, other in both) / total
    said = Counter(one for one, _ in both)
    by_chance = sum((count / total) ** 2 for count in said.values())
    kappa = (share - by_chance) / (1 - by_chance) if by_chance < 1 else None
    by_verdict = tuple((verdict, *_of(verdict, twice)) for verdict in sorted(said))
    return Agreement(len(twice), share, kappa, by_verdict)


def _of(verdict: str, twice: Sequence[tuple[str, str]]) -> tuple[int, float]:
    either = [pair for pair in twice if verdict in pair]
    return len(either), sum(one == other for one, other in either) / len(either)
