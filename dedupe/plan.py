"""What linkage would do if it ran now."""

from __future__ import annotations

from collections.abc import Iterator

from casebridge.dedupe.candidates import NAME, STAGE, linkage_inputs, of_files, reads
from casebridge.dedupe.config import read_linkage
from casebridge.dedupe.stage import folding, standing_decisions
from casebridge.project.job import Job
from casebridge.project.plan import TablePlan, follows, planned


def plan_tables(job: Job) -> Iterator[TablePlan]:
    """The candidates, then the crosswalk and the golden rows of each register table. Writes nothing."""
    config = read_linkage(job.folder, job.specs)
    if config is None:
        return
    names = ("crosswalk", *config.tables)
    there = set(job.ledger.names(job.run, "transform"))
    if any(spec.name not in there for spec in job.specs if reads(config, spec.name)):
        yield from (follows(STAGE, name) for name in (NAME, *names))
        return
    # The control database is there once something was linked; before that no decision changes what is pending.
    decisions = standing_decisions(job) if job.ledger.in_use(STAGE) else []
    inputs, clean = linkage_inputs(job, config, decisions)
    people = sum(batch.rows for name in config.tables for batch in clean[name])
    done = job.ledger.done(STAGE, NAME, 0, inputs)
    yield planned(STAGE, NAME, ((0, inputs),), () if done else (0,), people)
    if done is None:
        yield from (follows(STAGE, name) for name in names)
        return
    inputs, _ = folding(job, config, of_files(done), decisions)
    for name in names:
        pending = () if job.ledger.done(STAGE, name, 0, inputs) else (0,)
        yield planned(STAGE, name, ((0, inputs),), pending, people)
