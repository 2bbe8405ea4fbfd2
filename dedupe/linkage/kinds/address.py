"""Addresses as records of their own: doors, not households. Two flats of one house are two."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking import parts
from casebridge.dedupe.linkage.blocking.parts import value_part
from casebridge.dedupe.linkage.comparisons.levels import AGREES, SLIP, TWO, UNLIKE, Comparison
from casebridge.dedupe.linkage.comparisons.said import Said
from casebridge.dedupe.linkage.comparisons.uk_addresses import ELSEWHERE, place_comparisons, uprn_comparison
from casebridge.dedupe.linkage.comparisons.uk_doors import ONE_TELLS, PERHAPS_TWO, SAME_FLAT, TWO_FLATS, figures_in
from casebridge.dedupe.linkage.kind import SAME, Attribute, Blocking, Chance, Guards, Part, Profile
from casebridge.dedupe.linkage.kinds.generic import code_attribute, plain_kind
from casebridge.dedupe.linkage.kinds.guards import valid_codes
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import value_keys
from casebridge.dedupe.linkage.register.uk_address_columns import DOOR, ROLES, read_uk_addresses

DOORS = "two doors of one building or street"
TWO_UPRNS = "two different valid UPRNs"
FLATS, HOUSES = "two different flats", "two different house numbers"
NAMES = "two different names of the building"
GROUPS = str.maketrans("ABCDEFGIJKLMNOPQRSTUVXYZ", ".123.12.22455.12623.12.2", "HW")

PLACE = Attribute(
    "place", ROLES, read_uk_addresses, place_comparisons,
    parts={
        "door": value_part(DOOR, shows="house", implies=("door", "house", "building", "flat")),
        "house": value_part("house"),
        "building": value_part("building", shows="house"),
        "flat": value_part("flat"),
        "street": value_part("street", implies=("street", "street_sound")),
        "street_sound": Part(("street",), parts.sound_of("street", "street"), ("street",)),
        "town": value_part("town"),
        "postcode": value_part("postcode", implies=("postcode", "sector")),
        "sector": Part(("postcode",), parts.sector_of("postcode"), ("postcode",)),
    },
    made=(DOOR,),
)  # fmt: skip
UPRN = code_attribute("uprn", uprn_comparison, {"uprn": value_part("uprn")}, names_one=True)

BLOCKING = Blocking(
    ladders=(
        ((("uprn",),),),
        ((("postcode",),), (("postcode", "house"), ("postcode", "building"), ("postcode", "flat"))),
        (
            (("street", "house"),),
            (("street", "house", "town"), ("street", "house", "sector")),
        ),
        ((("building",),), (("building", "town"), ("building", "sector"))),
        ((("house", "sector"),), (("house", "sector", "street_sound"),)),
        ((("street_sound", "house"),), (("street_sound", "house", "town"),)),
    ),
    further=(
        ("street", "town"), ("street_sound", "town", "house"), ("street", "flat"), ("street", "sector"),
        ("house", "town", "flat"), ("door", "town"),
    ),
    loose=(("postcode",), ("street", "town"), ("street_sound", "house"), ("house", "sector"), ("building",),
        ("street",)),
    beside=("postcode", "street", "house"),
    refinements=("postcode", "street", "house", "building", "flat", "town", "uprn"),
)  # fmt: skip

ONE_PLACE = {"street": {UNLIKE: 0.02}, "postcode": {ELSEWHERE: 0.03}, "town": {ELSEWHERE: 0.15}}
ONE_BUILDING = ONE_PLACE | {"house": {UNLIKE: 0.002}}
ONE_DOOR = ONE_BUILDING | {"flat": {TWO_FLATS: 0.002}, "uprn": {TWO: 0.03}}
"""An address does not move: without ceilings like numbers of other streets are taken for one, where streets are
few. Their heights and the shares of the profiles are belief; what hangs on them is measured
(docs/linkage-figures.md)."""
PROFILES = (
    Profile("same", SAME, 0.10, ceilings=ONE_DOOR),
    Profile("building", "building", 0.15, ("street", "postcode"), by_definition=("flat",), ceilings=ONE_BUILDING),
    Profile("street", "street", 0.30, ("street", "postcode"), by_definition=("house",), ceilings=ONE_PLACE),
)
STRANGERS = Chance(
    0.45, like="street", gathered=("postcode", "street", "town"), whole=("street", "postcode"),
    cohorts={"house": 0.02, "flat": 1.0},  # a postcode holds a number once
    main_parts={"flat": "", "house": ""},
)  # fmt: skip
LACKING = {
    "house": "No flat, house number or building is told: every address of a street looks the same. No pair is put "
    "at 0.95 or more unless a UPRN agrees.",
}


def could_be_two_doors(comparisons: Sequence[Comparison], levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    Two doors of one street or building share street, town and postcode. So those whose doors are not the same, in
    number and flat, an address without a door among them; where beside one number the building is named on one
    side only, the name must be that of a whole building, and the same flat told on both. And those whose place is
    not: that is the postcode, with a street that is the same, a slip away or not told; or street and town, with a
    postcode that is a slip away or not told. A UPRN that agrees tells where a part is lacking, but not where two
    doors or two places are told: councils give the flats of a house the UPRN of the house."""
    said = Said(comparisons, levels)
    one_flat = said.level("flat") == SAME_FLAT if said.compares("flat") else np.zeros(len(levels), dtype=bool)
    numbered = said.tagged("house", AGREES) | (said.tagged("house", ONE_TELLS) & one_flat)
    door = numbered & said.tagged("flat", AGREES)
    here = said.tagged("postcode", AGREES) & (said.tagged("street", AGREES, SLIP) | said.missing("street"))
    near = said.tagged("postcode", SLIP) | said.missing("postcode")
    here |= said.tagged("street", AGREES) & said.tagged("town", AGREES) & near
    unlike = said.tagged("postcode", ELSEWHERE)
    unlike |= said.tagged("town", ELSEWHERE) & ~said.tagged("postcode", AGREES)
    unlike |= said.tagged("house", UNLIKE, PERHAPS_TWO) | said.tagged("street", UNLIKE)
    unlike |= said.tagged("house", ONE_TELLS) & ~one_flat
    if said.compares("flat"):
        unlike |= ~said.tagged("flat", AGREES)
    return (~(door & here) & ~said.any_tagged(AGREES, identifiers=True)) | unlike


