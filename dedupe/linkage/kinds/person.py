"""People: what is read of them, compared, blocked by and believed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking import parts
from casebridge.dedupe.linkage.blocking.parts import date_part, value_part
from casebridge.dedupe.linkage.comparisons.addresses import address_comparison
from casebridge.dedupe.linkage.comparisons.births import birth_comparison
from casebridge.dedupe.linkage.comparisons.codes import email_comparison, nino_comparison, upn_comparison
from casebridge.dedupe.linkage.comparisons.levels import AGREES, CLOSE, CROSSED, GENERATION, TWO, UNLIKE
from casebridge.dedupe.linkage.comparisons.names import name_comparisons
from casebridge.dedupe.linkage.comparisons.registry import (
    categorical_comparison,
    death_comparison,
    nhs_comparison,
    phone_comparison,
    related_comparison,
    sex_comparison,
)
from casebridge.dedupe.linkage.comparisons.telling_apart import NAME as TOLD_APART
from casebridge.dedupe.linkage.comparisons.telling_apart import telling_apart
from casebridge.dedupe.linkage.kind import SAME, Attribute, Blocking, Chance, Guards, Kind, Part, Profile
from casebridge.dedupe.linkage.kinds.generic import code_attribute
from casebridge.dedupe.linkage.kinds.guards import TWINS, could_be_twins, marks_of_people
from casebridge.dedupe.linkage.kinds.siblings import homes_expected, twins_expected, twins_unseen
from casebridge.dedupe.linkage.register import readers
from casebridge.dedupe.linkage.register.address_text import read_written_address
from casebridge.dedupe.linkage.register.encoding import NAME_ROLES, Register
from casebridge.dedupe.linkage.register.identifiers import digits_apart
from casebridge.dedupe.linkage.register.name_columns import read_name_columns
from casebridge.dedupe.linkage.register.nametable import alike_forenames
from casebridge.dedupe.linkage.register.pair_rows import Rows

OF_A_HOME = ("address", "phone")
SHARED = ("email",)
"""What a family may share besides. Where a birth date tells one person from another it carries no family: such
profiles took duplicates then."""
NAMES = parts.either_order("forename", "surname")
OF_A_DATE = ("birth_year", "birthday", "birth_month", "birth_day", "birth_turned")
"""Parts of a date: year, day without the year, year and month, year and day, day and month in either order."""
IN_A_MONTH, ON_A_DAY, TURNED = ((part, "birth_year") for part in ("birth_month", "birth_day", "birth_turned"))
START = 3
"""Letters: where a slip stands later in a name, so many are as they were."""
OF_A_FORENAME, OF_A_SURNAME = (
    tuple(f"{role}_{part}" for part in ("sound", "start", "initial")) for role in ("forename", "surname")
)
IN_NAMES = ("forename", "surname", *OF_A_FORENAME, *OF_A_SURNAME)

BIRTH_DATE = Attribute(
    "birth_date", ("birth_date",), readers.date_reader("birth_date"), birth_comparison,
    parts={
        "birth_date": value_part("birth_date", implies=("birth_date", *OF_A_DATE)),
        "birth_year": date_part("birth_date", lambda date: date >> 16),
        "birthday": date_part("birth_date", lambda date: date & 0xFFFF),
        "birth_month": date_part("birth_date", lambda date: date >> 8, IN_A_MONTH),
        "birth_day": date_part("birth_date", lambda date: date & 0xFFFF00FF, ON_A_DAY),
        "birth_turned": date_part("birth_date", parts.turned, TURNED),
    },
    dates=("birth_date",), reread=readers.dates_as,
)  # fmt: skip
SEX = Attribute(
    "sex", ("sex",), readers.read_sex, sex_comparison, parts={"sex": value_part("sex")}, reread=readers.sexes_as
)
NHS_NUMBER = Attribute(
    "nhs_number", ("nhs_number",), readers.number_reader("nhs_number"), nhs_comparison,
    parts={"nhs_number": value_part("nhs_number")}, names_one=True, reread=readers.numbers_as(),
)  # fmt: skip
PHONE = Attribute(
    "phone", ("phone",), readers.number_reader("phone", phone=True), phone_comparison,
    parts={"phone": value_part("phone")}, reread=readers.numbers_as(phone=True),
)  # fmt: skip
PERSON_NAMES = Attribute(
    "names", (*NAME_ROLES, "previous_surnames"), read_name_columns, name_comparisons,
    parts={
        "forename": value_part("forename", implies=("forename", *OF_A_FORENAME)),
        "middle_name": value_part("middle_name"),
        "surname": value_part("surname", implies=("surname", *OF_A_SURNAME)),
        "names": Part(
            ("forename", "surname"), NAMES, ("forename", "surname"), IN_NAMES, both=("forename", "surname")
        ),
        "rare_names": Part(
            ("forename", "surname"), parts.rare(NAMES, "names"), ("forename", "surname"), IN_NAMES
        ),
        "forename_sound": Part(("forename",), parts.sound_of("forename", "names"), ("forename",)),
        "surname_sound": Part(("surname",), parts.sound_of("surname", "names"), ("surname",)),
        **{
            part: Part((role,), parts.start_of(role, "names", letters), (role,), implies)
            for role in ("forename", "surname")
            for part, letters, implies in (
                (f"{role}_start", START, (f"{role}_start", f"{role}_initial")), (f"{role}_initial", 1, ())
            )
        },
    },
    needs={"previous_surnames": ("surname",)}, listed=("previous_surnames",),
    reread=readers.names_as, dictionary="names",
)  # fmt: skip
ADDRESS = Attribute(
    "address", ("address", "house", "street", "postcode", "previous_postcodes"), read_written_address,
    address_comparison,
    parts=parts.OF_A_HOME,
    needs={"previous_postcodes": ("postcode",), "house": ("street", "postcode", "address")},
    listed=("previous_postcodes",), reread=readers.address_as,
)  # fmt: skip
DEATH_DATE = Attribute(
    "death_date", ("death_date",), readers.date_reader("death_date"), death_comparison,
    dates=("death_date",), reread=readers.dates_as,
)  # fmt: skip
EMAIL = code_attribute("email", email_comparison)
UPN = code_attribute("upn", upn_comparison, names_one=True)
NINO = code_attribute("nino", nino_comparison, names_one=True)
APART = Attribute(TOLD_APART, NAME_ROLES, None, telling_apart)
"""What name columns say beside the names: Twin 2, Snr."""

BLOCKING = Blocking(
    ladders=(
        ((("nhs_number",),),),
        ((("phone",),),),
        (
            (("birth_date",),),
            (("postcode", "birth_date"), ("surname", "birth_date"), ("forename", "birth_date")),
        ),
        (
            (("postcode",),),
            (("postcode", "forename"), ("postcode", "surname", "sex")),
        ),
        (
            (("names",),),
            (("names", "birth_year"),),
            (("names", "birth_month"), ("names", "birth_day"), ("names", "birth_turned")),
        ),
        ((("surname",),), ()),
        ((("forename",),), ()),
        ((("street", "house"),), (("forename", "street", "house"), ("surname", "street", "house", "sex"))),
        (
            (("forename_sound", "surname_sound"),),
            (
                ("forename_sound", "surname_sound", "birthday"),
                ("forename_sound", "surname_sound", "sector"),
                ("forename", "surname_sound", "middle_name"),
            ),
            (("forename_sound", "surname_sound", "birthday"),),
        ),
        ((("rare_names",),),),
    ),
    lacking={
        "postcode": (
            (
                (("street", "house"),),
                (
                    ("street", "house", "birth_date"),
                    ("street", "house", "forename"),
                    ("street", "house", "surname", "sex"),
                ),
            ),
        )
    },
    further=(
        ("names",),
        ("forename_sound", "surname_sound", "birth_year"),
        ("forename_sound", "surname_sound", "street"),
        ("forename_sound", "surname_sound", "house"),
        ("forename_sound", "birth_date"),
        ("surname_sound", "birth_date"),
        ("birth_date", "sector"),
        ("forename", "street"),
        ("surname", "street", "sex"),
        ("middle_name", "street"),
        ("postcode", "house"),
        ("surname_sound", "postcode"),
        ("forename", "birthday"),
        ("surname", "birthday", "sex"),
        ("forename", "middle_name", "sex"),
        ("surname", "middle_name"),
        ("middle_name",),
        ("forename", "surname_sound"),
        ("forename", "birth_year", "sex"),
        ("forename", "house", "sex"),
        ("surname", "house", "sex"),
        ("forename_start", "surname_start"),
        ("forename_initial", "surname_sound"),
        ("forename_initial", "surname_start", "birthday"),
        ("forename_start", "birth_month"),
        ("forename_start", "birth_day"),
        ("surname_start", "birth_year"),
        ("surname_start", "birthday"),
        ("forename_initial", "birthday"),
        ("surname_initial", "birthday"),
        ("birth_turned",),
        ("forename_initial", "sector"),
        ("surname_initial", "sector"),
        ("surname_initial", "street"),
        ("forename_initial", "surname_initial", "house"),
    ),
    loose=(
        ("forename_sound", "birth_year"), ("surname_sound", "birth_year"), ("forename_sound", "birthday"),
        ("surname_sound", "birthday"), ("forename_sound", "sector"), ("surname_sound", "sector"),
        ("birth_year", "sector"), ("birth_year", "street"), ("middle_name", "birth_year"), ("street", "house"),
        ("forename_sound", "surname_sound"), ("birth_date",), ("postcode",), ("surname_sound",),
        ("forename_sound",), ("middle_name",), ("birthday",), ("street",),
    ),
    beside=(
        "forename", "middle_name", "surname", "birth_date", "birth_year", "postcode", "forename_start",
        "surname_start", "forename_initial", "surname_initial",
    ),
    refinements=(
        "birth_date", "postcode", "forename", "surname", "street", "house", "phone", "nhs_number", "sex",
        "middle_name",
    ),
    weak=("sex",),
)  # fmt: skip

ONE_PERSON = {
    "birth_date": {GENERATION: 0.0005, UNLIKE: 0.03},
    "forename": {UNLIKE: 0.12, CROSSED: 0.08},
    "sex": {UNLIKE: 0.05},
    **{number: {TWO: 0.05} for number in ("nhs_number", "upn", "nino")},
}
"""Of one person's dates, over 15 years apart (parent and child of one name); each UNLIKE level (no slip makes
1951 of 1983). Of one person's forenames 12 in 100 differ in any way (Lam and others, 2024), of sexes far fewer:
without a bound families are taken for one person where little but names is held. Of one person's numbers, two
that differ: nobody is given two but by mistake, and the twins of a register that has many would be taken for one
person. Without ceilings relations take one another's pairs where columns are few."""
UNTOLD = {"forename": {UNLIKE: 0.03, CROSSED: 0.03}}
"""Where no birth date is held the forename alone tells a family from one person: then not more at each level than
twice what is believed."""
NAMESAKES_A_ROW = 0.003
"""Pairs of a parent and child of one name and home a record, where no birth date tells them from one person. A
belief: a tenth of all people are sons who live with their father, and 3 in 100 of these bear his name."""
TWINS_A_ROW = 0.015
"""Pairs of twins a record, where forenames are lacking: 14 to 16 of 1,000 maternities are of twins or more (ONS,
Birth characteristics in England and Wales), so that of children 3 in 100 have one."""
OF_ONE_SEX = 2.0
"""Pairs of twins of one sex for each pair of two: two thirds of twins are fraternal, half of these of two sexes
(Weinberg's rule)."""
NO_TWINS = {"birth_date": {AGREES: 0.01}}
ONE_BIRTH = {"birth_date": {GENERATION: 0.0005, UNLIKE: 0.001}, "surname": {UNLIKE: 0.1}}
"""Of twins' dates: wrong as often as one person's are, but years apart by no slip. Of their surnames: two of one
birth bear one, but for sisters who married (a belief). Without a bound the profile leaves the twins of a large
register to one person, and takes strangers born on one day whose forenames begin alike."""
PROFILES = (
    Profile("settled", SAME, 0.10, ceilings=ONE_PERSON, where_blind=UNTOLD),
    Profile("moved", SAME, 0.04, ceilings=ONE_PERSON, where_blind=UNTOLD),
    Profile(
        "twin", "twin_or_sibling", 0.01, by_luck=True, as_one=("birth_date",), ceilings=ONE_BIRTH,
        expected=twins_expected, first_a_row=0.025,  # 1.5 % of people have a twin
        doubted="how one person's forenames differ", told_only_by={"forename": (CLOSE, UNLIKE)},
        a_row=TWINS_A_ROW, lacking="how many of those who lack a forename are twins",
        kin=("surname",), shown_by="sex", unshown=OF_ONE_SEX, unseen=twins_unseen,
    ),
    Profile(
        "sibling", "twin_or_sibling", 0.03, OF_A_HOME, SHARED, by_luck=True, ceilings=NO_TWINS,
        named_apart=("forename",),
    ),
    Profile(
        "household", "household", 0.06, OF_A_HOME, SHARED, by_luck=True, ceilings=NO_TWINS,
        expected=homes_expected, named_apart=("forename",),
    ),
    Profile(
        "namesake", "household", 0.005, OF_A_HOME, by_definition=("address",), among=("sibling", "household"),
        kin=("surname",), doubted="how one person's dates differ", told_by="birth_date",
        untold_a_row=NAMESAKES_A_ROW,
    ),
)  # fmt: skip
STRANGERS = Chance(
    0.755,
    like="household",
    gathered=("address",),  # people of one name live near one another, and random pairs do not show it
    cohorts={"birth_date": 1.5},  # names go with birth dates by the fashion of the time only
    whole=("forename", "surname", "birth_date"),
    main_parts={"address": "postcode", "death_date": "", "middle_name": "middle_name"},
    coincidences=("birth_date", "forename", "surname"),
)
LACKING = {
    "forename": "No forename column: twins and siblings cannot be told apart. No pair is put at 0.95 or more; "
    "each is for a person to decide.",
    "birth_date": "No birth_date column: parent and child of one name and home cannot be told apart. No pair is "
    "put at 0.95 or more unless a number that names a person agrees; each is for a person to decide.",
}


