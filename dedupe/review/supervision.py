"""Whose verdicts somebody else looks at too: a reviewer who sees made-up pairs otherwise than they are.

That is no judgement of the person: it ends by itself as soon as the last made-up pairs are seen for what they are.
"""

from __future__ import annotations

import sqlalchemy as sa

from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.reraise import read_basis
from casebridge.dedupe.review.verdicts import SETTLING, Act, Opinion

LAST, MOST_MISSED = 10, 1
"""Of so many made-up pairs that somebody judged last so many may be missed."""


def known_answers(connection: sa.Connection, login: str, last: int | None = None) -> list[bool]:
    """For each made-up pair that somebody has judged, in order, whether he saw it for what it is; of the `last`
    words alone, if need be. What he took back, or could not tell, does not count; of several words on one pair the
    first does. Read only."""
    settling = [str(one) for one in SETTLING]
    query = sa.select(VERDICTS.c.item, VERDICTS.c.verdict, VERDICTS.c.basis).where(
        VERDICTS.c.login == login, VERDICTS.c.act == str(Act.VERDICT), VERDICTS.c.verdict.in_(settling),
        VERDICTS.c.basis.contains('"known"'),
    )  # fmt: skip
    first: dict[str, bool] = {}
    for row in reversed(connection.execute(query.order_by(VERDICTS.c.number.desc()).limit(last)).all()):
        first.setdefault(row.item, (row.verdict == Opinion.SAME) == (read_basis(row.basis).known == "same"))
    return list(first.values())


def is_supervised(connection: sa.Connection, login: str) -> bool:
    """Whether somebody else must say the same before this person's verdicts count. Read only."""
    return known_answers(connection, login, 2 * LAST)[-LAST:].count(False) > MOST_MISSED
