"""Rows that were written whole once, and beside them those that changed since: a night writes little."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import polars as pl

IN_PARTS: Final = "streaming"
"""The engine of Polars that reads a file part by part."""


@dataclass(frozen=True)
class KeptRows:
    """A table as it stands: the rows of `base`, but for those whose `key` is `touched` (a frame of that column),
    of which `fresh` are all that there are."""

    key: str
    base: pl.LazyFrame
    touched: pl.DataFrame
    fresh: pl.DataFrame

    @classmethod
    def whole(cls, key: str, rows: pl.DataFrame) -> KeptRows:
        """Rows of which none changed yet."""
        return cls(key, rows.lazy(), rows.select(key).clear(), rows.clear())

    @property
    def columns(self) -> list[str]:
        """The names of its columns."""
        return self.fresh.columns

    @property
    def height(self) -> int:
        """How many rows it has."""
        return int(self.lazy(self.key).select(pl.len()).collect(engine=IN_PARTS).item())

    def select(self, *columns: str) -> pl.DataFrame:
        """These columns of every row as it is now; all without any."""
        names = columns or tuple(self.columns)
        return pl.concat([self._stood(names).collect(), self.fresh.select(names)])

    def lazy(self, *columns: str) -> pl.LazyFrame:
        """The same, for who wants little of it: collect it IN_PARTS, and the whole is never in memory."""
        return pl.concat([self._stood(columns), self.fresh.lazy().select(columns)])

    def _stood(self, names: Collection[str]) -> pl.LazyFrame:
        """The rows of the base that are as they were."""
        read = self.base.select(list(dict.fromkeys((self.key, *names))))
        if self.touched.height:
            read = read.join(self.touched.lazy(), on=self.key, how="anti", nulls_equal=True)
        return read.select(names)

    def of(self, column: str, wanted: Collection[str]) -> pl.DataFrame:
        """The rows that have one of these values in a column, as they are now."""
        mine = pl.col(column).is_in(pl.Series(sorted(wanted), dtype=pl.String).implode())
        stood = self.base.filter(mine).collect().join(self.touched, on=self.key, how="anti", nulls_equal=True)
        return pl.concat([stood, self.fresh.filter(mine)])

    def of_keys(self, keys: pl.DataFrame) -> pl.DataFrame:
        """The rows of some keys (a frame of that column, null among them), as they are now."""
        stood = self.base.join(keys.lazy(), on=self.key, how="semi", nulls_equal=True).collect()
        stood = stood.join(self.touched, on=self.key, how="anti", nulls_equal=True)
        return pl.concat([stood, self.fresh.join(keys, on=self.key, how="semi", nulls_equal=True)])

    def names_in_base(self, columns: Collection[str], wanted: Collection[str]) -> bool:
        """Whether one of these values stands in one of some columns of the base, whatever counts now."""
        named = [pl.col(column).is_in(sorted(wanted)).any() for column in columns]
        return bool(wanted) and bool(self.base.select(pl.any_horizontal(named).fill_null(False)).collect().item())

    def changed(self, keys: pl.DataFrame, rows: pl.DataFrame) -> KeptRows:
        """The same with other rows for some keys: `rows` are all that there are of them now."""
        keys, now = keys.select(self.key).unique(), rows.select(self.columns).cast(self.fresh.schema)
        fresh = pl.concat([self.fresh.join(keys, on=self.key, how="anti", nulls_equal=True), now])
        return replace(self, touched=pl.concat([self.touched, keys]).unique(), fresh=fresh)

    def written_whole(self) -> KeptRows:
        """The same rows, all of them in the base, which is read when it is written."""
        if not self.touched.height:
            return self
        base = self.base.join(self.touched.lazy(), on=self.key, how="anti", nulls_equal=True)
        whole = pl.concat([base, self.fresh.lazy()])
        return KeptRows(self.key, whole, self.touched.clear(), self.fresh.clear())
