"""What stayed behind of a run, one line a fault: where it stands in the dump, which rule, and the value there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from casebridge.project.blanks import bare
from casebridge.project.contracts import CELL_FAULT, FILE, KEY, LINE, ROW, Verdict
from casebridge.project.job import Job
from casebridge.project.lineage import Lineage
from casebridge.project.spec import ReadSpec, Source, TableSpec
from casebridge.reconciliation.reporting.wording import rule_words
from casebridge.transform.convert import key_of

NOBODY = "nobody named"
"""Whose the workbook is of tables without an `owner`."""

NO_KEY = "it has no key by which a correction could find it"
OF_KEY = "this value is of the key, by which a correction finds its row"
NO_KEYS = "no column of its table is a key by which a correction could find it"

LINES: Mapping[str, pl.DataType] = {
    "owner": pl.String(),
    "system": pl.String(),
    "table": pl.String(),
    "file": pl.String(),
    "line": pl.Int64(),
    "key": pl.String(),
    "column": pl.String(),
    "value": pl.String(),
    "rule": pl.String(),
    "words": pl.String(),
    "verdict": pl.String(),
    "bar": pl.String(),
    "spec": pl.String(),
    "goes_to": pl.String(),
    "parent": pl.String(),
    "judged": pl.String(),
    "fault": pl.String(),
    ROW: pl.Int64(),
    KEY: pl.String(),
}
"""`key` is the source's own, `column` the source's; `spec` is empty where a whole source was judged. `judged` (the
spec's name or the source's), `fault` (its column), ROW and KEY are those of the quarantine. `bar`: why no
correction can mend the line; empty where one can, and for lines that are no records."""

_FAULTS: Mapping[str, pl.DataType] = {
    KEY: pl.String(), ROW: pl.Int64(), "verdict": pl.String(), "column": pl.String(), "rule": pl.String(),
    "value": pl.String(), "parent": pl.String(),
}  # fmt: skip


def lines_of(job: Job) -> pl.DataFrame:
    """All that stayed behind, in LINES, by table and place. Read only."""
    found = [pl.DataFrame(schema=dict(LINES))]
    for spec in job.specs:
        source = spec.sources[0]
        faults = pl.concat([pl.DataFrame(schema=_FAULTS), *_faults(job, spec.name, ("transform", "load"))])
        found += _placed(job, source, faults, spec)
    for source in job.reads():
        faults = pl.concat([pl.DataFrame(schema=_FAULTS), *_faults(job, str(source), ("transform",))])
        found += [*_placed(job, source, faults, None), *_unreadable(job, source)]
    return pl.concat(found).sort("table", ROW, "column", "rule", nulls_last=True, maintain_order=True)


def owner_of(job: Job, source: Source, spec: TableSpec | None = None, rule: str = "") -> str:
    """Who answers for a fault: the exclusion's owner, the spec's, or that of another spec of the source."""
    for exclusion in spec.exclusions if spec else ():
        if exclusion.rule == rule:
            return exclusion.owner
    own = spec.owner if spec else ""
    return own or next((other.owner for other in job.specs_of(source) if other.owner), NOBODY)


def _faults(job: Job, name: str, stages: tuple[str, ...]) -> Iterator[pl.DataFrame]:
    known = [str(verdict) for verdict in Verdict]
    for stage in stages:
        for batch in job.ledger.sealed(job.run, stage, name, "quarantine"):
            yield batch.read([*_FAULTS]).filter(pl.col("verdict").is_in(known)).cast(pl.Schema(_FAULTS))


def _placed(job: Job, source: Source, faults: pl.DataFrame, spec: TableSpec | None) -> Iterator[pl.DataFrame]:
    """Faults with their places, a line for each column of the source behind the column that they name."""
    if faults.is_empty():
        return
    read = job.reads()[source]
    behind = {name: _behind(name, spec) for name in faults.get_column("column").drop_nulls().unique()}
    wanted = sorted({column for columns in behind.values() for column in columns})
    rows = _raw(job, read, faults.get_column(ROW).unique(), wanted)
    for (name,), group in faults.group_by("column", maintain_order=True):
        there = group.join(rows, on=ROW, how="left", maintain_order="left")
        columns: list[str | None] = [column for column in behind.get(str(name), ()) if column in rows.columns]
        for column in columns or [None]:
            value = pl.col("value") if column is None else pl.col(column)
            bar = _bar(read, column).alias("bar")
            yield _shaped(job, source, spec, there.with_columns(value.alias("value"), bar), column, name)


def _bar(read: ReadSpec, column: str | None) -> pl.Expr:
    if not read.key:
        return pl.lit(NO_KEYS)
    otherwise = OF_KEY if column in read.key else ""
    return pl.when(pl.col("key").is_null()).then(pl.lit(NO_KEY)).otherwise(pl.lit(otherwise))


def _behind(name: str, spec: TableSpec | None) -> tuple[str, ...]:
    """The columns of the source behind a column of a spec: those that can be corrected."""
    if spec is None:
        return ()
    if name == spec.key_column:
        return spec.reads[0].key if len(spec.reads[0].key) == 1 else ()
    sources = next((column.sources for column in spec.columns if column.name == name), ())
    if spec.query is None:
        return sources
    lineage = Lineage(spec.query, {one.name: None for one in spec.sources})
    origins = [lineage.of(source) for source in sources]
    lead = spec.sources[0].name
    return tuple(column for found in origins if len(found) == 1 for table, column in found if table == lead)


def _raw(job: Job, read: ReadSpec, rows: pl.Series, columns: list[str]) -> pl.DataFrame:
    """Where these rows stand, their source's key, and their values, blanks at both ends gone."""
    key = key_of(read.key) if read.key else pl.lit(None, dtype=pl.String)
    found = [pl.DataFrame(schema={ROW: pl.Int64, FILE: pl.String, LINE: pl.Int64, "key": pl.String})]
    for batch in job.ledger.sealed(job.run, "extract", str(read.source), "raw"):
        scan = batch.scan().filter(pl.col(ROW).is_in(rows.implode()))
        there = [name for name in columns if name in scan.collect_schema()]
        values = (bare(_plain(name)).alias(name) for name in there)
        found.append(scan.select(ROW, FILE, LINE, key.alias("key"), *values).collect())
    return pl.concat(found, how="diagonal")


