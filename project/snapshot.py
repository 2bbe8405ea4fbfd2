"""A database as it stands at one moment: the rows of its tables and views as exact text.

It is only read, in one transaction. PostgreSQL: REPEATABLE READ READ ONLY, rows by COPY. SQLite: one read
transaction. What else is known of each kind of server stands in `servers/`; a kind that has no file there is
refused. Read what you need and close it: a snapshot that stays open keeps a server from tidying up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from casebridge.project.catalogue import Catalogue
from casebridge.project.database import DRIVER_ERRORS, open_database, refusal, shown
from casebridge.project.errors import SourceError
from casebridge.project.relations import respelt, spelt
from casebridge.project.servers.asked import Arrived, Asked, Rows, Totals, decoded
from casebridge.project.servers.mariadb import MariaDB
from casebridge.project.servers.oracle import Oracle
from casebridge.project.servers.postgres import PostgreSQL
from casebridge.project.servers.server import Server
from casebridge.project.servers.sqlite import SQLite, live_sqlite
from casebridge.project.servers.sqlserver import SQLServer
from casebridge.project.source_errors import told

SERVERS: Mapping[str, Server] = {
    "postgresql": PostgreSQL(), "sqlite": SQLite(), "mariadb": MariaDB(), "mysql": MariaDB(), "oracle": Oracle(),
    "mssql": SQLServer(),
}  # fmt: skip
"""By the name of SQLAlchemy's dialect. A new kind is a class and an entry here."""
_NAMED = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


class Snapshot(Catalogue):
    """One moment of a database: what is there, and its rows. Made by `open_snapshot`; every error is a SourceError
    without any value."""

    def __init__(self, connection: sa.Connection, url: str, mark: Mapping[str, str]) -> None:
        super().__init__(connection, url, SERVERS[connection.dialect.name])
        self.mark = mark
        """What tells this moment from later ones; empty where nothing does."""

    @property
    def texts_sort(self) -> bool:
        """Whether the server keeps days and times as texts, so that a condition compares texts (SQLite)."""
        return self._connection.dialect.name == "sqlite"

    def refused(self, error: SourceError) -> str:
        """Why the server refused something; empty where it is no longer there to ask."""
        found = refusal(self._url, error.__cause__) if isinstance(error.__cause__, DRIVER_ERRORS) else None
        return "" if found is None or found.retryable else found.reason

    def rows(self, asked: Asked, arrived: Arrived | None = None) -> Iterator[Rows]:
        """All rows in the order in which they lie there; `arrived` is told of each batch."""
        with self._told(f"{asked.table[1]}: " if asked.table else ""):
            for frame in self._server.texts(self._connection, asked):
                if arrived is not None:
                    arrived.take(frame)
                yield self._server.finished(decoded(frame), asked)

    def rows_of(self, asked: Asked) -> int:
        """How many rows there are."""
        with self._told(f"{asked.table[1]}: " if asked.table else ""):
            return self._server.count(self._connection, asked)

    def about(self, asked: Asked) -> int:
        """How many rows a table has, about: to show how far one is."""
        with self._told(f"{asked.table[1]}: " if asked.table else ""):
            return self._server.about(self._connection, asked)

    def totals(self, asked: Asked) -> Totals:
        """Rows and control totals, by the database itself."""
        with self._told(f"{asked.table[1]}: " if asked.table else ""):
            rows, *found = self._server.totals(self._connection, asked)
        pairs = zip(asked.fields, found[::2], found[1::2], strict=True)
        columns = tuple((f.name, int(n), _number(total) if f.measure else None) for f, n, total in pairs)
        return Totals(int(rows), columns)

    def unchanged(self, asked: Asked, mark: Mapping[str, str]) -> int | None:
        """How many rows a table has, where it is proved that it is what it was at the moment of `mark`; else
        None."""
        if not mark or not self.mark:
            return None
        with self._told():
            return self._server.unchanged(self._connection, asked, mark)

    def outside(self, asked: Asked) -> str:
        """Why this moment does not hold for a table; empty where it does."""
        with self._told():
            return self._server.outside(self._connection, asked)

    def mixed(self, asked: Asked) -> str:
        """Which columns of a table hold bytes though their type is another; empty where none does."""
        with self._told(f"{asked.table[1]}: " if asked.table else ""):
            return self._server.mixed(self._connection, asked)

    @contextmanager
    def beside(self) -> Iterator[Snapshot]:
        """The same moment by a connection of its own, so that two things can be asked at once; this one where the
        server cannot share a moment."""
        if not self._server.shared:
            yield self
            return
        with told(self._url):
            exported = self._server.export(self._connection)
        with _opened(self._url, exported) as other:
            yield other

    @property
    def parallel(self) -> bool:
        """Whether `beside` is another connection."""
        return self._server.shared

    def read(
        self, name: str, columns: Sequence[str], where: sa.ColumnElement[bool] | None = None
    ) -> Iterator[pl.DataFrame]:
        """Rows of a table or view, in no order, in batches of about ROWS: these columns, all as text.

        Null stays null and an empty text empty. Numbers are written in full, times as ISO 8601 with a blank, in
        UTC where the server knows the zone; bytes in hexadecimal digits. where: a condition of `sa.column`s. A
        column that differs in capitals alone is meant, and comes under the name that was asked for.
        """
        wanted: list[sa.ColumnElement[Any]] = []
        for column in columns:
            called = spelt(column, self.columns(name))
            wanted.append(sa.column(column) if called == column else sa.column(called).label(column))
        yield from self.select(self._asking(name, wanted, where))

    def select(self, query: sa.Select[Any]) -> Iterator[pl.DataFrame]:
        """The rows of a query, as `read` gives them. SourceError for text that is none in its encoding."""
        dialect = _NAMED if self._connection.dialect.name == "postgresql" else self._connection.dialect
        text = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        for rows in self.rows(self.asked(query=text)):
            if rows.bad:
                hint = "the encoding that the database declares is not that of its rows: have them mended there"
                raise SourceError(shown(self._url), "sent rows that cannot be read", hint=hint)
            yield rows.good

    def keys_sum(self, name: str, key: str, where: sa.ColumnElement[bool] | None = None) -> tuple[int, int] | None:
        """How many rows a table has, and the sum of the server's own digests (32 bits) of a column's texts; None
        where the server makes none. Two tables that agree in both have the same keys, but for a rare chance."""
        if not self._server.key_digest:
            return None
        digest = sa.Function[int](
            self._server.key_digest, sa.cast(sa.column(spelt(key, self.columns(name))), sa.Text)
        )
        total = sa.func.coalesce(sa.func.sum(sa.cast(digest, sa.BigInteger)), 0)
        wanted: list[sa.ColumnElement[Any]] = [sa.func.count().label("rows"), total.label("total")]
        (row,) = pl.concat(self.select(self._asking(name, wanted, where))).iter_rows()
        return int(row[0]), int(row[1])

    def _asking(
        self, name: str, wanted: Sequence[sa.ColumnElement[Any]], where: sa.ColumnElement[bool] | None
    ) -> sa.Select[Any]:
        schema, table = self._found(name)
        query = sa.select(*wanted).select_from(sa.table(table, schema=schema or None))
        return query if where is None else query.where(respelt(where, self.columns(name)))

    def count(self, name: str) -> int:
        """How many rows a table or view has."""
        return self.rows_of(self.asked(name))


