"""What a profile makes of each table: where its columns go, of which types, and what of that is a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from casebridge.migrate.drafting.names import fresh_name, plain_name, table_of_target
from casebridge.migrate.profiling.columns import Column
from casebridge.migrate.profiling.frequencies import looks_like_codes
from casebridge.migrate.profiling.keys import Reference, words_of
from casebridge.migrate.profiling.profile import Profile, TableProfile
from casebridge.project.errors import counted
from casebridge.project.readspec import TABLE

ROW_NUMBER = "row_no"
"""The key of a table that has none: the row's place in its file."""
_SHORT_INTEGER, _LONG_INTEGER, _DIGITS = 9, 18, 38
_ROOM = 4
"""Digits more than those of the largest number seen."""
_ROOMS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 1000, 4000)
_NUMBER = 20
"""Characters of a key that is a number."""
_AS_TEXT = {"boolean": "varchar(5)", "uuid": "varchar(36)"}
"""Types whose values a draft takes as the texts that they are."""
_MEANING = 64
"""Room for what the owner of a code makes of it."""
_CLOCK = 32
"""Room for a time of day with fractions and an offset."""
_EMPTY = 64
"""Room for the text of a column of which no value was seen."""
_OPEN_ENDS = frozenset({"31/12/4712", "31/12/9999", "9999-12-31", "4712-12-31", "06/06/2079", "01/01/2300"})
_NO_DAYS = frozenset({"0000-00-00", "0000-00-00 00:00:00"})
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
    """A code list to be: codes with their rows, the columns that use it (table.column), and what these are called
    in the target."""

    name: str
    rows: dict[str, int]
    columns: list[str]
    targets: set[str]


def draft_tables(profile: Profile) -> tuple[list[DraftTable], list[Codes]]:
    """A plain target's tables, one for each of the source, and the code lists that they use."""
    names: dict[str, str] = {}
    for table in profile.tables:
        names[table.name] = table_of_target(table.name, names.values())
    keys = {table.name: table.key for table in profile.tables}
    kept = _without_circles(profile.references, keys)
    refs = {(ref.table, ref.column): ref for ref in kept}
    open_circles = {(ref.table, ref.column): ref for ref in profile.references if ref not in kept}
    lists: list[Codes] = []
    made = [_table(table, names, refs, lists) for table in profile.tables]
    return [_with_circles(table, open_circles, names) for table in made], lists


