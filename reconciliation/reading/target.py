"""What the target really holds, read back from it in chunks, as text and then in its types.

Each column is asked for as text and turned into its declared type here. Text that is no value of that
type (SQLite takes anything) is marked, not read as an empty value: the two must never look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import polars as pl
import sqlalchemy as sa

from casebridge.project.prefetch import prefetch
from casebridge.project.relations import of_any_type
from casebridge.project.servers.copied import copied, taken_apart
from casebridge.project.servers.server import driver_of
from casebridge.project.target import ColumnType, TargetTable

JUNK = "_junk"
CHUNK_ROWS = 100_000
_FEW = 200
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


@dataclass(frozen=True)
class Held:
    """One target table as the database has it: `columns` of ours that are there, and those that are not. Of a
    `padded` one (CHAR) the blanks at its end mean nothing; `moments` are dates of ours that it keeps with a time.
    """

    table: TargetTable
    there: bool
    columns: tuple[str, ...]
    lacking: tuple[str, ...]
    padded: frozenset[str] = frozenset()
    moments: frozenset[str] = frozenset()

    @property
    def query(self) -> str:
        """The statement that reads this table back."""
        return f"SELECT {', '.join(self.columns)} FROM {self.table.name}"  # noqa: S608 - names of the spec


def look(connection: sa.Connection, tables: Sequence[TargetTable]) -> dict[str, Held]:
    """Which of our tables and columns the target has."""
    inspector = sa.inspect(connection)
    names = set(inspector.get_table_names())
    held = {}
    for table in tables:
        there = table.name in names
        with of_any_type():
            found = {str(c["name"]): c["type"] for c in inspector.get_columns(table.name)} if there else {}
        columns = tuple(c.name for c in table.columns if c.name in found)
        lacking = tuple(c.name for c in table.columns if c.name not in found)
        padded = frozenset(name for name, kind in found.items() if isinstance(kind, sa.CHAR | sa.NCHAR))
        dates = [c.name for c in table.columns if c.type.name == "date"]
        moments = frozenset(name for name in dates if isinstance(found.get(name), sa.DateTime))
        is_there = there and found.keys() >= {*table.primary_key}
        held[table.name] = Held(table, is_there, columns, lacking, padded, moments)
    return held


def snapshot(engine: sa.Engine) -> sa.Connection:
    """A connection that sees one state of the target from beginning to end, and may change nothing."""
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return engine.connect().execution_options(**options)
    return engine.connect()


def read_back(connection: sa.Connection, held: Held) -> Iterator[pl.DataFrame]:
    """All rows of one table in their types, in chunks, in no order."""
    if not held.there:
        return
    texts = _READERS.get(connection.dialect.name, _by_cursor)
    for chunk in texts(connection, _select(connection, held), held.columns):
        yield typed(_plain(chunk, held), held)


def read_rows(connection: sa.Connection, held: Held, keys: pl.DataFrame) -> pl.DataFrame:
    """A few rows by primary key (a frame of its columns), as text: the closer look at rows that differ."""
    found = [_frame([], held.columns)]
    for piece in keys.iter_slices(_FEW):
        query = _select(connection, held).where(
            sa.or_(*(_named(held, row) for row in piece.iter_rows(named=True)))
        )
        found += _by_cursor(connection, query, held.columns)
    return _plain(pl.concat(found), held)


def _named(held: Held, key: Mapping[str, Any]) -> sa.ColumnElement[bool]:
    """The row with this key."""
    kinds = {name: held.table.by_name[name].type.sql for name in key}
    # SQLite keeps exact numbers as texts; other databases take their text as well.
    texts = {name: str(value) if isinstance(value, Decimal) else value for name, value in key.items()}
    return sa.and_(*(sa.column(name, kinds[name]) == value for name, value in texts.items()))


def unpadded(frame: pl.DataFrame, held: Held) -> pl.DataFrame:
    """The padded columns without the blanks at their ends, be it as they were loaded or as they are there."""
    names = [name for name in held.columns if name in held.padded]
    return frame.with_columns(pl.col(name).str.strip_chars_end(" ") for name in names)


def _plain(texts: pl.DataFrame, held: Held) -> pl.DataFrame:
    midnight = r" 00:00:00(\.0+)?$"
    dates = (pl.col(name).str.replace(midnight, "") for name in held.columns if name in held.moments)
    return unpadded(texts.with_columns(dates), held)


def typed(chunk: pl.DataFrame, held: Held) -> pl.DataFrame:
    """Text to the declared types; `_junk` where a text is no value of its type."""
    junk = junk_of(held)
    values = [_value(pl.col(name), held.table.by_name[name].type).alias(name) for name in held.columns]
    return chunk.select(*values, (pl.any_horizontal(*junk) if junk else pl.lit(False)).alias(JUNK))


def junk_of(held: Held) -> list[pl.Expr]:
    """For each column that is more than text, under its own name: whether the text is no such value."""
    return [
        _junk(pl.col(column.name), column.type).alias(column.name)
        for column in held.table.columns
        if column.name in held.columns and column.type.name in _FROM_TEXT
    ]


def _value(text: pl.Expr, kind: ColumnType) -> pl.Expr:
    read = _FROM_TEXT.get(kind.name)
    return read(text, kind) if read else text


def _junk(text: pl.Expr, kind: ColumnType) -> pl.Expr:
    unreadable = text.is_not_null() & _value(text, kind).is_null()
    if kind.name == "numeric":  # what a cast would round away, or read generously, is no exact amount
        form = rf"^-?[0-9]+(\.[0-9]{{0,{kind.scale or 0}}}0*)?$"
        return unreadable | ~text.str.contains(form).fill_null(True)
    return unreadable


_FROM_TEXT: Mapping[str, Callable[[pl.Expr, ColumnType], pl.Expr]] = {
    "bigint": lambda text, _: text.cast(pl.Int64, strict=False),
    "integer": lambda text, _: text.cast(pl.Int64, strict=False),
    "numeric": lambda text, kind: text.cast(kind.dtype, strict=False),
    "date": lambda text, _: text.str.to_date("%Y-%m-%d", strict=False),
    "timestamp": lambda text, _: text.str.replace("T", " ", literal=True).str.to_datetime(
        "%Y-%m-%d %H:%M:%S%.f", strict=False, time_unit="us"
    ),
    "uuid": lambda text, _: pl.when(text.str.contains(_UUID)).then(text),
    "boolean": lambda text, _: text.str.to_lowercase().replace_strict(
        {"t": True, "true": True, "1": True, "f": False, "false": False, "0": False},
        default=None,
        return_dtype=pl.Boolean,
    ),
}


def _select(connection: sa.Connection, held: Held) -> sa.Select[tuple[str, ...]]:
    columns: list[sa.ColumnElement[str]] = [sa.column(name) for name in held.columns]
    wanted = columns if connection.dialect.name == "postgresql" else [sa.cast(c, sa.Text) for c in columns]
    return sa.select(*wanted).select_from(sa.table(held.table.name))


def _frame(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> pl.DataFrame:
    by_column = zip(*rows, strict=True) if rows else [()] * len(columns)
    texts = [
        pl.Series(name, [None if v is None else str(v) for v in values], dtype=pl.String)
        for name, values in zip(columns, by_column, strict=True)
    ]
    return pl.DataFrame(texts)


def _by_cursor(
    connection: sa.Connection, query: sa.Select[tuple[str, ...]], columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    result = connection.execution_options(yield_per=CHUNK_ROWS).execute(query)
    for rows in result.partitions():
        yield _frame(rows, columns)


def _by_copy(
    connection: sa.Connection, query: sa.Select[tuple[str, ...]], columns: Sequence[str]
) -> Iterator[pl.DataFrame]:
    """PostgreSQL's COPY TO STDOUT. The next bytes are fetched while those before them are taken apart."""
    statement = query.compile(dialect=connection.dialect)
    asked = f"COPY ({statement}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')"
    with driver_of(connection) as driver:
        driver.execute("SET LOCAL DateStyle TO 'ISO, YMD'")
        for block, largest in prefetch(copied(driver, asked, columns)):
            yield taken_apart(block, largest, columns)


_READERS: Mapping[
    str,
    Callable[[sa.Connection, sa.Select[tuple[str, ...]], Sequence[str]], Iterator[pl.DataFrame]],
] = {"postgresql": _by_copy}
