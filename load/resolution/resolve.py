"""One clean batch to target rows: legacy keys become ids, and children follow their parents.

A required reference to a key that no source row has is an orphan. A required reference to a row that is
not in the target gives the child its parent's place, with the parent's key as cause, so that both are
replayed together. An optional reference that cannot be resolved is set aside, and the row loads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from casebridge.load.resolution.merge_duplicates import KEEPER, OF_ITSELF
from casebridge.project.contracts import KEY, QUARANTINE, REST, ROW, Place, Verdict, empty
from casebridge.project.spec import ColumnSpec, TableSpec
from casebridge.project.tally import Tally
from casebridge.project.target import TargetTable

_ID, _REASON = "__id", "__reason"
"""Beside the columns of a row, which may be called anything: its id, and why the target refused it."""


@dataclass(frozen=True)
class Resolved:
    """The rows for the target, the quarantine of the others, and the account of both."""

    rows: pl.DataFrame
    quarantine: pl.DataFrame
    tally: Tally


def resolve(
    clean: pl.DataFrame,
    spec: TableSpec,
    table: TargetTable,
    ids: pl.DataFrame,
    parents: Mapping[str, pl.DataFrame],
    folded: pl.Series,
    golden: pl.DataFrame,
    duplicates: pl.DataFrame,
    refused: pl.DataFrame,
) -> Resolved:
    """Clean rows to rows of `table`.

    `ids` has KEY and `id` of the table's own rows; `parents` gives for each referencing column KEY, `id`
    and `place` of the rows it may name; `folded` are the keys that a merge took away; `golden` the rows
    of survivors whose values changed, in the shape of `clean`; `duplicates` the rows that a merge made
    superfluous (`MERGE_DUPLICATES`); `refused` the rows that the target did not take (`REFUSED_ROWS`).
    """
    if spec.merged_only:
        # The part that sets these rows apart ends their keys; without it they are the person's.
        person = pl.col(KEY).str.strip_suffix(f"#{spec.part}")
        clean, stays = (clean.filter(person.is_in(folded.implode())),) * 2
    else:
        stays = clean.filter(~pl.col(KEY).is_in(folded.implode())) if folded.len() else clean
    merged = clean.height - stays.height
    single = _without_duplicates(stays, duplicates)
    rows = _with_golden(single, golden)
    quarantine = [empty(QUARANTINE), _of_itself(stays, duplicates)]
    for column in spec.references:
        rows = _look_up(rows, column, parents[column.name])
    rows = _not_of_itself(rows, spec, ids, golden)
    failed = _place_of_parents(rows, spec)
    if failed is not None:
        quarantine.append(_children(rows.filter(failed.is_not_null()), spec))
        quarantine.append(_set_aside(rows.filter(failed.is_null()), spec))
        rows = rows.filter(failed.is_null())
    left = pl.concat(quarantine)
    if refused.height:
        unwanted = rows.join(refused.rename({"reason": _REASON}), on=KEY, how="inner", maintain_order="left")
        left = pl.concat([left, _refused(unwanted)])
        rows = rows.filter(~pl.col(KEY).is_in(refused.get_column(KEY).implode()))
    loaded = _target_rows(rows, spec, table, ids)
    combined = stays.height - single.height - quarantine[1].height
    return Resolved(loaded, left, _tally(clean.height, merged, combined, loaded.height, left))


def _without_duplicates(rows: pl.DataFrame, duplicates: pl.DataFrame) -> pl.DataFrame:
    """Superfluous rows gone; the rows that stay in their stead name them in `_rest`."""
    if duplicates.is_empty():
        return rows
    kept = rows.filter(~pl.col(KEY).is_in(duplicates.get_column(KEY).implode()))
    behind = (
        duplicates.filter(~pl.col(OF_ITSELF))
        .sort(ROW)
        .group_by(KEEPER, maintain_order=True)
        .agg(pl.col(ROW).alias("__more"))
        .rename({KEEPER: KEY})
    )
    joined = kept.join(behind, on=KEY, how="left", maintain_order="left")
    more = pl.concat_list(pl.col(REST).fill_null([]), pl.col("__more").fill_null([]))
    rest = pl.when(pl.col("__more").is_null()).then(pl.col(REST)).otherwise(more)
    return joined.with_columns(rest.alias(REST)).drop("__more")


def _of_itself(rows: pl.DataFrame, duplicates: pl.DataFrame) -> pl.DataFrame:
    """The quarantine of relationships between two records that became one person: left behind on purpose."""
    if duplicates.is_empty():
        return empty(QUARANTINE)
    keys = duplicates.filter(pl.col(OF_ITSELF)).get_column(KEY)
    nothing = pl.lit(None, dtype=pl.String)
    return rows.filter(pl.col(KEY).is_in(keys.implode())).select(
        KEY,
        ROW,
        REST,
        pl.lit(str(Verdict.EXCLUDED)).alias("verdict"),
        pl.lit(True).alias("first"),
        nothing.alias("column"),
        pl.lit("self_relationship_after_merge").alias("rule"),
        nothing.alias("value"),
        nothing.alias("parent"),
    )


def _with_golden(rows: pl.DataFrame, golden: pl.DataFrame) -> pl.DataFrame:
    if golden.is_empty():
        return rows
    changed = golden.filter(pl.col(KEY).is_in(rows.get_column(KEY).implode()))
    if changed.is_empty():
        return rows
    unchanged = rows.filter(~pl.col(KEY).is_in(changed.get_column(KEY).implode()))
    return pl.concat([unchanged, changed.select(rows.columns)]).sort(ROW, KEY)


def _look_up(rows: pl.DataFrame, column: ColumnSpec, parents: pl.DataFrame) -> pl.DataFrame:
    # Only what is asked for: a join sorts its whole right side into a table, batch for batch.
    wanted = parents.join(rows.select(pl.col(column.name).alias(KEY)), on=KEY, how="semi")
    found = wanted.select(
        pl.col(KEY).alias(column.name),
        pl.col("id").alias(f"__id_{column.name}"),
        pl.col("place").alias(f"__place_{column.name}"),
        pl.lit(True).alias(f"__known_{column.name}"),
    )
    return rows.join(found, on=column.name, how="left", maintain_order="left")


def _not_of_itself(rows: pl.DataFrame, spec: TableSpec, ids: pl.DataFrame, golden: pl.DataFrame) -> pl.DataFrame:
    """Where a merge made a row its own parent, the reference is set aside; what named itself before still does."""
    own = [column.name for column in spec.references if column.references == spec.target and not column.required]
    if not own:
        return rows
    mine = ids.join(rows.select(KEY), on=KEY, how="semi").select(KEY, pl.col("id").alias("__own"))
    rows = rows.join(mine, on=KEY, how="left", maintain_order="left")
    merged = pl.col(KEY).is_in(golden.get_column(KEY).implode())
    for name in own:
        itself = (pl.col(f"__id_{name}") == pl.col("__own")) & ((pl.col(name) != pl.col(KEY)) | merged)
        rows = rows.with_columns(
            pl.when(itself.fill_null(False)).then(None).otherwise(f"__id_{name}").alias(f"__id_{name}"),
            itself.fill_null(False).alias(f"__itself_{name}"),
        )
    return rows


def _verdict(column: ColumnSpec) -> pl.Expr:
    """The place a row takes through one required reference; null when the parent is there."""
    named, known = pl.col(column.name).is_not_null(), pl.col(f"__known_{column.name}").is_not_null()
    return (
        pl.when(named & ~known)
        .then(pl.lit(str(Place.REJECTED)))
        .when(named)
        .then(pl.col(f"__place_{column.name}"))
    )


def _place_of_parents(rows: pl.DataFrame, spec: TableSpec) -> pl.Series | None:
    required = [column for column in spec.references if column.required]
    if not spec.references:
        return None
    verdicts = [_verdict(column) for column in required] or [pl.lit(None, dtype=pl.String)]
    return rows.select(pl.coalesce(verdicts).alias("place")).to_series()


def _children(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    """The quarantine of rows whose parent is not there; the first such parent counts."""
    found = [empty(QUARANTINE)]
    left = rows
    for column in (column for column in spec.references if column.required):
        failed = left.filter(_verdict(column).is_not_null())
        known = pl.col(f"__known_{column.name}").is_not_null()
        rule = pl.when(known).then(pl.lit("parent")).otherwise(pl.lit("orphan"))
        found.append(_entry(failed, column, _verdict(column), first=True, rule=rule))
        left = left.filter(_verdict(column).is_null())
    return pl.concat(found)


def _set_aside(rows: pl.DataFrame, spec: TableSpec) -> pl.DataFrame:
    found = [empty(QUARANTINE)]
    for column in (column for column in spec.references if not column.required):
        lost = rows.filter(pl.col(column.name).is_not_null() & pl.col(f"__id_{column.name}").is_null())
        verdict = pl.lit(str(Verdict.SET_ASIDE))
        itself = pl.col(f"__itself_{column.name}") if f"__itself_{column.name}" in rows.columns else pl.lit(False)
        known = pl.col(f"__known_{column.name}").is_not_null()
        rule = pl.when(known).then(pl.lit("parent")).otherwise(pl.lit("orphan"))
        rule = pl.when(itself).then(pl.lit("self_relationship_after_merge")).otherwise(rule)
        found.append(_entry(lost, column, verdict, first=False, rule=rule))
    return pl.concat(found)


def _refused(rows: pl.DataFrame) -> pl.DataFrame:
    """The quarantine of rows that the target did not take, with its reason; the reason names no value."""
    nothing = pl.lit(None, dtype=pl.String)
    return rows.select(
        KEY,
        ROW,
        REST,
        pl.lit(str(Verdict.REJECTED)).alias("verdict"),
        pl.lit(True).alias("first"),
        nothing.alias("column"),
        pl.lit("refused_by_target").alias("rule"),
        pl.col(_REASON).alias("value"),
        nothing.alias("parent"),
    )


def _entry(
    rows: pl.DataFrame, column: ColumnSpec, verdict: pl.Expr, *, first: bool, rule: pl.Expr
) -> pl.DataFrame:
    return rows.select(
        KEY,
        ROW,
        REST,
        verdict.alias("verdict"),
        pl.lit(first).alias("first"),
        pl.lit(column.name).alias("column"),
        rule.alias("rule"),
        pl.col(column.name).alias("value"),
        (pl.lit(f"{column.references}:") + pl.col(column.name)).alias("parent"),
    )


def _target_rows(rows: pl.DataFrame, spec: TableSpec, table: TargetTable, ids: pl.DataFrame) -> pl.DataFrame:
    # Only what is asked for: a join sorts its whole right side into a table, batch for batch.
    mine = ids.join(rows.select(KEY), on=KEY, how="semi").select(KEY, pl.col("id").alias(_ID))
    numbered = rows if table.natural_key else rows.join(mine, on=KEY, how="left", maintain_order="left")
    given = {column.name: column for column in spec.loaded}
    values = []
    for column in table.columns:
        if column.name in table.primary_key and not table.natural_key:
            value = pl.col(_ID)
        elif column.name in given and given[column.name].references:
            value = pl.col(f"__id_{column.name}")
        elif column.name in given:
            value = pl.col(column.name).cast(column.type.dtype)
        elif column.name == table.legacy_key:
            value = pl.col(KEY).cast(column.type.dtype) if table.natural_key else pl.col(KEY)
        else:
            value = pl.lit(None, dtype=column.type.dtype)
        values.append(value.alias(column.name))
    return numbered.select(KEY, ROW, REST, *values)


def _tally(read: int, merged: int, combined: int, passed: int, quarantine: pl.DataFrame) -> Tally:
    places = dict(quarantine.group_by("verdict").len().iter_rows())
    return Tally(
        read=read,
        merged=merged,
        combined=combined,
        passed=passed,
        rejected=places.get(Verdict.REJECTED, 0),
        excluded=places.get(Verdict.EXCLUDED, 0),
        held=places.get(Verdict.HELD, 0),
        set_aside=places.get(Verdict.SET_ASIDE, 0),
    )
