"""How the work at a desk goes: verdicts by day, and the pace of one person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from casebridge.dedupe.review.decisions import Decision
from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.desk_state import EVERYTHING
from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.evidence_file import Person
from casebridge.dedupe.review.evidence_on_record import current_evidence
from casebridge.dedupe.review.supervision import known_answers
from casebridge.dedupe.review.verdicts import Act


def seconds_of(desk: Desk, login: str, day: str) -> list[int]:
    """For each verdict of somebody on a day, the seconds for which the page was open."""
    query = sa.select(VERDICTS.c.seconds).where(
        VERDICTS.c.login == login, VERDICTS.c.act == str(Act.VERDICT), VERDICTS.c.at.startswith(day)
    )
    with desk.engine.connect() as connection:
        return [int(seconds) for seconds in connection.scalars(query)]


def decided_within(desk: Desk, ids: Sequence[str]) -> list[Decision]:
    """The decisions that stand between some records, with who decided."""
    inside = set(ids)
    return [d for d in desk.decisions.standing() if {d.left_id, d.right_id} <= inside]


def known_of(desk: Desk, login: str) -> tuple[int, int]:
    """How many made-up pairs somebody has judged, and how many of them he saw for what they are."""
    with desk.engine.connect() as connection:
        answers = known_answers(connection, login)
    return len(answers), sum(answers)


def records_of(desk: Desk, items: Iterable[str]) -> dict[str, list[Person]]:
    """The records of some pairs of the last run, whoever may see them: for an audit, which shows none."""
    if current_evidence(desk.settings.work) is None:
        return {}
    evidence = desk.evidence()
    pairs = {item: pair for item in items if (pair := evidence.pair(item, EVERYTHING)) is not None}
    ids = sorted({one for pair in pairs.values() for one in (pair.left_id, pair.right_id)})
    people = evidence.people(ids, EVERYTHING)
    return {item: [people[one] for one in (pair.left_id, pair.right_id) if one in people]
            for item, pair in pairs.items()}  # fmt: skip


def said_by_day(desk: Desk, clearance: int) -> list[tuple[str, Mapping[str, int]]]:
    """How many verdicts of each kind there were on each day, on pairs that a reader may see."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for pair, acts in desk.said(clearance):
        for act in acts if not pair.known else ():
            if act.act is Act.VERDICT:
                found[act.at[:10]][act.verdict] += 1
    return sorted(found.items(), reverse=True)
