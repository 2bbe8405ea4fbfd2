"""Merge pre-flight: for each pair, which of the target's merge blockers the data hold, and what follows.

A blocker is looked for in the transformed rows of the tables that `merge.toml` names. What blocks a merge in the
target need not block one before the load, where all rows of both records go to one person; each blocker says what
can be done. A group folds only when each pair in it may merge before the load.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import polars as pl

from casebridge.dedupe.review.crosswalk import Groups
from casebridge.dedupe.review.merge_rules import Blocker, MergeRules, Outcome, strictest
from casebridge.dedupe.review.preflight_checks import CHECKS, ID, PAIR
from casebridge.dedupe.review.preflight_facts import facts_of
from casebridge.project.batch import digest
from casebridge.project.job import Job

FOUND: Mapping[str, pl.DataType] = {
    "left_id": pl.String(), "right_id": pl.String(), "blocker": pl.String(), "left": pl.Int64(),
    "right": pl.Int64(),
}  # fmt: skip
"""A blocker of a pair, and how many rows of each record are behind it."""


@dataclass(frozen=True)
class Found:
    """A blocker that a pair has: its name, and how many rows of the left and of the right record make it one."""

    blocker: str
    left: int
    right: int


Preflight = Mapping[tuple[str, str], tuple[Found, ...]]
"""What was found of each pair that has anything."""


def preflight_inputs(job: Job, rules: MergeRules) -> str:
    """Changes with the rules, and with the rows of the tables that they look at."""
    tables = {feed.table for blocker in rules.blockers for feed in blocker.feeds}
    under = [batch.sha256 for spec in job.specs if spec.target in _with_parents(job, tables)
             for batch in job.ledger.sealed(job.run, "transform", spec.name, "clean")]  # fmt: skip
    return digest(repr(rules), under)


def _with_parents(job: Job, tables: Collection[str]) -> set[str]:
    found, left = set[str](), list(tables)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += [str(column.references) for column in job.target.by_name[name].references]
    return found


def look(job: Job, rules: MergeRules, pairs: Iterable[tuple[str, str]], register: Sequence[str]) -> pl.DataFrame:
    """FOUND of these pairs (smaller id left). `register` are the specs whose rows are the people."""
    asked = pl.DataFrame(sorted(set(pairs)), schema=dict.fromkeys(PAIR, pl.String), orient="row")
    members, found = members_of(asked), [pl.DataFrame(schema=dict(FOUND))]
    for blocker in rules.blockers if asked.height else ():
        found.append(looked(asked, blocker, facts_of(job, blocker, members, register)))
    return pl.concat(found).sort("left_id", "right_id", "blocker")


def members_of(pairs: pl.DataFrame) -> pl.DataFrame:
    """The records of some pairs, as a frame of ID."""
    return pl.concat([pairs.get_column(side).alias(ID) for side in PAIR]).unique().to_frame()


def looked(pairs: pl.DataFrame, blocker: Blocker, facts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """FOUND of one blocker. facts: rows of the tables that it looks at, with the record that each leads to."""
    rows = CHECKS[blocker.check](pairs, facts, blocker)
    named = rows.select(*PAIR, pl.lit(blocker.name).alias("blocker"), "left", "right")
    return named.cast(pl.Schema(FOUND))


def by_pair(found: pl.DataFrame) -> Preflight:
    """The same, by pair."""
    made: dict[tuple[str, str], tuple[Found, ...]] = {}
    for left, right, *rest in found.select(list(FOUND)).iter_rows():
        made[left, right] = (*made.get((left, right), ()), Found(*rest))
    return made


def outcome(rules: MergeRules, found: Iterable[Found]) -> Outcome:
    """What can be done about a pair in which this was found."""
    return strictest([rules.by_name[one.blocker].outcome for one in found])


@dataclass(frozen=True)
class Split:
    """Groups that people said are one person, by what pre-flight says: those that fold, and those that stay apart
    with the reason."""

    folding: Groups
    apart: tuple[tuple[tuple[str, ...], Outcome], ...] = ()


def split(grouped: Groups, rules: MergeRules, preflight: Preflight) -> Split:
    """Groups with a pair that may not merge before the load are taken out of those that merge."""
    merging, apart = [], []
    for ids in grouped.merging:
        found = [one for pair in combinations(sorted(ids), 2) for one in preflight.get(pair, ())]
        says = outcome(rules, found)
        if says is Outcome.BEFORE_LOAD:
            merging.append(ids)
        else:
            apart.append((ids, says))
    return Split(replace(grouped, merging=tuple(merging)), tuple(apart))
