"""Clean rows into the target, parents before children, each batch with its record in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casebridge.load.resolution.key_map import STAGE, Crosswalk, KeyMap, Parents, read_crosswalk
from casebridge.load.resolution.member_marks import KIND as MEMBER_MARKS
from casebridge.load.resolution.member_marks import members_of, own_marks, written_beside
from casebridge.load.resolution.merge_duplicates import merge_duplicates
from casebridge.load.resolution.natural_keys import reason_of, second_rows
from casebridge.load.resolution.resolve import resolve
from casebridge.load.resolution.restriction import Standing, note_raised, raised_marks, with_raised
from casebridge.load.writing.applied import applied, create_side_tables, open_run
from casebridge.load.writing.crosswalk import NAME as CROSSWALK_BATCH
from casebridge.load.writing.crosswalk import drop_protected, write_crosswalk
from casebridge.load.writing.delivery import Delivery
from casebridge.load.writing.failpoints import failpoint
from casebridge.load.writing.fit import check_fit
from casebridge.load.writing.numbering import behind
from casebridge.load.writing.retry import in_transaction, is_row_error, repeatable
from casebridge.load.writing.row_bisect import REFUSED, REFUSED_ROWS
from casebridge.load.writing.tables import TargetTables
from casebridge.load.writing.unique_violations import unique_violations
from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import KEY, empty
from casebridge.project.database import DRIVER_ERRORS, refusal
from casebridge.project.errors import CasebridgeError
from casebridge.project.identity import ids_of
from casebridge.project.job import Job
from casebridge.project.spec import TableSpec
from casebridge.project.tally import Tally
from casebridge.project.target import TargetTable


def run(job: Job) -> Tally:
    """Bring the target to what this run's clean rows say. Returns the row account."""
    if job.ledger.signature(job.run):
        raise CasebridgeError(
            f"run {job.run} is signed and closed",
            hint="load under another name: `casebridge run --name NAME`",
        )
    engine = job.open_target()
    try:
        return _run(job, engine)
    except DRIVER_ERRORS as error:
        raise refusal(job.settings.target_url, error) from error
    finally:
        engine.dispose()


def ask_again(job: Job) -> None:
    """Forget which rows the target refused: the next load offers them once more."""
    for name in job.ledger.names(job.route, REFUSED):
        job.ledger.seal(job.route, REFUSED, name, [])


def _run(job: Job, engine: sa.Engine) -> Tally:
    tables = TargetTables(engine, job.target)

    def begin(connection: sa.Connection) -> None:
        """Tables and the note of who made them, together: rollback must know which were ours."""
        keys = tables.keys_present(connection)
        made = tables.create(connection)
        create_side_tables(connection)
        open_run(connection, job.run, made, sorted(keys))
        failpoint("before the run is noted")

    # A target that is not there from the beginning is not waited for: its URL is wrong, or somebody must look.
    with engine.connect():
        pass
    in_transaction(engine, begin, repeatable, job.report, job.target.load_order)
    with engine.connect() as connection:
        there = applied(connection)
        standing = own_marks(job, connection, there.values())
    crosswalk = read_crosswalk(job)
    _judge_second_rows_again(job)
    delivery = Delivery(job, engine, tables, there, job.run)
    while not (_deliver(job, delivery, crosswalk, standing) and _key(job, delivery)):
        job.report.note("the target refused some rows: they are kept with its reason, and the load goes on")
    write_crosswalk(job, engine, crosswalk)
    drop_protected(job, engine)
    for sentence in behind(engine, job.target):
        job.report.note(sentence)
    return sum((job.ledger.tally(job.run, STAGE, spec.name) for spec in in_order(job)), Tally())


def in_order(job: Job) -> list[TableSpec]:
    """The specs, parents before children."""
    return [spec for name in job.target.load_order for spec in job.specs if spec.target == name]


def _deliver(job: Job, delivery: Delivery, crosswalk: Crosswalk, standing: Standing) -> bool:
    """Resolve every table, see that it fits, and bring it in. False when rows were refused: they are on
    record now, and their children must be resolved again."""
    parents = Parents(job, crosswalk)
    wanted = {spec: _resolve_table(job, spec, crosswalk, parents, standing) for spec in in_order(job)}
    if _keep_second_rows(job, wanted):
        return False
    names = {spec.name for spec in wanted} | {CROSSWALK_BATCH}
    check_fit(delivery.engine, job.target, {spec.name: (spec.target, wanted[spec]) for spec in wanted})
    for name, target in sorted({(i.name, i.target_table) for i in delivery.there.values() if i.name not in names}):
        delivery.bring(name, job.target.by_name[target], ())
    for spec, batches in wanted.items():
        table = job.target.by_name[spec.target]
        try:
            delivery.bring(spec.name, table, batches)
        except DRIVER_ERRORS as error:
            if not is_row_error(error) or not _note_refused(job, delivery, spec, table, batches):
                raise
            return False
    return True


