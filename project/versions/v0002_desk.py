"""The review desk: accounts, sessions, claims, verdicts, intake, a chain of its own for what was read. And fences:
no entry of a log is changed or deleted by accident, no decision is changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LOGS = ("audit", "audit_reads")
_KEPT = {"audit": ("UPDATE", "DELETE"), "audit_reads": ("UPDATE", "DELETE"), "decisions": ("UPDATE",)}


def upgrade() -> None:
    """Make the desk's tables and the fences."""
    _tables()
    for table in _LOGS:
        op.create_index(f"ix_{table}_subject", table, ["subject"])
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(
            "CREATE FUNCTION casebridge_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN RAISE EXCEPTION ''% is append-only'', TG_TABLE_NAME; END'"
        )
    for table, acts in _KEPT.items():
        for act in acts if sqlite else (*acts, *(["TRUNCATE"] if "DELETE" in acts else [])):
            op.execute(_fence(table, act, sqlite=sqlite))


def _fence(table: str, act: str, *, sqlite: bool) -> str:
    name = f"{table}_no_{act.lower()}"
    if sqlite:
        stop = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        return f"CREATE TRIGGER {name} BEFORE {act} ON {table} {stop}"
    each = "STATEMENT" if act == "TRUNCATE" else "ROW"
    run = "EXECUTE FUNCTION casebridge_append_only()"
    return f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH {each} {run}"


def _tables() -> None:
    op.create_table(
        "audit_reads",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
    )
    op.create_table(
        "desk_accounts",
        sa.Column("login", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("role", sa.String(30), nullable=False),
        sa.Column("clearance", sa.Integer, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("demo", sa.Integer, nullable=False),
        sa.Column("keyboard", sa.Integer, nullable=False),
        sa.Column("rules_at", sa.String(20), nullable=False),
        sa.Column("made_at", sa.String(20), nullable=False),
        sa.Column("closed_at", sa.String(20), nullable=False),
    )
    op.create_table(
        "desk_sessions",
        sa.Column("token", sa.String(64), primary_key=True),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("made", sa.Integer, nullable=False),
        sa.Column("seen", sa.Integer, nullable=False),
    )
    op.create_table(
        "desk_attempts",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("at", sa.Integer, nullable=False),
        sa.Index("ix_desk_attempts_who", "who", "at"),
    )
    op.create_table(
        "desk_claims",
        sa.Column("item", sa.String(32), primary_key=True),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("until", sa.Integer, nullable=False),
    )
    op.create_table(
        "desk_verdicts",
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
    op.create_table(
        "desk_intake",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("left_id", sa.String(240), nullable=False),
        sa.Column("right_id", sa.String(240), nullable=False),
        sa.Column("who", sa.String(100), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("at", sa.String(20), nullable=False),
    )
