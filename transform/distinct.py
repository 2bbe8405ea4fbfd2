"""Work once on each distinct value: a column of days or codes says the same few thousand things over and over."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl


def of_distinct(text: pl.Expr, make: Callable[[pl.Series], pl.Series], kind: pl.DataType) -> pl.Expr:
    """`make` over a column of text; it must give for each value what it would give for that value alone."""

    def work(texts: pl.Series) -> pl.Series:
        texts = texts.cast(pl.String)
        known = texts.unique().drop_nulls()
        if known.len() == 0:
            return pl.Series(texts.name, [None], dtype=kind).new_from_index(0, texts.len())
        if 2 * known.len() > texts.len():
            return make(texts).alias(texts.name)
        return texts.replace_strict(known, make(known), default=None, return_dtype=kind)

    return text.map_batches(work, return_dtype=kind, is_elementwise=True)


def among_failed(value: pl.Expr, text: pl.Expr, fits: Callable[[pl.Series], pl.Series]) -> pl.Expr:
    """True where there is a value or no text; elsewhere what `fits` says of the text. Most batches ask nothing."""

    def work(both: pl.Series) -> pl.Series:
        rows = both.struct.unnest()
        failed = rows.get_column("failed")
        good = ~failed
        if not failed.any():
            return good.alias(both.name)
        at = failed.arg_true()
        return good.scatter(at, fits(rows.get_column("text").gather(at))).alias(both.name)

    asked = pl.struct((value.is_null() & text.is_not_null()).alias("failed"), text.alias("text"))
    return asked.map_batches(work, return_dtype=pl.Boolean, is_elementwise=True)
