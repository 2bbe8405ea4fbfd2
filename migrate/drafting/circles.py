"""Tables that refer to one another in a circle: no load can keep all their references."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from casebridge.migrate.drafting.drafted import DraftColumn, DraftTable
from casebridge.migrate.profiling.keys import Reference


def with_circles(
    table: DraftTable, left_out: Mapping[tuple[str, str], Reference], names: Mapping[str, str]
) -> DraftTable:
    """What is a plain column, for a reference would close a circle, says so."""

    def of(column: DraftColumn) -> DraftColumn:
        ref = left_out.get((table.profile.name, column.source))
        if ref is None or column.references:
            return column
        why = f"a key of {names[ref.to_table]}, a plain column here: the tables form a circle"
        return replace(column, why={**column.why, "from": why})

    return replace(table, columns=tuple(map(of, table.columns)))


def without_circles(references: Sequence[Reference], keys: Mapping[str, tuple[str, ...]]) -> list[Reference]:
    """References in an order that a load can keep: one that would close a circle is left out, a guessed one before
    one that the database declares, and that one before a table's own key."""
    kept: list[Reference] = []
    parents: dict[str, set[str]] = {}
    weak = {ref: (not ref.declared, keys[ref.table] != (ref.column,), not ref.alike, ref.orphan_rows)
            for ref in references}  # fmt: skip
    for ref in sorted(references, key=weak.__getitem__):
        if ref.table != ref.to_table:
            if ref.table in ancestors(parents, ref.to_table):
                continue
            parents.setdefault(ref.table, set()).add(ref.to_table)
        kept.append(ref)
    return kept


def ancestors(parents: Mapping[str, set[str]], table: str) -> set[str]:
    """A table, and all that it hangs on by its `parents`, however far."""
    seen, left = {table}, [table]
    while left:
        fresh = parents.get(left.pop(), set()) - seen
        seen |= fresh
        left += fresh
    return seen
