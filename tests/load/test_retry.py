"""A target that stumbles: the load waits and goes on where that helps, and stops cleanly where it does not."""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from prepared import FIRST, Contents, loaded, plain

import casebridge.load.writing.delivery as delivery
import casebridge.load.writing.retry as retry
from casebridge import load, transform
from casebridge.load.writing.retry import in_transaction, is_row_error, repeatable, transient
from casebridge.project.database import open_database
from casebridge.project.job import Silent
from tests.councils import Migration, contents
from tests.shelf import copy_of
from tests.staged import PERSONS, extracted, job_of, lay_out, read_all


@pytest.fixture
def on_postgres(prepared: Migration, tmp_path: Path, postgres_url: str) -> Migration:
    return copy_of(prepared, tmp_path, postgres_url)


@pytest.fixture
def on_sqlite(prepared: Migration, tmp_path: Path) -> Migration:
    return copy_of(prepared, tmp_path)


@contextmanager
def _server(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        url.replace(url.split("/")[3].split("?")[0], "postgres", 1), autocommit=True
    ) as connection:
        yield connection


@contextmanager
def _at(monkeypatch: pytest.MonkeyPatch, moment: str, nth: int, does) -> Iterator[None]:  # type: ignore[no-untyped-def]
    """Something happens when the load comes to a moment for the nth time."""
    seen = 0

    def reached(name: str) -> None:
        nonlocal seen
        seen += name == moment
        if name == moment and seen == nth:
            does()

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "failpoint", reached)
        patched.setattr(retry, "WAITS", (0.1, 0.2, 0.5, 1, 2, 4, 8, 16, 32))
        yield
    assert seen >= nth


