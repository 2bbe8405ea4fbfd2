"""Likeness of text, worked out once per distinct pair of values, never per pair of records."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from casebridge.dedupe.linkage.register.values import Values

Codes = NDArray[np.integer]


def per_distinct_pair(
    left: Codes, right: Codes, judge: Callable[[Codes, Codes], NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """judge(a, b) for every pair of codes, called once with the distinct pairs only (a <= b)."""
    packed = np.minimum(left, right).astype(np.uint64) << np.uint64(32) | np.maximum(left, right).astype(np.uint64)
    order = np.argsort(packed)
    ordered = packed[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, dtype=bool)
    distinct = ordered[new]
    answer = judge(
        (distinct >> np.uint64(32)).astype(np.int64), (distinct & np.uint64(0xFFFFFFFF)).astype(np.int64)
    )
    result = np.empty(len(packed), dtype=np.uint8)
    result[order] = answer[np.cumsum(new) - 1]
    return result


def jaro_winkler(values: Values, left: Codes, right: Codes) -> NDArray[np.float32]:
    """Jaro-Winkler similarity (Winkler 1990), 0 to 1, of pairs of values."""
    if len(left) == 0:
        return np.zeros(0, dtype=np.float32)
    return process.cpdist(
        values.strings(left),
        values.strings(right),
        scorer=JaroWinkler.similarity,
        dtype=np.float32,
        workers=1,
    )


def edits(values: Values, left: Codes, right: Codes, most: int = 2) -> NDArray[np.uint8]:
    """Optimal string alignment distance of pairs of values: insertions, deletions, substitutions and swaps
    of neighbours; most + 1 stands for more than `most`."""
    if len(left) == 0:
        return np.zeros(0, dtype=np.uint8)
    found = process.cpdist(
        values.strings(left),
        values.strings(right),
        scorer=OSA.distance,
        score_cutoff=most,
        dtype=np.uint8,
        workers=1,
    )
    return np.asarray(found, dtype=np.uint8)
