"""Decisions that a run followed must not vanish: a lost control database would undo every merge unseen.

Decisions are append-only. So the ledger keeps how many pairs were decided when the last run looked, and the head
of the audit log: a control database that knows fewer of them, or another head, is not the one that was followed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from casebridge.dedupe.review.decision_log import PROPOSED, UNPROPOSED, DecisionLog
from casebridge.project.audit import START, Head
from casebridge.project.audit_heads import AuditHeads
from casebridge.project.errors import CasebridgeError, counted
from casebridge.project.job import Job
from casebridge.project.journal import Journal

_READ_THEM = ("extract", "transform", "dedupe")
"""Stages that come before decisions are read, or read them: a whole run stops before it does anything."""


def check_decisions_followed(job: Job, stage: str) -> None:
    """CasebridgeError when decisions that were followed are gone or were changed. Writes nothing."""
    if stage not in _READ_THEM:
        return
    journal = Journal(job.ledger)
    followed = journal.followed()
    gone = (followed.pairs if followed else 0) - decided_pairs(job)
    if followed and gone > 0:
        raise CasebridgeError(
            f"{counted(gone, 'decision')} that run {followed.run} followed {'is' if gone == 1 else 'are'} gone "
            "from the control database",
            hint="restore the database that control.url names, or take the files of decisions in again with "
            "`casebridge decide FILE.csv`. To go on without them, which takes merged records apart again: "
            "`casebridge run --without-lost-decisions`",
        )
    if decided_pairs(job):
        DecisionLog(job.audit_log()).check(heads_noted(job))


@dataclass(frozen=True)
class Looked:
    """What the control database had when linkage began to look: people go on deciding while a run goes on."""

    pairs: int
    head: Head


def look_at_decisions(job: Job) -> Looked:
    """What stands in the control database now. Read only."""
    return Looked(decided_pairs(job), job.audit_log().head() if has_control(job) else Head(0, START))


def note_decisions_followed(job: Job, looked: Looked | None = None) -> None:
    """Linkage has looked, and this is what it followed."""
    looked = looked or look_at_decisions(job)
    journal = Journal(job.ledger)
    last = journal.followed()
    if looked.pairs != (last.pairs if last else 0):
        journal.follow(job.run, looked.pairs)
    AuditHeads(job.ledger).note(job.run, looked.head.number, looked.head.link)


def log_was_lost(job: Job) -> bool:
    """Whether a run has followed an audit log, and there is none now. Read only."""
    last = AuditHeads(job.ledger).last()
    return last is not None and last[0] > 0 and job.audit_log().head().number == 0


def note_new_log(job: Job) -> None:
    """Before decisions are taken in again: an audit log that was lost starts again, and that is on record."""
    if log_was_lost(job):
        AuditHeads(job.ledger).note(job.run, 0, START)


def take_over_old_decisions(job: Job) -> None:
    """Decisions from before there was an audit log are written into it, once. This comes before anything else is
    written there: in a log that has begun, a decision that it does not know was added by somebody else."""
    if has_control(job) and AuditHeads(job.ledger).last() is None:
        DecisionLog(job.audit_log(writing=True)).adopt()


def decisions_since(job: Job) -> int:
    """How many decisions were taken after this run looked at them. Read only."""
    noted = AuditHeads(job.ledger).of(job.run)
    if noted is None or not decided_pairs(job):
        return 0
    return sum(1 for entry in job.audit_log().entries(PROPOSED, UNPROPOSED) if entry.number > noted[0])


def decisions_say(job: Job) -> tuple[str, ...]:
    """What is wrong with the decisions, in sentences. Read only."""
    return DecisionLog(job.audit_log()).problems(heads_noted(job)) if decided_pairs(job) else ()


def heads_noted(job: Job) -> tuple[Head, ...]:
    """The head of the audit log that the ledger has noted, if any. Read only."""
    noted = AuditHeads(job.ledger).last()
    return (Head(*noted),) if noted else ()


def decided_pairs(job: Job) -> int:
    """How many pairs have a decision, forgotten ones among them. Makes no database where there is none."""
    return DecisionLog(job.audit_log()).pairs() if has_control(job) else 0


def has_control(job: Job) -> bool:
    """Whether there is a control database. One on a server is."""
    url = sa.make_url(job.settings.control_url)
    return url.get_backend_name() != "sqlite" or Path(url.database or "").is_file()