def _plain(name: str) -> pl.Expr:
    """A cell as it is shown: an error of a workbook's cell without our sign before it."""
    return pl.col(name).str.strip_prefix(CELL_FAULT)


def _shaped(
    job: Job, source: Source, spec: TableSpec | None, lines: pl.DataFrame, column: str | None, name: object
) -> pl.DataFrame:
    rules = lines.get_column("rule").unique().to_list()
    owners = {rule: owner_of(job, source, spec, rule) for rule in rules}
    key = pl.coalesce("key", pl.col(KEY)) if spec and spec.query else pl.coalesce("key", _without_part(spec))
    return lines.with_columns(
        pl.col("rule").replace_strict(owners, return_dtype=pl.String).alias("owner"),
        pl.col("rule").replace_strict({rule: rule_words(rule) for rule in rules}, return_dtype=pl.String)
        .alias("words"),
        pl.lit(source.system).alias("system"),
        pl.lit(source.name).alias("table"),
        pl.col(FILE).alias("file"),
        pl.col(LINE).alias("line"),
        key.alias("key"),
        pl.lit(column or "").alias("column"),
        pl.lit(spec.name if spec else "").alias("spec"),
        pl.lit(f"{spec.target}.{name}" if spec and name else spec.target if spec else "").alias("goes_to"),
        pl.lit(spec.name if spec else str(source)).alias("judged"),
        pl.lit(None if name is None else str(name), dtype=pl.String).alias("fault"),
    ).select(pl.col(name).cast(kind) for name, kind in LINES.items())  # fmt: skip


def _without_part(spec: TableSpec | None) -> pl.Expr:
    part = f"#{spec.part}" if spec and spec.part else ""
    return pl.col(KEY).str.strip_suffix(part) if part else pl.col(KEY)


def _unreadable(job: Job, source: Source) -> Iterator[pl.DataFrame]:
    """Lines that are no records: only where they stand, for nobody can say whose they are."""
    for batch in job.ledger.sealed(job.run, "extract", str(source), "unreadable"):
        lines = batch.read([ROW, FILE, LINE, "reason"]).rename({"reason": "rule"})
        none = pl.lit(None, dtype=pl.String)
        faults = lines.with_columns(
            none.alias("key"), none.alias(KEY), none.alias("value"), none.alias("parent"),
            pl.lit(str(Verdict.REJECTED)).alias("verdict"), pl.lit("").alias("bar"),
        )  # fmt: skip
        if faults.height:
            yield _shaped(job, source, None, faults, None, None)
