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
from casebridge.dedupe.linkage.register.places import sectors_and_districts
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


def date_part(
    role: str, of: Callable[[NDArray[np.uint32]], NDArray[np.integer]], implies: tuple[str, ...] = ()
) -> Part:
    """What is made `of` packed dates: the year stands above sixteen bits, the month above eight, then the day."""

    def make(register: Register, rows: Rows) -> NDArray[np.uint64]:
        return of(register.columns[role][rows]).astype(np.uint64)

    return Part((role,), make, (role,), implies)


def turned(date: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Packed dates whose day and month may have changed places, the lower first."""
    month, day = date >> np.uint32(8) & np.uint32(0xFF), date & np.uint32(0xFF)
    low, high = np.minimum(month, day), np.maximum(month, day)
    return date & np.uint32(0xFFFF0000) | low << np.uint32(8) | high


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


def made_of_values(role: str, dictionary: str, of: Callable[[Values], pl.Series], name: str) -> Make:
    """What is made `of` the values of a column, under a name; 0 for those that are not known."""

    def part(register: Register, rows: Rows) -> NDArray[np.uint64]:
        codes = register.columns[role][rows]
        if register.known.frozen:
            return value_keys(register, dictionary, codes, of, name)
        table = register.fact(
            f"{name} of {dictionary}", lambda: np.append(ranked(of(register.values[dictionary])), 0)
        )
        return table[codes].astype(np.uint64)

    return part


def sound_of(role: str, dictionary: str) -> Make:
    """How the values of a column sound."""
    return made_of_values(role, dictionary, sounds, "sounds")


def start_of(role: str, dictionary: str, letters: int) -> Make:
    """The first letters of the values of a column: what a slip further on leaves."""
    return made_of_values(role, dictionary, lambda values: values.text.str.slice(0, letters), f"first {letters}")


def sector_of(role: str) -> Make:
    """The postcode sector: LS6 3 of LS6 3HN."""
    return made_of_values(role, role, lambda values: sectors_and_districts(values)["s"], "sectors")


OF_A_HOME: dict[str, Part] = {
    "house": value_part("house", shows="address"),
    "street": value_part("street", shows="address"),
    "postcode": value_part("postcode", shows="address", implies=("postcode", "sector")),
    "sector": Part(("postcode",), sector_of("postcode"), ("address",)),
}
"""Parts of an address that is compared as a whole."""
