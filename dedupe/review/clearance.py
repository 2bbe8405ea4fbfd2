"""Whose record is restricted, as the desk must know it: of all marks of a person the strictest wins.

A mark is what the record itself says, what any of its source rows says, and what stood in the target when a run
loaded last. Only a line of `restrictions_lowered.csv` lowers one.
"""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from casebridge.project.batch import with_rows
from casebridge.project.contracts import KEY, REST, ROW
from casebridge.project.job import Job
from casebridge.project.restriction import BY_TARGET, RAISED, STAGE, rank, read_lowered
from casebridge.project.spec import TableSpec

OPEN, RESTRICTED = 0, 1
"""Clearances: what everybody may see who reviews at all, and what only the cleared may."""


def restricted(job: Job, spec: TableSpec, keys: Collection[str], space: str = "") -> set[str]:
    """Those of some keys of a register's table whose records are restricted. space: what stands before the keys,
    if not the system alone. Read only."""
    space = space or spec.system
    lowered = {item.key for item in read_lowered(job.settings) if item.system == space}
    marked = _marked_rows(job)
    said = _of_withheld(job, space, marked)
    for batch in job.ledger.sealed(job.run, "transform", spec.name, "clean"):
        there = set(batch.scan().collect_schema().names())
        marks = [
            rank(item, pl.col(item.column)) > 0 for item in job.target.marks(spec.target) if item.column in there
        ]
        own = pl.any_horizontal(*marks) if marks else pl.lit(False)
        mine = batch.scan().filter(pl.col(KEY).is_in(sorted(keys)))
        frame = mine.select(KEY, ROW, pl.col(REST).cast(pl.List(pl.Int64)), own.alias("own")).collect()
        lines = frame.select(KEY, pl.col(REST).alias(ROW)).explode(ROW).vstack(frame.select(KEY, ROW))
        said |= set(frame.filter(pl.col("own").fill_null(True)).get_column(KEY))
        said |= set(lines.filter(pl.col(ROW).is_in(marked)).get_column(KEY))
    return ((said - lowered) | kept_in_target(job, spec)) & set(keys)


def _marked_rows(job: Job) -> list[int]:
    found = [
        row
        for source in job.reads()
        for batch in with_rows(job.ledger.sealed(job.run, "transform", str(source), "marked"))
        for row in batch.read([ROW]).get_column(ROW)
    ]
    return sorted(set(found))


def _of_withheld(job: Job, space: str, marked: list[int]) -> set[str]:
    """Records of which people said that they are somebody whose row did not come through and is marked."""
    found = set[str]()
    for batch in job.ledger.sealed(job.run, "dedupe", "crosswalk", "withheld"):
        rows = batch.scan().filter(pl.col("survivor_system") == space, pl.col(ROW).is_in(marked))
        found |= set(rows.select("survivor_key").collect().get_column("survivor_key"))
    return found


def kept_in_target(job: Job, spec: TableSpec) -> set[str]:
    """Records whose mark the last load found in the target, and kept."""
    found = set[str]()
    for run in job.ledger.runs():
        for batch in job.ledger.sealed(str(run.name), STAGE, spec.name, RAISED):
            rows = batch.read([KEY, "cause"]).filter(pl.col("cause") == BY_TARGET)
            found |= set(rows.get_column(KEY).drop_nulls())
    return found
