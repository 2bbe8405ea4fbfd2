"""Professionals: workers, social workers, nurses as records of a system's table of staff. One declaration made of
what is there for people and of plain text columns: two of one name are two, until a number or a mailbox says
otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.parts import value_part
from casebridge.dedupe.linkage.comparisons.codes import code_comparison, email_comparison
from casebridge.dedupe.linkage.comparisons.levels import AGREES, INITIALS, SLIP, SWAP, TWO, UNLIKE, Comparison
from casebridge.dedupe.linkage.comparisons.said import Said
from casebridge.dedupe.linkage.comparisons.staff import login_comparison, own_mailboxes, staff_number_comparison
from casebridge.dedupe.linkage.kind import SAME, Blocking, Chance, Guards, Profile
from casebridge.dedupe.linkage.kinds.generic import (
    believed_as,
    code_attribute,
    plain_kind,
    text_column,
)
from casebridge.dedupe.linkage.kinds.guards import valid_codes
from casebridge.dedupe.linkage.kinds.person import EMAIL, PERSON_NAMES, PHONE
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import value_keys

NAMESAKES = "two of one name"
TWO_NUMBERS = "two different valid registration numbers"
TWO_AT_PAYROLL = "two different staff numbers"
OWN = {"same e-mail address": AGREES}
"""The level that tells a person's own mailbox; a line is a desk's."""
STAYED, MOVED, RELATIVE = 0, 1, 4
PLACES = (STAYED, MOVED, RELATIVE)
"""Whose beliefs among people's profiles: who stayed, who moved to another team, two of a family. Shares and
ceilings below are belief; nothing hangs on them in the made-up registers (docs/linkage-figures.md)."""

PROFILES = (
    Profile("stayed", SAME, 0.10, ceilings={"registration_number": {TWO: 0.03}}),
    Profile("moved", SAME, 0.05, ceilings={"registration_number": {TWO: 0.03}}),
    Profile("relative", "relative", 0.01, ("phone", "email", "team"), by_luck=True),
)
REGISTRATION = code_attribute(
    "registration_number", lambda register: code_comparison(register, "registration_number"),
    {"registration_number": value_part("registration_number")}, names_one=True,
)  # fmt: skip
MAILBOX = believed_as(
    replace(EMAIL, compare=lambda register: own_mailboxes(register, email_comparison(register))), PLACES, OWN
)
LOGIN = replace(text_column("login", PROFILES), compare=login_comparison)
STAFF_NUMBER = code_attribute(
    "staff_number", staff_number_comparison, {"staff_number": value_part("staff_number")}
)
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


def could_be_namesakes(comparisons: Sequence[Comparison], levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    A large council has several of one name: so where forename or surname is not the same, a slip away or changed
    about, and where nothing of one's own agrees: the registration number or the staff number; or, where staff
    numbers do not differ, a login or an e-mail address that bears the name, held by few. Logins that differ say
    nothing: a system gives each record another, so that who is entered twice has two. A line is a desk's."""
    said = Said(comparisons, levels)
    own = said.tagged("login", AGREES) | said.tagged("email", AGREES)
    own &= ~said.tagged("staff_number", UNLIKE)
    own |= said.tagged("staff_number", AGREES) | said.any_tagged(AGREES, identifiers=True)
    for name in ("forename", "surname"):
        own &= said.tagged(name, AGREES, INITIALS, SLIP, SWAP)
    return ~own


def marks_of_professionals(register: Register) -> dict[str, NDArray[np.integer]]:
    """Valid registration numbers; staff numbers, but for those of whom a registration number says that they have
    several."""
    found: dict[str, NDArray[np.integer]] = {}
    registered = np.full(register.size, -1)
    if register.has("registration_number"):
        registered = register.columns["registration_number"]
        found[TWO_NUMBERS] = valid_codes(register, "registration_number")
    if register.has("staff_number"):
        given = value_keys(register, "staff_number", register.columns["staff_number"])
        found[TWO_AT_PAYROLL] = np.where(_several(registered, given), np.uint64(0), given)
    return found


def _several(registered: NDArray[np.integer], given: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Rows whose registration number (-1 for none) stands beside several of what is given (0 for none)."""
    rows = pl.DataFrame({"number": registered, "given": given})
    many = pl.col("given").replace(0, None).drop_nulls().n_unique().over("number") > 1
    return rows.select((pl.col("number") >= 0) & many).to_series().to_numpy()


PROFESSIONAL = plain_kind(
    "professional",
    (
        believed_as(PERSON_NAMES, PLACES), believed_as(PHONE, PLACES), MAILBOX, believed_as(REGISTRATION, PLACES),
        LOGIN, STAFF_NUMBER, *WORK,
    ),
    BLOCKING, PROFILES, STRANGERS,
    Guards(could_be_namesakes, marks_of_professionals, NAMESAKES, LACKING),
    same_kind=(("forename", "surname", "middle_name"), ("team", "organisation")),
)  # fmt: skip
