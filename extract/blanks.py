"""Blanks that cannot be seen, around the names in a header."""

from __future__ import annotations

import re

_BLANK = "[\\s\\u200b-\\u200f\\u2028-\\u202f\\u205f-\\u2064\\u00ad\\u180e\\u3000\\ufeff\\x00-\\x1f\\x7f-\\x9f]+"
_AROUND = re.compile(f"^{_BLANK}|{_BLANK}$")


def bare(text: str) -> str:
    """The text without blanks of any kind at its ends."""
    return _AROUND.sub("", text)
