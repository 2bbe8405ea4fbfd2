"""Takes the last run of a target out again, exactly: the target is brought back to what stood before it.

The immutable files of the runs before are the before-images; nothing else has to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.load.writing.applied import (
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
from casebridge.project.database import DRIVER_ERRORS, refusal
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job


@dataclass(frozen=True)
class TakenBack:
    """What rolling back does to one table, in rows."""

    name: str
    target: str
    deleted: int
    restored: int


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
    if not sa.inspect(engine).has_table("casebridge_runs"):
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
        others = dependents(connection, run.created_tables, tables.names_of_keys)
    if others:
        raise CasebridgeError(
            f"run {job.run} made tables that others have built on since: {', '.join(others[:10])}",
            hint="taking it back drops those tables: have the owner remove these first. Nothing was changed",
        )
    delivery = Delivery(job, engine, tables, there, _run_before(known))
    told = _told(job, delivery, wanted)
    if dry_run:
        return told
    for name, target in _tables(job, there, wanted):
        if target in run.created_tables:
            continue  # the whole table goes, at the end
        files = [delivery.file_of(item) for item in wanted if item.name == name]
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
        if not sa.inspect(delivery.engine).has_table("casebridge_runs"):
            return True
        with delivery.engine.connect() as connection:
            return run not in runs(connection)

    in_transaction(delivery.engine, work, done, job.report)


def _run_before(known: list[TargetRun]) -> str:
    return str(known[-2].run) if len(known) > 1 else ""


def _tables(job: Job, there: dict[tuple[str, int], Applied], wanted: list[Applied]) -> list[tuple[str, str]]:
    """Every table that either side has, children first."""
    items = [*there.values(), *wanted]
    names = {(item.name, item.target_table) for item in items if item.name != CROSSWALK_BATCH}
    order = {name: place for place, name in enumerate(job.target.load_order)}
    return sorted(names, key=lambda pair: (-order[pair[1]], pair[0]))


def _told(job: Job, delivery: Delivery, wanted: list[Applied]) -> list[TakenBack]:
    told = []
    for name, target in reversed(_tables(job, delivery.there, wanted)):
        now = {item.number: item for item in delivery.there.values() if item.name == name}
        then = {item.number: item for item in wanted if item.name == name}
        stale = [delivery.file_of(i) for n, i in now.items() if n not in then or then[n].sha256 != i.sha256]
        fresh = [delivery.file_of(i) for n, i in then.items() if n not in now or now[n].sha256 != i.sha256]
        moved = changes(stale, fresh, job.target.by_name[target])
        if moved.gone.len() or moved.put.len():
            told.append(TakenBack(name, target, moved.gone.len(), moved.put.len()))
    return told
