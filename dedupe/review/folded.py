"""What a reader takes for the same text."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = re.compile(r"[^\w]+")


def fold(text: str) -> str:
    """A text without capitals, accents, signs and doubled blanks: what a reader takes for the same."""
    letters = text
    if not text.isascii():
        plain = unicodedata.normalize("NFKD", text)
        letters = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(_SIGNS.sub(" ", letters).casefold().split())