def _key(job: Job, delivery: Delivery) -> bool:
    """Build the unique and foreign keys. False when rows were refused, for a value that another row has."""
    failpoint("before tighten")
    try:
        in_transaction(delivery.engine, delivery.tables.tighten, repeatable, job.report, job.target.load_order)
    except DRIVER_ERRORS as error:
        if not is_row_error(error) or not _note_unique_violations(job, delivery):
            raise
        return False
    return True


def _judge_second_rows_again(job: Job) -> None:
    """Which row has the key that another has too is asked at each load: what stood first may be gone, or a merge
    that made two keys one."""
    for spec in in_order(job):
        table = job.target.by_name[spec.target]
        for batch in job.ledger.sealed(job.route, REFUSED, spec.name, REFUSED) if table.natural_key else ():
            left = batch.read().filter(pl.col("reason") != reason_of(table))
            if left.height < batch.rows:
                _put_on_record(job, spec, batch.number, left)


def _keep_second_rows(job: Job, wanted: Mapping[TableSpec, Sequence[Batch]]) -> bool:
    """Keep the rows whose own key an earlier row of their table has, with the reason. Whether there were any."""
    kept = False
    for name in job.target.load_order:
        mine = [(spec, batches) for spec, batches in wanted.items() if spec.target == name]
        for spec, batch, rows in second_rows(job.target.by_name[name], mine):
            _keep(job, spec, [(batch, rows)])
            kept = True
    return kept


def _note_unique_violations(job: Job, delivery: Delivery) -> bool:
    """Find the first spec's rows that a unique key does not allow, and keep them with the reason. One spec at a
    time: what it gives up may be all that was wrong with the next."""
    with delivery.engine.connect() as connection:
        for spec in reversed(in_order(job)):
            batches = job.ledger.sealed(job.run, STAGE, spec.name, "rows")
            refused = [*unique_violations(connection, job.target.by_name[spec.target], batches)] if batches else []
            if refused:
                _keep(job, spec, refused)
                return True
    return False


def _note_refused(
    job: Job, delivery: Delivery, spec: TableSpec, table: TargetTable, batches: Sequence[Batch]
) -> bool:
    """Find the rows that the target does not take, and keep them with its reason."""
    refused = delivery.refused(spec.name, table, batches)
    _keep(job, spec, refused)
    return bool(refused)


def _keep(job: Job, spec: TableSpec, refused: Sequence[tuple[Batch, pl.DataFrame]]) -> None:
    """Put rows on record as refused, beside those that are already."""
    for batch, rows in refused:
        known = _refused(job, spec.name, batch.number)
        together = pl.concat([*(item.read() for item in known), rows])
        _put_on_record(job, spec, batch.number, together.unique(KEY, keep="first", maintain_order=True))


def _put_on_record(job: Job, spec: TableSpec, number: int, rows: pl.DataFrame) -> None:
    """What the record of a batch's refused rows says from now on; no rows: there is none."""
    others = [b for b in job.ledger.sealed(job.route, REFUSED, spec.name, REFUSED) if b.number != number]
    sealed = [(b.number, b.inputs) for b in others]
    if rows.height:
        inputs = digest(rows.rows())
        job.ledger.attempt(REFUSED, spec.name, number, inputs)
        file = write_batch(job.work, REFUSED, spec.name, number, REFUSED, inputs, rows)
        job.ledger.record(REFUSED, spec.name, number, inputs, [file], Tally())
        sealed.append((number, inputs))
    job.ledger.seal(job.route, REFUSED, spec.name, sealed)


def _refused(job: Job, name: str, number: int) -> list[Batch]:
    on_record = job.ledger.sealed(job.route, REFUSED, name, REFUSED)
    return [batch for batch in on_record if batch.number == number]


@dataclass(frozen=True)
class LoadInputs:
    """What one table's load batches are made of: for each clean batch, in order, the digest of everything
    that goes in. `pending` are those that have to be made."""

    source: tuple[Batch, ...]
    golden: tuple[Batch, ...]
    parents: Mapping[str, KeyMap]
    refused: Mapping[int, Batch]
    sealed: tuple[tuple[int, str], ...]
    pending: tuple[tuple[Batch, str], ...]
    raised: pl.DataFrame
    members: pl.DataFrame


