"""How many strangers share forename, surname and birth date, or nearly share the date: counted.

Two namesakes are hardly likelier to be born on one day than some weeks apart. So pairs of one name whose dates
are FIRST to LAST days apart, a window free of twins and of slips of the pen, are pairs of strangers: as many for
each day as share a date by chance, and alike in all else. With them come the ties between names, times and
places that a product of chances does not know. What the fitted model takes for chance is held near to this
count (`held_chance`): where columns are few it cannot tell namesakes from people who moved.

Where all pairs of one name are candidates those whose dates are a slip apart are counted too (`near_dates`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import rule_key
from casebridge.dedupe.linkage.comparisons.levels import GENERATION, UNLIKE, Comparison
from casebridge.dedupe.linkage.kind import Kind, Rule
from casebridge.dedupe.linkage.model.near_dates import FEWEST, FIRST, counted_levels, near_dates, within
from casebridge.dedupe.linkage.model.patterns import Radix, distinct
from casebridge.dedupe.linkage.register.dates import day_numbers
from casebridge.dedupe.linkage.register.encoding import Register

LAST = 58  # days: no two months on
DAYS = LAST - FIRST + 1
ROWS = 500_000
LEAST = 100  # pairs that show what such strangers look like
OWN = 10.0  # pairs' worth of belief that a pattern keeps to the product of chances
TRUSTED, ERRORS = 0.2, 1.5  # natural log: how near the count is at best, and standard errors allowed for
REAL, SPAN = 0.95, 1000  # share of dates that are days of a calendar, and days between the first and the last


@dataclass(frozen=True)
class Namesakes:
    """Pairs of strangers who share forename, surname and birth date, or nearly share the date.

    agree: by place among the comparisons, the numbers (levels, missing, open) that say so. date: the place of the
    date's. log_pairs: natural log of the pairs that the register has, by number of the date's level; off: the
    square of the relative error of those whose dates nearly agree.
    log_chances[c]: natural log of the chance of each level of comparison c among them, missing the
    last. patterns: codes of those seen, dates taken as the same, in order; own: what each adds to the log of its
    own, for chances do not go entirely separate ways; seen: how many pairs showed it."""

    agree: dict[int, NDArray[np.bool_]]
    date: int
    log_pairs: NDArray[np.float64]
    off: NDArray[np.float64]
    log_chances: tuple[NDArray[np.float64], ...]
    radix: Radix
    patterns: NDArray[np.int64]
    own: NDArray[np.float64]
    seen: NDArray[np.float64]

    @property
    def pairs(self) -> float | None:
        """Pairs of strangers of one name and date; None where too few show how many, and near dates alone are
        counted."""
        return float(np.exp(self.log_pairs[0])) if self.agree[self.date][0] else None

    @property
    def most(self) -> NDArray[np.float64]:
        """The most pairs of strangers of one name that the count allows, by number of the date's level."""
        return np.asarray(np.exp(self.log_pairs + ERRORS * np.sqrt(self.off)))

    def counted(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        """Patterns, finished or not, that share the name and share or nearly share the date."""
        found = np.ones(len(levels), dtype=bool)
        for place, table in self.agree.items():
            found &= table.take(levels[:, place])
        return found

    def same_date(self, levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
        return levels[:, self.date] == 0

    def log_expected(self, levels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log of the pairs of strangers that show each (counted) pattern, and by how much it may be off."""
        date, alike = levels[:, self.date], levels.copy()
        alike[:, self.date] = 0
        codes = self.radix.encode(list(alike.T))
        at = np.minimum(np.searchsorted(self.patterns, codes), len(self.patterns) - 1)
        known = self.patterns[at] == codes
        total = self.log_pairs[date] + _product(self.log_chances, alike) + np.where(known, self.own[at], 0.0)
        error = np.sqrt(1 / (np.where(known, self.seen[at], 0.0) + OWN) + self.off[date])
        return total, np.where(date == 0, TRUSTED, 0.0) + ERRORS * error


def count_coincidences(
    register: Register, comparisons: Sequence[Comparison], rules: Sequence[Rule]
) -> Namesakes | None:
    """The count; None where the kind has no date and names to count by, a column is lacking, no rule makes all
    such pairs, too many dates are no days of a calendar, all people are born within SPAN, or too few pairs show
    anything.
    """
    kind = register.kind
    agreeing, place = kind.chance.coincidences, {c.name: number for number, c in enumerate(comparisons)}
    if not agreeing or not set(agreeing) <= place.keys() or not _made_whole(kind, agreeing, rules):
        return None
    date, *names = agreeing
    dates = comparisons[place[date]]
    day = _days(register, dates, date)
    real = day[day >= 0]
    if not len(real):
        return None
    near = near_dates(register, dates, names, day) if _made_whole(kind, names, rules) else None
    left, right, rate = within(rule_key(register, tuple(names), len(day)), day, FIRST, LAST)
    unlike = dates.tagged(UNLIKE, GENERATION)
    told = unlike[dates.full(*register.sides(left, right))]
    left, right = left[told], right[told]
    part = len(day) * (len(day) - 1.0) / (register.size * (register.size - 1.0))
    off, pairs, counted = np.zeros(dates.radix), np.zeros(dates.radix), np.zeros(dates.radix, dtype=bool)
    if near is not None:
        counted = counted_levels(dates)
        off, pairs = np.where(counted, near.off, 0.0), near.expected / near.rate
    pairs[0], counted[0] = len(left) / rate / (2 * DAYS), len(left) >= LEAST
    if not counted[0]:
        if near is None or len(near.left) < FEWEST:
            return None
        left, right = near.left, near.right
    agree = {place[date]: counted, **{place[name]: _agreements(comparisons[place[name]]) for name in names}}
    log_pairs = np.log(np.where(counted, pairs, 1.0) / part)
    sides = register.sides(left, right)
    levels = np.stack([comparison.full(*sides) for comparison in comparisons], axis=1)
    levels[:, place[date]] = 0
    shown = _shown(levels, comparisons)
    return Namesakes(agree, place[date], log_pairs, off, *shown)


def _made_whole(kind: Kind, agreeing: Sequence[str], rules: Sequence[Rule]) -> bool:
    """Whether a rule makes all pairs that agree on these parts."""
    agreed = kind.implied(tuple(agreeing))
    agreed |= {name for name, part in kind.parts.items() if part.both and set(part.both) <= agreed}
    return any(set(rule) <= agreed for rule in rules)


def _days(register: Register, dates: Comparison, date: str) -> NDArray[np.int64]:
    """Days of the first rows, -1 for none and for those entered far more often than others; none at all where they
    tell nothing."""
    rows = np.arange(min(register.size, ROWS))
    usual = dates.full(*register.sides(rows, rows)) == 0
    day = np.where(usual, day_numbers(register.columns[date][: len(rows)]), -1)
    real = day[day >= 0]
    if len(real) < max(1.0, REAL * usual.sum()) or np.ptp(np.quantile(real, [0.01, 0.99])) < SPAN:
        return np.full(len(rows), -1)
    return day


def _shown(
    levels: NDArray[np.uint8], comparisons: Sequence[Comparison]
) -> tuple[tuple[NDArray[np.float64], ...], Radix, NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """What pairs with these levels show of all else: `Namesakes.log_chances` to `Namesakes.seen`."""
    chances = tuple(_log_chances(levels[:, n], c.null + 1) for n, c in enumerate(comparisons))
    radix = Radix.of(comparisons)
    patterns, which = distinct(radix.encode(list(levels.T)))
    seen = np.bincount(which).astype(np.float64)
    expected = len(levels) * np.exp(_product(chances, radix.decode(patterns)))
    return chances, radix, patterns, np.log((seen + OWN) / (expected + OWN)), seen


def _agreements(comparison: Comparison) -> NDArray[np.bool_]:
    """Numbers of a comparison of names that say two values are the same."""
    found = np.zeros(comparison.radix, dtype=bool)
    found[: comparison.null] = [level.bin is not None for level in comparison.levels]
    return found


def _product(log_chances: Sequence[NDArray[np.float64]], levels: NDArray[np.uint8]) -> NDArray[np.float64]:
    total = np.zeros(len(levels))
    for place, table in enumerate(log_chances):
        total += table.take(levels[:, place])
    return total


def _log_chances(levels: NDArray[np.uint8], size: int) -> NDArray[np.float64]:
    counts = np.bincount(levels, minlength=size) + 0.5
    return np.asarray(np.log(counts / counts.sum()))
