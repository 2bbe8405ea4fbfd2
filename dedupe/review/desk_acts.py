"""What was said of one pair at the desk, as a transaction sees it that is about to add to it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from casebridge.dedupe.review.desk_state import DeskState
from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.desk_words import Form, Refused
from casebridge.dedupe.review.evidence_file import PairEvidence
from casebridge.dedupe.review.verdicts import Act, Said


def acts_of(connection: sa.Connection, pair: PairEvidence) -> list[Said]:
    """All of it, oldest first."""
    rows = connection.execute(sa.select(VERDICTS).where(VERDICTS.c.item == pair.item).order_by(VERDICTS.c.number))
    return [DeskState.said(row._mapping) for row in rows]


def is_taken(connection: sa.Connection, form: Form) -> bool:
    """Whether this very form was taken already."""
    return connection.scalar(sa.select(VERDICTS.c.number).where(VERDICTS.c.form == form.key)) is not None


def check_unchanged(acts: Sequence[Said], form: Form) -> None:
    """Refused when something was said since the page of the form was made."""
    if max((said.number for said in acts if said.act is not Act.CHECK), default=0) != form.seen:
        raise Refused("somebody has said something of this pair since the page was made",
                      hint="read the page again")  # fmt: skip


def last_word(acts: Sequence[Said], login: str) -> Said | None:
    """Somebody's last verdict, unless it was withdrawn."""
    mine = [act for act in acts if act.login == login]
    return mine[-1] if mine and mine[-1].act is Act.VERDICT else None
