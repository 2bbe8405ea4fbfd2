"""What a profile makes of each table: where its columns go, of which types, and what of that is a guess."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from casebridge.migrate.drafting.names import fresh_name, plain_name
from casebridge.migrate.profiling.columns import Column
from casebridge.migrate.profiling.frequencies import looks_like_codes
from casebridge.migrate.profiling.keys import Reference, words_of
from casebridge.migrate.profiling.profile import Profile, TableProfile

ROW_NUMBER = "row_no"
"""The key of a table that has none: the row's place in its file."""
_SHORT_INTEGER, _LONG_INTEGER, _DIGITS = 9, 18, 38
_ROOM = 4
"""Digits more than those of the largest number seen."""
_ROOMS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1000, 4000)
_EMPTY = 64
"""Room for the text of a column of which no value was seen."""
_OPEN_ENDS = frozenset({"31/12/4712", "31/12/9999", "9999-12-31", "4712-12-31", "06/06/2079", "01/01/2300"})
_OF_MARKS = frozenset({
    "restricted", "restriction", "secure", "caresecure", "confidential", "sensitive", "vip", "protected",
})  # fmt: skip


@dataclass(frozen=True)
class DraftColumn:
    """Where a column of the source goes: `source` its name in batches, `type` as target.toml writes it. `why` says
    on what each guess rests, by the key of the spec (`type` stands in target.toml)."""

    source: str
    target: str
    type: str
    why: Mapping[str, str] = field(default_factory=dict)
    references: str = ""
    codes: str = ""
    steps: tuple[str, ...] = ()
    format: str = ""
    on_fail: str = ""
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class DraftTable:
    """One table of the source and its spec to be. `key` names columns of the source; none: rows are named by their
    place. `primary_key` and `legacy_key` are columns of the target, `legacy_type` the type of the second.
    `why_target`: on what it rests that the rows go there, where that is a guess."""

    profile: TableProfile
    name: str
    target: str
    key: tuple[str, ...]
    columns: tuple[DraftColumn, ...]
    primary_key: str
    legacy_key: str
    legacy_type: str
    dropped: tuple[str, ...] = ()
    null_words: tuple[str, ...] = ()
    why_target: str = ""


@dataclass
class Codes:
    """A code list to be: codes with their rows, and the columns that use it."""

    name: str
    rows: dict[str, int]
    columns: list[str]


def draft_tables(profile: Profile) -> tuple[list[DraftTable], list[Codes]]:
    """A plain target's tables, one for each of the source, and the code lists that they use."""
    names: dict[str, str] = {}
    for table in profile.tables:
        names[table.name] = fresh_name(plain_name(table.name, "table"), set(names.values()))
    refs = {(ref.table, ref.column): ref for ref in _without_circles(profile.references)}
    lists: list[Codes] = []
    return [_table(table, names, refs, lists) for table in profile.tables], lists


def _without_circles(references: Sequence[Reference]) -> list[Reference]:
    """References in an order that a load can keep: one that would close a circle is left out, a guessed one before
    one that the database declares."""
    kept: list[Reference] = []
    parents: dict[str, set[str]] = {}
    for ref in sorted(references, key=lambda ref: (not ref.declared, not ref.alike, ref.orphan_rows)):
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


def _table(
    table: TableProfile,
    names: Mapping[str, str],
    refs: Mapping[tuple[str, str], Reference],
    lists: list[Codes],
) -> DraftTable:
    key = table.key
    taken: set[str] = set()
    columns = []
    for column in table.columns:
        if key == (column.name,):
            taken.add(plain_name(column.name))
            continue
        made = _column(column, refs.get((table.name, column.name)), names)
        made = replace(made, target=fresh_name(made.target, taken))
        if not made.references and not made.marks:
            made = _with_codes(made, column, table.name, names[table.name], refs, lists)
        taken.add(made.target)
        columns.append(made)
    legacy = plain_name(key[0]) if len(key) == 1 else fresh_name("legacy_key", taken)
    primary = fresh_name("row_id", {*taken, legacy})
    kind = _key_type([column for column in table.columns if column.name in key])
    words = sorted({word for column in table.columns for word in column.facts["null_words"]})
    name = names[table.name]
    return DraftTable(table, name, name, key, tuple(columns), primary, legacy, kind, null_words=tuple(words))


def _key_type(key: Sequence[Column]) -> str:
    if len(key) == 1 and key[0].facts["kind"] == "integer" and not key[0].facts["leading_zeros"]:
        return "bigint"
    return f"varchar({sum(column.facts['length']['greatest'] + 1 for column in key) or 20})"


