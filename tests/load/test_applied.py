"""Our own tables in a target: what each of them says after each step of a load and of a rollback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.load.writing.applied import (
    APPLIED,
    BEFORE,
    Applied,
    TargetRun,
    applied,
    before,
    create_side_tables,
    drop_side_tables,
    forget_applied,
    forget_run,
    note_applied,
    open_run,
    runs,
)
from casebridge.project.batch import Batch
from casebridge.project.errors import CasebridgeError

OURS = {"applied", "crosswalk", "runs", "before", "parked", "schema"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def target() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE vendor (id INTEGER)"))
        create_side_tables(connection)
        yield connection
    engine.dispose()


def _batch(name: str, number: int, rows: int = 3) -> Batch:
    digest = f"{name}{number}".ljust(64, "0")
    return Batch("load", name, number, "rows", f"of {name} {number}", Path(f"{number}.parquet"), rows, digest)


def _applied(name: str, number: int, table: str, rows: int = 3) -> Applied:
    return Applied(name, number, table, f"of {name} {number}", f"{name}{number}".ljust(64, "0"), rows)


def _tables(connection: sa.Connection) -> set[str]:
    return set(sa.inspect(connection).get_table_names())


def test_our_tables_come_once_and_go_alone(target: sa.Connection) -> None:
    assert _tables(target) == {"vendor", *(f"casebridge_{name}" for name in OURS)}
    note_applied(target, _batch("persons", 0), "people", "trial-1")
    create_side_tables(target)
    assert len(applied(target)) == 1
    drop_side_tables(target)
    assert _tables(target) == {"vendor"}


def test_a_target_of_a_newer_release_is_named(target: sa.Connection) -> None:
    target.execute(sa.text("UPDATE casebridge_schema SET version = 99"))
    with pytest.raises(CasebridgeError, match=r"^the target sqlite://.* was written by a newer casebridge"):
        create_side_tables(target)


def test_a_batch_stands_until_it_is_forgotten(target: sa.Connection) -> None:
    for name, number, table in (("persons", 0, "people"), ("persons", 1, "people"), ("visits", 1, "visits")):
        note_applied(target, _batch(name, number, 5 + number), table, "trial-1")
    there = applied(target)
    assert there == {
        ("persons", 0): _applied("persons", 0, "people", 5), ("persons", 1): _applied("persons", 1, "people", 6),
        ("visits", 1): _applied("visits", 1, "visits", 6),
    }  # fmt: skip
    noted = target.execute(sa.select(APPLIED.c.run, APPLIED.c.applied_at)).all()
    assert {run for run, _ in noted} == {"trial-1"}
    assert all(MOMENT.fullmatch(moment) for _, moment in noted)
    forget_applied(target, "persons", 1)
    assert set(applied(target)) == {("persons", 0), ("visits", 1)}


def test_a_run_is_noted_with_what_it_finds(target: sa.Connection) -> None:
    """Its own tables and keys, and every batch that stands; once, however often it goes on."""
    assert runs(target) == []
    open_run(target, "trial-1", ["visits", "people"], ["uq_b", "uq_a"])
    note_applied(target, _batch("visits", 1, 4), "visits", "trial-1")
    note_applied(target, _batch("visits", 0, 2), "visits", "trial-1")
    note_applied(target, _batch("persons", 7, 9), "people", "trial-1")
    open_run(target, "trial-2", [], ["uq_c"])
    open_run(target, "trial-1", ["late"], [])
    first = TargetRun(1, "trial-1", ("people", "visits"), ("uq_a", "uq_b"))
    second, third = TargetRun(2, "trial-2", (), ("uq_c",)), TargetRun(3, "trial-1", ("late",), ())
    assert runs(target) == [first, second, third]
    assert before(target, 1) == []
    found = [_applied("persons", 7, "people", 9), _applied("visits", 0, "visits", 2),
             _applied("visits", 1, "visits", 4)]  # fmt: skip
    assert before(target, 2) == before(target, 3) == found
    forget_applied(target, "visits", 0)
    assert before(target, 2) == found
    begun = target.scalars(sa.text("SELECT begun_at FROM casebridge_runs")).all()
    assert all(MOMENT.fullmatch(moment) for moment in begun)


def test_a_run_that_goes_on_notes_no_more_than_the_tables_it_made_since(target: sa.Connection) -> None:
    open_run(target, "trial-1", ["b"], ["uq_b"])
    note_applied(target, _batch("persons", 0), "people", "trial-1")
    open_run(target, "trial-2", ["a"], [])
    open_run(target, "trial-3", ["d"], [])
    open_run(target, "trial-3", ["c", "d"], ["uq_c"])
    assert runs(target) == [
        TargetRun(1, "trial-1", ("b",), ("uq_b",)), TargetRun(2, "trial-2", ("a",), ()),
        TargetRun(3, "trial-3", ("c", "d"), ()),
    ]  # fmt: skip
    assert len(before(target, 3)) == 1


def test_a_run_that_was_taken_back_was_never_there(target: sa.Connection) -> None:
    for run in ("trial-1", "trial-2"):
        open_run(target, run, [], [])
        note_applied(target, _batch(run, 0), "people", run)
    open_run(target, "trial-3", [], [])
    forget_run(target, 3)
    assert [run.run for run in runs(target)] == ["trial-1", "trial-2"]
    assert set(target.scalars(sa.select(BEFORE.c.run_number))) == {2}
    open_run(target, "trial-4", [], [])
    assert [run.number for run in runs(target)] == [1, 2, 3]
    forget_run(target, 1)
    assert [run.number for run in runs(target)] == [2, 3]
