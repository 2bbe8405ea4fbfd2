"""The target that a real database has: its tables, their keys, and what of them cannot be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from casebridge.migrate.drafting.circles import ancestors
from casebridge.project.database import DRIVER_ERRORS, open_database, refusal
from casebridge.project.declared import declared_type, is_filled_by_itself
from casebridge.project.relations import of_any_type
from casebridge.project.schema import SIDE_TABLES
from casebridge.project.targetfile import NUMBERED


@dataclass(frozen=True)
class RealColumn:
    """A column of the target: its type as target.toml writes it, and a doubt about that (empty for none)."""

    name: str
    type: str
    nullable: bool
    filled: bool
    references: str
    doubt: str = ""


@dataclass(frozen=True)
class RealTable:
    """A table of the target. Its primary key is one whole number or uuid, which casebridge gives out, or else what
    the specs say (`natural`). `has_rows`: it is not empty."""

    name: str
    primary_key: tuple[str, ...]
    columns: tuple[RealColumn, ...]
    has_rows: bool = False

    @property
    def natural(self) -> bool:
        """Whether the specs fill the key: it is text, has several columns, or is that of another table."""
        first = next(column for column in self.columns if column.name == self.primary_key[0])
        return len(self.primary_key) > 1 or first.type not in NUMBERED or bool(first.references)

    @property
    def open_columns(self) -> dict[str, RealColumn]:
        """The columns that a spec may fill."""
        given = () if self.natural else self.primary_key
        return {column.name: column for column in self.columns if column.name not in given}


@dataclass(frozen=True)
class RealTarget:
    """The tables of a database, and those that are left out, each with the reason. `unusable`: the names of those
    into which nothing can be loaded."""

    tables: tuple[RealTable, ...]
    left_out: tuple[str, ...]
    unusable: tuple[str, ...] = ()


def reflect(url: str) -> RealTarget:
    """The tables of a database in its default schema. TargetError when it cannot be read. Nothing is written."""
    engine = open_database(url, reading=True)
    try:
        with engine.connect() as connection, of_any_type():
            inspector = sa.inspect(connection)
            names = [name for name in inspector.get_table_names() if name.casefold() not in SIDE_TABLES]
            keys = {name: inspector.get_pk_constraint(name)["constrained_columns"] for name in names}
            columns = {name: inspector.get_columns(name) for name in names}
            links = {name: inspector.get_foreign_keys(name) for name in names}
            one = {name: sa.select(sa.literal(1)).select_from(sa.table(name)).limit(1) for name in names}
            held = {name for name, query in one.items() if connection.execute(query).first()}
    except DRIVER_ERRORS as error:
        raise refusal(url, error) from error
    finally:
        engine.dispose()
    unlike = {name: why for name in names if (why := _unusable(keys[name], columns[name]))}
    usable = {name: keys[name] for name in names if name not in unlike}
    made = [RealTable(name, tuple(key), tuple(_columns(columns[name], links[name], usable)), name in held)
            for name, key in usable.items()]  # fmt: skip
    left = tuple(f"{name}: {why}" for name, why in unlike.items())
    return RealTarget(tuple(_without_circles(made)), left, tuple(unlike))


def _unusable(key: Sequence[str], columns: Sequence[Any]) -> str:
    """Why nothing can be loaded into a table by its key; empty where it can."""
    if not key:
        return "it has no primary key"
    if made := [column["name"] for column in columns if column["name"] in key and column.get("computed")]:
        return f"its primary key holds {', '.join(made)}, which the database works out"
    strange = [column["name"] for column in columns if column["name"] in key and declared_type(column["type"])[1]]
    return (
        f"its primary key holds {', '.join(strange)}, of a type that target.toml does not have" if strange else ""
    )


def _columns(
    columns: Sequence[Any], links: Sequence[Any], usable: Mapping[str, Sequence[str]]
) -> Iterator[RealColumn]:
    refers = {link["constrained_columns"][0]: str(link["referred_table"]) for link in links
              if not link.get("referred_schema") and len(link["constrained_columns"]) == 1
              and list(usable.get(link["referred_table"], ())) == link["referred_columns"]}  # fmt: skip
    for column in columns:
        kind, doubt = declared_type(column["type"])
        to = refers.get(column["name"], "")
        if column.get("computed"):
            continue  # nothing else may fill it
        yield RealColumn(
            str(column["name"]), kind, bool(column["nullable"]), is_filled_by_itself(column), to, doubt
        )


def _without_circles(tables: Sequence[RealTable]) -> Iterator[RealTable]:
    """References that a load can keep in order: one that would close a circle becomes a plain column."""
    parents: dict[str, set[str]] = {}
    for table in tables:
        columns = [_kept_open(parents, table.name, column) for column in table.columns]
        yield replace(table, columns=tuple(columns))


def _kept_open(parents: dict[str, set[str]], table: str, column: RealColumn) -> RealColumn:
    to = column.references
    if not to or to == table:
        return column
    if table in ancestors(parents, to):
        return replace(column, references="", doubt=f"a key of {to}, left out: the tables form a circle")
    parents.setdefault(table, set()).add(to)
    return column
