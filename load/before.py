"""What can be told of a target before anything is read: whether its tables can take our columns."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from casebridge.load.writing.tables import columns_present
from casebridge.project.database import DRIVER_ERRORS, refusal
from casebridge.project.job import Job


def check_target(job: Job) -> None:
    """TargetError when a table that is there lacks a column of target.toml. A database that is not there yet is
    not made by looking for it. Writes nothing."""
    url = sa.make_url(job.settings.target_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return
    engine = job.open_target()
    try:
        with engine.connect() as connection:
            columns_present(connection, job.target)
    except DRIVER_ERRORS as error:
        raise refusal(job.settings.target_url, error) from error
    finally:
        engine.dispose()
