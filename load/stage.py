"""Clean rows into the target, parents before children, each batch with its record in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from load.applied import Applied, applied, create_side_tables, forget_applied, note_applied
from load.crosswalk import NAME as CROSSWALK_BATCH
from load.crosswalk import NAME, write_crosswalk
from load.once import doubles
from load.resolve import resolve
from load.standing import STAGE, Crosswalk, Standing, read_crosswalk
from load.tables import TargetTables
from load.writers import delete_rows, writer_for
from project.batch import Batch, digest, write_batch
from project.contracts import KEY
from project.database import refusal, shown
from project.errors import CasebridgeError, TargetError
from project.identity import ids_of
from project.job import Job
from project.spec import TableSpec
from project.tally import Tally
from project.target import TargetTable

ENGINE = 1


def run(job: Job) -> Tally:
    """Bring the target to what this run's clean rows say. Returns the row account."""
    if job.ledger.signature(job.run):
        raise CasebridgeError(
            f"run {job.run} is signed and closed",
            hint="load under another name: `casebridge run --name NAME`",
        )
    engine = job.open_target()
    try:
        return _run(job, engine)
    except SQLAlchemyError as error:
        raise refusal(job.settings.target_url, error) from error
    finally:
        engine.dispose()


def _run(job: Job, engine: sa.Engine) -> Tally:
    tables = TargetTables(engine, job.target)
    tables.create()
    with engine.begin() as connection:
        create_side_tables(connection)
        there = applied(connection)
    crosswalk = read_crosswalk(job)
    loader = _Loader(job, engine, tables, there)
    total, wanted = Tally(), {(CROSSWALK_BATCH, 0)}
    for name in job.target.load_order:
        for spec in (spec for spec in job.specs if spec.target == name):
            batches = _resolve_table(job, spec, crosswalk)
            wanted |= {(batch.table, batch.number) for batch in batches}
            loader.load(spec, job.target.by_name[name], batches)
            total += job.ledger.tally(job.run, STAGE, spec.name)
    wanted.add((NAME, 0))
    loader.withdraw([item for place, item in there.items() if place not in wanted])
    tables.tighten()
    write_crosswalk(job, engine, crosswalk)
    return total


def _resolve_table(job: Job, spec: TableSpec, crosswalk: Crosswalk) -> tuple[Batch, ...]:
    """The table's load batches, made where anything under them changed."""
    order = job.target.load_order
    parents = {
        column.name: Standing(
            job,
            str(column.references),
            spec.system,
            crosswalk,
            early=order.index(str(column.references)) >= order.index(spec.target),
        )
        for column in spec.references
    }
    is_register = spec.name in crosswalk.register
    golden = job.ledger.standing(job.run, "dedupe", spec.name, "golden")
    source = job.ledger.standing(job.run, "transform", spec.name, "clean")
    under = digest(
        ENGINE,
        spec.digest,
        {name: parent.digest for name, parent in parents.items()},
        crosswalk.digest if is_register else "",
        [batch.sha256 for batch in golden],
        # What a merge made superfluous may stand in any batch of the table.
        [batch.sha256 for batch in source] if spec.once and crosswalk.folded.height else [],
    )
    sealed = [(batch.number, digest(under, batch.sha256)) for batch in source]
    pending = [
        (batch, inputs)
        for batch, (number, inputs) in zip(source, sealed, strict=True)
        if job.ledger.done(STAGE, spec.name, number, inputs) is None
    ]
    if pending:
        known = {name: parent.keys for name, parent in parents.items()}
        everyone = crosswalk.folded_of(spec.system).get_column(KEY)
        resolver = _Resolver(
            job,
            spec,
            ids=ids_of(job, spec.target, spec.system),
            parents=known,
            folded=everyone if is_register or spec.merged_only else everyone.clear(),
            golden=golden,
            doubled=doubles(spec, source, known, everyone),
        )
        for batch, inputs in pending:
            resolver.batch(batch, inputs)
    job.ledger.seal(job.run, STAGE, spec.name, sealed)
    return job.ledger.standing(job.run, STAGE, spec.name, "rows")


