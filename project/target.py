"""The target schema: `target.toml` read once into frozen tables, and from there into SQLAlchemy.

Transform casts to these types, load creates these tables and checks the fit against them, so the
three agree by construction.
"""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import sqlalchemy as sa

from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.settings import texts_of
from casebridge.project.toml_file import TomlError, read_toml

_TYPE = re.compile(r"(?P<name>[a-z]+)(?:\((?P<first>\d+)(?:,\s*(?P<second>\d+))?\))?")


@dataclass(frozen=True)
class ColumnType:
    """A target column's type. `length` is in characters; `precision` and `scale` in decimal digits."""

    name: str
    length: int | None = None
    precision: int | None = None
    scale: int | None = None

    @property
    def dtype(self) -> pl.DataType:
        """The Polars type that carries this column between stages."""
        return POLARS_TYPES[self.name](self)

    @property
    def sql(self) -> sa.types.TypeEngine[Any]:
        """The SQLAlchemy type of the column in the target."""
        return SQL_TYPES[self.name](self)


POLARS_TYPES: Mapping[str, Callable[[ColumnType], pl.DataType]] = {
    "varchar": lambda _: pl.String(),
    "char": lambda _: pl.String(),
    "text": lambda _: pl.String(),
    "bigint": lambda _: pl.Int64(),
    "integer": lambda _: pl.Int64(),
    "numeric": lambda kind: pl.Decimal(kind.precision or 38, kind.scale or 0),
    "date": lambda _: pl.Date(),
    "timestamp": lambda _: pl.Datetime("us"),
    "boolean": lambda _: pl.Boolean(),
}

# SQLite would turn decimals into floating point: there they stand as exact text.
SQL_TYPES: Mapping[str, Callable[[ColumnType], sa.types.TypeEngine[Any]]] = {
    "varchar": lambda kind: sa.String(kind.length),
    "char": lambda kind: sa.String(kind.length),
    "text": lambda _: sa.Text(),
    "bigint": lambda _: sa.BigInteger(),
    "integer": lambda _: sa.Integer(),
    "numeric": lambda kind: sa.Numeric(kind.precision, kind.scale).with_variant(sa.String(), "sqlite"),
    "date": lambda _: sa.Date(),
    "timestamp": lambda _: sa.DateTime(),
    "boolean": lambda _: sa.Boolean(),
}


@dataclass(frozen=True)
class Marks:
    """How a column keeps marks of restriction: the values that mean restricted, the strictest first, and those
    that mean *not restricted*. No `values`: nobody declared any, and all is restricted that is not plainly open.
    `strictest` and `lowered` are what a raised and a lowered mark become."""

    column: str
    values: tuple[str, ...]
    not_restricted: tuple[str, ...]
    strictest: str
    lowered: str

    @property
    def odd(self) -> int:
        """The rank of a value that nobody declared: above all others."""
        return len(self.values) + 1


_PLAIN_NO = ("N", "NO", "F", "FALSE", "0", "")
_BY_NAME = "restricted"
"""The column that keeps marks where target.toml declares none."""


@dataclass(frozen=True)
class TargetColumn:
    """One column of the target; `references` names the table whose primary key it holds. `restriction` are the
    values that mean restricted, None where the column keeps no marks; `not_restricted` those that mean open."""

    name: str
    type: ColumnType
    nullable: bool = True
    unique: bool = False
    references: str | None = None
    comment: str = ""
    restriction: tuple[str, ...] | None = None
    not_restricted: tuple[str, ...] | None = None

    @property
    def marks(self) -> Marks:
        """How it keeps marks."""
        words = {"boolean": ("true", "false"), "bigint": ("1", "0"), "integer": ("1", "0"), "numeric": ("1", "0")}
        yes, no = words.get(self.type.name, ("Y", "N"))
        is_open = _PLAIN_NO if self.not_restricted is None else self.not_restricted
        values = self.restriction or ()
        strictest = values[0] if values else yes
        return Marks(self.name, values, is_open, strictest, self.not_restricted[0] if self.not_restricted else no)


@dataclass(frozen=True)
class TargetTable:
    """One table of the target. Its primary key is given out by us, once, for each legacy key, from `first_id` on
    and up to `last_id`, where one is named."""

    name: str
    primary_key: str
    columns: tuple[TargetColumn, ...]
    legacy_key: str | None = None
    own: bool = False
    comment: str = ""
    first_id: int = 1
    last_id: int | None = None

    @cached_property
    def by_name(self) -> Mapping[str, TargetColumn]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def references(self) -> tuple[TargetColumn, ...]:
        """The columns that hold another table's primary key."""
        return tuple(column for column in self.columns if column.references)


