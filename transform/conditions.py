"""The conditions of a spec: `where`, `when` and `expect`. What a name in them means, and that each row is asked.

A name is the source's column, in all three alike. In `when` and `expect` a converted column is reached by its
own name where the source has no column called so, and always as `converted.NAME`; `source.NAME` is the
source's. A condition is asked of each row by itself: it may not look at other rows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

import polars as pl

from casebridge.project.spec import TableSpec

SOURCE, CONVERTED = "source", "converted"

VALUE = "__value_"
"""Prefix of the column that holds a converted column's value."""

_HOLDS = "__holds"
_OF_MANY_ROWS = frozenset({
    "Agg", "Over", "Window", "Rolling", "Len", "Explode", "Quantile", "Correlation", "Range", "Sort", "SortBy",
    "Gather", "Filter", "SubPlan", "Selector", "AnonymousFunction", "AnonymousAgg", "Shift", "ShiftAndFill",
    "NullCount", "NUnique", "Rank", "CumSum", "CumCount", "CumMax", "CumMin", "CumProd", "Diff", "Unique",
    "Reverse", "DropNulls",
})  # fmt: skip
"""Parts of a Polars expression that look at more than one row or change how many there are."""

_OF_ONE_VALUE = frozenset({"Literal", "Column", "FieldByName", "dtype"})


def each_row(frame: pl.LazyFrame, condition: pl.Expr) -> pl.LazyFrame:
    """A condition's answer for each row, a constant's too: one column, as long as the frame."""
    return frame.with_columns(condition.alias(_HOLDS)).select(_HOLDS)


def asked_of_each(frame: pl.DataFrame, condition: pl.Expr) -> pl.Series:
    """The same at once."""
    return frame.with_columns(condition.alias(_HOLDS)).get_column(_HOLDS)


def looks_beyond_its_row(condition: pl.Expr) -> bool:
    """Whether a condition asks of other rows too: an aggregate, a window, anything that changes their number."""
    return not _OF_MANY_ROWS.isdisjoint(_parts(json.loads(condition.meta.serialize(format="json"))))


def _parts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for item in node:
            yield from _parts(item)
    elif isinstance(node, dict):
        for name, inside in node.items():
            yield name
            if name not in _OF_ONE_VALUE:
                yield from _parts(inside)


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
