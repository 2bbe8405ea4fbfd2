"""The records of a batch of pairs, and what they hold: each fetched once, however many comparisons ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int32]
WORD = 8  # bytes to which a row is filled up
CHUNK = 8192  # rows moved at a time: so many stay in the processor's cache


class RowTable:
    """Columns laid out row by row: to fetch what a row holds is one look into memory, and not one a column."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        ordered = sorted(columns.items(), key=lambda item: -item[1].itemsize)
        ends = np.cumsum([column.itemsize for _, column in ordered])
        self.places = {
            name: (int(end) - column.itemsize, column.dtype)
            for (name, column), end in zip(ordered, ends, strict=True)
        }
        size = len(ordered[0][1])
        self.width = -(-int(ends[-1]) // WORD) * WORD
        self.cells = np.zeros((size, self.width), dtype=np.uint8)
        for first in range(0, size, CHUNK):
            rows = slice(first, first + CHUNK)
            for name, column in ordered:
                self._within(self.cells[rows], name)[:] = column[rows]

    def column(self, name: str) -> NDArray[Any]:
        """A column as it lies in the table: looked up by row or by slice, it is not copied."""
        return self._within(self.cells, name)

    def _within(self, cells: NDArray[np.uint8], name: str) -> NDArray[Any]:
        place, dtype = self.places[name]
        return cells[:, place : place + dtype.itemsize].view(dtype)[:, 0]

    def fetch(self, rows: NDArray[np.integer]) -> dict[str, NDArray[Any]]:
        """What `rows` hold, by column; every row must be one of the table."""
        found = {name: np.empty(len(rows), dtype) for name, (_, dtype) in self.places.items()}
        buffer = np.empty((min(CHUNK, len(rows)), self.width), dtype=np.uint8)
        for first in range(0, len(rows), CHUNK):
            some = rows[first : first + CHUNK]
            cells = self.cells.take(some, axis=0, out=buffer[: len(some)], mode="clip")
            for name, values in found.items():
                values[first : first + CHUNK] = self._within(cells, name)
        return found


class PairSide:
    """One side of a batch of pairs: the number of each row, and what it holds.

    `columns` are those of the register by name, `table` the same laid out (columns it lacks are looked up).
    """

    def __init__(self, columns: Mapping[str, NDArray[Any]], table: RowTable | None, rows: NDArray[Any]) -> None:
        self.rows = rows.astype(np.int64, copy=False)
        self._columns = columns
        self._held = table.fetch(self.rows) if table else {}

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, name: str) -> NDArray[Any]:
        """What each row holds in a column."""
        if name not in self._held:
            self._held[name] = self._columns[name].take(self.rows)
        return self._held[name]

    def take(self, at: NDArray[Any]) -> PairSide:
        """The side of some of the pairs, by their place."""
        return _Part(self, at)


class _Part(PairSide):
    """Some of the rows of another side."""

    def __init__(self, whole: PairSide, at: NDArray[Any]) -> None:
        self.rows = whole.rows.take(at)
        self._whole, self._at = whole, at
        self._held = {}

    def of(self, name: str) -> NDArray[Any]:
        if name not in self._held:
            self._held[name] = self._whole.of(name).take(self._at)
        return self._held[name]
