"""The load's own record, in the target, in the same transaction as the rows. It wins over the ledger.

A row of `casebridge_applied` always means: exactly the rows of that immutable file are in the target.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from project.batch import Batch
from project.ledger import now

_meta = sa.MetaData()

APPLIED = sa.Table(
    "casebridge_applied",
    _meta,
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target_table", sa.String(100), nullable=False),
    sa.Column("inputs", sa.String(64), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("run", sa.String(100), nullable=False),
    sa.Column("applied_at", sa.String(20), nullable=False),
)

CROSSWALK = sa.Table(
    "casebridge_crosswalk",
    _meta,
    sa.Column("system", sa.String(40), primary_key=True),
    sa.Column("legacy_key", sa.String(200), primary_key=True),
    sa.Column("survivor_system", sa.String(40), nullable=False),
    sa.Column("survivor_key", sa.String(200), nullable=False),
    sa.Column("target_id", sa.BigInteger),
)


@dataclass(frozen=True)
class Applied:
    """One batch that stands in the target."""

    name: str
    number: int
    target_table: str
    inputs: str
    sha256: str
    rows: int


def create_side_tables(connection: sa.Connection) -> None:
    """The two tables that are ours; vendor tables get no columns of ours."""
    _meta.create_all(connection)


def applied(connection: sa.Connection) -> dict[tuple[str, int], Applied]:
    """All batches that stand in the target. Read only."""
    columns = [APPLIED.c[c] for c in ("name", "number", "target_table", "inputs", "sha256", "rows")]
    found = [Applied(*row) for row in connection.execute(sa.select(*columns))]
    return {(item.name, item.number): item for item in found}


def note_applied(connection: sa.Connection, batch: Batch, target_table: str, run: str) -> None:
    """Write the record of a batch whose rows were just written on this connection."""
    connection.execute(
        APPLIED.insert().values(
            name=batch.table,
            number=batch.number,
            target_table=target_table,
            inputs=batch.inputs,
            sha256=batch.sha256,
            rows=batch.rows,
            run=run,
            applied_at=now(),
        )
    )


def forget_applied(connection: sa.Connection, name: str, number: int) -> None:
    """Take back the record of a batch whose rows were just deleted on this connection."""
    connection.execute(APPLIED.delete().where(APPLIED.c.name == name, APPLIED.c.number == number))
