"""The ledger: what was done, to which input, with which result.

A done row always means that the file existed with that digest when the row was written; a file that has
gone since makes the batch pending again. `pending` is the absence of a done row for (stage, table,
number, digest of everything that goes in), so running again is always safe, and a change makes exactly
what depends on it pending.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa

from casebridge.project.batch import Batch
from casebridge.project.contracts import SOURCE_SHIFT
from casebridge.project.database import open_database, open_own, own_refusal, read_only_uri
from casebridge.project.ledger_tables import (
    ATTEMPTS,
    BATCH,
    BEGUN,
    DONE_FILES,
    ENDED,
    FILES,
    FILES_OF_SCOPE,
    META,
    NO_FILES,
    RUNS,
    SEALED,
    SOURCES,
    TALLIES,
    UNSEALED,
)
from casebridge.project.schema import IN_LEDGER, LEDGER, bring_up, refuse_newer
from casebridge.project.spec import Source
from casebridge.project.tally import Tally

_LOST = (
    "restore the whole work folder from a backup: the ids that were given out stand in it. Without a backup: "
    "a new migration project, and an empty target"
)


def now() -> str:
    """The time as the ledger writes it: UTC, to the second."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Ledger:
    """The record of a migration project, in `work/ledger.db`."""

    def __init__(self, work: Path, engine: sa.Engine | None = None) -> None:
        if engine is None:
            work.mkdir(parents=True, exist_ok=True)
        self._work = work
        self._name = f"the ledger {work / 'ledger.db'}"
        self._engine = engine or open_own(f"sqlite:///{work / 'ledger.db'}", self._name, _LOST)
        self.worked: Counter[tuple[str, str]] = Counter()
        self._standing: dict[tuple[str, str, str], tuple[Batch, ...]] = {}
        self._made: set[sa.MetaData] = set()
        self._bring_up()

    def _bring_up(self) -> None:
        """A new ledger gets its tables, an older one what it lacks, in one transaction; a newer one is refused.
        Nothing is known any more of what it held before."""
        self._standing.clear()
        self._made.clear()
        with self._engine.begin() as connection:
            refuse_newer(connection, IN_LEDGER, LEDGER, self._name)
            META.create_all(connection)
            bring_up(connection, IN_LEDGER, LEDGER, self._name)

    @property
    def engine(self) -> sa.Engine:
        """The database, for what is kept beside the batches."""
        return self._engine

    def with_tables(self, tables: sa.MetaData) -> sa.Engine:
        """The same with these tables in it, which are made where they are missing: asked once for each ledger."""
        if tables not in self._made:
            tables.create_all(self._engine)
            self._made.add(tables)
        return self._engine

    @classmethod
    def reading(cls, work: Path) -> Ledger:
        """The ledger as it is now, in memory, for commands that only look: the project is left as it is, byte for
        byte, also by a user who may not write there. Empty where there is none yet."""
        ledger = cls(work, open_database("sqlite:///:memory:"))
        if (work / "ledger.db").exists():
            ledger._take_over(work / "ledger.db")
        return ledger

    def _take_over(self, path: Path) -> None:
        """Everything that a ledger's file holds."""
        with self._engine.connect() as there:
            goal = there.connection.driver_connection
            assert isinstance(goal, sqlite3.Connection)
            try:
                source = sqlite3.connect(read_only_uri(path), uri=True)
                try:
                    source.backup(goal)
                finally:
                    source.close()
            except sqlite3.Error as error:
                raise self._refusal(error) from error
        self._bring_up()

    def copy(self) -> Ledger:
        """The same ledger in memory: to try what would be, and be thrown away."""
        into = open_database("sqlite:///:memory:")
        with self._engine.connect() as here, into.connect() as there:
            source, goal = here.connection.driver_connection, there.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            assert isinstance(goal, sqlite3.Connection)
            try:
                source.backup(goal)
            except sqlite3.Error as error:
                raise self._refusal(error) from error
        return Ledger(self._work, into)

    def _refusal(self, error: sqlite3.Error) -> Exception:
        return own_refusal(self._name, error, _LOST) or error

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    # Sources

    def source_number(self, source: Source) -> int:
        """The number of a source, given out once."""
        with self._engine.begin() as connection:
            found = connection.scalar(
                sa.select(SOURCES.c.number).where(SOURCES.c.system == source.system, SOURCES.c.name == source.name)
            )
            if found is not None:
                return int(found)
            number = int(connection.scalar(sa.select(sa.func.max(SOURCES.c.number))) or 0) + 1
            connection.execute(SOURCES.insert().values(number=number, system=source.system, name=source.name))
            return number

    def first_row(self, source: Source) -> int:
        """The row number before a source's first record."""
        return self.source_number(source) << SOURCE_SHIFT

    def sources(self) -> dict[int, Source]:
        """All sources ever seen, by number. Read only."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(SOURCES)).all()
        return {row.number: Source(row.system, row.name) for row in rows}

    # Batches

    def done(self, stage: str, name: str, number: int, inputs: str) -> tuple[Batch, ...] | None:
        """The files of a finished batch, or None when it is pending. Read only."""
        with self._engine.connect() as connection:
            asked = {"stage": stage, "name": name, "number": number, "inputs": inputs}
            rows = connection.execute(DONE_FILES, asked).all()
        if not rows:
            return None
        batches = tuple(self._batch(row) for row in rows if row.path is not None)
        return batches if all(batch.path.is_file() for batch in batches) else None

    def damaged(self) -> list[Batch]:
        """The files whose bytes are no longer what was recorded; all that are there are read. Read only."""
        with self._engine.connect() as connection:
            batches = [self._batch(row) for row in connection.execute(sa.select(FILES))]
        return [batch for batch in batches if batch.path.is_file() and not batch.whole()]

    def attempt(self, stage: str, name: str, number: int, inputs: str) -> None:
        """Note that a batch is being worked on; it stays pending until `record`."""
        values = {"stage": stage, "name": name, "number": number, "inputs": inputs}
        with self._engine.begin() as connection:
            connection.execute(BEGUN, {**values, "started": now()})

    def record(
        self, stage: str, name: str, number: int, inputs: str, batches: Iterable[Batch], tally: Tally
    ) -> None:
        """The batch is done: its files and its row account, in one transaction."""
        tally.balanced(f"{stage} {name} batch {number}")
        files = [
            {
                "stage": stage,
                "name": name,
                "number": number,
                "inputs": inputs,
                "kind": batch.kind,
                "path": str(batch.path.relative_to(self._work)),
                "rows": batch.rows,
                "sha256": batch.sha256,
            }
            for batch in batches
        ]
        batch_of = {"of_stage": stage, "of_name": name, "of_number": number, "of_inputs": inputs}
        with self._engine.begin() as connection:
            connection.execute(NO_FILES, batch_of)
            if files:
                connection.execute(FILES.insert(), files)
            connection.execute(ENDED, {**batch_of, "done": now(), "tally": json.dumps(tally.as_dict())})
        self._changed(stage, name)
        self.worked[stage, name] += tally.read

    # Runs

    def open_run(self, run: str, target: str) -> None:
        """Note that a run has begun (again)."""
        with self._engine.begin() as connection:
            known = connection.scalar(sa.select(RUNS.c.name).where(RUNS.c.name == run))
            open_again = RUNS.update().where(RUNS.c.name == run, RUNS.c.signed.is_(None))
            connection.execute(open_again.values(finished=None, verdict=None))
            if known is None:
                connection.execute(RUNS.insert().values(name=run, target=target, started=now()))

    def verdict(self, run: str) -> str | None:
        """How a run ended, None while it is open. Read only."""
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(RUNS.c.verdict).where(RUNS.c.name == run))
        return None if found is None else str(found)

    def standing(self, run: str) -> frozenset[tuple[str, ...]]:
        """All that a run has: stage, table, number and inputs of each batch. Read only."""
        columns = [SEALED.c[name] for name in BATCH]
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(*columns).where(SEALED.c.run == run))
            return frozenset(tuple(map(str, row)) for row in rows)

    def close_run(self, run: str, verdict: str) -> None:
        """Note how a run ended."""
        with self._engine.begin() as connection:
            connection.execute(RUNS.update().where(RUNS.c.name == run).values(finished=now(), verdict=verdict))

    def sign_run(self, run: str, statement: str) -> None:
        """Close a run for good: `statement` says who signed which report, as JSON."""
        with self._engine.begin() as connection:
            connection.execute(RUNS.update().where(RUNS.c.name == run).values(signed=statement))

    def signature(self, run: str) -> str | None:
        """What was signed of a run, or None while it is open. Read only."""
        with self._engine.connect() as connection:
            found = connection.scalar(sa.select(RUNS.c.signed).where(RUNS.c.name == run))
        return None if found is None else str(found)

    def runs(self) -> list[sa.Row[tuple[str, ...]]]:
        """All runs, in the order in which they were begun, whatever the clock said. Read only."""
        with self._engine.connect() as connection:
            return list(connection.execute(sa.select(RUNS).order_by(sa.literal_column("rowid"))).all())

    def seal(self, scope: str, stage: str, name: str, batches: Sequence[tuple[int, str]]) -> None:
        """From now on these (number, inputs) are what `scope` has of this table at this stage.

        A scope is a run's name, a route's name, or empty for the whole project.
        """
        rows = [
            {"run": scope, "stage": stage, "name": name, "number": number, "inputs": inputs}
            for number, inputs in batches
        ]
        with self._engine.begin() as connection:
            connection.execute(UNSEALED, {"scope": scope, "stage": stage, "name": name})
            if rows:
                connection.execute(SEALED.insert(), rows)
        self._changed(stage, name)

    def forget(self, run: str) -> None:
        """A run has nothing of anything; what it did stays known. Only for a copy."""
        with self._engine.begin() as connection:
            connection.execute(SEALED.delete().where(SEALED.c.run == run))
        self._standing.clear()

    def sealed(self, scope: str, stage: str, name: str, kind: str) -> tuple[Batch, ...]:
        """The files of one kind that `scope` has of this table at this stage, in order. Read only."""
        place = (scope, stage, name)
        found = self._standing.get(place)
        if found is None:
            asked = {"scope": scope, "stage": stage, "name": name}
            with self._engine.connect() as connection:
                found = tuple(self._batch(row) for row in connection.execute(FILES_OF_SCOPE, asked))
            self._standing[place] = found
        return tuple(batch for batch in found if batch.kind == kind)

    def _changed(self, stage: str, name: str) -> None:
        """What any scope has of a table at a stage is read again. Only who holds the project writes, so nobody
        else changes it."""
        for place in [place for place in self._standing if place[1:] == (stage, name)]:
            del self._standing[place]

    def ever(self, kind: str) -> list[tuple[Batch, str]]:
        """All files of one kind that were ever finished, oldest first, and when; some may have gone. Read only."""
        same = sa.and_(*(FILES.c[column] == ATTEMPTS.c[column] for column in BATCH))
        query = sa.select(FILES, ATTEMPTS.c.done).join(ATTEMPTS, same)
        finished = query.where(FILES.c.kind == kind, ATTEMPTS.c.done.is_not(None)).order_by(ATTEMPTS.c.done)
        with self._engine.connect() as connection:
            return [(self._batch(row), str(row.done)) for row in connection.execute(finished)]

    def in_use(self, stage: str) -> set[Path]:
        """The files of a stage that any run has. Read only."""
        has = sa.and_(*(FILES.c[column] == SEALED.c[column] for column in BATCH))
        query = sa.select(FILES.c.path).join(SEALED, has).where(FILES.c.stage == stage)
        with self._engine.connect() as connection:
            return {self._work / path for path in connection.scalars(query)}

    def names(self, scope: str, stage: str) -> tuple[str, ...]:
        """The tables that `scope` has at this stage. Read only."""
        query = sa.select(SEALED.c.name).distinct().where(SEALED.c.run == scope, SEALED.c.stage == stage)
        with self._engine.connect() as connection:
            return tuple(connection.scalars(query.order_by(SEALED.c.name)))

    def tally(self, run: str, stage: str, name: str) -> Tally:
        """The row account of one table at one stage of a run. Read only."""
        asked = {"scope": run, "stage": stage, "name": name}
        with self._engine.connect() as connection:
            tallies = [Tally(**json.loads(text)) for text in connection.scalars(TALLIES, asked) if text]
        return sum(tallies, Tally())

    def _batch(self, row: sa.Row[tuple[str, ...]]) -> Batch:
        path = self._work / row.path
        return Batch(row.stage, row.name, row.number, row.kind, row.inputs, path, row.rows, row.sha256)
