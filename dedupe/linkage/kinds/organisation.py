"""Organisations: suppliers, care homes, surgeries, teams. Branches of a chain are bodies of their own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking import parts
from casebridge.dedupe.linkage.blocking.organisation_parts import of_name, own_domain, telling_word
from casebridge.dedupe.linkage.blocking.parts import value_part
from casebridge.dedupe.linkage.comparisons import organisations
from casebridge.dedupe.linkage.comparisons.levels import AGREES, SLIP, UNLIKE, Comparison
from casebridge.dedupe.linkage.comparisons.organisations import ALSO, ELSEWHERE, LONGER, NUMBERED_AS_TWO
from casebridge.dedupe.linkage.comparisons.said import Said
from casebridge.dedupe.linkage.kind import SAME, Attribute, Blocking, Chance, Guards, Part, Profile
from casebridge.dedupe.linkage.kinds.generic import code_attribute, plain_kind
from casebridge.dedupe.linkage.kinds.guards import valid_codes
from casebridge.dedupe.linkage.register import readers
from casebridge.dedupe.linkage.register.address_text import read_written_address
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.organisation_names import organisations_as, read_organisation_names
from casebridge.dedupe.linkage.register.organisation_words import first_sounds, in_any_order

BRANCHES = "two that could be branches"
TWO_CODES = "two different valid ODS codes"
ONE_NAME = (AGREES, ALSO, SLIP, LONGER)
"""Tags of names that may be one body's: any other two names are not joined without a person."""
OF_A_CHAIN = ("name", "phone", "email", "supplier_number")


NAME = Attribute(
    "name", ("name",), read_organisation_names, organisations.name_comparison,
    parts={
        "name": value_part("name", implies=("name", "name_words", "telling_word", "next_word", "name_sound")),
        "name_words": Part(("name",), of_name("words of names", in_any_order), ("name",)),
        "telling_word": Part(("name",), telling_word(0), ("name",)),
        "next_word": Part(("name",), telling_word(1), ("name",)),
        "name_sound": Part(("name",), of_name("sounds of names", first_sounds), ("name",)),
        "branch": value_part("branch"),
    },
    made=("branch",),
    reread=organisations_as,
)  # fmt: skip
ADDRESS = Attribute(
    "place", ("address", "house", "street", "postcode"), read_written_address, organisations.place_comparison,
    parts=parts.OF_A_HOME,
    needs={"house": ("street", "postcode", "address")}, reread=readers.address_as,
)  # fmt: skip
PHONE = Attribute(
    "phone", ("phone",), readers.number_reader("phone", phone=True), organisations.line_comparison,
    parts={"phone": value_part("phone")}, reread=readers.numbers_as(phone=True),
)  # fmt: skip
EMAIL = code_attribute(
    "email", organisations.mailbox_comparison,
    {"email": value_part("email"), "domain": Part(("email",), own_domain(), ("email",))},
)  # fmt: skip
SUPPLIER_NUMBER = code_attribute("supplier_number", organisations.supplier_comparison)
ODS_CODE = code_attribute("ods_code", organisations.ods_comparison, names_one=True)

BLOCKING = Blocking(
    ladders=(
        ((("phone",),), (("phone", "telling_word"), ("phone", "postcode"))),
        ((("postcode",),), (("postcode", "telling_word"), ("postcode", "name_sound"), ("postcode", "house"))),
        ((("name_words",),), (("name_words", "sector"),)),
        ((("telling_word",),), (("telling_word", "next_word"), ("telling_word", "sector"))),
        ((("next_word",),), (("next_word", "sector"), ("next_word", "name_sound"))),
        ((("email",),), (("email", "telling_word"),)),
        ((("domain",),), (("domain", "telling_word"), ("domain", "sector"))),
        ((("street", "house"),), (("street", "house", "name_sound"),)),
        ((("name_sound", "sector"),), ()),
    ),
    further=(
        ("name_sound", "street"), ("telling_word", "street"), ("name_sound", "house"), ("telling_word", "house"),
        ("sector", "house"), ("domain", "street"), ("name_sound",), ("name_sound", "telling_word"),
    ),
    loose=(("name_sound",), ("telling_word",), ("next_word",), ("sector",), ("street",), ("domain",), ("phone",)),
    beside=("telling_word", "name_sound", "postcode"),
    refinements=("postcode", "name_words", "phone", "telling_word", "street", "house", "email", "next_word"),
)  # fmt: skip

ONE_BODY = {"name": {NUMBERED_AS_TWO: 0.002}}
PROFILES = (
    Profile("stayed", SAME, 0.10, ceilings=ONE_BODY | {"address": {ELSEWHERE: 0.01}}),
    Profile("moved", SAME, 0.01, ceilings=ONE_BODY, most_a_row=0.02),
    Profile("branch", "branch", 0.10, OF_A_CHAIN, by_definition=("address",)),
    Profile("unit", "unit", 0.03, ("name",), by_definition=("name",)),
    Profile("building", "building", 0.08, ("address",), by_definition=("name",)),
)
STRANGERS = Chance(
    0.71, like="building", gathered=("address",), whole=("name",),
    main_parts={"address": "postcode", "branch": ""},
)  # fmt: skip
LACKING = {
    "name": "No name column: what share a building or a phone cannot be told apart. No pair is put at 0.95 or "
    "more unless an ODS code agrees.",
    "address": "No address: branches of one chain cannot be told apart. No pair is put at 0.95 or more unless an "
    "ODS code agrees; each is for a person to decide.",
}


def could_be_branches(comparisons: Sequence[Comparison], levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    Two branches of a chain, or two with one franchise, share name, phone, domain and supplier number, and are two
    bodies: so where the address is not the same, or not known. Two bodies of one building share address and phone:
    so where the name is not the same, a slip away or a trading name; a name that says more of what sort of body it
    is needs a phone, an e-mail address or a supplier number that agrees. An ODS code that agrees says more than
    these, but where two names are held that are not one: teams and wards share the code of their body. So whatever
    agrees where names are numbered, of two sorts (a nursing home and a day centre), only alike, or name two
    branches.
    """
    said = Said(comparisons, levels)
    one_name, line = said.tagged("name", *ONE_NAME), np.zeros(len(levels), dtype=bool)
    for name in ("phone", "email", "supplier_number"):
        line |= said.tagged(name, AGREES)
    doubt = ~one_name | ~said.tagged("address", AGREES) | (said.tagged("name", LONGER) & ~line)
    unlike = (~said.missing("name") & ~one_name) | said.tagged("branch", UNLIKE)
    return (doubt & ~said.any_tagged(AGREES, identifiers=True)) | unlike


def marks_of_organisations(register: Register) -> dict[str, NDArray[np.integer]]:
    """Valid ODS codes."""
    return {TWO_CODES: valid_codes(register, "ods_code")} if register.has("ods_code") else {}


ORGANISATION = plain_kind(
    "organisation",
    (NAME, ADDRESS, PHONE, EMAIL, SUPPLIER_NUMBER, ODS_CODE),
    BLOCKING, PROFILES, STRANGERS,
    Guards(could_be_branches, marks_of_organisations, BRANCHES, LACKING),
    same_kind=(("street", "house"), ("supplier_number", "ods_code")),
)  # fmt: skip
