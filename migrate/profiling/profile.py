"""The profile of a dump: table by table, one reading each, and what the tables have to do with one another."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.extract.dump import Piece, SourceTable
from casebridge.extract.readers import FORMATS
from casebridge.migrate.profiling.columns import FEWEST, Column, ColumnTally, finished
from casebridge.migrate.profiling.counting import Counter
from casebridge.migrate.profiling.discover import Unread, discover, examined
from casebridge.migrate.profiling.frequencies import shown_codes
from casebridge.migrate.profiling.keys import (
    JOINED,
    Reference,
    joined,
    key_of,
    likely_composites,
    nearly_keys,
    references,
)
from casebridge.project.errors import SourceError
from casebridge.project.job import Reporter, Silent
from casebridge.project.ledger import now

VERSION = 1
_WORKERS = 2


@dataclass(frozen=True)
class TableProfile:
    """One table: how it is read, its columns, the columns that name its rows, and those that nearly do."""

    source: SourceTable
    rows: int
    unreadable: int
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    nearly: tuple[str, ...]

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
        "format": read.format,
        "encoding": read.encoding,
        "delimiter": read.delimiter,
        "bytes": sum(part.bytes for part in table.source.parts),
        "rows": table.rows,
        "unreadable": table.unreadable,
        "key": list(table.key),
        "nearly_keys": list(table.nearly),
        "columns": columns,
    }


def profile_dump(dump: Path, report: Reporter | None = None, system: str = "source") -> Profile:
    """Profile the tables of a folder. SourceError when there is none that can be read.

    Files with the numbers of values lie in a folder of their own, which goes with this call; see `counting`.
    """
    shown = report or Silent()
    found, unread = discover(dump, system)
    with tempfile.TemporaryDirectory(prefix="casebridge-profile-") as place:
        tables = list[TableProfile]()
        with ThreadPoolExecutor(_WORKERS) as pool:
            for number, source in enumerate(found):
                try:
                    table = _table(examined(source), Path(place) / str(number), shown, pool)
                except SourceError as error:
                    unread += [Unread(part.name, _reason(error, part.name)) for part in source.parts[:1]]
                    continue
                tables.append(table)
        if not tables:
            why = "; ".join(f"{item.file}: {item.why}" for item in unread[:5])
            raise SourceError(dump.name, f"holds no table that can be read ({why})", hint="see `casebridge init`")
        keys = {table.name: table.key for table in tables}
        refers = references({table.name: table.columns for table in tables}, keys)
        return Profile(str(dump), tuple(tables), tuple(refers), tuple(unread))


def _reason(error: SourceError, name: str) -> str:
    return error.message.removeprefix(f"{name}: ") + (f" ({error.hint})" if error.hint else "")


def _table(source: SourceTable, folder: Path, report: Reporter, pool: Executor) -> TableProfile:
    folder.mkdir()
    lines = [part.lines for part in source.parts]
    report.table("profile", source.source.name, sum(line or 0 for line in lines) if None not in lines else None)
    tallies = {name: _tally(folder, number, name) for number, name in enumerate(source.columns)}
    wholes: dict[tuple[str, ...], ColumnTally] = {}
    rows = unreadable = 0
    for number, piece in enumerate(_pieces(source)):
        values = piece.raw.select(source.columns)
        if not number:
            _refuse_record_as_header(source, values)
            likely = likely_composites(values)
            places = enumerate(likely, len(tallies))
            wholes = {parts: _tally(folder, place, JOINED.join(parts)) for place, parts in places}
        _count(tallies, wholes, values, pool)
        rows, unreadable = rows + values.height, unreadable + piece.unreadable.height
        report.advance(piece.records, piece.unreadable.height)
    columns = [finished(tally, folder, number) for number, tally in enumerate(tallies.values())]
    several = [finished(tally, folder, len(columns) + n) for n, tally in enumerate(wholes.values())]
    key = key_of(columns, several)
    return TableProfile(source, rows, unreadable, tuple(columns), key, tuple(nearly_keys(columns)))


def _refuse_record_as_header(source: SourceTable, values: pl.DataFrame) -> None:
    """SourceError where the first line comes again as values of its columns: it is a record then."""
    same = [name for name in values.columns if len(name) > 1 and (values[name] == name).any()]
    if len(same) > 1 or (same and len(values.columns) == 1):
        what = "its first line looks like a record, not like the columns' names"
        raise SourceError(source.parts[0].name, what, hint="ask for this file again, with a header")


def _tally(folder: Path, number: int, name: str) -> ColumnTally:
    return ColumnTally(name, Counter(folder, str(number)))


def _pieces(source: SourceTable) -> Iterator[Piece]:
    """The records of all files of a table, in pieces."""
    first = 0
    for part in source.parts:
        for piece in FORMATS[source.read.format].records(source, part, first, 0):
            yield piece
            first += piece.records


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
