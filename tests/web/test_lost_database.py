"""The control database goes away and comes back: the desk says so, and goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event

from casebridge.migrate.web.visit import House
from casebridge.project.errors import CasebridgeError
from tests.desks import at_desk, make_world, open_desk, pair_of, somebody

PAIRS = [pair_of("1", "2", value=3.0), pair_of("3", "4", value=2.0), pair_of("5", "6", value=1.0)]
RECORDS = [somebody(str(number), f"Name{number}") for number in range(1, 7)]


@pytest.fixture
def house(tmp_path: Path, postgres_url: str) -> Iterator[House]:
    world = make_world(tmp_path, postgres_url)
    world.show(RECORDS, PAIRS)
    with open_desk(world) as made:
        yield made


def _end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                       "AND pid <> pg_backend_pid()")  # fmt: skip


@pytest.mark.parametrize("path", ["/queue", "/sign-in", "/nowhere"])
def test_the_first_page_after_the_sessions_ended_is_a_page(house: House, postgres_url: str, path: str) -> None:
    """Every connection that was kept is dead; none of them costs anybody a page."""
    jo = at_desk(house, "jo")
    kept = [house.desk.engine.connect() for _ in range(4)]
    for connection in kept:
        connection.close()
    _end_sessions(postgres_url)
    expected = 404 if path == "/nowhere" else 200
    for _ in range(4):
        jo.get(path)
        assert jo.status == expected


@pytest.mark.parametrize("path", ["/queue", "/nowhere"])
def test_while_nobody_can_tell_who_asks_the_page_says_the_least(
    house: House, postgres_url: str, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    """Not a traceback, and no address of a server for somebody who may be a stranger."""
    jo = at_desk(house, "jo")

    @event.listens_for(house.desk.engine, "do_connect")
    def _away(*_: object) -> None:
        raise psycopg.OperationalError("the server at secret.example is away")

    _end_sessions(postgres_url)
    jo.get(path)
    assert jo.status == 503
    assert "secret.example" not in jo.page
    told = capfd.readouterr().err
    assert "secret.example" in told
    assert "Traceback" not in told
    event.remove(house.desk.engine, "do_connect", _away)
    assert "3 pairs for you" in jo.get("/queue")


def test_who_is_signed_in_is_not_told_where_the_database_is(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    jo = at_desk(house, "jo")

    @event.listens_for(house.desk.engine, "do_execute")
    def _away(_: object, statement: str, *__: object) -> None:
        if "desk_claims" in statement:
            raise psycopg.OperationalError("the server at secret.example is away")

    jo.get("/queue")
    assert jo.status == 503
    assert not any(word in jo.page for word in ("secret.example", "postgresql", "control database"))
    assert "secret.example" in capfd.readouterr().err
    event.remove(house.desk.engine, "do_execute", _away)


def test_what_was_half_read_is_read_again(house: House) -> None:
    """The database goes away between what was said and what was decided: the queue does not offer for ever what
    is decided by now."""
    jo, kim = at_desk(house, "jo"), at_desk(house, "kim")
    assert "3 pairs for you" in kim.get("/queue")
    jo.get(f"/pair/{PAIRS[0].item}")
    jo.send(f"/pair/{PAIRS[0].item}/take")
    seen = list[str]()

    @event.listens_for(house.desk.engine, "before_cursor_execute")
    def _lost(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO desk_verdicts"):
            seen.append("said")
        if statement.startswith("SELECT decisions.number, decisions.left_id") and seen == ["said"]:
            seen.append("lost")
            raise CasebridgeError("the control database went away", hint="in this test")

    jo.send(f"/pair/{PAIRS[0].item}/verdict", verdict="different")
    assert jo.status == 503
    assert seen == ["said", "lost"]
    event.remove(house.desk.engine, "before_cursor_execute", _lost)
    assert "2 pairs for you" in kim.get("/queue")
    kim.send("/next")
    assert kim.path == f"/pair/{PAIRS[1].item}"