def _column(column: Column, ref: Reference | None, names: Mapping[str, str]) -> DraftColumn:
    facts = column.facts
    made = DraftColumn(column.name, plain_name(column.name), "text")
    if ref is not None:
        why = f"{facts['distinct']:,} different keys"
        why += f", {ref.orphan_rows:,} rows with one that is not there" if ref.orphan_rows else ""
        return replace(made, type="bigint", references=names[ref.to_table], why={"references": why})
    if _OF_MARKS & set(words_of(column.name)) and facts["distinct"] <= 10:
        return _of_marks(made, column)
    kind, why = type_of(facts)
    changed: dict[str, Any] = {"type": kind, "why": {"type": why} if why else {}}
    if facts["kind"] in {"date", "decimal", "integer"} and not kind.startswith(("varchar", "text")):
        # What is not of this type is set aside with its row, and seen in the report.
        changed["on_fail"] = "null_and_report"
    if facts["kind"] == "date":
        changed |= _of_dates(facts)
        changed["why"] |= {"format": "the month comes first"} if changed.get("format") else {}
    return replace(made, **changed)


def _of_marks(made: DraftColumn, column: Column) -> DraftColumn:
    open_words = {"", "N", "NO", "F", "FALSE", "0"}
    values = tuple(value for value in sorted(column.codes or {}) if value.upper() not in open_words)
    kind = text_type(column.facts["length"]["greatest"])
    return replace(made, type=kind, marks=values or ("Y",), why={"type": "marks of restriction"})


def type_of(facts: Mapping[str, Any]) -> tuple[str, str]:
    """A column's type as target.toml writes it, and on what that rests; nothing where it is text."""
    kind, digits, decimals = facts["kind"], facts["digits"], facts["decimals"]
    longest = facts["length"]["greatest"]
    pure = sum(facts["kinds"].values()) - facts["kinds"].get(kind, 0)
    mixed = f", {pure:,} rows with something else" if pure and kind != "decimal" else ""
    if kind == "date":
        dates = facts["dates"]
        name = "timestamp" if dates["clocks"] else "date"
        first = {
            "mdy": "the month first",
            "dmy": "the day first",
            "d?y": "no date tells which comes first, day or month",
        }
        return name, first.get(dates["order"], "days") + mixed
    if kind == "integer" and not facts["leading_zeros"] and digits <= _LONG_INTEGER:
        return "integer" if digits <= _SHORT_INTEGER else "bigint", f"whole numbers{mixed}"
    if kind == "decimal" and digits + decimals <= _DIGITS:
        return f"numeric({min(digits + decimals + _ROOM, _DIGITS)},{decimals})", f"up to {decimals} decimals"
    if kind == "empty":
        return text_type(_EMPTY), "no row has a value"
    return text_type(longest), ""


def text_type(longest: int) -> str:
    """A text column with room for what the next extract may bring: the longest value seen, rounded up."""
    room = next((size for size in _ROOMS if size >= longest), 0)
    return f"varchar({room})" if room else "text"


def _of_dates(facts: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    if facts["dates"]["order"] == "mdy" and facts["patterns"]:
        made["format"] = month_first(facts["patterns"][0]["pattern"])
    if _OPEN_ENDS & facts["placeholders"].keys():
        made["steps"] = ("end_date",)
    return made


def month_first(pattern: str) -> str:
    """The format of a date whose month comes first, from its pattern; empty where it is another."""
    day, _, clock = pattern.partition(" ")
    sign = next((char for char in day if char in "/-."), "")
    parts = day.split(sign) if sign else []
    if len(parts) != 3:
        return ""
    made = sign.join(("mm", "dd", "yyyy" if len(parts[2]) == 4 else "yy"))
    times = {0: "", 1: " hh24:mi", 2: " hh24:mi:ss"}.get(clock.count(":"), "")
    return made + (times.replace("hh24", "hh") + " am" if clock.upper().endswith("AA") else times)


def _with_codes(
    made: DraftColumn,
    column: Column,
    table: str,
    name: str,
    refs: Mapping[tuple[str, str], Reference],
    lists: list[Codes],
) -> DraftColumn:
    if not looks_like_codes(column, refers=(table, column.name) in refs):
        return made
    rows: dict[str, int] = {}
    spelt: dict[str, str] = {}
    for code, number in sorted((column.codes or {}).items(), key=lambda item: (-item[1], item[0])):
        spelling = spelt.setdefault(code.upper(), code)
        rows[spelling] = rows.get(spelling, 0) + number
    held = _list_of(lists, rows, f"{name}_{made.target}")
    held.columns.append(f"{table}.{column.name}")
    for code, number in rows.items():
        held.rows[code] = held.rows.get(code, 0) + number
    why = {**{key: word for key, word in made.why.items() if key != "type"}, "codes": f"{len(rows):,} codes"}
    kind = text_type(column.facts["length"]["greatest"])
    return replace(made, codes=held.name, type=kind, on_fail="", why=why)


def _list_of(lists: list[Codes], rows: Mapping[str, int], name: str) -> Codes:
    """The list that has these codes already, or a new one."""
    for one in lists:
        if one.rows.keys() == rows.keys():
            return one
    made = Codes(fresh_name(name, {one.name for one in lists}), {}, [])
    lists.append(made)
    return made