def marks_of_addresses(register: Register) -> dict[str, NDArray[np.integer]]:
    """Valid UPRNs, flats, house numbers, and names of buildings but for slips."""
    found: dict[str, NDArray[np.integer]] = {}
    if register.has("uprn"):
        found[TWO_UPRNS] = valid_codes(register, "uprn")
    for guard, part in ((FLATS, "flat"), (HOUSES, "house")):
        if register.has(part):
            found[guard] = value_keys(register, part, register.columns[part])
    if register.has("building"):
        column = register.columns["building"]
        found[NAMES] = value_keys(register, "building", column, lambda held: but_for_slips(held.text), "slips")
    return found


def but_for_slips(names: pl.Series) -> pl.Series:
    """Consonants of names in the groups of Soundex, however many, with the first letter and the figures as they
    are: most slips of the pen leave these.

    >>> but_for_slips(pl.Series(["ROSE COTTAGE", "ROSECOTAGE", "HILL HOUSE", "MILL HOUSE", "BLOCK 2"])).to_list()
    ['R2232 ', 'R2232 ', 'H42 ', 'M42 ', 'B42 2']
    """
    letters = names.str.replace_all("[^A-Z]", "").to_list()
    heard = [re.sub(r"(.)\1+", r"\1", one[1:].translate(GROUPS)).replace(".", "") for one in letters]
    codes = [one[:1] + code for one, code in zip(letters, heard, strict=True)]
    return pl.Series(codes, dtype=pl.String) + " " + figures_in(names)


ADDRESS = plain_kind(
    "address", (PLACE, UPRN), BLOCKING, PROFILES, STRANGERS,
    Guards(could_be_two_doors, marks_of_addresses, DOORS, LACKING), many="addresses",
    same_kind=(("flat", "house", "building"), ("street", "town")),
)  # fmt: skip
