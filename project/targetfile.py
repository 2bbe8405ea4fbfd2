"""`target.toml` into the target schema. Every mistake in it is found in one pass."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.settings import texts_of
from casebridge.project.target import SQL_TYPES, ColumnType, Target, TargetColumn, TargetTable
from casebridge.project.toml_file import TomlError, read_toml

NUMBERED = frozenset({"bigint", "integer", "uuid"})
"""The types of a key of one column that casebridge gives out."""
_FAMILY = {"integer": "bigint", "varchar": "text", "char": "text"}
_TYPE = re.compile(r"(?P<name>[a-z]+)(?:\((?P<first>\d+)(?:,\s*(?P<second>\d+))?\))?")


def read_target(path: Path) -> Target:
    """The target schema of a `target.toml`; SpecError lists all that is wrong with it."""
    problems: list[Problem] = []
    try:
        raw = read_toml(path)
    except (FileNotFoundError, TomlError) as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise SpecError([Problem(path.name, "", what)]) from error
    tables = tuple(_table(path.name, name, body, problems) for name, body in raw.items())
    known = {table.name: table for table in tables}
    for table in tables:
        for column in table.references:
            where = f"{table.name}.columns.{column.name}.references"
            what, hint = cannot_refer(column.type, str(column.references), known)
            if what:
                problems.append(Problem(path.name, where, what, hint))
        problems += _marks_by_key(path.name, table, Target(tables))
    if not problems:
        try:
            _ = Target(tables).load_order
        except graphlib.CycleError as error:
            problems.append(Problem(path.name, "", f"tables refer to one another in a circle: {error.args[1]}"))
    if problems:
        raise SpecError(problems)
    return Target(tables)


def cannot_refer(kind: ColumnType, to: str, tables: Mapping[str, TargetTable]) -> tuple[str, str]:
    """Why a column of this type cannot hold the key of a row of that table, and a hint; nothing where it can."""
    parent = tables.get(to)
    if parent is None:
        return f"no table `{to}` in target.toml", did_you_mean(to, tables)
    if len(parent.primary_key) > 1:
        what = f"the key of `{to}` has {len(parent.primary_key)} columns, and one column cannot hold it"
        return what, f"map it as a plain column, or give `{to}` a key of one column"
    if not parent.primary_key or parent.id_column not in parent.by_name:
        return "", ""
    theirs = parent.by_name[parent.id_column].type.name
    if _FAMILY.get(kind.name, kind.name) != _FAMILY.get(theirs, theirs):
        return f"holds the key of a row of `{to}`, which is {theirs}, and is {kind.name}", f"make it {theirs}"
    return "", ""


def _marks_by_key(file: str, table: TargetTable, target: Target) -> list[Problem]:
    """Marks of restriction are kept by a row's own key: not one of several columns, nor one that is another's."""
    alone = len(table.primary_key) == 1 and table.id_column in table.by_name
    if not target.marks(table.name) or not table.primary_key or (
        alone and not table.by_name[table.id_column].references
    ):  # fmt: skip
        return []
    what = "keeps marks of restriction, and its key has several columns, or is that of another table"
    return [Problem(file, f"{table.name}.primary_key", what, "marks are followed by a key of one column, its own")]


_TABLE_KEYS = {
    "comment", "own", "primary_key", "natural_key", "legacy_key", "columns", "first_id", "last_id",
}  # fmt: skip
_COLUMN_KEYS = {"type", "nullable", "unique", "references", "comment", "restriction", "not_restricted"}


def _table(file: str, name: str, body: Any, problems: list[Problem]) -> TargetTable:
    if not isinstance(body, dict):
        problems.append(Problem(file, name, "a table of the target is a TOML table with columns"))
        body = {}
    _unknown(file, name, body, _TABLE_KEYS, problems)
    raw_columns = body.get("columns", {})
    if not isinstance(raw_columns, dict) or not raw_columns:
        problems.append(Problem(file, f"{name}.columns", "must be a TOML table with a part for each column"))
        raw_columns = {}
    columns = tuple(_column(file, f"{name}.columns.{c}", c, spec, problems) for c, spec in raw_columns.items())
    by_name = {column.name: column for column in columns}
    legacy = _text(file, name, body, "legacy_key", problems)
    if legacy and legacy not in by_name:
        problems.append(
            Problem(file, f"{name}.legacy_key", f"no column `{legacy}`", did_you_mean(legacy, by_name))
        )
    if legacy and legacy in by_name and by_name[legacy].references:
        what = f"`{legacy}` holds the key of a row of `{by_name[legacy].references}`, not the old key of this one"
        problems.append(Problem(file, f"{name}.legacy_key", what, "map it in the spec, as any reference"))
    own = _flag(file, name, body, "own", False, problems)
    first, last = (_id(file, name, body, which, problems) for which in ("first_id", "last_id"))
    if first and last and last < first:
        problems.append(Problem(file, f"{name}.last_id", f"comes before first_id {first}"))
    key, natural = _key(file, name, body, by_name, problems)
    if natural:
        columns = tuple(replace(c, nullable=c.nullable and c.name not in key) for c in columns)
    comment = str(body.get("comment", ""))
    return TargetTable(name, key, columns, legacy, own, comment, first or 1, last, natural)


def _key(
    file: str, name: str, body: dict[str, Any], there: Mapping[str, TargetColumn], problems: list[Problem]
) -> tuple[tuple[str, ...], bool]:
    """The columns of the primary key, and whether the specs fill them."""
    given = body.get("primary_key", [])
    key = (given,) if isinstance(given, str) and given else tuple(given) if isinstance(given, list) else ()
    if not key or not all(isinstance(part, str) for part in key) or len(set(key)) < len(key):
        problems.append(
            Problem(file, name, "names no primary_key", "one column's name, or a list of different ones")
        )
        return (), False
    for part in key:
        if part not in there:
            problems.append(Problem(file, f"{name}.primary_key", f"no column `{part}`", did_you_mean(part, there)))
    natural = _flag(file, name, body, "natural_key", False, problems)
    if len(key) == 1 and not natural and key[0] in there:
        natural = there[key[0]].type.name not in NUMBERED or bool(there[key[0]].references)
    natural = natural or len(key) > 1
    for which in ("first_id", "last_id"):
        if natural and which in body:
            problems.append(
                Problem(file, f"{name}.{which}", "is for ids that casebridge gives out, not for these")
            )
    return key, natural


def _id(file: str, where: str, body: dict[str, Any], key: str, problems: list[Problem]) -> int | None:
    value = body.get(key)
    if value is None or (type(value) is int and 0 < value < 2**63):
        return value
    problems.append(Problem(file, f"{where}.{key}", "must be a whole number above 0"))
    return None


def _column(file: str, where: str, name: str, body: Any, problems: list[Problem]) -> TargetColumn:
    if not isinstance(body, dict):
        problems.append(Problem(file, where, "a column is a TOML table with a type"))
        body = {}
    _unknown(file, where, body, _COLUMN_KEYS, problems)
    kind = _type(file, where, str(body.get("type", "")), problems)
    return TargetColumn(
        name=name,
        type=kind,
        nullable=_flag(file, where, body, "nullable", True, problems),
        unique=_flag(file, where, body, "unique", False, problems),
        references=_text(file, where, body, "references", problems),
        comment=str(body.get("comment", "")),
        restriction=_values(file, where, body, "restriction", kind, problems),
        not_restricted=_values(file, where, body, "not_restricted", kind, problems),
    )


def _values(
    file: str, where: str, body: dict[str, Any], key: str, kind: ColumnType, problems: list[Problem]
) -> tuple[str, ...] | None:
    """The values of a mark, each of which the column must be able to hold."""
    values = texts_of(file, where, body, key, problems)
    allowed = {"boolean": {"true", "false"}}.get(kind.name)
    for value in values or ():
        long = kind.length is not None and len(value) > kind.length
        if long or (allowed and value not in allowed) or kind.name in {"date", "timestamp"}:
            problems.append(Problem(file, f"{where}.{key}", f"`{value}` is no value of this column"))
    if key == "not_restricted" and values and set(values) & set(body.get("restriction") or ()):
        problems.append(Problem(file, f"{where}.{key}", "a value means restricted or not, never both"))
    return values


def _flag(file: str, where: str, body: dict[str, Any], key: str, default: bool, problems: list[Problem]) -> bool:
    value = body.get(key, default)
    if not isinstance(value, bool):
        problems.append(Problem(file, f"{where}.{key}", "must be true or false, without quotes"))
        return default
    return value


def _text(file: str, where: str, body: dict[str, Any], key: str, problems: list[Problem]) -> str | None:
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        problems.append(Problem(file, f"{where}.{key}", "must be text"))
        return None
    return value


def _type(file: str, where: str, text: str, problems: list[Problem]) -> ColumnType:
    kind, what, hint = read_type(text)
    if what:
        problems.append(Problem(file, f"{where}.type", what, hint))
    return kind


def read_type(text: str) -> tuple[ColumnType, str, str]:
    """A column type as a file writes it; when it is none, plain text, what is wrong with it, and a hint."""
    match = _TYPE.fullmatch(text.strip().lower())
    if not match or match["name"] not in SQL_TYPES:
        return ColumnType("text"), f"unknown type `{text}`", did_you_mean(text.split("(")[0], SQL_TYPES)
    name, first, second = match["name"], match["first"], match["second"]
    if name == "varchar" and first is None:
        return ColumnType("text"), "a varchar needs its length", "write varchar(30), or text for any length"
    if name in {"varchar", "char"} and int(first or 1) > 0:
        return ColumnType(name, length=int(first or 1)), "", ""
    if name == "numeric" and first is None:
        hint = "write numeric(10,2): how many digits in all, and how many of them behind the point"
        return ColumnType("text"), "a numeric needs its size", hint
    if name == "numeric" and int(second or 0) <= int(first or 38) <= 38 and int(first or 38) > 0:
        return ColumnType(name, precision=int(first or 38), scale=int(second or 0)), "", ""
    if first is not None:
        hint = "varchar(30), char(1) and numeric(10,2) have sizes, 1 to 38 digits; other types have none"
        return ColumnType("text"), f"`{text}` has an impossible size", hint
    return ColumnType(name), "", ""


def _unknown(file: str, where: str, body: dict[str, Any], known: set[str], problems: list[Problem]) -> None:
    for key in sorted(body.keys() - known):
        problems.append(Problem(file, f"{where}.{key}", "unknown key", did_you_mean(key, known)))
