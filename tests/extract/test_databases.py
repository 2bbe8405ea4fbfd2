"""Tables of databases as sources: one moment, every value as it is, and nothing half-read counts as done."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.pq import ExecStatus
from small_projects import Recorder, job_of, make, standing

from casebridge.extract import run, stage
from casebridge.extract.preflight import look
from casebridge.extract.stage import plan_tables
from casebridge.migrate.pipeline import check
from casebridge.migrate.profiling import profile
from casebridge.project.contracts import LINE, ROW
from casebridge.project.database import open_database
from casebridge.project.errors import SourceError, SpecError
from casebridge.project.plan import State
from casebridge.project.servers.asked import Asked, Totals
from casebridge.project.servers.copied import copied
from casebridge.project.servers.oracle import Oracle
from casebridge.project.servers.sqlserver import SQLServer
from casebridge.project.snapshot import Snapshot, open_snapshot

ROOT = Path(__file__).parent.parent.parent
TABLES = {"PERSON": ["NO", "Full Name", "select", "BORN"], "PAYMENT": ["PAY_NO", "AMOUNT"]}
PEOPLE = [
    ("1", "Ann", "", "1999-12-31"), ("2", "", None, None), ("3", None, 'a "b", c\r\nd\te', "2000-02-29"),
    ("4", " padded ", "NULL", None), ("5", "Zoë ☃", "\\N", "1900-01-01"),
]  # fmt: skip
PAYMENTS = [(str(n), f"{n}.10") for n in range(1, 26)]


def fill(url: str) -> None:
    engine = open_database(url)
    with engine.begin() as connection:
        columns = quoted(url, '(no bigint, "Full Name" text, "select" text, born date)')
        connection.exec_driver_sql(f"CREATE TABLE person {columns}")
        connection.exec_driver_sql("CREATE TABLE payment (pay_no integer PRIMARY KEY, amount numeric(10,2))")
        connection.exec_driver_sql("CREATE VIEW few AS SELECT pay_no, amount FROM payment WHERE pay_no < 4")
    with engine.begin() as connection:
        for name, rows in (("person", PEOPLE), ("payment", PAYMENTS)):
            table = sa.Table(name, sa.MetaData(), autoload_with=connection)
            typed = [
                [None if v is None else _typed(v, c) for v, c in zip(row, table.c, strict=True)] for row in rows
            ]
            connection.execute(table.insert(), [dict(zip(table.c.keys(), row, strict=True)) for row in typed])
    engine.dispose()


def quoted(url: str, text: str) -> str:
    """SQL as a server of this URL quotes names."""
    return text.replace('"', "`") if url.startswith("mariadb") else text


def _typed(value: str, column: sa.Column[object]) -> object:
    kind = column.type.python_type
    return value if kind is str else kind.fromisoformat(value) if hasattr(kind, "fromisoformat") else kind(value)


def project(folder: Path, url: str, *, read: dict[str, str] | None = None, batch_rows: int = 10) -> Path:
    """A project whose old system is a database."""
    make(folder, TABLES, read=read, batch_rows=batch_rows)
    point_to(folder, url)
    return folder


def point_to(folder: Path, url: str) -> None:
    settings = folder / "casebridge.toml"
    text = settings.read_text()
    settings.write_text(text.replace('dump = "dump"', f'dump = "{url}"'))


@pytest.fixture(params=["sqlite", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/old.db"
    if request.param != "sqlite":
        made = request.getfixturevalue(f"{request.param}_url")
    fill(made)
    return made


@pytest.fixture
def old(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """An SQLite of one's own, to spoil."""
    fill(f"sqlite:///{tmp_path}/old.db")
    connection = sqlite3.connect(tmp_path / "old.db", isolation_level=None)
    yield connection
    connection.close()


def said(folder: Path, run_name: str = "trial-1") -> dict[str, dict[str, object]]:
    """What the manifest of a run says of each source."""
    written = json.loads((folder / "work" / "extract" / f"{run_name}-manifest.json").read_text())
    return {entry["source"]: entry for entry in written["files"]}


def test_every_value_arrives_as_it_is_and_every_row_has_its_place(url: str, tmp_path: Path) -> None:
    job = job_of(project(tmp_path, url))
    tally = run(job)
    assert (tally.read, tally.passed) == (30, 30)
    rows = standing(job, "PERSON")
    assert rows.columns[4:] == TABLES["PERSON"]
    assert rows.select(TABLES["PERSON"]).rows() == PEOPLE
    assert rows[LINE].to_list() == [1, 2, 3, 4, 5]
    assert rows["_file"].unique().to_list() == ["PERSON"]
    first = job.ledger.first_row(next(s for s in job.reads() if s.name == "PAYMENT"))
    payments = standing(job, "PAYMENT")
    assert payments[ROW].to_list() == [first + n for n in range(1, 26)]
    assert payments["PAY_NO"].to_list() == [number for number, _ in PAYMENTS]
    assert [float(amount) for amount in payments["AMOUNT"]] == [float(amount) for _, amount in PAYMENTS]
    entry = said(tmp_path)["PAYMENT"]
    assert (entry["records"], entry["snapshot"]["rows"]) == (25, 25)  # type: ignore[index]


def test_a_run_is_one_moment_and_what_is_proved_unchanged_is_not_read_again(url: str, tmp_path: Path) -> None:
    folder = project(tmp_path, url)
    if url.startswith("sqlite"):
        hour_ago = time.time() - 3600  # a file that was just written to proves nothing
        os.utime(url.removeprefix("sqlite:///"), (hour_ago, hour_ago))
    run(job_of(folder))
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM payment WHERE pay_no = 7")
        connection.exec_driver_sql("UPDATE payment SET amount = 1 WHERE pay_no = 8")
    engine.dispose()
    again = Recorder()
    run(job_of(folder, report=again))
    assert standing(job_of(folder), "PAYMENT").height == 25, "a run's name is one moment"
    job = job_of(folder, run="trial-2")
    before = job.ledger.worked.copy()
    run(job)
    worked = job.ledger.worked - before
    assert standing(job, "PAYMENT").height == 24
    assert worked["extract", "old.PAYMENT"] == 24
    of_people = 0 if url.startswith("postgresql") else len(PEOPLE)  # a file proves only all of it
    assert worked["extract", "old.PERSON"] == of_people