def _number(total: Any) -> str:
    return "0" if total is None else str(total)


@contextmanager
def open_snapshot(url: str) -> Iterator[Snapshot]:
    """The database of a URL as it stands now. SourceError where it cannot be reached or read."""
    with _opened(url, "") as snapshot:
        yield snapshot


@contextmanager
def _opened(url: str, exported: str) -> Iterator[Snapshot]:
    with told(url):
        engine = _engine(url)
    server = SERVERS[engine.dialect.name]
    try:
        with told(url):
            connection = engine.connect()
        try:
            with told(url):
                if exported:
                    server.take(connection, exported)
                for statement in server.begin:
                    connection.exec_driver_sql(statement)
                before = server.mark(connection)
                connection.exec_driver_sql(server.first)
                mark = server.mark(connection)
            # A file that was written to between the two is not known by its mark.
            yield Snapshot(connection, url, mark if mark == before else {})
        finally:
            _let_go(connection)
    finally:
        engine.dispose()


def _let_go(connection: sa.Connection) -> None:
    """Whether the server still answers or not: what went wrong before is what is told."""
    with suppress(*DRIVER_ERRORS):
        connection.close()


def _engine(url: str) -> sa.Engine:
    engine = open_database(url, reading=True)
    if engine.dialect.name not in SERVERS:
        hint = f"known: {', '.join(sorted(SERVERS))}"
        raise SourceError(shown(url), f"{engine.dialect.name} is no kind of database that can be read", hint=hint)
    if engine.dialect.name == "sqlite":
        path = Path(engine.url.database or "")
        if not path.is_file():
            raise SourceError(shown(url), "no such file", hint="look at the URL: sqlite:///PATH")
        return live_sqlite(engine, path)
    level = SERVERS[engine.dialect.name].level
    return engine.execution_options(isolation_level=level) if level else engine
