"""The crosswalk in the target against what it has to say: under which id each legacy record is found now."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casebridge.project.contracts import KEY
from casebridge.project.job import Job
from casebridge.reconciliation.counting.controls import Setting
from casebridge.reconciliation.reading.verified_files import RunFiles

TABLE, LOADED = "casebridge_crosswalk", "casebridge_applied"
SCHEMA = {
    "system": pl.String, "legacy_key": pl.String, "survivor_system": pl.String, "survivor_key": pl.String,
    "target_id": pl.String,
}  # fmt: skip
QUERY = f"SELECT {', '.join(SCHEMA)} FROM {TABLE}"  # noqa: S608 - names of ours


@dataclass(frozen=True)
class Ways:
    """How many legacy keys should lead to a record, and how many in the target do, to the right one;
    `strays` are lines of the target that should not be there."""

    expected: int = 0
    right: int = 0
    strays: int = 0


def compare_crosswalk(connection: sa.Connection, job: Job, files: RunFiles, setting: Setting) -> Ways | None:
    """None when nothing was linked, or where rows went by a supplier's hands: that has no tables of ours.
    setting: has the merged records."""
    register = {batch.table for batch in files.batches if (batch.stage, batch.kind) == ("dedupe", "golden")}
    inspector = sa.inspect(connection)
    if not register or not (inspector.has_table(TABLE) or inspector.has_table(LOADED)):
        return None
    expected, held = _expected(job, files, register, setting), _held(connection)
    right = expected.join(held, on=list(SCHEMA), how="semi")
    return Ways(expected.height, right.height, held.height - right.height)


def _expected(job: Job, files: RunFiles, register: set[str], setting: Setting) -> pl.DataFrame:
    """One line a record that was loaded, and one a record folded into one of those."""
    none = pl.DataFrame(schema={"system": pl.String, "legacy_key": pl.String, "target_id": pl.String})
    found = [none]
    for spec in (spec for spec in job.specs if spec.name in register):
        key, space = job.target.by_name[spec.target].id_column, setting.spaces.get(spec.name, spec.system)
        for batch in files.of("load", spec.name, "rows"):
            rows = batch.read([KEY, key]).select(pl.lit(space), pl.col(KEY), pl.col(key).cast(pl.String))
            found.append(rows.rename(dict(zip(rows.columns, none.columns, strict=True))))
    loaded = pl.concat(found)
    itself = loaded.with_columns(survivor_system=pl.col("system"), survivor_key=pl.col("legacy_key"))
    survivors = loaded.rename({"system": "survivor_system", "legacy_key": "survivor_key"})
    moved = setting.folded.select("system", pl.col("key").alias("legacy_key"), "survivor_system", "survivor_key")
    moved = moved.join(survivors, on=["survivor_system", "survivor_key"])
    return pl.concat([itself.select(*SCHEMA), moved.select(*SCHEMA)]).unique()


def _held(connection: sa.Connection) -> pl.DataFrame:
    if not sa.inspect(connection).has_table(TABLE):
        return pl.DataFrame(schema=SCHEMA)
    rows = [(*row[:-1], None if row[-1] is None else str(row[-1])) for row in connection.exec_driver_sql(QUERY)]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row").unique()
