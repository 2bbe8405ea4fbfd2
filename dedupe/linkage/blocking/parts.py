"""Parts of blocking rules: from what a column holds to a number a row, 0 where nothing is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.kind import Part
from casebridge.dedupe.linkage.register.encoding import Register, sounds
from casebridge.dedupe.linkage.register.places import postcode_parts

Rows = slice | NDArray[np.integer]
Make = Callable[[Register, Rows], NDArray[np.uint64]]

FEW_HOLD = 5


def values_of(role: str) -> Make:
    """The values of a column themselves."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        column = register.columns[role][rows]
        return (
            column.astype(np.uint64) if column.dtype.kind == "u" else (column.astype(np.int64) + 1).view(np.uint64)
        )

    return part


def value_part(role: str, shows: str | None = None, implies: tuple[str, ...] = ()) -> Part:
    """A column's value as a part of rules; shows: the comparison that it belongs to, if not that of its name."""
    return Part((role,), values_of(role), (shows or role,), implies)


def year_of(role: str) -> Make:
    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        return (register.columns[role][rows] >> np.uint32(16)).astype(np.uint64)

    return part


def day_of(role: str) -> Make:
    """Month and day of a date, without its year."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        return (register.columns[role][rows] & np.uint32(0xFFFF)).astype(np.uint64)

    return part


def either_order(one: str, other: str) -> Make:
    """Two columns of one dictionary in either order, so that swapped names still meet."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        first, last = values_of(one)(register, rows), values_of(other)(register, rows)
        both = np.minimum(first, last) << np.uint64(32) | np.maximum(first, last)
        return np.where((first > 0) & (last > 0), both, np.uint64(0))

    return part


def rare(make: Make, name: str) -> Make:
    """Another part where few records hold its value: enough to meet on, whatever else is wrong."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        few = register.fact(f"rare {name}", lambda: _few_hold(make(register, slice(None))))
        return np.where(few[rows], make(register, rows), np.uint64(0))

    return part


def _few_hold(values: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which rows hold what FEW_HOLD rows at most hold."""
    held = np.flatnonzero(values)
    order = held[np.argsort(values[held])]
    new = np.flatnonzero(np.concatenate([[True], values[order][1:] != values[order][:-1]]))
    holders = np.diff(np.append(new, len(order)))
    few = np.zeros(len(values), dtype=bool)
    few[order[np.repeat(holders <= FEW_HOLD, holders)]] = True
    return few


def sound_of(role: str, dictionary: str) -> Make:
    """How the values of a column sound; 0 for those that are not known."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        table = register.fact(f"sounds of {dictionary}", lambda: np.append(sounds(register.values[dictionary]), 0))
        return table[register.columns[role][rows]].astype(np.uint64)

    return part


def sector_of(role: str) -> Make:
    """The postcode sector: LS6 3 of LS6 3HN."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        table = register.fact("sectors", lambda: np.append(postcode_parts(register.values[role])[0], 0))
        return table[register.columns[role][rows]].astype(np.uint64)

    return part
