"""The types that a database declares, as target.toml writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.mysql import SET
from sqlalchemy.dialects.postgresql import DOMAIN
from sqlalchemy.types import _Binary

BYTES = "bytes"
_SHORT, _LONG = "integer", "bigint"
_UNSIGNED_LONG = "numeric(20,0)"
"""Whole numbers of 64 bits without a sign."""


def declared_type(kind: sa.types.TypeEngine[Any]) -> tuple[str, str]:
    """A type as target.toml writes it, and what is in doubt about it (empty for nothing).

    A domain is what it is made of. A set of MariaDB may hold all its words at once, with commas between."""
    if isinstance(kind, DOMAIN):
        return declared_type(kind.data_type)
    if isinstance(kind, SET):
        return f"varchar({max(1, len(','.join(kind.values)))})", ""
    if isinstance(kind, sa.Boolean):
        return "boolean", ""
    if isinstance(kind, sa.Uuid):
        return "uuid", ""
    if isinstance(kind, sa.Integer):
        return _whole(kind), ""
    if isinstance(kind, sa.Numeric):
        return _decimal(kind)
    if isinstance(kind, sa.DateTime):
        return "timestamp", "it has a time zone there" if getattr(kind, "timezone", False) else ""
    if isinstance(kind, sa.Date):
        return "date", ""
    if isinstance(kind, sa.String):
        length = getattr(kind, "length", None)
        return (f"varchar({length})", "") if length and not isinstance(kind, sa.Text) else ("text", "")
    return "text", f"it is {type(kind).__name__} there"


def is_filled_by_itself(column: Mapping[str, Any]) -> bool:
    """Whether the database fills a column, as SQLAlchemy reflects it, of which a row says nothing."""
    given = column.get("computed") or column.get("identity") or column.get("autoincrement") is True
    return column.get("default") is not None or bool(given)


def declared_in_source(kind: sa.types.TypeEngine[Any]) -> str:
    """The same of a column that is read, where nothing is in doubt; BYTES for what arrives as hexadecimal digits,
    which may look like a number."""
    if isinstance(kind, _Binary):
        return BYTES
    made, doubt = declared_type(kind)
    return "" if doubt else made


def _decimal(kind: sa.Numeric[Any]) -> tuple[str, str]:
    """PostgreSQL and Oracle round to hundreds by a scale of -2, and know numbers whose first decimals are 0."""
    scale = kind.scale or 0
    digits = max((kind.precision or 0) - min(scale, 0), scale)
    if not kind.precision or digits > 38:
        return "numeric(38,10)", f"it is {kind} there"
    return f"numeric({digits},{max(scale, 0)})", ""


def _whole(kind: sa.Integer) -> str:
    """What has no sign needs twice the room."""
    long, unsigned = isinstance(kind, sa.BigInteger), bool(getattr(kind, "unsigned", False))
    if long:
        return _UNSIGNED_LONG if unsigned else _LONG
    return _LONG if unsigned else _SHORT
