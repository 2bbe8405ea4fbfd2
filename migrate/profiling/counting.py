"""The values of a column, counted without keeping them: a value is a number of 64 bits here.

The numbers are made with a key of this process, drawn at random, so that a file of them tells nobody's value. Two
of ten million different values get the same number with a probability of 3 in a million.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.uint64]
Counts = npt.NDArray[np.uint32]
HASH, COUNT = "hash", "n"
_KEY = secrets.randbits(63)
_ROOM = 1 << 24
"""Different values that all columns of a table hold in memory together between two pieces, 12 bytes each."""
_LEAST, _MOST = 1 << 14, 1 << 20
"""The same of one column."""
_SMALL = 4096
"""Different values of a column up to which they stay in memory when all have passed."""


def room_of_each(columns: int) -> int:
    """How many different values each of so many columns may hold in memory."""
    return min(max(_ROOM // max(columns, 1), _LEAST), _MOST)


def hashed(values: pl.Series) -> pl.Series:
    """Each value's number, uint64."""
    return values.hash(_KEY)


def numbers_of(texts: list[str]) -> Numbers:
    """The numbers of some texts."""
    return hashed(pl.Series(texts, dtype=pl.String)).to_numpy()


@dataclass
class Counter:
    """How often each value of a column came. What is more than `room` lies in two files under `folder`, numbers
    and counts, in runs that are each in the order of the numbers."""

    folder: Path
    name: str
    room: int = _MOST
    _held: list[pl.DataFrame] = field(default_factory=list)
    _runs: list[int] = field(default_factory=list)
    _rows: int = 0

    def take(self, numbers: pl.Series, counts: pl.Series) -> None:
        """Count the values of a piece, each with how often it came."""
        self._held.append(pl.DataFrame({HASH: numbers, COUNT: counts.cast(pl.UInt32)}))
        self._rows += numbers.len()
        if self._rows > 2 * self.room:
            frame = _summed(self._held)
            self._held, self._rows = [frame], frame.height
            if frame.height > self.room:
                self._put_away(frame)

    def _put_away(self, frame: pl.DataFrame) -> None:
        self._append("runs", frame)
        self._runs.append(frame.height)
        self._held, self._rows = [], 0

    def result(self) -> tuple[Numbers, Counts]:
        """The values' numbers, in order, and how often each came."""
        last = _summed(self._held)
        self._held = []
        if not self._runs and last.height < _SMALL:
            return last[HASH].to_numpy(), last[COUNT].to_numpy()
        if self._runs:
            self._put_away(last)
        for frame in self._merged() if self._runs else [last]:
            self._append("all", frame)
        for column in (HASH, COUNT) if self._runs else ():
            self._file("runs", column).unlink()
        numbers, counts = self._file("all", HASH), self._file("all", COUNT)
        return np.memmap(numbers, np.uint64, "r"), np.memmap(counts, np.uint32, "r")

    def _merged(self) -> Iterator[pl.DataFrame]:
        """All runs as one, as many numbers at a time as there is room for."""
        numbers = np.memmap(self._file("runs", HASH), np.uint64, "r")
        counts = np.memmap(self._file("runs", COUNT), np.uint32, "r")
        ends = np.cumsum(self._runs)
        runs = [slice(end - size, end) for end, size in zip(ends.tolist(), self._runs, strict=True)]
        # The numbers are spread evenly: steps of the same width hold about as many each.
        steps = numbers.size // self.room + 1
        edges = [step * (1 << 64) // steps for step in range(1, steps)]
        cuts = [[run.start, *(run.start + numbers[run].searchsorted(np.array(edges, np.uint64))), run.stop]
                for run in runs]  # fmt: skip
        for step in range(steps):
            pieces = [slice(cut[step], cut[step + 1]) for cut in cuts]
            yield _summed([pl.DataFrame({HASH: numbers[piece], COUNT: counts[piece]}) for piece in pieces])

    def _append(self, file: str, frame: pl.DataFrame) -> None:
        for column in (HASH, COUNT):
            with self._file(file, column).open("ab") as to:  # numpy's own writer does not say that a disk is full
                to.write(frame[column].to_numpy().data)

    def _file(self, file: str, column: str) -> Path:
        return self.folder / f"{self.name}-{file}-{column}"


def _summed(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row a number, in the order of the numbers."""
    empty = pl.DataFrame(schema={HASH: pl.UInt64, COUNT: pl.UInt32})
    return pl.concat([empty, *frames]).group_by(HASH).agg(pl.col(COUNT).sum()).sort(HASH)
