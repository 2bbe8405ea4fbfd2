"""Tables of databases as source tables: one moment of each database for a run.

A run's name is one moment. What a run has whole it keeps, and nothing is asked again. After a break there is a new
moment: a table that is proved unchanged since the moment of which it was taken is as good as read, any other is
read again. A table counts as done when the database's own totals, taken at that moment, are those of what
arrived."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from casebridge.extract.column_check import checked_columns, known_to_specs
from casebridge.extract.done import done_batches
from casebridge.extract.dump import Part, Piece, SourceTable
from casebridge.extract.oddities import without_nothing
from casebridge.extract.packed import unpacking
from casebridge.project.batch import digest
from casebridge.project.contracts import FILE, LINE, LINES, ORIGIN, ROW, UNREADABLE, raw_name
from casebridge.project.database import shown
from casebridge.project.errors import SourceError
from casebridge.project.job import Job
from casebridge.project.ledger import now
from casebridge.project.readspec import TABLE
from casebridge.project.servers.asked import Arrived, Asked, Rows, Totals
from casebridge.project.snapshot import Snapshot, open_snapshot
from casebridge.project.spec import ReadSpec, Source
from casebridge.project.taken import Taken, TakenTables

_LOOKED_AT = 10_000
"""Rows of each batch that are looked at for letters that were read in a wrong encoding."""
_GARBLED = [letter.encode().decode("cp1252", "ignore") for letter in "éèêëçñöüäßøåÉ£€"]
_READ_AGAIN = "run the same command again: nothing of this table was kept; if it comes back, have its owner look"


@dataclass(frozen=True)
class Moment:
    """A database that is held at one moment: its URL, the moment's name for the ledger, when it was taken (UTC),
    and a second connection on which totals are taken while rows are read."""

    url: str
    snapshot: Snapshot
    beside: Snapshot
    name: str
    at: str
    pool: ThreadPoolExecutor


@dataclass(frozen=True)
class Table(Part):
    """A table, view or query of a database. Its `sha256` stands for what it held at a moment. Either it is `kept`
    from before, or it is read at a `moment`."""

    moment: Moment | None = None
    asked: Asked | None = None
    arrived: list[Arrived] = field(default_factory=list)
    counting: list[Future[Totals]] = field(default_factory=list)
    kept: Taken | None = None
    garbled: set[str] = field(default_factory=set)

    def unchanged(self) -> None:
        """A moment does not change."""

    def taken(self, table: SourceTable) -> Taken:
        """What the ledger holds of it, with the database's totals. SourceError when they are not those of what
        arrived."""
        assert self.asked is not None
        assert self.moment is not None
        totals = self.counting[0].result() if self.counting else self.moment.beside.totals(self.asked)
        self._hold_against(totals)
        reading = _reading(table.read, self.moment.url)
        return Taken(
            self.sha256, reading, self.moment.at, self.moment.snapshot.mark, totals.rows, table.columns,
            _fields(self.asked), totals.columns,
        )  # fmt: skip

    def _hold_against(self, counted: Totals) -> None:
        differences = counted.differences(self.arrived[0].totals)
        if differences:
            what = f"did not arrive as it stands in the database: {'; '.join(differences[:5])}"
            hint = f"a view that gives other rows each time it is asked cannot be taken; else {_READ_AGAIN}"
            raise SourceError(self.name, what, hint=hint)


class Databases:
    """The databases of a job's systems, each opened when it is first needed. `proves`: whether tables may be asked
    if they changed, which reads all their rows."""

    def __init__(self, job: Job, stack: ExitStack, *, proves: bool) -> None:
        self._job, self._stack, self._proves = job, stack, proves
        self._moments: dict[str, Moment] = {}
        self._taken = TakenTables(job.ledger)
        self._whole: dict[str, bool] = {}
        self._failed: dict[str, SourceError] = {}
        self.unpacking = stack.enter_context(unpacking(job.work / "extract" if job.keeps else None))
        """Where the packed files beside them are unpacked."""

    def table(self, source: Source, read: ReadSpec) -> SourceTable:
        """A table with its one part, its columns held against the specs."""
        if self._has_whole(source.system):
            kept = self._taken.of(self._job.run, source)
            assert kept is not None
            return _as_kept(source, read, kept, self._checked(source, read, kept.columns))
        moment = self._moment(source.system)
        asked = moment.snapshot.asked(read.file, read.query)
        columns = self._checked(source, read, asked.names)
        kept = self._still(source, read, moment, asked, columns)
        if kept is not None:
            return _as_kept(source, read, kept, columns)
        counts = self._proves and asked.table is not None and not asked.view
        rows = moment.snapshot.about(asked) if counts else None
        token, name = digest(moment.name, str(source)), _name(source, read)
        said = [moment.snapshot.outside(asked), moment.snapshot.mixed(asked) if counts else ""]
        notes = tuple(filter(None, said))
        part = Table(Path(name), name, 0, rows, token, (0, 0, 0), notes, moment=moment, asked=asked)
        return SourceTable(source, read, columns, (part,))

    def _checked(self, source: Source, read: ReadSpec, names: Sequence[str]) -> tuple[str, ...]:
        titles = _as_spelt(names, known_to_specs(self._job, source, read))
        return checked_columns(self._job, source, read, _name(source, read), titles, lambda *_: True)

    def columns(self, source: Source, read: ReadSpec) -> tuple[str, ...]:
        """The columns of a table, spelt as its specs spell them."""
        asked = self._moment(source.system).snapshot.asked(read.file, read.query)
        return tuple(raw_name(t) for t in _as_spelt(asked.names, known_to_specs(self._job, source, read)))

    def note(self, table: SourceTable) -> None:
        """The run has a table whole: write down of which moment, with the database's totals. SourceError when what
        arrived is not what the database counted."""
        part = table.parts[0]
        if not isinstance(part, Table):
            return
        taken = part.kept or part.taken(table)
        if part.garbled:
            columns = ", ".join(sorted(part.garbled))
            what = "its database declares another encoding than its rows have"
            self._job.report.note(f"{part.name}: letters in {columns} look like UTF-8 read as latin-1: {what}")
        if self._taken.of(self._job.run, table.source) != taken:
            self._taken.note(self._job.run, table.source, taken)

    def unread(self) -> dict[str, list[str]]:
        """The tables and views of each system's default schema that no spec reads, as far as its database is
        open. The rows of a partition are read with its table."""
        found = {}
        for system, moment in self._moments.items():
            read = {r.file.casefold() for s, r in self._tables(system)}
            parts = moment.snapshot.parts()
            there = moment.snapshot.names().keys() - moment.snapshot.of_extensions().keys()
            names = [
                name for name in sorted(there) if not {name.casefold(), parts.get(name, name).casefold()} & read
            ]
            if names:
                found[system] = names
        return found

    def _tables(self, system: str) -> list[tuple[Source, ReadSpec]]:
        reads = self._job.reads().items()
        return [(source, read) for source, read in reads if source.system == system and read.format == TABLE]

    def _has_whole(self, system: str) -> bool:
        """Whether this run has every table of a system, as its specs ask for them now. Asked once."""
        if system not in self._whole:
            found = (
                (source, read, self._taken.of(self._job.run, source)) for source, read in self._tables(system)
            )
            self._whole[system] = all(
                kept is not None and self._stands(source, read, kept) for source, read, kept in found
            )
        return self._whole[system]

    def _stands(self, source: Source, read: ReadSpec, kept: Taken) -> bool:
        spelt = _as_spelt(kept.columns, known_to_specs(self._job, source, read))
        url = self._job.settings.systems[source.system].database
        if kept.reading != _reading(read, url) or spelt != kept.columns:
            return False
        return done_batches(self._job, _as_kept(source, read, kept, kept.columns))[1]

    def _still(
        self, source: Source, read: ReadSpec, moment: Moment, asked: Asked, columns: tuple[str, ...]
    ) -> Taken | None:
        """What was taken of a table before, when it is proved that it is the same now."""
        kept = self._taken.newest(source) if self._proves else None
        if kept is None or (kept.fields, kept.columns) != (_fields(asked), columns):
            return None
        if not self._stands(source, read, kept):
            return None
        return kept if moment.snapshot.unchanged(asked, kept.mark) == kept.rows else None

    def _moment(self, system: str) -> Moment:
        if system in self._failed:
            raise self._failed[system]
        if system not in self._moments:
            try:
                self._moments[system] = self._opened(system)
            except SourceError as error:
                self._failed[system] = error
                raise
        return self._moments[system]

    def _opened(self, system: str) -> Moment:
        url = self._job.settings.systems[system].database
        snapshot = self._stack.enter_context(open_snapshot(url))
        at = now()
        beside = self._stack.enter_context(snapshot.beside()) if self._proves else snapshot
        pool = self._stack.enter_context(ThreadPoolExecutor(1))
        return Moment(url, snapshot, beside, uuid.uuid4().hex, at, pool)


@contextmanager
def open_databases(job: Job, *, proves: bool) -> Iterator[Databases]:
    """The databases of a job; their moments end with it."""
    with ExitStack() as stack:
        yield Databases(job, stack, proves=proves)


def read_table(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The rows of a table; `_line` is their place in it. The database counts beside, where it can do both at
    once."""
    assert isinstance(part, Table)
    assert part.moment is not None
    assert part.asked is not None
    if part.moment.snapshot.parallel:
        part.counting.append(part.moment.pool.submit(part.moment.beside.totals, part.asked))
    arrived, line = Arrived(part.asked), 1
    part.arrived.append(arrived)
    for rows in part.moment.snapshot.rows(part.asked, arrived):
        yield _piece(table, part, rows, first, line)
        first, line = first + rows.height, line + rows.height


