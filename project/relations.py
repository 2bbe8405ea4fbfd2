"""Tables and views as a database describes them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.visitors import replacement_traverse

from casebridge.project.declared import declared_in_source
from casebridge.project.servers.server import Server


@dataclass(frozen=True)
class Relation:
    """A table or view. `name` is as `read` takes it (schema.table outside the default schema); its columns stand
    in order, with their types as the server names them; a view has no primary key. `unique`: where there is none,
    the columns that the server holds unique together, of rows without nulls in them. `declared`: the types as
    target.toml writes them, empty where that is in doubt or where the server holds no column to its type."""

    name: str
    columns: tuple[tuple[str, str], ...]
    primary_key: tuple[str, ...] = ()
    view: bool = False
    declared: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()


@contextmanager
def of_any_type() -> Iterator[None]:
    """Columns of types that SQLAlchemy does not know are no matter: they are read as the server writes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        yield


def relation_of(inspector: sa.Inspector, name: str, schema: str | None, server: Server, *, view: bool) -> Relation:
    """A table or view of a schema (None: the default one)."""
    with of_any_type():
        found = server.described(inspector, name, schema)
    columns = tuple((column, str(kind)) for column, kind in found)
    declared = tuple(declared_in_source(kind) for _, kind in found)
    key = () if view else server.primary_key(inspector, name, schema)
    unique = () if view or key else _unique(inspector, name, schema)
    whole = f"{schema}.{name}" if schema else name
    return Relation(whole, columns, key, view, declared, tuple(tuple(map(server.called, one)) for one in unique))


def _unique(inspector: sa.Inspector, name: str, schema: str | None) -> Sequence[Sequence[str]]:
    found: list[Sequence[str | None]] = [
        index["column_names"] for index in inspector.get_indexes(name, schema) if _of_all_rows(index)
    ]
    with suppress(NotImplementedError):  # those servers list them among the indexes
        found += [constraint["column_names"] for constraint in inspector.get_unique_constraints(name, schema)]
    return [[str(part) for part in names] for names in found if None not in names]


def _of_all_rows(index: Mapping[str, Any]) -> bool:
    """Whether an index names every row, by columns alone."""
    return bool(index["unique"]) and not any(
        option.endswith("_where") for option in index.get("dialect_options", {})
    )


def columns_of(inspector: sa.Inspector, name: str, schema: str | None, server: Server) -> tuple[str, ...]:
    """The names of its columns alone."""
    with of_any_type():
        return tuple(column for column, _ in server.described(inspector, name, schema))


def spelt(column: str, there: Sequence[str]) -> str:
    """What a table with these columns calls one; one that it has not, or has twice but for capitals, is left."""
    alike = [other for other in there if other.casefold() == column.casefold()]
    return alike[0] if column not in there and len(alike) == 1 else column


def respelt(condition: sa.ColumnElement[bool], there: Sequence[str]) -> sa.ColumnElement[bool]:
    """A condition of `sa.column`s in the words of a table with these columns."""

    def called(element: object, **_: object) -> sa.ColumnClause[Any] | None:
        if not isinstance(element, sa.ColumnClause) or element.name in there:
            return None
        return sa.column(spelt(element.name, there), element.type)

    return replacement_traverse(condition, {}, called)