def _with_circles(
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


def _without_circles(references: Sequence[Reference], keys: Mapping[str, tuple[str, ...]]) -> list[Reference]:
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


def _table(
    table: TableProfile,
    names: Mapping[str, str],
    refs: Mapping[tuple[str, str], Reference],
    lists: list[Codes],
) -> DraftTable:
    key = table.key
    # A key of one column keeps its name, wherever it stands among those that would be called alike.
    taken = set(map(plain_name, key)) if len(key) == 1 else set()
    columns = []
    typed = any(column.facts["declared"] for column in table.columns)
    for column in table.columns:
        if key == (column.name,):
            own = refs.get((table.name, column.name))
            if own is not None:  # one row of another table each: its key is a reference, too
                to = fresh_name(f"{names[own.to_table]}_id", {*taken, *map(plain_name, _names(table))})
                taken.add(to)
                columns.append(replace(_column(column, own, names), target=to))
            continue
        made = _column(column, refs.get((table.name, column.name)), names)
        made = replace(made, target=fresh_name(made.target, taken))
        if typed and not column.facts["declared"]:
            made = _of_any_length(made, column)
        if not made.references and not made.marks:
            made = _with_codes(made, column, table.name, names[table.name], refs, lists)
        taken.add(made.target)
        columns.append(made)
    legacy = plain_name(key[0]) if len(key) == 1 else fresh_name("legacy_key", taken)
    primary = fresh_name("row_id", {*taken, legacy})
    kind = _key_type([column for column in table.columns if column.name in key])
    words = sorted({word for column in table.columns for word in _words_for_nothing(table, column)})
    name = names[table.name]
    return DraftTable(table, name, name, key, tuple(columns), primary, legacy, kind, null_words=tuple(words))


def _of_any_length(made: DraftColumn, column: Column) -> DraftColumn:
    """A column of a database that holds its columns to types, by one that target.toml does not know, such as
    bytes: the longest value seen says nothing of the next one."""
    if made.marks or not made.type.startswith("varchar"):
        return made
    return made if column.facts["kind"] == "empty" else replace(made, type="text")


def _names(table: TableProfile) -> list[str]:
    return [column.name for column in table.columns]


def _key_type(key: Sequence[Column]) -> str:
    """Of the column that keeps the old key: with several parts, they and what stands between them."""
    if len(key) == 1 and key[0].facts["declared"] in {"integer", "bigint"}:
        return "bigint"
    if len(key) == 1 and _fits_bigint(key[0].facts):
        return "bigint"
    return f"varchar({sum(_longest(column.facts) + 1 for column in key) or _NUMBER})"


def _words_for_nothing(table: TableProfile, column: Column) -> set[str]:
    """In a file, words such as NULL. A database has a null of its own; by a day of zeros it means none."""
    facts = column.facts
    if table.source.read.format != TABLE:
        return set(facts["null_words"])
    return _NO_DAYS & facts["placeholders"].keys() if facts["declared"] in {"date", "timestamp"} else set()


def _fits_bigint(facts: Mapping[str, Any]) -> bool:
    """Whether whole numbers are whole numbers there, too, and small enough."""
    if facts["kind"] != "integer" or facts["leading_zeros"] or facts["digits"] > _LONG_INTEGER:
        return False
    size = re.fullmatch(r"numeric\((\d+),0\)", facts["declared"])
    return facts["declared"] in {"", "text"} or bool(size and int(size.group(1)) <= _LONG_INTEGER)


def _longest(facts: Mapping[str, Any]) -> int:
    """Characters of a value, by what the database declares, else as seen."""
    declared = facts["declared"]
    if not declared or declared == "text":
        return int(facts["length"]["greatest"])
    size = re.fullmatch(r"varchar\((\d+)\)", declared)
    return max(int(size.group(1)) if size else _NUMBER, int(facts["length"]["greatest"]))


def _column(column: Column, ref: Reference | None, names: Mapping[str, str]) -> DraftColumn:
    facts = column.facts
    made = DraftColumn(column.name, plain_name(column.name), "text")
    if ref is not None:
        why = counted(facts["distinct"], "different key")
        why += f", {ref.orphan_rows:,} rows with one that is not there" if ref.orphan_rows else ""
        guessed = {} if ref.declared and not ref.orphan_rows else {"references": why}
        return replace(made, type="bigint", references=names[ref.to_table], why=guessed)
    if _OF_MARKS & set(words_of(column.name)) and facts["distinct"] <= 10:
        return _of_marks(made, column)
    kind, why = type_of(facts)
    changed: dict[str, Any] = {"type": kind, "why": {"type": why} if why else {}}
    if not kind.startswith(("varchar", "text")):
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
    """A column's type as target.toml writes it, and on what that rests; nothing where it is text, or where the
    database declares it and no value speaks against it."""
    seen, why = _type_seen(facts)
    declared = _AS_TEXT.get(facts["declared"], facts["declared"])
    fits = facts["kind"] == "empty" or _sort(declared) == _sort(seen)
    # Whole numbers where somebody made room for texts have zeros in front sooner or later. Of a column that takes
    # any text, its values say more.
    keeps = declared.startswith("varchar") and facts["kind"] == "integer"
    return (declared, "") if declared and (fits or keeps) else (seen, why)


def _sort(kind: str) -> str:
    """Text, number or day."""
    name = kind.partition("(")[0]
    return {"varchar": "text", "integer": "number", "bigint": "number", "numeric": "number", "timestamp": "day",
            "date": "day"}.get(name, name)  # fmt: skip


def _type_seen(facts: Mapping[str, Any]) -> tuple[str, str]:
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
    return text_type(max(longest, _CLOCK if kind == "time" else 0)), ""


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
    kind = text_type(max(_longest(column.facts), _MEANING))
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
