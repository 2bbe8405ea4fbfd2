"""Which files of the load the target rests on: what stands in it, and what a rollback would put back."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from casebridge.load.resolution.key_map import STAGE
from casebridge.load.writing.applied import APPLIED, BEFORE
from casebridge.project.database import DRIVER_ERRORS, refusal
from casebridge.project.job import Job


def files_needed(job: Job) -> set[str]:
    """Their names. TargetError when the target cannot be asked: nobody deletes what it may rest on."""
    url = sa.make_url(job.settings.target_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        return set()
    engine = job.open_target()
    try:
        with engine.connect() as connection:
            there = sa.inspect(connection)
            rows = [
                row
                for table in (APPLIED, BEFORE)
                if there.has_table(table.name)
                for row in connection.execute(sa.select(table.c.name, table.c.number, table.c.inputs))
            ]
    except DRIVER_ERRORS as error:
        raise refusal(job.settings.target_url, error) from error
    finally:
        engine.dispose()
    batches = (b for row in rows for b in job.ledger.done(STAGE, row.name, row.number, row.inputs) or ())
    return {batch.path.name for batch in batches}
