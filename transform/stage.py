"""Source rows to target rows: every pending batch through its spec, and a target id for each new key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from casebridge.project.batch import Batch, digest, with_rows, write_batch
from casebridge.project.contracts import KEY, ORIGIN, ROW
from casebridge.project.errors import SpecError, counted
from casebridge.project.identity import give_out
from casebridge.project.job import Job
from casebridge.project.plan import State, TablePlan, follows, planned
from casebridge.project.prefetch import prefetch
from casebridge.project.restriction import missing_marks
from casebridge.project.spec import Source, TableSpec
from casebridge.project.specfile import columns_accounted_for, columns_asked_of
from casebridge.project.tally import Tally
from casebridge.transform.codes import read_codes
from casebridge.transform.convert import Conversion, Converted, convert, make_plan
from casebridge.transform.expressions import misfits, undated, unreadable
from casebridge.transform.singles import ask_singles, inputs_of_singles
from casebridge.transform.sources import (
    STAGE,
    Prepared,
    joined,
    joined_before,
    known,
    prepare,
    query_schemas,
)


def run(job: Job) -> Tally:
    """Convert what is pending. Returns the row account of all specs of this run."""
    plans = _plans(job)
    columns = {source: _columns(job, source) for source in job.reads()}
    there = [plan for plan in plans if all(columns[source] for source in plan.spec.sources)]
    _refuse_misfits(job, [plan for plan in plans if plan not in there])
    try_queries(job, there, columns)
    prepared = {source: prepare(job, read) for source, read in job.reads().items()}
    total = Tally()
    for plan in plans:
        total += _table(job, plan, prepared)
    return total


def make_conversions(job: Job) -> list[Conversion]:
    """The specs made ready; SpecError lists every mistake in their code lists and expressions."""
    plans = _plans(job)
    _refuse_misfits(job, plans)
    return plans


def _plans(job: Job) -> list[Conversion]:
    names = [column.codes for spec in job.specs for column in spec.columns if column.codes]
    problems = [problem for spec in job.specs for problem in unreadable(spec)]
    try:
        codes = read_codes(job.folder / "codes", names)
    except SpecError as error:
        raise SpecError([*error.problems, *problems]) from error
    problems += [problem for spec in job.specs for problem in undated(spec, codes)]
    if problems:
        raise SpecError(problems)
    return [
        make_plan(
            spec,
            {column.codes: codes[column.codes] for column in spec.columns if column.codes},
            job.settings.systems[spec.system].century_pivot,
            job.settings.systems[spec.system].timezone,
        )
        for spec in job.specs
    ]


def _refuse_misfits(job: Job, plans: Iterable[Conversion]) -> None:
    """SpecError for what does not fit the columns that the specs themselves name."""
    problems = [
        problem
        for plan in plans
        if plan.spec.query is None
        for problem in misfits(plan, _accounted_for(job, plan.spec.sources[0]))
    ]
    if problems:
        raise SpecError(problems)


def try_queries(job: Job, plans: list[Conversion], columns: Mapping[Source, Iterable[str]]) -> None:
    """SpecError lists every query that fails on sources with these `columns`, and every expression that does
    not fit the columns of its source or query."""
    problems = [*missing_marks(job.settings, job.specs, {source: [*names] for source, names in columns.items()})]
    given, failing = query_schemas(job, [plan.spec for plan in plans if plan.spec.query is not None], columns)
    problems += failing
    for plan in plans:
        if plan.spec.query is None:
            problems += misfits(plan, dict.fromkeys(columns[plan.spec.sources[0]], pl.String()))
        elif plan.spec.name in given:
            problems += misfits(plan, given[plan.spec.name])
    if problems:
        raise SpecError(problems)


def _columns(job: Job, source: Source) -> list[str]:
    """The columns of a source, as it was extracted."""
    raw = job.ledger.sealed(job.run, "extract", str(source), "raw")
    return [name for batch in raw[:1] for name in batch.scan().collect_schema() if name not in ORIGIN]


def _accounted_for(job: Job, source: Source) -> dict[str, pl.DataType]:
    """A source's columns, all of which its specs must name. What only a condition names is held against the
    source itself, when that is there."""
    mapped, dropped = columns_accounted_for(job.specs, source)
    asked = [columns_asked_of(spec) for spec in job.specs_of(source) if spec.query is None]
    return dict.fromkeys(sorted(mapped.union(dropped, *asked)), pl.String())


def _table(job: Job, plan: Conversion, prepared: dict[Source, Prepared]) -> Tally:
    spec, longest = plan.spec, 0
    sources = list(_batches(job, spec, prepared))
    job.report.table(STAGE, spec.name, sum(batch.rows for batch in sources))
    tasks = [_Task(number, batch, *_inputs(job, plan, batch, prepared)) for number, batch in enumerate(sources)]
    pending = [task for task in tasks if job.ledger.done(STAGE, spec.name, task.number, task.inputs) is None]
    coming = prefetch(task.converted(plan) for task in pending)
    for task in tasks:
        if task in pending:
            longest = max(longest, _keep(job, spec, task, next(coming)))
        else:
            job.report.advance(task.batch.rows)
    sealed = [(task.number, task.inputs) for task in tasks]
    job.ledger.seal(job.run, STAGE, spec.name, sealed)
    if spec.singles:
        sealed.append(ask_singles(job, spec, sealed))
        job.ledger.seal(job.run, STAGE, spec.name, sealed)
    if longest and spec.key_type:
        takes = f"{spec.target}.{spec.key_column} takes {spec.key_type.length:,}"
        job.report.note(f"{spec.name}: the longest legacy key has {counted(longest, 'character')}, and {takes}")
    _give_out_ids(job, spec, digest(sealed))
    return job.ledger.tally(job.run, STAGE, spec.name)


@dataclass(frozen=True, eq=False)
class _Task:
    """One batch of source rows on its way: those of its rows that go no further (`left`), and the digest of all
    that goes into its conversion."""

    number: int
    batch: Batch
    left: pl.Series | None
    inputs: str

    def converted(self, plan: Conversion) -> Converted:
        """The batch through its spec."""
        raw = self.batch.read()
        if self.left is not None and self.left.len():
            raw = raw.filter(~pl.col(ROW).is_in(self.left.implode()))
        return convert(raw, plan)


def plan_tables(job: Job) -> Iterator[TablePlan]:
    """What there is to convert: each source as a whole, then each spec. Writes nothing."""
    there, prepared = set(job.ledger.names(job.run, "extract")), {}
    for source, read in job.reads().items():
        if str(source) not in there:
            yield follows(STAGE, str(source))
            continue
        found, inputs = known(job, read)
        if found:
            prepared[source] = found
        rows = sum(batch.rows for batch in job.ledger.sealed(job.run, "extract", str(source), "raw"))
        yield planned(STAGE, str(source), ((0, inputs),), () if found else (0,), rows)
    for plan in make_conversions(job):
        yield _outlook(job, plan, prepared)


def _outlook(job: Job, plan: Conversion, prepared: dict[Source, Prepared]) -> TablePlan:
    spec = plan.spec
    if not all(source in prepared for source in spec.sources):
        return follows(STAGE, spec.name)
    sources = joined_before(job, spec, prepared) if spec.query is not None else prepared[spec.sources[0]].raw
    if sources is None:
        return TablePlan(STAGE, spec.name, State.PENDING, (0,), sum(b.rows for b in prepared[spec.sources[0]].raw))
    sealed = tuple((number, _inputs(job, plan, batch, prepared)[1]) for number, batch in enumerate(sources))
    if spec.singles:
        sealed = (*sealed, (len(sealed), inputs_of_singles(job, spec, sealed)))
    pending = tuple(n for n, inputs in sealed if job.ledger.done(STAGE, spec.name, n, inputs) is None)
    return planned(
        STAGE, spec.name, sealed, pending, sum(sources[number].rows for number in pending if number < len(sources))
    )


def _inputs(
    job: Job, plan: Conversion, batch: Batch, prepared: dict[Source, Prepared]
) -> tuple[pl.Series | None, str]:
    """The rows of a batch that go no further, and the digest of everything that goes into its conversion."""
    spec = plan.spec
    lists = {name: codes.digest for name, codes in plan.codes.items()}
    rules = digest(job.code(STAGE), spec.digest, plan.century_pivot, plan.zone, lists)
    left = prepared[spec.sources[0]].left_in(batch) if spec.query is None else None
    return left, digest(rules, batch.sha256, left.to_list() if left is not None else [])


def _batches(job: Job, spec: TableSpec, prepared: dict[Source, Prepared]) -> Iterator[Batch]:
    if spec.query is not None:
        yield from joined(job, spec, prepared)
        return
    yield from prepared[spec.sources[0]].raw


def _keep(job: Job, spec: TableSpec, task: _Task, made: Converted) -> int:
    """One converted batch into its files; how long the longest legacy key is that the target cannot take."""
    number, inputs = task.number, task.inputs
    job.ledger.attempt(STAGE, spec.name, number, inputs)
    files = [
        write_batch(job.work, STAGE, spec.name, number, "clean", inputs, made.clean),
        write_batch(job.work, STAGE, spec.name, number, "quarantine", inputs, made.quarantine),
    ]
    job.ledger.record(STAGE, spec.name, number, inputs, files, made.tally)
    job.report.advance(task.batch.rows, made.tally.rejected + made.tally.held + made.tally.excluded)
    if made.quarantine.is_empty():
        return 0
    of_key = (pl.col("column") == spec.key_column) & (pl.col("rule") == "max_length")
    return int(made.quarantine.filter(of_key).select(pl.col("value").str.len_chars().max().fill_null(0)).item())


def _give_out_ids(job: Job, spec: TableSpec, inputs: str) -> None:
    """A target id for every key of the table, whatever became of its row, so that none ever changes."""
    if job.target.by_name[spec.target].natural_key:
        return
    inputs = digest("by source", inputs)
    if job.ledger.done("keys", spec.name, 0, inputs) is not None:
        return
    job.ledger.attempt("keys", spec.name, 0, inputs)
    keys = [pl.Series(KEY, [], dtype=pl.String)]
    for kind in ("clean", "quarantine"):
        batches = job.ledger.sealed(job.run, STAGE, spec.name, kind)
        keys += [batch.read([KEY]).get_column(KEY) for batch in with_rows(batches)]
    give_out(job, spec.target, spec.system, pl.concat(keys), spec.sources[0].name)
    job.ledger.record("keys", spec.name, 0, inputs, [], Tally())
