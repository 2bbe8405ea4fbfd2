"""The nights of the scan: duplicates found and settled by month and team, how complete and valid the register is.
For cleared readers alone: its counts are of everybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from starlette.responses import Response

from casebridge.dedupe.review.desk_figures import said_by_day
from casebridge.dedupe.scan.history import Record, read_record
from casebridge.dedupe.scan.state import read_state
from casebridge.migrate.web.pages.night_figures import (
    ALL,
    HIGH,
    SMALL,
    WIDE,
    cohort_lines,
    field_lines,
    month_names,
    months_of,
    points,
    teams_of,
)
from casebridge.migrate.web.visit import Visit

SHOWN = 400


def show(visit: Visit) -> Response:
    """The page; nothing for who is not cleared."""
    if not visit.me.clearance:
        return visit.nothing()
    nights = [read_record(body) for body in read_state(visit.desk.settings.work).facts.get("nights", [])][-SHOWN:]
    visit.noted("nights", shown=len(nights))
    names = month_names(nights)
    chosen = visit.query.get("month", "")
    chosen = chosen if chosen in {*names, ALL} else (names[-1] if names else ALL)
    teams = teams_of(nights if chosen == ALL else [night for night in nights if night.day.startswith(chosen)])
    return visit.page(
        "nights.html", title="Nights", months=months_of(nights, _said(visit, nights)), names=[*names, ALL],
        chosen=chosen, teams=teams, most=max((team.rate or 0.0 for team in teams), default=0.0) or 1.0,
        last=nights[-1] if nights else None, first=nights[0] if nights else None,
        cohorts=cohort_lines(nights), fields=field_lines(nights),
        new=points([night.new for night in nights[1:]]), waiting=points([night.waiting for night in nights[1:]]),
        wide=WIDE, high=HIGH, small=SMALL,
    )  # fmt: skip


def _said(visit: Visit, nights: Sequence[Record]) -> Mapping[tuple[str, str], int]:
    """Verdicts at the desk, by month and verdict."""
    said = Counter[tuple[str, str]]()
    for day, verdicts in said_by_day(visit.desk, visit.me.clearance) if nights else ():
        for verdict, count in verdicts.items():
            said[day[:7], verdict] += count
    return said
