"""Where the audit log stood when a run looked, in the same file as the ledger: a log that was cut off is noticed.
Append-only."""

from __future__ import annotations

import sqlalchemy as sa

from casebridge.project.ledger import Ledger, now

_meta = sa.MetaData()

_heads = sa.Table(
    "audit_heads",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("run", sa.String, nullable=False),
    sa.Column("entry", sa.Integer, nullable=False),
    sa.Column("link", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False),
)


class AuditHeads:
    """The heads of the audit log that runs noted."""

    def __init__(self, ledger: Ledger) -> None:
        self._engine = ledger.with_tables(_meta)

    def note(self, run: str, entry: int, link: str) -> None:
        """The last entry of the audit log when a run looked. Entry 0: a log that starts again."""
        if self.last() != (entry, link) or self.of(run) != (entry, link):
            with self._engine.begin() as connection:
                connection.execute(_heads.insert().values(run=run, entry=entry, link=link, at=now()))

    def of(self, run: str) -> tuple[int, str] | None:
        """Number and link of the entry that a run noted last. Read only."""
        query = sa.select(_heads).where(_heads.c.run == run).order_by(_heads.c.number.desc())
        with self._engine.connect() as connection:
            last = connection.execute(query).first()
        return (last.entry, last.link) if last else None

    def last(self) -> tuple[int, str] | None:
        """Number and link of the entry that was noted last. Read only."""
        with self._engine.connect() as connection:
            last = connection.execute(sa.select(_heads).order_by(_heads.c.number.desc())).first()
        return (last.entry, last.link) if last else None
