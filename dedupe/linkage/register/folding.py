"""Text of any writing as plain capitals A to Z, so that one name spelled in two ways is one name."""

from __future__ import annotations

from html import unescape

import polars as pl
from anyascii import anyascii

OTHER_SCRIPT = r"[\p{L}--\p{Latin}]"
MISREAD = r"[\x{c2}-\x{f4}][\x{80}-\x{bf}\x{152}-\x{192}\x{2c6}-\x{2122}]"
ENTITY = r"&#?\w+;"


def folded(text: pl.Series) -> pl.Series:
    """ASCII text: accents off, letters of other kinds and scripts by their usual Latin spelling (anyascii).

    >>> folded(pl.Series(["José", "Łuczak", "Øyvind", "Đặng", "Ægir", "Наталія"])).to_list()
    ['Jose', 'Luczak', 'Oyvind', 'Dang', 'Aegir', 'Nataliya']

    Signs of web pages ("O&#39;Leary") and UTF-8 that was read as another code ("ZoÃ«") are put right first.
    """
    plain = _mended(text.str.replace_all(r"\p{Cf}", ""))
    plain = plain.str.replace_all(r"[\p{So}\p{Co}\p{Cn}]", " ")
    foreign = plain.str.contains(OTHER_SCRIPT)
    bare = plain.str.normalize("NFKD").str.replace_all(r"\p{M}", "")
    # Vowels of Indian scripts are marks: there all must be spelled out before marks come off.
    left = pl.select(pl.when(foreign).then(plain.str.normalize("NFKC")).otherwise(bare)).to_series()
    return _replaced(left, left.str.contains(r"[^\x00-\x7f]"), anyascii)


def other_script(text: pl.Series) -> pl.Series:
    """Which texts hold a letter of another script than Latin."""
    return text.str.contains(OTHER_SCRIPT)


def _mended(text: pl.Series) -> pl.Series:
    text = _replaced(text, text.str.contains(ENTITY), unescape)
    return _replaced(text, text.str.contains(MISREAD), _read_again)


def _read_again(text: str) -> str:
    for code in ("cp1252", "latin-1"):
        try:
            return text.encode(code).decode("utf-8")
        except UnicodeError:
            continue
    return text


def _replaced(text: pl.Series, which: pl.Series, make: object) -> pl.Series:
    rows = which.arg_true()
    if not len(rows):
        return text
    made = [make(one) for one in text.gather(rows).to_list()]  # type: ignore[operator]
    return text.scatter(rows, pl.Series(made, dtype=pl.String))
