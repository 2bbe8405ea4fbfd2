"""What is kept of each night, in numbers only: for the digest, for drift, for whoever watches by machine."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

AGES = ((1, "today"), (8, "this week"), (31, "this month"), (1 << 30, "longer"))
"""Ages of waiting pairs, by the days from which the next one begins."""

COUNTED = ("records", "changed", "new", "again", "settled", "waiting", "oldest")
"""What is told of a further register: its records, those that changed, and of pairs as of people's."""

NO_TEAM = ""
TEAM_COUNTS = ("new", "waiting", "confirmed", "refuted", "made", "again")
"""Pairs that are new, that wait, that left the queue as one person and as two; records that were made, and those
of them that wait in a pair."""


@dataclass(frozen=True)
class Record:
    """One night in numbers: people in the register, those who changed, pairs that are new at the desk, that came
    back, that were settled since, that wait (by age, `oldest` in days), that people decided; the mean probability
    of the new ones; of each role the share of people who have its commonest value (`largest`), and of
    those who have any (`filled`); NHS numbers by cohort; rows that came from each table, rows that it has where
    that is known, changes that a change date hid (`late`), how many are on the list of each chore (`absent`: why
    one could not be made), nights that were missed before, seconds; of each further register what stands in
    COUNTED, None where it could
    not be read; of the pairs that wait how many there are by what merge pre-flight says; of each role that has a
    form, the share of people whose value has it (`valid`); by team its counts (`TEAM_COUNTS`), and the same
    without restricted records (`teams_open`)."""

    night: int
    day: str
    people: int
    changed: int
    new: int
    again: int
    settled: int
    waiting: int
    decided: int
    oldest: int = 0
    ages: Mapping[str, int] = field(default_factory=dict)
    probability: float | None = None
    largest: Mapping[str, float] = field(default_factory=dict)
    filled: Mapping[str, float] = field(default_factory=dict)
    nhs: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    rows_read: Mapping[str, int] = field(default_factory=dict)
    rows_there: Mapping[str, int] = field(default_factory=dict)
    late: Mapping[str, int] = field(default_factory=dict)
    chores: Mapping[str, int | None] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    missed: int = 0
    registers: Mapping[str, Mapping[str, int] | None] = field(default_factory=dict)
    preflight: Mapping[str, int] = field(default_factory=dict)
    valid: Mapping[str, float] = field(default_factory=dict)
    teams: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    teams_open: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    def warned(self, more: Sequence[str]) -> Record:
        """The same with further warnings."""
        return replace(self, warnings=(*self.warnings, *more))


def read_record(body: Mapping[str, Any]) -> Record:
    """A night as it was kept."""
    return Record(**{**body, "warnings": tuple(body.get("warnings", ()))})


def waiting(found: pl.DataFrame | None) -> pl.DataFrame:
    """left_id, right_id and since of the candidates that wait for somebody."""
    if found is None:
        return pl.DataFrame(schema={"left_id": pl.String, "right_id": pl.String, "since": pl.String})
    return found.filter(pl.col("state") == "undecided").select("left_id", "right_id", "since")


def counted_pairs(found: pl.DataFrame, before: pl.DataFrame | None, day: dt.date) -> dict[str, Any]:
    """The counts of tonight's candidates, against those of the night before."""
    now, old, by = waiting(found), waiting(before), ["left_id", "right_id"]
    new = now.join(old, on=by, how="anti")
    since = now.group_by("since").len()
    ages = Counter[int]()
    for began, many in since.iter_rows():  # a clock may go back
        ages[max((day - dt.date.fromisoformat(began)).days, 0)] += many
    mean = found.join(new, on=by, how="semi").get_column("p_same").mean()
    return {
        "new": new.height, "settled": old.join(now, on=by, how="anti").height, "waiting": now.height,
        "decided": found.height - now.height, "again": found.get_column("changed").count(),
        "oldest": max(ages, default=0), "ages": _by_age(ages),
        "probability": round(float(mean), 3) if isinstance(mean, float) else None,
        "preflight": _by_preflight(found),
    }  # fmt: skip


def _by_age(ages: Mapping[int, int]) -> dict[str, int]:
    """How many are of each of AGES. ages: how many by days."""
    found = {name: 0 for _, name in AGES}
    for age, many in ages.items():
        found[next(name for until, name in AGES if age < until)] += many
    return found


def _by_preflight(found: pl.DataFrame) -> dict[str, int]:
    if "preflight" not in found.columns:
        return {}
    says = found.filter(pl.col("state") == "undecided").get_column("preflight").drop_nulls()
    return dict(sorted(says.value_counts().iter_rows()))
