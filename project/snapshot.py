"""A database as it stands at one moment: its tables and views, and their rows as exact text.

It is only read, in one transaction, and nothing waits for it. PostgreSQL: REPEATABLE READ READ ONLY, rows by COPY.
SQLite: one read transaction. Others: by SQLAlchemy, in a transaction that sees one state where the server has one.
Read what you need and close it: a snapshot that stays open keeps a server from tidying up.
"""

from __future__ import annotations

import datetime as dt
import decimal
import io
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql

from casebridge.project.database import DRIVER_ERRORS, open_database, refusal, shown
from casebridge.project.errors import SourceError

ROWS = 100_000
"""Rows in one batch, about."""
_BYTES = 16 << 20
_HINT = "see that the server runs, that the URL is its own and that this login may read there; then run it again"
_LOST = "the connection was lost: run the same command again"
_NAMED = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_TEXT_OF_POSTGRES = (
    "SET LOCAL DateStyle TO 'ISO, YMD'", "SET LOCAL IntervalStyle TO 'iso_8601'", "SET LOCAL TimeZone TO 'UTC'",
    "SET LOCAL extra_float_digits TO 3", "SET LOCAL bytea_output TO 'hex'",
)  # fmt: skip
_BEGIN: Mapping[str, tuple[str, ...]] = {
    "postgresql": _TEXT_OF_POSTGRES,
    "oracle": ("SET TRANSACTION READ ONLY",),
}
_FIRST = {"oracle": "SELECT 1 FROM dual", "sqlite": "SELECT count(*) FROM sqlite_master"}
"""What is asked first: from then on one moment is seen. SQLite must look at its file for that."""
_LEVEL: Mapping[str, str] = {"postgresql": "REPEATABLE READ", "mysql": "REPEATABLE READ", "mssql": "SNAPSHOT"}


@dataclass(frozen=True)
class Relation:
    """A table or view: `name` as `read` takes it (schema.table outside the default schema), its columns in order
    with their types as the server names them, and its primary key (none for a view)."""

    name: str
    columns: tuple[tuple[str, str], ...]
    primary_key: tuple[str, ...] = ()
    view: bool = False


class Snapshot:
    """One moment of a database. Made by `open_snapshot`; every error is a SourceError without any value."""

    def __init__(self, connection: sa.Connection, url: str) -> None:
        self._connection, self._url = connection, url

    @property
    def texts_sort(self) -> bool:
        """Whether the server keeps days and times as texts, so that a condition compares texts (SQLite)."""
        return self._connection.dialect.name == "sqlite"

    def tables(self) -> frozenset[str]:
        """The names of the tables in the default schema: quicker than `relations`."""
        with _told(self._url):
            return frozenset(sa.inspect(self._connection).get_table_names())

    def relations(self, schema: str | None = None) -> tuple[Relation, ...]:
        """The tables and views of a schema (None: the default one), by name."""
        with _told(self._url):
            inspector = sa.inspect(self._connection)
            tables = dict.fromkeys(inspector.get_table_names(schema), False)
            tables |= dict.fromkeys(inspector.get_view_names(schema), True)
            return tuple(_relation(inspector, name, schema, view=tables[name]) for name in sorted(tables))

    def read(
        self, name: str, columns: Sequence[str], where: sa.ColumnElement[bool] | None = None
    ) -> Iterator[pl.DataFrame]:
        """Rows of a table or view, in no order, in batches of about ROWS: these columns, all as text.

        Null stays null and an empty text empty. Numbers are written in full, times as ISO 8601 with a blank, in
        UTC where the server knows the zone; bytes in hexadecimal digits. where: a condition of `sa.column`s.
        """
        schema, _, table = name.rpartition(".")
        wanted: list[sa.ColumnElement[Any]] = [sa.column(column) for column in columns]
        query: sa.Select[Any] = sa.select(*wanted).select_from(sa.table(table, schema=schema or None))
        yield from self.select(query if where is None else query.where(where))

    def select(self, query: sa.Select[Any]) -> Iterator[pl.DataFrame]:
        """The rows of a query, as `read` gives them."""
        with _told(self._url):
            if self._connection.dialect.name == "postgresql":
                yield from _by_copy(self._connection, query)
            else:
                yield from _by_cursor(self._connection, query)

    def count(self, name: str) -> int:
        """How many rows a table or view has."""
        schema, _, table = name.rpartition(".")
        with _told(self._url):
            rows = sa.select(sa.func.count()).select_from(sa.table(table, schema=schema or None))
            return int(self._connection.scalar(rows) or 0)


