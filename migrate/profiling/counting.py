"""The values of a column, counted without keeping them: a value is a number of 64 bits here.

The numbers are made with a key of this process, drawn at random, so that a file of them tells nobody's value. Two
of ten million different values get the same number with a probability of 3 in a million.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

HASH, COUNT = "hash", "n"
_KEY = secrets.randbits(63)
_KEPT = 1 << 20
"""Different values of a column that are held in memory between two pieces."""


def hashed(values: pl.Series) -> pl.Series:
    """Each value's number, uint64."""
    return values.hash(_KEY)


def numbers_of(texts: list[str]) -> npt.NDArray[np.uint64]:
    """The numbers of some texts."""
    return hashed(pl.Series(texts, dtype=pl.String)).to_numpy()


@dataclass
class Counter:
    """How often each value of a column came. What is too much for memory lies in files under `folder`."""

    folder: Path
    name: str
    _held: list[pl.DataFrame] = field(default_factory=list)
    _files: list[Path] = field(default_factory=list)
    _rows: int = 0

    def take(self, numbers: pl.Series, counts: pl.Series) -> None:
        """Count the values of a piece, each with how often it came."""
        self._held.append(pl.DataFrame({HASH: numbers, COUNT: counts.cast(pl.UInt32)}))
        self._rows += numbers.len()
        if self._rows > 2 * _KEPT:
            self._shrink()

    def _shrink(self) -> None:
        frame = _summed(pl.concat(self._held))
        self._held, self._rows = [frame], frame.height
        if frame.height > _KEPT:
            path = self.folder / f"{self.name}-{len(self._files)}.arrow"
            frame.write_ipc(path)
            self._files.append(path)
            self._held, self._rows = [], 0

    def result(self) -> pl.DataFrame:
        """HASH and COUNT, one row a value, in the order of the numbers."""
        frames = [pl.read_ipc(path) for path in self._files] + self._held
        for path in self._files:
            path.unlink()
        empty = pl.DataFrame(schema={HASH: pl.UInt64, COUNT: pl.UInt32})
        return _summed(pl.concat([empty, *frames])).sort(HASH)


def _summed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.group_by(HASH).agg(pl.col(COUNT).sum())
