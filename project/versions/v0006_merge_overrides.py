"""What reviewers chose for merged people, field by field. Append-only: no row is changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table and its fence."""
    op.create_table(
        "merge_overrides",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("left_id", sa.String(240), nullable=False),
        sa.Column("right_id", sa.String(240), nullable=False),
        sa.Column("field", sa.String(64), nullable=False),
        sa.Column("from_id", sa.String(240), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("at", sa.String(20), nullable=False),
    )
    op.create_index("ix_merge_overrides_pair", "merge_overrides", ["left_id", "right_id"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER merge_overrides_no_update BEFORE UPDATE ON merge_overrides "
            "BEGIN SELECT RAISE(ABORT, 'merge_overrides is append-only'); END"
        )
    else:
        op.execute(
            "CREATE TRIGGER merge_overrides_no_update BEFORE UPDATE ON merge_overrides "
            "FOR EACH ROW EXECUTE FUNCTION casebridge_append_only()"
        )
