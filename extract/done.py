"""Which batches of a source table are done, and on what each of them depends."""

from __future__ import annotations

from casebridge.extract.dump import SourceTable
from casebridge.project.batch import Batch, digest
from casebridge.project.job import Job

STAGE = "extract"


def done_batches(job: Job, table: SourceTable) -> tuple[list[tuple[Batch, ...]], bool]:
    """The batches of a table that are done, from its beginning, and whether they are all there is."""
    name, size = str(table.source), job.settings.batch_rows
    before: list[tuple[Batch, ...]] = []
    while batches := job.ledger.done(STAGE, name, len(before), inputs_of(job, table, size, len(before))):
        before.append(batches)
    end = inputs_of(job, table, size, len(before), end=True)
    return before, bool(before) and job.ledger.done(STAGE, name, len(before), end) is not None


def inputs_of(job: Job, table: SourceTable, size: int, number: int, *, end: bool = False) -> str:
    """Everything that a batch depends on. The table's end is a batch of no files, so that a finished table
    is known without reading it."""
    parts = [(part.name, part.sha256) for part in table.parts]
    return digest(job.code(STAGE), repr(table.read), parts, size, number, "end" if end else "batch")
