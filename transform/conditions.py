"""The conditions of a spec: `where`, `when` and `expect`. What a name in them means, and that each row is asked.

A name is the source's column, in all three alike. In `when` and `expect` a converted column is reached by its
own name where the source has no column called so, and always as `converted.NAME`; `source.NAME` is the
source's. A condition is asked of each row by itself: it may not look at other rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from casebridge.project.spec import TableSpec

SOURCE, CONVERTED = "source", "converted"

VALUE = "__value_"
"""Prefix of the column that holds a converted column's value."""

_HOLDS = "__holds"


def each_row(frame: pl.LazyFrame, condition: pl.Expr) -> pl.LazyFrame:
    """A condition's answer for each row, a constant's too: one column, as long as the frame."""
    return frame.with_columns(condition.alias(_HOLDS)).select(_HOLDS)


def asked_of_each(frame: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    """The same at once."""
    return frame.with_columns(condition.alias(_HOLDS)).get_column(_HOLDS)


def named_by(sql: Iterable[str]) -> set[str]:
    """The names that stand at the root of these conditions."""
    return {name for text in sql for name in pl.sql_expr(text).meta.root_names()}


def with_names(batch: pl.DataFrame, spec: TableSpec, source: Iterable[str]) -> pl.DataFrame:
    """A batch in which the conditions of `spec` find what they name; `source` are the source's columns."""
    ours = [*source]
    names = [column.name for column in spec.columns]
    rows = batch.with_columns(pl.col(VALUE + name).alias(name) for name in names if name not in ours)
    wanted = named_by(_conditions(spec)) - set(rows.columns)
    if SOURCE in wanted:
        rows = rows.with_columns(pl.struct(ours).alias(SOURCE))
    if CONVERTED in wanted:
        rows = rows.with_columns(pl.struct(pl.col(VALUE + name).alias(name) for name in names).alias(CONVERTED))
    return rows


def _conditions(spec: TableSpec) -> Iterator[str]:
    yield from (exclusion.when for exclusion in spec.exclusions)
    yield from (check.expect for check in spec.checks if not check.columns)
    yield from (rule.when for rule in spec.routes)