@dataclass(frozen=True)
class Target:
    """The whole target schema, tables in the file's order."""

    tables: tuple[TargetTable, ...]

    @cached_property
    def by_name(self) -> Mapping[str, TargetTable]:
        """The tables by name."""
        return {table.name: table for table in self.tables}

    @cached_property
    def declares_marks(self) -> bool:
        """Whether target.toml says which columns keep marks of restriction."""
        return any(column.restriction is not None for table in self.tables for column in table.columns)

    def marks(self, table: str) -> tuple[Marks, ...]:
        """The columns of a table that keep marks of restriction: the declared ones; where no column of the target
        is declared, one that is called `restricted`."""
        columns = self.by_name[table].columns
        if self.declares_marks:
            return tuple(column.marks for column in columns if column.restriction)
        return tuple(column.marks for column in columns if column.name == _BY_NAME)

    @cached_property
    def load_order(self) -> tuple[str, ...]:
        """Parents before children; otherwise the file's order. A table may point at itself."""
        sorter = graphlib.TopologicalSorter(
            {t.name: {c.references for c in t.references if c.references != t.name} for t in self.tables}
        )
        place = {table.name: number for number, table in enumerate(self.tables)}
        order: list[str] = []
        sorter.prepare()
        while sorter.is_active():
            ready = sorted(sorter.get_ready(), key=lambda name: place[name or ""])
            order.extend(name for name in ready if name)
            sorter.done(*ready)
        return tuple(order)

    def metadata(self, *, foreign_keys: bool = False) -> sa.MetaData:
        """SQLAlchemy tables for DDL. Foreign keys are left out unless asked for: they are built after
        the rows, because they halve the speed of a bulk load."""
        naming = {"fk": "fk_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
        metadata = sa.MetaData(naming_convention=naming)
        for table in self.tables:
            sa.Table(table.name, metadata, *(self._column(table, c, foreign_keys) for c in table.columns))
        return metadata

    def _column(self, table: TargetTable, column: TargetColumn, foreign_keys: bool) -> sa.Column[Any]:
        links: list[sa.ForeignKey] = []
        if foreign_keys and column.references:
            links.append(sa.ForeignKey(f"{column.references}.{self.by_name[column.references].primary_key}"))
        is_key = column.name == table.primary_key
        return sa.Column(
            column.name,
            column.type.sql,
            *links,
            primary_key=is_key,
            autoincrement=False,
            nullable=column.nullable and not is_key,
            comment=column.comment or None,
        )


def read_target(path: Path) -> Target:
    """The target schema of a `target.toml`; SpecError lists all that is wrong with it."""
    problems: list[Problem] = []
    try:
        raw = read_toml(path)
    except (FileNotFoundError, TomlError) as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise SpecError([Problem(path.name, "", what)]) from error
    tables = tuple(_table(path.name, name, body, problems) for name, body in raw.items())
    known = {table.name: table for table in tables}
    for table in tables:
        for column in table.references:
            if column.references not in known:
                hint = did_you_mean(str(column.references), known)
                where = f"{table.name}.columns.{column.name}.references"
                problems.append(Problem(path.name, where, f"no table `{column.references}`", hint))
    if not problems:
        try:
            _ = Target(tables).load_order
        except graphlib.CycleError as error:
            problems.append(Problem(path.name, "", f"tables refer to one another in a circle: {error.args[1]}"))
    if problems:
        raise SpecError(problems)
    return Target(tables)


_TABLE_KEYS = {"comment", "own", "primary_key", "legacy_key", "columns", "first_id", "last_id"}
_COLUMN_KEYS = {"type", "nullable", "unique", "references", "comment", "restriction", "not_restricted"}


def _table(file: str, name: str, body: Any, problems: list[Problem]) -> TargetTable:
    if not isinstance(body, dict):
        problems.append(Problem(file, name, "a table of the target is a TOML table with columns"))
        body = {}
    _unknown(file, name, body, _TABLE_KEYS, problems)
    raw_columns = body.get("columns", {})
    if not isinstance(raw_columns, dict) or not raw_columns:
        problems.append(Problem(file, f"{name}.columns", "must be a TOML table with a part for each column"))
        raw_columns = {}
    columns = tuple(_column(file, f"{name}.columns.{c}", c, spec, problems) for c, spec in raw_columns.items())
    names = {column.name for column in columns}
    key = _text(file, name, body, "primary_key", problems) or ""
    legacy = _text(file, name, body, "legacy_key", problems)
    for role, given in (("primary_key", key), ("legacy_key", legacy)):
        if given and given not in names:
            hint = did_you_mean(given, names)
            problems.append(Problem(file, f"{name}.{role}", f"no column `{given}`", hint))
    if not key:
        problems.append(Problem(file, name, "names no primary_key"))
    own = _flag(file, name, body, "own", False, problems)
    first, last = (_id(file, name, body, which, problems) for which in ("first_id", "last_id"))
    if first and last and last < first:
        problems.append(Problem(file, f"{name}.last_id", f"comes before first_id {first}"))
    return TargetTable(name, key, columns, legacy, own, str(body.get("comment", "")), first or 1, last)


def _id(file: str, where: str, body: dict[str, Any], key: str, problems: list[Problem]) -> int | None:
    value = body.get(key)
    if value is None or (type(value) is int and 0 < value < 2**63):
        return value
    problems.append(Problem(file, f"{where}.{key}", "must be a whole number above 0"))
    return None


def _column(file: str, where: str, name: str, body: Any, problems: list[Problem]) -> TargetColumn:
    if not isinstance(body, dict):
        problems.append(Problem(file, where, "a column is a TOML table with a type"))
        body = {}
    _unknown(file, where, body, _COLUMN_KEYS, problems)
    kind = _type(file, where, str(body.get("type", "")), problems)
    return TargetColumn(
        name=name,
        type=kind,
        nullable=_flag(file, where, body, "nullable", True, problems),
        unique=_flag(file, where, body, "unique", False, problems),
        references=_text(file, where, body, "references", problems),
        comment=str(body.get("comment", "")),
        restriction=_values(file, where, body, "restriction", kind, problems),
        not_restricted=_values(file, where, body, "not_restricted", kind, problems),
    )


def _values(
    file: str, where: str, body: dict[str, Any], key: str, kind: ColumnType, problems: list[Problem]
) -> tuple[str, ...] | None:
    """The values of a mark, each of which the column must be able to hold."""
    values = texts_of(file, where, body, key, problems)
    allowed = {"boolean": {"true", "false"}}.get(kind.name)
    for value in values or ():
        long = kind.length is not None and len(value) > kind.length
        if long or (allowed and value not in allowed) or kind.name in {"date", "timestamp"}:
            problems.append(Problem(file, f"{where}.{key}", f"`{value}` is no value of this column"))
    if key == "not_restricted" and values and set(values) & set(body.get("restriction") or ()):
        problems.append(Problem(file, f"{where}.{key}", "a value means restricted or not, never both"))
    return values


def _flag(file: str, where: str, body: dict[str, Any], key: str, default: bool, problems: list[Problem]) -> bool:
    value = body.get(key, default)
    if not isinstance(value, bool):
        problems.append(Problem(file, f"{where}.{key}", "must be true or false, without quotes"))
        return default
    return value


def _text(file: str, where: str, body: dict[str, Any], key: str, problems: list[Problem]) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        problems.append(Problem(file, f"{where}.{key}", "must be text"))
        return None
    return value


def _type(file: str, where: str, text: str, problems: list[Problem]) -> ColumnType:
    kind, what, hint = read_type(text)
    if what:
        problems.append(Problem(file, f"{where}.type", what, hint))
    return kind


def read_type(text: str) -> tuple[ColumnType, str, str]:
    """A column type as a file writes it; when it is none, plain text, what is wrong with it, and a hint."""
    match = _TYPE.fullmatch(text.strip().lower())
    if not match or match["name"] not in SQL_TYPES:
        return ColumnType("text"), f"unknown type `{text}`", did_you_mean(text.split("(")[0], SQL_TYPES)
    name, first, second = match["name"], match["first"], match["second"]
    if name == "varchar" and first is None:
        return ColumnType("text"), "a varchar needs its length", "write varchar(30), or text for any length"
    if name in {"varchar", "char"} and int(first or 1) > 0:
        return ColumnType(name, length=int(first or 1)), "", ""
    if name == "numeric" and first is None:
        hint = "write numeric(10,2): how many digits in all, and how many of them behind the point"
        return ColumnType("text"), "a numeric needs its size", hint
    if name == "numeric" and int(second or 0) <= int(first or 38) <= 38 and int(first or 38) > 0:
        return ColumnType(name, precision=int(first or 38), scale=int(second or 0)), "", ""
    if first is not None:
        hint = "varchar(30), char(1) and numeric(10,2) have sizes, 1 to 38 digits; other types have none"
        return ColumnType("text"), f"`{text}` has an impossible size", hint
    return ColumnType(name), "", ""


def _unknown(file: str, where: str, body: dict[str, Any], known: set[str], problems: list[Problem]) -> None:
    for key in sorted(body.keys() - known):
        problems.append(Problem(file, f"{where}.{key}", "unknown key", did_you_mean(key, known)))
