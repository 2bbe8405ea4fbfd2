"""`tables/*.toml` into TableSpecs. Every mistake in every file is found in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from casebridge.project.contracts import OURS
from casebridge.project.errors import Problem, SpecError
from casebridge.project.lineage import Lineage
from casebridge.project.lists import miscalled, misnamed
from casebridge.project.lookups import with_lookups
from casebridge.project.references import unclear_references
from casebridge.project.restriction import LOWERED
from casebridge.project.settings import Settings
from casebridge.project.spec import ReadSpec, Source, TableSpec
from casebridge.project.specreader import Reader, Vocabulary
from casebridge.project.target import Target
from casebridge.project.toml_file import TomlError, read_toml

BESIDE = ("target.toml", "linkage.toml", "merge.toml", LOWERED)
"""The files of a project beside its settings: without most of them it goes on, so none may be overlooked."""


def read_specs(folder: Path, settings: Settings, target: Target, words: Vocabulary) -> tuple[TableSpec, ...]:
    """All specs of `folder/tables`, by file name. SpecError lists every problem of every file."""
    problems = [*misnamed(folder / "tables", ".toml"), *miscalled(folder, BESIDE)]
    files = sorted((folder / "tables").glob("*.toml"))
    if not files:
        problems.append(Problem("tables/", "", "no table specs", "one TOML file for each legacy table"))
    specs: list[TableSpec] = []
    for path in files:
        try:
            raw = read_toml(path)
        except TomlError as error:
            problems.append(Problem(f"tables/{path.name}", "", str(error)))
            continue
        specs.append(Reader(path, raw, settings, target, words, folder / "codes", problems).spec())
    if not problems:
        specs = with_lookups(specs, problems)
    if not problems:
        problems.extend(_between(specs))
    if problems:
        raise SpecError(problems)
    return tuple(specs)


def columns_accounted_for(
    specs: Iterable[TableSpec], source: Source, columns: Sequence[str] | None = None
) -> tuple[set[str], set[str]]:
    """Which columns of a source the specs map and which they drop; `columns` are the source's, if they are known.

    A source's key, which names its rows, is accounted for. A query accounts for a column that reaches an output
    which its spec maps or drops. What it only chooses or joins rows by is not accounted for, and `*` alone maps
    nothing.
    """
    mapped: set[str] = set()
    dropped: set[str] = set()
    for spec in specs:
        if source not in spec.sources:
            continue
        dropped.update(name for name, _ in spec.dropped)
        mapped.update(name for read in spec.reads if read.source == source for name in read.key)
        taken = {*spec.key}
        for column in spec.columns:
            taken.update((*column.sources, *column.written))
            taken.update([column.codes_at] if column.codes_at else [])
        if spec.query is None:
            mapped.update(taken)
            continue
        tables = {one.name: columns if one == source else None for one in spec.sources}
        lineage = Lineage(spec.query, tables)
        mapped.update(_of(source, lineage, taken))
        dropped.update(_of(source, lineage, {name for name, _ in spec.dropped}))
    return mapped, dropped


def _of(source: Source, lineage: Lineage, outputs: Iterable[str]) -> set[str]:
    origins = {origin for name in outputs for origin in lineage.of(name)}
    return {column for table, column in origins if table == source.name and column not in OURS}


def columns_asked_of(spec: TableSpec) -> dict[str, str]:
    """The columns that a plain spec's `where`, `when` and `expect` name and that are not its own, and which of
    these conditions names each first."""
    own = {column.name for column in spec.columns} | {"source", "converted"}
    stated = [(f"exclude[{n}].when", item.when) for n, item in enumerate(spec.exclusions, 1)]
    stated += [(f"route[{n}].when", rule.when) for n, rule in enumerate(spec.routes, 1)]
    stated += [(f"check[{n}].expect", check.expect) for n, check in enumerate(spec.checks, 1)]
    found = dict.fromkeys(sorted(_names_in(spec.where or "") - OURS), "where")
    for place, sql in stated:
        found |= {name: found.get(name, place) for name in sorted(_names_in(sql) - own - OURS)}
    return found


def _names_in(sql: str) -> set[str]:
    try:
        return set(pl.sql_expr(sql).meta.root_names()) if sql else set()
    except PolarsError:
        return set()  # the transform stage says what is wrong with it


def _between(specs: Sequence[TableSpec]) -> list[Problem]:
    """Mistakes that only show when all specs are seen together."""
    problems = []
    readings: dict[Source, tuple[str, ReadSpec]] = {}
    places: dict[tuple[str, str, str, Source], str] = {}
    for spec in specs:
        file = f"tables/{spec.name}.toml"
        for read in spec.reads:
            name, first = readings.setdefault(read.source, (file, read))
            if first != read:
                what = f"reads {read.source.name} in another way than {name}"
                problems.append(Problem(file, "read", what, "give both the same [read]"))
        place = (spec.system, spec.target, spec.part, spec.sources[0])
        other = places.setdefault(place, file)
        if other != file:
            what = f"gives the same source row a second place in {spec.target}, as {other} does"
            problems.append(Problem(file, "table", what, "name one of them apart with `part`"))
    return [*problems, *unclear_references(specs)]
