"""Engines by URL, with the settings that make each of them safe for a transactional load."""

from __future__ import annotations

import inspect
import re
import socket
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, PendingRollbackError, SQLAlchemyError

from casebridge.project.errors import CasebridgeError, TargetError
from casebridge.project.locks import PATIENCE, session_name, told_of
from casebridge.project.refusals import HINTS, Refusal, refused
from casebridge.project.urls import WORDS_OF_SECRETS, filled, missing_variables

DRIVER_ERRORS = (SQLAlchemyError, psycopg.Error, sqlite3.Error)
"""What a database may raise: through SQLAlchemy, or where rows go straight to the driver."""

_NOT_OF_THE_STATEMENT = (
    sqlite3.OperationalError,
    psycopg.OperationalError,
    psycopg.InternalError,
    psycopg.errors.InsufficientPrivilege,
)
"""What a database refuses whatever is asked of it: it is away, full, or not to be written."""

_WRITES = "casebridge_writes"
_DRIVERS = {
    "postgresql": "psycopg", "mariadb": "pymysql", "mysql": "pymysql", "oracle": "oracledb", "mssql": "pyodbc",
}  # fmt: skip
"""The driver of a URL that names none."""
_SCHEMA_WORDS = frozenset({"schema", "schemas", "currentschema", "search_path", "searchpath"})
"""Options by which other programs name a schema."""
_NAMES_ONLY = frozenset({1044, 1045, 1046, 1049, 1054, 1060, 1109, 1142, 1143, 1146, 1356, 2002, 2003, 2006, 2013})
"""Errors of MariaDB and MySQL whose messages quote names of things, never a value."""
_ENDED = ((1053,), (1927,))
"""MariaDB and MySQL: the server ends, or somebody has ended this connection. SQLAlchemy knows neither."""
_CONNECTION_LOST = "the connection is lost"
_SIGNAL = 1644
"""MariaDB and MySQL: what SIGNAL says."""
_RAISED_ELSEWHERE = re.compile(r"ORA-20\d{3}\b|\(50000\)")
"""What is raised in Oracle, in SQL Server."""
_IN_FUNCTION = re.compile(r"PL/pgSQL (function [\w.]+)")
_ABOUT_THE_SERVER = frozenset({"08", "0A", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"})
"""SQLSTATE classes whose messages name logins, databases, tables and columns, but never a value."""

_QUOTED = re.compile(r"""\"[^"]*\"|'[^']*'|`[^`]*`|“[^”]*”|„[^“”]*[“”]|«[^»]*»|(?<![a-z])\([^)]*\)""")
_UNCLOSED = re.compile(r"""["'`“„«].*|(?<![a-z])\(.*""")
_AFTER_COLON = re.compile(r":\s.*")


_DEAD_LINE = {"keepalives_idle": "60", "keepalives_interval": "10", "keepalives_count": "6"}
"""A line that was cut without a word (a VPN, a firewall that forgets it) is found out after two minutes, not after
the two hours that systems wait; a server that is slow, or waits for a lock, answers all the same. Seconds.
PostgreSQL's manual, "Parameter Key Words"."""
_DEAD_SOCKET = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}
"""The same by the names of sockets, of those that a system has (macOS says TCP_KEEPALIVE for TCP_KEEPIDLE)."""
_UNTAKEN = 120_000
"""Milliseconds for which what was sent may go unanswered, on lines that only read: a question is short. A server
that is written to may wait for a lock and take nothing for longer: that would end the line (Linux, tcp(7))."""


def open_database(url: str, *, reading: bool = False) -> sa.Engine:
    """An engine for a database URL. `postgresql://` means psycopg 3. `${NAME}` in it is filled from the
    environment. Nothing is connected yet.

    reading: nothing can be written by it. A file of SQLite is left as it is, byte for byte, and none is made
    beside it; where there is none yet, the database is an empty one in memory.
    """
    for name in missing_variables(url):
        hint = f"set it (export {name}=…) where the command is given, then run it again"
        raise TargetError("a database's URL", f"the environment has no variable {name}", hint=hint)
    parsed = _parsed(url)
    if parsed.drivername in _DRIVERS:
        parsed = parsed.set(drivername=f"{parsed.drivername}+{_DRIVERS[parsed.drivername]}")
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_to_read(parsed) if reading else _sqlite(parsed)
    try:
        # Rows go to the server as UTF-8, whatever the database keeps them in: it translates, or refuses.
        ours = {"client_encoding": "utf8", "application_name": session_name()}
        waits = _DEAD_LINE | ({"tcp_user_timeout": str(_UNTAKEN)} if reading else {})
        ours |= {name: value for name, value in waits.items() if name not in parsed.query}
        server = parsed.get_backend_name() == "postgresql"
        options = ours if parsed.drivername == "postgresql+psycopg" else {}
        engine = sa.create_engine(parsed, pool_pre_ping=True, hide_parameters=True, connect_args=options)
        _refuse_unknown_options(engine)
        if options:
            event.listen(engine, "connect", _no_endless_waiting)
        if engine.driver == "pymysql":
            times = _DEAD_SOCKET | ({"TCP_USER_TIMEOUT": _UNTAKEN} if reading else {})
            event.listen(engine, "connect", lambda connection, _: _no_dead_line(connection, times))
        return engine.execution_options(postgresql_readonly=True) if reading and server else engine
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        hint = (
            "install its driver (the extras `mariadb`, `oracle` and `sqlserver` have three), or use sqlite:/// or "
            "postgresql://"
        )
        raise TargetError(shown(parsed), f"no driver for it: {error}", hint=hint) from error


def _refuse_unknown_options(engine: sa.Engine) -> None:
    """TargetError for what stands behind `?` and the driver does not know: it would refuse each connection, in
    words that may quote a password."""
    if engine.driver == "psycopg":
        known = {option.keyword.decode() for option in psycopg.pq.Conninfo.get_defaults()}
    elif engine.driver == "pymysql":
        known = set(inspect.signature(engine.dialect.loaded_dbapi.connections.Connection).parameters)
    else:
        return
    _, given = engine.dialect.create_connect_args(engine.url)  # SQLAlchemy has words of its own for some
    unknown = sorted(given.keys() & engine.url.query.keys() - known)
    if unknown:
        hint = "take it out of the URL; its driver's own documentation lists those that it knows"
        if _SCHEMA_WORDS & {name.lower() for name in unknown}:
            hint = 'no URL names a schema: say `--schema NAME`, and in a spec `table = "schema.name"` under [read]'
        raise TargetError(
            shown(engine.url.set(query={})),
            f"has an option that its driver does not know: {unknown[0]}",
            hint=hint,
        )


def writing(engine: sa.Engine) -> sa.Engine:
    """The engine for transactions that read before they write. SQLite then locks the file when they begin and
    waits its turn: one that has read already would be refused at once where another wrote meanwhile."""
    return engine.execution_options(**{_WRITES: True})


def reading(engine: sa.Engine) -> sa.Engine:
    """The engine for single statements that only read: a server is not asked to begin and to end a transaction
    around each."""
    return engine.execution_options(isolation_level="AUTOCOMMIT") if engine.name == "postgresql" else engine


def not_waiting(connection: sa.Connection) -> None:
    """The caller's transaction is not worth waiting for the disk: a server may lose it when it falls."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text("SET LOCAL synchronous_commit TO off"))


def open_own(url: str, name: str, lost: str, *, reading: bool = False) -> sa.Engine:
    """An engine for a database of casebridge's own: what it refuses is told in a sentence that begins with `name`.

    lost: what to do when it cannot be read any more.
    """
    engine = open_database(url, reading=reading)

    @event.listens_for(engine, "handle_error")
    def _say(context: sa.engine.ExceptionContext) -> None:
        # A connection that died while it was kept is no refusal: the pool asks, lets go of it and makes another.
        if isinstance(context.original_exception, Exception) and not context.is_pre_ping:
            error = own_refusal(name, context.original_exception, lost)
            if error is not None:
                raise error from context.original_exception

    return engine


def read_only_uri(path: Path) -> str:
    """How SQLite opens a file to read it, and makes no file beside it.

    Without a log nobody writes now, and the file is all. With a write-ahead log, its index is read as it stands. A
    rollback journal is what a crash left: only a login that may write can put the file right.
    """

    def filled(ending: str) -> bool:
        beside = path.with_name(f"{path.name}{ending}")
        return beside.exists() and beside.stat().st_size > 0

    how = "&readonly_shm=1" if filled("-wal") else "" if filled("-journal") else "&immutable=1"
    return f"{path.resolve().as_uri()}?mode=ro{how}"


def own_refusal(name: str, error: Exception, lost: str) -> CasebridgeError | None:
    """A driver's error of a database of our own, or None when the fault is in what was asked of it."""
    if type(error) is sqlite3.DatabaseError:
        return CasebridgeError(f"{name}: {_reason(error)}", hint=lost)
    if isinstance(error, _NOT_OF_THE_STATEMENT):
        hint = (
            "see that it is there, that this login may read and write it (a file: its folder too), and that "
            "the disk has room; then run again"
        )
        told = refused(error)
        hint = HINTS[told] if told in {Refusal.FULL, Refusal.LOCKED} and told else hint
        return CasebridgeError(f"{name}: {_reason(error)}", hint=hint)
    return None


def shown(url: str | sa.URL) -> str:
    """A URL as it may be shown: without its password, wherever it stands in it."""
    parsed = _parsed(url) if isinstance(url, str) else url
    secret = [name for name in parsed.query if any(word in name.lower() for word in WORDS_OF_SECRETS)]
    return parsed.difference_update_query(secret).render_as_string(hide_password=True)


def refusal(url: str | sa.URL, error: Exception) -> TargetError:
    """A driver's error as ours: the reason without any value, for values are people's data."""
    gone = isinstance(error, PendingRollbackError)  # asked again after the connection was lost
    cause = getattr(error, "orig", None) or error
    reason = _CONNECTION_LOST if gone else _reason(cause)
    # A driver that is spoken to directly is connected: it can only lose the connection, not fail to make it.
    lost = getattr(error, "connection_invalidated", isinstance(error, psycopg.OperationalError))
    retryable = bool(lost) or gone or cause.args[:1] in _ENDED
    hint = "check target.url in casebridge.toml, that the server runs, and that this login may write"
    told = refused(error)
    if told is Refusal.LOCKED:
        reason = f"{reason}; {_who_locks(url)}"
    if told is not None:
        hint = HINTS[told]
    elif retryable:
        hint = "the connection was lost: run the same command again, it goes on where it stopped"
    elif str(getattr(getattr(error, "orig", error), "sqlstate", None) or "").startswith("23"):
        hint = "other rows in the target, or its own keys, do not allow it: have them mended, then run it again"
    return TargetError(shown(url), reason, hint=hint, retryable=retryable)


def _who_locks(url: str | sa.URL) -> str:
    engine = open_database(url if isinstance(url, str) else url.render_as_string(hide_password=False))
    try:
        return told_of(engine)
    finally:
        engine.dispose()


def _parsed(url: str) -> sa.URL:
    hint = (
        "write it like sqlite:///target.db or postgresql://user@host/database; "
        "in a password @ is written %40, : is %3A, / is %2F and % is %25"
    )
    try:
        parsed = sa.make_url(filled(url))
    except (ArgumentError, ValueError):
        # The cause would quote a piece of the URL, which may be one of the password.
        raise TargetError("(unreadable URL)", "is no database URL", hint=hint) from None
    if "@" in (parsed.host or ""):
        raise TargetError("(unreadable URL)", "has more than one @", hint=hint)
    # Some programs write it short.
    return parsed.set(drivername="postgresql") if parsed.drivername == "postgres" else parsed


def _raised(error: BaseException) -> bool:
    """Whether a function or trigger in the database made the error: its words are its author's, and may be of a
    person without any quotes."""
    if isinstance(error, psycopg.Error):
        return error.diag.source_function == "exec_stmt_raise" or str(error.sqlstate).startswith("P0")
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_CONSTRAINT_TRIGGER
    return error.args[:1] == (_SIGNAL,) or _RAISED_ELSEWHERE.search(str(error)) is not None


def _reason(error: BaseException) -> str:
    """What a server says of itself is shown as it is; of a row, only the code and the names of things."""
    if _raised(error):
        diagnosis, code = getattr(error, "diag", None), getattr(error, "sqlstate", None)
        which = _IN_FUNCTION.match(getattr(diagnosis, "context", None) or "")
        said = f"{which[1] if which else 'a function or trigger'} of the database raised an error"
        return f"{said} (SQLSTATE {code})" if code else said
    text = str(error).strip()
    first = text.splitlines()[0] if text else type(error).__name__
    state = getattr(error, "sqlstate", None)
    if len(error.args) == 2 and isinstance(error.args[0], int):  # PyMySQL: a number and a sentence
        number, said = error.args
        if not number:
            return _CONNECTION_LOST
        return f"{said if number in _NAMES_ONLY else _masked(str(said))} (error {number})"
    if state is None:
        # Without a state it is a connection that failed, or a driver whose messages end in names.
        return first if isinstance(error, psycopg.OperationalError) else _masked(first)
    if state[:2] in _ABOUT_THE_SERVER:
        return first
    diagnosis = getattr(error, "diag", None)
    parts = ("table_name", "column_name", "constraint_name")
    names = [(part.partition("_")[0], getattr(diagnosis, part, None)) for part in parts]
    where = "".join(f", {kind} {name}" for kind, name in names if name)
    return f"{_AFTER_COLON.sub('', _masked(first))} (SQLSTATE {state}{where})"


def _masked(text: str) -> str:
    """All that is quoted or in brackets is gone, and the rest of a line after a quote that never closes."""
    return _UNCLOSED.sub("…", _QUOTED.sub("…", text)).strip()


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": 10}, hide_parameters=True)
    return _with_settings(engine, ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = OFF"))


def _sqlite_to_read(url: sa.URL) -> sa.Engine:
    path = Path(url.database or ":memory:")
    if not path.is_file():
        return _sqlite(sa.make_url("sqlite:///:memory:"))

    def connected() -> sqlite3.Connection:
        return sqlite3.connect(read_only_uri(path), uri=True, timeout=60, check_same_thread=False)

    # No connection is kept: while one that may only read is open, no other of this process may write.
    engine = sa.create_engine(url, creator=connected, hide_parameters=True, poolclass=sa.NullPool)
    return _with_settings(engine, ("query_only = ON",))


def _no_endless_waiting(connection: Any, _record: Any) -> None:
    """A lock that somebody holds is waited for PATIENCE long, unless the database's owner has said how long."""
    asked = "SELECT set_config('lock_timeout', %s, false) WHERE current_setting('lock_timeout') = '0'"
    with connection.cursor() as cursor:
        cursor.execute(asked, [PATIENCE])
    connection.commit()


def _no_dead_line(connection: Any, times: Mapping[str, int]) -> None:
    """PyMySQL asks for keep-alives, and leaves the times to the system."""
    line: socket.socket = connection._sock
    if line.family != getattr(socket, "AF_UNIX", None):
        for name, value in times.items():
            if hasattr(socket, name):
                line.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _with_settings(engine: sa.Engine, pragmas: Sequence[str]) -> sa.Engine:
    # The driver would begin transactions on its own, and not around DDL; we begin them ourselves.
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        if connection.get_execution_options().get(_WRITES, False):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        elif isinstance(plain := connection.connection.dbapi_connection, sqlite3.Connection):
            plain.execute("BEGIN")  # it locks nothing and cannot be refused: no need of SQLAlchemy's long way

    return engine
