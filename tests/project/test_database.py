"""Databases: no password is ever shown, and no refusal carries a value of a row."""

from __future__ import annotations

import socket
from pathlib import Path
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from casebridge.project.database import (
    _DEAD_SOCKET,
    _masked,
    _no_dead_line,
    _reason,
    open_database,
    refusal,
    shown,
)
from casebridge.project.errors import SourceError, TargetError
from casebridge.project.snapshot import open_snapshot

SECRET = "Sm1thers"

META = sa.MetaData()
PEOPLE = sa.Table(
    "people",
    META,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(8), nullable=False, unique=True),
    sa.Column("amount", sa.Numeric(6, 2)),
    sa.Column("born", sa.Date),
    sa.Column("flag", sa.String(1), sa.CheckConstraint("flag IN ('Y', 'N')", name="flag_is_yes_or_no")),
    sa.Column("mother", sa.Integer, sa.ForeignKey("people.id", name="fk_mother")),
)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@host/db",
        f"postgresql://me:{SECRET}%40x@host:5432/db",
        f"postgresql://host/db?user=me&password={SECRET}",
        f"postgresql://host/db?sslpassword={SECRET}&sslkey=a",
        f"mysql://me:{SECRET}@host/db?passwd={SECRET}",
    ],
)
def test_a_url_is_shown_without_its_password(url: str) -> None:
    assert SECRET not in shown(url)
    assert "host" in shown(url)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:p@{SECRET}@host/db",
        f"postgresql://me:{SECRET}@host:port/db",
        f"postgresql:/me:{SECRET}@host",
        SECRET,
        "",
    ],
)
def test_an_unreadable_url_is_refused_without_repeating_it(url: str) -> None:
    for act in (open_database, shown):
        with pytest.raises(TargetError) as caught:
            act(url)
        assert SECRET not in str(caught.value) + caught.value.hint
        assert "%40" in caught.value.hint
        assert caught.value.__cause__ is None


def test_a_missing_driver_is_named() -> None:
    with pytest.raises(TargetError, match="no driver") as caught:
        open_database(f"sybase://me:{SECRET}@host/db")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("option", "told", "advice"),
    [("schema=care", "schema", "--schema NAME"), ("currentSchema=care", "currentSchema", "--schema NAME"),
     (f"passwrd={SECRET}", "passwrd", "take it out")],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_an_option_that_no_driver_knows_is_named(kind: str, option: str, told: str, advice: str) -> None:
    with pytest.raises(TargetError, match=f"an option that its driver does not know: {told}$") as caught:
        open_database(f"{kind}://me@host/db?{option}")
    assert advice in caught.value.hint
    with (
        pytest.raises(SourceError, match=f"^{kind}.*does not know") as read,
        open_snapshot(f"{kind}://h/db?{option}"),
    ):
        pass
    assert SECRET not in f"{caught.value}{read.value}"


@pytest.mark.parametrize(("said", "idle"), [("", "60"), ("keepalives_idle=5", "5")])
def test_a_line_that_was_cut_is_found_out_in_minutes(postgres_url: str, said: str, idle: str) -> None:
    """Unless the URL says otherwise."""
    joint = "&" if "?" in postgres_url else "?"
    engine = open_database(postgres_url + (joint + said if said else ""))
    with engine.connect() as connection:
        held = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
    engine.dispose()
    assert (held["keepalives_idle"], held["keepalives_count"]) == (idle, "6")


@pytest.mark.parametrize(("reading", "milliseconds"), [(True, "120000"), (False, "0")])
def test_a_line_that_is_written_to_waits_for_a_target_that_takes_nothing(
    postgres_url: str, milliseconds: str, *, reading: bool
) -> None:
    """A load waits for a lock for longer than two minutes; a question is short."""
    engine = open_database(postgres_url, reading=reading)
    with engine.connect() as connection:
        held = connection.connection.dbapi_connection.info.get_parameters()  # type: ignore[union-attr]
    engine.dispose()
    assert held.get("tcp_user_timeout", "0") == milliseconds


