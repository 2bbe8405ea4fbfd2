"""The nights of the scan: duplicates found and settled by month, how complete the register is. For cleared readers
alone: its counts are of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from casebridge.dedupe.review.desk_figures import said_by_day
from casebridge.dedupe.scan.history import Record, read_record
from casebridge.dedupe.scan.state import read_state
from casebridge.migrate.web.visit import Visit

WIDE, HIGH, SHOWN = 1000, 180, 400


@dataclass(frozen=True)
class Month:
    """A month in numbers: nights, pairs that were new and settled in it, said the same and different at the desk,
    and what waited at its end."""

    name: str
    nights: int
    new: int
    settled: int
    same: int
    different: int
    waiting: int


def show(visit: Visit) -> Response:
    """The page; nothing for who is not cleared."""
    if not visit.me.clearance:
        return visit.nothing()
    nights = [read_record(body) for body in read_state(visit.desk.settings.work).facts.get("nights", [])][-SHOWN:]
    visit.noted("nights", shown=len(nights))
    last = nights[-1] if nights else None
    first = nights[0] if nights else None
    return visit.page(
        "nights.html", title="Nights", months=_months(visit, nights), last=last, first=first,
        new=_points([night.new for night in nights[1:]]), waiting=_points([night.waiting for night in nights[1:]]),
        wide=WIDE, high=HIGH,
    )  # fmt: skip


def _months(visit: Visit, nights: Sequence[Record]) -> list[Month]:
    said: dict[tuple[str, str], int] = {}
    for day, verdicts in said_by_day(visit.desk, visit.me.clearance) if nights else ():
        for verdict, count in verdicts.items():
            said[day[:7], verdict] = said.get((day[:7], verdict), 0) + count
    found = []
    for name in sorted({night.day[:7] for night in nights}):
        mine = [night for night in nights if night.day.startswith(name)]
        found.append(Month(
            name, len(mine), sum(night.new for night in mine if night.night > 1),
            sum(night.settled for night in mine), said.get((name, "same"), 0), said.get((name, "different"), 0),
            mine[-1].waiting,
        ))  # fmt: skip
    return found


def _points(values: Sequence[int]) -> str:
    """A line through values, for a plot of WIDE by HIGH."""
    most = max(values, default=0) or 1
    step = WIDE / max(len(values) - 1, 1)
    return " ".join(f"{number * step:.1f},{HIGH - HIGH * value / most:.1f}" for number, value in enumerate(values))
