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


def _this(table: sa.Table, prefix: str = "") -> list[sa.ColumnElement[bool]]:
    """That a row of `table` is about the batch that is asked for."""
    return [table.c[column] == sa.bindparam(prefix + column) for column in BATCH]


def _same(one: sa.Table, other: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(*(one.c[column] == other.c[column] for column in BATCH))


DONE_FILES = (
    sa.select(FILES)
    .select_from(ATTEMPTS.outerjoin(FILES, _same(ATTEMPTS, FILES)))
    .where(*_this(ATTEMPTS), ATTEMPTS.c.done.is_not(None))
    .order_by(FILES.c.kind)
)
"""The files of a finished batch; one empty row when it has none."""
BEGUN = ATTEMPTS.insert().prefix_with("OR REPLACE")
ENDED = (
    ATTEMPTS.update().where(*_this(ATTEMPTS, "of_")).values(done=sa.bindparam("done"), tally=sa.bindparam("tally"))
)
NO_FILES = FILES.delete().where(*_this(FILES, "of_"))
_OF_SCOPE = (
    SEALED.c.run == sa.bindparam("scope"),
    SEALED.c.stage == sa.bindparam("stage"),
    SEALED.c.name == sa.bindparam("name"),
)
FILES_OF_SCOPE = (
    sa.select(FILES).join(SEALED, _same(FILES, SEALED)).where(*_OF_SCOPE).order_by(FILES.c.number, FILES.c.kind)
)
TALLIES = sa.select(ATTEMPTS.c.tally).join(SEALED, _same(ATTEMPTS, SEALED)).where(*_OF_SCOPE)
UNSEALED = SEALED.delete().where(*_OF_SCOPE)
