"""Limits agreed before a run: which share of what a spec asks for may stay behind without anybody's word.

`[limits]` in `casebridge.toml` gives shares from 0 to 1 for all specs, `[limits.NAME]` for one spec or source.
What was not agreed there has a default, which judges nothing of fewer rows than `LEAST_ROWS`: of three rows, one
is a third. A share above its limit needs a named person who accepts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casebridge.project.errors import Excess, Problem, did_you_mean

KINDS = ("rejected", "held", "set_aside")
DEFAULT: Mapping[str, float] = {"rejected": 0.25, "held": 0.25, "set_aside": 0.5}
LEAST_ROWS = 100
"""A default limit judges specs that ask for at least so many rows."""


@dataclass(frozen=True)
class Limits:
    """The agreed shares: of all specs, and of one spec or source by name."""

    of_all: Mapping[str, float] = field(default_factory=dict)
    of_one: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def share(self, name: str, kind: str, asked: int) -> float | None:
        """The share of a spec's rows that may be of this kind; None when it is not judged."""
        agreed = self.of_one.get(name, {}).get(kind, self.of_all.get(kind))
        if agreed is not None:
            return agreed
        return DEFAULT[kind] if asked >= LEAST_ROWS else None


@dataclass(frozen=True)
class Measure:
    """How many rows a spec or source asked for, and how many of them are of each kind."""

    name: str
    asked: int
    rows: Mapping[str, int]


def over(limits: Limits, measures: Iterable[Measure]) -> list[Excess]:
    """Every share that is above its limit."""
    found = []
    for measure in measures:
        for kind in KINDS:
            rows, limit = measure.rows.get(kind, 0), limits.share(measure.name, kind, measure.asked)
            if limit is not None and measure.asked and rows > limit * measure.asked:
                found.append(Excess(measure.name, kind, rows, measure.asked, limit))
    return found


def read_limits(file: str, body: Any, problems: list[Problem]) -> Limits:
    """`[limits]` of the settings; what is wrong is added to `problems`."""
    if not isinstance(body, Mapping):
        problems.append(Problem(file, "limits", "must be a TOML table"))
        return Limits()
    parts = {str(name): part for name, part in body.items() if isinstance(part, Mapping)}
    plain = {str(name): value for name, value in body.items() if not isinstance(value, Mapping)}
    of_one = {name: _shares(file, f"limits.{name}", part, problems) for name, part in parts.items()}
    return Limits(_shares(file, "limits", plain, problems), of_one)


def _shares(file: str, where: str, body: Mapping[str, Any], problems: list[Problem]) -> dict[str, float]:
    shares = {}
    for kind, value in body.items():
        if kind not in KINDS:
            problems.append(Problem(file, f"{where}.{kind}", "unknown key", did_you_mean(kind, KINDS)))
        elif isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            hint = "write 0.05 for five in a hundred"
            problems.append(Problem(file, f"{where}.{kind}", f"must be a share from 0 to 1, not {value!r}", hint))
        else:
            shares[kind] = float(value)
    return shares


def unknown_names(file: str, limits: Limits, known: Sequence[str]) -> list[Problem]:
    """Limits for specs and sources that are not there: a mistyped name must not lift a limit."""
    return [
        Problem(file, f"limits.{name}", "no such spec or source", did_you_mean(name, known))
        for name in limits.of_one
        if name not in known
    ]
