"""Conditions that name many values, for servers that take only so many at once."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

MOST = 1000
"""So many values stand in one list: Oracle takes no more (ORA-01795)."""


def among(column: sa.ColumnElement[object], values: Sequence[object]) -> sa.ColumnElement[bool]:
    """Whether a column has one of these values, in lists of at most MOST."""
    parts = [values[at : at + MOST] for at in range(0, len(values), MOST)] or [[]]
    return sa.or_(*(column.in_(part) for part in parts))
