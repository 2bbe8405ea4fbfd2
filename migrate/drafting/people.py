"""Which table looks like people, and which of its columns say who they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from casebridge.migrate.drafting.tables import DraftTable
from casebridge.migrate.profiling.keys import words_of

_ROLES: Mapping[str, frozenset[str]] = {
    "forename": frozenset({"forename", "forenames", "firstname", "givenname", "fname", "first", "given"}),
    "middle_name": frozenset({"middlename", "middlenames", "middle"}),
    "surname": frozenset({"surname", "lastname", "familyname", "lname", "last", "family"}),
    "birth_date": frozenset({"dob", "birthdate", "dateofbirth", "birthday", "born"}),
    "death_date": frozenset({"dod", "deathdate", "dateofdeath"}),
    "sex": frozenset({"sex", "gender"}),
    "house": frozenset({"house", "houseno", "housenumber", "streetnumber", "streetno", "buildingnumber", "paon"}),
    "street": frozenset({"street", "address", "address1", "addressline1", "line1"}),
    "postcode": frozenset({"postcode", "postalcode", "zip", "zipcode"}),
    "phone": frozenset({"phone", "telephone", "mobile", "phonenumber", "telno", "phoneno"}),
    "email": frozenset({"email", "emailaddress", "mail"}),
    "nhs_number": frozenset({"nhs", "nhsno", "nhsnumber", "nhsid"}),
    "upn": frozenset({"upn"}),
    "nino": frozenset({"nino", "ninumber", "nationalinsurancenumber"}),
}
_DAYS = frozenset({"birth_date", "death_date"})


def roles_of(table: DraftTable) -> dict[str, str]:
    """The roles of linkage that columns of the target can play, by what the source calls them."""
    found: dict[str, str] = {}
    for column in table.columns:
        word = "".join(words_of(column.source))
        for role, words in _ROLES.items():
            fits = not column.references and (column.type == "date") == (role in _DAYS)
            if word in words and role not in found and fits:
                found[role] = column.target
    return found


def bare_word(name: str) -> str:
    """A column's name in small letters and digits: DateOfBirth and DATE_OF_BIRTH are dateofbirth."""
    return "".join(sign for sign in name.lower() if sign.isalnum())


def roles_named(columns: Sequence[str]) -> dict[str, str]:
    """The roles that columns can play by their names alone, each the first that fits."""
    found: dict[str, str] = {}
    for column in columns:
        word = bare_word(column)
        for role in (role for role, words in _ROLES.items() if word in words and role not in found):
            found[role] = column
    return found


def people(tables: Sequence[DraftTable]) -> tuple[DraftTable, dict[str, str]] | None:
    """The table that holds people, and the roles of its columns; none where no table has surnames and something
    that tells two people of one surname apart."""
    found = []
    for table in tables:
        roles = roles_of(table)
        if "surname" in roles and roles.keys() & {"forename", "birth_date"}:
            found.append((len(roles) + 1.5 * math.log10(table.profile.rows + 1), table, roles))
    if not found:
        return None
    _, table, roles = max(found, key=lambda item: item[0])
    return table, roles
