"""What every kind of server has in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from casebridge.project.servers.asked import Asked, Field, Rows

ROWS = 100_000
"""Rows in one batch of a driver that counts rows, about."""
_COUNTED_AT_ONCE = 400
"""Columns whose totals are asked for at once, two numbers each: Oracle gives 1,000 numbers, PostgreSQL 1,664."""


class Server:
    """One kind of database server: how a moment of it is held, and how rows come out as exact text.

    Whatever is said to it goes past SQLAlchemy, to the driver's own cursor: a `%` or `:x` in a name is a letter
    there."""

    level: str | None = None
    """The isolation level in which one moment is seen."""
    begin: tuple[str, ...] = ()
    """What is said first, in this order."""
    first = "SELECT 1"
    """What begins the moment."""
    shared = False
    """Whether several connections can see the same moment."""
    inherits = False
    """Whether a table whose rows another one has, too, may have columns that this one lacks."""
    key_digest = ""
    """A function of the server that makes a whole number of a text; empty where it has none."""

    @contextmanager
    def apart(self, connection: sa.Connection) -> Iterator[None]:  # noqa: ARG002
        """One question: where it fails, the next one is answered all the same."""
        yield

    def quoted(self, name: str) -> str:
        """A name as SQL."""
        return '"' + name.replace('"', '""') + '"'

    def called(self, name: str) -> str:
        """A column's name, given what SQLAlchemy has read of it."""
        return name

    def described(
        self, inspector: sa.Inspector, table: str, schema: str | None
    ) -> Sequence[tuple[str, TypeEngine[Any]]]:
        """The columns of a table or view, in order, with their types."""
        found = inspector.get_columns(table, schema)
        return [(self.called(str(column["name"])), column["type"]) for column in found]

    def primary_key(self, inspector: sa.Inspector, table: str, schema: str | None) -> tuple[str, ...]:
        """The columns of its primary key, in order."""
        return tuple(map(self.called, inspector.get_pk_constraint(table, schema)["constrained_columns"]))

    def origin(self, schema: str, table: str) -> str:
        """A table as it stands behind FROM."""
        return f"{self.quoted(schema)}.{self.quoted(table)}" if schema else self.quoted(table)

    holds_types = True
    """Whether a column holds values of its declared type only."""
    own_schemas: frozenset[str] = frozenset({"information_schema"})
    """Schemas of the server itself, in small letters."""

    def schemas(self, connection: sa.Connection) -> list[str]:
        """The schemas of people's tables."""
        names = sa.inspect(connection).get_schema_names()
        return sorted(name for name in names if not self.is_own(name.casefold()))

    def is_own(self, schema: str) -> bool:
        """Whether a schema is the server's own."""
        return schema in self.own_schemas

    def more_names(self, inspector: sa.Inspector, schema: str | None) -> tuple[set[str], set[str]]:  # noqa: ARG002
        """Tables and views of kinds that only this server has."""
        return set(), set()

    def of_query(self, query: str) -> str:
        """A query as it stands behind FROM: only what gives rows can."""
        return f"(\n{query.strip().rstrip(';')}\n) {self.quoted('asked')}"

    def finished(self, rows: Rows, asked: Asked) -> Rows:  # noqa: ARG002
        """What arrived and was counted, as it is passed on."""
        return rows

    def probe(self, origin: str) -> str:
        """SQL that gives the columns of this and no row."""
        return f"SELECT * FROM {origin} WHERE 1 = 0"  # noqa: S608

    def ask(self, connection: sa.Connection, origin: str, table: tuple[str, str] | None = None) -> Asked:
        """The columns of what stands behind FROM."""
        with cursor_of(connection) as cursor:
            cursor.execute(self.probe(origin))
            described = list(cursor.description or ())
        return Asked(origin, self.fields(connection, described), table)

    def fields(self, connection: sa.Connection, described: Sequence[Any]) -> tuple[Field, ...]:
        """The columns that a driver has described."""
        raise NotImplementedError

    def texts(self, connection: sa.Connection, asked: Asked) -> Iterator[pl.DataFrame]:
        """All rows, as bytes that should be UTF-8; as texts where they are known to be, without a NUL."""
        raise NotImplementedError

    def totals(self, connection: sa.Connection, asked: Asked) -> tuple[Any, ...]:
        """One row: how many rows, then for each column how many values and its total."""
        rows, found = None, []
        with cursor_of(connection) as cursor:
            for some in asked.some_columns(_COUNTED_AT_ONCE):
                cursor.execute(some.totals(self.quoted))
                rows, *totals = cursor.fetchone()
                found += totals
        return (rows, *found)

    def count(self, connection: sa.Connection, asked: Asked) -> int:
        """How many rows there are."""
        with cursor_of(connection) as cursor:
            cursor.execute(f"SELECT count(*) FROM {asked.origin}")  # noqa: S608
            return int(cursor.fetchone()[0])

    def about(self, connection: sa.Connection, asked: Asked) -> int:
        """The same as far as it can be had quickly: to show how far one is."""
        return self.count(connection, asked)

    def parts(self, connection: sa.Connection) -> Mapping[str, str]:  # noqa: ARG002
        """The tables whose rows another table has too, and which: partitions. Outside the default schema a name is
        schema.table."""
        return {}

    def of_extensions(self, connection: sa.Connection) -> Mapping[str, str]:  # noqa: ARG002
        """The tables and views that the server's extensions brought, and which: nobody's records. Names are as in
        `parts`."""
        return {}

    def outside(self, connection: sa.Connection, asked: Asked) -> str:  # noqa: ARG002
        """Why a moment does not hold for a table; empty where it does."""
        return ""

    def mixed(self, connection: sa.Connection, asked: Asked) -> str:  # noqa: ARG002
        """Which columns hold bytes though their type is another; empty where none does, or none can."""
        return ""

    def export(self, connection: sa.Connection) -> str:
        """What another connection has to `take` to see the same moment."""
        raise NotImplementedError

    def take(self, connection: sa.Connection, exported: str) -> None:
        """See the moment that another connection holds."""
        raise NotImplementedError

    def mark(self, connection: sa.Connection) -> Mapping[str, str]:  # noqa: ARG002
        """What tells this moment from later ones; empty where nothing does."""
        return {}

    def unchanged(
        self,
        connection: sa.Connection,  # noqa: ARG002
        asked: Asked,  # noqa: ARG002
        mark: Mapping[str, str],  # noqa: ARG002
    ) -> int | None:
        """How many rows a table has now, when none of them was written since that moment; None where that cannot
        be proved."""
        return None


@contextmanager
def driver_of(connection: sa.Connection) -> Iterator[Any]:
    """The driver's own connection. What it raises is told by SQLAlchemy's name."""
    driver = connection.connection.driver_connection
    assert driver is not None
    kinds = connection.dialect.loaded_dbapi.Error
    try:
        yield driver
    except kinds as error:
        lost = connection.dialect.is_disconnect(error, driver, None)
        raise DBAPIError(None, None, error, hide_parameters=True, connection_invalidated=lost) from error


@contextmanager
def cursor_of(connection: sa.Connection) -> Iterator[Any]:
    """A cursor of the driver, in the same way."""
    with driver_of(connection) as driver, closing(driver.cursor()) as cursor:
        yield cursor
