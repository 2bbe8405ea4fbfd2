"""The crosswalk in the target: each legacy key of a register, the record it became, and that record's id."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import sqlalchemy as sa

from casebridge.load.resolution.key_map import STAGE, Crosswalk, KeyMap
from casebridge.load.writing.applied import (
    BEFORE,
    CROSSWALK,
    applied,
    create_side_tables,
    forget_applied,
    note_applied,
)
from casebridge.load.writing.retry import in_transaction, repeatable
from casebridge.load.writing.writers import writer_for
from casebridge.project.batch import Batch, digest, file_digest, write_batch
from casebridge.project.contracts import KEY
from casebridge.project.job import Job
from casebridge.project.no_link import NoLink
from casebridge.project.tally import Tally

NAME = "casebridge_crosswalk"


def write_crosswalk(job: Job, engine: sa.Engine, crosswalk: Crosswalk) -> None:
    """Put this run's crosswalk into the target, whole, in one transaction, when it has changed."""
    specs = [spec for spec in job.specs if spec.name in crosswalk.register]
    key_maps = {(spec.system, spec.target): KeyMap(job, spec.target, spec.system, crosswalk) for spec in specs}
    inputs = digest(crosswalk.digest, [key_map.digest for key_map in key_maps.values()])
    found = job.ledger.done(STAGE, NAME, 0, inputs)
    if found is None:
        job.ledger.attempt(STAGE, NAME, 0, inputs)
        rows = _rows(crosswalk, list(key_maps.values()))
        found = (write_batch(job.work, STAGE, NAME, 0, "crosswalk", inputs, rows),)
        tally = Tally(read=rows.height, passed=rows.height)
        job.ledger.record(STAGE, NAME, 0, inputs, found, tally)
    put_crosswalk(job, engine, found[0], job.run)


def put_crosswalk(job: Job, engine: sa.Engine, batch: Batch | None, run: str) -> None:
    """Bring the crosswalk in the target to a file's rows, or to none."""

    def work(connection: sa.Connection) -> None:
        create_side_tables(connection)
        into = _table_for(connection, batch)
        there = applied(connection).get((NAME, 0))
        rows = connection.scalar(sa.select(sa.func.count()).select_from(into))
        if (there.sha256 if there else None) == (batch.sha256 if batch else None) and rows == (
            batch.rows if batch else 0
        ):
            return
        connection.execute(into.delete())
        forget_applied(connection, NAME, 0)
        if batch:
            writer_for(engine.dialect.name)(connection, into, batch.read())
            note_applied(connection, batch, NAME, run)

    in_transaction(engine, work, repeatable, job.report, job.target.load_order)


def _table_for(connection: sa.Connection, batch: Batch | None) -> sa.Table:
    """The crosswalk's table. It is ours, and made again where the ids are no whole numbers and were, or the other
    way round."""
    ids = batch.scan().collect_schema()["target_id"] if batch else pl.Int64()
    (real,) = (c for c in sa.inspect(connection).get_columns(NAME) if c["name"] == "target_id")
    into = CROSSWALK.to_metadata(sa.MetaData())
    into.c.target_id.type = sa.BigInteger() if ids.is_integer() else sa.String(200)
    if isinstance(real["type"], sa.Integer) != ids.is_integer():
        into.drop(connection)
        into.create(connection)
        forget_applied(connection, NAME, 0)
    return into


def drop_protected(job: Job, engine: sa.Engine) -> None:
    """Crosswalk files that nobody needs any more, or that fold a record of the no-link list, are deleted: they
    put somebody beside others who came on the list later. What is in the target is never such a file."""
    no_link = NoLink(job)
    if not no_link:
        return
    with engine.connect() as connection:
        needed = {item.sha256 for item in applied(connection).values() if item.name == NAME}
        needed_before = set(connection.scalars(sa.select(BEFORE.c.sha256).where(BEFORE.c.name == NAME)))
    for path in (job.work / STAGE / NAME).glob("*.parquet"):
        sha256 = file_digest(path)
        if sha256 not in needed and (sha256 not in needed_before or _folds(path, no_link)):
            path.unlink()


def _folds(path: Path, no_link: NoLink) -> bool:
    rows = pl.read_parquet(path)
    folded = rows.filter(pl.struct("system", "legacy_key") != pl.struct(
        pl.col("survivor_system").alias("system"), pl.col("survivor_key").alias("legacy_key")))  # fmt: skip
    ids = {f"{system}:{key}" for row in folded.rows() for system, key in (row[:2], row[2:4])}
    return bool(no_link.hidden(ids))


def _rows(crosswalk: Crosswalk, key_maps: list[KeyMap]) -> pl.DataFrame:
    """One row a legacy key: system, legacy_key, survivor_system, survivor_key, target_id."""
    kinds = {key_map.keys.schema["id"] for key_map in key_maps} or {pl.Int64()}
    kind = kinds.pop() if len(kinds) == 1 else pl.String()
    schema = {column.name: kind if column.name == "target_id" else pl.String() for column in CROSSWALK.c}
    frames = [pl.DataFrame(schema=schema)]
    folded = crosswalk.folded.select("system", pl.col("key").alias(KEY), "survivor_system", "survivor_key")
    for key_map in key_maps:
        keys = key_map.keys.filter(pl.col("id").is_not_null()).with_columns(system=pl.lit(key_map.space))
        joined = keys.join(folded, on=["system", KEY], how="left")
        frames.append(
            joined.select(
                "system",
                pl.col(KEY).alias("legacy_key"),
                pl.col("survivor_system").fill_null(pl.col("system")),
                pl.col("survivor_key").fill_null(pl.col(KEY)),
                pl.col("id").cast(kind).alias("target_id"),
            )
        )
    return pl.concat(frames).sort("system", "legacy_key")