def load_inputs(job: Job, spec: TableSpec, crosswalk: Crosswalk, known: Parents, standing: Standing) -> LoadInputs:
    """What is asked of a table, and what of it was not made before. Read only."""
    parents = {column.name: known.of(spec, column) for column in spec.references}
    golden = job.ledger.sealed(job.run, "dedupe", spec.name, "golden")
    source = job.ledger.sealed(job.run, "transform", spec.name, "clean")
    members = members_of(job, spec, crosswalk, standing)
    raised = raised_marks(job, spec, crosswalk, standing, golden, members)
    under = digest(
        job.code(STAGE),
        spec.digest,
        {name: parent.digest for name, parent in parents.items()},
        crosswalk.digest if spec.name in crosswalk.register else "",
        [batch.sha256 for batch in golden],
        raised.rows(),
        members.rows(),
        [batch.sha256 for batch in crosswalk.displaced_in] if spec.merged_only else [],
        # What a merge made superfluous may stand in any batch of the table.
        [batch.sha256 for batch in source] if spec.once and crosswalk.folded.height else [],
    )
    refused = {batch.number: batch for batch in job.ledger.sealed(job.route, REFUSED, spec.name, REFUSED)}
    sealed = tuple(
        (
            batch.number,
            digest(under, batch.sha256, refused[batch.number].sha256 if batch.number in refused else ""),
        )
        for batch in source
    )
    pending = tuple(
        (batch, inputs)
        for batch, (number, inputs) in zip(source, sealed, strict=True)
        if job.ledger.done(STAGE, spec.name, number, inputs) is None
    )
    return LoadInputs(source, golden, parents, refused, sealed, pending, raised, members)


def _resolve_table(
    job: Job, spec: TableSpec, crosswalk: Crosswalk, parents: Parents, standing: Standing
) -> tuple[Batch, ...]:
    """The table's load batches, made where anything under them changed."""
    inputs_of = load_inputs(job, spec, crosswalk, parents, standing)
    note_raised(job, spec.name, inputs_of.raised)
    if inputs_of.pending:
        known = {name: parent.keys for name, parent in inputs_of.parents.items()}
        is_register = spec.name in crosswalk.register
        gone = crosswalk.gone_from(spec)
        folded = {name: parent.folded for name, parent in inputs_of.parents.items()}
        resolver = _Resolver(
            job,
            spec,
            ids=ids_of(job, spec.target, spec.system, spec.sources[0].name),
            parents=known,
            folded=gone if is_register or spec.merged_only else gone.clear(),
            golden=inputs_of.golden,
            duplicates=merge_duplicates(spec, inputs_of.source, known, folded),
            refused=inputs_of.refused,
            raised=inputs_of.raised,
            members=inputs_of.members,
        )
        for batch, inputs in inputs_of.pending:
            resolver.batch(batch, inputs)
    job.ledger.seal(job.run, STAGE, spec.name, inputs_of.sealed)
    return job.ledger.sealed(job.run, STAGE, spec.name, "rows")


@dataclass(frozen=True)
class _Resolver:
    """Resolves the pending batches of one table against what is known of its own and its parents' keys."""

    job: Job
    spec: TableSpec
    ids: pl.DataFrame
    parents: dict[str, pl.DataFrame]
    folded: pl.Series
    golden: Sequence[Batch]
    duplicates: pl.DataFrame
    refused: Mapping[int, Batch]
    raised: pl.DataFrame
    members: pl.DataFrame

    def batch(self, batch: Batch, inputs: str) -> None:
        """One clean batch to one batch of target rows."""
        job, spec, number = self.job, self.spec, batch.number
        job.ledger.attempt(STAGE, spec.name, number, inputs)
        clean = batch.read()
        golden = pl.concat([item.read() for item in self.golden]) if self.golden else clean.clear()
        table = job.target.by_name[spec.target]
        refused = self.refused[number].read() if number in self.refused else empty(REFUSED_ROWS)
        made = resolve(clean, spec, table, self.ids, self.parents, self.folded, golden, self.duplicates, refused)
        rows = with_raised(made.rows, self.raised)
        frames = {"rows": rows, "quarantine": made.quarantine}
        if self.members.height:
            frames[MEMBER_MARKS] = written_beside(self.members, rows)
        files = [write_batch(job.work, STAGE, spec.name, number, kind, inputs, frame)
                 for kind, frame in frames.items()]  # fmt: skip
        job.ledger.record(STAGE, spec.name, number, inputs, files, made.tally)
