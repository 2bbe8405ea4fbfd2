"""Takes the last run of a target out again, exactly: the target is brought back to what stood before it.

The immutable files of the runs before are the before-images; nothing else has to be kept. One thing is not taken
back: a mark of restriction that is stricter in the target than it was before. Whoever set it, only a person lowers
it; but what a survivor has of a record that was folded into it goes back to that record.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casebridge.load.resolution.key_map import STAGE
from casebridge.load.resolution.member_marks import KIND as MEMBER_MARKS
from casebridge.load.resolution.member_marks import own_marks
from casebridge.load.resolution.restriction import Standing, with_standing
from casebridge.load.writing.applied import (
    RUNS,
    Applied,
    TargetRun,
    applied,
    before,
    create_side_tables,
    drop_side_tables,
    forget_applied,
    forget_run,
    runs,
)
from casebridge.load.writing.changes import changes
from casebridge.load.writing.crosswalk import NAME as CROSSWALK_BATCH
from casebridge.load.writing.crosswalk import put_crosswalk
from casebridge.load.writing.delivery import Delivery
from casebridge.load.writing.failpoints import failpoint
from casebridge.load.writing.foreign_keys import dependents
from casebridge.load.writing.retry import in_transaction
from casebridge.load.writing.tables import TargetTables
from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.database import DRIVER_ERRORS, refusal
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job
from casebridge.project.tally import Tally


@dataclass(frozen=True)
class TakenBack:
    """What rolling back does to one table, in rows. `restricted` are restored rows that keep a stricter mark."""

    name: str
    target: str
    deleted: int
    restored: int
    restricted: int = 0


def rollback(job: Job, *, dry_run: bool = False) -> list[TakenBack]:
    """Roll back `job.run`, which must be the last one that loaded this target. Run again after a crash."""
    if job.ledger.signature(job.run):
        raise CasebridgeError(
            f"run {job.run} is signed and closed", hint="what a board has signed is not taken back"
        )
    engine = job.open_target()
    try:
        return _rollback(job, engine, dry_run=dry_run)
    except DRIVER_ERRORS as error:
        raise refusal(job.settings.target_url, error) from error
    finally:
        engine.dispose()


def _rollback(job: Job, engine: sa.Engine, *, dry_run: bool) -> list[TakenBack]:
    if not sa.inspect(engine).has_table(RUNS.name):
        raise CasebridgeError(f"run {job.run} never loaded this target", hint="there is nothing to take back")
    tables = TargetTables(engine, job.target)
    with engine.begin() as connection:
        create_side_tables(connection)
        known, there = runs(connection), applied(connection)
        if not known or known[-1].run != job.run:
            last = f"the last one is {known[-1].run}" if known else "none is left"
            raise CasebridgeError(
                f"run {job.run} is not the last that loaded this target; {last}",
                hint="runs are taken back one by one, the last one first",
            )
        run, wanted = known[-1], before(connection, known[-1].number)
        standing = own_marks(job, connection, there.values())
        others = dependents(connection, run.created_tables, tables.names_of_keys)
    if others:
        raise CasebridgeError(
            f"run {job.run} made tables that others have built on since: {', '.join(others[:10])}",
            hint="taking it back drops those tables: have the owner remove these first. Nothing was changed",
        )
    delivery = Delivery(job, engine, tables, there, _run_before(known))
    before_images = _BeforeImages(job, delivery, standing)
    told = _told(job, before_images, wanted)
    if dry_run:
        return told
    for name, target in _tables(job, there, wanted):
        if target in run.created_tables:
            continue  # the whole table goes, at the end
        files = [before_images.put_back(item) for item in wanted if item.name == name]
        delivery.bring(name, job.target.by_name[target], files)
        failpoint("in rollback")
    crosswalk = [item for item in wanted if item.name == CROSSWALK_BATCH]
    put_crosswalk(job, engine, delivery.file_of(crosswalk[0]) if crosswalk else None, _run_before(known))
    _forget(job, delivery, run)
    job.ledger.close_run(job.run, "rolled back")
    return told


def _forget(job: Job, delivery: Delivery, run: TargetRun) -> None:
    """The tables that the run made, its keys and its records go in one transaction."""

    def work(connection: sa.Connection) -> None:
        delivery.tables.restore(connection, run.created_tables, run.keys_found)
        for item in applied(connection).values():
            if item.target_table in run.created_tables:
                forget_applied(connection, item.name, item.number)
        forget_run(connection, run.number)
        if not runs(connection):
            drop_side_tables(connection)
        failpoint("before the run is forgotten")

    def done() -> bool:
        if not sa.inspect(delivery.engine).has_table(RUNS.name):
            return True
        with delivery.engine.connect() as connection:
            return run not in runs(connection)

    in_transaction(delivery.engine, work, done, job.report, job.target.load_order)


def _run_before(known: list[TargetRun]) -> str:
    return str(known[-2].run) if len(known) > 1 else ""


def _tables(job: Job, there: dict[tuple[str, int], Applied], wanted: list[Applied]) -> list[tuple[str, str]]:
    """Every table that either side has, children first."""
    items = [*there.values(), *wanted]
    names = {(item.name, item.target_table) for item in items if item.name != CROSSWALK_BATCH}
    order = {name: place for place, name in enumerate(job.target.load_order)}
    return sorted(names, key=lambda pair: (-order[pair[1]], pair[0]))


@dataclass(frozen=True)
class _BeforeImages:
    """The files of what stood before, each with the stricter marks that stand in the target now."""

    job: Job
    delivery: Delivery
    standing: Standing

    def rows(self, item: Applied) -> tuple[Batch, pl.DataFrame | None, int]:
        """The file; its rows where marks of them are stricter now, and how many that is."""
        batch, table = self.delivery.file_of(item), self.job.target.by_name[item.target_table]
        there = [m for m in self.job.target.marks(table.name) if (table.name, m.column) in self.standing]
        if not there:
            return batch, None, 0
        was = batch.read()
        stand = [self.standing[table.name, m.column] for m in there]
        now = with_standing(was, table.id_column, there, stand)
        count = int((was.hash_rows() != now.hash_rows()).sum())
        return (batch, now, count) if count else (batch, None, 0)

    def put_back(self, item: Applied) -> Batch:
        """The file to bring in, written again where it has to be."""
        batch, rows, _ = self.rows(item)
        if rows is None:
            return batch
        inputs = digest("with the marks of the target", batch.inputs, batch.sha256, rows.hash_rows().sum())
        known = self.job.ledger.done(STAGE, item.name, item.number, inputs)
        if known is None:
            self.job.ledger.attempt(STAGE, item.name, item.number, inputs)
            known = tuple(
                write_batch(self.job.work, STAGE, item.name, item.number, kind, inputs, frame)
                for kind, frame in {"rows": rows, **self._beside(item)}.items()
            )
            self.job.ledger.record(STAGE, item.name, item.number, inputs, known, Tally())
        return known[0]

    def _beside(self, item: Applied) -> dict[str, pl.DataFrame]:
        """Whose marks its survivors have."""
        found = self.job.ledger.done(STAGE, item.name, item.number, item.inputs) or ()
        return {batch.kind: batch.read() for batch in found if batch.kind == MEMBER_MARKS}


def _told(job: Job, before_images: _BeforeImages, wanted: list[Applied]) -> list[TakenBack]:
    delivery, told = before_images.delivery, []
    for name, target in reversed(_tables(job, delivery.there, wanted)):
        now = {item.number: item for item in delivery.there.values() if item.name == name}
        then = {item.number: item for item in wanted if item.name == name}
        stale = [delivery.file_of(i) for n, i in now.items() if n not in then or then[n].sha256 != i.sha256]
        fresh = [delivery.file_of(i) for n, i in then.items() if n not in now or now[n].sha256 != i.sha256]
        moved = changes(stale, fresh, job.target.by_name[target])
        if moved.gone.height or moved.put.height:
            kept = sum(before_images.rows(item)[2] for item in then.values())
            told.append(TakenBack(name, target, moved.gone.height, moved.put.height, kept))
    return told
