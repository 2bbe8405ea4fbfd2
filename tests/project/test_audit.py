"""The audit log: nobody without the key changes it unseen, and what is forgotten cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.project.audit import ENTRIES, KEY_FILE, START, AuditLog, Head, Said
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError
from tests.fences import take_fences_down


@pytest.fixture(params=["sqlite", "postgresql"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AuditLog]:
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'control.db'}" if on_sqlite else request.getfixturevalue("postgres_url")
    engine = open_database(url)
    yield AuditLog(engine, tmp_path / KEY_FILE)
    engine.dispose()


def _write(log: AuditLog, *said: Said, kind: str = "decision") -> None:
    with log.engine.begin() as connection:
        log.append(connection, kind, said)


def _change(log: AuditLog, statement: str) -> None:
    with log.engine.begin() as connection:
        take_fences_down(connection)
        connection.execute(sa.text(statement))


def test_entries_come_back_in_order_and_the_chain_is_whole(log: AuditLog) -> None:
    assert log.head() == Head(0, START)
    assert log.problems() == ()
    log.note("sign", who="A. Owner")
    _write(log, Said({"pair": "1 and 2"}, "pair 12"), Said({"pair": "1 and 3"}, "pair 13"))
    assert [(e.number, e.kind, e.body) for e in log.entries()] == [
        (1, "sign", {"who": "A. Owner"}),
        (2, "decision", {"pair": "1 and 2"}),
        (3, "decision", {"pair": "1 and 3"}),
    ]
    assert [e.number for e in log.entries("sign")] == [1]
    assert log.problems((log.head(),)) == ()


@pytest.mark.parametrize(
    ("statement", "number"),
    [
        ("UPDATE audit SET body = replace(body, 'A', 'B') WHERE number = 1", 1),
        ("UPDATE audit SET at = '2020-01-01T00:00:00Z' WHERE number = 2", 2),
        ("UPDATE audit SET kind = 'view' WHERE number = 2", 2),
        ("UPDATE audit SET subject = '' WHERE number = 2", 2),
        ("UPDATE audit SET tags = '{}' WHERE number = 2", 2),
        ("UPDATE audit SET number = 9 WHERE number = 3", 9),
        ("DELETE FROM audit WHERE number = 2", 3),
        ("DELETE FROM audit WHERE number = 3", 3),
        ("DELETE FROM audit", 3),
        ("INSERT INTO audit SELECT 0, at, kind, subject, tags, body, '00' FROM audit WHERE number = 1", 0),
        ("INSERT INTO audit SELECT -1, at, kind, subject, tags, body, link FROM audit WHERE number = 1", -1),
    ],
)
def test_a_change_is_found_and_named(log: AuditLog, statement: str, number: int) -> None:
    log.note("sign", who="A. Owner")
    _write(log, Said({"a": 1}, "s", {"by": "J"}), Said({"a": 2}, "s", {"by": "J"}))
    head = log.head()
    _change(log, statement)
    found = log.problems((head,))
    assert any(f"entry {number} " in what for what in found), found
    assert number > 0 or [entry.number for entry in log.entries()] == [1, 2, 3]


def test_an_entry_made_without_the_key_is_found(log: AuditLog, tmp_path: Path) -> None:
    log.note("sign", who="A")
    other = AuditLog(log.engine, tmp_path / "guessed.key")
    (tmp_path / "guessed.key").write_text("00" * 32)
    other.note("sign", who="B")
    assert any("entry 2 " in what for what in log.problems())


def test_what_is_forgotten_cannot_be_read_and_the_chain_stays_whole(log: AuditLog) -> None:
    _write(log, Said({"reason": "before and after adoption"}, "pair 12"), Said({"reason": "other"}, "pair 13"))
    with log.engine.begin() as connection:
        assert log.forget(connection, ["pair 12"]) == 1
    assert [e.body for e in log.entries()] == [None, {"reason": "other"}]
    assert log.problems() == ()


def test_what_is_not_kept_can_be_told_apart_but_not_read(log: AuditLog) -> None:
    _write(log, Said({}, "pair 12", {"said": "x"}, keep=False), Said({}, "pair 12", {"said": "x"}, keep=False))
    first, second = log.entries()
    assert first.body is None
    assert first.tags == second.tags == {"said": log.tag("said", "pair 12", "x")}
    assert first.subject == log.subject("pair 12")


def test_without_its_key_a_log_is_not_gone_on_with(log: AuditLog, tmp_path: Path) -> None:
    log.note("sign", who="A")
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(CasebridgeError, match="audit key"):
        log.note("sign", who="B")
    with pytest.raises(CasebridgeError, match="audit key"):
        log.problems()
    with log.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(ENTRIES)) == 1


def test_the_key_is_its_owners_only_and_no_link_is_followed(log: AuditLog, tmp_path: Path) -> None:
    log.note("sign", who="A")
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o077 == 0


def test_of_many_who_make_the_key_at_once_all_have_the_same(tmp_path: Path) -> None:
    """It is never there half: whoever finds it finds all of it."""
    engine = open_database(f"sqlite:///{tmp_path / 'control.db'}")

    def keyed(_: int) -> str:
        return AuditLog(engine, tmp_path / KEY_FILE).keyed("x")

    for _ in range(5):
        (tmp_path / KEY_FILE).unlink(missing_ok=True)
        with ThreadPoolExecutor(8) as people:
            assert len(set(people.map(keyed, range(16)))) == 1
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
    engine.dispose()
