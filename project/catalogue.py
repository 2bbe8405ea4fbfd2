"""What is there in a database: its schemas, its tables and views, and their columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import sqlalchemy as sa

from casebridge.project.database import shown
from casebridge.project.errors import SourceError, did_you_mean
from casebridge.project.relations import Relation, columns_of, relation_of
from casebridge.project.servers.asked import Asked
from casebridge.project.servers.server import Server
from casebridge.project.source_errors import told


class Catalogue:
    """What a database says of itself, asked for once each and kept. Every error is a SourceError."""

    def __init__(self, connection: sa.Connection, url: str, server: Server) -> None:
        self._connection, self._url, self._server = connection, url, server
        self._names: dict[str | None, dict[str, bool]] = {}
        self._columns: dict[tuple[str, str], tuple[str, ...]] = {}

    @contextmanager
    def _told(self, where: str = "") -> Iterator[None]:
        with told(self._url, where), self._server.apart(self._connection):
            yield

    def names(self, schema: str | None = None) -> dict[str, bool]:
        """The tables of a schema (None: the default one) in the order of their names, and whether each is a
        view."""
        if schema is None and self.default_schema is None:
            return {}  # a URL that names no database of MariaDB
        if schema not in self._names:
            with self._told():
                inspector = sa.inspect(self._connection)
                tables, views = self._server.more_names(inspector, schema)
                views |= set(inspector.get_view_names(schema))
                found = sorted({*inspector.get_table_names(schema), *tables, *views})
            self._names[schema] = {name: name in views for name in found}
        return self._names[schema]

    def parts(self) -> Mapping[str, str]:
        """The tables whose rows another table has too, and which."""
        with self._told():
            return self._server.parts(self._connection)

    @property
    def inherits(self) -> bool:
        """Whether a table of `parts` may have columns that the other one lacks."""
        return self._server.inherits

    def of_extensions(self) -> Mapping[str, str]:
        """The tables and views that the server's extensions brought, and which."""
        with self._told():
            return self._server.of_extensions(self._connection)

    @property
    def default_schema(self) -> str | None:
        """The schema in which names without one are looked for, where the server knows schemas."""
        return sa.inspect(self._connection).default_schema_name

    def schemas(self) -> list[str]:
        """The schemas beside the default one, without those of the server itself."""
        with self._told():
            found = self._server.schemas(self._connection)
        return [name for name in found if name != self.default_schema]

    def relations(self, schema: str | None = None) -> tuple[Relation, ...]:
        """The tables and views of a schema (None: the default one), by name."""
        return tuple(self.relation(name, schema) for name in self.names(schema))

    def relation(self, name: str, schema: str | None = None) -> Relation:
        """One of the `names` of a schema. SourceError where the server cannot tell its columns."""
        view = self.names(schema)[name]
        try:
            with self._told(f"{name}: "):
                made = relation_of(sa.inspect(self._connection), name, schema, self._server, view=view)
        except SourceError as error:
            if not view or error.lost:
                raise
            # MariaDB describes a view only to who may see how it is made; what it gives tells the same.
            whole = f"{schema}.{name}" if schema else name
            fields = self.asked(whole).fields
            return Relation(whole, tuple((each.name, each.type) for each in fields), view=True)
        return made if self._server.holds_types else replace(made, declared=())

    def asked(self, name: str = "", query: str = "") -> Asked:
        """A table or view as it can be read, or a query. Where no table is called exactly so, the only one that
        differs in capitals is meant. SourceError when there is none."""
        if query:
            with self._told("its query: "):
                asked = self._server.ask(self._connection, self._server.of_query(query))
        else:
            schema, table = self._found(name)
            with self._told(f"{name}: "):
                asked = self._server.ask(self._connection, self._server.origin(schema, table), (schema, table))
                asked = replace(asked, view=self.names(schema or None)[table])
        self._refuse_odd(asked, name or "its query")
        return asked

    def has(self, name: str) -> bool:
        """Whether `asked` would find a table or view of this name."""
        try:
            return bool(self._found(name))
        except SourceError as error:
            if error.__cause__ is not None:  # the server's own words
                raise
            return False

    def columns(self, name: str) -> tuple[str, ...]:
        """The columns of a table or view, from the server's catalogue: a login that may not read it knows them."""
        where = schema, table = self._found(name)
        if where not in self._columns:
            self._columns[where] = self._columns_of(table, schema or None)
        return self._columns[where]

    def _columns_of(self, table: str, schema: str | None) -> tuple[str, ...]:
        if self.names(schema)[table]:
            return tuple(name for name, _ in self.relation(table, schema).columns)
        with self._told(f"{table}: "):
            return columns_of(sa.inspect(self._connection), table, schema, self._server)

    def _found(self, name: str) -> tuple[str, str]:
        """Schema and table of a name: a table may have a dot in its own name."""
        tables = self.names()
        if name in tables:
            return "", name
        alike = [table for table in tables if table.casefold() == name.casefold()]
        if len(alike) == 1:
            return "", alike[0]
        schema, _, table = name.rpartition(".")
        schema = self._schema(schema)
        there = self.names(schema) if schema and not alike else {}
        alike = alike or [other for other in there if other.casefold() == table.casefold()]
        if table in there or len(alike) == 1:
            return schema, table if table in there else alike[0]
        hint = did_you_mean(table, there or tables) or "name it in `table` of its spec's [read], as schema.table"
        what = "has several of the name" if alike else "has no table or view"
        if not tables and not there:
            hint = "the default schema of this login is empty: name the table as schema.table, or look at the URL"
        raise SourceError(shown(self._url), f"{what} {name}", hint=hint)

    def _schema(self, schema: str) -> str:
        """A schema, spelt as the database spells it."""
        with self._told():
            known = sa.inspect(self._connection).get_schema_names() if schema else []
        alike = [name for name in known if name.casefold() == schema.casefold()]
        return alike[0] if schema not in known and len(alike) == 1 else schema

    def _refuse_odd(self, asked: Asked, name: str) -> None:
        names = asked.names
        twice = sorted({column for column in names if names.count(column) > 1})
        if twice:
            hint = "give each a name of its own, by AS"
            raise SourceError(shown(self._url), f"{name} has columns twice: {', '.join(twice)}", hint=hint)
        if not names:
            hint = "take its spec away, or have the table mended"
            raise SourceError(shown(self._url), f"{name} has no columns", hint=hint)
