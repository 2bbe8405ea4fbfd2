"""Values that stand for "nothing known". They are no evidence and no data."""

from __future__ import annotations

import polars as pl

PLACEHOLDERS = (
    "UNKNOWN", "NOT KNOWN", "UNK", "N/K", "NK", "N/A", "NA", "NONE", "NULL", "NOT FOUND",
    "NOT GIVEN", "NOT RECORDED", "NOT STATED", "TBC", "X", "XX", "XXX", ".", "-", "--", "?", "??",
)  # fmt: skip


def null_placeholders(value: pl.Expr) -> pl.Expr:
    """Null where the text, in any case, is a word for "nothing known" or only punctuation."""
    folded = value.str.to_uppercase()
    return pl.when(folded.is_in(PLACEHOLDERS)).then(None).otherwise(value)
