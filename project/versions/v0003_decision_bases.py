"""What each decision rested on, by its number: a pair decided *different* comes back when that changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table; decisions made at the desk have their basis in its verdicts."""
    op.create_table(
        "decision_bases",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("left_id", sa.String(240), nullable=False),
        sa.Column("right_id", sa.String(240), nullable=False),
        sa.Column("basis", sa.Text, nullable=False),
    )
    op.create_index("ix_decision_bases_pair", "decision_bases", ["left_id", "right_id"])
    op.execute(
        "INSERT INTO decision_bases (number, left_id, right_id, basis) "
        "SELECT d.number, d.left_id, d.right_id, v.basis FROM decisions d JOIN desk_verdicts v "
        "ON v.left_id = d.left_id AND v.right_id = d.right_id "
        "WHERE d.number = (SELECT MAX(number) FROM decisions WHERE left_id = d.left_id AND right_id = d.right_id) "
        "AND v.number = (SELECT MAX(number) FROM desk_verdicts WHERE act = 'verdict' "
        "AND left_id = d.left_id AND right_id = d.right_id)"
    )
