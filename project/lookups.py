"""Columns that are looked up in another table: one query is made of a spec and its lookups, so that lineage,
places and the auditor's own count need to know nothing of them.

A value is found when one row of the other table has it as its key, in any case of letters, or several that all say
the same. What is not found breaks `unknown_lookup`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from casebridge.project.errors import Problem, did_you_mean
from casebridge.project.spec import ColumnSpec, Lookup, ReadSpec, Source, TableSpec

FOUND = "_looked_up_"
"""Prefix of the column in which a query gives what was found for a column."""


def with_lookups(specs: Sequence[TableSpec], problems: list[Problem]) -> list[TableSpec]:
    """The specs, those with lookups as queries. What cannot be looked up is put to `problems`."""
    known: dict[Source, ReadSpec] = {}
    for spec in specs:
        for number, read in enumerate(spec.reads):
            if number == 0 or spec.query is not None or read.source not in known:
                known[read.source] = read
    return [_made(spec, known, problems) if _looks_up(spec) else spec for spec in specs]


def _looks_up(spec: TableSpec) -> bool:
    return any(column.lookup for column in spec.columns)


def _made(spec: TableSpec, known: Mapping[Source, ReadSpec], problems: list[Problem]) -> TableSpec:
    file = f"tables/{spec.name}.toml"
    if spec.query is not None:
        what = "a query joins what it looks up by itself"
        problems.append(Problem(file, "table.source", what, "take `lookup` and `references_by` out, or the query"))
        return spec
    reads = {read.source.name: read for read in spec.reads}
    columns, joins = [], []
    for column in spec.columns:
        if column.lookup is None:
            columns.append(column)
            continue
        read = _read(spec, column.lookup, reads, known)
        value = column.lookup.value or (read.key[0] if len(read.key) == 1 else "")
        if not value:
            what = f"{read.source.name} has a key of several columns, and one is needed to refer to it"
            problems.append(Problem(file, f"columns.{column.name}.references_by", what))
            continue
        if read.source == spec.sources[0]:
            what = "looks up in its own table: write a query"
            problems.append(Problem(file, f"columns.{column.name}", what))
            continue
        reads[read.source.name] = read
        joins.append((column, replace(column.lookup, value=value)))
        columns.append(_found(column, read.source.name))
    unused = [name for name in reads if name not in {spec.sources[0].name, *(j.source for _, j in joins)}]
    for name in unused:
        hint = did_you_mean(name, [join.source for _, join in joins])
        problems.append(Problem(file, f"read.{name}", "is no table that a column looks up in", hint))
    others = tuple(dict.fromkeys(join.source for _, join in joins))
    return replace(
        spec, columns=tuple(columns), reads=tuple(reads.values()), query=_query(spec, joins), lookups=others,
        joins=True,
    )  # fmt: skip


def _read(
    spec: TableSpec, lookup: Lookup, reads: Mapping[str, ReadSpec], known: Mapping[Source, ReadSpec]
) -> ReadSpec:
    """How the other table is read: as another spec of the system reads it, or as this one says; else plainly."""
    source = Source(spec.system, lookup.source)
    plain = replace(
        spec.reads[0], source=source, file=f"{source.name}.csv", format="csv", key=(lookup.key,), widths=(),
        widths_in="", header=1, comment="", trailing_delimiter=False, null=None, sheet="", cells="",
    )  # fmt: skip
    own = reads.get(source.name) if source != spec.sources[0] else spec.reads[0]
    found = known.get(source) or own or plain
    return found if found.key else replace(found, key=(lookup.key,))


def _found(column: ColumnSpec, source: str) -> ColumnSpec:
    by_nature = column.lookup is not None and not column.lookup.value
    references = source if column.references and by_nature else ""
    return replace(
        column,
        sources=(FOUND + column.name,),
        looked_up=column.sources[0],
        references_source=column.references_source or references,
    )


def _query(spec: TableSpec, joins: Sequence[tuple[ColumnSpec, Lookup]]) -> str:
    """Each row of the first source once, with what was found for each column that looks up."""
    found, tables = ["s.*"], [f"{_quoted(spec.sources[0].name)} s"]
    for number, (column, lookup) in enumerate(joins):
        key, value = _quoted(lookup.key), _quoted(lookup.value)
        found.append(f"l{number}.v AS {_quoted(FOUND + column.name)}")
        tables.append(
            f"LEFT JOIN (SELECT upper(bare({key})) AS k, min(bare({value})) AS v FROM {_quoted(lookup.source)} "  # noqa: S608
            f"WHERE bare({key}) IS NOT NULL AND bare({value}) IS NOT NULL GROUP BY upper(bare({key})) "
            f"HAVING count(DISTINCT bare({value})) = 1) l{number} "
            f"ON l{number}.k = upper(bare(s.{_quoted(column.sources[0])}))"
        )
    return f"SELECT {', '.join(found)} FROM {' '.join(tables)}"  # noqa: S608


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
