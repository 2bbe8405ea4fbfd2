"""Oracle: a read-only transaction, rows by python-oracledb's Arrow reader. Our tests have no such server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from casebridge.project.servers.asked import Asked, Field
from casebridge.project.servers.server import ROWS, Server, cursor_of

_LONGEST_SUM = 28
_OWNERS = (
    "SELECT DISTINCT owner FROM all_tables WHERE owner NOT IN "
    "(SELECT username FROM all_users WHERE oracle_maintained = 'Y')"
)
_DAY, _CLOCK = "YYYY-MM-DD", "YYYY-MM-DD HH24:MI:SS"


class Oracle(Server):
    """Oracle. It knows no empty text: what is empty there is NULL."""

    begin = ("ALTER SESSION SET NLS_NUMERIC_CHARACTERS = '.,'", "SET TRANSACTION READ ONLY")
    first = "SELECT 1 FROM dual"

    def schemas(self, connection: sa.Connection) -> list[str]:
        """The owners of tables that this login may read, without those that came with the server."""
        with cursor_of(connection) as cursor:
            cursor.execute(_OWNERS)
            found = [str(owner) for (owner,) in cursor.fetchall()]
        return sorted(str(connection.dialect.normalize_name(owner)) for owner in found)

    def fields(self, connection: sa.Connection, described: Sequence[Any]) -> tuple[Field, ...]:  # noqa: ARG002
        """By the names of the driver's types."""
        return tuple(self.field(str(c[0]), c[1].name.removeprefix("DB_TYPE_"), c[4], c[5]) for c in described)

    def field(self, title: str, kind: str, precision: int | None, scale: int | None) -> Field:
        """One column: `kind` is the type's name in python-oracledb without DB_TYPE_."""
        name = self.quoted(title)
        if kind == "NUMBER":
            text = f"TO_CHAR({name}, 'TM9')"
            if precision and precision <= _LONGEST_SUM and (scale or 0) >= 0:
                return Field(title, kind, text, f"SUM({name})", "sum", scale or 0)
            return Field(title, kind, text, f"SUM(LENGTH({text}))", "characters")
        text = self._text(name, kind)
        if kind in {"CLOB", "NCLOB", "BLOB", "LONG", "LONG_RAW"}:
            return Field(title, kind, text)
        return Field(title, kind, text, f"SUM(LENGTH({text}))", "characters")

    def _text(self, name: str, kind: str) -> str:
        if kind == "DATE":  # a day and a time; at midnight it is a day
            whole = f"TO_CHAR({name}, '{_CLOCK}')"
            return f"CASE WHEN {name} = TRUNC({name}) THEN TO_CHAR({name}, '{_DAY}') ELSE {whole} END"
        if kind == "TIMESTAMP":
            return f"TO_CHAR({name}, '{_CLOCK}.FF')"
        if kind in {"TIMESTAMP_TZ", "TIMESTAMP_LTZ"}:
            return f"TO_CHAR(SYS_EXTRACT_UTC({name}), '{_CLOCK}.FF') || '+00'"
        if kind == "RAW":
            return f"LOWER(RAWTOHEX({name}))"
        if kind in {"ROWID", "UROWID"}:
            return f"ROWIDTOCHAR({name})"
        if kind in {"BINARY_FLOAT", "BINARY_DOUBLE", "INTERVAL_DS", "INTERVAL_YM"}:
            return f"TO_CHAR({name})"
        return name

    def texts(self, connection: sa.Connection, asked: Asked) -> Iterator[pl.DataFrame]:
        """Arrow batches; large objects come whole, bytes as hexadecimal digits."""
        driver: Any = connection.connection.driver_connection
        for batch in driver.fetch_df_batches(asked.texts, size=ROWS):
            frame = pl.DataFrame(pl.from_arrow(pa.table(batch)))
            frame.columns = list(asked.names)
            hexed = pl.col(pl.Binary).bin.encode("hex")
            yield frame.with_columns(hexed).cast(pl.String).cast(pl.Binary)
