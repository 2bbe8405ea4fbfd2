"""Claims: who has a pair before him. A claim is a row with an end: nothing hangs when somebody leaves. One that a
server lost as it fell is only taken again, so nobody waits for the disk."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from casebridge.dedupe.review.desk_tables import CLAIMS
from casebridge.project.database import not_waiting, reading, writing

LEASE = 15 * 60
"""Seconds after which a claim ends by itself; each act on the pair renews it."""


class Claims:
    """The claims of one project."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float]) -> None:
        self._engine, self._reads, self._clock = engine, reading(engine), clock

    def holders(self) -> dict[str, str]:
        """Who holds what now: logins by item. Read only."""
        query = sa.select(CLAIMS.c.item, CLAIMS.c.login).where(CLAIMS.c.until > int(self._clock()))
        with self._reads.connect() as connection:
            return {row.item: row.login for row in connection.execute(query)}

    def take(self, item: str, login: str) -> bool:
        """Claim a pair, or renew one's claim; False when somebody else holds it."""
        now = int(self._clock())
        with writing(self._engine).begin() as connection:
            not_waiting(connection)
            insert = _insert(connection).values(item=item, login=login, until=now + LEASE)
            free = sa.or_(CLAIMS.c.until <= now, CLAIMS.c.login == login)
            ours = insert.on_conflict_do_update(
                index_elements=[CLAIMS.c.item], set_={"login": login, "until": now + LEASE}, where=free
            )
            return connection.scalar(ours.returning(CLAIMS.c.item)) is not None

    def holds(self, connection: sa.Connection, item: str, login: str) -> bool:
        """Whether somebody holds a pair, in the caller's transaction; the row is locked until that ends."""
        now = int(self._clock())
        mine = (CLAIMS.c.item == item, CLAIMS.c.login == login, CLAIMS.c.until > now)
        return connection.execute(CLAIMS.update().where(*mine).values(until=now + LEASE)).rowcount == 1

    def drop(self, connection: sa.Connection, item: str) -> None:
        """The pair is free."""
        connection.execute(CLAIMS.delete().where(CLAIMS.c.item == item))

    def give_back(self, item: str, login: str) -> None:
        """Somebody puts a pair back undecided."""
        with writing(self._engine).begin() as connection:
            not_waiting(connection)
            connection.execute(CLAIMS.delete().where(CLAIMS.c.item == item, CLAIMS.c.login == login))


def _insert(connection: sa.Connection) -> postgresql.Insert | sqlite.Insert:
    """Decisions are kept in one of two databases, both of which insert or change in one statement."""
    on_server = connection.dialect.name == "postgresql"
    return postgresql.insert(CLAIMS) if on_server else sqlite.insert(CLAIMS)
