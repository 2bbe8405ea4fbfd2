"""Whether the rows fit the target's real columns, asked before the first row is written.

`target.toml` is what we believe of the target; reflection is what it is. Where the real column is another
than we believed, every value is measured, and nothing is ever cut, rounded or re-coded to fit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from casebridge.project.batch import Batch
from casebridge.project.database import shown
from casebridge.project.declared import is_filled_by_itself
from casebridge.project.errors import TargetError
from casebridge.project.relations import of_any_type
from casebridge.project.target import Target, TargetColumn

Wrong = tuple[str, pl.Expr, pl.Expr]
"""In which way a value does not fit, how long it is, and the question itself."""

_FAMILIES: Mapping[type[sa.types.TypeEngine[Any]], set[str]] = {
    sa.String: {"varchar", "char", "text", "numeric", "date", "timestamp", "bigint", "integer", "boolean", "uuid"},
    sa.Uuid: {"uuid"},
    sa.Integer: {"bigint", "integer"},
    sa.Numeric: {"numeric", "bigint", "integer"},
    sa.DateTime: {"timestamp", "date"},
    sa.Date: {"date", "timestamp"},
    sa.Boolean: {"boolean"},
}


_NOT_AS_WRITTEN = frozenset(
    {"JSON", "JSONB", "BYTEA", "BLOB", "LARGE_BINARY", "ARRAY", "TIME", "INTERVAL", "MONEY"}
)
"""Types that give back another text than was written, as SQLAlchemy calls them. SQLite keeps any text."""


@dataclass(frozen=True)
class Misfit:
    """One column whose values the target cannot take: how many, and the longest, in characters or digits."""

    table: str
    column: str
    why: str
    values: int
    longest: int

    def __str__(self) -> str:
        longest = f" (longest {self.longest})" if self.longest else ""
        return f"{self.table}.{self.column}: {self.values:,} values {self.why}{longest}"


def check_fit(engine: sa.Engine, target: Target, tables: Mapping[str, tuple[str, Sequence[Batch]]]) -> None:
    """TargetError with every column that does not fit; nothing has been written then."""
    misfits: list[Misfit] = []
    with engine.connect() as connection, of_any_type():
        inspector = sa.inspect(connection)
        encoding = _encoding(connection)
        odd = frozenset() if engine.dialect.name == "sqlite" else _NOT_AS_WRITTEN
        columns = inspector.get_multi_columns(filter_names=target.load_order)
        keys = inspector.get_multi_foreign_keys(filter_names=target.load_order)
        for name in target.load_order:
            batches = [batch for table, files in tables.values() if table == name for batch in files]
            real = {str(found["name"]): found for found in columns[None, name]}
            table = target.by_name[name]
            for column in table.columns:
                is_key = column.name in table.primary_key
                for why, size, wrong in _doubts(column, is_key, real[column.name], encoding, odd):
                    misfits += _measured(name, column.name, why, size, wrong, batches)
            misfits += _unmapped(target, name, real, batches)
            misfits += _codes(connection, target, name, keys[None, name], batches)
    if misfits:
        lines = "".join(f"\n  {misfit}" for misfit in misfits)
        raise TargetError(
            shown(engine.url),
            f"{len(misfits)} columns cannot take what is to be loaded:{lines}",
            hint="make target.toml say what the target really has; each spec's on_fail then decides "
            "(reject, or truncate_and_report), and no value is cut unseen",
        )


def _doubts(
    column: TargetColumn, is_key: bool, real: Mapping[str, Any], encoding: str | None, odd: Collection[str]
) -> Iterator[Wrong]:
    """The questions to ask of a column's values; none where the real column is what we believed. `odd` are types
    that keep no value as it is written."""
    kind, ours, value = real["type"], column.type, pl.col(column.name)
    family = next((known for known in _FAMILIES if isinstance(kind, known)), None)
    if real.get("computed"):
        yield "for a column that the database works out by itself", pl.lit(0), value.is_not_null()
    elif str(kind.__visit_name__).upper() in odd:
        yield f"for a column that is {kind} and keeps no value as it is written", pl.lit(0), value.is_not_null()
    elif family and ours.name not in _FAMILIES[family]:
        yield f"for a column that is {kind}", pl.lit(0), value.is_not_null()
    elif ours.name in {"date", "timestamp"} and getattr(kind, "timezone", False):
        yield "without a time zone, for a column that has one", pl.lit(0), value.is_not_null()
    elif ours.name in {"varchar", "char", "text"}:
        yield from _of_text(value, ours.length or 1 << 40, getattr(kind, "length", None), encoding)
    elif ours.name in {"numeric", "bigint", "integer"} and isinstance(kind, sa.Float):
        yield from _of_floats(value, kind)
    elif ours.name == "numeric" and isinstance(kind, sa.Numeric):
        yield from _of_numbers(value, (ours.precision or 38, ours.scale or 0), kind)
    elif ours.name == "bigint" and isinstance(kind, sa.Integer) and not isinstance(kind, sa.BigInteger):
        most = 1 << (15 if isinstance(kind, sa.SmallInteger) else 31)
        yield f"too large for {kind}", pl.lit(0), (value >= most) | (value < -most)
    elif ours.name == "timestamp" and isinstance(kind, sa.Date):
        yield "with a time of day, for a date", pl.lit(0), value != value.dt.truncate("1d")
    elif ours.name == "timestamp" and getattr(kind, "precision", None) is not None:
        step = 10 ** (6 - int(getattr(kind, "precision", 6)))
        yield "with finer fractions of a second", pl.lit(0), value.dt.microsecond() % step != 0
    if column.nullable and not is_key and not real.get("nullable", True):
        yield "missing where none may be", pl.lit(0), value.is_null()


def _of_text(value: pl.Expr, ours: int, length: int | None, encoding: str | None) -> Iterator[Wrong]:
    size = value.str.len_chars()
    if length is not None and length < ours:
        yield f"longer than {length}", size, size > length
    if encoding:
        strange = value.map_elements(lambda text: not _spelt(text, encoding), return_dtype=pl.Boolean)
        # Plain ASCII is in every encoding; only the rest is tried, letter by letter.
        yield f"that {encoding} cannot spell", pl.lit(0), pl.when(value.str.len_bytes() != size).then(strange)


def _of_numbers(value: pl.Expr, ours: tuple[int, int], kind: sa.Numeric[Any]) -> Iterator[Wrong]:
    if kind.precision is None:
        return
    scale = kind.scale or 0
    whole = kind.precision - scale
    if whole < ours[0] - ours[1]:
        size = value.abs().cast(pl.String).str.split(".").list.first().str.len_chars()
        yield f"of more than {whole} digits", size, value.abs() >= pl.lit(10**whole)
    if scale < ours[1]:
        places = value.cast(pl.String).str.split(".").list.last().str.strip_chars_end("0").str.len_chars()
        yield f"with more than {scale} decimals", places, places > scale


def _of_floats(value: pl.Expr, kind: sa.Float[Any]) -> Iterator[Wrong]:
    """Binary numbers keep 15 digits, the short ones 6. Source: IEEE 754, DBL_DIG and FLT_DIG."""
    short = isinstance(kind, sa.REAL) or (kind.precision or 53) <= 24
    plain = value.abs().cast(pl.String).str.replace(r"^([^.]*)$", "$1.").str.replace(r"\.?0*$", "")
    digits = plain.str.replace(".", "", literal=True).str.strip_chars_start("0").str.len_chars()
    most = 6 if short else 15
    yield f"of more than {most} digits, for a column that is {kind}", digits, digits > most


def _encoding(connection: sa.Connection) -> str | None:
    """The encoding of a database that cannot spell everything, as Python calls it."""
    if connection.dialect.name != "postgresql":
        return None
    name = str(connection.scalar(sa.text("SHOW server_encoding"))).lower()
    return None if name in {"utf8", "sql_ascii"} else name.replace("win", "cp")


def _spelt(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _measured(
    table: str, column: str, why: str, size: pl.Expr, wrong: pl.Expr, batches: Sequence[Batch]
) -> list[Misfit]:
    if not batches:
        return []
    counts = pl.concat(
        [
            batch.scan().select(wrong.sum().alias("values"), size.max().cast(pl.Int64).alias("longest"))
            for batch in batches
        ]
    )
    values, longest = counts.select(pl.col("values").sum(), pl.col("longest").max()).collect().row(0)
    return [Misfit(table, column, why, int(values), int(longest or 0))] if values else []


def _unmapped(
    target: Target, name: str, real: Mapping[str, Mapping[str, object]], batches: Sequence[Batch]
) -> list[Misfit]:
    """Columns that target.toml does not know and that may not be empty."""
    rows = sum(batch.rows for batch in batches)
    known = target.by_name[name].by_name
    return [
        Misfit(name, column, "missing: target.toml does not know this column", rows, 0)
        for column, found in real.items()
        if column not in known and not found.get("nullable", True) and not is_filled_by_itself(found) and rows
    ]


def _codes(
    connection: sa.Connection, target: Target, name: str, keys: Sequence[Any], batches: Sequence[Batch]
) -> list[Misfit]:
    """Values that the target's own foreign keys want to find in a table that we do not fill."""
    misfits: list[Misfit] = []
    known = target.by_name[name].by_name
    for key in keys:
        columns, there = key["constrained_columns"], key["referred_table"]
        if len(columns) != 1 or columns[0] not in known or there in target.by_name:
            continue
        referred = sa.table(there, sa.column(key["referred_columns"][0]), schema=key.get("referred_schema"))
        codes = pl.Series([row[0] for row in connection.execute(sa.select(*referred.columns))], strict=False)
        value = pl.col(columns[0])
        strange = value.is_not_null() & ~value.cast(pl.String).is_in(codes.cast(pl.String).implode())
        misfits += _measured(name, columns[0], f"that {there} does not have", pl.lit(0), strange, batches)
    return misfits
