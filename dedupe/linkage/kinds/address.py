"""Addresses as records of their own: doors, not households. Two flats of one house are two."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking import parts
from casebridge.dedupe.linkage.blocking.parts import value_part
from casebridge.dedupe.linkage.comparisons.levels import AGREES, SLIP, TWO, UNLIKE, Comparison
from casebridge.dedupe.linkage.comparisons.uk_addresses import ELSEWHERE, place_comparisons, uprn_comparison
from casebridge.dedupe.linkage.comparisons.uk_doors import NAMED_APART, NOT_KNOWN, TWO_FLATS, Doors, figures_in
from casebridge.dedupe.linkage.fields import NUMBER_CAP, TWIN_CAP
from casebridge.dedupe.linkage.kind import SAME, Attribute, Blocking, Chance, Guards, Kind, Part, Profile
from casebridge.dedupe.linkage.kinds.generic import free_columns, no_evidence, recorded_as_two
from casebridge.dedupe.linkage.kinds.guards import any_tagged, tagged
from casebridge.dedupe.linkage.register import readers
from casebridge.dedupe.linkage.register.codes import CODES, which_valid
from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.encoding import Register, sounds
from casebridge.dedupe.linkage.register.uk_address_columns import DOOR, ROLES, read_uk_addresses
from casebridge.dedupe.linkage.register.values import Values

DOORS = "two doors of one building or street"
TWO_UPRNS = "two different valid UPRNs"
FLATS, HOUSES = "two different flats", "two different house numbers"
RANGES, NAMES = "two different ranges of house numbers", "two different names of the building"

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
UPRN = Attribute(
    "uprn", ("uprn",), readers.code_reader("uprn", CODES["uprn"]), uprn_comparison,
    parts={"uprn": value_part("uprn")}, names_one=True, reread=readers.cleaned_as(CODES["uprn"].clean),
)  # fmt: skip

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
few."""
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


def could_be_two_doors(
    comparisons: Sequence[Comparison], levels: NDArray[np.uint8], without: frozenset[str] = frozenset()
) -> NDArray[np.bool_]:
    """Patterns that are for a person to decide, however strong the rest.

    Two doors of one street or building share street, town and postcode: so where the number, or the name where
    there is no number, is not the same, or the name a slip away; and where the flats are not the same, one told
    and one not among them; and where beside one number one name, or not the same name, is told: a basement or a coach
    house is a door of its own. And where the place is not: the postcode the same with a street that is the same, a
    slip away or not told; or the street the same, with a postcode a slip away, or with none and the town the same.
    A UPRN that agrees says more than these, but where two doors or two streets are told: councils give the flats
    of a house the UPRN of the house. And those with two different UPRNs, one figure apart among them: neighbours
    have numbers in a row."""
    place = {comparison.name: number for number, comparison in enumerate(comparisons)}

    def is_(name: str, *tags: str) -> NDArray[np.bool_]:
        return (
            tagged(comparisons, place, levels, name, *tags) if name in place else np.zeros(len(levels), dtype=bool)
        )

    def unknown(name: str) -> NDArray[np.bool_]:
        return (
            levels[:, place[name]] == comparisons[place[name]].null
            if name in place
            else np.ones(len(levels), dtype=bool)
        )

    door = is_("house", AGREES, SLIP) & is_("flat", AGREES)
    here = is_("postcode", AGREES) & (is_("street", AGREES, SLIP) | unknown("street"))
    here |= is_("street", AGREES) & (is_("postcode", SLIP) | unknown("postcode") & is_("town", AGREES))
    unlike = is_("house", UNLIKE, NAMED_APART) | is_("street", UNLIKE) | ~is_("flat", AGREES) & ~unknown("flat")
    doubt = ~(door & here) & ~any_tagged(comparisons, levels, AGREES, identifiers=True) | unlike
    doubt &= TWIN_CAP not in without
    return doubt if NUMBER_CAP in without else doubt | any_tagged(comparisons, levels, TWO)


def marks_of_addresses(register: Register) -> dict[str, NDArray[np.integer]]:
    """Valid UPRNs, flats, house numbers with their letters, the ends of ranges, and how names of buildings sound."""
    found: dict[str, NDArray[np.integer]] = {}
    if register.has("uprn"):
        column, values = register.columns["uprn"], register.values["uprn"].text
        valid = np.append(which_valid(CODES["uprn"], values), False)
        found[TWO_UPRNS] = np.where(valid[column], np.append(text_keys(values), 0)[column], 0).astype(np.uint64)
    if register.has("flat"):
        keys = np.append(text_keys(register.values["flat"].text), np.uint64(0))
        found[FLATS] = keys[register.columns["flat"]]
    if register.has(DOOR):
        doors = Doors.of(register)
        number = np.where(doors.first > NOT_KNOWN, doors.first * 100 + doors.letter + 1, 0)
        found[HOUSES] = number[register.columns[DOOR]].astype(np.uint64)
    if register.has("house"):
        found[RANGES] = _keys(register, "house", lambda text: text.str.extract(r"-(\d+[A-Z]?)$"))
    if register.has("building"):
        found[NAMES] = _keys(register, "building", lambda _: _sound(register.values["building"]))
    return found


def _keys(register: Register, column: str, said: Callable[[pl.Series], pl.Series]) -> NDArray[np.uint64]:
    """A number a row for what its text in a column says; 0 for nothing."""
    texts = said(register.values[column].text)
    keys = np.append(np.where(texts.is_null().to_numpy(), np.uint64(0), text_keys(texts)), np.uint64(0))
    return keys[register.columns[column]]


def _sound(names: Values) -> pl.Series:
    """How names of buildings sound, word by word, with their figures: one name with a slip mostly sounds the same."""
    words = names.text.str.split(" ").explode().unique()
    heard = dict(zip(words, sounds(Values(words)), strict=True))
    said = [" ".join(heard[word] for word in name.split(" ")) for name in names.all()]
    return pl.Series(said, dtype=pl.String) + "|" + figures_in(names.text)


ADDRESS = Kind(
    "address", "an address", "addresses", (PLACE, UPRN), BLOCKING, PROFILES, STRANGERS,
    Guards(could_be_two_doors, marks_of_addresses, DOORS, LACKING),
    free=free_columns(PROFILES), related=recorded_as_two(PROFILES), told_by=(), alike=no_evidence,
    same_kind=(("flat", "house", "building"), ("street", "town")),
)  # fmt: skip
