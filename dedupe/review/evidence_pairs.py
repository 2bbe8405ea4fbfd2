"""Pairs as the desk shows them: with what linkage found, whose they are, what they are worth, and in which
group."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.review.clearance import OPEN, RESTRICTED
from casebridge.dedupe.review.crosswalk import together
from casebridge.dedupe.review.evidence_file import PairEvidence, Person
from casebridge.dedupe.review.known_pairs import SUREST
from casebridge.dedupe.review.preflight import Preflight
from casebridge.dedupe.review.reraise import level_columns
from casebridge.project.batch import digest

_ADULT = 18
TWICE = 20
"""One of so many pairs, by chance, is judged by two people though nothing calls for it: so agreement is known."""


def pairs_evidence(
    keyed: Callable[..., str],
    pairs: pl.DataFrame,
    people: Mapping[str, Person],
    blocked: Preflight,
    day: dt.date,
    kind: str = PERSON.name,
) -> list[PairEvidence]:
    """Pairs as the desk shows them. keyed: gives each pair the name that it has to the outside. pairs: left_id,
    right_id, p_same, weight, relation, zone, guard, state, ruling, changed, and a level for each comparison.
    blocked: what a merge of them would meet; day: by which it is told who is a child; kind: the register's."""
    joined = pairs.select(
        name for name in ("left_id", "right_id", "state", "ruling", "conflict") if name in pairs.columns
    )
    rows = joined.to_dicts()
    groups, torn = {lane: _groups(rows, people, lane) for lane in (OPEN, RESTRICTED)}, _torn(rows, people)
    maker = _Maker(keyed, people, level_columns(pairs), groups, torn, blocked, day, kind)
    return [maker.pair(row) for row in pairs.iter_rows(named=True)]


def is_sure(pairs: pl.DataFrame) -> pl.Expr:
    """The pairs among the surest, whatever clearance they need: as `known_pairs` asks of them."""
    flags = [pl.col(name).fill_null(value=False) for name in ("conflict", "asked_for") if name in pairs.columns]
    sure = (pl.col("state") == "undecided") & (pl.col("p_same").fill_null(0.0) >= SUREST)
    return sure & ~pl.any_horizontal(flags) if flags else sure


def item_of(keyed: Callable[..., str], left: str, right: str) -> str:
    """The name of a pair to the outside."""
    return keyed("item", left, right)[:32]


@dataclass(frozen=True)
class _Maker:
    """Makes pairs of rows; what many of them say alike is one object."""

    keyed: Callable[..., str]
    people: Mapping[str, Person]
    levels: Sequence[str]
    groups: Mapping[int, Mapping[str, tuple[str, ...]]]
    torn: Mapping[str, int]
    blocked: Preflight
    day: dt.date
    kind: str
    known: dict[object, Any] = field(default_factory=dict)

    def pair(self, row: Mapping[str, Any]) -> PairEvidence:
        """One pair."""
        left, right = self.people[row["left_id"]], self.people[row["right_id"]]
        conflict = row.get("conflict") is True
        clearance = max(left.clearance, right.clearance, self.torn.get(left.id, 0) if conflict else 0)
        found = self._found(row)
        blockers = tuple((one.blocker, one.left, one.right) for one in self.blocked.get((left.id, right.id), ()))
        says, below = str(row.get("preflight") or ""), row["state"] == "below"
        item, flags = item_of(self.keyed, left.id, right.id), self._both(left.flags, right.flags)
        p, child = float(row["p_same"] or 0), _is_child(left, self.day) or _is_child(right, self.day)
        return PairEvidence(
            item=item, left_id=left.id, right_id=right.id, clearance=clearance,
            open=row["state"] == "undecided", value=expected_value(p, flags, child=child, conflict=conflict), p=p,
            weight=float(row["weight"] or 0), relation=str(row["relation"] or ""), zone=str(row["zone"] or ""),
            guard=str(row["guard"] or ""), levels=found, teams=self._both(left.teams, right.teams), flags=flags,
            child=child, group=() if below else self.groups[clearance].get(left.id, ()), conflict=conflict,
            proposed=row.get("asked_for") is not True,
            evidence=digest(left.digest, right.digest, found, conflict, *([says, blockers] if says else [])),
            preflight=says, blockers=blockers, changed=row.get("changed") or "", why=row.get("why") or "",
            drawn=below, double=int(item, 16) % TWICE == 0, kind=self.kind,
        )  # fmt: skip

    def _found(self, row: Mapping[str, Any]) -> Mapping[str, str]:
        values = tuple(row[name] for name in self.levels)
        if values not in self.known:
            there = zip(self.levels, values, strict=True)
            self.known[values] = {name: str(value) for name, value in there if value is not None}
        found: Mapping[str, str] = self.known[values]
        return found

    def _both(self, left: tuple[str, ...], right: tuple[str, ...]) -> tuple[str, ...]:
        key = (left, right)
        if key not in self.known:
            self.known[key] = tuple(sorted({*left, *right}))
        found: tuple[str, ...] = self.known[key]
        return found


def expected_value(p: float, flags: Collection[str], *, child: bool, conflict: bool) -> float:
    """What is gained when a person decides: the harm that hangs on it times the certainty that is gained.

    Harm is 1, and more for a child (2), for care that calls for two people (1), money on file (1) and a warning
    (1). Certainty is p, for a record in two parts mended, and its entropy in bits, for a doubt that ends.
    Rounded, so that a trace of other records in p does not move a pair.
    """
    harm = 1 + 2 * child + ("looked after" in flags or "child protection" in flags) + ("money on file" in flags)
    harm += "warning" in flags
    p = min(max(p, 1e-9), 1 - 1e-9)
    entropy = -p * math.log2(p) - (1 - p) * math.log2(1 - p)
    return round(harm * (p + entropy) + 3 * conflict, 1)


def _is_child(person: Person, day: dt.date) -> bool:
    try:
        born = dt.date.fromisoformat(person.text("birth_date")[:10])
    except ValueError:
        return False
    return (day.year - born.year - ((day.month, day.day) < (born.month, born.day))) < _ADULT


def _groups(
    rows: Sequence[Mapping[str, Any]], people: Mapping[str, Person], lane: int
) -> dict[str, tuple[str, ...]]:
    """The groups of three or more that open pairs and those decided the same make, by record. lane: only of
    records with no higher clearance, so that a group is what it would be without the others."""
    joined = [
        (row["left_id"], row["right_id"]) for row in rows
        if row["state"] != "below" and (row["state"] == "undecided" or row.get("ruling") in (None, "same"))
        and max(people[row["left_id"]].clearance, people[row["right_id"]].clearance) <= lane
    ]  # fmt: skip
    return {item: group for group in together(joined) if len(group) > 2 for item in group}


def _torn(rows: Sequence[Mapping[str, Any]], people: Mapping[str, Person]) -> dict[str, int]:
    """The highest clearance of all who are in one contradiction, by record."""
    joined = [(row["left_id"], row["right_id"]) for row in rows if row.get("conflict") is True]
    found = defaultdict[str, int](int)
    for group in together(joined):
        highest = max(people[item].clearance for item in group)
        found.update(dict.fromkeys(group, highest))
    return found
