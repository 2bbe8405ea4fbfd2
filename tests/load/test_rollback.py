"""A run is taken back, and the target is what it was before it, row for row and key for key."""

from __future__ import annotations

import json
from pathlib import Path

import sqlalchemy as sa
from prepared import FIRST, NEXT, Contents, Snapshots, loaded, state, written

from casebridge.project.database import open_database
from tests.councils import Migration, contents
from tests.plug import killed_at

VENDOR = (
    "CREATE TABLE dm_vendor (id BIGINT PRIMARY KEY, word TEXT)",
    "INSERT INTO dm_vendor VALUES (1, 'theirs')",
    "CREATE TABLE warnings (warning_id BIGINT PRIMARY KEY, person_id BIGINT, warning_type VARCHAR(40), "
    "severity VARCHAR(20), warning TEXT, start_date DATE, end_date DATE, theirs VARCHAR(5))",
    "INSERT INTO warnings (warning_id, theirs) VALUES (-1, 'kept')",
)


def _ask(url: str, *statements: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))
    engine.dispose()


def _rollback(migration: Migration, *words: str, run: str = FIRST) -> dict[str, tuple[int, int]]:
    """What the command says it did: rows deleted and restored by table."""
    done = migration.cli("rollback", run, *words, "--json")
    assert done.returncode == 0, done.stderr
    counts: dict[str, tuple[int, int]] = {}
    for item in json.loads(done.stdout):
        deleted, restored = counts.get(item["target"], (0, 0))
        counts[item["target"]] = (deleted + item["deleted"], restored + item["restored"])
    return counts


def test_a_whole_first_load_leaves_no_trace(first_loaded: Migration) -> None:
    full = state(first_loaded)
    told = _rollback(first_loaded, "--dry-run")
    assert state(first_loaded) == full
    assert _rollback(first_loaded) == told
    assert told == {
        name: (len(rows), 0) for name, rows in full[0].items() if rows and not name.startswith("casebridge_")
    }
    assert state(first_loaded) == ({}, set())
    assert first_loaded.cli("rollback", FIRST).returncode == 1
    loaded(first_loaded)
    assert state(first_loaded) == full


def test_what_is_not_ours_stays(ready: Migration) -> None:
    """The supplier's own tables, and rows and columns of theirs in a table that we fill."""
    _ask(ready.target, *VENDOR)
    before = state(ready)
    loaded(ready)
    assert len(contents(ready.target)["warnings"]) > 1
    _rollback(ready)
    assert state(ready) == before


def test_a_partial_load_is_taken_back(ready: Migration) -> None:
    """Four loads, each killed at another moment and taken back; the first never came to anything."""
    _ask(ready.target, *VENDOR)
    before = state(ready)
    load = ["load", "--name", FIRST]
    assert killed_at(load, ready.folder, "before the run is noted")
    assert ready.cli("rollback", FIRST).returncode == 1
    assert state(ready) == before
    for moment in ("after loosen", "after copy", "before tighten"):
        assert killed_at(load, ready.folder, moment), moment
        _rollback(ready)
        assert state(ready) == before, moment


def test_a_delta_is_taken_back(after_delta: tuple[Migration, tuple[Contents, set[str]]]) -> None:
    migration, before = after_delta
    after = state(migration)
    assert migration.cli("rollback", FIRST).returncode == 1, "it is not the last one"
    told = _rollback(migration, "--dry-run", run=NEXT)
    assert state(migration) == after
    assert _rollback(migration, run=NEXT) == told == written(after[0], before[0])
    assert state(migration) == before
    _rollback(migration)
    assert state(migration) == ({}, set())


def test_killed_in_a_rollback_and_run_again(after_delta: tuple[Migration, tuple[Contents, set[str]]]) -> None:
    """At one moment after the other: each goes on from where the last one was killed."""
    migration, before = after_delta
    for moment in ("after loosen", "after delete", "after commit", "in rollback", "before the run is forgotten"):
        assert killed_at(["rollback", NEXT], migration.folder, moment), moment
    _rollback(migration, run=NEXT)
    assert state(migration) == before


def test_a_half_loaded_delta_is_taken_back(first_loaded: Migration) -> None:
    before = state(first_loaded)
    assert killed_at(["load", "--name", NEXT], first_loaded.folder, "after commit", 2)
    assert state(first_loaded) != before
    _rollback(first_loaded, run=NEXT)
    assert state(first_loaded) == before


def test_a_signed_run_is_not_taken_back(first_loaded: Migration) -> None:
    before = state(first_loaded)
    engine = open_database(f"sqlite:///{first_loaded.folder / 'work' / 'ledger.db'}")
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE runs SET signed = '{}'"))
    engine.dispose()
    done = first_loaded.cli("rollback", FIRST)
    assert done.returncode == 1
    assert "signed and closed" in done.stderr
    assert state(first_loaded) == before


def test_what_others_built_on_our_tables_is_named_before_anything_is_taken_back(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    """Only PostgreSQL minds: SQLite lets a table go from under a view."""
    first_loaded = snapshots.copy("postgresql", (FIRST,), tmp_path)
    full = state(first_loaded)
    _ask(
        first_loaded.target,
        "CREATE TABLE vendor_flags (person_id BIGINT REFERENCES dm_persons)",
        "CREATE VIEW vendor_names AS SELECT last_name FROM dm_persons",
    )
    for words in ((), ("--dry-run",)):
        refused = first_loaded.cli("rollback", FIRST, *words)
        assert refused.returncode == 1
        assert "key vendor_flags_person_id_fkey of vendor_flags, view vendor_names" in refused.stderr
    _ask(first_loaded.target, "DROP VIEW vendor_names", "DROP TABLE vendor_flags")
    assert state(first_loaded) == full
    _rollback(first_loaded)
    assert state(first_loaded) == ({}, set())
