"""Professionals: workers, social workers, nurses as records of a system's table of staff. One declaration made of
what is there for people and of plain text columns: two of one name are two, until a number or a mailbox says
otherwise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.parts import value_part
from casebridge.dedupe.linkage.comparisons.codes import code_comparison
from casebridge.dedupe.linkage.comparisons.levels import AGREES, SLIP, SWAP, TWO, Comparison
from casebridge.dedupe.linkage.fields import NUMBER_CAP, TWIN_CAP
from casebridge.dedupe.linkage.kind import SAME, Attribute, Blocking, Chance, Guards, Kind, Profile
from casebridge.dedupe.linkage.kinds.generic import (
    believed_as,
    free_columns,
    no_evidence,
    recorded_as_two,
    text_column,
)
from casebridge.dedupe.linkage.kinds.guards import any_tagged, tagged
from casebridge.dedupe.linkage.kinds.person import EMAIL, PERSON_NAMES, PHONE
from casebridge.dedupe.linkage.register import readers
from casebridge.dedupe.linkage.register.codes import CODES, which_valid
from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.encoding import Register

NAMESAKES = "two of one name"
TWO_NUMBERS = "two different valid registration numbers"
OWN = {"same e-mail address": AGREES, "same phone number": AGREES}
"""Levels that tell a person's own mailbox or line; a switchboard's, which many hold, is another level."""
STAYED, MOVED, RELATIVE = 0, 1, 4
PLACES = (STAYED, MOVED, RELATIVE)
"""Whose beliefs among people's profiles: who stayed, who moved to another team, two of a family."""

PROFILES = (
    Profile("stayed", SAME, 0.10, ceilings={"registration_number": {TWO: 0.03}}),
    Profile("moved", SAME, 0.05, ceilings={"registration_number": {TWO: 0.03}}),
    Profile("relative", "relative", 0.01, ("phone", "email", "team"), by_luck=True),
)
REGISTRATION = Attribute(
    "registration_number", ("registration_number",),
    readers.code_reader("registration_number", CODES["registration_number"]),
    lambda register: code_comparison(register, "registration_number"),
    parts={"registration_number": value_part("registration_number")}, names_one=True,
    reread=readers.cleaned_as(CODES["registration_number"].clean),
)  # fmt: skip
STAFF_NUMBERS = tuple(text_column(role, PROFILES) for role in ("login", "staff_number"))
WORK = tuple(text_column(role, PROFILES) for role in ("job_title", "team", "organisation"))

BLOCKING = Blocking(
    ladders=(
        ((("registration_number",),),),
        ((("email",),),),
        ((("phone",),), (("phone", "surname_sound"),)),
        ((("login",),),),
        ((("staff_number",),),),
        ((("names",),),),
        ((("surname",),), (("surname", "team"), ("surname", "organisation"))),
        ((("forename",),), (("forename", "team"), ("forename", "organisation"))),
        ((("forename_sound", "surname_sound"),),),
    ),
    further=(("surname_sound", "team"), ("forename_sound", "team"), ("team", "job_title")),
    loose=(("surname_sound",), ("forename_sound",), ("team",)),
    beside=("surname", "forename"),
    refinements=("surname", "forename", "team", "email", "phone"),
)  # fmt: skip
STRANGERS = Chance(
    0.84, like="relative", gathered=("team", "organisation", "email", "login"), whole=("forename", "surname"),
    main_parts={"middle_name": "middle_name"},  # logins and mailboxes are made of names: namesakes' are alike
)  # fmt: skip
LACKING = {
    "surname": "No surname column: colleagues of one team cannot be told apart. No pair is put at 0.95 or more "
    "unless a registration number agrees.",
}


def could_be_namesakes(
    comparisons: Sequence[Comparison], levels: NDArray[np.uint8], without: frozenset[str] = frozenset()
) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    A large council has several of one name: so where forename or surname is not the same, a slip away or changed
    about, and where nothing of one's own agrees: the registration number, an e-mail address or phone number that
    few hold, a login or staff number. And those with two different registration numbers: one may be wrong, or of
    another register, but that is not for a model to say."""
    place = {comparison.name: number for number, comparison in enumerate(comparisons)}
    doubt, own = np.zeros((2, len(levels)), dtype=bool)
    own |= any_tagged(comparisons, levels, AGREES, identifiers=True)
    for name in {"email", "phone", "login", "staff_number"} & place.keys():
        own |= tagged(comparisons, place, levels, name, AGREES)
    for name in ("forename", "surname"):
        if name in place:
            doubt |= ~tagged(comparisons, place, levels, name, AGREES, SLIP, SWAP)
        else:
            doubt[:] = True
    doubt = (doubt | ~own) & (TWIN_CAP not in without)
    return doubt if NUMBER_CAP in without else doubt | any_tagged(comparisons, levels, TWO)


def marks_of_professionals(register: Register) -> dict[str, NDArray[np.integer]]:
    """Valid registration numbers."""
    if not register.has("registration_number"):
        return {}
    values = register.values["registration_number"].text
    valid = which_valid(CODES["registration_number"], values)
    keys = np.append(np.where(valid, text_keys(values), np.uint64(0)), np.uint64(0))
    return {TWO_NUMBERS: keys[register.columns["registration_number"]]}


PROFESSIONAL = Kind(
    "professional", "a professional", "professionals",
    (
        *(believed_as(one, PLACES, OWN) for one in (PERSON_NAMES, PHONE, EMAIL)),
        believed_as(REGISTRATION, PLACES), *STAFF_NUMBERS, *WORK,
    ),
    BLOCKING, PROFILES, STRANGERS,
    Guards(could_be_namesakes, marks_of_professionals, NAMESAKES, LACKING),
    free=free_columns(PROFILES), related=recorded_as_two(PROFILES), told_by=(), alike=no_evidence,
    same_kind=(("forename", "surname", "middle_name"), ("team", "organisation")),
)  # fmt: skip
