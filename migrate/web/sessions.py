"""Sessions, kept in the control database: they end when they should, for a leaver at once."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.project.database import reading, writing

IDLE, LONGEST = 30 * 60, 10 * 60 * 60
"""Seconds without a page after which a session ends, and after which it ends in any case."""
_RENEW = 60  # seconds: what was seen is not written down at every page

SESSIONS = sa.Table(
    "desk_sessions",
    sa.MetaData(),
    sa.Column("token", sa.String(64), primary_key=True),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("csrf", sa.String(64), nullable=False),
    sa.Column("made", sa.Integer, nullable=False),
    sa.Column("seen", sa.Integer, nullable=False),
)


@dataclass(frozen=True)
class Session:
    """A session: whose, and the token that its forms must bring."""

    login: str
    csrf: str


class Sessions:
    """The sessions of one project. The database has digests of tokens, so whoever reads it cannot use one."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float]) -> None:
        self._engine, self._reads, self._clock = engine, reading(engine), clock

    def begin(self, login: str) -> str:
        """A new session; returns its token, 256 random bits. What has ended is cleared away."""
        token, at = secrets.token_urlsafe(32), int(self._clock())
        row = {"token": _digest(token), "login": login, "csrf": secrets.token_urlsafe(32), "made": at, "seen": at}
        with writing(self._engine).begin() as connection:
            gone = sa.or_(SESSIONS.c.seen < at - IDLE, SESSIONS.c.made < at - LONGEST)
            connection.execute(SESSIONS.delete().where(gone))
            connection.execute(SESSIONS.insert().values(row))
        return token

    def find(self, token: str) -> Session | None:
        """The session of a token, if it has not ended."""
        at, key = int(self._clock()), _digest(token)
        with self._reads.connect() as connection:
            row = connection.execute(sa.select(SESSIONS).where(SESSIONS.c.token == key)).first()
        if row is None or row.seen < at - IDLE or row.made < at - LONGEST:
            return None
        if row.seen < at - _RENEW:
            with writing(self._engine).begin() as connection:
                connection.execute(SESSIONS.update().where(SESSIONS.c.token == key).values(seen=at))
        return Session(row.login, row.csrf)

    def end(self, token: str) -> None:
        """End one session."""
        with writing(self._engine).begin() as connection:
            connection.execute(SESSIONS.delete().where(SESSIONS.c.token == _digest(token)))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
