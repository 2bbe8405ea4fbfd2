"""Rows whose keys do not tell them apart.

Doubled keys: the first row in file order stands, later ones are rejected. Keys that a column of numbers cannot
tell apart (`7` and `007`) are held, all of them.
"""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl

from casebridge.project.batch import Batch
from casebridge.project.blanks import bare
from casebridge.project.contracts import KEY, OURS, QUARANTINE, ROW, Verdict, empty
from casebridge.project.spec import ReadSpec, TableSpec
from casebridge.transform.convert import chooses, key_of, taken
from casebridge.transform.schema import KEY_NUMBERS, key_number


def sharing(batches: tuple[Batch, ...], key: pl.Expr) -> pl.Series:
    """The rows whose key another row may have too: a hash of the keys says so."""
    hashes = pl.concat([batch.scan().select(ROW, key.hash().alias("hash")) for batch in batches]).collect()
    return hashes.filter(pl.col("hash").is_duplicated()).get_column(ROW).unique()


def doubled_keys(raw: tuple[Batch, ...], read: ReadSpec, suspect: pl.Series) -> pl.DataFrame:
    """The later rows of each key, rejected."""
    if suspect.is_empty():
        return empty(QUARANTINE)
    key = key_of(read.key)
    rows = pl.concat([batch.scan().filter(among(suspect)).select(ROW, key.alias(KEY)) for batch in raw]).collect()
    later = rows.sort(ROW).filter(pl.col(KEY).is_not_null() & ~pl.col(KEY).is_first_distinct())
    return left_behind(later, Verdict.REJECTED, "duplicate_key", pl.col(KEY))


def disputed(raw: tuple[Batch, ...], read: ReadSpec, left: pl.DataFrame, suspect: pl.Series) -> pl.DataFrame:
    """The standing rows whose later doubles differ from them in more than blanks."""
    keys = left.filter(pl.col("rule") == "duplicate_key").get_column(KEY).unique()
    if keys.is_empty():
        return pl.DataFrame(schema={ROW: pl.Int64()})
    key = key_of(read.key)
    there = pl.concat([batch.scan().filter(among(suspect)) for batch in raw]).collect()
    rows = there.filter(key.is_in(keys.implode()))
    texts = [name for name in rows.columns if name not in OURS]
    content = pl.struct(bare(pl.col(name)) for name in texts)
    differing = rows.select(ROW, key.alias(KEY), content.alias("content")).sort(ROW)
    groups = differing.group_by(KEY, maintain_order=True).agg(pl.col(ROW).first(), pl.col("content").n_unique())
    return groups.filter(pl.col("content") > 1).select(ROW)


def as_kept(spec: TableSpec, key: pl.Expr) -> pl.Expr:
    """A key as the target keeps it: a number where its column is one of numbers, null for what it cannot take."""
    kind = number_of(spec)
    return key if kind is None else key_number(kind, key)


def number_of(spec: TableSpec) -> str | None:
    """As which type of number the target keeps a key; none where it keeps texts."""
    return spec.key_type.name if spec.key_type is not None and spec.key_type.name in KEY_NUMBERS else None


def one_number(
    raw: tuple[Batch, ...], read: ReadSpec, specs: Iterable[TableSpec], doubled: pl.Series
) -> pl.DataFrame:
    """Rows of several keys that are one number (`7` and `007`, `0` and `-0`) where the target keeps the key as a
    number: nobody could tell there which of them a number means."""
    keeping = [spec for spec in specs if spec.query is None and number_of(spec)]
    if not (raw and keeping and len(read.key) == 1):
        return empty(QUARANTINE)
    key = key_of(read.key)
    widest = max(keeping, key=lambda spec: KEY_NUMBERS[str(number_of(spec))][0])
    suspect = _alike(raw, as_kept(widest, key), doubled)
    if suspect.len() < 2:
        return empty(QUARANTINE)
    rows = pl.concat([batch.scan().filter(among(suspect)) for batch in raw]).collect()
    found = []
    for spec in keeping:
        number = as_kept(spec, key)
        mine = rows.filter(taken(rows, (spec,))) if chooses(spec) else rows
        found.append(mine.filter(number.is_not_null() & number.is_duplicated()).select(ROW, key.alias(KEY)))
    return left_behind(pl.concat(found).unique().sort(ROW), Verdict.HELD, "one_number", pl.col(KEY))


def _alike(raw: tuple[Batch, ...], number: pl.Expr, doubled: pl.Series) -> pl.Series:
    """The standing rows whose number another row has too."""
    numbers = pl.concat([batch.scan().select(ROW, number.alias("number")) for batch in raw]).collect()
    several = numbers.filter(pl.col("number").is_not_null() & pl.col("number").is_duplicated())
    return several.get_column(ROW).filter(~several.get_column(ROW).is_in(doubled.implode()))


def among(rows: pl.Series) -> pl.Expr:
    """Whether a row is one of these."""
    return pl.col(ROW).is_in(rows.implode())


def left_behind(rows: pl.DataFrame, verdict: Verdict, rule: str, value: pl.Expr) -> pl.DataFrame:
    """Rows (KEY, ROW) that go no further, as the quarantine has them."""
    nothing = pl.lit(None, dtype=pl.String)
    return rows.select(
        KEY,
        ROW,
        pl.lit(None, dtype=pl.List(pl.Int64)).alias("_rest"),
        pl.lit(str(verdict)).alias("verdict"),
        pl.lit(True).alias("first"),
        nothing.alias("column"),
        pl.lit(rule).alias("rule"),
        value.alias("value"),
        nothing.alias("parent"),
    )
