"""Drafts of several systems as one: tables that are called alike go into one table of the target, and each old key
gets its system's name in front, so that two systems' keys are never one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from casebridge.migrate.drafting.circles import ancestors
from casebridge.migrate.drafting.code_lists import Codes
from casebridge.migrate.drafting.drafted import DraftColumn, DraftTable
from casebridge.migrate.drafting.names import fresh_name
from casebridge.migrate.drafting.people import Roles, people, value_of

_TEXT = re.compile(r"varchar\((\d+)\)")
_NUMBER = re.compile(r"numeric\((\d+),(\d+)\)")
_DIGITS = 38


@dataclass(frozen=True)
class Drafts:
    """What several systems come to: each system's tables and code lists, the tables of the target that they fill
    together, and each table of people with the roles of its columns."""

    tables: Mapping[str, list[DraftTable]]
    lists: list[Codes]
    target: list[DraftTable]
    people: Sequence[tuple[DraftTable, Roles]]


def together(drafted: Mapping[str, tuple[list[DraftTable], list[Codes]]]) -> Drafts:
    """Tables and code lists by system, each system's under names of its own, and one target for all."""
    found = {system: people(tables) for system, (tables, _) in drafted.items()}
    shared = next((table.target for table, _ in filter(None, found.values())), "")
    taken = {table.target for own, _ in drafted.values() for table in own}
    tables: dict[str, list[DraftTable]] = {}
    for system, (own, _) in drafted.items():
        theirs = found[system]
        moved = {shared: fresh_name(shared, taken), theirs[0].target: shared} if theirs else {}
        tables[system] = [_named(table, system, moved) for table in own]
    target = _target([table for own in tables.values() for table in own])
    by_name = {table.target: table for table in target}
    tables = {
        system: [_fitted(table, by_name[table.target], system) for table in own] for system, own in tables.items()
    }
    lists = [
        replace(codes, name=f"{system}_{codes.name}") for system, (_, own) in drafted.items() for codes in own
    ]
    registers = []
    for system, theirs in found.items():
        if theirs:
            name = f"{system}_{theirs[0].name}"
            registers.append((next(table for table in tables[system] if table.name == name), theirs[1]))
    return Drafts(tables, lists, target, registers)


def _named(table: DraftTable, system: str, moved: Mapping[str, str]) -> DraftTable:
    """A table under its system's name. The people of all systems go into one table, and what a system calls by
    that table's name, but are not its people, into another: no two tables of a system fill one."""

    def of(column: DraftColumn) -> DraftColumn:
        to = moved.get(column.references, column.references)
        return replace(column, references=to, codes=f"{system}_{column.codes}" if column.codes else "")

    to = moved.get(table.target, table.target)
    return replace(table, name=f"{system}_{table.name}", target=to, columns=tuple(map(of, table.columns)))


def _target(tables: Sequence[DraftTable]) -> list[DraftTable]:
    """The tables of the target, each with the columns of all that fill it, in types that take all their values."""
    filling: dict[str, list[DraftTable]] = {}
    for table in tables:
        filling.setdefault(table.target, []).append(table)
    parents: dict[str, set[str]] = {}
    return [_merged(name, these, parents) for name, these in filling.items()]


def _merged(name: str, tables: Sequence[DraftTable], parents: dict[str, set[str]]) -> DraftTable:
    columns: dict[str, DraftColumn] = {}
    for column in (column for table in tables for column in table.columns):
        there = columns.get(column.target)
        columns[column.target] = column if there is None else _both(there, column)
    for column in columns.values():
        if column.references and column.references != name:
            if name in ancestors(parents, column.references):
                columns[column.target] = replace(column, references="", type="text")
            else:
                parents.setdefault(name, set()).add(column.references)
    legacy = {table.legacy_key for table in tables}
    key = fresh_name(legacy.pop() if len(legacy) == 1 else "legacy_key", columns)
    primary = fresh_name("row_id", {*columns, key})
    # A spec's name is longer than what stands in front of its keys.
    size = max(_size(table.legacy_type) + len(table.name) for table in tables)
    return replace(
        tables[0], columns=tuple(columns.values()), primary_key=primary, legacy_key=key,
        legacy_type=f"varchar({size})",
    )  # fmt: skip


def _size(kind: str) -> int:
    text = _TEXT.fullmatch(kind)
    return int(text.group(1)) if text else 20


def _both(one: DraftColumn, other: DraftColumn) -> DraftColumn:
    """A column of the target that takes the values of both."""
    if one.references or other.references:
        same = one.references == other.references
        return one if same else replace(one, references="", type="text", why={"type": "a key in one system only"})
    kind = _wider(one.type, other.type)
    marks = tuple(dict.fromkeys([*one.marks, *other.marks]))
    why = one.why if kind == one.type else {"type": "takes the values of all systems"}
    return replace(one, type=kind, marks=marks, why=why)


def _wider(one: str, other: str) -> str:
    """The type that takes the values of both."""
    if one == other:
        return one
    if {one, other} == {"integer", "bigint"}:
        return "bigint"
    if {one, other} == {"date", "timestamp"}:
        return "timestamp"
    texts, numbers = ([pattern.fullmatch(kind) for kind in (one, other)] for pattern in (_TEXT, _NUMBER))
    if all(texts):
        return one if _size(one) >= _size(other) else other
    if all(numbers):
        parts = [(int(found.group(1)), int(found.group(2))) for found in numbers if found]
        scale = max(scale for _, scale in parts)
        digits = max(digits - own for digits, own in parts) + scale
        return f"numeric({digits},{scale})" if digits <= _DIGITS else "text"
    return "text"


def _fitted(table: DraftTable, target: DraftTable, system: str) -> DraftTable:
    """A table as it fills the shared one: the types and references there, and its key with the system in front."""
    there = {column.target: column for column in target.columns}
    columns = [_as_there(column, there[column.target]) for column in table.columns]
    if len(table.key) == 1:
        steps, why = (f"prefix:{system}-",), {"steps": "no two systems' keys are one"}
        columns.append(DraftColumn(table.key[0], target.legacy_key, target.legacy_type, why=why, steps=steps))
    return replace(
        table, columns=tuple(columns), primary_key=target.primary_key, legacy_key=target.legacy_key,
        legacy_type=target.legacy_type,
    )  # fmt: skip


def _as_there(column: DraftColumn, there: DraftColumn) -> DraftColumn:
    made = replace(column, type=there.type, references=there.references)
    if there.type == column.type and there.references == column.references:
        return made
    why = {key: text for key, text in column.why.items() if key not in {"references", "format"}}
    if there.type.startswith(("varchar", "text")):
        return replace(made, why=why, on_fail="", format="", steps=())
    return replace(made, why=column.why if there.type == "timestamp" else why)


def linkage_of_all(registers: Iterable[tuple[str, str, Roles]]) -> tuple[list[str], str, list[str]]:
    """The specs of people, the query over all of them, and the roles that any of them has: from each system's
    name, its spec and the columns by role."""
    found = list(registers)
    roles = list(dict.fromkeys(role for _, _, columns in found for role in columns))
    parts = []
    for system, spec, columns in found:
        values = [
            f"{value_of(columns[role])} AS {role}" if role in columns else f"NULL AS {role}" for role in roles
        ]
        parts.append(f"SELECT '{system}' AS system, _key AS id, {', '.join(values)} FROM \"{spec}\"")  # noqa: S608
    query = "\nUNION ALL\n".join(parts) + "\nORDER BY system, id"
    return [spec for _, spec, _ in found], query, roles
