"""What the page of nights shows, worked out of the nights that are kept: months, teams, and lines over time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.scan.history import NO_TEAM, Record

WIDE, HIGH = 1000, 180
SMALL = 60
"""Of the plots, in their own units: the wide ones, and the height of a field's."""
ALL = "all"
"""The choice of no month."""


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


@dataclass(frozen=True)
class Team:
    """A team in some nights: its pairs that were found, left the queue as one person and as two, and wait at the
    end; the records that it made, and how many of them were of somebody who was there."""

    name: str
    new: int
    confirmed: int
    refuted: int
    waiting: int
    made: int
    again: int

    @property
    def rate(self) -> float | None:
        """The share of its new records that are duplicates; None where it made none."""
        return self.again / self.made if self.made else None


@dataclass(frozen=True)
class Line:
    """A field or cohort over time: points of its lines by name, and the first and last value of each."""

    name: str
    points: Mapping[str, str]
    ends: Mapping[str, tuple[float, float]]


def months_of(nights: Sequence[Record], said: Mapping[tuple[str, str], int]) -> list[Month]:
    """By month. said: verdicts at the desk by month and verdict."""
    found = []
    for name in month_names(nights):
        mine = [night for night in nights if night.day.startswith(name)]
        found.append(Month(
            name, len(mine), sum(night.new for night in mine if night.night > 1),
            sum(night.settled for night in mine), said.get((name, "same"), 0), said.get((name, "different"), 0),
            mine[-1].waiting,
        ))  # fmt: skip
    return found


def month_names(nights: Sequence[Record]) -> list[str]:
    """The months in which there was a night, the earliest first."""
    return sorted({night.day[:7] for night in nights})


def teams_of(nights: Sequence[Record]) -> list[Team]:
    """By team, over these nights; who makes the most duplicates first."""
    sums: dict[str, Counter[str]] = {}
    for night in nights:
        for team, counts in night.teams.items():
            sums.setdefault(team, Counter()).update({k: v for k, v in counts.items() if k != "waiting"})
    last = nights[-1].teams if nights else {}
    made = [
        Team(team, counts["new"], counts["confirmed"], counts["refuted"], last.get(team, {}).get("waiting", 0),
             counts["made"], counts["again"])
        for team, counts in sums.items()
    ]  # fmt: skip
    return sorted(made, key=lambda team: (-team.again, -team.new, team.name == NO_TEAM, team.name))


def cohort_lines(nights: Sequence[Record]) -> list[Line]:
    """Of each cohort the share of people whose NHS number is missing, invalid, or was not traced."""
    cohorts = sorted({cohort for night in nights for cohort in night.nhs})

    def share(cohort: str, what: str) -> Callable[[Record], float | None]:
        def of(night: Record) -> float | None:
            counts = night.nhs.get(cohort, {})
            return counts[what] / counts["people"] if counts.get("people") and what in counts else None

        return of

    return [
        _line(cohort, nights, {what: share(cohort, what) for what in ("missing", "invalid", "unverified")})
        for cohort in cohorts
    ]


def field_lines(nights: Sequence[Record]) -> list[Line]:
    """Of each field the share of people for whom it is filled in, and whose value can be one."""
    roles = list(nights[-1].filled) if nights else []

    def filled(role: str) -> Callable[[Record], float | None]:
        return lambda night: night.filled.get(role)

    def valid(role: str) -> Callable[[Record], float | None]:
        return lambda night: night.valid.get(role)

    return [
        _line(role.replace("_", " "), nights, {"filled in": filled(role), "valid": valid(role)}) for role in roles
    ]


def _line(name: str, nights: Sequence[Record], of: Mapping[str, Callable[[Record], float | None]]) -> Line:
    """What the nights do not know has no line."""
    known = {what: [(at, value) for at, night in enumerate(nights) if (value := read(night)) is not None]
             for what, read in of.items()}  # fmt: skip
    step = WIDE / max(len(nights) - 1, 1)
    points = {what: " ".join(f"{at * step:.1f},{SMALL - SMALL * value:.1f}" for at, value in values)
              for what, values in known.items() if values}  # fmt: skip
    ends = {what: (values[0][1], values[-1][1]) for what, values in known.items() if values}
    return Line(name, points, ends)


def points(values: Sequence[int]) -> str:
    """A line through values, for a plot of WIDE by HIGH."""
    most = max(values, default=0) or 1
    step = WIDE / max(len(values) - 1, 1)
    return " ".join(f"{number * step:.1f},{HIGH - HIGH * value / most:.1f}" for number, value in enumerate(values))