@pytest.mark.parametrize(
    "change",
    [
        (
            "ALTER TABLE payment DROP COLUMN amount",
            "ALTER TABLE payment ADD COLUMN amount numeric(10,2) DEFAULT 7.00",
        ),
        ("ALTER TABLE payment RENAME TO payment_old", "ALTER TABLE other RENAME TO payment"),
        ("ALTER TYPE kind RENAME VALUE 'A' TO 'Z'",),
    ],
)
def test_a_table_that_says_something_else_is_read_again_though_no_row_of_it_was_written(
    change: tuple[str, ...], postgres_url: str, tmp_path: Path
) -> None:
    fill(postgres_url)
    engine = open_database(postgres_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP VIEW few")
        connection.exec_driver_sql("CREATE TYPE kind AS ENUM ('A', 'B')")
        connection.exec_driver_sql("CREATE TABLE other AS SELECT pay_no, 7::numeric(10,2) AS amount FROM payment")
        if "TYPE" in change[0]:
            connection.exec_driver_sql("ALTER TABLE payment ALTER amount TYPE kind USING 'A'")
    folder = project(tmp_path, postgres_url)
    run(job_of(folder))
    before = standing(job_of(folder), "PAYMENT")["AMOUNT"].to_list()
    with engine.begin() as connection:
        for statement in change:
            connection.exec_driver_sql(statement)
    engine.dispose()
    job = job_of(folder, run="trial-2")
    run(job)
    after = standing(job, "PAYMENT")["AMOUNT"].to_list()
    assert len(after) == 25
    assert set(after) == ({"Z"} if "TYPE" in change[0] else {"7.00"})
    assert after != before


def test_a_server_that_was_restored_or_another_database_of_it_proves_nothing(postgres_url: str) -> None:
    fill(postgres_url)
    with open_snapshot(postgres_url) as snapshot:
        asked, mark = snapshot.asked("payment"), dict(snapshot.mark)
        later = {**mark, "oldest": str(int(mark["oldest"]) + 1000)}
        assert snapshot.unchanged(asked, later) is None, "the server knows fewer transactions than then"
        for name in mark.keys() - {"oldest"}:
            assert snapshot.unchanged(asked, {**mark, name: "another"}) is None, name
        assert {"server", "timeline", "database", "schemas"} <= mark.keys()


def test_another_database_is_read_though_the_run_has_all_tables(tmp_path: Path) -> None:
    first, second = (f"sqlite:///{tmp_path}/{name}.db" for name in ("old", "live"))
    fill(first)
    fill(second)
    with sqlite3.connect(tmp_path / "live.db") as live:
        live.execute("UPDATE payment SET amount = 9")
    live.close()
    folder = project(tmp_path, first)
    run(job_of(folder))
    settings = folder / "casebridge.toml"
    settings.write_text(settings.read_text().replace("old.db", "live.db"))
    job = job_of(folder)
    run(job)
    assert {float(amount) for amount in standing(job, "PAYMENT")["AMOUNT"]} == {9.0}


def test_after_a_break_there_is_a_new_moment_for_all(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path, url)
    real, done = stage._write, []

    def stopped(*given: object) -> object:
        done.append(given)
        if len(done) == 4:  # in the middle of PERSON, which comes second
            raise KeyboardInterrupt
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "_write", stopped)
    with pytest.raises(KeyboardInterrupt):
        run(job_of(folder))
    monkeypatch.setattr(stage, "_write", real)
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO person (no, born) VALUES (6, '2001-01-01')")
        connection.exec_driver_sql("DELETE FROM payment WHERE pay_no > 20")
    engine.dispose()
    job = job_of(folder)
    run(job)
    assert (standing(job, "PERSON").height, standing(job, "PAYMENT").height) == (6, 20)
    one, other = (said(folder)[name]["snapshot"] for name in TABLES)
    assert one["taken"] == other["taken"]  # type: ignore[index]


def test_a_source_that_is_written_to_meanwhile_is_read_as_it_was(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, real = project(tmp_path, url), stage._write
    engine = open_database(url)

    def meanwhile(*given: object) -> object:
        with engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM payment WHERE pay_no = (SELECT max(pay_no) FROM payment)")
            connection.exec_driver_sql("UPDATE person SET born = '2020-02-20'")
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "_write", meanwhile)
    job = job_of(folder)
    run(job)
    engine.dispose()
    assert standing(job, "PAYMENT").height == 25
    assert standing(job, "PERSON")["BORN"].to_list() == [row[3] for row in PEOPLE]


PAID = (
    "CREATE TABLE paid (no int, note text) PARTITION BY RANGE (no); "
    "CREATE TABLE paid_1 PARTITION OF paid DEFAULT; "
    "INSERT INTO paid VALUES (1, 'a'); CREATE VIEW pays AS SELECT no FROM paid"
)


