"""Several columns that name a table's rows together, where none does it alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import polars as pl

from casebridge.migrate.profiling.columns import NEARLY
from casebridge.migrate.profiling.keys import JOINED, LONGEST_KEY, like_a_key
from casebridge.project.blanks import bare

_SAMPLE = 50_000
_MOST_PARTS, _MOST_TRIED, _MOST_FOUND = 3, 9, 3
_MOST_CALLED, _MOST_TELLING, _MOST_GROWN = 6, 8, 5
_BETWEEN = "\x1f"


def likely_composites(frame: pl.DataFrame) -> list[tuple[str, ...]]:
    """Columns that name the rows of a first piece together, the likeliest first, a few: of those that name each
    row, the ones with the fewest parts that only happen to; else those that nearly do. A column with a blank in it
    names nothing. None where a column nearly does it alone."""
    values = frame.head(_SAMPLE).select(bare(pl.col(name)).alias(name) for name in frame.columns)
    sizes = {column.name: column.n_unique() for column in values.iter_columns()}
    if any(distinct >= NEARLY * values.height and like_a_key(name) for name, distinct in sizes.items()):
        return []
    able = {name: size for name, size in sizes.items() if size > 1 and _may_name(values[name])}
    tried = _Tried(values.select(pl.col(*able).cast(pl.Categorical).to_physical()) if able else values, able)
    found = [*tried.together(values.height), *tried.grown()]
    nearly = [] if found else list(tried.together(NEARLY * values.height))
    places = {name: place for place, name in enumerate(frame.columns)}
    likely = {tuple(sorted(parts, key=places.__getitem__)) for parts in found or nearly}
    return sorted(likely, key=lambda parts: (tried.chance(parts), [places[part] for part in parts]))[:_MOST_FOUND]


def joined(frame: pl.DataFrame, parts: Sequence[str]) -> pl.Series:
    """Several columns as one, for counting; null where one of them is blank."""
    return frame.select(pl.concat_str((bare(pl.col(part)) for part in parts), separator=_BETWEEN)).to_series()


def name_of(parts: Sequence[str]) -> str:
    """What several columns are called as one."""
    return JOINED.join(parts)


def _may_name(values: pl.Series) -> bool:
    return not values.null_count() and int(values.str.len_chars().max() or 0) <= LONGEST_KEY  # type: ignore[arg-type]


class _Tried:
    """The columns of a piece that may be parts of a key, with how many different values each has."""

    def __init__(self, values: pl.DataFrame, sizes: dict[str, int]) -> None:
        self._values, self._sizes = values, sizes
        self._order = sorted(sizes, key=lambda name: (not like_a_key(name), -sizes[name]))

    def chance(self, parts: Sequence[str]) -> float:
        """How easily columns name rows by chance: by parts that are not called like keys and have many values."""
        return len(parts) / 2 + sum(math.log10(self._sizes[part]) for part in parts if not like_a_key(part))

    def together(self, least: float) -> Iterator[tuple[str, ...]]:
        """Pairs and triples of the likeliest columns that have so many values together, no triple with such a
        pair."""
        smaller: list[set[str]] = []
        for number in range(2, _MOST_PARTS + 1):
            for parts in itertools.combinations(self._order[:_MOST_TRIED], number):
                if any(map(set(parts).issuperset, smaller)):
                    continue
                most = math.prod(self._sizes[part] for part in parts)
                if most >= least and self._different(self._values, parts) >= least:
                    smaller.append(set(parts))
                    yield parts

    def grown(self) -> Iterator[tuple[str, ...]]:
        """All that are called like keys, with up to two more columns of few values that tell the rest apart, less
        what is not needed."""
        called = tuple(name for name in self._order if like_a_key(name))[:_MOST_CALLED]
        if not called:
            return
        alike = self._values.filter(pl.struct(called).is_duplicated())
        others = sorted((name for name in self._sizes if name not in called), key=self._sizes.__getitem__)
        for number in range(3):
            for more in itertools.combinations(others[:_MOST_TELLING], number):
                if self._different(alike, (*called, *more)) == alike.height:
                    needed = self._needed((*called, *more))
                    if len(needed) <= _MOST_GROWN:
                        yield needed
                    return

    def _needed(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        for part in reversed(parts):
            fewer = tuple(other for other in parts if other != part)
            if len(fewer) > 1 and self._different(self._values, fewer) == self._values.height:
                parts = fewer
        return parts

    def _different(self, values: pl.DataFrame, parts: Sequence[str]) -> int:
        return values.select(parts).n_unique() if values.height else 0
