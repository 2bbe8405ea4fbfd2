"""The desk's tables in the control database: who holds which pair, and what was said of it."""

from __future__ import annotations

import sqlalchemy as sa

from casebridge.project.ledger import now

_meta = sa.MetaData()

CLAIMS = sa.Table(
    "desk_claims",
    _meta,
    sa.Column("item", sa.String(32), primary_key=True),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("until", sa.Integer, nullable=False),
)
"""Who has a pair before him, and until when (seconds since 1970, by the server's clock)."""

VERDICTS = sa.Table(
    "desk_verdicts",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("item", sa.String(32), nullable=False),
    sa.Column("left_id", sa.String(240), nullable=False),
    sa.Column("right_id", sa.String(240), nullable=False),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("act", sa.String(20), nullable=False),
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("code", sa.String(40), nullable=False),
    sa.Column("reason", sa.String(1000), nullable=False),
    sa.Column("evidence", sa.String(64), nullable=False),
    sa.Column("form", sa.String(64), nullable=False, unique=True),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Column("seconds", sa.Integer, nullable=False),
    sa.Column("until", sa.Integer, nullable=False),
    sa.Column("at", sa.String(20), nullable=False),
    sa.Index("ix_desk_verdicts_item", "item"),
    sa.Index("ix_desk_verdicts_login", "login"),
)
"""What people said at the desk, append-only: undo, objection and release are rows of their own. `basis` is what
the comparisons found then (JSON), `seconds` how long the page was open, `until` when a merge may be released."""

BASES = sa.Table(
    "decision_bases",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("left_id", sa.String(240), nullable=False),
    sa.Column("right_id", sa.String(240), nullable=False),
    sa.Column("basis", sa.Text, nullable=False),
    sa.Index("ix_decision_bases_pair", "left_id", "right_id"),
)
"""What linkage found when a decision was made (JSON: levels, weight), by the decision's number."""

PLANS = sa.Table(
    "desk_plans",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("run", sa.String(100), nullable=False),
    sa.Column("margin", sa.String(32), nullable=False),
    sa.Column("missed", sa.String(32), nullable=False),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("at", sa.String(20), nullable=False),
)
"""Samples that were drawn: of which run, for which margin, how many duplicates linkage expects among pairs that
were
never compared."""
STRATA = sa.Table(
    "desk_strata",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("plan", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("outcome", sa.String(20), nullable=False),
    sa.Column("clearance", sa.Integer, nullable=False),
    sa.Column("size", sa.Integer, nullable=False),
    sa.Column("expected", sa.String(32), nullable=False),
)
SAMPLES = sa.Table(
    "desk_samples",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("stratum", sa.Integer, nullable=False),
    sa.Column("left_id", sa.String(240), nullable=False),
    sa.Column("right_id", sa.String(240), nullable=False),
    sa.Index("ix_desk_samples_stratum", "stratum"),
)
"""The pairs of a sample, each in its stratum: the chance of each is how many were drawn of how many there are."""

FAMILY = sa.Table(
    "desk_family",
    _meta,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("relation", sa.String(40), nullable=False),
    sa.Column("forename", sa.String(100), nullable=False),
    sa.Column("surname", sa.String(100), nullable=False),
    sa.Column("birth_date", sa.String(10), nullable=False),
    sa.Column("postcode", sa.String(100), nullable=False),
    sa.Index("ix_desk_family_login", "login"),
)
"""Whom a reviewer declared: himself and who belongs to him."""


def said_today(engine: sa.Engine, login: str) -> int:
    """How many pairs somebody has judged since midnight (UTC, as rows of the log are dated). Read only."""
    query = sa.select(sa.func.count(sa.distinct(VERDICTS.c.item))).where(
        VERDICTS.c.login == login, VERDICTS.c.act == "verdict", VERDICTS.c.at.startswith(now()[:10])
    )
    with engine.connect() as connection:
        return int(connection.scalar(query) or 0)
