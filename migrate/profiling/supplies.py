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
from casebridge.migrate.profiling.candidates import table_name
from casebridge.migrate.profiling.discover import Unread, discover, examined
from casebridge.project.contracts import CELL_FAULT, raw_name
from casebridge.project.database import DRIVER_ERRORS, open_database, shown
from casebridge.project.errors import SourceError, counted, did_you_mean
from casebridge.project.relations import Relation, of_any_type
from casebridge.project.schema import SIDE_TABLES
from casebridge.project.snapshot import Snapshot, open_snapshot
from casebridge.project.spec import ReadSpec, Source

TABLE = "table"
"""The format of a source that stands in a database."""


@dataclass(frozen=True)
class Opened:
    """A table whose reading has begun. `rows` are those expected (None: not known), `key` is the one that the
    database declares (empty: none), `pieces` are its rows, each with a number of lines that are no records,
    `declared` the types that the database declares, by column, as target.toml writes them. `view`: its rows are
    those of other tables. `unique`: without a key, columns that the database holds unique together."""

    source: SourceTable
    rows: int | None
    key: tuple[str, ...]
    pieces: Iterator[tuple[pl.DataFrame, int]]
    declared: Mapping[str, str] = field(default_factory=dict)
    view: bool = False
    unique: Sequence[tuple[str, ...]] = ()


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
def supplies_of(dump: str | Path, system: str, *, views: bool, schemas: Sequence[str] = ()) -> Iterator[Supplies]:
    """The tables of a folder, or of a database at one moment: those of these schemas, else those of the default
    one, else, where that has none, of all. SourceError when there is none."""
    if "://" not in str(dump):
        if schemas:
            raise SourceError(str(dump), "is a folder, which has no schemas", hint="leave out --schema")
        with unpacking(None) as packed:
            tables, unread = discover(Path(dump), packed, system)
            yield Supplies(str(dump), [_of_files(table) for table in tables], unread)
        return
    with open_snapshot(str(dump)) as snapshot:
        chosen, unread = _schemas(snapshot, str(dump), schemas, views=views)
        there = [item for relations in chosen.values() for item in relations]
        of = snapshot.parts()
        by_name = {item.name: item for item in there}
        parts = {item.name: by_name[of[item.name]] for item in there if of.get(item.name) in by_name}
        relations = [item for item in there if item.name not in parts]
        names: dict[str, str] = {}
        for item in relations:
            title = item.name if len(chosen) > 1 else _bare(item.name, next(iter(chosen)))
            names[item.name] = _fresh(table_name(f"{title}.x"), names)
        tables_there = [_of_database(snapshot, item, names[item.name], system) for item in relations]
        unread += [
            Unread(name, _part_of(by_name[name], whole, inherits=snapshot.inherits))
            for name, whole in parts.items()
        ]
        keys = {item.name: item.primary_key for item in relations}
        yield Supplies(shown(str(dump)), tables_there, unread, _declared(str(dump), list(chosen), names, keys))


def _part_of(part: Relation, whole: Relation, *, inherits: bool) -> str:
    there = {name for name, _ in whole.columns}
    more = [name for name, _ in part.columns if name not in there] if inherits else []
    said = f"its rows are those of {whole.name}"
    return f"{said}, but for {', '.join(more)}: a spec of its own reads what stands there" if more else said


def _schemas(
    snapshot: Snapshot, url: str, asked: Sequence[str], *, views: bool
) -> tuple[dict[str | None, list[Relation]], list[Unread]]:
    """The tables to read, by schema (None: the default one), and what stands in schemas that are not read."""

    broken: list[Unread] = []
    brought = snapshot.of_extensions()

    def tables(schema: str | None) -> list[Relation]:
        found = []
        for name, view in snapshot.names(schema).items():
            whole = f"{schema}.{name}" if schema else name
            if whole in brought:
                broken.append(Unread(whole, f"belongs to the extension {brought[whole]}"))
                continue
            if name.casefold() in SIDE_TABLES:
                broken.append(Unread(whole, "is what Casebridge keeps of its own loads"))
                continue
            try:
                found += [snapshot.relation(name, schema)] if views or not view else []
            except SourceError as error:
                if error.lost:
                    raise
                broken.append(Unread(name, reason_of(error, shown(url), name)))
        return found

    default, others = snapshot.default_schema, snapshot.schemas()
    known = {name.casefold(): name for name in others} | ({default.casefold(): None} if default else {})
    for name in asked:
        if name.casefold() not in known:
            hint = (
                did_you_mean(name, others) or f"its schemas: {', '.join([*filter(None, [default]), *others][:20])}"
            )
            raise SourceError(shown(url), f"has no schema {name}", hint=hint)
    wanted = [known[name.casefold()] for name in asked] or [None]
    chosen = {schema: tables(schema) for schema in wanted}
    if not any(chosen.values()) and not asked:
        chosen = {schema: found for schema in others if (found := tables(schema))}
    if not any(chosen.values()):
        hint = "see that the URL names the right database, and that this login may read its tables"
        raise SourceError(shown(url), f"has no tables in {'this schema' if asked else 'any schema'}", hint=hint)
    left = [
        (schema, sum(views or not view for view in snapshot.names(schema).values()))
        for schema in others if schema not in chosen
    ]  # fmt: skip
    said = "a schema with {}: say --schema {} to read it"
    return chosen, broken + [Unread(name, said.format(counted(n, "table"), name)) for name, n in left if n]


