"""Decisions and the audit log, as they were before there were revisions. What is there already stays as it is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what is missing."""
    there = set(sa.inspect(op.get_bind()).get_table_names())
    if "decisions" not in there:
        op.create_table(
            "decisions",
            sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
            sa.Column("left_id", sa.String(240), nullable=False),
            sa.Column("right_id", sa.String(240), nullable=False),
            sa.Column("verdict", sa.String(20), nullable=False),
            sa.Column("reviewer", sa.String(100), nullable=False),
            sa.Column("reason", sa.String(1000), nullable=False),
            sa.Column("decided_at", sa.String(20), nullable=False),
        )
        op.create_index("ix_decisions_pair", "decisions", ["left_id", "right_id"])
    if "audit" not in there:
        op.create_table("audit", *_entry())
    if "audit_keys" not in there:
        op.create_table(
            "audit_keys",
            sa.Column("subject", sa.String(64), primary_key=True),
            sa.Column("secret", sa.String(64), nullable=False),
        )


def _entry() -> list[sa.Column[object]]:
    return [
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.String(20), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("link", sa.String(64), nullable=False),
    ]