@pytest.mark.parametrize("moment", ["before begin", "after copy", "before commit"])
def test_lost_connections_are_made_again(
    moment: str, on_postgres: Migration, whole: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every session is ended by the server: what was under way is done again, what was committed is not."""
    name = on_postgres.target.split("/")[3].split("?")[0]

    def end_all() -> None:
        with _server(on_postgres.target) as server:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    with _at(monkeypatch, moment, 7, end_all):
        loaded(on_postgres)
    assert plain(contents(on_postgres.target)) == whole


@pytest.mark.parametrize("moment", ["after copy", "after commit"])
def test_a_server_that_crashes_and_recovers_is_waited_for(
    moment: str, on_postgres: Migration, whole: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of its processes is killed (SIGKILL): PostgreSQL ends all others, recovers from its log, and starts."""
    name = on_postgres.target.split("/")[3].split("?")[0]

    def crash() -> None:
        with _server(on_postgres.target) as server:
            query = "SELECT pid FROM pg_stat_activity WHERE datname = %s"
            (pid,) = server.execute(query, [name]).fetchall()[0]
        os.kill(pid, signal.SIGKILL)

    with _at(monkeypatch, moment, 11, crash):
        loaded(on_postgres)
    assert plain(contents(on_postgres.target)) == whole


def test_a_commit_that_came_through_unseen_is_not_done_twice(
    on_postgres: Migration, whole: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to a COMMIT is lost; the target is asked before anything is written again."""
    begin, lost = sa.Engine.begin, []

    @contextmanager
    def losing(engine: sa.Engine) -> Iterator[sa.Connection]:
        with begin(engine) as connection:
            yield connection
        if engine.dialect.name == "postgresql" and len(lost) < 5:
            lost.append(engine)
            raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patched:
        patched.setattr(sa.Engine, "begin", losing)
        patched.setattr(retry, "WAITS", (0.01,) * 8)
        loaded(on_postgres)
    assert len(lost) == 5
    assert plain(contents(on_postgres.target)) == whole


def test_a_withdrawn_batch_goes_though_the_connection_is_lost(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes in its stead that could be looked for afterwards: only that it still stands shows that the
    deletion did not come through."""
    project = lay_out(tmp_path / "staged", {"persons": PERSONS}, target_url=postgres_url)
    batches = [[{"NO": str(n), "NAME": "Ng", "DOB": None, "REF": None}] for n in range(2)]
    name = postgres_url.split("/")[3].split("?")[0]

    def end_all() -> None:
        with _server(postgres_url) as server:
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    with job_of(project) as job:
        for kept in (batches, batches[:1]):
            extracted(job, "PERSON", *kept)
            transform.run(job)
            if kept is batches:
                load.run(job)
        with _at(monkeypatch, "before commit", 1, end_all):
            load.run(job)
    left = contents(postgres_url)
    assert [row[1] for row in left["persons"]] == ["0"]
    assert [row[:2] for row in left["casebridge_applied"] if row[0] == "persons"] == [("persons", 0)]


def test_a_locked_table_is_waited_for(on_postgres: Migration) -> None:
    """Somebody else holds a lock for a while; lock_timeout or not, the load comes through."""
    with _server(on_postgres.target) as server:
        name = on_postgres.target.split("/")[3].split("?")[0]
        server.execute(f"ALTER DATABASE {name} SET lock_timeout = '100ms'")  # type: ignore[arg-type]
    holder = psycopg.connect(on_postgres.target)
    holder.execute("CREATE TABLE their_table (id INT)")
    holder.commit()
    engine = open_database(on_postgres.target)
    holder.execute("LOCK TABLE their_table")
    threading.Timer(0.8, holder.commit).start()

    def work(connection: sa.Connection) -> None:
        connection.exec_driver_sql("INSERT INTO their_table VALUES (1)")

    in_transaction(engine, work, repeatable, Silent())
    engine.dispose()
    holder.close()
    assert contents(loaded(on_postgres).target)["their_table"] == [(1,)]


def test_deadlocks_and_restarts_pass_and_full_disks_do_not() -> None:
    errors = psycopg.errors
    passes = (
        errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable, errors.TooManyConnections,
        errors.AdminShutdown, errors.CrashShutdown, errors.CannotConnectNow, errors.ConnectionFailure,
    )  # fmt: skip
    for kind in passes:
        assert transient(kind())
        assert not is_row_error(kind())
    for kind in (errors.DiskFull, errors.ReadOnlySqlTransaction, errors.InsufficientPrivilege):
        assert not transient(kind())
        assert not is_row_error(kind())
    for kind in (errors.UniqueViolation, errors.StringDataRightTruncation):
        assert is_row_error(kind())
        assert not transient(kind())
    assert transient(sqlite3.OperationalError("database is locked"))
    assert not transient(sqlite3.OperationalError("database or disk is full"))


def _refuses(migration: Migration, words: str) -> None:
    """The load stops with exit code 3 and says why; what it leaves is whole batches, or nothing."""
    done = migration.cli("load", "--name", FIRST)
    assert done.returncode == 3, done.stderr
    assert words in done.stderr


def test_a_target_that_turns_read_only_stops_the_load_cleanly(
    on_postgres: Migration, whole: Contents, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = on_postgres.target.split("/")[3].split("?")[0]

    def turn(read_only: str) -> None:
        with _server(on_postgres.target) as server:
            server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = {read_only}")  # type: ignore[arg-type]
            server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

    turn("on")
    _refuses(on_postgres, "read-only")
    assert contents(on_postgres.target) == {}
    turn("off")
    with _at(monkeypatch, "after commit", 9, lambda: turn("on")):
        _refuses(on_postgres, "read-only")
    left = contents(on_postgres.target)
    for table, name_in, count in [(b[2], b[0], b[4]) for b in left["casebridge_applied"]]:
        assert len(left[str(table)]) >= int(str(count)), name_in
    turn("off")
    assert plain(contents(loaded(on_postgres).target)) == whole


def test_a_full_disk_stops_the_load_cleanly(on_sqlite: Migration, whole: Contents) -> None:
    def small(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA max_page_count = 120")

    sa.event.listen(sa.Engine, "connect", small)
    try:
        _refuses(on_sqlite, "full")
    finally:
        sa.event.remove(sa.Engine, "connect", small)
    assert plain(contents(loaded(on_sqlite).target)) == whole


def test_a_read_only_file_stops_the_load_cleanly(on_sqlite: Migration, whole: Contents) -> None:
    def closed(connection: sqlite3.Connection, _: object) -> None:
        if "target.db" in connection.execute("PRAGMA database_list").fetchone()[2]:
            connection.execute("PRAGMA query_only = ON")

    sa.event.listen(sa.Engine, "connect", closed)
    try:
        _refuses(on_sqlite, "readonly")
    finally:
        sa.event.remove(sa.Engine, "connect", closed)
    assert contents(on_sqlite.target) == {}
    assert plain(contents(loaded(on_sqlite).target)) == whole


def test_the_batch_beside_one_that_fails_stands(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two batches side by side one fails for a row; the other is in by then, and is not offered again."""
    project = lay_out(tmp_path / "staged", {"persons": PERSONS}, target_url=postgres_url)
    batches = [[{"NO": str(n), "NAME": "Ng", "DOB": None, "REF": None}] for n in range(3)]
    with job_of(project) as job:
        extracted(job, "PERSON", batches[0])
        transform.run(job)
        load.run(job)
        with psycopg.connect(postgres_url) as connection:
            connection.execute("INSERT INTO persons (person_id, legacy_id) VALUES (2, 'theirs')")
        extracted(job, "PERSON", *batches)
        transform.run(job)
        waiting, committed = [], threading.Event()

        def reached(moment: str) -> None:
            if moment == "before begin" and not waiting:
                waiting.append(moment)
                committed.wait(60)
            if moment == "after commit":
                committed.set()

        monkeypatch.setattr(delivery, "failpoint", reached)
        load.run(job)
        refused = read_all(job, "load", "persons", "quarantine")
    assert refused.get_column("_key").to_list() == ["1"]
    assert {row[1] for row in contents(postgres_url)["persons"]} == {"0", "2", "theirs"}


def test_waits_grow_and_end_and_each_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One attempt more than there are waits, with a word before each; then the target's own error."""
    monkeypatch.setattr(retry, "WAITS", (0.001, 0.002, 0.0005))
    engine, attempts, said = open_database(f"sqlite:///{tmp_path / 'target.db'}"), [], []

    class Listening(Silent):
        def note(self, text: str) -> None:
            said.append(text)

    def locked(connection: sa.Connection) -> None:
        attempts.append(connection)
        raise sqlite3.OperationalError("database is locked")

    def refused(connection: sa.Connection) -> None:
        attempts.append(connection)
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(sqlite3.OperationalError, match="locked"):
        in_transaction(engine, locked, repeatable, Listening())
    assert len(attempts) == 4
    waits = ("0.001", "0.002", "0.0005")
    why = f"the target is waited for: another program is writing to {tmp_path / 'target.db'} (`fuser` names it)"
    assert said == [f"{why}; trying again in {wait} s" for wait in waits]
    with pytest.raises(sqlite3.OperationalError, match="disk"):
        in_transaction(engine, refused, repeatable, Listening())
    assert len(attempts) == 5
    engine.dispose()


def test_no_second_attempt_where_the_first_came_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`done` is asked after a lost answer, before anything is written again, and not before the first attempt."""
    monkeypatch.setattr(retry, "WAITS", (0.001,))
    engine, steps = open_database(f"sqlite:///{tmp_path / 'target.db'}"), []

    def work(_: sa.Connection) -> None:
        steps.append("work")
        raise sqlite3.OperationalError("database is locked")

    def done() -> bool:
        steps.append("done?")
        return True

    in_transaction(engine, work, done, Silent())
    assert steps == ["work", "done?"]
    engine.dispose()
