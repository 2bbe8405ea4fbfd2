"""The profile of a dump: table by table, one reading each, and what the tables have to do with one another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.extract.dump import SourceTable
from casebridge.extract.nested import OF_PARENT, PLACE
from casebridge.migrate.profiling.columns import FEWEST, Column, ColumnTally, finished
from casebridge.migrate.profiling.composites import joined, likely_composites, name_of
from casebridge.migrate.profiling.counting import Counter, room_of_each
from casebridge.migrate.profiling.discover import Unread
from casebridge.migrate.profiling.frequencies import shown_codes
from casebridge.migrate.profiling.keys import Reference, key_of, nearly_keys, references, unique_key
from casebridge.migrate.profiling.supplies import Opened, Supplies, reason_of, supplies_of
from casebridge.project.errors import SourceError
from casebridge.project.job import Reporter, Silent
from casebridge.project.ledger import now

VERSION = 1
_PLACE = "casebridge-profile-"
_WORKERS = 2
_ROWS, _BYTES = 1 << 14, 1 << 25
"""What is counted together has as many rows, or so many bytes of texts, if there are. Each column takes some
milliseconds a time, however few its rows, and a piece of a table with many columns has few."""


@dataclass(frozen=True)
class TableProfile:
    """One table. How it is read, its columns, those that name its rows and those that nearly do. `unnamed`: rows
    whose key an earlier row has, or that have none. `declared_key`: the database itself says which columns name
    its rows. `view`: its rows are those of other tables."""

    source: SourceTable
    rows: int
    unreadable: int
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    nearly: tuple[str, ...]
    unnamed: int = 0
    declared_key: bool = False
    view: bool = False

    @property
    def name(self) -> str:
        """The table's name."""
        return self.source.source.name


@dataclass(frozen=True)
class Profile:
    """What is in a dump. `facts()` may be shown to anybody who may know the old system's codes."""

    dump: str
    tables: tuple[TableProfile, ...]
    references: tuple[Reference, ...]
    unread: tuple[Unread, ...]
    when: str = field(default_factory=now)

    def facts(self) -> dict[str, Any]:
        """The profile as JSON: counts, patterns, codes that ten rows or more hold; nobody's value."""
        refers = {(ref.table, ref.column) for ref in self.references}
        return {
            "profile": VERSION,
            "dump": self.dump,
            "when": self.when,
            "fewest_rows_shown": FEWEST,
            "tables": [_table_facts(table, refers) for table in self.tables],
            "references": [ref.facts for ref in self.references],
            "unread": [{"file": item.file, "why": item.why} for item in self.unread],
        }


def _table_facts(table: TableProfile, refers: set[tuple[str, str]]) -> dict[str, Any]:
    columns = [
        {**column.facts, "codes": shown_codes(column, refers=(table.name, column.name) in refers)}
        for column in table.columns
    ]
    read = table.source.read
    return {
        "name": table.name,
        "files": [part.name for part in table.source.parts],
        "view": table.view,
        "format": read.format,
        "encoding": read.encoding,
        "delimiter": read.delimiter,
        "bytes": sum(part.bytes for part in table.source.parts),
        "rows": table.rows,
        "unreadable": table.unreadable,
        "key": list(table.key),
        "nearly_keys": list(table.nearly),
        "unnamed": table.unnamed,
        "columns": columns,
    }


def profile_dump(
    dump: str | Path,
    report: Reporter | None = None,
    system: str = "source",
    *,
    views: bool = True,
    schemas: Sequence[str] = (),
) -> Profile:
    """Profile the tables of a folder, or those of a database by its URL (`views`: its views too; `schemas`: where
    its tables stand, else its default schema, else all). SourceError when there is none that can be read.

    Files with the numbers of values lie in a folder of their own, which goes with this call; see `counting`.
    """
    opened = supplies_of(dump, system, views=views, schemas=schemas)
    with opened as found, tempfile.TemporaryDirectory(prefix=_PLACE) as place:
        tables, unread = _tables(found, Path(place), report or Silent())
        if not tables:
            why = "; ".join(f"{item.file}: {item.why}" for item in unread[:5])
            hint = "name the folder with the dump's files, or the URL of the database"
            raise SourceError(found.name, f"holds no table that can be read ({why})", hint=hint)
        held = _held(tables)
        tables = [_in_place(table, held.get(table.name)) for table in tables]
        # Nothing is a reference to a view: its table has the key, too.
        keys = {table.name: () if table.view else table.key for table in tables}
        said = {**found.references, **{(name, column): whole.name for name, (column, whole) in held.items()}}
        refers = references({table.name: table.columns for table in tables}, keys, said)
        return Profile(found.name, tuple(tables), tuple(refers), tuple(unread))


