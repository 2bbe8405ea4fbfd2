"""Which table looks like people, and which of its columns say who they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

from casebridge.migrate.drafting.tables import DraftTable
from casebridge.migrate.profiling.headings import ROLES, bare_word, with_what_they_need
from casebridge.migrate.profiling.keys import words_of

_DAYS = frozenset({"birth_date", "death_date"})
_DAY, _TEXT = ("date", "timestamp"), ("varchar", "text")


def roles_of(table: DraftTable) -> dict[str, str]:
    """The roles of linkage that columns of the target can play, by what the source calls them. A day may stand
    there as text (3 Mai 1983), which linkage reads."""
    found: dict[str, str] = {}
    for column in table.columns:
        word = bare_word("".join(words_of(column.source)))
        for role, words in ROLES.items():
            day = column.type.startswith(_DAY)
            fits = day or column.type.startswith(_TEXT) if role in _DAYS else not day
            if word in words and role not in found and fits and not column.references:
                found[role] = column.target
    return with_what_they_need(found)


def roles_named(columns: Sequence[str]) -> dict[str, str]:
    """The roles that columns can play by their names alone, each the first that fits."""
    found: dict[str, str] = {}
    for column in columns:
        word = bare_word(column)
        for role in (role for role, words in ROLES.items() if word in words and role not in found):
            found[role] = column
    return with_what_they_need(found)


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
