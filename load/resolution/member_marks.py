"""Marks of restriction of the records that make one: each keeps its own, however long it is folded.

A survivor has the strictest mark of all its records. Which of them had which is kept in a file beside the rows of
its batch, so that what stands in the target says whose mark it is: when a group is taken apart each record has its
own back, and what somebody changed in the target since stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

import polars as pl
import sqlalchemy as sa

from casebridge.load.resolution.key_map import STAGE, Crosswalk
from casebridge.load.resolution.restriction import (
    Standing,
    ids_as_text,
    own_mark,
    own_rows,
    raised_of,
    standing_marks,
    strictest,
)
from casebridge.project.contracts import KEY, ROW, empty
from casebridge.project.identity import ids_of
from casebridge.project.job import Job
from casebridge.project.restriction import BY_TARGET, rank
from casebridge.project.spec import TableSpec

KIND = "member_marks"
MEMBERS: Mapping[str, pl.DataType] = {
    KEY: pl.String(),
    "id": pl.String(),
    "column": pl.String(),
    "member": pl.String(),
    "mark": pl.String(),
    "kept": pl.Boolean(),
}
"""A survivor (its key, and its id in the target), a record of its group (`member`, an id in the same table; the
survivor's own too) and that record's own mark. `kept`: the target has or had it, the source does not say it."""
WRITTEN: Mapping[str, pl.DataType] = {**MEMBERS, "written": pl.String()}
"""The file beside the rows: the mark that was written for the survivor, and whose marks it is made of."""


class _Stands(Protocol):
    """A batch that stands in the target."""

    @property
    def name(self) -> str: ...
    @property
    def number(self) -> int: ...
    @property
    def target_table(self) -> str: ...
    @property
    def inputs(self) -> str: ...


_AS_TEXT = pl.col("id", "member").cast(pl.String)
_OWN = {"system": "survivor_system", "key": "survivor_key"}


def own_marks(job: Job, connection: sa.Connection, there: Collection[_Stands]) -> Standing:
    """The marks that stand in the target, each of its own record: what a survivor has of the records folded into
    it is theirs, as long as the target still has what was written and the source still has them. Read only."""
    standing = standing_marks(connection, job.target)
    return {at: _apart(job, at, stands, there) for at, stands in standing.items()}


def _apart(job: Job, at: tuple[str, str], stands: pl.DataFrame, there: Collection[_Stands]) -> pl.DataFrame:
    table, column = at
    written = pl.concat([empty(WRITTEN), *(_beside(job, item) for item in there if item.target_table == table)])
    written = written.filter(pl.col("column") == column)
    if written.is_empty():
        return stands
    untouched = written.join(stands, left_on=["id", "written"], right_on=["id", "mark"], how="semi")
    theirs = written.filter(pl.col("id") != pl.col("member"))
    delivered = _delivered(job, table)
    lines = pl.concat([
        theirs.join(delivered, on="member", how="semi").select(pl.col("member").alias("id"), "mark"),
        theirs.join(delivered, on="member", how="anti").select("id", "mark"),
        untouched.filter(pl.col("id") == pl.col("member")).select("id", "mark"),
    ])  # fmt: skip
    (marks,) = (item for item in job.target.marks(table) if item.column == column)
    return strictest(marks, pl.concat([stands.join(untouched, on="id", how="anti"), lines]))


def _delivered(job: Job, table: str) -> pl.DataFrame:
    """The ids of all records of this run that a table takes, whatever became of their rows: `member`. Of a row
    that was rejected nobody knows the key that its spec would say: its mark stays with the survivor."""
    found = [pl.DataFrame(schema={"member": pl.String})]
    for spec in (spec for spec in job.specs if spec.target == table):
        clean, held = (
            job.ledger.sealed(job.run, "transform", spec.name, kind) for kind in ("clean", "quarantine")
        )
        none = pl.DataFrame(schema={KEY: pl.String()})
        keys = pl.concat([none, *(batch.read([KEY]) for batch in (*clean, *held))])
        ids = ids_as_text(job, spec, clean)
        found.append(ids.join(keys, on=KEY, how="semi").select(pl.col("id").alias("member")))
    return pl.concat(found)


def _beside(job: Job, item: _Stands) -> pl.DataFrame:
    """WRITTEN of a batch that stands in the target."""
    files = job.ledger.done(STAGE, item.name, item.number, item.inputs) or ()
    found = (batch.read().with_columns(_AS_TEXT) for batch in files if batch.kind == KIND)
    return pl.concat([empty(WRITTEN), *found])


def members_of(job: Job, spec: TableSpec, crosswalk: Crosswalk, standing: Standing) -> pl.DataFrame:
    """MEMBERS of the survivors that are rows of this spec. Read only."""
    if spec.name not in crosswalk.register or not job.target.marks(spec.target):
        return empty(MEMBERS)
    mine = _together(crosswalk).filter(pl.col("survivor_system") == crosswalk.space_of(spec))
    if mine.is_empty():
        return empty(MEMBERS)
    sides = [one for one in job.specs if one.name in crosswalk.register and one.target == spec.target]
    found = pl.concat([_alone(job, side, mine, crosswalk, standing) for side in sides])
    heads = own_rows(job, spec, job.ledger.sealed(job.run, "transform", spec.name, "clean")).select(KEY, "id")
    lines = mine.join(found, on=["system", "key"]).join(heads, left_on="survivor_key", right_on=KEY)
    lines = lines.rename({"survivor_key": KEY}).select(list(MEMBERS)).unique()
    return lines.sort(list(MEMBERS))


def _together(crosswalk: Crosswalk) -> pl.DataFrame:
    """Every record of every group: `system`, `key`, `survivor_system`, `survivor_key`; survivors too."""
    columns = [*_OWN, *_OWN.values()]
    folded = pl.concat([frame.select(columns) for frame in (crosswalk.folded, crosswalk.withheld)])
    own = folded.select(*(pl.col(there).alias(name) for name, there in _OWN.items()), *_OWN.values())
    return pl.concat([folded, own]).unique(maintain_order=True)


def _alone(
    job: Job, spec: TableSpec, together: pl.DataFrame, crosswalk: Crosswalk, standing: Standing
) -> pl.DataFrame:
    """The marks that records of one spec would have if none were folded: `system`, `key`, `column`, `member`,
    `mark`, `kept`."""
    space, alone = crosswalk.space_of(spec), Crosswalk((), crosswalk.register, crosswalk.spaces)
    rows = _rows_of(job, spec, together.filter(pl.col("system") == space), crosswalk)
    raised = raised_of(job, spec, rows, alone, standing, empty(MEMBERS))
    names = ["system", "key", "column", "member", "mark", "kept"]
    found = [pl.DataFrame(schema={"system": pl.String, "key": pl.String, **{n: MEMBERS[n] for n in names[2:]}})]
    for marks in job.target.marks(spec.target):
        said = raised.filter(pl.col("column") == marks.column).select(KEY, "value", "cause")
        mark = pl.coalesce("value", own_mark(marks.column)).alias("mark")
        lines = rows.join(said, on=KEY, how="left").with_columns(mark, kept=pl.col("cause").eq_missing(BY_TARGET))
        lines = lines.filter(rank(marks, pl.col("mark")) > 0, pl.col("id").is_not_null())
        lines = lines.with_columns(system=pl.lit(space), column=pl.lit(marks.column))
        found.append(lines.rename({KEY: "key", "id": "member"}).select(names))
    return pl.concat(found)


def _rows_of(job: Job, spec: TableSpec, wanted: pl.DataFrame, crosswalk: Crosswalk) -> pl.DataFrame:
    """The rows of some records as the spec made each (`own_rows`); of one that did not come through its source
    row, and no mark."""
    rows = own_rows(job, spec, job.ledger.sealed(job.run, "transform", spec.name, "clean"))
    rows = rows.filter(pl.col(KEY).is_in(wanted.get_column("key").implode()))
    gone = (
        crosswalk.withheld.filter(pl.col("system") == crosswalk.space_of(spec))
        .rename({"key": KEY})
        .join(rows, on=KEY, how="anti")
    )
    ids = ids_of(job, spec.target, spec.system, spec.sources[0].name)
    gone = gone.select(KEY, ROW).unique(KEY, maintain_order=True)
    gone = gone.join(ids.with_columns(pl.col("id").cast(pl.String)), on=KEY)
    return pl.concat([rows, gone], how="diagonal")


def written_beside(members: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """WRITTEN of some target rows (KEY, and the columns with marks)."""
    found = [empty(WRITTEN)]
    for (column,), lines in members.group_by(["column"], maintain_order=True):
        there = rows.select(KEY, pl.col(str(column)).cast(pl.String).alias("written"))
        found.append(lines.join(there, on=KEY).select(list(WRITTEN)))
    return pl.concat(found)
