"""The rows of the live register that a merge blocker looks at, each with the record that it leads to."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa
from polars.exceptions import PolarsError

from casebridge.dedupe.review.merge_rules import FILE, Blocker, Check, Feed
from casebridge.dedupe.review.preflight_checks import ID, SYSTEM
from casebridge.dedupe.scan.config import LiveTable
from casebridge.project.errors import Problem, SpecError
from casebridge.project.in_lists import among
from casebridge.project.snapshot import Snapshot
from casebridge.project.target import Target, TargetColumn

MANY = 5000
"""Rows of so many records are asked for by their keys; of more, all rows are read and those of others let go."""
_RECORD = "casebridge_record"


@dataclass(frozen=True)
class LiveFacts:
    """Asks one snapshot. target: what is known of its tables; register: the table of its people; system: what
    stands before a key."""

    snapshot: Snapshot
    target: Target
    register: LiveTable
    system: str

    def lacks(self, blocker: Blocker) -> list[str]:
        """The tables that a blocker looks at and that are not there."""
        there = {name.casefold() for name in self.snapshot.names(self._schema)}
        asked = dict.fromkeys(table for feed in blocker.feeds for table in self._tables(feed))
        return [table for table in asked if table.casefold() not in there]

    def of(self, blocker: Blocker, members: pl.DataFrame) -> list[pl.DataFrame]:
        """For each feed its rows of these records: the id, the system, and the columns that the check asks for.
        SourceError where the register has them not, or does not let this login read them; SpecError where the
        condition fails on a value."""
        if blocker.check is Check.BETWEEN:
            one, other = blocker.feeds
            return [self._rows(one, blocker, members, [other.path[0]])]
        wanted = [name for name in (blocker.since, blocker.until, blocker.column) if name]
        return [self._rows(feed, blocker, members, wanted) for feed in blocker.feeds]

    @property
    def _schema(self) -> str | None:
        return self.register.name.rpartition(".")[0] or None

    def _tables(self, feed: Feed) -> list[str]:
        """The tables on the way from a feed to the person."""
        found = [feed.table]
        for column in feed.path[:-1]:
            found.append(str(self.target.by_name[found[-1]].by_name[column].references))
        return found

    def _rows(self, feed: Feed, blocker: Blocker, members: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
        where = pl.sql_expr(blocker.where) if blocker.where else None
        named = list(dict.fromkeys([*wanted, *(where.meta.root_names() if where is not None else ())]))
        columns = [self.target.by_name[feed.table].by_name[name] for name in named]
        schema = {ID: pl.String(), SYSTEM: pl.String(),
                  **{one.name: _kind(one) for one in columns if one.name in wanted}}  # fmt: skip
        found = [pl.DataFrame(schema=schema)]
        keys = [item.partition(":")[2] for item in members.get_column(ID)]
        for batch in self.snapshot.select(self._query(feed, named, keys if len(keys) <= MANY else None)):
            rows = batch.with_columns(_typed(one) for one in columns)
            mark = pl.lit(f"{self.system}:") + pl.col(_RECORD)
            rows = _filtered(rows, where, blocker).with_columns(mark.alias(ID), pl.lit(self.system).alias(SYSTEM))
            found.append(rows.join(members, on=ID, how="semi").select(*schema))
        return pl.concat(found)

    def _query(self, feed: Feed, named: Sequence[str], keys: Collection[str] | None) -> sa.Select[Any]:
        tables = [sa.table(name, schema=self._schema).alias(f"t{at}")
                  for at, name in enumerate(self._tables(feed))]  # fmt: skip
        joined: sa.FromClause = tables[0]
        for at, column in enumerate(feed.path[:-1]):
            key = self.target.by_name[self._tables(feed)[at + 1]].id_column
            joined = joined.join(tables[at + 1], _of(tables[at], column) == _of(tables[at + 1], key))
        record = _of(tables[-1], feed.path[-1] if feed.path else self.register.key)
        wanted: list[sa.ColumnElement[Any]] = [
            record.label(_RECORD),
            *(_of(tables[0], name).label(name) for name in named),
        ]
        query = sa.select(*wanted).select_from(joined).where(record.is_not(None))
        return query if keys is None else query.where(self._among(record, keys))

    def _among(self, record: sa.ColumnElement[Any], keys: Collection[str]) -> sa.ColumnElement[bool]:
        """Whole numbers are compared as such, so that the server's index helps."""
        name = self.register.name.rpartition(".")[2]
        if self.target.by_name[name].id_type == pl.Int64() and all(key.isdecimal() for key in keys):
            return among(sa.type_coerce(record, sa.BigInteger()), [int(key) for key in keys])
        return among(sa.cast(record, sa.String), list(keys))


def _of(table: sa.FromClause, name: str) -> sa.ColumnElement[Any]:
    column: sa.ColumnClause[Any] = sa.column(name, _selectable=table)
    return column


def _filtered(rows: pl.DataFrame, where: pl.Expr | None, blocker: Blocker) -> pl.DataFrame:
    try:
        return rows if where is None else rows.filter(where)
    except PolarsError:
        what, hint = "fails on a value that it cannot work with", "where it casts, use TRY_CAST"
        raise SpecError([Problem(FILE, f"blockers.{blocker.name}.where", what, hint)]) from None


def _kind(column: TargetColumn) -> pl.DataType:
    return pl.String() if column.references else column.type.dtype


def _typed(column: TargetColumn) -> pl.Expr:
    """A column that came as text, as its table has it; what is no such value is none."""
    text, kind = pl.col(column.name), _kind(column)
    if isinstance(kind, pl.Date | pl.Datetime):
        moment = text.str.head(19).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
        day = text.str.head(10).str.to_date("%Y-%m-%d", strict=False)
        return pl.coalesce(moment, day.cast(pl.Datetime("us"))).cast(kind).alias(column.name)
    if isinstance(kind, pl.Boolean):
        return text.str.to_lowercase().is_in(["true", "t", "1"]).alias(column.name)
    return text.cast(kind, strict=False)
