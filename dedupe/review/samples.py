"""Samples of pairs, as they stand in the control database: which were drawn, and of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from casebridge.dedupe.review.desk_tables import PLANS, SAMPLES, STRATA, VERDICTS

Pair = tuple[str, str]


@dataclass(frozen=True)
class Drawn:
    """One stratum of a sample: what is in it, and the pairs drawn. `expected`: linkage's share of one
    person."""

    name: str
    outcome: str
    clearance: int
    size: int
    expected: float
    pairs: tuple[Pair, ...]


@dataclass(frozen=True)
class Sample:
    """A sample. `missed`: duplicates that linkage expects among pairs never compared."""

    run: str
    margin: float
    missed: float
    at: str
    strata: tuple[Drawn, ...]


def last_sample(engine: sa.Engine) -> Sample | None:
    """The sample that was drawn last; None when there is none. Read only."""
    found = _samples(engine, sa.select(PLANS).order_by(PLANS.c.number.desc()).limit(1))
    return found[0] if found else None


def all_samples(engine: sa.Engine) -> list[Sample]:
    """Every sample that was ever drawn, the oldest first. Read only."""
    return _samples(engine, sa.select(PLANS).order_by(PLANS.c.number))


def _samples(engine: sa.Engine, plans: sa.Select[Any]) -> list[Sample]:
    if not sa.inspect(engine).has_table(PLANS.name):
        return []
    with engine.connect() as connection:
        return [_sample(connection, plan) for plan in connection.execute(plans).all()]


def _sample(connection: sa.Connection, plan: sa.Row[Any]) -> Sample:
    rows = connection.execute(sa.select(STRATA).where(STRATA.c.plan == plan.number).order_by("number")).all()
    pairs: dict[int, list[Pair]] = {row.number: [] for row in rows}
    query = sa.select(SAMPLES).where(SAMPLES.c.stratum.in_(list(pairs))).order_by(SAMPLES.c.number)
    for row in connection.execute(query):
        pairs[row.stratum].append((row.left_id, row.right_id))
    strata = [Drawn(row.name, row.outcome, row.clearance, row.size, float(row.expected), tuple(pairs[row.number]))
              for row in rows]  # fmt: skip
    return Sample(plan.run, float(plan.margin), float(plan.missed), plan.at, tuple(strata))


def drawn_pairs(engine: sa.Engine) -> set[Pair]:
    """The pairs of the last sample: evidence of them is kept, so that somebody can look. Read only."""
    sample = last_sample(engine)
    return {pair for drawn in sample.strata for pair in drawn.pairs} if sample else set()


def keep_sample(connection: sa.Connection, sample: Sample, login: str) -> None:
    """Write down a sample, in the caller's transaction."""
    row: dict[str, object] = {
        "run": sample.run,
        "margin": repr(sample.margin),
        "missed": repr(sample.missed),
        "login": login,
        "at": sample.at,
    }
    plan = _inserted(connection, PLANS, row)
    for one in sample.strata:
        row = {"plan": plan, "name": one.name, "outcome": one.outcome, "clearance": one.clearance,
               "size": one.size, "expected": repr(one.expected)}  # fmt: skip
        stratum = _inserted(connection, STRATA, row)
        pairs: Sequence[dict[str, object]] = [
            {"stratum": stratum, "left_id": left, "right_id": right} for left, right in one.pairs
        ]
        if pairs:
            connection.execute(SAMPLES.insert(), pairs)


def _inserted(connection: sa.Connection, table: sa.Table, row: dict[str, object]) -> int:
    key = connection.execute(table.insert().values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def answered_known(engine: sa.Engine) -> set[str]:
    """The items of made-up pairs that somebody has judged. Read only."""
    if not sa.inspect(engine).has_table(VERDICTS.name):
        return set()
    query = sa.select(VERDICTS.c.item).where(VERDICTS.c.basis.contains('"known"')).distinct()
    with engine.connect() as connection:
        return set(connection.scalars(query))
