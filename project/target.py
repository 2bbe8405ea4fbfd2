"""The target schema: frozen tables, as `targetfile` reads them, and from there into SQLAlchemy.

Transform casts to these types, load creates these tables and checks the fit against them, so the
three agree by construction.
"""

from __future__ import annotations

import graphlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
import sqlalchemy as sa


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
    "uuid": lambda _: pl.String(),
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
    "uuid": lambda _: sa.Uuid(as_uuid=False).with_variant(sa.String(36), "sqlite"),
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
    """One table of the target. A primary key of one column of whole numbers or of `uuid` is given out by us, once,
    for each legacy key, from `first_id` on and up to `last_id`, where one is named. A `natural_key` is what the
    specs say that it is: so is any other key, and any of several columns."""

    name: str
    primary_key: tuple[str, ...]
    columns: tuple[TargetColumn, ...]
    legacy_key: str | None = None
    own: bool = False
    comment: str = ""
    first_id: int = 1
    last_id: int | None = None
    natural_key: bool = False

    @property
    def id_column(self) -> str:
        """The one column of its primary key. A table that has more is none that anything refers to."""
        (column,) = self.primary_key
        return column

    @property
    def id_type(self) -> pl.DataType:
        """The Polars type of what names a row in other tables; text for a key of several columns."""
        return self.by_name[self.id_column].type.dtype if len(self.primary_key) == 1 else pl.String()

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
            links.append(sa.ForeignKey(f"{column.references}.{self.by_name[column.references].id_column}"))
        is_key = column.name in table.primary_key
        return sa.Column(
            column.name,
            column.type.sql,
            *links,
            primary_key=is_key,
            autoincrement=False,
            nullable=column.nullable and not is_key,
            comment=column.comment or None,
        )
