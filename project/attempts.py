"""Every attempt at a stage of a run, also those that were stopped or killed: rows and seconds.

How long a stage takes is told from work that was completed: the attempt that came to the end, and those before it
that did a part of the same work.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.project.ledger import Ledger, now

_meta = sa.MetaData()
_attempts = sa.Table(
    "stage_attempts",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("stage", sa.String, nullable=False),
    sa.Column("started", sa.String, nullable=False),
    sa.Column("worked", sa.Integer, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
    sa.Column("outcome", sa.String, nullable=False),
)
AT_WORK, DONE, STOPPED = "at work", "done", "stopped"
"""An attempt that is still at work when the next one begins was killed."""
_RESUMED = ("extract", "transform", "dedupe", "load")
"""Stages that go on where an attempt was stopped. The others start again, so that such an attempt is lost time."""


@dataclass(frozen=True)
class Attempt:
    """One attempt at a stage: `worked` rows that were done then and not before, in so many seconds."""

    number: int
    run: str
    stage: str
    started: str
    worked: int
    seconds: float
    outcome: str


class Attempts:
    """The attempts of a project, in the ledger's file."""

    def __init__(self, ledger: Ledger) -> None:
        self._engine = ledger.with_tables(_meta)

    def begin(self, run: str, stage: str) -> int:
        """A stage is begun. Gives the attempt's number."""
        row = {"run": run, "stage": stage, "started": now(), "worked": 0, "seconds": 0.0, "outcome": AT_WORK}
        with self._engine.begin() as connection:
            made = connection.execute(_attempts.insert().values(row)).inserted_primary_key
        assert made is not None
        return int(made[0])

    def note(self, number: int, worked: int, seconds: float, outcome: str = AT_WORK) -> None:
        """How far an attempt has come."""
        values = {"worked": worked, "seconds": seconds, "outcome": outcome}
        with self._engine.begin() as connection:
            connection.execute(_attempts.update().where(_attempts.c.number == number).values(values))

    def of(self, run: str, stage: str) -> tuple[Attempt, ...]:
        """The attempts of a run at a stage since the last but one that came to its end, oldest first."""
        query = sa.select(_attempts).where(_attempts.c.run == run, _attempts.c.stage == stage)
        with self._engine.connect() as connection:
            every = [Attempt(*row) for row in connection.execute(query.order_by(_attempts.c.number))]
        ended = [place for place, item in enumerate(every[:-1]) if item.outcome == DONE]
        return tuple(every[ended[-1] + 1 if ended else 0 :])


def together(attempts: tuple[Attempt, ...]) -> tuple[int, float, int]:
    """Rows and seconds of the attempts that did a work together, the last of which completed it; and how many."""
    *before, last = attempts
    # One that did no row was refused; but load may have written without making anything new.
    parts = [item for item in before if item.stage in _RESUMED and (item.worked or item.stage == "load")]
    worked = sum(item.worked for item in (*parts, last))
    return worked, sum(item.seconds for item in (*parts, last)), len(parts) + 1
