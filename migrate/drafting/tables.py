"""A draft of each table, made of a profile: where its columns go, of which types, and what of that is a guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from casebridge.migrate.drafting.circles import with_circles, without_circles
from casebridge.migrate.drafting.code_lists import Codes, with_codes
from casebridge.migrate.drafting.column_types import key_type, of_dates, text_type, type_of
from casebridge.migrate.drafting.drafted import OF_PARENT, DraftColumn, DraftTable
from casebridge.migrate.drafting.names import fresh_name, plain_name, table_of_target
from casebridge.migrate.profiling.columns import Column
from casebridge.migrate.profiling.keys import Reference, words_of
from casebridge.migrate.profiling.lists import is_of_parent, is_place
from casebridge.migrate.profiling.profile import Profile, TableProfile
from casebridge.project.errors import counted
from casebridge.project.readspec import TABLE

_NO_DAYS = frozenset({"0000-00-00", "0000-00-00 00:00:00"})
_OF_MARKS = frozenset({
    "restricted", "restriction", "secure", "caresecure", "confidential", "sensitive", "vip", "protected",
})  # fmt: skip


def draft_tables(profile: Profile) -> tuple[list[DraftTable], list[Codes]]:
    """A plain target's tables, one for each of the source, and the code lists that they use."""
    names: dict[str, str] = {}
    for table in profile.tables:
        names[table.name] = table_of_target(table.name, names.values())
    keys = {table.name: table.key for table in profile.tables}
    kept = without_circles(profile.references, keys)
    refs = {(ref.table, ref.column): ref for ref in kept}
    open_circles = {(ref.table, ref.column): ref for ref in profile.references if ref not in kept}
    lists: list[Codes] = []
    made = [_without_parents(_table(table, names, refs, lists)) for table in profile.tables]
    used = {column.codes for table in made for column in table.columns}
    return [with_circles(table, open_circles, names) for table in made], [one for one in lists if one.name in used]


def _without_parents(table: DraftTable) -> DraftTable:
    """A list's table without what stands in the record that holds it, where a column points at that record."""
    beside = [column for column in table.columns if is_of_parent(column.source)]
    if not table.profile.source.read.nested or not any(column.references for column in beside):
        return table
    left = [column for column in beside if not column.references and column.source not in table.key]
    kept = tuple(column for column in table.columns if column not in left)
    return replace(table, columns=kept, dropped={column.source: OF_PARENT for column in left})


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
        if not (made.references or made.marks or is_place(column.name)):
            made = with_codes(made, column, table.name, names[table.name], refs, lists)
        taken.add(made.target)
        columns.append(made)
    legacy = plain_name(key[0]) if len(key) == 1 else fresh_name("legacy_key", taken)
    primary = fresh_name("row_id", {*taken, legacy})
    kind = key_type([column for column in table.columns if column.name in key])
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


def _words_for_nothing(table: TableProfile, column: Column) -> set[str]:
    """In a file, words such as NULL. A database has a null of its own; by a day of zeros it means none."""
    facts = column.facts
    if table.source.read.format != TABLE:
        return set(facts["null_words"])
    return _NO_DAYS & facts["placeholders"].keys() if facts["declared"] in {"date", "timestamp"} else set()


def _column(column: Column, ref: Reference | None, names: Mapping[str, str]) -> DraftColumn:
    facts = column.facts
    made = DraftColumn(column.name, plain_name(column.name), "text")
    if ref is not None:
        why = counted(facts["distinct"], "different key")
        why += f", {ref.orphan_rows:,} rows with one that is not there" if ref.orphan_rows else ""
        why += ", unless for capitals, accents or blanks behind, which the database may overlook" * bool(
            ref.declared and ref.orphan_rows and column.facts["kind"] == "text"
        )
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
        changed |= of_dates(facts)
        changed["why"] |= {"format": "the month comes first"} if changed.get("format") else {}
    return replace(made, **changed)


def _of_marks(made: DraftColumn, column: Column) -> DraftColumn:
    open_words = {"", "N", "NO", "F", "FALSE", "0"}
    values = tuple(value for value in sorted(column.codes or {}) if value.upper() not in open_words)
    kind = text_type(column.facts["length"]["greatest"])
    return replace(made, type=kind, marks=values or ("Y",), why={"type": "marks of restriction"})