@pytest.mark.parametrize(
    "change",
    [
        "TRUNCATE paid_1",
        "VACUUM FULL paid_1",
        "ALTER TABLE paid ALTER note TYPE varchar(9)",
        "DROP VIEW pays; DROP TABLE paid; " + PAID,
    ],
)
def test_a_table_that_is_emptied_before_it_is_read_is_no_table_without_rows(
    postgres_url: str, change: str
) -> None:
    """PostgreSQL shows no rows of it to a moment that began before, or nothing tells it from one of which it shows
    none (VACUUM FULL). What nobody touched is read."""
    engine = open_database(postgres_url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE calm (no int); INSERT INTO calm VALUES (1)")
        connection.exec_driver_sql(PAID)
    with open_snapshot(postgres_url) as snapshot:
        assert snapshot.names().keys() == {"calm", "paid", "paid_1", "pays"}
        with engine.begin() as connection:
            connection.exec_driver_sql(change)
        for name in ("paid", "pays"):
            with pytest.raises(SourceError, match="emptied, rewritten or made anew"):
                list(snapshot.rows(snapshot.asked(name)))
        with pytest.raises(SourceError, match="paid"):
            list(snapshot.rows(snapshot.asked(query="SELECT note FROM paid")))
        assert [rows.height for rows in snapshot.rows(snapshot.asked("calm"))] == [1]
    engine.dispose()


def test_a_query_and_a_view_are_sources_like_tables(url: str, tmp_path: Path) -> None:
    query = quoted(url, 'SELECT no, "Full Name", "select", born FROM person WHERE no < 3;')
    folder = project(tmp_path, url, read={"PERSON": f"query = '''{query}'''", "PAYMENT": 'table = "FEW"'})
    job = job_of(folder)
    run(job)
    assert standing(job, "PERSON").select(TABLES["PERSON"]).rows() == PEOPLE[:2]
    assert standing(job, "PAYMENT").height == 3


@pytest.mark.parametrize(
    ("read", "said_of_it"),
    [
        ({"PAYMENT": 'table = "PAYMENTS"'}, "has no table or view PAYMENTS"),
        ({"PAYMENT": 'query = "SELECT pay_no, amount FROM nowhere"'}, "its query: "),
        ({"PAYMENT": 'query = "SELECT pay_no, pay_no FROM payment"'},
         "(has columns twice: |nor dropped |Duplicate column name .)pay_no"),
        ({"PAYMENT": 'query = "DELETE FROM payment"'}, "its query: "),
        ({"PAYMENT": 'table = "person"'}, "has none of the columns that the specs name"),
        ({"PAYMENT": 'query = "SELECT pay_no FROM payment"'}, "missing AMOUNT"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_one_sentence_and_nothing_is_kept(
    url: str, tmp_path: Path, read: dict[str, str], said_of_it: str
) -> None:
    job = job_of(project(tmp_path, url, read=read))
    with pytest.raises(SourceError, match=said_of_it) as caught:
        run(job)
    assert caught.value.exit_code == 3
    assert not list((tmp_path / "work").rglob("*.parquet"))


@pytest.mark.parametrize("kind", ["postgres", "mariadb"])
@pytest.mark.parametrize("asks", ["profile", "check", "names"])
def test_a_database_that_is_gone_is_told_once_and_not_of_each_table(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str, asks: str
) -> None:
    """Nothing is made of the tables that were seen before."""
    url = request.getfixturevalue(f"{kind}_url")
    fill(url)
    folder, cut = project(tmp_path, url), list[int]()

    def first_cutting(real: Callable[..., object]) -> Callable[..., object]:
        def asked(*given: object, **more: object) -> object:
            cut[:] = cut or [_cut_off(url)]
            return real(*given, **more)

        return asked

    for where, what in ((profile, "_table"), (Snapshot, "asked"), (Snapshot, "relation")):
        if asks == {"_table": "profile", "asked": "check", "relation": "names"}[what]:
            monkeypatch.setattr(where, what, first_cutting(getattr(where, what)))
    with pytest.raises(SourceError) as caught:
        look(job_of(folder)) if asks == "check" else profile.profile_dump(url)
    assert cut[0] > 0
    assert (caught.value.lost, "run the same command again" in caught.value.hint) == (True, True)
    assert "files of the dump" not in caught.value.message


def test_a_view_that_fails_halfway_leaves_nothing_that_counts(tmp_path: Path, postgres_url: str) -> None:
    fill(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        spoilt = "SELECT pay_no, amount / CASE pay_no WHEN 25 THEN 0 ELSE 1 END AS amount FROM payment"
        connection.execute(f"CREATE VIEW spoilt AS {spoilt}".encode())
    job = job_of(project(tmp_path, postgres_url, read={"PAYMENT": 'table = "spoilt"'}))
    with pytest.raises(SourceError, match="division by zero"):
        run(job)
    assert not job.ledger.names("trial-1", "extract")


def test_a_view_that_never_gives_the_same_is_not_taken(tmp_path: Path, postgres_url: str) -> None:
    fill(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            "CREATE VIEW dice AS SELECT pay_no, (random() * 1e6)::numeric(10,2) AS amount FROM payment"
        )
    job = job_of(project(tmp_path, postgres_url, read={"PAYMENT": 'table = "dice"'}))
    with pytest.raises(SourceError, match="column amount: its control total differs"):
        run(job)
    assert "old.PAYMENT" not in job.ledger.names("trial-1", "extract")


def test_how_far_one_is_costs_no_count_of_a_table(tmp_path: Path, postgres_url: str) -> None:
    """The server's own estimate is shown; what is read and counted is all of it."""
    fill(postgres_url)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("ANALYZE payment")
        connection.execute("INSERT INTO payment SELECT n, n FROM generate_series(26, 30) n")
    seen = Recorder()
    job = job_of(project(tmp_path, postgres_url), report=seen)
    run(job)
    assert ("extract", "old.PAYMENT", 25) in seen.tables
    assert standing(job, "PAYMENT").height == said(tmp_path)["PAYMENT"]["records"] == 30


def _cut_off(url: str) -> int:
    """End all other connections to a database; how many there were."""
    if url.startswith("postgresql"):
        with psycopg.connect(url, autocommit=True) as connection:
            ended = connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                "AND datname = current_database()"
            )
            return len(ended.fetchall())
    engine = open_database(url)
    with engine.connect() as other:
        others = "SELECT id FROM information_schema.processlist WHERE id <> connection_id() AND db = database()"
        found = other.exec_driver_sql(others).scalars().all()
        for number in found:
            other.exec_driver_sql(f"KILL CONNECTION {number}")
    engine.dispose()
    return len(found)


@pytest.mark.parametrize(
    ("kind", "rows", "sequence"),
    [("postgres", 100_000, "generate_series(26, 100000) seq"), ("mariadb", 60_000, "seq_26_to_60000")],
)
def test_a_connection_that_drops_is_told_and_the_next_run_reads_all_of_it(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    rows: int,
    sequence: str,
) -> None:
    url = request.getfixturevalue(f"{kind}_url")
    fill(url)
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"INSERT INTO payment SELECT seq, seq FROM {sequence}")  # noqa: S608
    engine.dispose()
    folder, real, others = project(tmp_path, url, batch_rows=rows // 10), stage._write, list[int]()
    monkeypatch.setattr("casebridge.project.servers.copied._BYTES", 1 << 16)
    monkeypatch.setattr("casebridge.project.servers.mariadb.ROWS", 1_000)

    def cut(*given: object) -> object:
        if not others:
            others.append(_cut_off(url))
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "_write", cut)
    with pytest.raises(SourceError, match=r"PAYMENT|terminat|closed|Lost connection") as caught:
        run(job_of(folder))
    assert others[0] > 0
    assert "run the same command again" in caught.value.hint
    job = job_of(folder)
    assert "old.PAYMENT" not in job.ledger.names("trial-1", "extract")
    run(job)
    assert standing(job, "PAYMENT").height == rows


def test_a_file_that_is_damaged_is_told_and_nothing_of_its_table_counts(
    old: sqlite3.Connection, tmp_path: Path
) -> None:
    old.execute("INSERT INTO payment WITH RECURSIVE n(i) AS (VALUES (26) UNION ALL SELECT i + 1 FROM n "
                "WHERE i < 9000) SELECT i, i FROM n")  # fmt: skip
    old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file, whole = tmp_path / "old.db", (tmp_path / "old.db").read_bytes()
    folder = project(tmp_path, f"sqlite:///{file}", batch_rows=1_000)
    file.write_bytes(whole[: len(whole) // 2] + bytes(len(whole) // 2))
    with pytest.raises(SourceError, match="malformed") as caught:
        run(job_of(folder))
    assert "fetch it again" in caught.value.hint
    job = job_of(folder)
    assert "old.PAYMENT" not in job.ledger.names("trial-1", "extract")
    file.write_bytes(whole)
    run(job)
    assert standing(job, "PAYMENT").height == 9_000


def test_text_that_is_none_in_its_encoding_is_kept_apart_with_its_row(
    old: sqlite3.Connection, tmp_path: Path
) -> None:
    old.execute("UPDATE person SET \"Full Name\" = CAST(x'4fff' AS text) WHERE no = 2")
    old.execute("UPDATE person SET \"Full Name\" = 'a' || char(0) WHERE no = 4")
    job = job_of(project(tmp_path, f"sqlite:///{tmp_path}/old.db"))
    tally = run(job)
    assert tally.rejected == 2
    bad = standing(job, "PERSON", "unreadable")
    assert bad.select(LINE, "reason").rows() == [(2, "undecodable"), (4, "nul_byte")]
    assert b"O\xff" in bad["raw"][0]
    assert standing(job, "PERSON")[LINE].to_list() == [1, 3, 5]


def test_numbers_and_bytes_of_a_file_that_keeps_no_types(old: sqlite3.Connection, tmp_path: Path) -> None:
    values = [0.1, 1e21, 12.0, 1 / 3, 9007199254740993, b"\x00\xff", "01", -0.5]
    old.execute("DELETE FROM payment")
    old.execute("CREATE TABLE odd (pay_no, amount)")
    old.executemany("INSERT INTO odd VALUES (?, ?)", enumerate(values))
    old.execute("UPDATE person SET [Full Name] = x'80' WHERE no = 2")
    noted = Recorder()
    read = {"PAYMENT": 'table = "odd"'}
    job = job_of(project(tmp_path, f"sqlite:///{tmp_path}/old.db", read=read), report=noted)
    run(job)
    told = "PERSON: bytes in columns of another type are given as hexadecimal digits: Full Name (1 row)"
    assert [note for note in noted.notes if "hexadecimal" in note] == [told]
    seen = standing(job, "PAYMENT")["AMOUNT"].to_list()
    assert seen[4:7] == ["9007199254740993", "00ff", "01"]
    assert [float(text) for text in (*seen[:4], seen[7])] == [*values[:4], values[7]]
    assert (seen[0], seen[2]) == ("0.1", "12.0")


@pytest.mark.parametrize(("encoding", "half"), [("UTF-16le", "00d8"), ("UTF-16be", "d800")])
def test_a_file_in_utf_16_arrives_whole(tmp_path: Path, encoding: str, half: str) -> None:
    """Its bytes are counted as it has them."""
    with closing(sqlite3.connect(tmp_path / "old.db", isolation_level=None)) as wide:
        wide.execute(f"PRAGMA encoding = '{encoding}'")
        wide.execute("CREATE TABLE first (it)")
        fill(f"sqlite:///{tmp_path}/old.db")
        wide.execute("INSERT INTO person VALUES (6, '\U0001f600é', x'00ff', NULL)")
        wide.execute("INSERT INTO person VALUES (7, 'a' || char(0) || 'b', '', NULL)")
        wide.execute(f"INSERT INTO person VALUES (8, CAST(x'{half}' AS text), 'x', NULL)")  # noqa: S608
        job = job_of(project(tmp_path, f"sqlite:///{tmp_path}/old.db"))
        run(job)
    assert standing(job, "PERSON").select(TABLES["PERSON"]).rows()[:6] == [
        *PEOPLE,
        ("6", "\U0001f600é", "00ff", None),
    ]
    assert standing(job, "PERSON", "unreadable").select(LINE, "reason").rows() == [
        (7, "nul_byte"),
        (8, "undecodable"),
    ]


def test_types_of_postgres_as_it_writes_them(tmp_path: Path, postgres_url: str) -> None:
    fill(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("""
            CREATE TYPE mood AS ENUM ('glad', 'sad'); CREATE DOMAIN pay AS numeric(6,2);
            CREATE TABLE kinds (pay_no int, padded char(4), yes boolean, bytes bytea, doc jsonb, at timestamptz,
                day date, cash money, real float8, big numeric, list int[], it mood, paid pay, net inet);
            INSERT INTO kinds VALUES (1, 'ab', true, '\\x00ff', '{"a": 1}', '2024-07-01 12:00+01', '0044-03-15 BC',
                1234.5, 0.1, 12345678901234567890123456789012345678901234567890.5, '{1,NULL}', 'sad', 9.5,
                '10.0.0.1'), (2, '', false, '', 'null', 'infinity', '-infinity', 0, 'NaN', 'NaN', '{}', NULL,
                NULL, NULL)
        """)
    columns = ["padded", "yes", "bytes", "doc", "at", "day", "cash", "real", "big", "list", "it", "paid", "net"]
    make(tmp_path, {"KINDS": ["pay_no", *columns]})
    point_to(tmp_path, postgres_url)
    job = job_of(tmp_path)
    run(job)
    one, two = standing(job, "KINDS").select(columns).rows()
    assert one == (
        "ab  ", "t", "00ff", '{"a": 1}', "2024-07-01 11:00:00+00", "0044-03-15 BC", "1234.50", "0.1",
        "12345678901234567890123456789012345678901234567890.5", "{1,NULL}", "sad", "9.50", "10.0.0.1",
    )  # fmt: skip
    assert two[:9] == ("    ", "f", "", "null", "infinity", "-infinity", "0.00", "NaN", "NaN")
    assert two[10:] == (None, None, None)


def test_types_that_a_server_was_taught_are_taken_as_it_writes_them(tmp_path: Path, postgres_url: str) -> None:
    """Each column: its type, a value as SQL, and the text that arrives."""
    kinds = {
        "home": ("addr", """ROW('High, "St"', 1)::addr""", '("High, ""St""",1)'),
        "homes": ("addr[]", "ARRAY[ROW('a', 1)::addr, NULL]", '{"(a,1)",NULL}'),
        "odd": ("odd", "'q''\"'", "q'\""),
        "none": ("odd", "''", ""),
        "code": ("code", "'ab'", "ab"),
        "span": ("int4range", "'[1,5)'", "[1,5)"),
        "spans": ("datemultirange", "'{[2024-01-01,2024-02-01)}'", "{[2024-01-01,2024-02-01)}"),
        "while": ("tstzrange", "'[2024-01-01 00:00+01,)'", '["2023-12-31 23:00:00+00",)'),
        "long": ("interval", "'1 year 2 mons -3 days 04:05:06.7'", "P1Y2M-3DT4H5M6.7S"),
        "bits": ("bit varying(9)", "B'1011'", "1011"),
        "words": ("tsvector", "'fat cat'::tsvector", "'cat' 'fat'"),
        "coarse": ("numeric(5,-2)", "1234567", "1234600"),
        "fine": ("numeric(3,5)", "0.00123", "0.00123"),
        "late": ("time", "'24:00:00'", "24:00:00"),
        "made": ("int GENERATED ALWAYS AS (2 + 2) STORED", "DEFAULT", "4"),
        "ends": ("numeric", "'-Infinity'", "-Infinity"),
    }  # fmt: skip
    columns = ", ".join(f'"{name}" {kind}' for name, (kind, _, _) in kinds.items())
    with psycopg.connect(postgres_url) as connection:
        connection.execute(
            f"""
            CREATE TYPE addr AS (street text, no int); CREATE TYPE odd AS ENUM ('', ' x ', 'q''"');
            CREATE DOMAIN code AS varchar(5); CREATE TABLE kinds ({columns});
            INSERT INTO kinds VALUES ({", ".join(value for _, value, _ in kinds.values())});
            """.encode()  # noqa: S608
        )
    make(tmp_path, {"KINDS": list(kinds)})
    point_to(tmp_path, postgres_url)
    job = job_of(tmp_path)
    run(job)
    rows = standing(job, "KINDS").select(list(kinds)).rows(named=True)
    assert rows == [{name: text for name, (_, _, text) in kinds.items()}]


def test_rows_that_a_policy_hides_are_an_error_and_no_smaller_table(tmp_path: Path, postgres_url: str) -> None:
    fill(postgres_url)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("DROP ROLE IF EXISTS reader")
        connection.execute("CREATE ROLE reader LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader")
        connection.execute("ALTER TABLE payment ENABLE ROW LEVEL SECURITY")
        connection.execute("CREATE POLICY a_few ON payment USING (pay_no < 3)")
    as_reader = postgres_url.replace("://postgres:@", "://reader:@").replace("://postgres@", "://reader@")
    job = job_of(project(tmp_path, as_reader))
    with pytest.raises(SourceError, match="row-level security"):
        run(job)
    with psycopg.connect(postgres_url) as connection:
        connection.execute("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM reader; DROP ROLE reader")


def test_a_password_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD_PASSWORD", "Sm1th/ers@")
    folder = project(tmp_path, "postgresql://clerk:${OLD_PASSWORD}@127.0.0.1:1/care")
    job = job_of(folder)
    with pytest.raises(SourceError) as caught:
        run(job)
    told = f"{caught.value}{caught.value.hint}{job.settings!r}{check(folder)}"
    assert "clerk" in told
    assert "Sm1th" not in told
    assert not [path for path in folder.rglob("*") if path.is_file() and b"Sm1th" in path.read_bytes()]


def test_what_no_spec_reads_is_listed_and_a_plan_reads_no_rows(url: str, tmp_path: Path) -> None:
    job = job_of(project(tmp_path, url))
    assert {item.table: item.state for item in plan_tables(job)} == {
        "old.PAYMENT": State.PENDING, "old.PERSON": State.PENDING,
    }  # fmt: skip
    run(job)
    assert json.loads((tmp_path / "work/extract/trial-1-manifest.json").read_text())["unread"] == {"old": ["few"]}
    assert {item.state for item in plan_tables(job_of(tmp_path))} == {State.DONE}


@pytest.mark.parametrize(
    ("read", "said_of_it"),
    [
        ('file = "a.csv"', "is nothing that a table of a database has"),
        ('format = "csv"', "name the folder with its files"),
        ('table = "a"\nquery = "SELECT 1"', "names both a table and a query"),
    ],
)
def test_a_read_that_does_not_fit_a_database_is_told(tmp_path: Path, read: str, said_of_it: str) -> None:
    project(tmp_path, "sqlite:///old.db", read={"PERSON": read})
    with pytest.raises(SpecError, match=said_of_it):
        job_of(tmp_path)


@pytest.mark.usefixtures("old")
def test_files_beside_a_database_are_read_from_their_folder(tmp_path: Path) -> None:
    folder = project(tmp_path, f"sqlite:///{tmp_path}/old.db", read={"PERSON": 'format = "csv"'})
    settings = folder / "casebridge.toml"
    settings.write_text(settings.read_text() + 'files = "dump"\n')
    (folder / "dump" / "PERSON.csv").write_text("NO,Full Name,select,BORN\n1,Ann,,\n")
    job = job_of(folder)
    run(job)
    assert (standing(job, "PERSON").height, standing(job, "PAYMENT").height) == (1, 25)


def test_a_thousand_tables_and_none(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "old.db") as connection:
        for number in range(1_000):
            connection.execute(f"CREATE TABLE t{number} (a)")
    connection.close()
    job = job_of(project(tmp_path, f"sqlite:///{tmp_path}/old.db"))
    with pytest.raises(SourceError, match="2 files of the dump: cannot be read"):
        run(job)
    sqlite3.connect(tmp_path / "none.db").execute("PRAGMA user_version = 1").connection.close()
    empty = project(tmp_path / "empty", f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(SourceError) as caught:
        run(job_of(empty))
    assert "is empty" in str(caught.value)


def test_types_of_mariadb_as_it_writes_them(tmp_path: Path, mariadb_url: str) -> None:
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = '', time_zone = '+01:00'")
        connection.exec_driver_sql(
            "CREATE TABLE kinds (pay_no int(5) ZEROFILL, cash decimal(10,2), single float, twice double, "
            "bits bit(4), day date, at datetime(3), stamp timestamp NULL, clock time, bytes varbinary(4), "
            "doc json, old varchar(9) CHARACTER SET latin1, kind enum('a','b'), big decimal(60,2), tenth float) "
            "CHARACTER SET utf8mb4"
        )
        connection.exec_driver_sql("ALTER TABLE kinds MODIFY twice double INVISIBLE")
        connection.exec_driver_sql(
            "INSERT INTO kinds (pay_no, cash, single, twice, bits, day, at, stamp, clock, bytes, doc, old, kind, "
            "big, tenth) "
            "VALUES (7, 9.5, 16777216, 0.1, b'101', '0000-00-00', "
            "'2024-01-05 08:30:00.25', "
            "'2024-07-01 12:00:00', '-36:30:00', X'00FF', '{\"a\": 1}', 'café', 'b', 1e50, 56.1), "
            "(8, NULL, 3.4e38, NULL, NULL, '2000-02-29', NULL, NULL, NULL, '', NULL, '', NULL, NULL, 1234567.9)"
        )
    engine.dispose()
    columns = [
        "cash",
        "single",
        "twice",
        "bits",
        "day",
        "at",
        "stamp",
        "clock",
        "bytes",
        "doc",
        "old",
        "kind",
        "big",
        "tenth",
    ]
    make(tmp_path, {"KINDS": ["pay_no", *columns]})
    point_to(tmp_path, mariadb_url)
    job = job_of(tmp_path)
    run(job)
    one, two = standing(job, "KINDS").select("pay_no", *columns).rows()
    assert one == (
        "00007", "9.50", "16777216", "0.1", "5", "0000-00-00", "2024-01-05 08:30:00.250", "2024-07-01 11:00:00+00",
        "-36:30:00", "00ff", '{"a": 1}', "café", "b", "1" + "0" * 50 + ".00",
        "56.1",
    )  # fmt: skip
    assert two == (
        "00008",
        None,
        "3.4e38",
        None,
        None,
        "2000-02-29",
        None,
        None,
        None,
        "",
        None,
        "",
        None,
        None,
        "1234567.9",
    )


def test_more_types_of_mariadb(tmp_path: Path, mariadb_url: str) -> None:
    """Each column: its type, a value as SQL, and the text that arrives."""
    kinds = {
        "flag": ("bit(1)", "1", "1"),
        "bits": ("bit(64)", f"b'{'1' * 64}'", "18446744073709551615"),
        "several": ("set('a', 'b', 'x y')", "'a,x y'", "a,x y"),
        "empty": ("enum('a', '')", "''", ""),
        "wrong": ("enum('a', 'b')", "'zzz'", ""),
        "place": ("geometry", "POINT(1, 2)", "000000000101000000000000000000f03f0000000000000040"),
        "name": ("uuid", f"'{'1' * 8}-1111-1111-1111-{'1' * 12}'", f"{'1' * 8}-1111-1111-1111-{'1' * 12}"),
        "net": ("inet6", "'2001:db8::1'", "2001:db8::1"),
        "year": ("year", "0", "0000"),
        "none": ("datetime", "'2024-00-00 00:00:00'", "2024-00-00 00:00:00"),
        "stamp": ("timestamp NULL", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00"),
        "long": ("time", "'838:59:59'", "838:59:59"),
        "back": ("time(6)", "'-01:02:03.5'", "-01:02:03.500000"),
        "large": ("bigint unsigned", "18446744073709551615", "18446744073709551615"),
        "wide": ("varchar(20) CHARACTER SET ucs2", "'Zoë'", "Zoë"),
        "made": ("int GENERATED ALWAYS AS (2 + 2) VIRTUAL", "DEFAULT", "4"),
    }  # fmt: skip
    columns = ", ".join(f"`{name}` {kind}" for name, (kind, _, _) in kinds.items())
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql(f"CREATE TABLE kinds ({columns})")
        values = ", ".join(value for _, value, _ in kinds.values())
        connection.exec_driver_sql(f"INSERT INTO kinds VALUES ({values})")  # noqa: S608
    engine.dispose()
    make(tmp_path, {"KINDS": list(kinds)})
    point_to(tmp_path, mariadb_url)
    job = job_of(tmp_path)
    run(job)
    rows = standing(job, "KINDS").select(list(kinds)).rows(named=True)
    assert rows == [{name: text for name, (_, _, text) in kinds.items()}]


def test_an_oracle_is_asked_for_texts_and_totals_in_its_own_words() -> None:
    """Compiled only: there is no such server here. One column of each kind."""
    server, name = Oracle(), "C"
    kinds = [("NUMBER", 10, 2), ("NUMBER", 0, -127), ("DATE", None, None), ("TIMESTAMP_TZ", None, None),
             ("CHAR", None, None), ("CLOB", None, None), ("RAW", None, None)]  # fmt: skip
    fields = tuple(server.field(f"{name}{n}", *kind) for n, kind in enumerate(kinds))
    asked = Asked(server.origin("CARE", 'A "b"'), fields)
    clock = "YYYY-MM-DD HH24:MI:SS"
    said = asked.texts.removeprefix("SELECT ").removesuffix(' FROM "CARE"."A ""b"""')
    assert said == (
        'TO_CHAR("C0", \'TM9\'), TO_CHAR("C1", \'TM9\'), CASE WHEN "C2" = TRUNC("C2") THEN TO_CHAR("C2", '
        f"'YYYY-MM-DD') ELSE TO_CHAR(\"C2\", '{clock}') END, "
        f"TO_CHAR(SYS_EXTRACT_UTC(\"C3\"), '{clock}.FF') || '+00', "
        '"C4", "C5", LOWER(RAWTOHEX("C6"))'
    )
    totals = asked.totals(server.quoted)
    assert 'count("C0"), SUM("C0"), count("C1"), SUM(LENGTH(TO_CHAR("C1", \'TM9\')))' in totals
    assert 'count("C5"), NULL, count("C6")' in totals
    assert (fields[0].measure, fields[0].scale, fields[5].measure) == ("sum", 2, "")
    assert server.begin[-1] == "SET TRANSACTION READ ONLY"


def test_an_sql_server_is_asked_for_texts_and_totals_in_its_own_words() -> None:
    """Compiled only: there is no such server here."""
    server = SQLServer()
    kinds = [(int, 10, 0), (Decimal, 19, 4), (float, 53, 0), (dt.date, 10, 0), (dt.datetime, 27, 7),
             (bytearray, 0, 0), (bool, 1, 0), (str, 0, 0)]  # fmt: skip
    asked = Asked(server.origin("dbo", "A]b"), tuple(server.field(f"C{n}", *k) for n, k in enumerate(kinds)))
    assert asked.texts == (
        "SELECT CONVERT(varchar(20), [C0]), CONVERT(varchar(50), CONVERT(decimal(19, 4), [C1])), "
        "CONVERT(varchar(50), [C2], 3), CONVERT(char(10), [C3], 23), CONVERT(varchar(33), [C4], 121), "
        "LOWER(CONVERT(varchar(max), CONVERT(varbinary(max), [C5]), 2)), CONVERT(char(1), [C6]), "
        "CONVERT(nvarchar(max), [C7]) FROM [dbo].[A]]b]"
    )
    assert "count([C1]), SUM(CONVERT(decimal(19, 4), [C1]))" in asked.totals(server.quoted)
    assert server.level == "SNAPSHOT"


def test_totals_say_what_did_not_arrive() -> None:
    counted = Totals(3, (("A", 3, "6"), ("B", 2, None)))
    assert counted.differences(Totals(3, (("A", 3, "6.0"), ("B", 2, None)))) == []
    assert counted.differences(Totals(2, ())) == ["3 rows in the database, 2 arrived"]
    assert counted.differences(Totals(3, (("A", 3, "7"), ("B", 1, None)))) == [
        "column A: its control total differs", "column B: 2 values in the database, 1 arrived",
    ]  # fmt: skip


def test_letters_in_a_wrong_encoding_are_noted(tmp_path: Path, mariadb_url: str) -> None:
    fill(mariadb_url)
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM person WHERE no = 5")
        connection.exec_driver_sql("ALTER TABLE payment ENGINE = MyISAM")
        connection.exec_driver_sql("ALTER TABLE payment ADD SYSTEM VERSIONING")
        connection.exec_driver_sql("ALTER TABLE person MODIFY `Full Name` text CHARACTER SET latin1")
        connection.exec_driver_sql("UPDATE person SET `Full Name` = _latin1 X'5A6FC3AB' WHERE no = 1")
    engine.dispose()
    told = Recorder()
    run(job_of(project(tmp_path, mariadb_url), report=told))
    assert [note for note in told.notes if "look like UTF-8 read as latin-1" in note and "Full Name" in note]
    assert not [note for note in told.notes if "PAYMENT: letters" in note]
    (note,) = (note for note in told.notes if "PAYMENT: is kept by MyISAM" in note)
    assert "keeps what its rows were before, which is not read" in note
    assert not [note for note in told.notes if "PERSON: is kept" in note]


KILLED = """
import os, signal, sys
from pathlib import Path
from casebridge.extract import stage
from casebridge.migrate.pipeline import open_job, run_stages
real, done = stage._write, []
def write(*given):
    done.append(given)
    if len(done) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given)
stage._write = write
with open_job(Path(sys.argv[1])) as job:
    list(run_stages(job, "extract"))
"""


def test_a_process_that_is_killed_leaves_no_half_table(old: sqlite3.Connection, tmp_path: Path) -> None:
    folder = project(tmp_path, f"sqlite:///{tmp_path}/old.db")
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    old.execute("DELETE FROM payment WHERE pay_no > 3")
    job = job_of(folder)
    assert "old.PERSON" not in job.ledger.names("trial-1", "extract")
    run(job)
    assert (standing(job, "PERSON").height, standing(job, "PAYMENT").height) == (5, 3)


def test_long_numbers_kept_views_and_schemas_of_postgres(tmp_path: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("""
            CREATE SCHEMA care; CREATE TABLE care.pay (no bigint, big numeric(28,0), small numeric(10,2));
            INSERT INTO care.pay SELECT 9223372036854775807, 9999999999999999999999999999, 'NaN'
                FROM generate_series(1, 3);
            CREATE MATERIALIZED VIEW care.kept AS SELECT * FROM care.pay; CREATE TABLE care.none (LIKE care.pay)
        """)
    columns = ["no", "big", "small"]
    read = {name: f'table = "CARE.{name}"' for name in ("PAY", "KEPT", "NONE")}
    make(tmp_path, dict.fromkeys(read, columns), read=read)
    point_to(tmp_path, postgres_url)
    job = job_of(tmp_path)
    run(job)
    row = ("9223372036854775807", "9" * 28, "NaN")
    for name, rows in {"PAY": [row] * 3, "KEPT": [row] * 3, "NONE": []}.items():
        assert standing(job, name).select(columns).rows() == rows
    assert said(tmp_path)["PAY"]["snapshot"]["totals"][1] == ["big", 3, str(3 * int("9" * 28))]  # type: ignore[index]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_table_of_a_thousand_columns_is_counted_whole(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/old.db" if kind == "sqlite" else request.getfixturevalue("postgres_url")
    names = [f"c{number}" for number in range(1_001)]
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE TABLE wide ({', '.join(f'{name} text' for name in names)})")
        connection.exec_driver_sql(
            "INSERT INTO wide (c0, c500, c1000) VALUES ('a', 'bc', NULL), ('', NULL, 'def')"
        )
    engine.dispose()
    with open_snapshot(url) as snapshot:
        totals = snapshot.totals(snapshot.asked("wide"))
    filled = {name: (count, total) for name, count, total in totals.columns if count}
    assert (totals.rows, len(totals.columns)) == (2, 1_001)
    assert filled == {"c0": (2, "1"), "c500": (1, "2"), "c1000": (1, "3")}


def test_a_backtick_in_a_name_is_one_letter(mariadb_url: str) -> None:
    engine = open_database(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE `a``b` (`i``d` int PRIMARY KEY, `c````d` text)")
    engine.dispose()
    with open_snapshot(mariadb_url) as snapshot:
        relation = snapshot.relation("a`b")
        names = snapshot.asked("a`b").names
        assert snapshot.columns("a`b") == names
    assert names == ("i`d", "c``d") == tuple(name for name, _ in relation.columns)
    assert relation.primary_key == ("i`d",)


def test_texts_that_a_line_may_spoil_arrive_wherever_a_block_ends(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [None, "", "\ufeffAnn", "\\.", "a\r", "\n\n", ',"', "#", None, " ", "\\N", "x\r\ny" * 5_000, "", None]
    texts += ["\t", "\\", "\\\\N", "\\n", "\\\n", "\b\f\v\\t\x1b\x1f", "\\\\\\\t\\", "\\134", "\\x41", "'\""]
    with psycopg.connect(postgres_url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE alone (note text); CREATE TABLE two (note text, n int)")
        cursor.executemany("INSERT INTO alone VALUES (%s)", [(text,) for text in texts])
        cursor.executemany("INSERT INTO two VALUES (%s, %s)", [(text, n) for n, text in enumerate(texts)])
    make(tmp_path, {"ALONE": ["NOTE"], "TWO": ["NOTE", "N"]})
    point_to(tmp_path, postgres_url)
    monkeypatch.setattr("casebridge.project.servers.copied._BYTES", 1)
    job = job_of(tmp_path)
    run(job)
    assert standing(job, "ALONE")["NOTE"].to_list() == texts
    assert standing(job, "TWO").select("NOTE", "N").rows() == [(text, str(n)) for n, text in enumerate(texts)]


def test_a_block_of_long_rows_is_bounded_by_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A made-up server sends short rows, then long ones, some at a time: a block ends with those that fill it."""
    bursts = [[b"1\n"] * 30, *[[b"x" * 999 + b"\n"] * 2] * 10, [], [b"y" * 40_000 + b"\n"], [b"2\n"] * 5]
    sent = [row for burst in bursts for row in burst]
    left = iter([(len(row), memoryview(row)) for burst in bursts for row in [*burst, b""]])
    monkeypatch.setattr("casebridge.project.servers.copied._BYTES", 4_000)
    out = SimpleNamespace(status=ExecStatus.COPY_OUT)
    results = iter([*[out] * (len(bursts) - 1), SimpleNamespace(status=ExecStatus.COMMAND_OK), None])
    ready, other = socket.socketpair()
    with ready, other:
        other.send(b" ")
        server = SimpleNamespace(
            exec_=lambda _: out, get_copy_data=lambda _: next(left), get_result=lambda: next(results),
            consume_input=lambda: None, socket=ready.fileno(),
        )  # fmt: skip
        blocks = [(block.getvalue(), most) for block, most in copied(SimpleNamespace(pgconn=server), "", ["note"])]  # type: ignore[arg-type]
    assert b"".join(block.removeprefix(b"0\n") for block, _ in blocks) == b"".join(sent)
    assert max(len(block) - most for block, most in blocks) <= 4_000
    assert [most for _, most in blocks] == [2_000] * 5 + [40_001, 10]


def test_bytes_of_a_postgres_without_an_encoding_are_kept_apart_where_they_are_no_text(
    tmp_path: Path, postgres_url: str
) -> None:
    name = f"{sa.make_url(postgres_url).database}_bare"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0".encode())
    try:
        url = sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE two (note text, n int)")
            rows = (
                "INSERT INTO two VALUES ('\ufeffZo\u00eb', 1), ('O' || chr(255), 2), (NULL, 3), ('', 4), "
                r"(E'\\N', 5), (E'\t\n\\n\\\\\t', 6)"
            )
            connection.execute(rows.encode())
        make(tmp_path, {"TWO": ["NOTE", "N"]})
        point_to(tmp_path, url)
        job = job_of(tmp_path)
        run(job)
    finally:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    assert standing(job, "TWO").select("NOTE", "N").rows() == [
        ("\ufeffZo\u00eb", "1"), (None, "3"), ("", "4"), (r"\N", "5"), ("\t\n\\n\\\\\t", "6"),
    ]  # fmt: skip
    bad = standing(job, "TWO", "unreadable")
    assert bad.select(LINE, "reason", "raw").rows() == [(2, "undecodable", b"O\xff\t2")]