def _piece(table: SourceTable, part: Table, rows: Rows, first: int, line: int) -> Piece:
    values = rows.good
    part.garbled.update(_garbled(values.head(_LOOKED_AT)))
    values.columns = list(table.columns)
    places = pl.DataFrame([rows.places]).select(
        (rows.places + first + 1).alias(ROW), pl.lit(part.name).alias(FILE), (rows.places + line).alias(LINE),
        pl.lit(1).alias(LINES),
    )  # fmt: skip
    raw = pl.concat([places.cast(pl.Schema(dict(ORIGIN))), values], how="horizontal")
    bad = [(first + 1 + place, part.name, line + place, 1, rule, kept) for place, rule, kept in rows.bad]
    if table.read.null is not None:
        raw = without_nothing(raw, table.columns, table.read, part.name)
    return Piece(rows.height, raw, pl.DataFrame(bad, schema=dict(UNREADABLE), orient="row"))


def _garbled(values: pl.DataFrame) -> Iterator[str]:
    """The columns with letters that look like UTF-8 read in another encoding. Most have none but ASCII's, which is
    seen sooner."""
    beyond = values.select_seq((pl.all().str.len_bytes() != pl.all().str.len_chars()).any())
    for column in beyond:
        if column.item() and values[column.name].str.contains_any(_GARBLED).any():
            yield column.name


