"""The target that a real database has, and which of its tables and columns a drafted spec goes to."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from casebridge.migrate.drafting.names import plain_name, quoted, toml_key
from casebridge.migrate.drafting.specs import guess, listed
from casebridge.migrate.drafting.tables import DraftColumn, DraftTable
from casebridge.migrate.profiling.keys import words_of
from casebridge.project.database import DRIVER_ERRORS, open_database, refusal

_OURS = "casebridge_"
_ALIKE_TABLE, _ALIKE_COLUMN = 0.55, 0.8
_PREFIXES = frozenset({"dm", "tbl", "t", "cf", "mo", "dbo", "tab"})
_WHOLE = frozenset({"bigint", "integer"})


@dataclass(frozen=True)
class RealColumn:
    """A column of the target: its type as target.toml writes it, and a doubt about that (empty for none)."""

    name: str
    type: str
    nullable: bool
    filled: bool
    references: str
    doubt: str = ""


@dataclass(frozen=True)
class RealTable:
    """A table of the target whose ids casebridge can give out: its primary key is one whole number."""

    name: str
    primary_key: str
    columns: tuple[RealColumn, ...]


@dataclass(frozen=True)
class RealTarget:
    """The tables of a database, and those that are left out, each with the reason."""

    tables: tuple[RealTable, ...]
    left_out: tuple[str, ...]


def reflect(url: str) -> RealTarget:
    """The tables of a database in its default schema. TargetError when it cannot be read. Nothing is written."""
    engine = open_database(url, reading=True)
    try:
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            names = [name for name in inspector.get_table_names() if not name.startswith(_OURS)]
            keys = {name: inspector.get_pk_constraint(name)["constrained_columns"] for name in names}
            columns = {name: inspector.get_columns(name) for name in names}
            links = {name: inspector.get_foreign_keys(name) for name in names}
    except DRIVER_ERRORS as error:
        raise refusal(url, error) from error
    finally:
        engine.dispose()
    usable = {name for name in names if _whole_key(keys[name], columns[name])}
    left = [f"{name}: its primary key is no single whole number" for name in names if name not in usable]
    made = [RealTable(name, keys[name][0], tuple(_columns(columns[name], links[name], usable))) for name in names
            if name in usable]  # fmt: skip
    return RealTarget(tuple(_without_circles(made)), tuple(left))


def _whole_key(key: Sequence[str], columns: Sequence[Any]) -> bool:
    kinds = [column["type"] for column in columns if column["name"] in key]
    return len(key) == 1 and len(kinds) == 1 and _type(kinds[0])[0] in _WHOLE


def _columns(columns: Sequence[Any], links: Sequence[Any], usable: set[str]) -> Iterator[RealColumn]:
    refers = {link["constrained_columns"][0]: str(link["referred_table"]) for link in links
              if len(link["constrained_columns"]) == 1 and not link.get("referred_schema")
              and link["referred_table"] in usable}  # fmt: skip
    for column in columns:
        kind, doubt = _type(column["type"])
        to = refers.get(column["name"], "") if kind in _WHOLE else ""
        filled = column.get("default") is not None or bool(column.get("computed") or column.get("identity"))
        yield RealColumn(str(column["name"]), kind, bool(column["nullable"]), filled, to, doubt)


def _type(kind: sa.types.TypeEngine[Any]) -> tuple[str, str]:
    """A type as target.toml writes it, and what is in doubt about it."""
    if isinstance(kind, sa.Boolean):
        return "boolean", ""
    if isinstance(kind, sa.Integer):
        return ("bigint" if isinstance(kind, sa.BigInteger) else "integer"), ""
    if isinstance(kind, sa.Numeric):
        precision, scale = kind.precision, kind.scale
        if isinstance(kind, sa.Float) or not precision or precision > 38:
            return "numeric(38,10)", f"it is {kind} there"
        return f"numeric({precision},{scale or 0})", ""
    if isinstance(kind, sa.DateTime):
        return "timestamp", "it has a time zone there" if getattr(kind, "timezone", False) else ""
    if isinstance(kind, sa.Date):
        return "date", ""
    if isinstance(kind, sa.String):
        length = getattr(kind, "length", None)
        return (f"varchar({length})", "") if length and not isinstance(kind, sa.Text) else ("text", "")
    return "text", f"it is {type(kind).__name__} there"


def _without_circles(tables: Sequence[RealTable]) -> Iterator[RealTable]:
    """References that a load can keep in order: one that would close a circle becomes a plain column."""
    parents: dict[str, set[str]] = {}
    for table in tables:
        columns = [_kept_open(parents, table.name, column) for column in table.columns]
        yield replace(table, columns=tuple(columns))


def _kept_open(parents: dict[str, set[str]], table: str, column: RealColumn) -> RealColumn:
    to = column.references
    if not to or to == table:
        return column
    if table in _above(parents, to):
        return replace(column, references="", doubt=f"a key of {to}, left out: the tables form a circle")
    parents.setdefault(table, set()).add(to)
    return column


def _above(parents: Mapping[str, set[str]], table: str) -> set[str]:
    seen, left = {table}, [table]
    while left:
        fresh = parents.get(left.pop(), set()) - seen
        seen |= fresh
        left += fresh
    return seen


def onto_target(tables: Sequence[DraftTable], target: RealTarget) -> tuple[list[DraftTable], list[DraftTable]]:
    """The drafts, each turned to the target's table that is called most like it; and those that none is like."""
    turned, homeless = [], []
    taken: set[str] = set()
    scored = sorted(
        ((_alike(table, real), table.name, real) for table in tables for real in target.tables),
        key=lambda item: (-item[0], item[1], item[2].name),
    )
    chosen: dict[str, RealTable] = {}
    for score, name, real in scored:
        if score >= _ALIKE_TABLE and name not in chosen and real.name not in taken:
            chosen[name] = real
            taken.add(real.name)
    for table in tables:
        if table.name in chosen:
            turned.append(_turned(table, chosen[table.name]))
        else:
            homeless.append(table)
    return turned, homeless


