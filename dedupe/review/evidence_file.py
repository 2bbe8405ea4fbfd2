"""The evidence of a run: one SQLite file with what a reviewer must see, and nothing of anybody else.

It is written once, and never changed; a head beside it has the digests of its parts. A file may stand on
another one, its base: it has what is again since and says what of the base counts no more. Whoever asks says
his clearance: what a reader may not see is not counted, not ordered by and not joined.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from casebridge.dedupe.review.evidence_store import Row, Store, fill
from casebridge.dedupe.review.pair_blocks import packed, unpacked

NAME, KIND = "evidence", "evidence"
"""Under which name and kind the file stands in the ledger."""
TWO_PEOPLE = frozenset({"deceased", "looked after", "child protection", "restricted"})
"""Flags of a record that a merge needs two people for."""
MADE_FROM = "made from"
"""The fact that has, of records of a live register, the legacy keys that each was made from (JSON)."""
NO_LINK = "no link"
"""The fact that has the keyed digest of the no-link lists of which nobody is in the file."""
BASE, BASE_HEAD, HEAD = "base", "base head", "head"
"""The facts that name the file, in the same folder, on which this one stands, and the sha256 of that one's
head. Under the same kinds the ledger has them, and the head of the file itself."""


@dataclass(frozen=True)
class Base:
    """What of a base counts no more: its file, the sha256 of its head, the ids of people and the items of
    pairs."""

    path: Path
    head: str
    people: Collection[str]
    pairs: Collection[str]


@dataclass(frozen=True)
class Kin:
    """Somebody who belongs to a person: by a relationship on file (`what`), or by the same address."""

    id: str
    what: str
    since: str = ""


@dataclass(frozen=True)
class Held:
    """Rows of one table that a person has: how many, the latest day in them, and some of them."""

    table: str
    count: int
    latest: str = ""
    rows: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Person:
    """A record as a reviewer sees it. `roles` are what linkage compares (texts, lists of texts), `fields` the
    target's columns, `flags` what calls for care, `digest` of what is compared; `filled` how many columns hold
    something in all, `unshown` those of them that are not in `fields`."""

    id: str
    clearance: int
    roles: Mapping[str, str | Sequence[str]]
    fields: Mapping[str, str] = field(default_factory=dict)
    held: tuple[Held, ...] = ()
    kin: tuple[Kin, ...] = ()
    teams: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    digest: str = ""
    filled: int = 0
    unshown: tuple[str, ...] = ()

    def text(self, role: str) -> str:
        """What stands under a role, as one text; empty when nothing does."""
        value = self.roles.get(role, "")
        return value if isinstance(value, str) else ", ".join(value)

    @property
    def latest(self) -> str:
        """The last day on which something was noted of the person; empty when none is known."""
        return max((held.latest for held in self.held), default="")


@dataclass(frozen=True)
class PairEvidence:
    """A pair that may be one person (or what `kind` says), as linkage and people left it. `item` names it to the
    outside and tells nothing; `levels` are the findings of the comparisons; `group` the ids of the group that the
    pair is in, when that has three or more; `conflict` says that decisions contradict; `evidence` is the digest of
    what is shown; `changed` says why a pair that was decided *different* is here again, `why` why one is here that
    linkage did not find; `preflight` what can be done about the pair (empty where the project has no merge rules),
    `blockers` what stands in the way: its name, and the rows of the left and of the right record behind it."""

    item: str
    left_id: str
    right_id: str
    clearance: int
    open: bool
    value: float
    p: float
    weight: float
    relation: str = ""
    zone: str = ""
    guard: str = ""
    levels: Mapping[str, str] = field(default_factory=dict)
    teams: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    child: bool = False
    group: tuple[str, ...] = ()
    conflict: bool = False
    proposed: bool = True
    evidence: str = ""
    changed: str = ""
    why: str = ""
    double: bool = False
    drawn: bool = False
    known: str = ""
    known_why: str = ""
    kind: str = "person"
    preflight: str = ""
    blockers: tuple[tuple[str, int, int], ...] = ()

    @property
    def needs_two(self) -> bool:
        """Whether two people judge the pair: its merge calls for it, or it is of the share that is judged
        twice."""
        return self.calls_for_two or self.double

    @property
    def calls_for_two(self) -> bool:
        """Whether a merge of the two needs a second person, by what is on file."""
        return bool(TWO_PEOPLE & set(self.flags)) or len(self.group) > 2 or not self.proposed


_OWN = ("item", "left_id", "right_id", "clearance", "open", "value", "p", "weight", "evidence", "group")
_ALIKE = (
    "levels",
    "relation zone guard child conflict proposed changed why double drawn known known_why kind preflight blockers",
    "teams flags",
)
"""Fields that each pair has for itself, and groups of those of which many pairs say the same."""
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def write_evidence_file(
    path: Path,
    people: Iterable[Person],
    pairs: Iterable[PairEvidence],
    facts: Mapping[str, str],
    base: Base | None = None,
) -> str:
    """Fill an empty file; returns the text of its head, to be kept at `head_of(path)`. The people are written
    as they come, best sorted by id; the pairs are asked for when all people are written. facts: texts about the
    whole. base: on which it stands."""
    told = {**facts, BASE: base.path.name, BASE_HEAD: base.head} if base else facts
    instead = {"people": base.people, "pairs": base.pairs} if base else {}
    return fill(path, map(_of_person, people), _of_pairs(pairs), told, instead).text()


def _of_person(item: Person) -> tuple[str, int, str]:
    body = {
        "roles": item.roles, "fields": item.fields, "teams": item.teams, "flags": item.flags,
        "digest": item.digest, "filled": item.filled, "unshown": item.unshown,
        "held": [[held.table, held.count, held.latest, held.rows] for held in item.held],
        "kin": [[kin.id, kin.what, kin.since] for kin in item.kin],
    }  # fmt: skip
    return item.id, item.clearance, _dumps({name: found for name, found in body.items() if found})


def _of_pairs(pairs: Iterable[PairEvidence]) -> Iterator[str]:
    yield from packed(map(vars, sorted(pairs, key=_by_value)), _OWN, _ALIKE)


def _by_value(pair: PairEvidence) -> tuple[float, str]:
    """The most valuable first."""
    return -pair.value, pair.item


class EvidenceFile:
    """A run's evidence, opened to read by somebody with a clearance. on_list: which of some keys are on a
    no-link list now; `hidden` are the records of which these are their own keys, or keys that they were made
    from. head: the sha256 of the file's head, as the ledger has it."""

    def __init__(
        self, path: Path, on_list: Callable[[Iterable[str]], set[str]] | None = None, head: str = ""
    ) -> None:
        self.path = path
        self._own, self._base = Store(path, head), None
        base = self.fact(BASE)
        if base:
            self._base = Store(path.with_name(base), self.fact(BASE_HEAD))
        self._instead = {name: frozenset(found) for name, found in self._own.head.instead.items()}
        self.hidden = frozenset[str]()
        if on_list:
            self.hide(on_list)

    def hide(self, on_list: Callable[[Iterable[str]], set[str]]) -> None:
        """Look for records that are on a no-link list now."""
        made_from: dict[str, list[str]] = json.loads(self.fact(MADE_FROM) or "{}")
        there = self.ids()
        listed = on_list(there.union(*made_from.values()))
        of_others = {item for item, keys in made_from.items() if item in there and not listed.isdisjoint(keys)}
        self.hidden = frozenset((listed & there) | of_others)

    def close(self) -> None:
        """Let go of the file."""
        for store in (self._own, self._base):
            if store is not None:
                store.close()

    def fact(self, name: str) -> str:
        """A text about the whole; empty when it is not there."""
        return self._own.head.facts.get(name, "")

    @cached_property
    def _pairs(self) -> Mapping[str, PairEvidence]:
        """All pairs by item, the most valuable first."""
        own, gone = list(_read_pairs(self._own)), self._instead.get("pairs", frozenset())
        if self._base is not None:
            own += [pair for pair in _read_pairs(self._base) if pair.item not in gone]
            own.sort(key=_by_value)
        return {pair.item: pair for pair in own}

    @cached_property
    def _of_record(self) -> Mapping[str, list[PairEvidence]]:
        found: dict[str, list[PairEvidence]] = {}
        for pair in self._pairs.values():
            found.setdefault(pair.left_id, []).append(pair)
        return found

    def pairs(self, clearance: int) -> Iterator[PairEvidence]:
        """The pairs that a reader may see, the most valuable first."""
        return (pair for pair in self._pairs.values() if pair.clearance <= clearance)

    def pair(self, item: str, clearance: int) -> PairEvidence | None:
        """One pair; None when there is none that this reader may see."""
        found = self._pairs.get(item)
        return found if found is not None and found.clearance <= clearance else None

    def between(self, ids: Sequence[str], clearance: int) -> list[PairEvidence]:
        """The pairs that any two of some records make."""
        inside = set(ids)
        found = [pair for item in inside for pair in self._of_record.get(item, ()) if pair.right_id in inside]
        return sorted((pair for pair in found if pair.clearance <= clearance), key=lambda pair: pair.item)

    def ids(self) -> set[str]:
        """Every record in it, in whatever clearance."""
        own = self._own.ids()
        return own | (self._base.ids() - self._instead["people"]) if self._base is not None else own

    def holds(self, ids: Iterable[str]) -> set[str]:
        """Those of some records that are in it."""
        return set(self._rows(list(ids)))

    def person(self, item: str, clearance: int) -> Person | None:
        """One record; None when there is none that this reader may see."""
        return self.people([item], clearance).get(item)

    def roles(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Of every record, what linkage compares."""
        gone = self._instead.get("people", frozenset())
        base = self._base.all_rows() if self._base is not None else iter(())
        for item, _, data in chain(self._own.all_rows(), (row for row in base if row[0] not in gone)):
            yield item, json.loads(data).get("roles", {})

    def people(self, ids: Sequence[str], clearance: int) -> dict[str, Person]:
        """Those of some records that a reader may see."""
        return {item: _person(row) for item, row in self._rows(ids).items() if row[1] <= clearance}

    def _rows(self, ids: Sequence[str]) -> dict[str, Row]:
        found = self._own.rows(ids)
        if self._base is not None:
            gone = self._instead["people"]
            found |= self._base.rows([item for item in ids if item not in found and item not in gone])
        return found


def _read_pairs(store: Store) -> Iterator[PairEvidence]:
    for block in store.blocks():
        for values in unpacked(block, _OWN, _ALIKE):
            yield PairEvidence(**values)


def _person(row: Row) -> Person:
    body: dict[str, Any] = json.loads(row[2])
    lists: dict[str, Any] = {name: tuple(body[name]) for name in ("teams", "flags", "unshown") if name in body}
    held = tuple(Held(table, count, latest, tuple(rows)) for table, count, latest, rows in body.pop("held", ()))
    kin = tuple(Kin(*one) for one in body.pop("kin", ()))
    body |= {"roles": body.get("roles", {}), **lists}
    return Person(row[0], row[1], **body, held=held, kin=kin)