def _as_kept(source: Source, read: ReadSpec, kept: Taken, columns: tuple[str, ...]) -> SourceTable:
    """A table that was read before."""
    name = _name(source, read)
    part = Table(Path(name), name, 0, kept.rows, kept.token, (0, 0, 0), kept=kept)
    return SourceTable(source, read, columns, (part,))


def _name(source: Source, read: ReadSpec) -> str:
    return source.name if read.query else read.file


def _reading(read: ReadSpec, url: str) -> str:
    """What was asked, and of which database: another one is another question."""
    return digest(repr(read), shown(url))


def _fields(asked: Asked) -> tuple[tuple[str, str], ...]:
    return tuple((each.name, each.type) for each in asked.fields)


def _as_spelt(names: Sequence[str], known: set[str]) -> tuple[str, ...]:
    """SQL does not care for capitals: a column that differs from only one that the specs know in nothing else gets
    its spelling."""
    by_fold: dict[str, list[str]] = {}
    for name in known:
        by_fold.setdefault(name.casefold(), []).append(name)
    folds = [name.casefold() for name in names]
    spelt = []
    for name, fold in zip(names, folds, strict=True):
        alike = by_fold.get(fold, [])
        sure = name not in known and len(alike) == 1 and folds.count(fold) == 1
        spelt.append(alike[0] if sure else name)
    return tuple(spelt)
