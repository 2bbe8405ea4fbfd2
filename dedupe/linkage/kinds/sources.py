"""Where each starting chance of a level comes from: one sentence a table of levels.

No level rests on its start alone, but for those that are held: a start weighs as `PRIOR_PEOPLE` pairs of one
person (`PRIOR_LUCKY` where agreement is luck), the fit moves it, and strangers are measured in the register. The
page docs/level-probabilities.md is written from here, with every number; a test holds that no table of levels is
without a source. "Belief" says that no published figure was found.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType

from casebridge.dedupe.linkage.comparisons import (
    addresses,
    births,
    codes,
    names,
    organisations,
    registry,
    staff,
    surnames,
    telling_apart,
    uk_addresses,
    uk_doors,
)
from casebridge.dedupe.linkage.comparisons.levels import Level

LAM = "Lam and others, IJPDS 2024, ALSPAC: of one person's records 12 % of forenames, 18 % of surnames differ"
HARRON = "Harron and others, BMC Medical Research Methodology 17:23, 2017, hospital records beside the spine"
HAGGER = "Hagger-Johnson and others, Health Services Research 50(4), 2014"
BIRTHS = "Office for National Statistics, Birth characteristics: 14 to 16 multiple births in 1,000 maternities"
WEINBERG = "a third are identical (Weinberg's rule), the others of one sex as often as not"
BELIEF = "Belief"

MODULES: tuple[ModuleType, ...] = (
    registry, births, names, surnames, addresses, codes, telling_apart, organisations, uk_addresses,
    uk_doors, staff,
)  # fmt: skip
SOURCES: Mapping[str, str] = {
    "registry.SEX_LEVELS": f"{HARRON}: sex or date wrong or missing in 0.11 %; 1.5 % here, in the belief that "
    f"councils' registers are kept less well. Twins: {WEINBERG}. Siblings: half and half; partners: belief",
    "registry.NHS_LEVELS": "One person: belief, of two different ones at most about 1 in 20 (`ONE_PERSON`). Two "
    f"people, held: {HAGGER}, of infants 1 in 1,000 shares an identity by mistake, twins among them",
    "registry.NUMBER_LEVELS": "As NHS numbers, without a check digit to tell the right ones",
    "registry.PHONE_LEVELS": f"{BELIEF}: a home shares a line, a mobile is one person's",
    "registry.OTHER_EXACT": f"{BELIEF}; split by how many records hold the value, which is counted",
    "registry.OTHER_REST": BELIEF,
    "registry.NUMBER_EXACT": f"{BELIEF}; two people held: as NHS numbers",
    "registry.NUMBER_REST": f"{BELIEF}; two people held: as NHS numbers",
    "registry.DEATH_LEVELS": BELIEF,
    "registry.RELATED_LEVELS": "Held: what is on record as two people is two, but for 1 in 1,000 (belief)",
    "births.BIRTH_LEVELS": f"{HARRON}: as sex; 14 % here, and its kinds: belief. Twins: one "
    "set of chances with one person. Ceilings: `ONE_PERSON`, `ONE_BIRTH`, `NO_TWINS`",
    "names.FORENAME_EXACT": f"{LAM}; 16 % here. Split by how many records hold the name, counted. Two of a home: "
    "counted, as chance has it",
    "names.SAME_INITIAL": f"{BELIEF}, where initials are few; two of a home: counted, as chance has it",
    "names.FORENAME_REST": f"{LAM}; how these fall into kinds: belief",
    "names.MIDDLE_EXACT": f"{BELIEF}; two of a home: counted, as chance has it",
    "names.MIDDLE_REST": BELIEF,
    "surnames.SURNAME_EXACT": f"{LAM}; 14 % here for who stayed, 22 % for who moved or married. Split by how many "
    "records hold the name, counted",
    "surnames.SURNAME_REST": f"{LAM}; how these fall into kinds: belief",
    "addresses.LEVELS": f"{HARRON}: postcode differs or is missing in 53 %. Here two profiles, who stayed and who "
    "moved, whose shares are fitted; within each: belief",
    "codes.EMAIL_LEVELS": f"{BELIEF}; families share addresses",
    "codes.code_levels": "As NHS numbers. Two people: held",
    "telling_apart.LEVELS": "Held: Adelman and others, Pediatrics 136, 2015, for newborns' temporary names; "
    "generations: belief",
    "organisations.NAME_EXACT": f"{BELIEF}; no register of organisations with its truth is public",
    "organisations.NAME_REST": BELIEF,
    "organisations.BRANCH_LEVELS": BELIEF,
    "organisations.PLACES": BELIEF,
    "organisations.PHONES": BELIEF,
    "organisations.EMAIL_LEVELS": BELIEF,
    "organisations.SUPPLIER_LEVELS": BELIEF,
    "organisations.ODS": "As NHS numbers; two bodies: held",
    "staff.LOGIN_LEVELS": f"{BELIEF}: who is entered twice mostly has a second account",
    "staff.STAFF_NUMBER_LEVELS": f"{BELIEF}: payroll gives one number to each, and a second to some who come back",
    "uk_doors.FLAT_LEVELS": f"{BELIEF}; two doors of a building: held, by definition. Ceilings: `ONE_DOOR`",
    "uk_doors.HOUSE_LEVELS": f"{BELIEF}; two buildings of a street: held, by definition. Ceilings: `ONE_DOOR`",
    "uk_addresses.STREET_EXACT": f"{BELIEF}. Split by how many records hold the street, counted",
    "uk_addresses.STREET_REST": BELIEF,
    "uk_addresses.TOWN_LEVELS": BELIEF,
    "uk_addresses.POSTCODE_LEVELS": f"{BELIEF}; a postcode is of 15 addresses or so, of one street as a rule "
    "(Royal Mail, Postcode Address File guide)",
    "uk_addresses.UPRN_LEVELS": "As NHS numbers, but one figure off is another property: neighbours have numbers "
    "in a row (GeoPlace). Two addresses: held; flats have the UPRN of their house by mistake (belief)",
}  # fmt: skip
"""By module and name of the table."""
SHARES = (
    "Shares of the relations weigh one pair in all: the fit finds them. Twins are as many at least as siblings\n"
    f"tell of ({BIRTHS})"
)


def level_tables() -> dict[str, tuple[Level, ...]]:
    """Every table of levels that a comparison starts from, by the module where it stands and its name."""
    found: dict[str, tuple[Level, ...]] = {}
    for module in MODULES:
        home = module.__name__.rsplit(".", 1)[-1]
        for name, held in vars(module).items():
            levels = held if isinstance(held, tuple) else (held,)
            if levels and all(isinstance(one, Level) for one in levels):
                borrowed = any(levels[0] is other[0] for other in found.values())
                found |= {} if borrowed else {f"{home}.{name}": levels}
    found["codes.code_levels"] = codes.code_levels("number")
    return found
