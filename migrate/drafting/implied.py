"""Columns that another one implies: of people at one postcode the town is no further fact."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

_ROWS, _LEAST_PAIRS, _IMPLIED = 200_000, 30, 0.7
"""Of two people of one postcode so many share the town where it is written with slips: 1.0 without any in made-up
registers, 0.02 to 0.39 in those whose town and postcode are drawn apart (FEBRL 1 to 4)."""


def not_implied(
    register: pl.LazyFrame, columns: Sequence[str], by: Sequence[str], names: Sequence[str]
) -> list[str]:
    """The columns without those that one of `by`, or another of them with more values, implies. names: columns of
    which two people differ in each; without any nothing is said."""
    frame = register.select({*columns, *by, *names}).head(_ROWS).collect().cast(pl.String)
    finest_first = sorted(columns, key=lambda name: -frame[name].n_unique()) if names else []
    left_out: set[str] = set()
    for place, name in enumerate(finest_first):
        others = [*by, *(one for one in finest_first[:place] if one not in left_out)]
        if any(_implies(frame, other, name, names) for other in others):
            left_out.add(name)
    return [name for name in columns if name not in left_out]


def _implies(frame: pl.DataFrame, by: str, name: str, names: Sequence[str]) -> bool:
    """Whether neighbours of one value of `by` who differ in all names share what stands under `name`."""
    rows = frame.select(by, name, *names).drop_nulls().sort(by, maintain_order=True)
    before = rows.select(pl.all().shift(1).name.prefix("before "))
    pairs = pl.concat([rows, before], how="horizontal").filter(
        pl.col(by) == pl.col(f"before {by}"), *(pl.col(one) != pl.col(f"before {one}") for one in names)
    )
    return pairs.height >= _LEAST_PAIRS and bool(
        (pairs[name] == pairs[f"before {name}"]).mean() >= _IMPLIED  # type: ignore[operator]
    )
