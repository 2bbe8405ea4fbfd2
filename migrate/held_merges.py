"""Merges whose hold is over become decisions when a run comes to them, whether or not anybody opened the desk."""

from __future__ import annotations

import sqlalchemy as sa

from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.evidence_on_record import current_evidence
from casebridge.migrate.decision_guard import has_control
from casebridge.project.errors import counted
from casebridge.project.job import Job


def release_held(job: Job) -> int:
    """Release what is due, and say how many merges that were. Costs one question where nobody used the desk."""
    if not job.keeps or not _somebody_decided(job) or current_evidence(job.work) is None:
        return 0
    desk = Desk(job.settings)
    try:
        released = desk.release_due()
    finally:
        desk.close()
    if released:
        job.report.note(f"{counted(released, 'merge')} whose hold is over: released, and taken up by this run")
    return released


def _somebody_decided(job: Job) -> bool:
    if not has_control(job):
        return False
    engine = job.open_control()
    if not sa.inspect(engine).has_table(VERDICTS.name):
        return False
    with engine.connect() as connection:
        return connection.execute(sa.select(VERDICTS.c.number).limit(1)).first() is not None
