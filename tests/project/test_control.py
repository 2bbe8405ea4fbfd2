"""The control database is kept for years: an older one is brought up and loses nothing, a newer one is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DatabaseError

from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Ruling, decision
from casebridge.dedupe.review.desk_tables import (
    BASES,
    CLAIMS,
    DECISIONS,
    FAMILY,
    INTAKE,
    OVERRIDES,
    PLANS,
    SAMPLES,
    STRATA,
    VERDICTS,
)
from casebridge.migrate.web.accounts import ACCOUNTS
from casebridge.project.audit import ENTRIES, KEY_FILE, KEYS, READS, AuditLog, Said
from casebridge.project.control import HEAD, VERSIONS, bring_up_control
from casebridge.project.database import open_database, writing
from casebridge.project.errors import CasebridgeError

TABLES = (
    DECISIONS,
    ENTRIES,
    READS,
    KEYS,
    CLAIMS,
    VERDICTS,
    INTAKE,
    BASES,
    PLANS,
    STRATA,
    SAMPLES,
    FAMILY,
    ACCOUNTS,
    OVERRIDES,
)

# As it was before there were revisions: what stands in councils' databases.
BEFORE = (
    "CREATE TABLE decisions (number INTEGER NOT NULL PRIMARY KEY, left_id VARCHAR(240) NOT NULL,"
    " right_id VARCHAR(240) NOT NULL, verdict VARCHAR(20) NOT NULL, reviewer VARCHAR(100) NOT NULL,"
    " reason VARCHAR(1000) NOT NULL, decided_at VARCHAR(20) NOT NULL)",
    "CREATE INDEX ix_decisions_pair ON decisions (left_id, right_id)",
    "CREATE TABLE audit (number INTEGER NOT NULL PRIMARY KEY, at VARCHAR(20) NOT NULL, kind VARCHAR(40) NOT NULL,"
    " subject VARCHAR(64) NOT NULL, tags TEXT NOT NULL, body TEXT NOT NULL, link VARCHAR(64) NOT NULL)",
    "CREATE TABLE audit_keys (subject VARCHAR(64) NOT NULL PRIMARY KEY, secret VARCHAR(64) NOT NULL)",
    "INSERT INTO decisions VALUES (1, 'a:1', 'a:2', 'same', 'J', 'seen', '2026-01-01T00:00:00Z')",
)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    on_sqlite = request.param == "sqlite"
    made = open_database(
        f"sqlite:///{tmp_path / 'control.db'}" if on_sqlite else request.getfixturevalue("postgres_url")
    )
    yield made
    made.dispose()


def test_an_older_database_is_brought_up_and_keeps_its_decisions(engine: sa.Engine, tmp_path: Path) -> None:
    """The tables are then what the code says they are, column by column."""
    with engine.begin() as connection:
        for statement in BEFORE:
            connection.exec_driver_sql(statement)
    decisions = DecisionLog(AuditLog(engine, tmp_path / KEY_FILE))
    decisions.decide([decision("a:3", "a:4", Ruling.DIFFERENT, "J", "seen")])
    assert [(d.left_id, d.verdict) for d in decisions.standing()] == [("a:1", "same"), ("a:3", "different")]
    made = sa.inspect(engine)
    for table in TABLES:
        there = {c["name"]: (str(c["type"]).split("(")[0], c["nullable"]) for c in made.get_columns(table.name)}
        said = {c.name: (str(c.type).split("(")[0], c.nullable) for c in table.columns}
        assert there == said, table.name
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD


def test_the_last_file_is_the_head_and_a_newer_database_is_refused(engine: sa.Engine) -> None:
    assert ScriptDirectory(str(VERSIONS.parent), version_locations=[str(VERSIONS)]).get_heads() == [HEAD]
    with engine.begin() as connection:
        bring_up_control(connection)
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with engine.begin() as connection, pytest.raises(CasebridgeError, match="newer casebridge: revision 9999"):
        bring_up_control(connection)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET kind = 'x'",
        "DELETE FROM audit",
        "DELETE FROM audit_reads",
        "UPDATE decisions SET reason = ''",
    ],
)
def test_what_was_written_stays_as_it_is(engine: sa.Engine, tmp_path: Path, statement: str) -> None:
    log = AuditLog(engine, tmp_path / KEY_FILE)
    DecisionLog(log).decide([decision("a:3", "a:4", Ruling.DIFFERENT, "J", "seen")])
    AuditLog(engine, tmp_path / KEY_FILE, entries=READS).note("view", item="x")
    with pytest.raises(DatabaseError, match="append-only"), engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert log.problems() == ()


def test_an_upgrade_that_stops_half_way_leaves_nothing(engine: sa.Engine) -> None:
    def begun() -> None:
        with writing(engine).begin() as connection:
            bring_up_control(connection)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begun()
    assert sa.inspect(engine).get_table_names() == []


def test_a_log_is_looked_at_again_from_where_it_was_whole(engine: sa.Engine, tmp_path: Path) -> None:
    """Only what is new is read, and the entry that was last. Two chains stand beside one another."""
    log, reads = (AuditLog(engine, tmp_path / KEY_FILE, entries=table) for table in (ENTRIES, READS))
    log.note("sign", who="A")
    seen = log.head()
    reads.note("view", item="x")
    log.note("sign", who="B")
    assert log.problems(since=seen) == reads.problems() == ()
    with writing(engine).begin() as connection:
        log.append(connection, "sign", [Said({"who": "C"})])
        connection.exec_driver_sql(
            "DROP TRIGGER audit_no_update" + (" ON audit" if engine.dialect.name == "postgresql" else "")
        )
        connection.exec_driver_sql("UPDATE audit SET kind = 'x' WHERE number = 2")
    assert any("entry 2 " in what for what in log.problems(since=seen))
    assert any("entry 3 " in what for what in log.problems(since=type(seen)(3, "0")))
