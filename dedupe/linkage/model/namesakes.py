"""How many strangers share forename, surname and birth date: counted, with the dates of one side moved.

Two namesakes are hardly likelier to be born on one day than some weeks apart. So pairs of one name whose dates
are FIRST to LAST days apart, a window free of twins and of slips of the pen, are pairs of strangers: as many for
each day as share a date by chance, and alike in all else. With them come the ties between names, times and
places that a product of chances does not know. What the fitted model takes for chance is held near to this
count: where columns are few it cannot tell namesakes from people who moved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import rule_key
from casebridge.dedupe.linkage.comparisons.levels import AGREES, DEFAULT, SLIP, Comparison
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.model.background import missing
from casebridge.dedupe.linkage.model.patterns import Patterns, Radix, distinct
from casebridge.dedupe.linkage.register.dates import day_numbers
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.runs import spans

FIRST, LAST = 33, 58  # days: another month, and no two months on
DAYS = LAST - FIRST + 1
ROWS = 500_000
LEAST, MOST = 100, 200_000  # pairs that show what such strangers look like
OWN = 10.0  # pairs' worth of belief that a pattern keeps to the product of chances
TRUSTED, ERRORS = 0.2, 1.5  # natural log: how near the count is at best, and standard errors allowed for
HEAPED = (1.0, 2.0)  # of days that births and clerks prefer; dates far more common are left out before
ENOUGH_SHARED = 10_000.0  # pairs of strangers of one date, from which their number is known to 1 in 100
REAL, SPAN = 0.95, 1000  # share of dates that are days of a calendar, and days between the first and the last


@dataclass(frozen=True)
class Namesakes:
    """Pairs of strangers who share forename, surname and birth date.

    agree: by place among the comparisons, the numbers (levels, missing, open) that say so. pairs: how many the
    register has. log_chances[c]: natural log of the chance of each level of comparison c among them, missing the
    last. patterns: codes of those seen, in order; own: what each adds to the log of its own, for chances do not
    go entirely separate ways; seen: how many pairs showed it. shared, window: pairs of the rows looked at whose
    dates are the same, and FIRST to LAST days apart; part: the share of all pairs that these rows make."""

    agree: dict[int, NDArray[np.bool_]]
    pairs: float
    log_chances: tuple[NDArray[np.float64], ...]
    radix: Radix
    patterns: NDArray[np.int64]
    own: NDArray[np.float64]
    seen: NDArray[np.float64]
    shared: float
    window: float
    part: float

    def counted(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns, finished or not, that share name and date."""
        found = np.ones(len(levels), dtype=bool)
        for place, table in self.agree.items():
            found &= table.take(levels[:, place])
        return found

    def same_date(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        place, table = next(iter(self.agree.items()))
        return table[levels[:, place]]

    def log_expected(self, levels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log of the pairs of strangers that show each (counted) pattern, and by how much it may be off."""
        codes = self.radix.encode(list(levels.T))
        at = np.minimum(np.searchsorted(self.patterns, codes), len(self.patterns) - 1)
        known = self.patterns[at] == codes
        total = np.log(self.pairs) + _product(self.log_chances, levels) + np.where(known, self.own[at], 0.0)
        return total, TRUSTED + ERRORS / np.sqrt(np.where(known, self.seen[at], 0.0) + OWN)

    def heaping(self, one_person: float) -> float:
        """By how much more often strangers share a date than two dates of the window: births and clerks prefer
        some days. one_person: how many pairs of one person share their date."""
        strangers = self.shared - one_person * self.part
        if strangers < ENOUGH_SHARED or strangers < self.shared / 2:
            return 1.0
        return float(np.clip(strangers / (self.window / (2 * DAYS)), *HEAPED))


@dataclass(frozen=True)
class HeldChance:
    """The count beside candidate pairs: what the components of chance are held to.

    Components take as given which comparisons are missing, and of those with two sets of levels (the second from
    `splits` on) which set it is. cells: these facts as bits, in order; log_pairs: natural log of the candidate
    pairs of each cell. heaping: see `Namesakes.heaping`."""

    count: Namesakes
    heaping: float
    nulls: list[int]
    splits: list[int]
    cells: NDArray[np.int64]
    log_pairs: NDArray[np.float64]

    @classmethod
    def of(
        cls, count: Namesakes, comparisons: Sequence[Comparison], patterns: Patterns, same: NDArray[np.float64]
    ) -> HeldChance:
        """The count beside the candidates with these patterns; same: pairs of one person among those of each."""
        nulls, splits = [c.null for c in comparisons], [c.groups[0] for c in comparisons]
        cells, place = np.unique(_cells(patterns.levels, nulls, splits), return_inverse=True)
        log_pairs = np.log(np.bincount(place, weights=patterns.weight))
        one_person = float(same[count.same_date(patterns.levels)].sum())
        return cls(count, count.heaping(one_person), nulls, splits, cells, log_pairs)

    def hold(self, joint: NDArray[np.float64], chance: NDArray[np.bool_], levels: NDArray[np.uint8]) -> None:
        """Hold what is taken for chance near to what was counted. joint: log of the share of each pattern by
        component, changed in place; chance: which components are chance."""
        rows = np.flatnonzero(self.count.counted(levels))
        cell = _cells(levels[rows], self.nulls, self.splits)
        at = np.minimum(np.searchsorted(self.cells, cell), len(self.cells) - 1)
        known = self.cells[at] == cell
        rows, at = rows[known], at[known]
        if not len(rows):
            return
        expected, off = self.count.log_expected(levels[rows])
        expected += np.log(self.heaping) - self.log_pairs[at]
        place = np.ix_(rows, np.flatnonzero(chance))
        fitted = np.logaddexp.reduce(joint[place], axis=1)
        joint[place] += (np.clip(fitted, expected - off, expected + off) - fitted)[:, None]


def _cells(levels: NDArray[np.uint8], nulls: Sequence[int], splits: Sequence[int]) -> NDArray[np.int64]:
    found = missing(levels, nulls)
    for place, (null, split) in enumerate(zip(nulls, splits, strict=True)):
        second = (levels[:, place] >= split) & (levels[:, place] < null)
        found |= second.astype(np.int64) << (len(nulls) + place)
    return found


def count_coincidences(
    register: Register, comparisons: Sequence[Comparison], rules: Sequence[Rule]
) -> Namesakes | None:
    """The count; None where the kind has no date and names to count by, a column is lacking, no rule makes all
    such pairs, too many dates are no days of a calendar, all people are born within SPAN, or too few pairs show
    anything.
    """
    kind = register.kind
    agreeing, place = kind.chance.coincidences, {c.name: number for number, c in enumerate(comparisons)}
    agreed = kind.implied(agreeing)
    agreed |= {name for name, part in kind.parts.items() if part.both and set(part.both) <= agreed}
    if not agreeing or not set(agreeing) <= place.keys() or not any(set(rule) <= agreed for rule in rules):
        return None
    date, *names = agreeing
    rows = np.arange(min(register.size, ROWS))
    at = place[date]
    usual = comparisons[at].full(*register.sides(rows, rows)) == 0  # no common dates
    day = np.where(usual, day_numbers(register.columns[date][: len(rows)]), -1)
    real = day[day >= 0]
    if len(real) < max(1.0, REAL * usual.sum()) or np.ptp(np.quantile(real, [0.01, 0.99])) < SPAN:
        return None
    left, right, rate = _namesakes(rule_key(register, tuple(names), len(rows)), day)
    sides = register.sides(left, right)
    levels = np.stack([comparison.full(*sides) for comparison in comparisons], axis=1)
    slips = comparisons[at].tagged(AGREES, SLIP, DEFAULT)
    levels = levels[~slips[levels[:, at]]]
    if len(levels) < LEAST:
        return None
    levels[:, at] = 0
    part = len(rows) * (len(rows) - 1.0) / (register.size * (register.size - 1.0))
    chances = tuple(_log_chances(levels[:, n], c.null + 1) for n, c in enumerate(comparisons))
    radix = Radix.of(comparisons)
    patterns, which = distinct(radix.encode(list(levels.T)))
    seen = np.bincount(which).astype(np.float64)
    expected = len(levels) * np.exp(_product(chances, radix.decode(patterns)))
    own = np.log((seen + OWN) / (expected + OWN))
    shared, window = _shared(real)
    agree = {place[name]: _agreements(comparisons[place[name]], name == date) for name in agreeing}
    pairs = len(levels) / rate / (2 * DAYS) / part
    return Namesakes(agree, pairs, chances, radix, patterns, own, seen, shared, window, part)


def _agreements(comparison: Comparison, of_dates: bool) -> NDArray[np.bool_]:
    """Numbers of a comparison that say two values are the same; of dates the first only, no common ones."""
    found = np.zeros(comparison.radix, dtype=bool)
    for number, level in enumerate(comparison.levels):
        found[number] = number == 0 if of_dates else level.bin is not None
    return found


def _product(log_chances: Sequence[NDArray[np.float64]], levels: NDArray[np.uint8]) -> NDArray[np.float64]:
    total = np.zeros(len(levels))
    for place, table in enumerate(log_chances):
        total += table.take(levels[:, place])
    return total


def _log_chances(levels: NDArray[np.uint8], size: int) -> NDArray[np.float64]:
    counts = np.bincount(levels, minlength=size) + 0.5
    return np.asarray(np.log(counts / counts.sum()))


def _shared(day: NDArray[np.int64]) -> tuple[float, float]:
    """Pairs of rows of one day, and pairs whose days are FIRST to LAST apart."""
    held = np.bincount(day).astype(np.float64)
    upto = np.concatenate([[0.0], np.cumsum(np.append(held, np.zeros(LAST + 1)))])
    at = np.arange(len(held))
    return float((held * (held - 1) / 2).sum()), float((held * (upto[at + LAST + 1] - upto[at + FIRST])).sum())


def _namesakes(
    key: NDArray[np.uint32], day: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Pairs of rows of one key whose days are FIRST to LAST apart, or about MOST of them; and their share."""
    held = np.flatnonzero((key > 0) & (day >= 0))
    packed = key[held].astype(np.uint64) << np.uint64(32) | day[held].astype(np.uint64)
    order = np.argsort(packed)
    packed, rows = packed[order], held[order]
    starts = np.searchsorted(packed, packed + np.uint64(FIRST), "left")
    count = np.searchsorted(packed, packed + np.uint64(LAST), "right") - starts
    looked_at = int(np.ceil(min(1.0, MOST / max(1, int(count.sum()))) * len(key)))
    count[rows >= looked_at] = 0  # rows stand in the order of a hash
    return np.repeat(rows, count), rows[spans(starts, count)], looked_at / len(key)
