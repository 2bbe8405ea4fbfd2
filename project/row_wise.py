"""Whether an expression asks its own row alone: `where`, `when` and `expect` may not look at other rows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

_OF_MANY_ROWS = frozenset({
    "Agg", "Over", "Window", "Rolling", "Len", "Explode", "Quantile", "Correlation", "Range", "Sort", "SortBy",
    "Gather", "Filter", "SubPlan", "Selector", "AnonymousFunction", "AnonymousAgg", "Shift", "ShiftAndFill",
    "NullCount", "NUnique", "Rank", "CumSum", "CumCount", "CumMax", "CumMin", "CumProd", "Diff", "Unique",
    "Reverse", "DropNulls",
})  # fmt: skip
"""Parts of a Polars expression that look at more than one row or change how many there are."""

_OF_ONE_VALUE = frozenset({"Literal", "Column", "FieldByName", "dtype"})


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
