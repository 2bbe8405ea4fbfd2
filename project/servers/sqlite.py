"""SQLite: one read transaction on a file. Any column may hold any kind of value, so each value is asked."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy import event

from casebridge.project.errors import counted
from casebridge.project.servers.asked import Asked, Field, framed
from casebridge.project.servers.server import ROWS, Server, cursor_of

_SETTLED = 2_000_000_000
"""Nanoseconds after which a file that is written to again certainly gets another time."""


class SQLite(Server):
    """SQLite. Numbers with decimals are the shortest text that is the same number again."""

    first = "SELECT 1 FROM sqlite_master"
    holds_types = False
    own_schemas = frozenset({"main", "temp"})

    def fields(self, connection: sa.Connection, described: Sequence[Any]) -> tuple[Field, ...]:
        """One measure for all: bytes of the text, in the encoding of the file."""
        with cursor_of(connection) as cursor:
            cursor.execute("PRAGMA encoding")
            measure = "bytes" if cursor.fetchone()[0] == "UTF-8" else "bytes_of_utf16"
        return tuple(self._field(str(column[0]), measure) for column in described)

    def _field(self, name: str, measure: str) -> Field:
        column = self.quoted(name)
        short, long = (f"printf('%!.{digits}g', {column})" for digits in (15, 17))
        text = (
            f"CASE typeof({column}) WHEN 'real' THEN CASE WHEN CAST({short} AS REAL) = {column} THEN {short} "
            f"ELSE {long} END WHEN 'blob' THEN lower(hex({column})) ELSE CAST({column} AS TEXT) END"
        )
        return Field(name, "", text, f"sum(length(CAST({text} AS BLOB)))", measure)

    def texts(self, connection: sa.Connection, asked: Asked) -> Iterator[pl.DataFrame]:
        """In the order in which rows lie there."""
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.text_factory = bytes  # texts that are no UTF-8 are somebody's mistake, not the end
        try:
            with cursor_of(connection) as cursor:
                cursor.execute(asked.texts)
                yield from framed(lambda: cursor.fetchmany(ROWS), asked.names)
        finally:
            driver.text_factory = str

    def parts(self, connection: sa.Connection) -> Mapping[str, str]:
        """The tables in which a virtual one keeps its rows."""
        with cursor_of(connection) as cursor:
            cursor.execute("SELECT name, type FROM pragma_table_list WHERE schema = 'main' ORDER BY name")
            kinds = dict(cursor.fetchall())
        whole = [name for name, kind in kinds.items() if kind == "virtual"]
        found = {
            name: [w for w in whole if name.startswith(f"{w}_")]
            for name, kind in kinds.items()
            if kind == "shadow"
        }
        return {name: max(names, key=len) for name, names in found.items() if names}

    def mixed(self, connection: sa.Connection, asked: Asked) -> str:
        """Any column may hold bytes. As text they are digits, which look like another value."""
        if asked.table is None or asked.view:
            return ""
        with cursor_of(connection) as cursor:
            cursor.execute("SELECT name, type FROM pragma_table_xinfo(?)", [asked.table[1]])
            names = [name for name, kind in cursor.fetchall() if kind and "BLOB" not in kind.upper()]
            if not names:
                return ""
            counts = ", ".join(f"sum(typeof({self.quoted(name)}) = 'blob')" for name in names)
            cursor.execute(f"SELECT {counts} FROM {asked.origin}")  # noqa: S608
            found = dict(zip(names, cursor.fetchone(), strict=True))
        told = ", ".join(f"{name} ({counted(rows, 'row')})" for name, rows in found.items() if rows)
        return f"bytes in columns of another type are given as hexadecimal digits: {told}" if told else ""

    def mark(self, connection: sa.Connection) -> Mapping[str, str]:
        """The file, its log and their last times; empty while they are too fresh to tell."""
        with cursor_of(connection) as cursor:
            cursor.execute("PRAGMA database_list")
            path = Path(next(row[2] for row in cursor.fetchall() if row[1] == "main"))
        files = [path, path.with_name(f"{path.name}-wal")]
        states = [file.stat() for file in files if file.exists() and file.stat().st_size]
        if any(time.time_ns() - state.st_mtime_ns < _SETTLED for state in states):
            return {}
        return {"file": " ".join(f"{s.st_size}:{s.st_mtime_ns}:{s.st_ino}" for s in states)}

    def unchanged(self, connection: sa.Connection, asked: Asked, mark: Mapping[str, str]) -> int | None:
        """The file was not written to at all."""
        if not mark or self.mark(connection) != mark:
            return None
        return self.count(connection, asked)


def live_sqlite(reading: sa.Engine, path: Path) -> sa.Engine:
    """A file that others may be writing to: its locks are kept, so that one state is seen, and nothing is written.
    Where this login may not write beside it, it is read as it lies there."""
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return reading
    reading.dispose()

    def connected() -> sqlite3.Connection:
        uri = f"{path.resolve().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=60, check_same_thread=False)
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")
        return connection

    engine = sa.create_engine("sqlite://", creator=connected, poolclass=sa.NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine
