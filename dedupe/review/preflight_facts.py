"""The transformed rows that a merge blocker looks at, each with the record that it leads to."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from polars.exceptions import PolarsError

from casebridge.dedupe.review.merge_rules import FILE, Blocker, Check, Feed
from casebridge.dedupe.review.preflight_checks import ID, SYSTEM
from casebridge.project.contracts import KEY
from casebridge.project.errors import Problem, SpecError
from casebridge.project.job import Job
from casebridge.project.references import source_meant
from casebridge.project.spec import TableSpec
from casebridge.project.target import TargetTable

OTHER = "__other"


def facts_of(job: Job, blocker: Blocker, members: pl.DataFrame, register: Sequence[str]) -> list[pl.DataFrame]:
    """For each feed its rows of these records: the id, and the columns that the check asks for."""
    wanted = [name for name in (blocker.since, blocker.until, blocker.column) if name]
    if blocker.check is Check.BETWEEN:
        one, other = blocker.feeds
        return [_rows(job, one, blocker, members, register, [other.path[0]])]
    return [_rows(job, feed, blocker, members, register, wanted) for feed in blocker.feeds]


def _rows(
    job: Job, feed: Feed, blocker: Blocker, members: pl.DataFrame, register: Sequence[str], wanted: Sequence[str]
) -> pl.DataFrame:
    found = []
    for spec in (spec for spec in job.specs if spec.target == feed.table and not spec.merged_only):
        if not feed.path and spec.name not in register:
            continue
        rows = _clean(job, spec)
        if rows is None:
            continue
        rows = _with_unmapped(rows, job.target.by_name[feed.table])
        if blocker.where:
            rows = rows.filter(pl.sql_expr(blocker.where))
        led = _owned(job, spec, rows, feed.path)
        system = pl.lit(f"{spec.system}:")
        mine = led.with_columns((system + pl.col(ID)).alias(ID)).join(members.lazy(), on=ID, how="semi")
        try:
            found.append(mine.select(ID, *wanted, pl.lit(spec.system).alias(SYSTEM)).collect())
        except PolarsError:
            what, hint = "fails on a value that it cannot work with", "where it casts, use TRY_CAST"
            raise SpecError([Problem(FILE, f"blockers.{blocker.name}.where", what, hint)]) from None
    kinds = _kinds(job.target.by_name[feed.table])
    none = pl.DataFrame(schema={ID: pl.String(), **{name: kinds[name] for name in wanted}, SYSTEM: pl.String()})
    return pl.concat([none, *found], how="vertical_relaxed")


def _with_unmapped(rows: pl.LazyFrame, table: TargetTable) -> pl.LazyFrame:
    """The rows with all columns of their table: what no spec maps is empty there."""
    there = set(rows.collect_schema())
    kinds = _kinds(table).items()
    return rows.with_columns(pl.lit(None, dtype=kind).alias(name) for name, kind in kinds if name not in there)


def _kinds(table: TargetTable) -> dict[str, pl.DataType]:
    """What the columns of a table hold: of one that refers to another table, its key as text."""
    return {column.name: pl.String() if column.references else column.type.dtype for column in table.columns}


def _clean(job: Job, spec: TableSpec) -> pl.LazyFrame | None:
    batches = job.ledger.sealed(job.run, "transform", spec.name, "clean")
    return pl.concat([batch.scan() for batch in batches]) if batches else None


def _owned(job: Job, spec: TableSpec, rows: pl.LazyFrame, path: Sequence[str]) -> pl.LazyFrame:
    """The rows with the key of the person that they lead to."""
    if not path:
        return rows.with_columns(pl.col(KEY).alias(ID))
    led = rows.with_columns(pl.col(path[0]).alias(ID)).filter(pl.col(ID).is_not_null())
    for number, column in enumerate(path[:-1]):
        table = _table_at(job, spec, path[: number + 1])
        led = led.join(_parents(job, spec, table, column, path[number + 1]), on=ID, how="inner")
        led = led.drop(ID).rename({OTHER: ID})
    return led


def _table_at(job: Job, spec: TableSpec, path: Sequence[str]) -> str:
    at = spec.target
    for column in path:
        at = str(job.target.by_name[at].by_name[column].references)
    return at


def _parents(job: Job, spec: TableSpec, table: str, column: str, onward: str) -> pl.LazyFrame:
    """The keys of a table of this system, and where one of its columns leads."""
    named = next((one for one in spec.columns if one.name == column), None)
    source = source_meant(job.specs, spec, named) if named else ""
    fills = [s for s in job.specs if (s.target, s.system) == (table, spec.system) and not s.part]
    frames = [_clean(job, s) for s in fills if not source or s.sources[0].name == source]
    none = pl.LazyFrame(schema={ID: pl.String(), OTHER: pl.String()})
    both = pl.col(KEY).alias(ID), pl.col(onward).alias(OTHER)
    return pl.concat([none, *(frame.select(both) for frame in frames if frame is not None)])
