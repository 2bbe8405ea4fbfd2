"""The load's own record, in the target, in the same transaction as the rows. It wins over the ledger.

A row of `casebridge_applied` always means: exactly the rows of that immutable file are in the target.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.project.batch import Batch
from casebridge.project.database import shown
from casebridge.project.ledger import now
from casebridge.project.schema import IN_TARGET, TARGET, bring_up, versions_table

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


RUNS = sa.Table(
    "casebridge_runs",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("run", sa.String(100), nullable=False),
    sa.Column("created_tables", sa.Text, nullable=False),
    sa.Column("keys_found", sa.Text, nullable=False),
    sa.Column("begun_at", sa.String(20), nullable=False),
)
"""The runs that loaded this target, oldest first; a run that was rolled back is not there."""

BEFORE = sa.Table(
    "casebridge_before",
    _meta,
    sa.Column("run_number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.String(100), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("target_table", sa.String(100), nullable=False),
    sa.Column("inputs", sa.String(64), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
)
"""What stood in the target when a run began. The files it names are the before-images."""


PARKED = sa.Table(
    "casebridge_parked",
    _meta,
    sa.Column("target_table", sa.String(200), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("definition", sa.Text, nullable=False),
)
"""Foreign keys of somebody else's that are off while a load is at work."""


@dataclass(frozen=True)
class Applied:
    """One batch that stands in the target."""

    name: str
    number: int
    target_table: str
    inputs: str
    sha256: str
    rows: int


SCHEMA = versions_table(IN_TARGET, _meta)
"""The version of all these tables."""


def create_side_tables(connection: sa.Connection) -> None:
    """The tables that are ours; vendor tables get no columns of ours. Older ones are brought up."""
    _meta.create_all(connection)
    bring_up(connection, IN_TARGET, TARGET, f"the target {shown(connection.engine.url)}")


def applied(connection: sa.Connection) -> dict[tuple[str, int], Applied]:
    """All batches that stand in the target. Read only."""
    columns = [APPLIED.c[c] for c in ("name", "number", "target_table", "inputs", "sha256", "rows")]
    found = [Applied(*row) for row in connection.execute(sa.select(*columns))]
    return {(item.name, item.number): item for item in found}


@dataclass(frozen=True)
class TargetRun:
    """A run as the target knows it."""

    number: int
    run: str
    created_tables: tuple[str, ...]
    keys_found: tuple[str, ...]


def runs(connection: sa.Connection) -> list[TargetRun]:
    """The runs that loaded this target, oldest first. Read only."""
    rows = connection.execute(sa.select(RUNS).order_by(RUNS.c.number))
    return [
        TargetRun(row.number, row.run, tuple(json.loads(row.created_tables)), tuple(json.loads(row.keys_found)))
        for row in rows
    ]


def open_run(connection: sa.Connection, run: str, created: Sequence[str], keys: Sequence[str]) -> None:
    """Note that a run begins here, and what it finds: batches, and the names of the unique and foreign keys
    on our tables. A run that goes on has noted it already."""
    known = runs(connection)
    if known and known[-1].run == run:
        together = sorted({*known[-1].created_tables, *created})
        number = known[-1].number
        connection.execute(
            RUNS.update().where(RUNS.c.number == number).values(created_tables=json.dumps(together))
        )
        return
    number = known[-1].number + 1 if known else 1
    connection.execute(
        RUNS.insert().values(
            number=number,
            run=run,
            created_tables=json.dumps(sorted(created)),
            keys_found=json.dumps(sorted(keys)),
            begun_at=now(),
        )
    )
    columns = [column.name for column in BEFORE.c]
    found = sa.select(sa.literal(number), *(APPLIED.c[name] for name in columns[1:]))
    connection.execute(BEFORE.insert().from_select(columns, found))


def before(connection: sa.Connection, number: int) -> list[Applied]:
    """What stood in the target when a run began. Read only."""
    columns = [BEFORE.c[c] for c in ("name", "number", "target_table", "inputs", "sha256", "rows")]
    query = sa.select(*columns).where(BEFORE.c.run_number == number).order_by(BEFORE.c.name, BEFORE.c.number)
    return [Applied(*row) for row in connection.execute(query)]


def forget_run(connection: sa.Connection, number: int) -> None:
    """A run was rolled back: as if it had never been."""
    connection.execute(BEFORE.delete().where(BEFORE.c.run_number == number))
    connection.execute(RUNS.delete().where(RUNS.c.number == number))


def drop_side_tables(connection: sa.Connection) -> None:
    """Take our own tables out of a target that holds nothing of ours any more."""
    _meta.drop_all(connection)


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
