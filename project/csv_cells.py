"""CSV files that people open: what a spreadsheet would take for a formula is written as text.

Only for files that are read by people. What Casebridge or a supplier's program reads back (hand-overs, decisions)
holds the values as they are: a sign before one would be part of it.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Sequence

import polars as pl

_LEADS = frozenset("=+-@|%")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")
AS_TEXT = "'"
"""What a spreadsheet reads as: the rest of this cell is text."""


def as_text(value: str) -> str:
    """The value, with AS_TEXT before it where a spreadsheet would calculate it.

    Programs skip what nobody sees before the first sign, and take wide forms for the sign itself. A plain number
    stays a number.
    """
    if _PLAIN_NUMBER.fullmatch(value):
        return value
    seen = (c for c in unicodedata.normalize("NFKC", value) if unicodedata.category(c)[0] not in "CZ")
    return AS_TEXT + value if next(seen, "") in _LEADS else value


def as_texts(values: pl.Series) -> pl.Series:
    """`as_text` of each text of a column; null stays null. What begins with a letter or a figure of ASCII is not
    looked at closer."""
    odd = values.filter(~values.str.contains("^[0-9A-Za-z]")).unique()
    changed = {value: shown for value in odd if value is not None and (shown := as_text(value)) != value}
    return values.replace(changed) if changed else values


def as_typed(shown: str) -> str:
    """What `as_text` was given, from what it gave."""
    bare = shown.removeprefix(AS_TEXT)
    return bare if as_text(bare) == shown else shown


def csv_text(header: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A CSV file for people: every text in it is shown, and none is calculated."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([as_text(name) for name in header])
    writer.writerows([as_text(cell) if isinstance(cell, str) else cell for cell in line] for line in lines)
    return out.getvalue()
