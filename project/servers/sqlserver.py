"""SQL Server: snapshot isolation, rows by pyodbc. Our tests have no such server.

The database has to allow it (`ALTER DATABASE … SET ALLOW_SNAPSHOT_ISOLATION ON`); where it does not, it says so.
"""

from __future__ import annotations

import datetime as dt
import decimal
from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from casebridge.project.servers.asked import Asked, Field, framed
from casebridge.project.servers.server import ROWS, Server, cursor_of

_LONGEST_SUM = 28


class SQLServer(Server):
    """SQL Server. The moment is that of the first table that is read."""

    level = "SNAPSHOT"
    own_schemas = frozenset({"information_schema", "sys", "guest"})

    def quoted(self, name: str) -> str:
        """In square brackets."""
        return "[" + name.replace("]", "]]") + "]"

    def is_own(self, schema: str) -> bool:
        """Fixed roles have schemas too."""
        return schema.startswith("db_") or super().is_own(schema)

    def fields(self, connection: sa.Connection, described: Sequence[Any]) -> tuple[Field, ...]:  # noqa: ARG002
        """By the Python types that the driver would give."""
        return tuple(self.field(str(c[0]), c[1], c[4] or 0, c[5] or 0) for c in described)

    def field(self, title: str, kind: type, precision: int, scale: int) -> Field:
        """One column: `kind` is the Python type that pyodbc makes of it."""
        name, made = self.quoted(title), (title, kind.__name__)
        if kind is int:
            return Field(*made, f"CONVERT(varchar(20), {name})", f"SUM(CONVERT(decimal(38, 0), {name}))", "sum")
        if kind is decimal.Decimal:  # money, too
            exact = f"CONVERT(decimal({precision}, {scale}), {name})"
            total = (f"SUM({exact})", "sum", scale) if precision <= _LONGEST_SUM else ()
            return Field(*made, f"CONVERT(varchar(50), {exact})", *total)
        return Field(*made, self._text(name, kind))

    def _text(self, name: str, kind: type) -> str:
        if kind is bool:
            return f"CONVERT(char(1), {name})"
        if kind is float:
            return f"CONVERT(varchar(50), {name}, 3)"  # 17 digits: the same number again
        if kind is dt.date:
            return f"CONVERT(char(10), {name}, 23)"
        if kind is dt.datetime:
            return f"CONVERT(varchar(33), {name}, 121)"
        if kind in {bytes, bytearray}:
            return f"LOWER(CONVERT(varchar(max), CONVERT(varbinary(max), {name}), 2))"
        return f"CONVERT(nvarchar(max), {name})"

    def texts(self, connection: sa.Connection, asked: Asked) -> Iterator[pl.DataFrame]:
        """Rows as the driver gives them: texts."""
        with cursor_of(connection) as cursor:
            cursor.execute(asked.texts)
            yield from framed(lambda: _bytes(cursor.fetchmany(ROWS)), asked.names)


def _bytes(rows: Sequence[Sequence[str | None]]) -> list[tuple[bytes | None, ...]]:
    return [tuple(None if value is None else value.encode() for value in row) for row in rows]
