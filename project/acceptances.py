"""What a named person accepted above the limits of a run, in the same file as the ledger. Append-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.project.errors import Excess
from casebridge.project.ledger import Ledger, now

_meta = sa.MetaData()

_acceptances = sa.Table(
    "acceptances",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("kind", sa.String, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("asked", sa.Integer, nullable=False),
    sa.Column("who", sa.String, nullable=False),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)


@dataclass(frozen=True)
class Acceptance:
    """A named person's word that so many of a spec's rows may stay behind, although fewer were agreed."""

    run: str
    name: str
    kind: str
    rows: int
    asked: int
    who: str
    reason: str
    at: str

    def covers(self, excess: Excess) -> bool:
        """Whether it speaks of this excess, and of no smaller share."""
        same = (self.name, self.kind) == (excess.name, excess.kind)
        return same and excess.rows * self.asked <= self.rows * excess.asked


class Acceptances:
    """All that was accepted in a project."""

    def __init__(self, ledger: Ledger) -> None:
        self._engine = ledger.with_tables(_meta)

    def accept(self, run: str, excesses: Sequence[Excess], who: str, reason: str) -> None:
        """A named person accepts what is above the limits of a run. Nothing is ever taken out again."""
        said = {"run": run, "who": who, "reason": reason, "at": now()}
        shares = [{"name": e.name, "kind": e.kind, "rows": e.rows, "asked": e.asked, **said} for e in excesses]
        with self._engine.begin() as connection:
            connection.execute(_acceptances.insert(), shares)

    def of(self, run: str) -> tuple[Acceptance, ...]:
        """What was accepted for a run, oldest first. Read only."""
        columns = [c for c in _acceptances.c if c.name != "number"]
        query = sa.select(*columns).where(_acceptances.c.run == run).order_by(_acceptances.c.number)
        with self._engine.connect() as connection:
            return tuple(Acceptance(*row) for row in connection.execute(query))

    def covering(self, run: str, excess: Excess) -> Acceptance | None:
        """The first word that covers an excess. Read only."""
        return next((word for word in self.of(run) if word.covers(excess)), None)
