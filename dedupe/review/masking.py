"""What a reviewer sees only when he asks for it, and how it is shown until then."""

from __future__ import annotations

import re

MASKED = frozenset({"nhs_number", "upn", "nino", "phone", "email", "house", "street"})
"""Roles that a reviewer sees only when he asks; the asking is on record."""
SENSITIVE = re.compile(
    r"address|street|house(?!hold)|building|phone|mobile|mail|reference|number|unique|passport|nhs|nino|upn"
    r"|(?<![a-z])(?:flat|road|line_?\d|tel|fax|uprn|uln|iban|sort_?code|account)(?![a-z])",
    re.IGNORECASE,
)
"""Columns of a target, by what their names hold, whose values are masked in the same way."""


def mask(value: str) -> str:
    """A value as it is shown before anybody asks: its shape, nothing of it."""
    return "".join("•" if c.isalnum() else c for c in value[:24])