def _held(tables: Sequence[TableProfile]) -> dict[str, tuple[str, TableProfile]]:
    """The tables of lists in records, each with its column that holds the record's key, and the records' table."""
    records = {
        (one.source.read.file, one.source.read.element): one for one in tables if not one.source.read.nested
    }
    made = {}
    for table in tables:
        read = table.source.read
        whole = records.get((read.file, read.element)) if read.nested else None
        if whole is not None and len(whole.key) == 1:
            levels = read.nested.count(".") + 1
            column = OF_PARENT * levels + whole.key[0]
            if any(one.name == column for one in table.columns):
                made[table.name] = (column, whole)
    return made


def _in_place(table: TableProfile, held: tuple[str, TableProfile] | None) -> TableProfile:
    """A list of records is named by the record and the place in its list, whatever else is different now."""
    if held is None or "." in table.source.read.nested or held[1].unnamed:
        return table
    return replace(table, key=(held[0], PLACE), unnamed=0)


def _tables(found: Supplies, place: Path, report: Reporter) -> tuple[list[TableProfile], list[Unread]]:
    """The profiles of all tables that can be read, and what cannot, each with its reason."""
    tables, unread = list[TableProfile](), [*found.unread]
    with ThreadPoolExecutor(_WORKERS) as pool:
        for number, supply in enumerate(found.tables):
            try:
                tables.append(_table(supply.open(), place / str(number), report, pool))
            except SourceError as error:
                if error.lost:
                    raise
                unread.append(Unread(supply.name, reason_of(error, found.name, supply.name)))
    return tables, unread


def _table(opened: Opened, folder: Path, report: Reporter, pool: Executor) -> TableProfile:
    folder.mkdir()
    source = opened.source
    report.table("profile", source.source.name, opened.rows)
    room = room_of_each(len(source.columns))

    def tally(number: int, name: str) -> ColumnTally:
        return ColumnTally(name, Counter(folder, str(number), room))

    tallies = {name: tally(number, name) for number, name in enumerate(source.columns)}
    wholes: dict[tuple[str, ...], ColumnTally] = {}
    rows = unreadable = 0
    for number, (values, lines) in enumerate(_together(opened.pieces)):
        if not number and not opened.key:
            places = enumerate(likely_composites(values), len(tallies))
            wholes = {parts: tally(place, name_of(parts)) for place, parts in places}
        _count(tallies, wholes, values, pool)
        rows, unreadable = rows + values.height, unreadable + lines
        report.advance(values.height + lines, lines)
    columns, several = [*map(finished, tallies.values())], [*map(finished, wholes.values())]
    declared = opened.key or unique_key(columns, opened.unique)
    key = declared or key_of(columns, several)
    for column in columns:
        column.facts["declared"] = opened.declared.get(column.name, "")
    nearly = tuple(nearly_keys(columns))
    unnamed = next((rows - c.facts["distinct"] for c in (*columns, *several) if c.name == name_of(key)), 0)
    return TableProfile(
        source, rows, unreadable, tuple(columns), key, nearly, unnamed, bool(declared), opened.view
    )


def _together(pieces: Iterable[tuple[pl.DataFrame, int]]) -> Iterator[tuple[pl.DataFrame, int]]:
    """Successive pieces as one, until it is large enough to be counted."""
    held: list[pl.DataFrame] = []
    rows = lines = size = 0
    for values, more in pieces:
        held, rows, lines = [*held, values], rows + values.height, lines + more
        if rows < _ROWS:
            size += sum(values.select(pl.all().str.len_bytes().sum()).row(0))
        if rows >= _ROWS or size >= _BYTES:
            yield pl.concat(held), lines
            held, rows, lines, size = [], 0, 0, 0
    if held:
        yield pl.concat(held), lines


def _count(
    tallies: Mapping[str, ColumnTally],
    wholes: Mapping[tuple[str, ...], ColumnTally],
    values: pl.DataFrame,
    pool: Executor,
) -> None:
    if not values.height:
        return
    list(pool.map(lambda tally: tally.take(values[tally.name]), tallies.values()))
    for parts, tally in wholes.items():
        tally.take(joined(values, parts))