@contextmanager
def open_snapshot(url: str) -> Iterator[Snapshot]:
    """The database of a URL as it stands now. SourceError where it cannot be reached or read."""
    with _told(url):
        engine = _engine(url)
    try:
        with _told(url):
            connection = engine.connect()
        try:
            with _told(url):
                for statement in _BEGIN.get(engine.dialect.name, ()):
                    connection.exec_driver_sql(statement)
                connection.exec_driver_sql(_FIRST.get(engine.dialect.name, "SELECT 1"))
            yield Snapshot(connection, url)
        finally:
            connection.close()
    finally:
        engine.dispose()


def _engine(url: str) -> sa.Engine:
    engine = open_database(url, reading=True)
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        if not path.is_file():
            raise SourceError(shown(url), "no such file", hint="look at the URL: sqlite:///PATH")
        return _live_sqlite(engine, path)
    level = _LEVEL.get(engine.dialect.name)
    return engine.execution_options(isolation_level=level) if level else engine


def _live_sqlite(reading: sa.Engine, path: Path) -> sa.Engine:
    """A file that others may be writing to: its locks are kept, so that one state is seen, and nothing is written.
    Where this login may not write beside it, it is read as it lies there."""
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        return reading
    reading.dispose()

    def connected() -> sqlite3.Connection:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=60)
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")
        return connection

    engine = sa.create_engine("sqlite://", creator=connected, poolclass=sa.NullPool, hide_parameters=True)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


@contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except DRIVER_ERRORS as error:
        told = refusal(url, error)
        hint = _LOST if told.retryable else _HINT
        raise SourceError(shown(url), told.reason, hint=hint) from error
    except pa.ArrowInvalid as error:
        raise SourceError(shown(url), "sent rows that cannot be read", hint=_HINT) from error


def _relation(inspector: sa.Inspector, name: str, schema: str | None, *, view: bool) -> Relation:
    columns = tuple((str(c["name"]), str(c["type"])) for c in inspector.get_columns(name, schema))
    key = () if view else tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"])
    return Relation(f"{schema}.{name}" if schema else name, columns, key, view)


def _by_copy(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[pl.DataFrame]:
    """COPY TO STDOUT as CSV: what is not quoted and empty is null, and only that."""
    statement = query.compile(dialect=_NAMED, compile_kwargs={"literal_binds": True})
    columns = [column.name for column in query.selected_columns]
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    with driver.cursor() as cursor:
        copied = f"COPY ({statement}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')"
        with cursor.copy(copied.encode()) as copy:
            records, size = io.BytesIO(), 0
            for record in copy:
                size += records.write(record)
                if size >= _BYTES:
                    yield _parsed(records, columns)
                    records, size = io.BytesIO(), 0
    if size or not columns:
        yield _parsed(records, columns)


def _parsed(records: io.BytesIO, columns: Sequence[str]) -> pl.DataFrame:
    records.seek(0)
    table = pyarrow.csv.read_csv(
        records,
        read_options=pyarrow.csv.ReadOptions(column_names=list(columns), block_size=_BYTES * 4),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()), null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
    return pl.DataFrame(pl.from_arrow(table))


def _by_cursor(connection: sa.Connection, query: sa.Select[Any]) -> Iterator[pl.DataFrame]:
    columns = [column.name for column in query.selected_columns]
    for rows in connection.execute(query.execution_options(yield_per=ROWS)).partitions():
        values = zip(*rows, strict=True)
        yield pl.DataFrame(
            [pl.Series(name, [*map(as_text, column)], dtype=pl.String)
             for name, column in zip(columns, values, strict=True)]
        )  # fmt: skip


def as_text(value: Any) -> str | None:
    """A driver's value as exact text: numbers in full, times as ISO 8601, bytes in hexadecimal digits."""
    write = _TEXTS.get(type(value))
    return str(value) if write is None else write(value)


_TEXTS: Mapping[type, Callable[[Any], str | None]] = {
    type(None): lambda _: None,
    str: lambda value: value,
    bool: lambda value: "true" if value else "false",
    float: repr,
    decimal.Decimal: lambda value: format(value, "f"),
    dt.datetime: lambda value: value.isoformat(" "),
    bytes: lambda value: value.hex(),
    memoryview: lambda value: value.hex(),
}
