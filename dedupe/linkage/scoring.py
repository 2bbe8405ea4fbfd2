"""The cascade: cheap evidence for every pair, costly evidence only where it can still matter.

A pair is dropped as soon as even the best remaining evidence cannot bring it to the threshold. Nothing that
would have reached the threshold is lost (`Model.bound`): the cascade keeps exactly what scoring everything
to the end would keep.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dedupe.linkage.levels import Comparison, Levels
from dedupe.linkage.model import Model
from dedupe.linkage.patterns import Radix, distinct
from dedupe.linkage.witnesses import Number

TABLE_LIMIT = 1 << 28
DOUBT_CAP = 0.949
SLIP_OF_A_DATE = 6  # the last of BIRTH_LEVELS that a slip of the pen or a default explains
SLACK = 1e-9
UNDECIDED, DROP, KEEP = 0, 1, 2


@dataclass
class Prune:
    """How many pairs came to each step of the cascade, and how many were left at the end."""

    seen: dict[str, int] = field(default_factory=dict)

    def add(self, step: str, pairs: int) -> None:
        self.seen[step] = self.seen.get(step, 0) + pairs

    def merge(self, others: Iterable[Prune]) -> None:
        for other in others:
            for step, pairs in other.seen.items():
                self.add(step, pairs)


@dataclass(frozen=True)
class Scored:
    """Pairs that reached the threshold: rows, and code of the pattern. `witnesses`: codes of the pairs that
    would reach it but for two different numbers that name a person, kept or not."""

    left: NDArray[np.int32]
    right: NDArray[np.int32]
    codes: NDArray[np.int64]
    witnesses: NDArray[np.int64]


class Scorer:
    """Scores batches of candidate pairs under one model. Batches do not influence one another, so they may
    run side by side: the tables filled on the way hold facts about patterns, never about pairs."""

    def __init__(self, model: Model, comparisons: Sequence[Comparison], keep: float) -> None:
        self.model, self.comparisons = model, comparisons
        self.radix = Radix.of(comparisons)
        self.needed = float(np.log(keep / (1 - keep))) - SLACK if keep > 0 else -np.inf
        self.opens = [c.opens for c in comparisons]
        self.number = Number.of(comparisons)
        self.first = self._first_comparisons()
        sizes = tuple(comparisons[place].radix for place in self.first)
        self.first_radix = Radix(sizes)
        self.verdicts = _sparse(int(np.prod(sizes)))

    def _first_comparisons(self) -> list[int]:
        """The comparisons whose quick answers are looked up together: those that tell most, while the
        table of their combinations stays small."""
        spread = [
            float(np.ptp(t[self.model.same].max(0) - t[~self.model.same].max(0))) for t in self.model.log_chances
        ]
        chosen, total = [], 1
        for place in sorted(range(len(spread)), key=lambda p: -spread[p]):
            if total * self.comparisons[place].radix <= TABLE_LIMIT:
                chosen.append(place)
                total *= self.comparisons[place].radix
        return sorted(chosen)

    def score(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> tuple[Scored, Prune]:
        """The pairs that reach the threshold, and the count of those that came to each step."""
        prune = Prune()
        prune.add("candidates", len(left))
        columns: dict[int, NDArray[np.uint8]] = {p: self.comparisons[p].quick(left, right) for p in self.first}
        keep = self._first_verdict(columns)
        left, right = left[keep], right[keep]
        columns = {place: column[keep] for place, column in columns.items()}
        for place, comparison in enumerate(self.comparisons):
            if place not in columns:
                columns[place] = comparison.quick(left, right)
        levels = [columns[place] for place in range(len(self.comparisons))]
        prune.add("after cheap evidence", len(left))
        for place, comparison in enumerate(self.comparisons):
            if comparison.settle is not None:
                unsettled = np.flatnonzero(levels[place] > comparison.null)
                levels[place][unsettled] = comparison.settle(left[unsettled], right[unsettled])
                prune.add(f"looked at: {comparison.name}", len(unsettled))
        codes = self.radix.encode(levels)
        found, where = distinct(codes)
        patterns = self.radix.decode(found)
        keep = self.reach(patterns).take(where)
        prune.add("kept", int(keep.sum()))
        return Scored(left[keep], right[keep], codes[keep], codes[self._speaks(patterns).take(where)]), prune

    def _first_verdict(self, columns: dict[int, NDArray[np.uint8]]) -> NDArray[np.bool_]:
        codes = self.first_radix.encode([columns[place] for place in self.first])
        verdict = self.verdicts.take(codes)
        unknown = distinct(codes[verdict == UNDECIDED])[0]
        if len(unknown):
            self.verdicts[unknown] = self._reaches(self._widened(self.first_radix.decode(unknown)))
            verdict = self.verdicts.take(codes)
        return verdict == KEEP

    def _widened(self, partial: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], list[tuple[tuple[int, ...], ...]]]:
        """Patterns of the first comparisons as full patterns, the other comparisons entirely open."""
        levels = np.empty((len(partial), len(self.comparisons)), dtype=np.uint8)
        opens = list(self.opens)
        for place, comparison in enumerate(self.comparisons):
            if place in self.first:
                levels[:, place] = partial[:, self.first.index(place)]
            else:
                levels[:, place] = comparison.null + 1
                opens[place] = (tuple(range(comparison.null + 1)),)
        return levels, opens

    def reach(self, patterns: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which patterns reach the threshold."""
        return self.model.log_odds(patterns) >= self.needed

    def _speaks(self, patterns: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns of pairs that hold different numbers, and would be kept if they held none."""
        if self.number is None:
            return np.zeros(len(patterns), dtype=bool)
        return self._differs(patterns) & self.reach(self.number.without(patterns))

    def _differs(self, patterns: NDArray[np.uint8]) -> NDArray[np.bool_]:
        if self.number is None:
            return np.zeros(len(patterns), dtype=bool)
        return np.asarray(patterns[:, self.number.place] == self.number.differs)

    def _reaches(self, patterns: tuple[NDArray[np.uint8], list[tuple[tuple[int, ...], ...]]]) -> NDArray[np.int8]:
        levels, opens = patterns
        enough = self.model.bound(levels, opens) >= self.needed
        rows = np.flatnonzero(self._differs(levels))
        if self.number is not None and len(rows):
            enough[rows] |= self.model.bound(self.number.without(levels[rows]), opens) >= self.needed
        return np.where(enough, KEEP, DROP).astype(np.int8)


def _sparse(size: int) -> NDArray[np.int8]:
    """So many UNDECIDED, in memory only where one is looked at: pages of the system's own size, which
    `np.zeros` would make five hundred times as large."""
    return np.frombuffer(mmap.mmap(-1, size), dtype=np.int8)


def doubtful(comparisons: Sequence[Comparison], levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    Those a twin could show: a birth date that is the same, a slip away, a default or not known, and a forename
    that is missing or differs by more than a slip of the pen (a shared NHS number may have been given to the
    wrong twin). With positive evidence of two people, sex or middle name, a slip in the forename is enough. A
    register without a forename, or without a birth date, has it missing everywhere. And those with two different
    numbers that name a person: one of the two may be wrong, but that is not for a model to say.
    """
    place = {comparison.name: number for number, comparison in enumerate(comparisons)}
    apart, near = np.ones(len(levels), dtype=bool), np.ones(len(levels), dtype=bool)
    if "forename" in place:
        forename, name = comparisons[place["forename"]], levels[:, place["forename"]]
        rest = [n for n, lv in enumerate(forename.levels) if lv.bin is None]
        apart = np.isin(name, [*(rest[k] for k in (1, 2, 3, 4, 5, *range(7, 13))), forename.null])
        for other in {"sex", "middle_name"} & place.keys():
            apart |= (name >= rest[2]) & _plainly_differs(comparisons[place[other]], levels[:, place[other]])
    if "birth_date" in place:
        date = levels[:, place["birth_date"]]
        near = (date <= SLIP_OF_A_DATE) | (date == comparisons[place["birth_date"]].null)
    number = Number.of(comparisons)
    two_numbers = levels[:, number.place] == number.differs if number else np.zeros(len(levels), dtype=bool)
    return apart & near | two_numbers


def _plainly_differs(comparison: Comparison, level: Levels) -> NDArray[np.bool_]:
    """Patterns at the last level of a group: nothing in common."""
    return np.isin(level, np.cumsum(comparison.groups) - 1)