def reason_of(error: SourceError, dump: str, name: str) -> str:
    """Why a table was not read, without its name and the dump's; of a file with what to do."""
    of_file = error.message.removeprefix(f"{dump}: ") == error.message
    said = error.message.removeprefix(f"{dump}: ").removeprefix(f"{name}: ")
    return said + (f" ({error.hint})" if of_file and error.hint else "")


def _bare(name: str, schema: str | None) -> str:
    return name.removeprefix(f"{schema}.") if schema else name


def _fresh(name: str, taken: Mapping[str, str]) -> str:
    used = {other.casefold() for other in taken.values()}
    return next(n for n in (name, *(f"{name}_{i}" for i in range(2, 10_000))) if n.casefold() not in used)


def _of_files(table: SourceTable) -> Supply:
    def opened() -> Opened:
        read = examined(table)
        lines = [part.lines for part in read.parts]
        pieces = ((_sound(values), lost) for values, lost in pieces_of(read))
        return Opened(read, None if None in lines else sum(line or 0 for line in lines), (), pieces)

    return Supply(table.parts[0].name, opened)


def _sound(values: pl.DataFrame) -> pl.DataFrame:
    """Cells of a workbook that show an error hold no value: no code, no name, nothing that is counted as one."""
    return values.select(pl.when(~pl.all().str.starts_with(CELL_FAULT)).then(pl.all()))


def pieces_of(source: SourceTable) -> Iterator[tuple[pl.DataFrame, int]]:
    """The records of all files of a table, piece by piece, each with a number of lines that are none. SourceError
    where the first line is a record."""
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
        asked = snapshot.asked(relation.name)
        if len(asked.names) != len(titles):
            raise SourceError(relation.name, "gives other columns than it declares", hint="name it in a query")
        for some in snapshot.rows(asked):
            some.good.columns = list(source.columns)
            yield some.good, len(some.bad)

    def opened() -> Opened:
        if not titles:
            raise SourceError(relation.name, "has no columns", hint="leave it out")
        if not all(map(str.strip, titles)):
            raise SourceError(relation.name, "has a column whose name is blank", hint="give it one in a query")
        if ours := [title for title in source.columns if title.startswith("__")]:
            what = f"has a column called as Casebridge calls its own: {ours[0]}"
            raise SourceError(relation.name, what, hint="give it another name in a query")
        key = tuple(raw_name(title) for title in relation.primary_key)
        rows_there = None if relation.view else snapshot.count(relation.name)
        declared = dict(zip(source.columns, relation.declared, strict=False))
        unique = [tuple(map(raw_name, names)) for names in relation.unique]
        return Opened(source, rows_there, key, rows(), declared, relation.view, unique)

    return Supply(relation.name, opened)


def _declared(
    url: str, schemas: Sequence[str | None], names: Mapping[str, str], keys: Mapping[str, tuple[str, ...]]
) -> dict[tuple[str, str], str]:
    """The foreign keys of one column that a database declares, to the keys of tables that are read."""
    engine = open_database(url, reading=True)
    try:
        with engine.connect() as connection, of_any_type():
            inspector = sa.inspect(connection)
            default = inspector.default_schema_name
            found = {schema: inspector.get_multi_foreign_keys(schema) for schema in schemas}
    except DRIVER_ERRORS:
        return {}  # a login that may read rows need not be allowed to read keys: they are guessed then
    finally:
        engine.dispose()
    made = {}
    for schema, tables in found.items():
        for (_, table), links in tables.items():
            own = f"{schema}.{table}" if schema else str(table)
            for link in links:
                theirs = link.get("referred_schema")
                to = (
                    f"{theirs}.{link['referred_table']}"
                    if theirs not in {None, default}
                    else link["referred_table"]
                )
                (column, *more), referred = link["constrained_columns"], tuple(link["referred_columns"])
                if not more and own in names and to in names and keys[to] == referred:
                    made[names[own], raw_name(column)] = names[to]
    return made
