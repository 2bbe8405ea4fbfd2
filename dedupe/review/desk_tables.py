"""The tables of the control database that speak of pairs: who holds which, what was said of it, what was decided.

What makes them are the revisions in `project/versions/`.
"""

from __future__ import annotations

import sqlalchemy as sa

from casebridge.project.ledger import now

_meta = sa.MetaData()


def _of_pairs(name: str, *more: sa.Column[int] | sa.Column[str] | sa.Index, counts: bool = True) -> sa.Table:
    """A table with a row for each time that something was said of a pair (the smaller id left). counts: whether
    the database gives the numbers."""
    return sa.Table(
        name,
        _meta,
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=counts),
        sa.Column("left_id", sa.String(240), nullable=False),
        sa.Column("right_id", sa.String(240), nullable=False),
        *more,
    )


DECISIONS = _of_pairs(
    "decisions",
    sa.Column("verdict", sa.String(20), nullable=False),
    sa.Column("reviewer", sa.String(100), nullable=False),
    sa.Column("reason", sa.String(1000), nullable=False),
    sa.Column("decided_at", sa.String(20), nullable=False),
    sa.Index("ix_decisions_pair", "left_id", "right_id"),
)

INTAKE = _of_pairs(
    "desk_intake",
    sa.Column("who", sa.String(100), nullable=False),
    sa.Column("why", sa.String(1000), nullable=False),
    sa.Column("at", sa.String(20), nullable=False),
)
"""Pairs that somebody asked for: at the desk, by a form, by the command line."""

OVERRIDES = _of_pairs(
    "merge_overrides",
    sa.Column("field", sa.String(64), nullable=False),
    sa.Column("from_id", sa.String(240), nullable=False),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("reason", sa.String(1000), nullable=False),
    sa.Column("at", sa.String(20), nullable=False),
    sa.Index("ix_merge_overrides_pair", "left_id", "right_id"),
)
"""Which value of a field stays when the two become one, as reviewers said it."""

CLAIMS = sa.Table(
    "desk_claims",
    _meta,
    sa.Column("item", sa.String(32), primary_key=True),
    sa.Column("login", sa.String(64), nullable=False),
    sa.Column("until", sa.Integer, nullable=False),
)
"""Who has a pair before him, and until when (seconds since 1970, by the server's clock)."""

VERDICTS = _of_pairs(
    "desk_verdicts",
    sa.Column("item", sa.String(32), nullable=False),
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

BASES = _of_pairs(
    "decision_bases",
    sa.Column("basis", sa.Text, nullable=False),
    sa.Index("ix_decision_bases_pair", "left_id", "right_id"),
    counts=False,
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
were never compared."""
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
SAMPLES = _of_pairs(
    "desk_samples",
    sa.Column("stratum", sa.Integer, nullable=False),
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
