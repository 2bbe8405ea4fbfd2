"""What linkage would do if it ran now."""

from __future__ import annotations

from collections.abc import Iterator

from casebridge.dedupe.calibrated import calibrated_before
from casebridge.dedupe.candidates import STAGE, batch_name, linkage_inputs, of_files, reads
from casebridge.dedupe.config import read_registers
from casebridge.dedupe.stage import folding, standing_decisions
from casebridge.project.job import Job
from casebridge.project.plan import TablePlan, follows, planned


def plan_tables(job: Job) -> Iterator[TablePlan]:
    """The candidates of each register, then the crosswalk and the golden rows of each register table. Writes
    nothing."""
    registers = read_registers(job.folder, job.specs)
    if not registers:
        return
    names = ("crosswalk", *(name for one in registers for name in one.tables))
    there = set(job.ledger.names(job.run, "transform"))
    missing = [spec.name for spec in job.specs if spec.name not in there]
    if any(reads(config, name) for config in registers for name in missing):
        yield from (follows(STAGE, name) for name in (*map(batch_name, registers), *names))
        return
    # The control database is there once something was linked; before that no decision changes what is pending.
    decisions = standing_decisions(job, registers) if job.ledger.in_use(STAGE) else []
    found, records = [], 0
    for config in registers:
        inputs, clean = linkage_inputs(job, config, decisions)
        rows = sum(batch.rows for name in config.tables for batch in clean[name])
        done = job.ledger.done(STAGE, batch_name(config), 0, inputs)
        yield planned(STAGE, batch_name(config), ((0, inputs),), () if done else (0,), rows)
        records += rows
        found += [of_files(config, done)] if done else []
    put_right = calibrated_before(job, found, decisions) if len(found) == len(registers) else None
    if put_right is None:
        yield from (follows(STAGE, name) for name in names)
        return
    inputs, _ = folding(job, put_right, decisions)
    for name in names:
        pending = () if job.ledger.done(STAGE, name, 0, inputs) else (0,)
        yield planned(STAGE, name, ((0, inputs),), pending, records)
