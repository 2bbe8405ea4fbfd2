"""Tables and views as a database describes them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.project.declared import declared_type


@dataclass(frozen=True)
class Relation:
    """A table or view. `name` is as `read` takes it (schema.table outside the default schema); its columns stand
    in order, with their types as the server names them; a view has no primary key. `declared`: the types as
    target.toml writes them, empty where that is in doubt or where the server holds no column to its type."""

    name: str
    columns: tuple[tuple[str, str], ...]
    primary_key: tuple[str, ...] = ()
    view: bool = False
    declared: tuple[str, ...] = ()


@contextmanager
def of_any_type() -> Iterator[None]:
    """Columns of types that SQLAlchemy does not know are no matter: they are read as the server writes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        yield


def relation_of(inspector: sa.Inspector, name: str, schema: str | None, *, view: bool) -> Relation:
    """A table or view of a schema (None: the default one)."""
    with of_any_type():
        found = inspector.get_columns(name, schema)
    columns = tuple((str(c["name"]), str(c["type"])) for c in found)
    types = (declared_type(c["type"]) for c in found)
    declared = tuple("" if doubt else kind for kind, doubt in types)
    key = () if view else tuple(inspector.get_pk_constraint(name, schema)["constrained_columns"])
    return Relation(f"{schema}.{name}" if schema else name, columns, key, view, declared)