def _alike(table: DraftTable, real: RealTable) -> float:
    """How alike two tables are, from 0 to 1: by their names, and by the columns that both have."""
    names = difflib.SequenceMatcher(None, _bare(table.profile.name), _bare(real.name)).ratio()
    own = {_bare(column.source) for column in table.columns}
    there = {_bare(column.name) for column in real.columns if column.name != real.primary_key}
    shared = len(own & there) / max(1, min(len(own), len(there)))
    return 0.6 * names + 0.4 * shared


def _bare(name: str) -> str:
    """A name without prefixes and plurals: CF_PERSON and dm_persons are both person."""
    words = [word for word in words_of(name) if word not in _PREFIXES] or list(words_of(name))
    return "".join(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words)


def _turned(table: DraftTable, real: RealTable) -> DraftTable:
    open_ones = {column.name: column for column in real.columns if column.name != real.primary_key}
    columns: list[DraftColumn] = []
    dropped: list[str] = []
    legacy = _legacy_key(table, open_ones)
    if legacy:
        del open_ones[legacy]
    for column in table.columns:
        found = _column_like(column, open_ones)
        if found is None:
            if column.source not in table.key:
                dropped.append(column.source)
            continue
        columns.append(_to(column, open_ones.pop(found)))
    return replace(
        table, target=real.name, columns=tuple(columns), primary_key=real.primary_key, legacy_key=legacy,
        dropped=tuple(dropped),
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
    yield f"primary_key = {quoted(table.primary_key)}"
    if spec and spec.legacy_key:
        yield guess(f"legacy_key = {quoted(spec.legacy_key)}", "called like the old key")
    yield ""
    yield f"[{toml_key(table.name)}.columns]"
    mapped = {column.target: column for column in spec.columns} if spec else {}
    kept = {table.primary_key, spec.legacy_key if spec else "", *mapped}
    for column in table.columns:
        # What the database fills in itself is left to it, where nothing comes from the source.
        if column.name in kept or column.nullable or not column.filled:
            yield _column_line(column, mapped.get(column.name), key=column.name == table.primary_key)


def _column_line(column: RealColumn, draft: DraftColumn | None, *, key: bool) -> str:
    parts = [f"type = {quoted(column.type)}"]
    parts += ["nullable = false"] if not column.nullable or key else []
    parts += [f"references = {quoted(column.references)}"] if column.references else []
    parts += [f"restriction = {listed(draft.marks)}"] if draft and draft.marks else []
    line = f"{toml_key(column.name)} = {{ {', '.join(parts)} }}"
    return guess(line, column.doubt) if column.doubt else line
