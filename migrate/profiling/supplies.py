"""Tables to be profiled, from a folder of files or from a database: each is opened when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from casebridge.extract.dump import SourceTable
from casebridge.extract.packed import unpacking
from casebridge.extract.readers import FORMATS
from casebridge.migrate.profiling.discover import Unread, discover, examined, table_name
from casebridge.project.contracts import raw_name
from casebridge.project.database import DRIVER_ERRORS, open_database, shown
from casebridge.project.errors import SourceError
from casebridge.project.snapshot import Relation, Snapshot, open_snapshot
from casebridge.project.spec import ReadSpec, Source

TABLE = "table"
"""The format of a source that stands in a database."""


@dataclass(frozen=True)
class Opened:
    """A table whose reading has begun: how many rows are expected (None: not known), the key that the database
    declares (empty: none), and its rows in pieces, each with a number of lines that are no records."""

    source: SourceTable
    rows: int | None
    key: tuple[str, ...]
    pieces: Iterator[tuple[pl.DataFrame, int]]


@dataclass(frozen=True)
class Supply:
    """A table that can be opened; SourceError then, or while its rows come, where it cannot be read."""

    name: str
    open: Callable[[], Opened]


@dataclass(frozen=True)
class Supplies:
    """All tables of a dump, what of it is none, and the references that a database declares: table and column, and
    the table whose key they hold."""

    name: str
    tables: Sequence[Supply]
    unread: Sequence[Unread]
    references: Mapping[tuple[str, str], str] = field(default_factory=dict)


@contextmanager
def supplies_of(dump: str | Path, system: str, *, views: bool) -> Iterator[Supplies]:
    """The tables of a folder, or of a database at one moment. SourceError when there is neither."""
    if "://" not in str(dump):
        with unpacking(None) as packed:
            tables, unread = discover(Path(dump), packed, system)
            yield Supplies(str(dump), [_of_files(table) for table in tables], unread)
        return
    with open_snapshot(str(dump)) as snapshot:
        there = [item for item in snapshot.relations() if (views or not item.view) and not _ours(item.name)]
        parts = snapshot.parts()
        relations = [item for item in there if item.name not in parts]
        if not relations:
            hint = "see that the URL names the right database, and that this login may read its tables"
            raise SourceError(shown(str(dump)), "has no tables in its default schema", hint=hint)
        names: dict[str, str] = {}
        for item in relations:
            names[item.name] = _fresh(table_name(f"{item.name}.x"), names)
        tables_there = [_of_database(snapshot, item, names[item.name], system) for item in relations]
        unread = [
            Unread(item.name, f"its rows are those of {parts[item.name]}") for item in there if item.name in parts
        ]
        yield Supplies(shown(str(dump)), tables_there, unread, _declared(str(dump), names))


def _ours(name: str) -> bool:
    """Whether a table is one of those that a load keeps beside its rows."""
    return name.rpartition(".")[2].startswith("casebridge_")


def _fresh(name: str, taken: Mapping[str, str]) -> str:
    used = {other.casefold() for other in taken.values()}
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 10_000))) if n.casefold() not in used)


def _of_files(table: SourceTable) -> Supply:
    def opened() -> Opened:
        read = examined(table)
        lines = [part.lines for part in read.parts]
        return Opened(read, None if None in lines else sum(line or 0 for line in lines), (), _pieces(read))

    return Supply(table.parts[0].name, opened)


def _pieces(source: SourceTable) -> Iterator[tuple[pl.DataFrame, int]]:
    """The records of all files of a table. SourceError where the first line is a record."""
    first = 0
    for part in source.parts:
        for piece in FORMATS[source.read.format].records(source, part, first, 0):
            values = piece.raw.select(source.columns)
            if not first:
                _refuse_record_as_header(part.name, values)
            yield values, piece.unreadable.height
            first += piece.records


def _refuse_record_as_header(name: str, values: pl.DataFrame) -> None:
    """SourceError where the first line comes again as values of its columns: it is a record then."""
    same = [column for column in values.columns if len(column) > 1 and (values[column] == column).any()]
    if len(same) > 1 or (same and len(values.columns) == 1):
        what = "its first line looks like a record, not like the columns' names"
        raise SourceError(name, what, hint="ask for this file again, with a header")


def _of_database(snapshot: Snapshot, relation: Relation, name: str, system: str) -> Supply:
    titles = [title for title, _ in relation.columns]
    read = ReadSpec(Source(system, name), relation.name, TABLE, "utf-8", ",", (), null=())
    source = SourceTable(read.source, read, tuple(raw_name(title) for title in titles), ())

    def rows() -> Iterator[tuple[pl.DataFrame, int]]:
        for frame in snapshot.read(relation.name, titles):
            yield frame.rename(dict(zip(titles, source.columns, strict=True))), 0

    def opened() -> Opened:
        if not titles:
            raise SourceError(relation.name, "has no columns", hint="leave it out")
        key = tuple(raw_name(title) for title in relation.primary_key)
        return Opened(source, None if relation.view else snapshot.count(relation.name), key, rows())

    return Supply(relation.name, opened)


def _declared(url: str, names: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """The foreign keys of one column that a database declares in its default schema."""
    engine = open_database(url, reading=True)
    try:
        with engine.connect() as connection:
            found = sa.inspect(connection).get_multi_foreign_keys()
    except DRIVER_ERRORS:
        return {}  # a login that may read rows need not be allowed to read keys: they are guessed then
    finally:
        engine.dispose()
    return {
        (names[str(table)], raw_name(link["constrained_columns"][0])): names[link["referred_table"]]
        for (_, table), links in found.items()
        for link in links
        if len(link["constrained_columns"]) == 1 and table in names and link["referred_table"] in names
    }
