"""Of accounts: the second factor, and the last code that was used. The secret itself is in no column."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the columns one by one: that makes no table again."""
    for name, kind, default in (("second", sa.String(64), ""), ("second_used", sa.Integer(), "0")):
        op.add_column("desk_accounts", sa.Column(name, kind, nullable=False, server_default=default))
