"""Which further tables look like registers of their own: addresses, organisations, staff."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.config import LONGEST_SPACE, NAME
from casebridge.migrate.drafting.drafted import DraftTable
from casebridge.migrate.profiling.headings import role_words
from casebridge.migrate.profiling.keys import words_of

Words = Mapping[str, frozenset[str]]
_WHERE: Words = {
    "address": frozenset({"address", "addr", "fulladdress", "addresstext", "streetaddress"}),
    "line_1": frozenset({"line1", "address1", "addressline1", "addr1"}),
    "line_2": frozenset({"line2", "address2", "addressline2", "addr2"}),
    "line_3": frozenset({"line3", "address3", "addressline3", "addr3"}),
    "line_4": frozenset({"line4", "address4", "addressline4", "addr4"}),
    "flat": frozenset({"flat", "flatnumber", "flatno", "subbuilding", "subbuildingname", "saon", "subno"}),
    "building": frozenset({"building", "buildingname", "property", "propertyname"}),
    "house": frozenset({"house", "houseno", "housenumber", "streetnumber", "streetno", "buildingnumber", "paon",
                        "number"}),
    "street": frozenset({"street", "streetname", "road", "thoroughfare", "streetdescriptor"}),
    "town": frozenset({"town", "city", "posttown", "locality", "village"}),
    "postcode": frozenset({"postcode", "postalcode", "zip", "zipcode", "addrpostalcode"}),
    "uprn": frozenset({"uprn", "uniqueid"}),
}  # fmt: skip
_REACH: Words = {
    "phone": frozenset({"phone", "telephone", "phonenumber", "telno", "phoneno", "telephonenumber"}),
    "email": frozenset({"email", "emailaddress", "mail"}),
}
_BODY: Words = {
    "name": frozenset({"name", "orgname", "nameorg", "organisation", "organization", "organisationname",
                       "organizationname", "suppliername", "providername", "company", "companyname", "business",
                       "businessname", "tradingname", "agencyname", "sitename"}),
    "address": _WHERE["address"] | _WHERE["line_1"], "postcode": _WHERE["postcode"], **_REACH,
    "supplier_number": frozenset({"supplierno", "suppliernumber", "financeref", "financereference", "vendorno",
                                  "creditorno"}),
    "ods_code": frozenset({"ods", "odscode"}),
}  # fmt: skip
_WORKER: Words = {
    "forename": frozenset({"forename", "forenames", "firstname", "firstnames", "givenname"}),
    "surname": frozenset({"surname", "lastname", "lastnames", "familyname"}),
    "job_title": frozenset({"jobtitle", "post", "role", "position"}),
    "team": frozenset({"team", "teamname", "teamno"}), **_REACH,
    "login": frozenset({"login", "userid", "username", "systemuserid", "logon"}),
    "staff_number": frozenset({"staffno", "staffnumber", "payrollno", "payrollnumber", "employeeno"}),
    "registration_number": frozenset({"registrationnumber", "registrationno", "hcpcno", "sweno", "nmcpin"}),
}  # fmt: skip
_PERSONS = frozenset({"person", "pers", "patient", "pat", "client", "child", "member", "voter", "resident"})
_A_PERSONS = frozenset({"dob", "dateofbirth", "birthdate", "nhsno", "nhsnumber", "surname", "lastname"})


@dataclass(frozen=True)
class DraftRegister:
    """A further register to be: its kind, its table, and role = column of the target."""

    kind: str
    table: DraftTable
    roles: Mapping[str, str]


def further_registers(tables: Sequence[DraftTable], people: DraftTable, system: str) -> list[DraftRegister]:
    """Tables beside that of people whose columns say a kind. None whose rows belong to somebody: everybody's copy
    of a household's address is no second record of it."""
    found: list[DraftRegister] = []
    for table in tables:
        taken = {people.target, *(one.table.target for one in found)}
        if len(table.key) != 1 or table.target in taken or not _can_be_one(table, system):
            continue
        owned = any(column.references == people.target for column in table.columns)
        guessed = _guessed(table, owned)
        if guessed:
            found.append(DraftRegister(guessed[0], table, guessed[1]))
    return found


def _can_be_one(table: DraftTable, system: str) -> bool:
    """Whether a register may be called so, and its table stand before its keys (`dedupe.config`)."""
    short = len(f"{system}/{table.target}") <= LONGEST_SPACE
    return bool(NAME.fullmatch(table.name)) and short and not re.search("[:/]", table.target)


def _guessed(table: DraftTable, owned: bool) -> tuple[str, Mapping[str, str]] | None:
    worker = _roles(table, _WORKER)
    if worker.keys() >= {"forename", "surname"} and worker.keys() & {
        "login",
        "staff_number",
        "registration_number",
    }:
        return "professional", worker
    called = [words_of(column.source) for column in table.columns]
    if owned or _A_PERSONS & set(map("".join, called)):
        return None
    if any("name" in words and _PERSONS & set(words) for words in called):
        return None  # the client's name on a form is no organisation
    body, where = _roles(table, _BODY), _roles(table, _WHERE)
    if "name" in body and len(body) > 1:
        return "organisation", body
    if where.keys() & {"postcode", "uprn"} and where.keys() & {"address", "line_1", "street"} and len(where) > 2:
        return "address", where
    return None


def _roles(table: DraftTable, words: Words) -> dict[str, str]:
    """The roles that columns of the target can play, by what the source calls them."""
    columns = {column.source: column for column in table.columns}
    found = _called(list(columns), words, lambda role, name: not columns[name].references or role == "team")
    return {role: columns[name].target for role, name in found.items()}


def roles_of_kind(columns: Sequence[str], kind: str) -> dict[str, str]:
    """The roles of a kind beside people that columns can play by their names alone."""
    words = {"organisation": _BODY, "address": _WHERE, "professional": _WORKER}.get(kind, {})
    return _called(columns, words, lambda _role, _name: True)


def _called(columns: Sequence[str], words: Words, fits: Callable[[str, str], bool]) -> dict[str, str]:
    """The first column that is called by a word of each role."""
    found: dict[str, str] = {}
    for name in columns:
        called = set(role_words(name))
        for role in (role for role, names in words.items() if called & names):
            if role not in found and fits(role, name):
                found[role] = name
    return found
