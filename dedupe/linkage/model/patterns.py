"""Comparison patterns: what a pair looks like, as one number, with how many pairs look like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Comparison
from casebridge.dedupe.linkage.errors import RegisterError


@dataclass(frozen=True)
class Radix:
    """Mixed-radix numbering of patterns: one digit a comparison, its radix how many answers it has."""

    sizes: tuple[int, ...]

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> Radix:
        sizes = tuple(comparison.radix for comparison in comparisons)
        total = 1
        for size in sizes:
            total *= size
        if total >= 2**60:  # three bits of a word are left for a verdict (`scoring.CutCache`)
            raise RegisterError("Too many columns are compared at once.", "Leave out some of [other].")
        return cls(sizes)

    def encode(self, columns: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
        code = columns[0].astype(np.int64)
        for size, column in zip(self.sizes[1:], columns[1:], strict=True):
            code *= size
            code += column
        return code

    def digit(self, codes: NDArray[np.int64], place: int) -> NDArray[np.int64]:
        """Level of one comparison in each code."""
        return codes // int(np.prod(self.sizes[place + 1 :], dtype=np.int64)) % self.sizes[place]

    def decode(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Levels of each code; shape (codes, comparisons)."""
        found = np.empty((len(codes), len(self.sizes)), dtype=np.uint8)
        rest = codes
        for place in range(len(self.sizes) - 1, -1, -1):
            rest, digit = np.divmod(rest, self.sizes[place])
            found[:, place] = digit
        return found


@dataclass(frozen=True)
class Patterns:
    """Distinct patterns in the order of their codes: levels (patterns, comparisons), and how many pairs
    (a weighted count, where pairs were sampled) each stands for: of all, or of a share of them."""

    levels: NDArray[np.uint8]
    weight: NDArray[np.float64]
    share: float = 1.0


def distinct(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Distinct codes in order, and for each input its place among them."""
    order = np.argsort(codes, kind="stable")  # many are equal: twice as fast so
    ordered = codes[order]
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(codes) else np.zeros(0, dtype=bool)
    place = np.empty(len(codes), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return ordered[new], place


def count_patterns(radix: Radix, codes: NDArray[np.int64], weight: NDArray[np.float64]) -> Patterns:
    found, place = distinct(codes)
    return Patterns(
        radix.decode(found), np.bincount(place, weights=weight, minlength=len(found)).astype(np.float64)
    )


def count_codes(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Distinct codes in order, and how often each stands."""
    found, place = distinct(codes)
    return found, np.bincount(place, minlength=len(found)).astype(np.float64)
