"""Which table looks like people, and which of its columns say who they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from casebridge.migrate.drafting.drafted import DraftTable
from casebridge.migrate.profiling.headings import (
    JUST_NAMES,
    OF_A_PERSON,
    ROLES,
    WHOLE_NAMES,
    role_words,
    with_what_they_need,
)

_DAYS = frozenset({"birth_date", "death_date"})
_DAY, _TEXT = ("date", "timestamp"), ("varchar", "text")


def roles_of(table: DraftTable) -> dict[str, str]:
    """The roles of linkage that columns of the target can play, by what the source calls them. A day may stand
    there as text (3 Mai 1983), which linkage reads."""
    columns = {column.source: column for column in table.columns if not column.references}

    def fits(role: str, source: str) -> bool:
        day = columns[source].type.startswith(_DAY)
        return day or columns[source].type.startswith(_TEXT) if role in _DAYS else not day

    facts = {column.name: column.facts for column in table.profile.columns}
    found = _found(list(columns), fits)
    if "surname" in found and "forename" not in found:
        # Beside a surname, a name of one word is the other name.
        words = [name for name in columns if JUST_NAMES & set(role_words(name)) and fits("forename", name)]
        found |= dict(zip(["forename"], filter(lambda name: _one_word(facts[name]), words), strict=False))
    return {role: columns[source].target for role, source in found.items()}


def _one_word(facts: Mapping[str, Any]) -> bool:
    """Whether the values of a column are single words, by the patterns that are common enough to be known."""
    seen = [str(item["pattern"]) for item in facts["patterns"]]
    return bool(seen) and not any(set(" ,") & set(pattern) for pattern in seen)


def roles_named(columns: Sequence[str], beside: Collection[str] = ()) -> dict[str, str]:
    """The roles that columns can play by their names alone, each the first that fits. beside: roles that other
    columns play."""
    return _found(columns, lambda _role, _name: True, beside)


def _found(
    columns: Sequence[str], fits: Callable[[str, str], bool], beside: Collection[str] = ()
) -> dict[str, str]:
    """The first column that goes by each role, those that are called just so first. A column of whole names is
    read as forenames, which compares them word by word."""
    found: dict[str, str] = {}
    called = {name: role_words(name) for name in columns}
    for which in range(max(map(len, called.values()), default=0)):
        for name in (name for name in columns if name not in found.values() and which < len(called[name])):
            for role in (role for role, words in ROLES.items() if called[name][which] in words):
                if role not in found and fits(role, name):
                    found[role] = name
    whole = [name for name in columns if WHOLE_NAMES & set(role_words(name)) and fits("forename", name)]
    if whole and not found.keys() & {"forename", "surname"} and {*found, *beside} & OF_A_PERSON:
        found["forename"] = whole[0]
    return with_what_they_need(found)


def tell_people(roles: Collection[str]) -> bool:
    """Whether columns of these roles say who somebody is: a surname, or a name and a birth date."""
    return "surname" in roles or {"forename", "birth_date"} <= set(roles)


def people(tables: Sequence[DraftTable]) -> tuple[DraftTable, dict[str, str]] | None:
    """The table that holds people, and the roles of its columns; none where no table has names and something
    that tells two people of one name apart."""
    found = []
    for table in tables:
        roles = roles_of(table)
        if tell_people(roles) and roles.keys() & {"forename", "birth_date"}:
            found.append((len(roles) + 1.5 * math.log10(table.profile.rows + 1), table, roles))
    if not found:
        return None
    _, table, roles = max(found, key=lambda item: item[0])
    return table, roles
