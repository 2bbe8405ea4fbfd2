"""How evidence lies on disk: records in parts and pairs in blocks, and a head that has the digest of each.

Records and pairs stand in one SQLite file. The head is a small file beside it; the ledger has its digest.
Whatever is read is held against the head as it is read: a desk opens without reading records that nobody looks
at, and none is shown that is not what the run wrote.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casebridge.project.errors import CasebridgeError

PART = 16
"""Records of one part: to show one, so many are read."""
Row = tuple[str, int, str]
"""A record: its id, the clearance that it needs, and the rest as JSON."""
_SCHEMA = """
CREATE TABLE people (number INTEGER PRIMARY KEY, id TEXT NOT NULL, clearance INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE pairs (number INTEGER PRIMARY KEY, data TEXT NOT NULL);
"""
Runs = tuple[tuple[tuple[str, str], ...], ...]


@dataclass(frozen=True)
class Head:
    """What an evidence file holds. `facts`: texts about the whole; `pairs`: the sha256 of each block; `people`:
    runs of parts, each with its first id and its sha256, the ids of a run rising; `instead`: of what it stands on,
    the ids of people and the items of pairs that count no more."""

    facts: Mapping[str, str] = field(default_factory=dict)
    pairs: tuple[str, ...] = ()
    people: Runs = ()
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def text(self) -> str:
        """As JSON."""
        return json.dumps(vars(self), ensure_ascii=False, separators=(",", ":"))


def head_of(path: Path) -> Path:
    """Where the head of an evidence file stands: beside it."""
    return path.with_suffix(".json")


def text_digest(text: str) -> str:
    """The sha256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def fill(
    path: Path,
    people: Iterable[Row],
    pairs: Iterable[str],
    facts: Mapping[str, str],
    instead: Mapping[str, Iterable[str]],
) -> Head:
    """Write records and blocks of pairs into an empty file, one after the other. The pairs are asked for when all
    people are written. Sorted records make one run; each that breaks the order begins another."""
    connection = sqlite3.connect(path, isolation_level=None)
    runs: list[list[tuple[str, str]]] = []
    digests: list[str] = []
    try:
        connection.executescript(
            f"PRAGMA page_size = 16384; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; {_SCHEMA}; BEGIN"
        )
        connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", _numbered(people, runs))
        connection.executemany("INSERT INTO pairs (data) VALUES (?)", _digested(pairs, digests))
        connection.execute("COMMIT")
    finally:
        connection.close()
    gone = {name: tuple(sorted(found)) for name, found in instead.items()}
    return Head(dict(facts), tuple(digests), tuple(tuple(run) for run in runs), gone)


def _numbered(rows: Iterable[Row], runs: list[list[tuple[str, str]]]) -> Iterator[tuple[int, str, int, str]]:
    """Rows with their numbers: those of a part follow one another from a multiple of PART. Fills `runs`."""
    last = ""
    for number, part in enumerate(_parts(rows)):
        if not runs or part[0][0] <= last:
            runs.append([])
        runs[-1].append((part[0][0], _part_digest(part)))
        last = part[-1][0]
        for place, row in enumerate(part):
            yield number * PART + place, *row


def _parts(rows: Iterable[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    for row in rows:
        if part and (len(part) == PART or row[0] <= part[-1][0]):
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def _part_digest(part: Iterable[Row]) -> str:
    text = "".join(f"{len(item)} {clearance} {len(data)}\n{item}{data}" for item, clearance, data in part)
    return text_digest(text)


def _digested(blocks: Iterable[str], digests: list[str]) -> Iterator[tuple[str]]:
    for block in blocks:
        digests.append(text_digest(block))
        yield (block,)


class Store:
    """One evidence file, opened to read. sha256: of its head, as the ledger has it; empty where nobody recorded
    it. CasebridgeError, then or later, when something is not what was written."""

    def __init__(self, path: Path, sha256: str = "") -> None:
        self.path = path
        try:
            text = head_of(path).read_text(encoding="utf-8")
            if sha256 and text_digest(text) != sha256:
                raise changed(path)
            self.head = _read_head(text)
            self._connection = sqlite3.connect(_uri(path), uri=True, check_same_thread=False)
        except (OSError, ValueError, TypeError, sqlite3.Error) as error:
            raise changed(path) from error
        self._firsts = [[first for first, _ in run] for run in self.head.people]
        sizes = [len(run) for run in self.head.people]
        self._before = [sum(sizes[:place]) for place in range(len(sizes))]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def blocks(self) -> Iterator[str]:
        """The blocks of pairs, each as it was written."""
        found = self._read("SELECT data FROM pairs ORDER BY number")
        if len(found) != len(self.head.pairs):
            raise changed(self.path)
        for (block,), sha256 in zip(found, self.head.pairs, strict=True):
            if text_digest(str(block)) != sha256:
                raise changed(self.path)
            yield block

    def ids(self) -> set[str]:
        """Every record in it. What is read of one later is held against the head, these ids are not."""
        return {item for (item,) in self._read("SELECT id FROM people")}

    def rows(self, ids: Iterable[str]) -> dict[str, Row]:
        """Those of some records that are in it."""
        parts: dict[tuple[int, int], dict[str, Row]] = {}
        found: dict[str, Row] = {}
        for item in ids:
            for run, firsts in enumerate(self._firsts):
                place = bisect_right(firsts, item) - 1
                if place < 0:
                    continue
                if (run, place) not in parts:
                    parts[run, place] = {row[0]: row for row in self._part(run, place)}
                if item in parts[run, place]:
                    found[item] = parts[run, place][item]
                    break
        return found

    def all_rows(self) -> Iterator[Row]:
        """All records."""
        for run, parts in enumerate(self.head.people):
            for place in range(len(parts)):
                yield from self._part(run, place)

    def _part(self, run: int, place: int) -> Sequence[Row]:
        first = (self._before[run] + place) * PART
        query = "SELECT id, clearance, data FROM people WHERE number >= ? AND number < ? ORDER BY number"
        part = self._read(query, first, first + PART)
        if _part_digest(part) != self.head.people[run][place][1]:
            raise changed(self.path)
        return part

    def _read(self, query: str, *values: int) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise changed(self.path) from error


def _read_head(text: str) -> Head:
    body = json.loads(text)
    people = tuple(tuple((first, sha256) for first, sha256 in run) for run in body["people"])
    return Head(body["facts"], tuple(body["pairs"]), people, {k: tuple(v) for k, v in body["instead"].items()})


def _uri(path: Path) -> str:
    return f"{path.resolve().as_uri()}?mode=ro&immutable=1"


def changed(path: Path) -> CasebridgeError:
    """What is said of a file that is not what the run wrote."""
    return CasebridgeError(
        f"the evidence {path.name} is not what the run wrote",
        hint="`casebridge run`, or `casebridge scan`, writes it again; say who could change it",
    )
