"""Decisions that a run followed must not vanish: a lost control database would undo every merge unseen.

Decisions are append-only. So the ledger keeps how many pairs were decided when the last run looked, and a
control database that knows fewer of them is not the one that was followed.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from casebridge.dedupe.review.decisions import DECISIONS
from casebridge.project.errors import CasebridgeError, counted
from casebridge.project.job import Job
from casebridge.project.journal import Journal

_READ_THEM = ("extract", "transform", "dedupe")
"""Stages that come before decisions are read, or read them: a whole run stops before it does anything."""


def check_decisions_followed(job: Job, stage: str) -> None:
    """CasebridgeError when decisions that were followed are gone. Writes nothing."""
    followed = Journal(job.ledger).followed()
    if followed is None or stage not in _READ_THEM:
        return
    gone = followed.pairs - decided_pairs(job)
    if gone > 0:
        raise CasebridgeError(
            f"{counted(gone, 'decision')} that run {followed.run} followed {'is' if gone == 1 else 'are'} gone "
            "from the control database",
            hint="restore the database that control.url names, or take the files of decisions in again with "
            "`casebridge decide FILE.csv`. To go on without them, which takes merged records apart again: "
            "`casebridge run --without-lost-decisions`",
        )


def note_decisions_followed(job: Job) -> None:
    """Linkage has looked: what the control database has now is what was followed."""
    journal, pairs = Journal(job.ledger), decided_pairs(job)
    last = journal.followed()
    if pairs != (last.pairs if last else 0):
        journal.follow(job.run, pairs)


def decided_pairs(job: Job) -> int:
    """How many pairs have a decision. Makes no database where there is none."""
    url = sa.make_url(job.settings.control_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return 0
    engine = job.open_control()
    try:
        if not sa.inspect(engine).has_table(DECISIONS.name):
            return 0
        pairs = sa.select(DECISIONS.c.left_id, DECISIONS.c.right_id).distinct().subquery()
        with engine.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.count()).select_from(pairs)) or 0)
    finally:
        engine.dispose()
