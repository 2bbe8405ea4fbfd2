"""The tables of the ledger, and the questions that a run asks of them some hundred times.

These are made once: to make one takes longer than to ask it.
"""

from __future__ import annotations

import sqlalchemy as sa

META = sa.MetaData()

SOURCES = sa.Table(
    "sources",
    META,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("system", sa.String, nullable=False),
    sa.Column("name", sa.String, nullable=False),
    sa.UniqueConstraint("system", "name"),
)
ATTEMPTS = sa.Table(
    "attempts",
    META,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("inputs", sa.String, primary_key=True),
    sa.Column("tally", sa.String),
    sa.Column("started", sa.String, nullable=False),
    sa.Column("done", sa.String),
)
FILES = sa.Table(
    "files",
    META,
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("inputs", sa.String, primary_key=True),
    sa.Column("kind", sa.String, primary_key=True),
    sa.Column("path", sa.String, nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("sha256", sa.String, nullable=False),
)
SEALED = sa.Table(
    "standing",
    META,
    sa.Column("run", sa.String, primary_key=True),
    sa.Column("stage", sa.String, primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("inputs", sa.String, nullable=False),
)
RUNS = sa.Table(
    "runs",
    META,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("target", sa.String, nullable=False),
    sa.Column("started", sa.String, nullable=False),
    sa.Column("finished", sa.String),
    sa.Column("verdict", sa.String),
    sa.Column("signed", sa.String),
)


BATCH = ("stage", "name", "number", "inputs")


def same_batch(table: sa.Table, stage: str, name: str, number: int, inputs: str) -> list[sa.ColumnElement[bool]]:
    """That a row of `table` is about this batch."""
    values = dict(zip(BATCH, (stage, name, number, inputs), strict=True))
    return [table.c[column] == value for column, value in values.items()]


def of_scope(run: str, stage: str, name: str) -> list[sa.ColumnElement[bool]]:
    """That a sealed row is what a scope has of this table at this stage."""
    return [SEALED.c.run == run, SEALED.c.stage == stage, SEALED.c.name == name]


def _this(table: sa.Table) -> list[sa.ColumnElement[bool]]:
    return [table.c[column] == sa.bindparam(column) for column in BATCH]


WHEN_DONE = sa.select(ATTEMPTS.c.done).where(*_this(ATTEMPTS))
FILES_OF_BATCH = sa.select(FILES).where(*_this(FILES)).order_by(FILES.c.kind)
_OF_SCOPE = (
    SEALED.c.run == sa.bindparam("scope"),
    SEALED.c.stage == sa.bindparam("stage"),
    SEALED.c.name == sa.bindparam("name"),
)
FILES_OF_SCOPE = (
    sa.select(FILES)
    .join(SEALED, sa.and_(*(FILES.c[c] == SEALED.c[c] for c in BATCH)))
    .where(*_OF_SCOPE, FILES.c.kind == sa.bindparam("kind"))
    .order_by(FILES.c.number)
)
TALLIES = (
    sa.select(ATTEMPTS.c.tally)
    .join(SEALED, sa.and_(*(ATTEMPTS.c[c] == SEALED.c[c] for c in BATCH)))
    .where(*_OF_SCOPE)
)
