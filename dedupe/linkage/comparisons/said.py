"""What patterns say, asked by the names of comparisons and the tags of their levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import TWO, Comparison
from casebridge.dedupe.linkage.fields import NUMBER_CAP, TWIN_CAP
from casebridge.dedupe.linkage.kind import Doubt


@dataclass(frozen=True)
class Said:
    """Patterns of some comparisons: levels, shape (patterns, comparisons). What a register does not compare says
    nothing: it has no tag, and is missing."""

    comparisons: Sequence[Comparison]
    levels: NDArray[np.uint8]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {comparison.name: number for number, comparison in enumerate(self.comparisons)}

    def compares(self, name: str) -> bool:
        return name in self._place

    def level(self, name: str) -> NDArray[np.uint8]:
        """Each pattern's level of a comparison that there is."""
        return self.levels[:, self._place[name]]

    def tagged(self, name: str, *tags: str) -> NDArray[np.bool_]:
        """Patterns whose level of the comparison `name` has one of the tags."""
        if not self.compares(name):
            return np.zeros(len(self.levels), dtype=bool)
        return self.comparisons[self._place[name]].tagged(*tags)[self.level(name)]

    def missing(self, name: str) -> NDArray[np.bool_]:
        """Patterns that lack an answer."""
        if not self.compares(name):
            return np.ones(len(self.levels), dtype=bool)
        return self.level(name) == self.comparisons[self._place[name]].null

    def any_tagged(self, tag: str, identifiers: bool = False) -> NDArray[np.bool_]:
        """Patterns in which any comparison, or any of a number that names one entity, has a level with the tag."""
        found = np.zeros(len(self.levels), dtype=bool)
        for comparison, shown in zip(self.comparisons, self.levels.T, strict=True):
            if comparison.identifier or not identifiers:
                found |= comparison.tagged(tag)[shown]
        return found


def for_a_person(
    doubt: Doubt,
    comparisons: Sequence[Comparison],
    levels: NDArray[np.uint8],
    without: frozenset[str] = frozenset(),
) -> NDArray[np.bool_]:  # fmt: skip
    """Patterns that are for a person to decide, whatever their p: those that a kind's guard doubts, and those with
    two different numbers that name one entity. One of the two may be wrong, but that is not for a model to say."""
    found = np.zeros(len(levels), dtype=bool)
    if TWIN_CAP not in without:
        found |= doubt(comparisons, levels)
    if NUMBER_CAP not in without:
        found |= Said(comparisons, levels).any_tagged(TWO)
    return found