@dataclass(frozen=True)
class _Resolver:
    """Resolves the pending batches of one table against what is known of its own and its parents' keys."""

    job: Job
    spec: TableSpec
    ids: pl.DataFrame
    parents: dict[str, pl.DataFrame]
    folded: pl.Series
    golden: Sequence[Batch]
    doubled: pl.DataFrame

    def batch(self, batch: Batch, inputs: str) -> None:
        """One clean batch to one batch of target rows."""
        job, spec, number = self.job, self.spec, batch.number
        job.ledger.attempt(STAGE, spec.name, number, inputs)
        clean = batch.read()
        golden = pl.concat([item.read() for item in self.golden]) if self.golden else clean.clear()
        table = job.target.by_name[spec.target]
        made = resolve(clean, spec, table, self.ids, self.parents, self.folded, golden, self.doubled)
        files = [
            write_batch(job.work, STAGE, spec.name, number, "rows", inputs, made.rows),
            write_batch(job.work, STAGE, spec.name, number, "quarantine", inputs, made.quarantine),
        ]
        job.ledger.record(STAGE, spec.name, number, inputs, files, made.tally)


@dataclass
class _Loader:
    """Writes batches that are not in the target yet, and takes out those that should not be."""

    job: Job
    engine: sa.Engine
    tables: TargetTables
    there: dict[tuple[str, int], Applied]
    loose: bool = False

    def load(self, spec: TableSpec, table: TargetTable, batches: Sequence[Batch]) -> None:
        """Bring one spec's rows in. Batches that changed are replaced together, in one transaction,
        because a row may have moved from one to another; new ones go in one by one."""
        self.job.report.table(STAGE, spec.name, sum(batch.rows for batch in batches))
        standing = {number: item for (name, number), item in self.there.items() if name == spec.name}
        numbers = {batch.number for batch in batches}
        same = {b.number for b in batches if b.number in standing and standing[b.number].sha256 == b.sha256}
        stale = [item for number, item in standing.items() if number not in same]
        self.job.report.advance(sum(batch.rows for batch in batches if batch.number in same))
        changed = [batch for batch in batches if batch.number in standing and batch.number not in same]
        if stale:
            self._loosen()
            with self.engine.begin() as connection:
                for item in stale:
                    self._take_out(connection, item)
                for batch in changed:
                    self._put_in(connection, table, batch)
        for batch in (batch for batch in batches if batch.number not in standing):
            self._loosen()
            with self.engine.begin() as connection:
                self._put_in(connection, table, batch)
        for number in standing.keys() - numbers:
            del self.there[spec.name, number]

    def withdraw(self, items: Sequence[Applied]) -> None:
        """Take out the rows of specs that are no longer part of the project."""
        for item in items:
            self._loosen()
            with self.engine.begin() as connection:
                self._take_out(connection, item)

    def _loosen(self) -> None:
        if not self.loose:
            self.tables.loosen()
            self.loose = True

    def _put_in(self, connection: sa.Connection, table: TargetTable, batch: Batch) -> None:
        rows = batch.read([column.name for column in table.columns])
        writer_for(self.engine.dialect.name)(connection, self.tables.table(table.name), rows)
        note_applied(connection, batch, table.name, self.job.run)
        self.job.report.advance(batch.rows)

    def _take_out(self, connection: sa.Connection, item: Applied) -> None:
        found = self.job.ledger.done(STAGE, item.name, item.number, item.inputs) or ()
        files = [batch for batch in found if batch.kind == "rows" and batch.sha256 == item.sha256]
        if not files:
            raise TargetError(
                shown(self.engine.url),
                f"batch {item.number} of {item.name} stands in it, but its file is gone from work/load",
                hint="put the work folder of that load back, or load into an empty database",
            )
        key = self.job.target.by_name[item.target_table].primary_key
        ids = files[0].read([key]).get_column(key)
        delete_rows(connection, self.tables.table(item.target_table), key, ids)
        forget_applied(connection, item.name, item.number)
