"""Rows of equal keys, side by side."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.content import SEED, mix

Key = NDArray[np.uint32]


def runs(key: Key) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Rows of the keys held twice or more, sorted by key, and the length of each run. Of a large register that is
    most of what is held at a time: so key and row are packed in place."""
    unordered = key.astype(np.uint64)
    unordered <<= np.uint64(32)
    unordered |= np.arange(len(key), dtype=np.uint64)
    unordered = unordered[key > 0]
    packed = pl.Series(unordered).sort(multithreaded=False).to_numpy()
    del unordered
    again = np.zeros(len(packed) + 1, dtype=bool)  # the same key as the row before
    again[1:-1] = (packed[1:] ^ packed[:-1]) <= np.uint64(0xFFFFFFFF)
    several = np.flatnonzero(again[:-1] | again[1:])
    starts = np.flatnonzero(~again.take(several))
    rows = (packed.take(several) & np.uint64(0xFFFFFFFF)).astype(np.int32)
    return rows, np.diff(np.append(starts, len(rows)))


def spans(starts: NDArray[np.integer], counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Places of the items of several runs one after the other: of each `counts` places from `starts` on.

    >>> spans(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    ends = np.cumsum(counts)
    return np.repeat(starts - ends + counts, counts) + np.arange(int(counts.sum()))


def held_by_many(values: NDArray[np.uint64], few: int) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """Which rows hold a value that more than `few` rows hold, and a row of each such value; 0 is no value."""
    key = np.maximum(mix(values, np.full(len(values), SEED)) >> np.uint64(32), 1).astype(np.uint32)
    key[values == 0] = 0
    rows, lengths = runs(key)
    large = lengths > few
    rows, lengths = rows[np.repeat(large, lengths)], lengths[large]
    first = np.cumsum(lengths) - lengths
    held, many = values.take(rows), np.zeros(len(values), dtype=bool)
    same = held == np.repeat(held.take(first), lengths)
    whole = np.logical_and.reduceat(same, first) if len(first) else np.zeros(0, dtype=bool)
    many[rows] = True
    mixed = np.repeat(~whole, lengths)  # several values of one key: a few, by accident
    _, one, place, counts = np.unique(held[mixed], return_index=True, return_inverse=True, return_counts=True)
    many[rows[mixed]] = counts[place] > few
    return many, np.concatenate([rows[first[whole]], rows[mixed][one[counts > few]]])