def test_a_line_to_mariadb_that_was_cut_is_found_out_in_minutes() -> None:
    """Its driver leaves the times to the system, which waits for two hours."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as line:
        _no_dead_line(SimpleNamespace(_sock=line), _DEAD_SOCKET)
        times = [line.getsockopt(socket.IPPROTO_TCP, kind) for kind in (socket.TCP_KEEPIDLE, socket.TCP_KEEPCNT)]
    assert times == [60, 6]


def test_options_that_a_driver_knows_and_a_short_name_are_taken() -> None:
    assert open_database("postgres://me@host/db?sslmode=require&connect_timeout=3").dialect.name == "postgresql"
    assert open_database("mariadb://me@host/db?charset=utf8mb4&ssl_ca=/a&ssl_cipher=x").dialect.name == "mariadb"


# Where @ stands, a value does.
STATEMENTS = {
    "unique": ("INSERT INTO people (id, name) VALUES (2, '@')", "23505"),
    "number": ("INSERT INTO people (id, name, amount) VALUES (3, 'x', CAST('@' AS numeric))", "22P02"),
    "date": ("INSERT INTO people (id, name, born) VALUES (3, 'x', CAST('@' AS date))", "22007"),
    "day": ("INSERT INTO people (id, name, born) VALUES (3, 'x', CAST('1987-02-31' AS date))", "22008"),
    "check": ("INSERT INTO people (id, name, flag) VALUES (3, '@', 'Q')", "23514"),
    "length": ("INSERT INTO people (id, name) VALUES (3, '@@')", "22001"),
    "null": ("INSERT INTO people (id, flag) SELECT 3, 'Y' WHERE '@' <> ''", "23502"),
    "key": ("INSERT INTO people (id, name, mother) VALUES (3, 'x', 19870231)", "23503"),
}


@pytest.mark.parametrize("case", STATEMENTS)
def test_postgresql_says_which_thing_refused_but_no_value(postgres_url: str, case: str) -> None:
    statement, state = STATEMENTS[case]
    error = _refused(postgres_url, statement)
    assert state in error.message
    for value in (SECRET, "19870231", "1987-02-31"):
        assert value not in str(error) + error.hint


@pytest.mark.parametrize("code", ["P0001", "23505", "42501", "55000"])
def test_what_a_function_of_postgresql_raises_is_its_authors_text(code: str, postgres_url: str) -> None:
    """No quote tells where a value stands in it; whatever code it gives itself."""
    said = f"DO $$ BEGIN RAISE EXCEPTION 'no such person {SECRET}' USING ERRCODE = '{code}'; END $$"
    error = _refused(postgres_url, said)
    assert f"inline_code_block of the database raised an error (SQLSTATE {code})" in error.message
    assert SECRET not in str(error) + error.hint


def test_what_a_trigger_of_sqlite_raises_is_its_authors_text(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    engine = open_database(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a)")
        raises = f"SELECT RAISE(ABORT, 'no such person {SECRET}')"
        connection.exec_driver_sql(f"CREATE TRIGGER g BEFORE INSERT ON t BEGIN {raises}; END")
    with pytest.raises(SQLAlchemyError) as caught, engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO t VALUES (1)")
    engine.dispose()
    assert "raised an error" in refusal(url, caught.value).message
    assert SECRET not in str(refusal(url, caught.value))


@pytest.mark.parametrize(
    "error",
    [
        Exception(1644, f"no such person {SECRET}"),
        Exception(f"ORA-20001: no such person {SECRET}"),
        Exception("42000", f"[42000] [Microsoft][ODBC Driver]no such person {SECRET} (50000) (SQLExecDirectW)"),
    ],
)
def test_what_others_raise_is_its_authors_text(error: Exception) -> None:
    assert _reason(error) == "a function or trigger of the database raised an error"


def test_postgresql_names_table_and_constraint(postgres_url: str) -> None:
    message = _refused(postgres_url, STATEMENTS["unique"][0]).message
    assert "table people" in message
    assert "constraint people_name_key" in message


def test_postgresql_names_what_is_missing(postgres_url: str) -> None:
    """An undefined table or column is a name, not a value, and is told."""
    assert 'relation "nowhere" does not exist' in _refused(postgres_url, "SELECT * FROM nowhere").message


def test_a_server_that_is_not_there_says_so() -> None:
    engine = open_database(f"postgresql://me:{SECRET}@127.0.0.1:1/db")
    with pytest.raises(SQLAlchemyError) as caught:
        engine.connect()
    error = refusal(f"postgresql://me:{SECRET}@127.0.0.1:1/db", caught.value)
    assert "connection" in error.message
    assert SECRET not in str(error)


def test_sqlite_keeps_the_name_of_the_column(tmp_path: Path) -> None:
    error = _refused(f"sqlite:///{tmp_path / 'a.db'}", STATEMENTS["unique"][0])
    assert "UNIQUE constraint failed: people.name" in error.message
    assert SECRET not in str(error)


@pytest.mark.parametrize("url", ["sqlite", "postgresql"])
def test_the_drivers_own_error_hides_parameters_too(
    url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """A traceback must not show them either."""
    where = f"sqlite:///{tmp_path / 'a.db'}" if url == "sqlite" else request.getfixturevalue("postgres_url")
    engine = open_database(where)
    META.create_all(engine)
    with engine.begin() as connection, pytest.raises(SQLAlchemyError) as caught:
        connection.execute(PEOPLE.insert(), [{"id": n, "name": SECRET, "flag": "Y"} for n in (5, 6)])
    engine.dispose()
    assert "parameters hidden" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Duplicate entry 'Smith' for key 'uq_name'", "Duplicate entry … for key …"),
        ("The duplicate key value is (943 476).", "The duplicate key value is …."),
        ("value too long for type character varying(30)", "value too long for type character varying(30)"),
        ('invalid input: "Smi\'th" here', "invalid input: … here"),
        ("ungültige Eingabe: „Smith“", "ungültige Eingabe: …"),
        ("entrée « Smith » invalide", "entrée … invalide"),
        ("never closed 'Smith and more", "never closed …"),
        ("Key (name)=(Smith) already exists.", "Key …=… already exists."),
    ],
)
def test_whatever_is_quoted_or_bracketed_is_masked(text: str, masked: str) -> None:
    assert _masked(text) == masked


def test_sqlite_transactions_cover_ddl(tmp_path: Path) -> None:
    """A table made in a transaction that is rolled back is not there."""
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    with engine.connect() as connection:
        META.create_all(connection)
        connection.rollback()
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def _refused(url: str, statement: str) -> TargetError:
    engine = open_database(url)
    META.create_all(engine)
    with engine.begin() as connection:
        connection.execute(PEOPLE.insert().values(id=1, name=SECRET))
    with pytest.raises(SQLAlchemyError) as caught, engine.begin() as connection:
        connection.execute(sa.text(statement.replace("@", SECRET)))
    engine.dispose()
    return refusal(url, caught.value)


def test_a_file_that_is_opened_to_read_cannot_be_written_and_stays_alone(tmp_path: Path) -> None:
    writer = open_database(f"sqlite:///{tmp_path / 'a.db'}")
    META.create_all(writer)
    writer.dispose()
    before = (tmp_path / "a.db").read_bytes()
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}", reading=True)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(PEOPLE)) == 0
    with pytest.raises(SQLAlchemyError), engine.begin() as connection:
        connection.execute(PEOPLE.insert().values(id=1, name="a"))
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]
    assert (tmp_path / "a.db").read_bytes() == before


def test_a_database_that_is_not_there_is_empty_to_read_and_is_not_made(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'a.db'}", reading=True)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_asked_to_read_refuses_to_write(postgres_url: str) -> None:
    engine = open_database(postgres_url, reading=True)
    with pytest.raises(SQLAlchemyError), engine.begin() as connection:
        META.create_all(connection)
    engine.dispose()
