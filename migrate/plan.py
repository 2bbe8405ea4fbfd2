"""What a run would do, and how long it took last time: said before anything is done.

The stages say themselves what is pending. What is done already is sealed in a copy of the ledger, in memory,
so that each stage sees what it would see; the project is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import casebridge.dedupe.plan
import casebridge.extract.stage
import casebridge.load.plan
import casebridge.transform.stage
from casebridge.migrate.pipeline import ALWAYS, STAGES, counted_rows
from casebridge.migrate.run_guards import may_begin
from casebridge.project.errors import CasebridgeError, did_you_mean
from casebridge.project.job import Job
from casebridge.project.journal import Journal, Timing
from casebridge.project.plan import State, TablePlan, follows

TABLE_PLANS: Mapping[str, Callable[[Job], Iterator[TablePlan]]] = {
    "extract": casebridge.extract.stage.plan_tables,
    "transform": casebridge.transform.stage.plan_tables,
    "dedupe": casebridge.dedupe.plan.plan_tables,
    "load": casebridge.load.plan.plan_tables,
}


@dataclass(frozen=True)
class StagePlan:
    """One stage: its tables, and the last time that it did such work. `seconds` is None where nobody ever
    measured it."""

    stage: str
    state: State
    tables: tuple[TablePlan, ...]
    last: Timing | None
    seconds: float | None


def plan(job: Job, until: str | None = None) -> Iterator[StagePlan]:
    """The stages in order, up to `until`."""
    if until is not None and until not in STAGES:
        raise CasebridgeError(f"no stage `{until}`", hint=did_you_mean(until, STAGES))
    copy = job.ledger.copy()
    try:
        copy.forget(job.run)
        tried, before = replace(job, ledger=copy), State.DONE
        for stage in STAGES:
            may_begin(tried, stage)
            made = _stage(tried, stage, before)
            yield made
            if stage == until:
                return
            before = made.state
    finally:
        copy.close()


def forecast(job: Job, until: str | None = None) -> dict[str, float]:
    """The seconds that each stage up to `until` took when it was last done whole; empty when one never was."""
    journal, found = Journal(job.ledger), dict[str, float]()
    for stage in STAGES:
        last = journal.last_timing(stage)
        if last is None:
            return {}
        found[stage] = last.seconds
        if stage == until:
            break
    return found


def _stage(job: Job, stage: str, before: State) -> StagePlan:
    last = Journal(job.ledger).last_timing(stage)
    if stage == ALWAYS:
        state = State.PENDING if before is State.DONE else State.FOLLOWS
        return StagePlan(stage, state, (), last, last.seconds if last else None)
    tables = tuple(_tables(job, stage, before))
    states = {table.state for table in tables}
    state = next((s for s in (State.PENDING, State.FOLLOWS) if s in states), State.DONE)
    if not tables and before is not State.DONE:
        state = State.FOLLOWS
    return StagePlan(stage, state, tables, last, _seconds(job, stage, tables, last))


def _tables(job: Job, stage: str, before: State) -> Iterator[TablePlan]:
    for table in TABLE_PLANS[stage](job):
        if stage == "load" and before is not State.DONE:
            # Who is folded into whom decides where every row of the target points.
            yield follows(stage, table.table)
            continue
        if table.sealed:
            job.ledger.seal(job.run, stage, table.table, table.sealed)
        yield table


def _seconds(job: Job, stage: str, tables: tuple[TablePlan, ...], last: Timing | None) -> float | None:
    """As long as last time, by the rows; all of last time for what cannot be known yet."""
    if all(table.state is State.DONE for table in tables):
        return 0.0
    if last is None:
        return None
    if any(table.state is State.FOLLOWS or table.rows is None for table in tables):
        return last.seconds * max(1.0, last.rows / last.worked)
    rows = {(stage, table.table): table.rows or 0 for table in tables}
    return last.seconds * counted_rows(job, stage, rows) / last.worked
