"""Whose records are kept from whom: a reviewer's own and his family's, and those that only some groups may open.

A reviewer says who he and his relatives are, or the staff list says it (`casebridge account staff`). A record that
may be one of them is kept from him as restricted ones are from the uncleared: it may be when the last name and the
first name are alike (or both live at one address) and nothing that both have says that they are two people. Kept
too often does little harm; kept too rarely does much.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from rapidfuzz.distance import JaroWinkler

from casebridge.dedupe.review.desk_tables import FAMILY
from casebridge.dedupe.review.folded import fold
from casebridge.project.errors import CasebridgeError

ALIKE = 0.88
"""Jaro-Winkler similarity from which two names may be one."""
ACCESS = "restriction_access.csv"
"""In the project's folder: key, reason, groups (`;` between them). Only members of one of the groups open the
record."""
RELATIONS = ("self", "partner", "child", "parent", "brother or sister", "other relative", "same household")
FIELDS = ("relation", "forename", "surname", "birth_date", "postcode")
Roles = Mapping[str, object]


@dataclass(frozen=True)
class Declared:
    """Somebody whom a reviewer declared: himself, or who belongs to him. Empty: not said."""

    login: str
    relation: str
    forename: str
    surname: str
    birth_date: str = ""
    postcode: str = ""

    def may_be(self, roles: Roles) -> bool:
        """Whether a record, as linkage sees it, may be this person's."""
        born = str(roles.get("birth_date", ""))[:10]
        if self.birth_date and born and not _near(self.birth_date, born):
            return False
        if not any(_alike(self.surname, name) for name in _surnames(roles)):
            return False
        at_home = bool(self.postcode) and _bare(self.postcode) == _bare(str(roles.get("postcode", "")))
        return at_home or _alike(self.forename, str(roles.get("forename", "")))


def shares_name_or_home(people: Iterable[Declared], roles: Roles) -> bool:
    """Whether a record has the last name or the postcode of one of these people: no reason to keep it from them,
    and one to ask why it was opened."""
    names, home = {_bare(name) for name in _surnames(roles)} - {""}, _bare(str(roles.get("postcode", "")))
    return any(_bare(one.surname) in names or (home and _bare(one.postcode) == home) for one in people)


_READ = ("forename", "surname", "previous_surnames", "birth_date", "postcode")


def _surnames(roles: Roles) -> list[str]:
    return [name for name in (*_texts(roles.get("surname")), *_texts(roles.get("previous_surnames"))) if name]


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else [str(value)] if value else []


def _alike(one: str, other: str) -> bool:
    return bool(one and other) and JaroWinkler.similarity(_bare(one), _bare(other)) >= ALIKE


def _bare(text: str) -> str:
    """Small letters and digits alone."""
    return "".join(sign for sign in fold(text) if sign.isalnum())


def _near(one: str, other: str) -> bool:
    """One day, but for one sign or for day and month that change places."""
    swapped = f"{one[:5]}{one[8:10]}-{one[5:7]}"
    return other == swapped or sum(a != b for a, b in zip(one, other, strict=False)) <= 1


class NameIndex:
    """The records of one evidence file by last name, so that somebody's family is looked up and not searched
    for."""

    def __init__(self, records: Iterable[tuple[str, Roles]]) -> None:
        self._by_name: dict[str, list[tuple[str, Roles]]] = {}
        for item, roles in records:
            kept = {name: roles[name] for name in _READ if roles.get(name)}
            for name in {_bare(name) for name in _surnames(kept)} - {""}:
                self._by_name.setdefault(name, []).append((item, kept))

    def may_be(self, one: Declared) -> set[str]:
        """The records that may be a declared person's."""
        mine = _bare(one.surname)
        alike = [name for name in self._by_name if JaroWinkler.similarity(mine, name) >= ALIKE]
        return {item for name in alike for item, roles in self._by_name[name] if one.may_be(roles)}


def declare(connection: sa.Connection, people: Iterable[Declared]) -> None:
    """Write down declared people, in the caller's transaction. What was declared stays: families are not shorter
    for being forgotten."""
    for one in people:
        row = dict(vars(one))
        if connection.scalar(sa.select(FAMILY.c.number).filter_by(**row)) is None:
            connection.execute(FAMILY.insert().values(row))


def declared_by(engine: sa.Engine, login: str | None = None) -> list[Declared]:
    """Whom somebody declared; all of all when no login is given."""
    query = sa.select(*(FAMILY.c[name] for name in ("login", *FIELDS))).order_by(FAMILY.c.number)
    with engine.connect() as connection:
        rows = connection.execute(query if login is None else query.where(FAMILY.c.login == login))
        return [Declared(*row) for row in rows]


def read_person(login: str, cells: Mapping[str, str]) -> Declared:
    """A declared person from the cells of a form or a line. CasebridgeError when they do not say one."""
    clean = {name: " ".join(cells.get(name, "").split())[:100] for name in FIELDS}
    wrong = [name for name in ("forename", "surname") if not clean[name]]
    wrong += ["relation"] if clean["relation"] not in RELATIONS else []
    born = clean["birth_date"]
    if born and not (len(born) == 10 and born[4] == born[7] == "-" and born.replace("-", "").isdigit()):
        wrong.append("birth_date")
    if wrong:
        raise CasebridgeError(
            f"this person is not filled in: {', '.join(wrong)}",
            hint="a first and a last name; a date as 1980-12-31 or none; relation is one of: "
            + ", ".join(RELATIONS),
        )
    return Declared(login, clean["relation"], clean["forename"], clean["surname"], born, clean["postcode"])


def kept_by_access(path: Path, systems: Collection[str], groups: Collection[str]) -> set[str]:
    """The records that are kept from somebody in these groups. CasebridgeError when the list cannot be read: then
    nobody opens anything."""
    if not path.is_file():
        return set()
    return {
        item for item, allowed in _access(path, systems) if not allowed & {group.casefold() for group in groups}
    }


def _access(path: Path, systems: Collection[str]) -> Iterator[tuple[str, set[str]]]:
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise CasebridgeError(
            f"{ACCESS} cannot be read", hint="a CSV file in UTF-8: key, reason, groups"
        ) from error
    for number, row in enumerate(rows, 2):
        key, reason = (row.get("key") or "").strip(), (row.get("reason") or "").strip()
        allowed = {name.strip().casefold() for name in (row.get("groups") or "").split(";") if name.strip()}
        if not key or not reason or not allowed:
            raise CasebridgeError(f"{ACCESS} line {number} is not filled in", hint="key, reason, groups")
        system, colon, _ = key.partition(":")
        named = [key] if colon and system in systems else [f"{one}:{key}" for one in systems]
        yield from ((item, allowed) for item in named)
