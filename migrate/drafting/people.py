"""Which table looks like people, and which of its columns say who they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from casebridge.migrate.drafting.dates_in_three import called_so
from casebridge.migrate.drafting.drafted import DraftTable
from casebridge.migrate.profiling.headings import (
    JUST_NAMES,
    OF_A_PERSON,
    ROLES,
    SHORT_FORMS,
    WHOLE_NAMES,
    bare_word,
    role_words,
    with_what_they_need,
)

_DAYS = frozenset({"birth_date", "death_date"})
_DAY, _TEXT = ("date", "timestamp"), ("varchar", "text")
_SHORTEST_DAY = 6
"""Characters of 1/1/80."""
_LONGEST_PARTS = (4, 2, 2)
"""Figures of a year, a month and a day."""

Roles = Mapping[str, tuple[str, ...]]
"""Roles of linkage, and the columns of the target that play them: one each, or a date's year, month and day."""


def roles_of(table: DraftTable) -> Roles:
    """The roles of linkage that columns of the target can play, by what the source calls them. A day may stand
    there as text (3 Mai 1983), which linkage reads, or in three columns of figures."""
    columns = {column.source: column for column in table.columns if not column.references}

    facts = {column.name: column.facts for column in table.profile.columns}

    def fits(role: str, source: str) -> bool:
        day = columns[source].type.startswith(_DAY)
        if role not in _DAYS:
            return not day
        short = 0 < facts[source]["length"]["greatest"] < _SHORTEST_DAY
        return day or (columns[source].type.startswith(_TEXT) and not short)

    three = _in_three(list(columns), facts)
    parts = {part for several in three.values() for part in several}
    found = _found([name for name in columns if name not in parts], fits, three)
    if "surname" in found and "forename" not in found:
        # Beside a surname, a name of one word is the other name.
        words = [name for name in columns if JUST_NAMES & set(role_words(name)) and fits("forename", name)]
        found |= dict(zip(["forename"], filter(lambda name: _one_word(facts[name]), words), strict=False))
    played = {**three, **{role: (source,) for role, source in found.items()}}
    return {role: tuple(columns[source].target for source in sources) for role, sources in played.items()}


def _in_three(columns: Sequence[str], facts: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Dates whose columns say whose they are, and hold figures."""
    found: dict[str, tuple[str, ...]] = {}
    for role, stem, parts in called_so(columns):
        sizes = [facts[part]["length"]["greatest"] for part in parts]
        figures = all(facts[part]["kind"] == "integer" for part in parts) and sizes[0] == _LONGEST_PARTS[0]
        if stem and figures and all(map(int.__le__, sizes, _LONGEST_PARTS)):
            found.setdefault(role, parts)
    return found


def value_of(columns: Sequence[str]) -> str:
    """What the columns of a role hold, as SQL. A date whose parts are none is missing."""
    names = ", ".join(f'"{column}"' for column in columns)
    return names if len(columns) == 1 else f"TRY_CAST(concat_ws('-', {names}) AS DATE)"


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
    columns = sorted(columns, key=lambda name: bare_word(name) in SHORT_FORMS)
    called = {name: role_words(name) for name in columns}
    for which in range(max(map(len, called.values()), default=0)):
        for name in (name for name in columns if name not in found.values() and which < len(called[name])):
            named = (role for role, words in ROLES.items() if called[name][which] in words and role not in found)
            role = next((role for role in named if fits(role, name)), None)
            if role:
                found[role] = name
    whole = [name for name in columns if WHOLE_NAMES & set(role_words(name)) and fits("forename", name)]
    if whole and not found.keys() & {"forename", "surname"} and {*found, *beside} & OF_A_PERSON:
        found["forename"] = whole[0]
    return with_what_they_need(found)


def tell_people(roles: Collection[str]) -> bool:
    """Whether columns of these roles say who somebody is: a surname, or a name and a birth date."""
    return "surname" in roles or {"forename", "birth_date"} <= set(roles)


def people(tables: Sequence[DraftTable]) -> tuple[DraftTable, Roles] | None:
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