def one_person(register: Register, left: Rows, right: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Of pairs: whether both hold a forename, or both a birth date; whether one of them is alike, or the forename
    of one stands as the other's surname."""
    known, alike = np.zeros(len(left), dtype=bool), np.zeros(len(left), dtype=bool)
    if register.has("birth_date"):
        a, b = (register.columns["birth_date"].take(rows).astype(np.uint64) for rows in (left, right))
        both = (a > 0) & (b > 0)
        known |= both
        alike |= both & (digits_apart(a, b) <= 1)
    forenames = alike_forenames(register)
    if forenames:
        column = register.columns["forename"]
        both = (column.take(left) | column.take(right)) >= 0
        known |= both
        alike |= both & forenames(*register.sides(left, right))
        if register.has("surname"):
            surname = register.columns["surname"]
            crossed = (column.take(left) == surname.take(right)) | (column.take(right) == surname.take(left))
            alike |= both & crossed
    return known, alike


PERSON = Kind(
    "person", "a person", "people",
    (BIRTH_DATE, SEX, NHS_NUMBER, PHONE, PERSON_NAMES, ADDRESS, DEATH_DATE, EMAIL, UPN, NINO, APART),
    BLOCKING, PROFILES, STRANGERS,
    Guards(could_be_twins, marks_of_people, TWINS, LACKING),
    free=categorical_comparison, related=related_comparison,
    told_by=("forename", "birth_date"), alike=one_person,
    same_kind=(
        ("forename", "surname", "middle_name"), ("street", "house"), ("birth_date", "death_date"),
        ("nhs_number", "phone"),
    ),
)  # fmt: skip
