"""Which people and pairs of the evidence are shown otherwise than before: only these are made again.

A pair is made again where anything changed in its row, in one of its people, or in a pair that hangs together with
it; a person where his rows, his relations or those at his address changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from casebridge.dedupe.review.gathering import home_of
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.dedupe.scan.counts import CHILD
from casebridge.dedupe.scan.kept_rows import IN_PARTS, KeptRows
from casebridge.dedupe.scan.pairs import BESIDE
from casebridge.dedupe.scan.people import Moved

ENDS = ["left_id", "right_id"]


@dataclass(frozen=True)
class Remade:
    """What is made again: candidates, and those of before that count no more in this form; people in the former,
    and others, in no pair now, who may be shown beside somebody."""

    pairs: pl.DataFrame
    before: pl.DataFrame
    members: frozenset[str]
    others: frozenset[str]


def stirred(moved: Moved, asked: Collection[str], config: ScanConfig) -> set[str]:
    """Those of the register whom the evidence may show otherwise since something moved in it: who was asked for
    again, and who is at an address at which somebody came or went."""
    parts = home_of(dict(config.fields))
    if not parts:
        return set(asked)
    homes = [frame.select("id", *parts).drop_nulls() for frame in (moved.then, moved.now)]
    by = ["id", *parts]
    apart = [one.join(other, on=by, how="anti").select(parts) for one, other in (homes, homes[::-1])]
    there = pl.concat(apart).unique().lazy()
    beside = moved.register.lazy("id", *parts).join(there, on=parts, how="semi").select("id")
    return {*asked, *beside.collect(engine=IN_PARTS).get_column("id")}


def of_age(register: KeptRows, config: ScanConfig, since: dt.date, day: dt.date) -> set[str]:
    """Those who were children on a day, and are adults now."""
    column = dict(config.fields).get("birth_date")
    if column is None or since >= day:
        return set()
    after, until = (f"{one.year - CHILD}{one.isoformat()[4:]}" for one in (since, day))
    born = register.lazy("id", column).with_columns(pl.col(column).cast(pl.String).str.head(10))
    found = born.filter(pl.col(column) > after, pl.col(column) <= until).select("id")
    return set(found.collect(engine=IN_PARTS).get_column("id"))


def made_again(now: pl.DataFrame, before: pl.DataFrame, stir: Collection[str]) -> Remade:
    """What is made again of candidates: those that are not as they were before, those of people who were stirred,
    and all that hang together with them."""
    columns = [name for name in now.columns if name not in BESIDE]
    marks = [frame.select(*ENDS, frame.select(columns).hash_rows(seed=0).alias("mark")) for frame in (now, before)]
    by = [*ENDS, "mark"]
    came, went = (one.join(other, on=by, how="anti") for one, other in (marks, marks[::-1]))
    seeds = {*stir, *_ends(came), *_ends(went)}
    reached = _hanging_together(pl.concat([now.select(ENDS), before.select(ENDS)]).unique(), seeds)
    mine, old = (frame.filter(_in(reached)) for frame in (now, before))
    maybe = frozenset([*stir, *_ends(old)])
    return Remade(mine, old, frozenset(_ends(mine)), maybe - in_a_pair(now, maybe))


def in_a_pair(pairs: pl.DataFrame, some: Collection[str]) -> frozenset[str]:
    """Those of some records that stand in a pair."""
    return frozenset(_ends(pairs.filter(_in(some)))).intersection(some)


def _hanging_together(pairs: pl.DataFrame, seeds: Collection[str]) -> set[str]:
    """The records of all pairs that hang together with one of these records."""
    reached, size = set(seeds), 0
    while len(reached) > size:
        size = len(reached)
        reached |= set(_ends(pairs.filter(_in(reached))))
    return reached


def _in(some: Collection[str]) -> pl.Expr:
    wanted = pl.Series(sorted(some), dtype=pl.String).implode()
    return pl.any_horizontal(pl.col(name).is_in(wanted) for name in ENDS)


def _ends(pairs: pl.DataFrame) -> list[str]:
    return [item for name in ENDS for item in pairs.get_column(name)]
