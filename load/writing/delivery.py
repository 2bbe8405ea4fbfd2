"""Brings a table of the target to a set of batch files: new batches whole, changed ones row by row.

A batch's rows and its record commit in one transaction. Batches that changed are replaced together, because
a row may have moved from one to another; only rows that differ are touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import polars as pl
import sqlalchemy as sa

from casebridge.load.resolution.key_map import STAGE
from casebridge.load.writing.applied import Applied, applied, forget_applied, note_applied
from casebridge.load.writing.changes import Changes, changes, rows_of
from casebridge.load.writing.failpoints import failpoint
from casebridge.load.writing.retry import in_transaction, repeatable
from casebridge.load.writing.row_bisect import refused_rows
from casebridge.load.writing.tables import TargetTables
from casebridge.load.writing.writers import delete_rows, writer_for
from casebridge.project.batch import Batch
from casebridge.project.contracts import KEY
from casebridge.project.database import shown
from casebridge.project.errors import TargetError
from casebridge.project.job import Job
from casebridge.project.target import TargetTable

SIDE_BY_SIDE = {"postgresql": 2}
"""How many batches go in at once; other databases take one writer at a time."""


@dataclass
class Delivery:
    """Writes into one target. `there` is what stands in it, kept up to date."""

    job: Job
    engine: sa.Engine
    tables: TargetTables
    there: dict[tuple[str, int], Applied]
    run: str
    moved: dict[str, Changes] = field(default_factory=dict)
    loose: bool = False

    def bring(self, name: str, table: TargetTable, batches: Sequence[Batch]) -> None:
        """Bring one spec's rows to `batches`."""
        stale, fresh = self._difference(name, batches)
        total = sum(batch.rows for batch in batches)
        self.job.report.table(STAGE, name, total)
        self.job.report.skip(total - sum(batch.rows for batch in fresh))
        if stale:
            self._replace(table, stale, fresh)
        elif fresh:
            self._append(table, fresh)
        failpoint("between tables")

    def file_of(self, item: Applied) -> Batch:
        """The immutable file whose rows stand in the target under this record."""
        found = self.job.ledger.done(STAGE, item.name, item.number, item.inputs) or ()
        files = [batch for batch in found if batch.kind != "quarantine" and batch.sha256 == item.sha256]
        if not files:
            raise TargetError(
                shown(self.engine.url),
                f"batch {item.number} of {item.name} stands in it, but its file is gone from work/load",
                hint="put the work folder of that load back, or load into an empty database",
            )
        return files[0]

    def refused(self, name: str, table: TargetTable, batches: Sequence[Batch]) -> list[tuple[Batch, pl.DataFrame]]:
        """The rows of the batches not yet in that the target does not take. Writes nothing."""
        stale, fresh = self._difference(name, batches)
        found = []
        columns = [column.name for column in table.columns]
        with self.engine.connect() as connection, connection.begin() as transaction:
            for item in stale:
                there = self.file_of(item).read(list(table.primary_key))
                delete_rows(connection, self.tables.table(table.name), there)
            for batch in fresh:
                rows = batch.read([KEY, *columns])
                writer = writer_for(self.engine.dialect.name)
                keys = rows.get_column(KEY)
                into = self.tables.table(table.name)
                refused = refused_rows(connection, into, rows.select(columns), keys, writer)
                if refused.height:
                    found.append((batch, refused))
            transaction.rollback()
        return found

    def _difference(self, name: str, batches: Sequence[Batch]) -> tuple[list[Applied], list[Batch]]:
        """What stands there and should not, and what should and does not."""
        in_target = {number: item for (of, number), item in self.there.items() if of == name}
        kept = {b.number for b in batches if b.number in in_target and in_target[b.number].sha256 == b.sha256}
        stale = [item for number, item in sorted(in_target.items()) if number not in kept]
        return stale, [batch for batch in batches if batch.number not in kept]

    def loosen(self) -> None:
        """Take the keys off before the first row is written; an untouched target keeps them."""
        if not self.loose:
            in_transaction(
                self.engine, self.tables.loosen, repeatable, self.job.report, self.job.target.load_order
            )
            self.loose = True
            failpoint("after loosen")

    def _append(self, table: TargetTable, fresh: Sequence[Batch]) -> None:
        self.loosen()
        workers = SIDE_BY_SIDE.get(self.engine.dialect.name, 1)
        with ThreadPoolExecutor(workers) as pool:
            for batch in pool.map(lambda batch: self._append_one(table, batch), fresh):
                self.job.report.advance(batch.rows)

    def _append_one(self, table: TargetTable, batch: Batch) -> Batch:
        def work(connection: sa.Connection) -> None:
            self._write(connection, table, batch, None)
            failpoint("before commit")

        failpoint("before begin")
        in_transaction(
            self.engine, work, lambda: self._stands([batch]), self.job.report, self.job.target.load_order
        )
        failpoint("after commit")
        # Here, not by who waits for us: when the batch beside this one fails, this one stands all the same.
        self._noted(batch, table)
        return batch

    def _replace(self, table: TargetTable, stale: Sequence[Applied], fresh: Sequence[Batch]) -> None:
        moved = changes([self.file_of(item) for item in stale], fresh, table)
        self.loosen()

        def work(connection: sa.Connection) -> None:
            delete_rows(connection, self.tables.table(table.name), moved.gone)
            for item in stale:
                forget_applied(connection, item.name, item.number)
            failpoint("after delete")
            for batch in fresh:
                self._write(connection, table, batch, moved.put)
            failpoint("before commit")

        failpoint("before begin")
        in_transaction(
            self.engine, work, lambda: self._stands(fresh, stale), self.job.report, self.job.target.load_order
        )
        failpoint("after commit")
        for item in stale:
            del self.there[item.name, item.number]
        for batch in fresh:
            self._noted(batch, table)
            self.job.report.advance(batch.rows)
        name = stale[0].name
        self.moved[name] = moved

    def _write(
        self, connection: sa.Connection, table: TargetTable, batch: Batch, only: pl.DataFrame | None
    ) -> None:
        rows = rows_of(batch, table)
        if only is not None:
            rows = rows.join(only, on=table.primary_key, how="semi", maintain_order="left")
        if rows.height:
            writer_for(self.engine.dialect.name)(connection, self.tables.table(table.name), rows)
        failpoint("after copy")
        note_applied(connection, batch, table.name, self.run)

    def _noted(self, batch: Batch, table: TargetTable) -> None:
        item = Applied(batch.table, batch.number, table.name, batch.inputs, batch.sha256, batch.rows)
        self.there[batch.table, batch.number] = item

    def _stands(self, fresh: Sequence[Batch], stale: Sequence[Applied] = ()) -> bool:
        """Whether the target, asked again, has these batches and no longer those."""
        with self.engine.connect() as connection:
            there = applied(connection)
        wanted = {(batch.table, batch.number): batch.sha256 for batch in fresh}
        left = [i for i in stale if (i.name, i.number) not in wanted and (i.name, i.number) in there]
        found = {place: there[place].sha256 for place in wanted if place in there}
        return found == wanted and not left
