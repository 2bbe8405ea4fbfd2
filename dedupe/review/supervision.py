"""Whose verdicts somebody else looks at too: a reviewer who sees made-up pairs otherwise than they are.

That is no judgement of the person: it ends by itself as soon as the last made-up pairs are seen for what they are.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.reraise import read_basis
from casebridge.dedupe.review.verdicts import SETTLING, Act, Opinion

LAST, MOST_MISSED = 10, 1
"""Of so many made-up pairs that somebody judged last so many may be missed."""
REMEMBERED = 60.0
"""Seconds for which a desk believes what it found."""


def known_answers(connection: sa.Connection, login: str) -> list[bool]:
    """For each made-up pair that somebody has judged, in order, whether he saw it for what it is. What he took
    back, or could not tell, does not count; of several words on one pair the first does. Read only."""
    settling = [str(one) for one in SETTLING]
    query = sa.select(VERDICTS.c.number, VERDICTS.c.item, VERDICTS.c.verdict, VERDICTS.c.basis).where(
        VERDICTS.c.login == login, VERDICTS.c.act == str(Act.VERDICT), VERDICTS.c.verdict.in_(settling),
        VERDICTS.c.basis.contains('"known"'),
    )  # fmt: skip
    first: dict[str, bool] = {}
    for row in sorted(connection.execute(query), key=lambda row: int(row.number)):
        first.setdefault(row.item, (row.verdict == Opinion.SAME) == (read_basis(row.basis).known == "same"))
    return list(first.values())


def is_supervised(connection: sa.Connection, login: str) -> bool:
    """Whether somebody else must say the same before this person's verdicts count. Read only."""
    return known_answers(connection, login)[-LAST:].count(False) > MOST_MISSED


class Supervision:
    """Who is supervised, as one desk knows it: worked out again after each made-up pair, and every REMEMBERED
    seconds, since another desk may have shown one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._known = clock, dict[str, tuple[float, bool]]()

    def of(self, connection: sa.Connection, login: str) -> bool:
        """Whether somebody's verdicts need another's."""
        at, found = self._known.get(login, (0.0, False))
        if self._clock() - at >= REMEMBERED:
            found = is_supervised(connection, login)
            self._known[login] = (self._clock(), found)
        return found

    def forget(self, login: str) -> None:
        """He judged a made-up pair."""
        self._known.pop(login, None)
