"""Whom reviewers declared, and of accounts: the test passed, the day's pairs, an agreement's teams, groups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the table, and add the columns one by one: that makes no table again."""
    op.create_table(
        "desk_family",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("relation", sa.String(40), nullable=False),
        sa.Column("forename", sa.String(100), nullable=False),
        sa.Column("surname", sa.String(100), nullable=False),
        sa.Column("birth_date", sa.String(10), nullable=False),
        sa.Column("postcode", sa.String(100), nullable=False),
        sa.Index("ix_desk_family_login", "login"),
    )
    for name, kind, default in (
        ("tested_at", sa.String(20), ""),
        ("tries", sa.Integer(), "0"),
        ("daily", sa.Integer(), "0"),
        ("teams", sa.Text(), ""),
        ("restriction_groups", sa.Text(), ""),
    ):
        op.add_column("desk_accounts", sa.Column(name, kind, nullable=False, server_default=default))
