"""Code lists of a draft: each code becomes itself until somebody who owns the list says otherwise."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

from casebridge.migrate.drafting.column_types import longest_value, text_type
from casebridge.migrate.drafting.drafted import DraftColumn
from casebridge.migrate.drafting.names import fresh_name
from casebridge.migrate.profiling.columns import Column
from casebridge.migrate.profiling.frequencies import looks_like_codes
from casebridge.migrate.profiling.keys import Reference
from casebridge.project.errors import counted
from casebridge.transform.codes import COLUMNS

ROWS = "rows"
"""How many rows held the code when the line was made. For people; nothing reads it."""
_MEANING = 64
"""Room for what the owner of a code makes of it."""


@dataclass
class Codes:
    """A code list to be: codes with their rows, the columns that use it (table.column), and what these are called
    in the target."""

    name: str
    rows: dict[str, int]
    columns: list[str]
    targets: set[str]


def with_codes(
    made: DraftColumn,
    column: Column,
    table: str,
    name: str,
    refs: Mapping[tuple[str, str], Reference],
    lists: list[Codes],
) -> DraftColumn:
    """A column whose values are codes, with its list: one that is there already, or a new one in `lists`."""
    if not looks_like_codes(column, refers=(table, column.name) in refs) or column.facts["declared"] == "boolean":
        return made  # the two values of a truth mean what they say
    rows: dict[str, int] = {}
    spelt: dict[str, str] = {}
    for code, number in sorted((column.codes or {}).items(), key=lambda item: (-item[1], item[0])):
        spelling = spelt.setdefault(code.upper(), code)
        rows[spelling] = rows.get(spelling, 0) + number
    held = _list_of(lists, rows, name, made.target)
    held.columns.append(f"{table}.{column.name}")
    for code, number in rows.items():
        held.rows[code] = held.rows.get(code, 0) + number
    why = {**{key: word for key, word in made.why.items() if key != "type"}, "codes": counted(len(rows), "code")}
    kind = text_type(max(longest_value(column.facts), _MEANING))
    return replace(made, codes=held.name, type=kind, on_fail="", why=why)


def _list_of(lists: list[Codes], rows: Mapping[str, int], table: str, column: str) -> Codes:
    """The list that has these codes already, or a new one. Figures, or one code alone, mean the same only in
    columns that are called the same."""
    tell = len(rows) > 1 and not all(code.isdecimal() for code in rows)
    for one in lists:
        if one.rows.keys() == rows.keys() and (tell or column in one.targets):
            one.targets.add(column)
            return one
    made = Codes(fresh_name(f"{table}_{column}", {one.name for one in lists}), {}, [], {column})
    lists.append(made)
    return made


def code_list_text(codes: Codes) -> str:
    """A code list as CSV, the commonest code first."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [*COLUMNS, ROWS], restval="", lineterminator="\n")
    writer.writeheader()
    for code, rows in sorted(codes.rows.items(), key=lambda item: (-item[1], item[0])):
        writer.writerow({"legacy_code": code, "target_code": code, "status": "mapped", ROWS: rows})
    return out.getvalue()
