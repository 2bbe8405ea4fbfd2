"""A legacy key of several parts as one text, and no two keys as the same text."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

JOINER = "|"


def joined_key(parts: Sequence[pl.Expr]) -> pl.Expr:
    """The parts, texts without nulls, joined by `|`; null when every part is empty.

    Where a part holds a `|` itself, each `|` and each backslash in the parts gets a backslash before it. Such a
    key has more `|` than joiners, so it is never that of parts without any.
    """
    empty = pl.all_horizontal([part == "" for part in parts])
    if len(parts) == 1:
        return pl.when(~empty).then(parts[0])
    escaped = [part.str.replace_all(r"([\\|])", r"\$1") for part in parts]
    holds = pl.any_horizontal([part.str.contains(JOINER, literal=True) for part in parts])
    joined = pl.when(holds).then(pl.concat_str(escaped, separator=JOINER))
    return pl.when(~empty).then(joined.otherwise(pl.concat_str(parts, separator=JOINER)))


def joined_reference(parts: Sequence[pl.Expr]) -> pl.Expr:
    """The key that a reference of several columns names; an empty text when all its parts are empty."""
    return joined_key([part.fill_null("") for part in parts])
