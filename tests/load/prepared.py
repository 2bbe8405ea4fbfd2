"""Targets with runs in them, the next export of its dump, and what stands in a target."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from pathlib import Path

import psycopg
import sqlalchemy as sa

from casebridge.project.database import open_database
from tests.councils import Migration, contents
from tests.shelf import Shelf, copy_of, migration_in

Contents = Mapping[str, list[tuple[object, ...]]]
FIRST, NEXT = "trial-1", "trial-2"
NOTES = {"casebridge_runs", "casebridge_before"}


class Snapshots:
    """Targets with some runs in them, loaded once for all tests, and copies of them."""

    def __init__(self, shelf: Shelf, prepared: Migration, work: Path, server: str) -> None:
        self._bases: dict[tuple[str, ...], Migration] = {}
        self._shelf, self._prepared, self._work, self._server = shelf, prepared, work, server

    def copy(self, database: str, runs: tuple[str, ...], into: Path) -> Migration:
        """A project of one's own with these runs in its target."""
        if database == "sqlite":
            return copy_of(self._in_a_file(runs), into)
        return self._of_a_server(self._on_a_server(runs), into)

    def _in_a_file(self, runs: tuple[str, ...]) -> Migration:
        """For all workers."""
        if not runs:
            return self._prepared
        made = self._shelf.made(
            f"loaded-{len(runs)}", lambda folder: loaded(copy_of(self._in_a_file(runs[:-1]), folder), runs[-1])
        )
        return migration_in(made)

    def _on_a_server(self, runs: tuple[str, ...]) -> Migration:
        """For this worker: each has a server of its own."""
        if not runs:
            return self._prepared
        if runs not in self._bases:
            made = self._of_a_server(self._on_a_server(runs[:-1]), self._work / f"{len(runs)}")
            self._bases[runs] = loaded(made, runs[-1])
        return self._bases[runs]

    def _of_a_server(self, under: Migration, into: Path) -> Migration:
        name = f"copy_{uuid.uuid4().hex}"
        template = under.target.split("/")[3].split("?")[0] if under is not self._prepared else "template1"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")  # type: ignore[arg-type]
        return copy_of(under, into, self._server.replace("/postgres?", f"/{name}?"))


def loaded(migration: Migration, run: str = FIRST) -> Migration:
    """The same migration, with this run in its target."""
    done = migration.cli("load", "--name", run)
    assert done.returncode == 0, done.stderr
    return migration


def plain(found: Contents) -> dict[str, list[tuple[str, ...]]]:
    """Rows as text, so that two databases can be compared (SQLite keeps decimals as text), without the notes
    of which runs there were."""
    return {
        name: sorted(tuple(str(value) for value in row) for row in rows)
        for name, rows in found.items()
        if name not in NOTES
    }


def next_export(council: Path, share: float = 0.01) -> None:
    """The same council some weeks later: of every hundred rows one is another, gone, or new, and a person
    with the smallest number of all stands at the top of the file, where it moves every line down by one."""
    (council / "dump" / "MANIFEST.csv").unlink(missing_ok=True)
    for name, text, column in (
        ("CF_PERSON", b"Changed", 2), ("CF_ADDRESS", b"9 Changed Lane", 3), ("CF_ACTIVITY", b"01/02/2024", 5),
        ("CF_PAYMENT", b"123.45", 6), ("CF_WARNING", b"changed", 4),
    ):  # fmt: skip
        path = council / "dump" / f"{name}.csv"
        header, *lines = path.read_bytes().split(b"\r\n")
        chance = random.Random(name)
        path.write_bytes(b"\r\n".join([header, *_new(lines, chance, share, text, column)]))


def _new(lines: list[bytes], chance: random.Random, share: float, text: bytes, column: int) -> list[bytes]:
    kept = []
    top = []
    for line in lines:
        fields = line.split(b",")
        plain_line = line.count(b'"') == 0 and len(fields) > column and fields[0].strip().isdigit()
        if not plain_line or chance.random() >= share:
            kept.append(line)
            continue
        what = chance.choice(["edit", "delete", "insert"])
        changed = [*fields[:column], text, *fields[column + 1 :]]
        if what == "edit":
            kept.append(b",".join(changed))
        elif what == "insert":
            kept.append(line)
            top.append(b",".join([fields[0].replace(b"0", b"9", 1) + b"7", *changed[1:]]))
    return [*top, *kept]


def written(before: Contents, after: Contents) -> dict[str, tuple[int, int]]:
    """For each table, the rows that must go and the rows that must come."""
    tables = {name for name in before if not name.startswith("casebridge_")}
    counts = {
        name: (
            len(set(before.get(name, [])) - set(after.get(name, []))),
            len(set(after.get(name, [])) - set(before.get(name, []))),
        )
        for name in tables
    }
    return {name: count for name, count in counts.items() if count != (0, 0)}


def keys(url: str) -> set[str]:
    """The names of all indexes and foreign keys of a target."""
    engine = open_database(url)
    inspector = sa.inspect(engine)
    names = inspector.get_table_names()
    found = {str(key["name"]) for name in names for key in inspector.get_foreign_keys(name)}
    found |= {str(key["name"]) for name in names for key in inspector.get_indexes(name)}
    engine.dispose()
    return found


def state(migration: Migration) -> tuple[Contents, set[str]]:
    """All that stands in a target: rows, indexes and foreign keys."""
    return contents(migration.target), keys(migration.target)
