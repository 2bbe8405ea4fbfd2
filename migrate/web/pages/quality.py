"""The register's quality as it can be stated, with a plot that prints; and one reviewer's own figures."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from casebridge.dedupe.quality.statement import Band, mine, state
from casebridge.migrate.web.pages.queue import pace
from casebridge.migrate.web.visit import Visit

LEFT, WIDTH, ROW = 20.0, 560.0, 26.0
"""Of the plot, in its own units."""


@dataclass(frozen=True)
class Bar:
    """One line of the plot: its words, where linkage expected the share, where it was found, and the interval."""

    words: str
    y: float
    expected: float
    found: float | None
    low: float
    high: float


def show(visit: Visit) -> Response:
    """What can be said to this role."""
    said = state(visit.desk, visit.me.clearance)
    bars = [_bar(number, band) for number, band in enumerate(said.bands)]
    return visit.page("quality.html", title="Quality", said=said, bars=bars, height=ROW * len(bars) + 30,
                      left=LEFT, width=WIDTH)  # fmt: skip


def _bar(number: int, band: Band) -> Bar:
    words = f"{band.name} ({band.judged:,} of {band.size:,})"
    found = band.found
    return Bar(words, ROW * number + 18, _x(band.expected), _x(found.share) if found else None,
               _x(found.low) if found else 0.0, _x(found.high) if found else 0.0)  # fmt: skip


def _x(share: float) -> float:
    return round(LEFT + WIDTH * share, 1)


def own(visit: Visit) -> Response:
    """One's own agreement and pace: for the reviewer, not against him; nobody else is shown it."""
    figures = mine(visit.desk, visit.me.login, visit.me.clearance)
    return visit.page("mine.html", title="My work", mine=figures, pace=pace(visit, 0))
