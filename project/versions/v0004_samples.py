"""Samples for the quality of the register: a plan, its strata, and the pairs that were drawn."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "desk_plans",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("run", sa.String(100), nullable=False),
        sa.Column("margin", sa.String(32), nullable=False),
        sa.Column("missed", sa.String(32), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("at", sa.String(20), nullable=False),
    )
    op.create_table(
        "desk_strata",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("plan", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("clearance", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("expected", sa.String(32), nullable=False),
    )
    op.create_table(
        "desk_samples",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("stratum", sa.Integer, nullable=False),
        sa.Column("left_id", sa.String(240), nullable=False),
        sa.Column("right_id", sa.String(240), nullable=False),
        sa.Index("ix_desk_samples_stratum", "stratum"),
    )
