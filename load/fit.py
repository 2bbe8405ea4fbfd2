"""Whether the rows fit the target's real columns, asked before the first row is written.

`target.toml` is what we believe of the target; reflection is what it is. Where the real column is narrower
than we believed, every value is measured, and nothing is ever cut to fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from project.batch import Batch
from project.database import shown
from project.errors import TargetError
from project.target import Target, TargetColumn


@dataclass(frozen=True)
class Misfit:
    """One column whose values the target cannot take: how many, and the longest, in characters or digits."""

    table: str
    column: str
    why: str
    values: int
    longest: int

    def __str__(self) -> str:
        return f"{self.table}.{self.column}: {self.values:,} values {self.why} (longest {self.longest})"


def check_fit(engine: sa.Engine, target: Target, tables: Mapping[str, tuple[str, Sequence[Batch]]]) -> None:
    """TargetError with every column that does not fit; nothing has been written then."""
    inspector = sa.inspect(engine)
    misfits: list[Misfit] = []
    for name in target.load_order:
        batches = [batch for table, files in tables.values() if table == name for batch in files]
        real = {str(found["name"]): found for found in inspector.get_columns(name)}
        for column in target.by_name[name].columns:
            misfits += _misfits(name, column, real[column.name], batches)
        misfits += _unmapped(target, name, real, batches)
    if misfits:
        lines = "".join(f"\n  {misfit}" for misfit in misfits)
        raise TargetError(
            shown(engine.url),
            f"{len(misfits)} columns cannot take what is to be loaded:{lines}",
            hint="make target.toml say what the target really has; each spec's on_fail then decides "
            "(reject, or truncate_and_report), and no value is cut unseen",
        )


def _misfits(
    table: str, column: TargetColumn, real: Mapping[str, object], batches: Sequence[Batch]
) -> list[Misfit]:
    kind, limit = real["type"], column.type
    found = []
    length = getattr(kind, "length", None)
    if limit.name in {"varchar", "char", "text"} and length is not None and length < (limit.length or 1 << 40):
        size = pl.col(column.name).str.len_chars()
        found += _measured(table, column.name, f"longer than {length}", size, size > length, batches)
    precision, scale = getattr(kind, "precision", None), getattr(kind, "scale", None) or 0
    if limit.name == "numeric" and isinstance(kind, sa.Numeric) and precision is not None:
        whole, ours = precision - scale, (limit.precision or 38) - (limit.scale or 0)
        size = pl.col(column.name).abs().cast(pl.String).str.split(".").list.first().str.len_chars()
        if whole < ours:
            found += _measured(table, column.name, f"of more than {whole} digits", size, size > whole, batches)
        if scale < (limit.scale or 0):
            rest = pl.col(column.name).cast(pl.String).str.split(".").list.last().str.strip_chars_end("0")
            places = rest.str.len_chars()
            found += _measured(
                table, column.name, f"with more than {scale} decimals", places, places > scale, batches
            )
    if column.nullable and not real.get("nullable", True):
        missing = pl.col(column.name).is_null()
        found += _measured(table, column.name, "missing where none may be", pl.lit(0), missing, batches)
    return found


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
        if column not in known and not found.get("nullable", True) and found.get("default") is None and rows
    ]
