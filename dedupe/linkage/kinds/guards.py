"""What no model may decide: patterns that are for a person, and marks of which no cluster may hold two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import AGREES, MET, SLIP, SWAP, TWO, UNLIKE, Comparison
from casebridge.dedupe.linkage.comparisons.levels import GENERATION as PARENTED
from casebridge.dedupe.linkage.fields import NUMBER_CAP, TWIN_CAP
from casebridge.dedupe.linkage.register.encoding import BIRTH_NUMBER, GENERATION, Register
from casebridge.dedupe.linkage.register.identifiers import DIGITS, VALID

TWINS = "two who could be twins"
TWO_NUMBERS = "two different valid NHS numbers"
TOLD_APART = {BIRTH_NUMBER: "numbered as two children", GENERATION: "styled as two generations"}


def could_be_twins(
    comparisons: Sequence[Comparison], levels: NDArray[np.uint8], without: frozenset[str] = frozenset()
) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    A forename that is missing or differs by more than a slip of the pen, whatever the birth date: twins and
    siblings show it (a shared NHS number may have been given to the wrong one). With positive evidence of two
    people, sex or middle name, a slip in the forename is enough. Where no number that names a person agrees, so
    is either by itself: twins may be named a letter apart, or share the first of their names, and nothing but a
    number tells them from one person written twice. A register without a forename has it missing everywhere.

    Unless such a number agrees: birth dates that no slip explains, or one that is not known (parents and children
    share name and home, cousins a name); and surnames that differ where no address, phone or e-mail agrees
    (strangers share forename and birth date, and a child who was adopted must not be joined to who it was).

    And two different numbers that name a person: one of the two may be wrong, but that is not for a model to say.
    """
    place = {comparison.name: number for number, comparison in enumerate(comparisons)}
    named = any_tagged(comparisons, levels, AGREES, identifiers=True)
    doubt = np.ones(len(levels), dtype=bool)
    if "forename" in place:
        doubt = ~tagged(comparisons, place, levels, "forename", AGREES, SWAP, SLIP)
        slip = tagged(comparisons, place, levels, "forename", SLIP)
        doubt |= slip & ~named
        for other in {"sex", "middle_name"} & place.keys():
            doubt |= tagged(comparisons, place, levels, other, UNLIKE) & (slip | ~named)
    if "birth_date" in place:
        unknown = levels[:, place["birth_date"]] == comparisons[place["birth_date"]].null
        unlike = tagged(comparisons, place, levels, "birth_date", UNLIKE, PARENTED)
        doubt |= (unknown | unlike) & ~named
    else:
        doubt |= ~named
    if "surname" in place:
        met = np.zeros(len(levels), dtype=bool)
        for shared in {"address", "phone", "email"} & place.keys():
            met |= tagged(comparisons, place, levels, shared, MET)
        doubt |= tagged(comparisons, place, levels, "surname", UNLIKE) & ~met & ~named
    doubt &= TWIN_CAP not in without
    return doubt if NUMBER_CAP in without else doubt | any_tagged(comparisons, levels, TWO)


def tagged(
    comparisons: Sequence[Comparison], place: Mapping[str, int], levels: NDArray[np.uint8], name: str, *tags: str
) -> NDArray[np.bool_]:
    """Patterns whose level of the comparison `name` has one of the tags."""
    return comparisons[place[name]].tagged(*tags)[levels[:, place[name]]]


def any_tagged(
    comparisons: Sequence[Comparison], levels: NDArray[np.uint8], tag: str, identifiers: bool = False
) -> NDArray[np.bool_]:
    """Patterns in which any comparison, or any of a number that names a person, has a level with the tag."""
    found = np.zeros(len(levels), dtype=bool)
    for place, comparison in enumerate(comparisons):
        if comparison.identifier or not identifiers:
            found |= comparison.tagged(tag)[levels[:, place]]
    return found


def marks_of_people(register: Register) -> dict[str, NDArray[np.integer]]:
    """Valid NHS numbers, numbers of children of one birth, and generations."""
    found: dict[str, NDArray[np.integer]] = {}
    column = register.columns.get("nhs_number")
    if column is not None and column.dtype == np.uint64:
        number = np.where(column & VALID != 0, column & DIGITS, np.uint64(0))
        if "nhs_number" in register.lists:  # who holds two numbers is kept apart from nobody by one of them
            number[np.diff(register.lists["nhs_number"].starts) > 0] = 0
        found[TWO_NUMBERS] = number
    return found | {guard: register.facts[name] for name, guard in TOLD_APART.items() if name in register.facts}
