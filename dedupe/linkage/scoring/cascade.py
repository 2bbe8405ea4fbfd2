"""The cascade: cheap evidence for every pair, costly evidence only where it can still matter.

A pair is dropped as soon as even the best remaining evidence cannot bring it to the threshold. Nothing that would
have reached the threshold is lost (`Model.bound`): the cascade keeps exactly what scoring everything to the end
would keep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Comparison
from casebridge.dedupe.linkage.model.calibration import Number
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Radix, distinct
from casebridge.dedupe.linkage.register.encoding import Register

SLOTS = 20  # 2 to this power places in a table of verdicts
SLACK = 1e-9
KEEP, SPEAKS, KNOWN = np.uint8(1), np.uint8(2), np.uint8(4)

Judge = Callable[[NDArray[np.int64]], NDArray[np.uint8]]


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


class CutCache:
    """What was found of patterns, by code, so that each is worked out once and not once a batch.

    A table of SLOTS places, each for the code that last came to it: two codes of one place cost a second look,
    never a wrong answer. A place holds code and verdict in one word, so threads may share it.
    """

    def __init__(self) -> None:
        self.slots = np.zeros(1 << SLOTS, dtype=np.uint64)

    def of(self, codes: NDArray[np.int64], judge: Judge) -> NDArray[np.uint8]:
        """The verdict of each code; `judge` gives those of distinct codes that are not held."""
        held = self.slots.take(_slot(codes))
        verdict = (held & np.uint64(7)).astype(np.uint8)
        held >>= np.uint64(3)
        unknown = np.flatnonzero((held != codes.view(np.uint64)) | (verdict == 0))
        if len(unknown):
            found, place = distinct(codes[unknown])
            judged = judge(found)
            verdict[unknown] = judged[place]
            self.slots[_slot(found)] = found.view(np.uint64) << np.uint64(3) | (judged | KNOWN)
        return verdict


def _slot(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    mixed = codes.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed >>= np.uint64(64 - SLOTS)
    return mixed.view(np.int64)


class Scorer:
    """Scores batches of candidate pairs under one model. Batches do not influence one another, so they may
    run side by side: the tables filled on the way hold facts about patterns, never about pairs."""

    def __init__(self, register: Register, model: Model, comparisons: Sequence[Comparison], keep: float) -> None:
        self.register, self.model, self.comparisons = register, model, comparisons
        self.radix = Radix.of(comparisons)
        self.needed = float(np.log(keep / (1 - keep))) - SLACK if keep > 0 else -np.inf
        self.opens = [c.opens for c in comparisons]
        self.number = Number.of(comparisons)
        self.unfinished, self.finished = CutCache(), CutCache()

    def score(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> tuple[Scored, Prune]:
        """The pairs that reach the threshold, and the count of those that came to each step."""
        prune = Prune()
        prune.add("candidates", len(left))
        one, other = self.register.sides(left, right)
        levels = [comparison.quick(one, other) for comparison in self.comparisons]
        may = np.flatnonzero(self.unfinished.of(self.radix.encode(levels), self._may_reach) & KEEP)
        left, right, one, other = left.take(may), right.take(may), one.take(may), other.take(may)
        levels = [level.take(may) for level in levels]
        prune.add("after cheap evidence", len(left))
        for place, comparison in enumerate(self.comparisons):
            if comparison.settle is not None:
                unsettled = np.flatnonzero(levels[place] > comparison.null)
                levels[place][unsettled] = comparison.settle(one.take(unsettled), other.take(unsettled))
                prune.add(f"looked at: {comparison.name}", len(unsettled))
        codes = self.radix.encode(levels)
        verdict = self.finished.of(codes, self._judge)
        keep = verdict & KEEP != 0
        prune.add("kept", int(keep.sum()))
        return Scored(left[keep], right[keep], codes[keep], codes[verdict & SPEAKS != 0]), prune

    def reach(self, patterns: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Which patterns reach the threshold."""
        return self.model.log_odds(patterns) >= self.needed

    def _differs(self, patterns: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns of pairs that hold different numbers."""
        if self.number is None:
            return np.zeros(len(patterns), dtype=bool)
        return np.asarray(patterns[:, self.number.place] == self.number.differs)

    def _judge(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """KEEP: the pattern reaches the threshold. SPEAKS: it would if neither record held a number, and the
        numbers differ."""
        patterns = self.radix.decode(codes)
        verdict = KNOWN | self.reach(patterns) * KEEP
        rows = np.flatnonzero(self._differs(patterns))
        if self.number is not None and len(rows):
            verdict[rows] |= self.reach(self.number.without(patterns[rows])) * SPEAKS
        return verdict

    def _may_reach(self, codes: NDArray[np.int64]) -> NDArray[np.uint8]:
        """KEEP: the unfinished pattern may yet be kept, or speak."""
        patterns = self.radix.decode(codes)
        enough = self.model.bound(patterns, self.opens) >= self.needed
        rows = np.flatnonzero(self._differs(patterns))
        if self.number is not None and len(rows):
            enough[rows] |= self.model.bound(self.number.without(patterns[rows]), self.opens) >= self.needed
        return KNOWN | enough * KEEP
