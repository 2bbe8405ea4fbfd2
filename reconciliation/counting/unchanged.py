"""Whether a report still holds: nothing it was made from has changed since, and nothing in the target.

`casebridge run` asks this before it counts everything again, so that a run with nothing to do is over in a
moment; `reconcile` and `sign` never ask, and count. What cannot be proved unchanged is counted again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import sqlalchemy as sa

from casebridge.project.acceptances import Acceptances
from casebridge.project.batch import digest, file_digest
from casebridge.project.database import shown
from casebridge.project.job import Job
from casebridge.project.journal import Journal, Proof
from casebridge.project.ledger import now
from casebridge.project.tally import Tally
from casebridge.reconciliation.counting.crosswalk import TABLE as CROSSWALK
from casebridge.reconciliation.reading.target import Held, look
from casebridge.reconciliation.reading.unread import unread_files
from casebridge.reconciliation.reading.verified_files import recorded_files, verified_files

FILES = ("report.json", "report.html", "dispositions.parquet", "control_totals.csv", "run.json")
"""What a reconciliation leaves behind, and what a signature names."""


def state_of(connection: sa.Connection, tables: Iterable[Held]) -> str | None:
    """A fingerprint of all that the target's tables hold, without reading any value; None where the database
    offers no sound one. Equal fingerprints: not one row was written, changed or deleted in between."""
    ask = _STATES.get(connection.dialect.name)
    return ask(connection, list(tables)) if ask else None


def _postgresql(connection: sa.Connection, tables: list[Held]) -> str | None:
    """Every write leaves a row version with the number of its transaction (xmin), which no row had before; a sum
    of 64-bit hashes of them stays by accident once in 10^19. (Of the numbers themselves it might: two open
    transactions may write in either order.) A restart, without which no backup is put back, ends the proof."""
    server = "SELECT pg_postmaster_start_time()::text, current_database()"
    facts: list[object] = [list(connection.execute(sa.text(server)).one())]
    kinds = "SELECT relname, oid::text FROM pg_class WHERE oid = CAST(:name AS regclass) AND relkind = 'r'"
    looked = {held.table.name: held.columns for held in tables if held.there}
    if sa.inspect(connection).has_table(CROSSWALK):
        looked[CROSSWALK] = ()
    for name, columns in looked.items():
        known = connection.execute(sa.text(kinds), {"name": name}).first()
        if known is None:  # a view, a foreign table: rows without a number
            return None
        xmin = sa.func.hashtextextended(sa.cast(sa.column("xmin"), sa.Text), 0)
        query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(xmin), 0))
        count, total = connection.execute(query.select_from(sa.table(name))).one()
        facts.append([name, str(known.oid), list(columns), int(count), int(total)])
    return digest(facts)


def _sqlite(connection: sa.Connection, _: list[Held]) -> str | None:
    """The bytes of the file, and of the log of what is not in it yet."""
    name = connection.engine.url.database
    if not name or not Path(name).is_file():
        return None
    log = Path(f"{name}-wal")
    return digest(file_digest(Path(name)), file_digest(log) if log.is_file() and log.stat().st_size else "")


_STATES: Mapping[str, Callable[[sa.Connection, list[Held]], str | None]] = {
    "postgresql": _postgresql,
    "sqlite": _sqlite,
}


def forget(job: Job) -> None:
    """A report is about to be written: until it is there, none holds."""
    Journal(job.ledger).prove(job.run, None)


def remember(job: Job, state: str | None, tally: Tally) -> None:
    """A balanced report was written of a target in this state; None when that cannot be told."""
    if state is None:
        return
    folder = job.settings.reports / job.run
    files = {name: file_digest(folder / name) for name in FILES}
    Journal(job.ledger).prove(job.run, Proof(_basis(job), state, files, tally.as_dict(), now()))


def unchanged(job: Job) -> Tally | None:
    """The row account of the run's last report if counting again would find the same; None if it might not."""
    proof = Journal(job.ledger).proof(job.run)
    if proof is None or proof.basis != _basis(job):
        return None
    folder = job.settings.reports / job.run
    if any(
        not (folder / name).is_file() or file_digest(folder / name) != was for name, was in proof.files.items()
    ):
        return None
    engine = job.open_target()
    try:
        with engine.connect() as connection:
            state = state_of(connection, look(connection, job.target.tables).values())
    finally:
        engine.dispose()
    if state != proof.state or verified_files(job).broken:
        return None
    return Tally(**proof.tally)


def _basis(job: Job) -> str:
    """Everything but the target that a report is made from: batches, rules, this code, and where it all goes."""
    words = [repr(word) for word in Acceptances(job.ledger).of(job.run)]
    agreed = [unread_files(job), repr(job.settings.limits), words]
    facts = [recorded_files(job).basis, Journal(job.ledger).rules(job.run), agreed, job.settings.name]
    return digest(job.code("reconcile"), *facts, shown(job.settings.target_url))
