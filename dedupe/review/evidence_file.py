"""The evidence of a run: one SQLite file with what a reviewer must see, and nothing of anybody else.

It is written once, with the run, and never changed. A file may stand on another one, its base: it has what is
again since and says which rows of the base count no more. Every query asks for clearance first: what a reader may
not see is not counted, not ordered by and not joined.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casebridge.project.batch import file_digest

NAME, KIND = "evidence", "evidence"
"""Under which name and kind the file stands in the ledger."""
TWO_PEOPLE = frozenset({"deceased", "looked after", "child protection", "restricted"})
"""Flags of a record that a merge needs two people for."""
MADE_FROM = "made from"
"""The fact that has, of records of a live register, the legacy keys that each was made from (JSON)."""
BASE = "base"
"""The fact that names the file, in the same folder, on which this one stands."""

_SCHEMA = """
CREATE TABLE people (id TEXT PRIMARY KEY, clearance INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pairs (
    item TEXT PRIMARY KEY, left_id TEXT NOT NULL, right_id TEXT NOT NULL, clearance INTEGER NOT NULL,
    open INTEGER NOT NULL, value REAL NOT NULL, p REAL NOT NULL, weight REAL NOT NULL, data TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX pairs_left ON pairs (left_id);
CREATE INDEX pairs_right ON pairs (right_id);
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE instead (of TEXT, key TEXT, PRIMARY KEY (of, key)) WITHOUT ROWID;
"""
_ON_A_BASE = """
CREATE TEMP VIEW people AS SELECT * FROM main.people UNION ALL
    SELECT * FROM base.people WHERE NOT EXISTS (SELECT 1 FROM main.instead WHERE of = 'people' AND key = id);
CREATE TEMP VIEW pairs AS SELECT * FROM main.pairs UNION ALL
    SELECT * FROM base.pairs WHERE NOT EXISTS (SELECT 1 FROM main.instead WHERE of = 'pairs' AND key = item);
"""


@dataclass(frozen=True)
class Base:
    """What of a base counts no more: its file, the ids of people and the items of pairs."""

    path: Path
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


_APART = ("item", "left_id", "right_id", "clearance", "open", "value", "p", "weight")


def write_evidence_file(
    path: Path,
    people: Iterable[Person],
    pairs: Iterable[PairEvidence],
    facts: Mapping[str, str],
    base: Base | None = None,
) -> None:
    """Fill an empty file. `facts` are texts about the whole, such as the run's name. base: on which it stands."""
    told = {**facts, BASE: base.path.name} if base else facts
    instead = [("people", item) for item in base.people] + [("pairs", item) for item in base.pairs] if base else ()
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}; BEGIN")
        connection.executemany("INSERT INTO people VALUES (?, ?, ?)", (_of_person(item) for item in people))
        connection.executemany("INSERT INTO pairs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", map(_of_pair, pairs))
        connection.executemany("INSERT INTO facts VALUES (?, ?)", told.items())
        connection.executemany("INSERT INTO instead VALUES (?, ?)", instead)
        connection.execute("COMMIT")
    finally:
        connection.close()


def _of_person(item: Person) -> tuple[str, int, str]:
    body = {
        "roles": item.roles, "fields": item.fields, "teams": item.teams, "flags": item.flags,
        "digest": item.digest, "filled": item.filled, "unshown": item.unshown,
        "held": [[held.table, held.count, held.latest, held.rows] for held in item.held],
        "kin": [[kin.id, kin.what, kin.since] for kin in item.kin],
    }  # fmt: skip
    return item.id, item.clearance, json.dumps(body, ensure_ascii=False)


def _of_pair(item: PairEvidence) -> tuple[Any, ...]:
    body = {name: value for name, value in vars(item).items() if name not in _APART}
    return (*(getattr(item, name) for name in _APART), json.dumps(body, ensure_ascii=False))


class EvidenceFile:
    """A run's evidence, opened to read by somebody with a clearance. on_list: which of some keys are on a no-link
    list now; `hidden` are the records of which these are their own keys, or keys that they were made from."""

    def __init__(self, path: Path, on_list: Callable[[Iterable[str]], set[str]] | None = None) -> None:
        self.path = path
        self._connection = sqlite3.connect(_uri(path), uri=True, check_same_thread=False)
        self._connection.execute("PRAGMA temp_store = MEMORY")  # what is sorted is people's
        base = self.fact(BASE)
        if base:
            self._connection.execute("ATTACH ? AS base", (_uri(path.with_name(base)),))
            self._connection.executescript(_ON_A_BASE)
        self.hidden = self._on(on_list) if on_list else frozenset[str]()

    def _on(self, on_list: Callable[[Iterable[str]], set[str]]) -> frozenset[str]:
        made_from = json.loads(self.fact(MADE_FROM) or "{}")
        keys = {item: [item, *made_from.get(item, ())] for item in self.ids()}
        listed = on_list({key for some in keys.values() for key in some})
        return frozenset(item for item, some in keys.items() if not listed.isdisjoint(some))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def fact(self, name: str) -> str:
        """A text about the whole; empty when it is not there."""
        found = self._connection.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def pairs(self, clearance: int) -> Iterator[PairEvidence]:
        """The pairs that a reader may see, the most valuable first."""
        query = "SELECT * FROM pairs WHERE clearance <= ? ORDER BY value DESC, item"
        return map(_pair, self._connection.execute(query, (clearance,)))

    def pair(self, item: str, clearance: int) -> PairEvidence | None:
        """One pair; None when there is none that this reader may see."""
        query = "SELECT * FROM pairs WHERE clearance <= ? AND item = ?"
        found = self._connection.execute(query, (clearance, item)).fetchone()
        return _pair(found) if found else None

    def between(self, ids: Sequence[str], clearance: int) -> list[PairEvidence]:
        """The pairs that any two of some records make."""
        marks = ", ".join("?" * len(ids))
        query = (
            f"SELECT * FROM pairs WHERE clearance <= ? AND left_id IN ({marks}) AND right_id IN ({marks}) "  # noqa: S608
            "ORDER BY item"
        )
        return [_pair(row) for row in self._connection.execute(query, (clearance, *ids, *ids))]

    def ids(self) -> set[str]:
        """Every record in it, in whatever clearance."""
        return {item for (item,) in self._connection.execute("SELECT id FROM people")}

    def holds(self, ids: Iterable[str]) -> set[str]:
        """Those of some records that are in it."""
        query = "SELECT id FROM people WHERE id = ?"
        return {item for item in ids if self._connection.execute(query, (item,)).fetchone()}

    def person(self, item: str, clearance: int) -> Person | None:
        """One record; None when there is none that this reader may see."""
        return self.people([item], clearance).get(item)

    def roles(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Of every record, what linkage compares."""
        for item, data in self._connection.execute("SELECT id, data FROM people"):
            yield item, json.loads(data)["roles"]

    def people(self, ids: Sequence[str], clearance: int) -> dict[str, Person]:
        """Those of some records that a reader may see."""
        marks = ", ".join("?" * len(ids))
        query = f"SELECT id, clearance, data FROM people WHERE clearance <= ? AND id IN ({marks})"  # noqa: S608
        return {row[0]: _person(row) for row in self._connection.execute(query, (clearance, *ids))}


def _uri(path: Path) -> str:
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def _person(row: tuple[str, int, str]) -> Person:
    body = json.loads(row[2])
    return Person(
        row[0], row[1], body["roles"], body["fields"],
        tuple(Held(table, count, latest, tuple(rows)) for table, count, latest, rows in body["held"]),
        tuple(Kin(*kin) for kin in body["kin"]), tuple(body["teams"]), tuple(body["flags"]), body["digest"],
        body.get("filled", 0), tuple(body.get("unshown", ())),
    )  # fmt: skip


def _pair(row: tuple[Any, ...]) -> PairEvidence:
    body: dict[str, Any] = json.loads(row[8])
    body |= {name: tuple(body[name]) for name in ("teams", "flags", "group")}
    body["blockers"] = tuple(tuple(one) for one in body.get("blockers", ()))
    values: dict[str, Any] = {**dict(zip(_APART, row, strict=False)), **body}
    return PairEvidence(**{**values, "open": bool(row[4])})


def current_evidence(work: Path) -> Path | None:
    """The evidence file that the ledger names now."""
    found = _on_record(work)
    return found[0][0] if found and found[0][0].is_file() else None


def evidence_problem(work: Path) -> str:
    """What is wrong with the evidence that the ledger names now, the file on which it stands with it, in a
    sentence; empty when it is what the run wrote, or when there is none."""
    if current_evidence(work) is None:
        return ""
    for path, sha256 in _on_record(work):
        if not path.is_file() or file_digest(path) != sha256:
            return f"the evidence {path.name} is not what the run wrote"
    return ""


def _on_record(work: Path) -> list[tuple[Path, str]]:
    """The file, then the one on which it stands; of each the digest that the ledger has of it."""
    path = work / "ledger.db"
    if not path.is_file():
        return []
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
    try:
        found = connection.execute(
            "SELECT files.path, files.sha256, files.inputs FROM files "
            "JOIN standing USING (stage, name, number, inputs) "
            "WHERE files.stage = 'dedupe' AND files.name = ? AND files.kind IN (?, ?) "
            "ORDER BY standing.rowid DESC, files.kind = ?",
            (NAME, KIND, BASE, BASE),
        ).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()
    return [(work / name, sha256) for name, sha256, inputs in found if inputs == found[0][2]]
