"""What the load would do if it ran now: what has to be resolved, and what the target does not have yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

from casebridge.load.resolution.key_map import STAGE, Parents, read_crosswalk
from casebridge.load.resolution.member_marks import own_marks
from casebridge.load.resolution.restriction import Standing
from casebridge.load.stage import in_order, load_inputs
from casebridge.load.writing.applied import APPLIED, Applied, applied
from casebridge.project.database import DRIVER_ERRORS, refusal
from casebridge.project.job import Job
from casebridge.project.plan import State, TablePlan, follows, planned
from casebridge.project.spec import TableSpec

There = Mapping[tuple[str, int], Applied]


def plan_tables(job: Job) -> Iterator[TablePlan]:
    """The tables, parents before children. Reads the target's record of what stands in it; writes nothing."""
    try:
        there, standing = _there(job)
    except DRIVER_ERRORS as error:
        raise refusal(job.settings.target_url, error) from error
    crosswalk = read_crosswalk(job)
    parents, resolved = Parents(job, crosswalk), set[str]()
    for spec in in_order(job):
        if not _may_be_asked(job, spec, resolved):
            yield follows(STAGE, spec.name)
            continue
        inputs_of = load_inputs(job, spec, crosswalk, parents, standing)
        if inputs_of.pending:
            numbers = tuple(batch.number for batch, _ in inputs_of.pending)
            yield planned(STAGE, spec.name, (), numbers, sum(batch.rows for batch, _ in inputs_of.pending))
            continue
        resolved.add(spec.name)
        yield _written(job, spec, inputs_of.sealed, there)


def _there(job: Job) -> tuple[There, Standing]:
    """What stands in the target, and the marks of restriction in it. A target that is not there yet is not made by
    looking for it."""
    url = sa.make_url(job.settings.target_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return {}, {}
    engine = job.open_target()
    try:
        if not sa.inspect(engine).has_table(APPLIED.name):
            return {}, {}
        with engine.connect() as connection:
            there = applied(connection)
            return there, own_marks(job, connection, there.values())
    finally:
        engine.dispose()


def _may_be_asked(job: Job, spec: TableSpec, resolved: set[str]) -> bool:
    """Whether everything is known that says where the keys of this table's parents stand."""
    order, converted = job.target.load_order, set(job.ledger.names(job.run, "transform"))
    for name in {str(column.references) for column in spec.references}:
        early = order.index(name) >= order.index(spec.target)
        parents = {parent.name for parent in job.specs if parent.target == name}
        if not parents <= (converted if early else resolved):
            return False
    return spec.name in converted


def _written(job: Job, spec: TableSpec, sealed: tuple[tuple[int, str], ...], there: There) -> TablePlan:
    """All rows of the table are resolved: which of its batches does the target not have?"""
    files = {n: job.ledger.done(STAGE, spec.name, n, inputs) or () for n, inputs in sealed}
    rows = {n: batch for n, found in files.items() for batch in found if batch.kind == "rows"}
    stand = {number: item.sha256 for (name, number), item in there.items() if name == spec.name}
    missing = tuple(number for number, batch in rows.items() if stand.get(number) != batch.sha256)
    state = State.PENDING if missing or stand.keys() - rows.keys() else State.DONE
    return TablePlan(STAGE, spec.name, state, missing, sum(rows[number].rows for number in missing), sealed)
