"""Strata: pairs alike in what became of them, how sure linkage is, and whether the NHS number speaks.

A missing value is a stratum of its own and never left out (leaving them out, or averaging without weights,
was 6 to 11 points off when it was measured).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.review.reraise import AGAINST, FOR, NOTHING, side

MERGED, APART, WAITING = "merged", "apart", "waiting"
"""What became of a pair: one record, two, or not decided yet."""
BANDS = (0.1, 0.5, 0.9, 0.99)
"""Where linkage's probability is cut."""
FEWEST = 30
"""Pairs below which a stratum is pooled with its neighbour."""
NO_SCORE = "no score"


@dataclass(frozen=True)
class Candidate:
    """A pair of the register as a sample sees it. `p`: linkage's probability that the two are one person; None
    when linkage did not find the pair. `clearance`: what a reader needs to see both."""

    left_id: str
    right_id: str
    outcome: str
    p: float | None
    nhs_level: str | None = None
    clearance: int = 0


@dataclass(frozen=True)
class Stratum:
    """Pairs that are drawn from together. `expected`: the share of one person that linkage expects in it."""

    name: str
    outcome: str
    clearance: int
    expected: float
    pairs: tuple[Candidate, ...]

    @property
    def size(self) -> int:
        """How many pairs it has."""
        return len(self.pairs)


def strata_of(pairs: Iterable[Candidate]) -> list[Stratum]:
    """All pairs, each in one stratum. Small strata are pooled with the next band of the same outcome and lane."""
    cells: dict[tuple[str, int], dict[tuple[int, str], list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for pair in pairs:
        cells[pair.outcome, pair.clearance][_band(pair.p), side(pair.nhs_level)].append(pair)
    found = []
    for (outcome, clearance), parts in sorted(cells.items()):
        for inside, members in _pooled(parts):
            found.append(_stratum(outcome, clearance, inside, members))
    return found


def _band(p: float | None) -> int:
    return -1 if p is None else sum(p >= edge for edge in BANDS)


Cell = tuple[int, str]


def _pooled(parts: Mapping[Cell, list[Candidate]]) -> list[tuple[list[Cell], list[Candidate]]]:
    """Neighbours in the order of bands, put together until each has enough; the last joins the one before it."""
    made: list[tuple[list[Cell], list[Candidate]]] = []
    for cell, members in sorted(parts.items()):
        if made and len(made[-1][1]) < FEWEST:
            made[-1][0].append(cell)
            made[-1][1].extend(members)
        else:
            made.append(([cell], list(members)))
    if len(made) > 1 and len(made[-1][1]) < FEWEST:
        cells, members = made.pop()
        made[-1][0].extend(cells)
        made[-1][1].extend(members)
    return made


_SIDES = {FOR: "agrees", AGAINST: "differs", NOTHING: "missing"}


def _words(cells: Sequence[Cell]) -> str:
    """What is in a stratum: from which p to which, and what the NHS numbers say."""
    edges, bands = (0.0, *BANDS, 1.0), sorted({band for band, _ in cells})
    scored = [band for band in bands if band >= 0]
    score = [NO_SCORE] if bands[0] < 0 else []
    score += [f"p {edges[scored[0]]:g} to {edges[scored[-1] + 1]:g}"] if scored else []
    said = [word for side_, word in _SIDES.items() if any(one == side_ for _, one in cells)]
    return f"{' or '.join(score)}, NHS number {' or '.join(said)}"


def _stratum(outcome: str, clearance: int, cells: Sequence[Cell], members: Sequence[Candidate]) -> Stratum:
    known = [pair.p for pair in members if pair.p is not None]
    expected = sum(known) / len(known) if known else 0.5
    lane = " (restricted)" if clearance else ""
    inside = sorted(members, key=lambda pair: (pair.left_id, pair.right_id))
    return Stratum(f"{outcome}{lane}: {_words(cells)}", outcome, clearance, expected, tuple(inside))
