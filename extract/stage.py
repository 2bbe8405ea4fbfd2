"""Files of the dump into immutable batches of `batch_rows` records, each physical line accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

from casebridge.extract.databases import Databases, Table, open_databases, read_table
from casebridge.extract.done import STAGE, done_batches, inputs_of
from casebridge.extract.dump import Piece, SourceTable, no_records
from casebridge.extract.manifest import write_manifest
from casebridge.extract.preflight import preflight, unread_files
from casebridge.extract.readers import FORMATS
from casebridge.project.batch import Batch, write_batch
from casebridge.project.contracts import ROW, UNREADABLE, empty
from casebridge.project.errors import SourceError
from casebridge.project.job import Job
from casebridge.project.plan import State, TablePlan
from casebridge.project.prefetch import prefetch
from casebridge.project.tally import Tally


def run(job: Job) -> Tally:
    """Extract all that is pending; the row account of all that stands.

    SourceError, before anything is written, when a file of the dump is not as the specs say.
    """
    with open_databases(job, proves=True) as databases:
        tables = preflight(job, databases)
        for table in tables:
            _extract(job, table, databases)
        write_manifest(job, tables, unread_files(job, databases, tables))
    return sum((job.ledger.tally(job.run, STAGE, str(table.source)) for table in tables), Tally())


def _extract(job: Job, table: SourceTable, databases: Databases) -> None:
    name, size = str(table.source), job.settings.batch_rows
    job.report.table(STAGE, name, _expected(table))
    before, ended = done_batches(job, table)
    for batches in before:
        rows = {batch.kind: batch.rows for batch in batches}
        job.report.skip(sum(rows.values()), rows.get("unreadable", 0))
    done = len(before)
    if not ended:
        first = job.ledger.first_row(table.source)
        after = first + done * size
        for cut in prefetch(_cuts(_pieces(table, first, after), after, size, at_least_one=not done)):
            _tell(job, _write(job, table, done, inputs_of(job, table, size, done), cut))
            done += 1
    databases.note(table)
    if not ended:
        _end(job, name, done, inputs_of(job, table, size, done, end=True))
    job.ledger.seal(job.run, STAGE, name, [(n, inputs_of(job, table, size, n)) for n in range(done)])


def plan_tables(job: Job) -> Iterator[TablePlan]:
    """What there is to extract, table by table. Reads the dump's files for their checksums; writes nothing."""
    with open_databases(job, proves=False) as databases:
        tables = preflight(job, databases)
    for table in tables:
        name, size = str(table.source), job.settings.batch_rows
        before, ended = done_batches(job, table)
        if ended:
            sealed = tuple((number, inputs_of(job, table, size, number)) for number in range(len(before)))
            yield TablePlan(STAGE, name, State.DONE, rows=0, sealed=sealed)
            continue
        rows = _expected(table)
        last = len(before) if rows is None else max(len(before), (rows - 1) // size)
        left = None if rows is None else max(0, rows - len(before) * size)
        # Nobody has read the records yet: these are the file's lines.
        yield TablePlan(STAGE, name, State.PENDING, tuple(range(len(before), last + 1)), left, about=True)


def records_of(job: Job, table: SourceTable) -> Iterator[Piece]:
    """All records of a table: to look at, not to keep. What a run has of a database is not asked for again."""
    part = table.parts[0]
    if isinstance(part, Table) and part.kept:
        for batch in (batch for batches in done_batches(job, table)[0] for batch in batches):
            if batch.kind == "raw":
                yield Piece(batch.rows, batch.read(), empty(UNREADABLE))
    else:
        yield from _pieces(table, 0, 0)


def _expected(table: SourceTable) -> int | None:
    """How many records there are if none spans several lines."""
    lines = [part.lines for part in table.parts]
    if None in lines:
        return None
    headers = len(lines) if table.read.format == "csv" else 0
    return sum(line or 0 for line in lines) - headers


def _pieces(table: SourceTable, first: int, after: int) -> Iterator[Piece]:
    for part in table.parts:
        read = read_table if isinstance(part, Table) else FORMATS[table.read.format].records
        for piece in read(table, part, first, after):
            yield piece
            first += piece.records


@dataclass
class _Cut:
    """The records of one batch, gathered from pieces."""

    raw: list[pl.DataFrame] = field(default_factory=list)
    unreadable: list[pl.DataFrame] = field(default_factory=list)

    def take(self, piece: Piece, after: int, until: int) -> None:
        """Those of the piece's records whose numbers are in (after, until]."""
        for held, frame in ((self.raw, piece.raw), (self.unreadable, piece.unreadable)):
            begin, end = (frame[ROW].search_sorted(row, side="right") for row in (after, until))
            if end > begin:
                held.append(frame[begin:end])


def _cuts(pieces: Iterator[Piece], after: int, size: int, *, at_least_one: bool) -> Iterator[_Cut]:
    """The records behind number `after`, `size` at a time; the last batch may have fewer."""
    until, cut = after + size, _Cut()
    for piece in pieces:
        while piece.last_row >= until:
            cut.take(piece, until - size, until)
            yield cut
            until, cut, at_least_one = until + size, _Cut(), False
        cut.take(piece, until - size, until)
    if cut.raw or cut.unreadable or at_least_one:
        yield cut


def _write(job: Job, table: SourceTable, number: int, inputs: str, cut: _Cut) -> tuple[Batch, ...]:
    name = str(table.source)
    job.ledger.attempt(STAGE, name, number, inputs)
    raw = pl.concat([no_records(table.columns), *cut.raw])
    # One chunk: how the windows fell must not show in the file.
    unreadable = pl.concat([empty(UNREADABLE), *cut.unreadable], rechunk=True)
    batches = tuple(
        write_batch(job.work, STAGE, name, number, kind, inputs, frame, texts=kind == "raw")
        for kind, frame in (("raw", raw), ("unreadable", unreadable))
    )
    try:
        for part in table.parts:
            part.unchanged()
    except SourceError:
        for batch in batches:
            batch.path.unlink()
        raise
    tally = Tally(read=raw.height + unreadable.height, passed=raw.height, rejected=unreadable.height)
    job.ledger.record(STAGE, name, number, inputs, batches, tally)
    return batches


def _end(job: Job, name: str, number: int, inputs: str) -> None:
    job.ledger.attempt(STAGE, name, number, inputs)
    job.ledger.record(STAGE, name, number, inputs, (), Tally())


def _tell(job: Job, batches: tuple[Batch, ...]) -> None:
    rows = {batch.kind: batch.rows for batch in batches}
    job.report.advance(sum(rows.values()), rows.get("unreadable", 0))
