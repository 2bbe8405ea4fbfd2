"""How many strangers of one name have birth dates a slip apart: counted, with the dates dealt anew.

Whether two records of one name, whose dates differ by a digit, are one person or two cannot be seen from the pair.
But pairs of one name whose dates are plainly unlike are strangers, and the calendar says how many others must come
near by chance: as many for each of these as among dates dealt anew, to records that have no name in common. The
dates of one name may lie closer than any two (names go by the fashion of their time, and newborns are called
Baby), so each span of years is counted by itself. And people of one origin may be entered on the same few days:
what pairs of one forename and two surnames show more often than dealt dates do, those of one name do as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import rule_key
from casebridge.dedupe.linkage.comparisons.levels import AGREES, GENERATION, NEAR, SLIP, UNLIKE, Comparison
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.runs import spans

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

FIRST = 33  # days: another month
SPANS = (59, 182, 366, 1096, 2922, 6575, 14610)  # days, to 40 years: how far apart two dates are, in steps
MOST, DEALT = 200_000, 300_000  # pairs of one name, and pairs of dealt dates, that are looked at
EVER = 200_000  # days: more than the calendar of `register.dates` has
OWN = 10.0  # pairs' worth of belief that a span is as the next wider one, and a forename as all
FEWEST = 20  # pairs of one name and unlike dates


@dataclass(frozen=True)
class NearDates:
    """How many pairs of strangers of one name there are by level of the date. left, right: rows of pairs of one
    name and unlike dates, but no parents and children; rate: the share of all that were looked at. expected: how
    many pairs of strangers among these stand at each level; off: the square of its relative error."""

    left: Ints
    right: Ints
    rate: float
    expected: Floats
    off: Floats


def near_dates(register: Register, dates: Comparison, names: Sequence[str], day: Ints) -> NearDates | None:
    """The count over the first rows of a register, whose dates are the days `day` (-1: none that tells); None
    where fewer than FEWEST pairs show how far apart the dates of one name are."""
    alone = [rule_key(register, (name,), len(day)) for name in names]
    left, right, rate = within(rule_key(register, tuple(names), len(day)), day, 0, EVER)
    spread = _Spread.of(register, dates, day, left, right)
    if spread.unlike.sum() < FEWEST:
        return None
    dealt = _Spread.of(register, dates, day, *_dealt(alone, day))
    expected, off = spread.expected(dealt)
    others = within(alone[0], day, 0, EVER)[:2]
    apart = np.all([key[others[0]] != key[others[1]] for key in alone[1:]], axis=0)
    of_one_forename = _Spread.of(register, dates, day, *(side[apart] for side in others))
    by_chance = of_one_forename.expected(dealt)[0]
    expected *= (of_one_forename.levels.sum(axis=1) + OWN) / (by_chance + OWN)
    return NearDates(left[spread.alike], right[spread.alike], rate, expected, off)


@dataclass(frozen=True)
class _Spread:
    """Pairs by level of the date and span (shape: numbers of the comparison, spans), of unlike dates those by
    span. told, alike: which pairs these are, and which of them are no parent and child, who share much else."""

    levels: Floats
    unlike: Floats
    told: NDArray[np.bool_]
    alike: NDArray[np.bool_]

    @classmethod
    def of(cls, register: Register, dates: Comparison, day: Ints, left: Ints, right: Ints) -> _Spread:
        level = dates.full(*register.sides(left, right))
        gap = np.abs(day[left] - day[right])
        told = dates.tagged(UNLIKE, GENERATION)[level] & (gap >= FIRST)
        span, many = np.searchsorted(SPANS, gap, "right"), len(SPANS) + 1
        levels = np.bincount(level.astype(np.int64) * many + span, minlength=dates.radix * many)
        unlike = np.bincount(span[told], minlength=many)
        alike = told & dates.tagged(UNLIKE)[level]
        return cls(levels.reshape(-1, many).astype(np.float64), unlike.astype(np.float64), told, alike)

    def expected(self, dealt: _Spread) -> tuple[Floats, Floats]:
        """How many of these pairs are at each level if they are strangers, and the square of the relative error.
        A span in which few pairs are met is taken to be as full as the next wider one."""
        ratio = np.full(len(self.unlike), self.unlike.sum() / max(float(dealt.unlike.sum()), 1.0))
        for span in reversed(range(len(ratio))):
            wider = max(ratio[min(span + 1, len(ratio) - 1)], 1e-12)
            ratio[span] = (self.unlike[span] + OWN) / (dealt.unlike[span] + OWN / wider)
        counts = dealt.levels * ratio
        found = counts.sum(axis=1) + 0.5 * ratio[-1]
        off = (counts / (self.unlike + OWN)).sum(axis=1) / found + 1 / (dealt.levels.sum(axis=1) + 0.5)
        return found, off


def counted_levels(dates: Comparison) -> NDArray[np.bool_]:
    """Of each number of the comparison, whether it is a level at which strangers are counted: near, by a slip."""
    return dates.tagged(SLIP, NEAR) & ~dates.tagged(AGREES)


def within(key: NDArray[np.uint32], day: Ints, first: int, last: int) -> tuple[Ints, Ints, float]:
    """Pairs of rows of one key whose days are `first` to `last` apart, or about MOST of them; and their share."""
    held = np.flatnonzero((key > 0) & (day >= 0))
    packed = key[held].astype(np.uint64) << np.uint64(32) | day[held].astype(np.uint64)
    order = np.argsort(packed, kind="stable")
    packed, rows = packed[order], held[order]
    after = np.arange(1, len(packed) + 1)
    starts = np.maximum(np.searchsorted(packed, packed + np.uint64(first), "left"), after)
    count = np.maximum(np.searchsorted(packed, packed + np.uint64(last), "right") - starts, 0)
    looked_at = int(np.ceil(min(1.0, MOST / max(1, int(count.sum()))) * len(key)))
    count[rows >= looked_at] = 0  # rows stand in the order of a hash
    return np.repeat(rows, count), rows[spans(starts, count)], looked_at / len(key)


def _dealt(alone: Sequence[NDArray[np.uint32]], day: Ints) -> tuple[Ints, Ints]:
    """Pairs of rows that have none of the names in common: dates dealt anew."""
    rows = np.flatnonzero(day >= 0)
    steps = max(1, min(len(rows) - 1, DEALT // max(len(rows), 1) + 1))
    at = np.tile(np.arange(min(len(rows), DEALT)), steps)
    left, right = rows[at], rows[(at + np.repeat(np.arange(1, steps + 1), len(at) // steps)) % len(rows)]
    apart = np.all([key[left] != key[right] for key in alone], axis=0)
    return left[apart], right[apart]
