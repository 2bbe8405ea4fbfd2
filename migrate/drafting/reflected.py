"""Which tables and columns of a real target a drafted spec goes to."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from casebridge.migrate.drafting.drafted import DraftColumn, DraftTable
from casebridge.migrate.drafting.names import plain_name, quoted, toml_key
from casebridge.migrate.drafting.real_target import RealColumn, RealTable, RealTarget
from casebridge.migrate.drafting.specs import guess, listed
from casebridge.migrate.profiling.keys import words_of
from casebridge.project.targetfile import NUMBERED

_ALIKE_TABLE, _ALIKE_COLUMN = 0.55, 0.8
_PREFIXES = frozenset({"dm", "tbl", "t", "cf", "mo", "dbo", "tab"})


def onto_target(tables: Sequence[DraftTable], target: RealTarget) -> tuple[list[DraftTable], list[DraftTable]]:
    """The drafts, each turned to the target's table that is called most like it; and those that none is like, or
    whose own cannot be loaded: they go to no other one."""
    turned, homeless = [], []
    shut = {_bare(name) for name in target.unusable}
    taken: set[str] = set()
    scored = sorted(
        (
            (_alike(table, real), table.name, real)
            for table in tables
            for real in target.tables
            if _bare(table.profile.name) not in shut
        ),
        key=lambda item: (-item[0], item[1], item[2].name),
    )
    chosen: dict[str, DraftTable] = {}
    drafts = {table.name: table for table in tables}
    for score, name, real in scored:
        if score >= _ALIKE_TABLE and name not in chosen and real.name not in taken:
            made = _turned(drafts[name], real)
            filled = {made.legacy_key, *(column.target for column in made.columns)}
            if not real.natural or filled.issuperset(real.primary_key):
                chosen[name] = made
                taken.add(real.name)
    for table in tables:
        if table.name in chosen:
            turned.append(chosen[table.name])
        else:
            homeless.append(table)
    return turned, homeless


def as_they_stand(tables: Sequence[DraftTable], target: RealTarget) -> tuple[list[DraftTable], RealTarget]:
    """References by text to tables that nothing here fills are plain values: what they name is there already. A
    table that nothing fills, that nothing refers to and that has rows is left out: nobody here explains them."""
    filled = {table.target for table in tables}
    plain = {(table.name, column.name) for table in target.tables for column in table.columns
             if column.references and column.type not in NUMBERED and column.references not in filled}  # fmt: skip
    drafts = [replace(table, columns=tuple(
        replace(column, references="", why={**column.why, "from": f"a key of {column.references}, as it stands"})
        if (table.target, column.target) in plain else column
        for column in table.columns
    )) for table in tables]  # fmt: skip
    reals = tuple(replace(table, columns=tuple(
        replace(column, references="") if (table.name, column.name) in plain else column
        for column in table.columns
    )) for table in target.tables)  # fmt: skip
    needed = filled | {column.references for table in reals for column in table.columns}
    known = tuple(table for table in reals if table.name in needed or not table.has_rows)
    left = tuple(f"{table.name}: it has rows, and no spec fills it" for table in reals if table not in known)
    return drafts, replace(target, tables=known, left_out=(*target.left_out, *left))


def _alike(table: DraftTable, real: RealTable) -> float:
    """How alike two tables are, from 0 to 1: by their names, and by the columns that both have."""
    names = difflib.SequenceMatcher(None, _bare(table.profile.name), _bare(real.name)).ratio()
    own = {_bare(column.source) for column in table.columns}
    there = {_bare(name) for name in real.open_columns}
    shared = len(own & there) / max(1, min(len(own), len(there)))
    return 0.6 * names + 0.4 * shared


def _bare(name: str) -> str:
    """A name without prefixes and plurals: CF_PERSON and dm_persons are both person."""
    words = [word for word in words_of(name) if word not in _PREFIXES] or list(words_of(name))
    return "".join(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words)


def _turned(table: DraftTable, real: RealTable) -> DraftTable:
    open_ones = real.open_columns
    columns: list[DraftColumn] = []
    dropped = dict(table.dropped)
    legacy = _legacy_key(table, {name: column for name, column in open_ones.items() if not column.references})
    own = [*table.columns]
    if legacy:
        del open_ones[legacy]
    elif _legacy_key(table, open_ones):  # the old key is whose the row is
        own.append(DraftColumn(table.key[0], plain_name(table.key[0]), table.legacy_type))
    for column in own:
        found = _column_like(column, open_ones)
        if found is None:
            if column.source not in table.key:
                dropped[column.source] = "no column of the target is called so"
            continue
        columns.append(_to(column, open_ones.pop(found)))
    return replace(
        table, target=real.name, columns=tuple(columns), legacy_key=legacy, dropped=dropped,
        why_target="" if real.name == table.name else "called most like it",
    )  # fmt: skip


def _legacy_key(table: DraftTable, there: Mapping[str, RealColumn]) -> str:
    """The column of the target that keeps the old key: called `…legacy…`, or like the key itself."""
    legacy = [name for name in there if "legacy" in words_of(name)]
    key = plain_name(table.key[0]) if len(table.key) == 1 else ""
    return legacy[0] if len(legacy) == 1 else next((n for n in there if plain_name(n) == key), "")


def _column_like(column: DraftColumn, there: Mapping[str, RealColumn]) -> str | None:
    own = _bare(column.source)
    same = [name for name in there if _bare(name) == own or plain_name(name) == column.target]
    if same:
        return same[0]
    score = {name: difflib.SequenceMatcher(None, own, _bare(name)).ratio() for name in there}
    best = max(score, key=lambda name: score[name], default=None)
    return best if best is not None and score[best] >= _ALIKE_COLUMN else None


def _to(column: DraftColumn, real: RealColumn) -> DraftColumn:
    why = {name: text for name, text in column.why.items() if name != "type"}
    exact = plain_name(real.name) == column.target
    why |= {} if exact else {"from": f"called alike: {real.name}"}
    text = real.type.startswith(("varchar", "text"))
    made = replace(column, target=real.name, type=real.type, references=real.references, why=why)
    if real.references:
        return replace(made, codes="", why={**why, "references": why.get("references", "a key there")})
    if column.references:  # a key of the source that is a plain column of the target
        made = replace(made, references="", why={**why, "from": "a key of another table, a plain column there"})
    return replace(made, codes=column.codes if text else "", on_fail=column.on_fail or ("" if text else _ASIDE))


_ASIDE = "null_and_report"


def real_target_text(target: RealTarget, tables: Sequence[DraftTable]) -> str:
    """target.toml for a real database: its tables as they are."""
    from_specs = {table.target: table for table in tables}
    lines = ["# Drafted: the tables of the target database, as it has them."]
    lines += [f"# Left out: {text}." for text in target.left_out]
    for table in target.tables:
        spec = from_specs.get(table.name)
        lines += ["", *_table_lines(table, spec)]
    return "\n".join(lines) + "\n"


def _table_lines(table: RealTable, spec: DraftTable | None) -> Iterator[str]:
    yield f"[{toml_key(table.name)}]"
    alone = len(table.primary_key) == 1
    yield f"primary_key = {quoted(table.primary_key[0]) if alone else listed(table.primary_key)}"
    if spec and spec.legacy_key:
        yield guess(f"legacy_key = {quoted(spec.legacy_key)}", "called like the old key")
    yield ""
    yield f"[{toml_key(table.name)}.columns]"
    mapped = {column.target: column for column in spec.columns} if spec else {}
    kept = {*table.primary_key, spec.legacy_key if spec else "", *mapped}
    for column in table.columns:
        # What the database fills in itself is left to it, where nothing comes from the source.
        if column.name in kept or column.nullable or not column.filled:
            yield _column_line(column, mapped.get(column.name), key=column.name in table.primary_key)


def _column_line(column: RealColumn, draft: DraftColumn | None, *, key: bool) -> str:
    parts = [f"type = {quoted(column.type)}"]
    parts += ["nullable = false"] if not column.nullable or key else []
    parts += [f"references = {quoted(column.references)}"] if column.references else []
    parts += [f"restriction = {listed(draft.marks)}"] if draft and draft.marks else []
    line = f"{toml_key(column.name)} = {{ {', '.join(parts)} }}"
    return guess(line, column.doubt) if column.doubt else line
