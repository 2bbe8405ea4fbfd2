"""What no model may decide: patterns that are for a person, and marks of which no cluster may hold two."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import AGREES, INITIALS, MET, SLIP, SWAP, UNLIKE, Comparison
from casebridge.dedupe.linkage.comparisons.levels import GENERATION as PARENTED
from casebridge.dedupe.linkage.comparisons.said import Said
from casebridge.dedupe.linkage.register.codes import CODES, which_valid
from casebridge.dedupe.linkage.register.encoding import BIRTH_NUMBER, GENERATION, Register
from casebridge.dedupe.linkage.register.holders import value_keys
from casebridge.dedupe.linkage.register.identifiers import DIGITS, VALID

TWINS = "two who could be twins"
TWO_NUMBERS = "two different valid NHS numbers"
TOLD_APART = {BIRTH_NUMBER: "numbered as two children", GENERATION: "styled as two generations"}


def could_be_twins(comparisons: Sequence[Comparison], levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    A forename that is missing or differs by more than a slip of the pen, whatever the birth date: twins and
    siblings show it (a shared NHS number may have been given to the wrong one). With positive evidence of two
    people, sex or middle name, a slip in the forename is enough, and so is the same initial, if no more is known
    of either. Where no number that names a person agrees, so is each by itself: twins may be named a letter apart,
    or share the first of their names, and nothing but a number tells them from one person written twice. A
    register without a forename has it missing everywhere.

    Unless such a number agrees: birth dates that no slip explains, or one that is not known (parents and children
    share name and home, cousins a name); and surnames that differ where no address, phone or e-mail agrees
    (strangers share forename and birth date, and a child who was adopted must not be joined to who it was).
    """
    said = Said(comparisons, levels)
    named = said.any_tagged(AGREES, identifiers=True)
    slip = said.tagged("forename", SLIP, INITIALS)
    doubt = ~said.tagged("forename", AGREES, SWAP) & ~(slip & named)
    for other in ("sex", "middle_name"):
        doubt |= said.tagged(other, UNLIKE) & (slip | ~named)
    doubt |= (said.missing("birth_date") | said.tagged("birth_date", UNLIKE, PARENTED)) & ~named
    met = said.tagged("address", MET) | said.tagged("phone", MET) | said.tagged("email", MET)
    return doubt | (said.tagged("surname", UNLIKE) & ~met & ~named)


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


def valid_codes(register: Register, role: str) -> NDArray[np.uint64]:
    """A number for the code of each row that passes the check of its form, 0 for the others."""
    column = register.columns[role]
    valid = np.append(which_valid(CODES[role], register.values[role].text), False)
    return np.where(valid[column], value_keys(register, role, column), np.uint64(0))
