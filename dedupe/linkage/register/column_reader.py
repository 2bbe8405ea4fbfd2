"""One column of a register at a time: fetched, set in the register's order, what it could not give told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.register.date_parts import join_parts
from casebridge.dedupe.linkage.register.encoding import Lists, Register


@dataclass(frozen=True)
class ColumnReader:
    """Reads one column at a time, so that a large file's text is never all in memory. joined: columns that are
    made of three (`Fields.joined`)."""

    lazy: pl.LazyFrame
    order: NDArray[np.uint32]
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def column(self, name: str) -> pl.Series:
        """A column as it stands, of bytes the text; or as it is made of others. Raises RegisterError for bytes
        that are no UTF-8."""
        if name in self.joined:
            return join_parts(*(self._held(part) for part in self.joined[name])).rename(name)
        return self._held(name)

    def _held(self, name: str) -> pl.Series:
        found = self.lazy.select(name).collect().to_series()
        try:
            return found.cast(pl.String) if found.dtype == pl.Binary else found
        except pl.exceptions.ComputeError:
            raise RegisterError(f"Column {name} holds bytes that are no UTF-8 text.") from None

    def arranged(self, codes: NDArray[Any]) -> NDArray[Any]:
        return codes.take(self.order)


def exploded_items(column: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    """Row number and text of each item of a list column; plain text may separate items by ; or |."""
    if not isinstance(column.dtype, pl.List):
        column = column.cast(pl.String).str.replace_all(r"\|", ";").str.split(";")
    flat = column.rename("v").to_frame().with_row_index("row").explode("v").drop_nulls("v")
    return flat["row"].cast(pl.Int64).to_numpy(), flat["v"].cast(pl.String)


def as_lists(
    rows: NDArray[np.int64], codes: NDArray[Any], order: NDArray[np.uint32], dictionary: str | None = None
) -> Lists:
    """Items of rows, in the register's order; those that are missing left out. dictionary: whose codes they
    are."""
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    held = codes > 0 if codes.dtype.kind == "u" else codes >= 0
    rows, codes = place[rows[held]], codes[held]
    by_row = np.lexsort((codes, rows))
    counts = np.bincount(rows, minlength=len(order))
    return Lists(np.concatenate([[0], np.cumsum(counts)]), codes[by_row], dictionary)


def tell_unread(register: Register, role: str, kind: str, column: pl.Series, unread: NDArray[np.bool_]) -> None:
    """A note of how many values of a column cannot be read, of those given."""
    many = int(unread.sum())
    if not many:
        return
    register.unread.add(role)
    given = int((column.cast(pl.String).str.strip_chars() != "").sum())
    register.notes.append(f"{role}: {many:,} of {given:,} values are no {kind} that can be read.")
