"""MariaDB and MySQL: one consistent snapshot of InnoDB, on one connection; values as the server writes them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.types import NullType, TypeEngine

from casebridge.project.servers.asked import Asked, Field, Rows, framed
from casebridge.project.servers.server import ROWS, Server, cursor_of

_WHOLE, _YEAR, _DECIMAL, _FLOAT, _BIT, _GEOMETRY = {1, 2, 3, 8, 9}, 13, 246, 4, 16, 255
_DATE, _DATETIME, _TIMESTAMP = 10, 12, 7
_STRINGS = {15, 249, 250, 251, 252, 253, 254}
_NO_TEXT = 63
"""The character set of bytes."""
_LONGEST_SUM = 30
"""Characters of a decimal (a sign and a point among them) whose sum over any table has 38 digits at most."""


_WITH_MOMENTS = {"innodb", "rocksdb"}
_OF_TABLE = "WHERE table_schema = IF(%s = '', DATABASE(), %s) AND table_name = %s"
_ENGINE = f"SELECT engine, table_type FROM information_schema.tables {_OF_TABLE}"  # noqa: S608
_COLUMNS = f"SELECT column_name FROM information_schema.columns {_OF_TABLE} ORDER BY ordinal_position"  # noqa: S608
_KEY = (
    f"SELECT column_name FROM information_schema.statistics {_OF_TABLE} "  # noqa: S608
    "AND index_name = 'PRIMARY' ORDER BY seq_in_index"
)


class MariaDB(Server):
    """MariaDB or MySQL. The driver is told to convert nothing: a day such as 0000-00-00 is a text, too."""

    level = "REPEATABLE READ"
    own_schemas = frozenset({"information_schema", "performance_schema", "mysql", "sys"})
    # Each server reads only the comment that is its own: no limit of the login's ends a long table.
    begin = (
        "SET SESSION time_zone = '+00:00'",
        "SET SESSION net_write_timeout = 3600 "
        "/*M!100101 , max_statement_time = 0 */ /*!50708 , max_execution_time = 0 */",
        "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
    )  # fmt: skip

    def quoted(self, name: str) -> str:
        """In backticks: double quotes may mean a text there."""
        return "`" + name.replace("`", "``") + "`"

    def called(self, name: str) -> str:
        """SQLAlchemy leaves a backtick doubled, as the server writes it."""
        return name.replace("``", "`")

    def described(
        self, inspector: sa.Inspector, table: str, schema: str | None
    ) -> Sequence[tuple[str, TypeEngine[Any]]]:
        """SQLAlchemy takes the statement that made a table apart line by line, and loses a name with a line end in
        it. Of such a table the names are asked for, and its values say what it holds."""
        found = super().described(inspector, table, schema)
        if not self._has_line_ends(inspector, table, schema):
            return found
        return [(name, NullType()) for name in self._names(inspector, _COLUMNS, table, schema)]

    def primary_key(self, inspector: sa.Inspector, table: str, schema: str | None) -> tuple[str, ...]:
        """Its columns, in order."""
        if not self._has_line_ends(inspector, table, schema):
            return super().primary_key(inspector, table, schema)
        return self._names(inspector, _KEY, table, schema)

    def _has_line_ends(self, inspector: sa.Inspector, table: str, schema: str | None) -> bool:
        return any(len(name.splitlines()) > 1 for name in self._names(inspector, _COLUMNS, table, schema))

    def _names(self, inspector: sa.Inspector, query: str, table: str, schema: str | None) -> tuple[str, ...]:
        asked = (schema or "", schema or "", table)
        assert isinstance(inspector.bind, sa.Connection)
        with cursor_of(inspector.bind) as cursor:
            cursor.execute(query, asked)
            return tuple(str(name) for (name,) in cursor.fetchall())

    def ask(self, connection: sa.Connection, origin: str, table: tuple[str, str] | None = None) -> Asked:
        """The driver's description does not say which texts are bytes; its result does. `*` leaves out columns
        that somebody has made invisible."""
        with cursor_of(connection) as cursor:
            named = "*"
            if table is not None:
                schema, name = table
                cursor.execute(_COLUMNS, (schema, schema, name))
                named = ", ".join(self.quoted(str(column)) for (column,) in cursor.fetchall()) or "*"
            cursor.execute(f"SELECT {named} FROM {origin} WHERE 1 = 0")  # noqa: S608
            described = list(cursor._result.fields)
        return Asked(origin, self.fields(connection, described), table)

    def fields(self, connection: sa.Connection, described: Sequence[Any]) -> tuple[Field, ...]:  # noqa: ARG002
        """By the types' numbers in the protocol."""
        return tuple(
            self.field(str(column.name), column.type_code, column.charsetnr, column.length, column.scale)
            for column in described
        )

    def field(self, title: str, code: int, charset: int, length: int, scale: int) -> Field:
        """One column: its type and character set by number, its length in characters, its decimals."""
        name = self.quoted(title)
        made = (title, f"{code}/{charset}/{length}/{scale}")
        if code in _WHOLE or code == _YEAR or (code == _DECIMAL and length <= _LONGEST_SUM):
            return Field(*made, name, f"SUM({name})", "sum", scale if code == _DECIMAL else 0)
        if code in {_DATE, _DATETIME}:
            return Field(*made, name, f"SUM({name} + 0)", "digits", scale)
        text = self._text(name, code, charset)
        size = f"CONVERT({text} USING utf8mb4)" if code in _STRINGS and charset != _NO_TEXT else text
        return Field(*made, text, f"SUM(LENGTH({size}))", "bytes")

    def _text(self, name: str, code: int, charset: int) -> str:
        if code == _FLOAT:
            return f"CAST(CAST({name} AS DOUBLE) AS CHAR)"  # a float is shown with six digits
        if code == _TIMESTAMP:
            return f"IF({name} = 0, CAST({name} AS CHAR), CONCAT({name}, '+00'))"
        if code == _BIT:
            return f"CAST({name} + 0 AS CHAR)"
        if code == _GEOMETRY or (code in _STRINGS and charset == _NO_TEXT):
            return f"LOWER(HEX({name}))"
        return name if code in _STRINGS else f"CAST({name} AS CHAR)"

    def finished(self, rows: Rows, asked: Asked) -> Rows:
        """A float arrives as the double that it is: 56.1 is 56.099998474121094 then. Where a shorter text is the
        same float, that is what somebody wrote."""
        singles = [each.name for each in asked.fields if each.type.startswith(f"{_FLOAT}/")]
        return replace(rows, good=rows.good.with_columns(map(_shortest, singles))) if singles else rows

    def outside(self, connection: sa.Connection, asked: Asked) -> str:
        """Only some engines keep what a row was before; of a table with versions the present one is read."""
        if asked.table is None:
            return ""
        with cursor_of(connection) as cursor:
            schema, name = asked.table
            cursor.execute(_ENGINE, (schema, schema, name))
            engine, kind = cursor.fetchone() or ("", "")
        notes = []
        if engine and str(engine).lower() not in _WITH_MOMENTS:
            notes.append(f"is kept by {engine}, which knows no moment: nobody should write to it while it is read")
        if kind == "SYSTEM VERSIONED":
            notes.append(
                "keeps what its rows were before, which is not read: a query FOR SYSTEM_TIME ALL reads it"
            )
        return "; ".join(notes)

    def texts(self, connection: sa.Connection, asked: Asked) -> Iterator[pl.DataFrame]:
        """Rows as the server sends them, not kept on the way."""
        driver: Any = connection.connection.driver_connection
        before = driver.use_unicode, driver.decoders, driver.cursorclass
        stream = importlib.import_module("pymysql.cursors").SSCursor  # an extra: there, if there is a connection
        driver.use_unicode, driver.decoders, driver.cursorclass = False, {}, stream
        try:
            with cursor_of(connection) as cursor, _unread(cursor):
                cursor.execute(asked.texts)
                yield from framed(lambda: cursor.fetchmany(ROWS), asked.names)
        finally:
            driver.use_unicode, driver.decoders, driver.cursorclass = before


def _shortest(name: str) -> pl.Expr:
    """A float with decimals or an exponent by the fewest figures that tell it from its neighbours."""
    text = pl.col(name)
    short = text.cast(pl.Float64).cast(pl.Float32).cast(pl.String).str.replace("e+", "e", literal=True)
    power = text.str.contains("e", literal=True)
    longer = (power | text.str.contains(".", literal=True)) & (power == short.str.contains("e", literal=True))
    return pl.when(longer).then(short).otherwise(text).alias(name)


@contextmanager
def _unread(cursor: Any) -> Iterator[None]:
    """Where somebody stops before all rows are read, or the connection is lost, nobody waits for the rest of them:
    the driver would, of a connection that may be gone."""
    try:
        yield
    finally:
        result = cursor._result
        if result is not None and result.unbuffered_active:
            result.unbuffered_active = False
            cursor.connection._force_close()
