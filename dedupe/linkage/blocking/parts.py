"""Parts of blocking rules: from what a column holds to a number a row, 0 where nothing is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.kind import Part
from casebridge.dedupe.linkage.register.content import mix
from casebridge.dedupe.linkage.register.encoding import Register, ranked, sounds
from casebridge.dedupe.linkage.register.holders import value_keys
from casebridge.dedupe.linkage.register.known import ValueTable
from casebridge.dedupe.linkage.register.places import postcode_parts, sectors_and_districts
from casebridge.dedupe.linkage.register.runs import held_by_many
from casebridge.dedupe.linkage.register.values import Values

Rows = slice | NDArray[np.integer]
Make = Callable[[Register, Rows], NDArray[np.uint64]]

FEW_HOLD = 5


def values_of(role: str) -> Make:
    """The values of a column themselves."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        column = register.columns[role][rows]
        dictionary = register.dictionary(role) if register.known.frozen else None
        if dictionary:
            return value_keys(register, dictionary, column)
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


def month_of(role: str) -> Make:
    """Year and month of a date."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        return (register.columns[role][rows] >> np.uint32(8)).astype(np.uint64)

    return part


def day_and_year_of(role: str) -> Make:
    """A date without its month."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        return (register.columns[role][rows] & np.uint32(0xFFFF00FF)).astype(np.uint64)

    return part


def turned(role: str) -> Make:
    """A date whose day and month may have changed places."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        date = register.columns[role][rows]
        month, day = date >> np.uint32(8) & np.uint32(0xFF), date & np.uint32(0xFF)
        low, high = np.minimum(month, day), np.maximum(month, day)
        return (date & np.uint32(0xFFFF0000) | low << np.uint32(8) | high).astype(np.uint64)

    return part


def either_order(one: str, other: str) -> Make:
    """Two columns of one dictionary in either order, so that swapped names still meet."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        first, last = values_of(one)(register, rows), values_of(other)(register, rows)
        low, high = np.minimum(first, last), np.maximum(first, last)
        both = mix(low, high) if register.known.frozen else low << np.uint64(32) | high
        return np.where((first > 0) & (last > 0), both, np.uint64(0))

    return part


def rare(make: Make, name: str) -> Make:
    """Another part where few records hold its value: enough to meet on, whatever else is wrong."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        values = make(register, rows)
        if register.known.frozen:
            return np.where(register.known.tables[many].look_up(values) > 0, np.uint64(0), values)
        few = register.fact(f"rare {name}", lambda: find(register))
        return np.where(few[rows], values, np.uint64(0))

    def find(register: Register) -> NDArray[np.bool_]:
        values = make(register, slice(None))
        held, others = held_by_many(values, FEW_HOLD)
        keys = make(register.as_kept(), others)
        register.known.table(many, lambda: ValueTable.of(keys, np.ones(len(keys)), 0.0))
        return ~held & (values != 0)

    many = f"many hold: {name}"
    return part


def sound_of(role: str, dictionary: str) -> Make:
    """How the values of a column sound; 0 for those that are not known."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        if register.known.frozen:
            return value_keys(register, dictionary, register.columns[role][rows], sounds, "sounds")
        values = register.values[dictionary]
        table = register.fact(f"sounds of {dictionary}", lambda: np.append(ranked(sounds(values)), 0))
        return table[register.columns[role][rows]].astype(np.uint64)

    return part


def sector_of(role: str) -> Make:
    """The postcode sector: LS6 3 of LS6 3HN."""

    def sectors(values: Values) -> pl.Series:
        return sectors_and_districts(values)["s"]

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        if register.known.frozen:
            return value_keys(register, role, register.columns[role][rows], sectors, "sectors")
        table = register.fact("sectors", lambda: np.append(postcode_parts(register.values[role])[0], 0))
        return table[register.columns[role][rows]].astype(np.uint64)

    return part


OF_A_HOME: dict[str, Part] = {
    "house": value_part("house", shows="address"),
    "street": value_part("street", shows="address"),
    "postcode": value_part("postcode", shows="address", implies=("postcode", "sector")),
    "sector": Part(("postcode",), sector_of("postcode"), ("address",)),
}
"""Parts of an address that is compared as a whole."""
