"""Columns held against each other: a number that names no one entity, and two columns that say the same."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.identifiers import DIGITS
from casebridge.dedupe.linkage.register.pair_rows import Rows
from casebridge.dedupe.linkage.register.values import MISSING, names_a_person

ROWS_SHARING, PAIRS_A_VALUE, LEAST_PAIRS = 40_000, 3, 30
LEAST_ALIKE, ALIKE_IN_ONE, MOST_SHARED = 0.8, 0.6, 0.05
ROWS_LOOKED_AT, ROWS_COMPARED, LEAST_ROWS = 50_000, 1_000, 100
NEARLY_ALL, AT_A_GLANCE = 0.9, 0.6
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def check_columns(register: Register, fields: Fields) -> None:
    """Leave out columns that say the same as another, and mark numbers that name no one entity, with a note of
    each.

    Raises RegisterError where a number that names one by its role is such a number.
    """
    if register.known.frozen:
        return
    _leave_out_copies(register, fields)
    for role in register.kind.numbers:
        told = sharing(register, role, ALIKE_IN_ONE)
        if told:
            raise RegisterError(
                f"{told} The column does not name {register.kind.one}.",
                "Put it under [other], or leave it out, or see whether two columns have changed places.",
            )
    for name in fields.other:
        told = sharing(register, name, LEAST_ALIKE)
        if told and names_a_person(register.columns[name], register.values[name]):
            register.shared.add(name)
            register.notes.append(f"{told} It is not taken for a number that names {register.kind.one}.")
    register.notes.sort()
    register.known.fact("columns", lambda: tuple(register.columns))
    register.known.fact("shared", lambda: tuple(sorted(register.shared)))


def sharing(register: Register, name: str, in_one: float) -> str | None:
    """A sentence to say that the records which share a value of a number are different entities; None where they
    are not, or too few pairs show it. in_one: the share that is alike from which they are not, where the register
    holds one fact to tell them by; LEAST_ALIKE where it holds more.

    One person's records hardly ever differ in both forename and birth date: in made-up registers and FEBRL 0.94
    to 1.00 of the pairs that share an NHS number agree on one of them, 0.05 to 0.42 of those that share a house,
    0.07 to 0.73 of those that share a phone (0.83 where nine in ten live alone). By forenames alone a short form
    or a slip has no witness: 0.66 to 1.00 for NHS numbers in 33 registers with errors in up to a quarter of the
    values, 0.03 to 0.5 for the homes of families. A role says that its number names one; of a free column that is
    not known, and less is believed. Looked at are whole groups of records that share a value, for values drawn by
    their hash, and at most PAIRS_A_VALUE pairs of each: a filler held by thousands is one value, not a column. And
    there must be many such values (0.02 at most for NHS numbers, 0.07 to 0.72 for the others, 0.02 for phones of
    people alone): in a register without duplicates the few numbers that records share are slips.
    """
    if not register.has(name):
        return None
    column = register.columns[name]
    key = column & DIGITS if column.dtype.kind == "u" else (column.astype(np.int64) + 1).astype(np.uint64)
    left, right, values = _pairs_sharing(key)
    known, alike = register.kind.alike(register, left, right)
    apart = known & ~alike
    facts = [role for role in register.kind.told_by if register.has(role)]
    least = LEAST_ALIKE if len(facts) > 1 else in_one
    if known.sum() < LEAST_PAIRS or alike.sum() >= least * known.sum():
        return None
    if len(np.unique(key[left[apart]])) <= MOST_SHARED * values:
        return None
    many, of = int(apart.sum()), int(known.sum())
    return f"{name}: {many:,} of {of:,} pairs of records that share a value differ in {' and '.join(facts)}."


def _pairs_sharing(key: NDArray[np.uint64]) -> tuple[Rows, Rows, int]:
    """Pairs of rows that share a value (0 is missing), and how many values were looked at."""
    given = int(np.count_nonzero(key))
    part = min(1.0, ROWS_SHARING / max(1, given))
    drawn = key * GOLDEN <= np.uint64(int(part * (2**64 - 2048)))
    rows = np.flatnonzero(drawn & (key > 0)).astype(np.int32)
    order = rows[np.argsort(key[rows], kind="stable")]
    held = key[order]
    new = np.append(True, held[1:] != held[:-1]) if len(held) else np.zeros(0, dtype=bool)
    starts = np.flatnonzero(new)
    place = np.arange(len(held)) - np.repeat(starts, np.diff(np.append(starts, len(held))))
    second = np.flatnonzero((place > 0) & (place <= PAIRS_A_VALUE))
    return order[second - 1], order[second], len(starts)


def _leave_out_copies(register: Register, fields: Fields) -> None:
    pairs = [(two, one) for roles in register.kind.same_kind for one, two in combinations(roles, 2)]
    others = list(fields.other)
    for number, name in enumerate(others):
        pairs += [(name, other) for other in (*fields.roles, *others[:number])]
    for name, other in pairs:
        if register.has(name) and register.has(other):
            _leave_out_copy(register, name, other)


def _leave_out_copy(register: Register, name: str, other: str) -> None:
    """Leave out the column `name` where it says the same as `other`."""
    rows = _both_given(register, name, other)
    if len(rows) < LEAST_ROWS or _same(register, name, other, rows[:LEAST_ROWS])[0].mean() < AT_A_GLANCE:
        return
    same, usual = _same(register, name, other, rows)
    # Two columns that both hold what nearly all records hold need not be copies.
    telling = ~(same & usual)
    if telling.sum() < LEAST_ROWS or min(same.mean(), same[telling].mean()) < NEARLY_ALL:
        return
    del register.columns[name]
    register.notes.append(
        f"{name} says the same as {other} in {int(same.sum()):,} of {len(rows):,} records looked at: not "
        "compared, it would count twice."
    )


def _same(register: Register, name: str, other: str, rows: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of rows that hold both: whether the two say the same, and whether `other` is its commonest value."""
    told, read = _told(register, other, rows), _told(register, name, rows)
    if read.dtype == pl.String:
        read = _read_as(register, other, read)
    if read.is_null().all() or (read.dtype == pl.String) != (told.dtype == pl.String):
        return np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    same = (read == told).fill_null(False).to_numpy()
    return same, (told == told.mode().sort()[0]).to_numpy()


def _both_given(register: Register, name: str, other: str) -> Rows:
    """The first rows that hold both: rows stand in the order of a hash, so these are drawn at random."""
    found = np.ones(min(register.size, ROWS_LOOKED_AT), dtype=bool)
    for column in (register.columns[name], register.columns[other]):
        found &= column[:ROWS_LOOKED_AT] > (0 if column.dtype.kind == "u" else MISSING)
    return np.flatnonzero(found)[:ROWS_COMPARED].astype(np.int32)


def _told(register: Register, name: str, rows: Rows) -> pl.Series:
    """What rows hold that hold anything: cleaned text, packed digits, or a code."""
    column = register.columns[name].take(rows)
    if column.dtype.kind == "u":
        return pl.Series(column.astype(np.uint64) & DIGITS)
    entry = register.kind.attribute(name)
    dictionary = (entry.dictionary if entry else None) or name
    if dictionary not in register.values:
        return pl.Series(column)
    return pl.Series(register.values[dictionary].strings(column))


def _read_as(register: Register, role: str, text: pl.Series) -> pl.Series:
    """Text as the column of a role would read it; null or 0 for what it cannot."""
    entry = register.kind.attribute(role)
    return entry.reread(register, role, text) if entry and entry.reread else text
