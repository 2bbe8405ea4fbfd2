"""The comparisons of a register, as its kind has them; and those of sex, numbers, dates of death, free columns."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import (
    AGREES,
    MET,
    SLIP,
    TWO,
    UNLIKE,
    Comparison,
    Level,
    Levels,
    level,
    split_by_rareness,
    with_given,
)
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.register.encoding import Register, ends, pair_key
from casebridge.dedupe.linkage.register.holders import holders, rows_of_many
from casebridge.dedupe.linkage.register.identifiers import DIGITS, VALID, digits_apart, neighbours_swapped
from casebridge.dedupe.linkage.register.nametable import same_forenames
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.runs import held_by_many
from casebridge.dedupe.linkage.register.similarity import Codes, edits, jaro_winkler, per_distinct_pair
from casebridge.dedupe.linkage.register.values import names_a_person

SEX_LEVELS = (
    level("same sex", 0.985, 0.66, 0.52, 0.35, namesake=0.985),
    level("sex differs", 0.015, 0.34, 0.48, 0.65, namesake=0.015, tag=UNLIKE),
)

NHS_LEVELS = (
    level("same NHS number", 0.95, 0.004, 0.0003, 0.0003, tag=AGREES),
    level("same NHS number, one whose check digit is wrong", 0.004, 0.0005, 0.0001, 0.0001),
    level("NHS number one digit or one swap away", 0.02, 0.001, 0.0005, 0.0005, tag=SLIP),
    level("two different valid NHS numbers", 0.015, 0.967, 0.98, 0.98, tag=TWO),
    level("NHS numbers differ, one fails its check", 0.011, 0.0275, 0.0191, 0.0191, tag=TWO),
)
NUMBER_LEVELS = (
    level("same number", 0.92, 0.001, 0.0003, 0.0003, tag=AGREES),
    level("same number, one that cannot be right", 0.0, 0.0, 0.0, 0.0),
    level("number one digit or one swap away", 0.03, 0.001, 0.0005, 0.0005, tag=SLIP),
    level("two different valid numbers", 0.0, 0.0, 0.0, 0.0, tag=TWO),
    level("numbers differ", 0.05, 0.998, 0.9992, 0.9992, tag=TWO),
)
PHONE_LEVELS = (
    level("same phone number", 0.55, 0.60, 0.5, 0.4, moved=0.12, tag=MET),
    level("same phone number, one that many records hold", 0.05, 0.10, 0.1, 0.1, moved=0.02),
    level("phone number one digit or one swap away", 0.02, 0.005, 0.004, 0.004, moved=0.005),
    level("phone numbers differ", 0.38, 0.295, 0.396, 0.496, moved=0.855),
)
SAME_FORENAME = "forename the same"
MANY_HOLDERS, FURTHER_KEPT = 4, 2
SHARED = "phone of many"
OTHER_EXACT = level("same", 0.85, 0.45, 0.40, 0.40)
OTHER_REST = (level("spelled closely", 0.05, 0.04, 0.04, 0.04), level("differs", 0.10, 0.51, 0.56, 0.56))
NUMBER_EXACT = level("same", 0.9, 0.001, 0.0005, 0.0005)
NUMBER_REST = (
    level("spelled closely", 0.05, 0.001, 0.001, 0.001),
    level("differs", 0.05, 0.998, 0.9985, 0.9985),
)
DEATH_LEVELS = (
    level("same date of death", 0.9, 0.02, 0.01, 0.01),
    level("date of death one digit or one swap away", 0.05, 0.01, 0.01, 0.01),
    level("dates of death differ", 0.05, 0.97, 0.98, 0.98),
)
RELATED_LEVELS = (
    level("recorded as two people who are related or live together", 0.001, 0.4, 0.4, 0.4),
    level("not recorded as related", 0.999, 0.6, 0.6, 0.6),
)
ALIKE = 0.9
FEW_VALUES = 30


def sex_comparison(register: Register) -> list[Comparison]:
    """Sex as recorded: same or different; anything but male and female is no evidence. A forename tells the sex,
    so pairs that share one, or forms of one, have levels of their own. Not those whose forenames are only alike:
    James and Janice are of two sexes, and strangers who share a forename, in whom it is measured, are not."""
    named = same_forenames(register)
    levels = with_given(SEX_LEVELS, SAME_FORENAME) if named else SEX_LEVELS

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of("sex"), right.of("sex")
        found = (a != b).astype(np.uint8)
        if named:
            found += named(left, right) * np.uint8(len(SEX_LEVELS))
        found[(a | b) < 0] = len(levels)
        return found

    return [Comparison("sex", levels, quick, given=("forename",) if named else ())]


def nhs_comparison(register: Register) -> list[Comparison]:
    """NHS numbers with their check digits (modulus 11, NHS Data Dictionary). Where most fail the check, the
    column holds some other number of a person, and is compared as that. Of several in a field any may agree."""
    column = register.columns["nhs_number"]
    if column.dtype != np.uint64:
        found: list[Comparison] = register.kind.free(register, "nhs_number")
        return found

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of("nhs_number"), right.of("nhs_number")
        valid = (a & VALID != 0).astype(np.uint8) + (b & VALID != 0)
        found = np.where(valid == 2, np.uint8(3), np.uint8(4))
        same = a == b
        if further:
            same |= further.agree(left, right)
        found[same] = 0
        if checked:
            found[same & (valid == 0)] = 1
        apart = np.flatnonzero(~same & (a > 0) & (b > 0))
        found[apart[_one_slip(a[apart] & DIGITS, b[apart] & DIGITS)]] = 2
        found[(a == 0) | (b == 0)] = len(NHS_LEVELS)
        return found

    checked = register.known.fact("nhs_number: checked", lambda: bool((column & VALID).any()))
    further = _FurtherNumbers(register, "nhs_number") if "nhs_number" in register.lists else None
    levels, witness = (NHS_LEVELS, (0, 3)) if checked else (NUMBER_LEVELS, (0, 4))
    return [Comparison("nhs_number", levels, quick, identifier=True, witness=witness)]


def phone_comparison(register: Register, levels: tuple[Level, ...] = PHONE_LEVELS) -> list[Comparison]:
    """Phone numbers, and whether many records hold the number agreed on. Of several in a field any may agree."""
    column = register.columns["phone"]
    if column.dtype != np.uint64:
        found: list[Comparison] = register.kind.free(register, "phone")
        return found
    many = register.mark(
        SHARED,
        lambda: rows_of_many(register, SHARED, column.__getitem__, lambda: held_by_many(column, MANY_HOLDERS)),
    )
    further = _FurtherNumbers(register, "phone") if "phone" in register.lists else None

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of("phone"), right.of("phone")
        found = np.full(len(a), 3, dtype=np.uint8)
        same = a == b
        if further:
            same |= further.agree(left, right)
        found[same] = 0
        found[same & left.of(many)] = 1
        apart = np.flatnonzero(~same & (a > 0) & (b > 0))
        found[apart[_one_slip(a[apart], b[apart])]] = 2
        found[(a == 0) | (b == 0)] = len(PHONE_LEVELS)
        return found

    return [Comparison("phone", levels, quick, moves=True)]


class _FurtherNumbers:
    """Second and third numbers of the rows whose field holds several."""

    def __init__(self, register: Register, role: str) -> None:
        self.role, lists = role, register.lists[role]
        count = np.diff(lists.starts)
        rows = np.flatnonzero(count)
        self.numbers = np.zeros((len(rows) + 1, FURTHER_KEPT), dtype=np.uint64)
        for place in range(FURTHER_KEPT):
            held = np.flatnonzero(count[rows] > place)
            self.numbers[held + 1, place] = lists.codes[lists.starts[rows[held]] + place]
        where = np.zeros(register.size, dtype=np.int32)
        where[rows] = np.arange(1, len(rows) + 1)
        self.mark = register.mark(f"further numbers: {role}", lambda: where)

    def agree(self, left: PairSide, right: PairSide) -> NDArray[np.bool_]:
        """Whether any number of one is one of the other, in pairs of which one at least has several."""
        found = np.zeros(len(left), dtype=bool)
        one, other = left.of(self.mark), right.of(self.mark)
        at = np.flatnonzero((one > 0) | (other > 0))
        a = np.column_stack([left.of(self.role)[at], self.numbers[one[at]]])
        b = np.column_stack([right.of(self.role)[at], self.numbers[other[at]]])
        found[at] = ((a[:, :, None] == b[:, None, :]) & (a[:, :, None] > 0)).any(axis=(1, 2))
        return found


def _one_slip(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.bool_]:
    digits = digits_apart(a, b)
    slip = digits == 1
    two = np.flatnonzero(digits == 2)
    slip[two[neighbours_swapped(a[two], b[two])]] = True
    return slip


def death_comparison(_register: Register) -> list[Comparison]:
    """Dates of death, where both are known."""

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = (side.of("death_date").astype(np.uint64) for side in (left, right))
        found = np.full(len(a), 2, dtype=np.uint8)
        found[_one_slip(a, b)] = 1
        found[a == b] = 0
        found[(a == 0) | (b == 0)] = len(DEATH_LEVELS)
        return found

    return [Comparison("death_date", DEATH_LEVELS, quick)]


@dataclass(frozen=True)
class FreeLevels:
    """Levels of free columns: agreement, which is split by how many hold the value, and the rest; once more for
    numbers that name one entity."""

    exact: Level = OTHER_EXACT
    rest: tuple[Level, ...] = OTHER_REST
    number_exact: Level = NUMBER_EXACT
    number_rest: tuple[Level, ...] = NUMBER_REST


OF_PEOPLE = FreeLevels()


def categorical_comparison(register: Register, name: str, believed: FreeLevels = OF_PEOPLE) -> list[Comparison]:
    """A free column: same (by how many hold the value), spelled closely, different."""
    column, values, known = register.columns[name], register.values[name], register.known
    held = holders(register, name, name)
    share, steps = held.share, (held.steps // 2).astype(np.uint8)
    words = [
        "same, a very common value",
        "same, a common value",
        "same, an uncommon value",
        "same, a rare value",
    ]
    unique = (
        known.fact(f"names one: {name}", lambda: names_a_person(column, values)) and name not in register.shared
    )
    exact = split_by_rareness(believed.number_exact if unique else believed.exact, share, steps, words)
    levels = (*exact, *(believed.number_rest if unique else believed.rest))
    null, base = len(levels), len(exact)
    table = np.append(steps, np.uint8(null)).astype(np.uint8)
    textual = known.fact(f"many values: {name}", lambda: len(values) > FEW_VALUES)

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of(name), right.of(name)
        found = np.where(a == b, table.take(a), np.uint8(null + 1 if textual else base + 1))
        found[(a | b) < 0] = null
        return found

    def judge(a: Codes, b: Codes) -> Levels:
        close = (jaro_winkler(values, a, b) >= ALIKE) | (edits(values, a, b, most=1) <= 1)
        return np.where(close, np.uint8(base), np.uint8(base + 1))

    def settle(left: PairSide, right: PairSide) -> Levels:
        return per_distinct_pair(left.of(name), right.of(name), judge)

    opens = ((base, base + 1),) if textual else ()
    return [
        Comparison(name, levels, quick, settle if textual else None, opens, identifier=unique, moves=not unique)
    ]


def related_comparison(
    register: Register, related: NDArray[np.uint64], levels: tuple[Level, ...] = RELATED_LEVELS
) -> Comparison:
    """Pairs recorded on file as two. `related` are sorted pair keys; other pairs give no evidence."""
    involved = np.zeros(register.size, dtype=bool)
    for rows in ends(related):
        involved[rows] = True
    mark = register.mark("related", lambda: involved)

    def quick(left: PairSide, right: PairSide) -> Levels:
        found = np.full(len(left), len(levels), dtype=np.uint8)
        maybe = np.flatnonzero(left.of(mark) & right.of(mark))
        found[maybe[np.isin(pair_key(left.rows[maybe], right.rows[maybe]), related)]] = 0
        return found

    return Comparison("related", levels, quick, fixed=True)


def comparisons_for(
    register: Register, others: tuple[str, ...] = (), related: NDArray[np.uint64] | None = None
) -> list[Comparison]:
    """The comparisons a register's columns allow, in the order in which open ones are worked out.

    Raises RegisterError for a column that no comparison asks for.
    """
    kind = register.kind
    compared = {name for entry in kind.attributes if entry.compare for name in (*entry.roles, *entry.made)}
    compared |= set(others)
    left = [name for name in register.columns if name not in compared]
    if left:
        raise RegisterError(f"Nothing compares the role {', '.join(left)}.", "See docs/linkage.md for the roles.")
    makers = [e.compare for e in kind.attributes if e.compare and any(register.has(role) for role in e.roles)]
    with ThreadPoolExecutor(2) as pool:
        found: list[Comparison] = [one for made in pool.map(lambda make: make(register), makers) for one in made]
    for name in others:
        if register.has(name):
            found += kind.free(register, name)
    if related is not None and len(related):
        found.append(kind.related(register, related))
    return found
