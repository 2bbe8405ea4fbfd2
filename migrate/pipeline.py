"""The stages in order, and the job that is handed from one to the next."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from casebridge import dedupe, extract, load, reconciliation, transform
from casebridge.extract.preflight import look as look_at_dump
from casebridge.extract.readers import FORMATS
from casebridge.migrate.corrections import look_for_corrected, note_corrections
from casebridge.migrate.corruption import corruption_named
from casebridge.migrate.decision_guard import look_at_decisions, note_decisions_followed, take_over_old_decisions
from casebridge.migrate.drafting.guesses import guess_notes, guesses
from casebridge.migrate.held_merges import release_held
from casebridge.migrate.limits import check_limits
from casebridge.migrate.looks import FILE_CHECKS, code_lists, databases, databases_of, queries, reach
from casebridge.migrate.mapping.facts import keep_mapping
from casebridge.migrate.room import check_room
from casebridge.migrate.run_guards import INTO_THE_TARGET, begin, may_begin, route_of
from casebridge.migrate.run_log import Logged, RunLog
from casebridge.migrate.stage_watch import StageWatch
from casebridge.project.batch import remove_left_over
from casebridge.project.errors import CasebridgeError, Problem, SpecError, did_you_mean
from casebridge.project.job import Job, Reporter, Silent, Stage, sole_run
from casebridge.project.ledger import Ledger
from casebridge.project.private import make_private, private_files
from casebridge.project.routes import routed
from casebridge.project.settings import Settings, read_settings
from casebridge.project.spec import TableSpec
from casebridge.project.specfile import read_specs
from casebridge.project.specreader import Vocabulary
from casebridge.project.tally import Tally
from casebridge.project.target import Target
from casebridge.project.targetfile import read_target
from casebridge.transform.checks import CHECKS
from casebridge.transform.statutory import ROW_RULES
from casebridge.transform.steps import STEPS

STAGES: Mapping[str, Stage] = {
    "extract": extract.run,
    "transform": transform.run,
    "dedupe": dedupe.run,
    "load": load.run,
    "reconcile": reconciliation.run,
}

WORDS = Vocabulary(
    steps=frozenset(STEPS),
    checks=frozenset(CHECKS),
    formats=frozenset(FORMATS),
    rules={name: (rule.columns, rule.severity) for name, rule in ROW_RULES.items()},
)
FIRST_RUN = "trial-1"
ALWAYS = "reconcile"
"""The stage that counts everything again, unless it can prove that it would find what it found before."""


@dataclass(frozen=True)
class StageDone:
    """One finished stage: its row account and how long it took, in seconds."""

    stage: str
    tally: Tally
    seconds: float
    worked: int = 0
    """Rows that were done now, and not before; 0 when nothing was to do."""


@contextmanager
def open_job(
    folder: Path,
    run: str | None = None,
    report: Reporter | None = None,
    *,
    leave_undecided: int | None = None,
    alone: bool = True,
    route: str | None = None,
    known: bool = False,
    scans: bool = False,
) -> Iterator[Job]:
    """A job of the project in `folder`. `alone` holds the project against other commands that write;
    without it, the job is for looking only: its ledger is a copy in memory.

    A run that was begun by a route keeps it; `route` is for one that has not begun. `known`: a `run` that is
    named must have begun. `scans`: a project that only scans a live register has such a job too, without tables.
    """
    settings = read_settings(folder)
    if not settings.systems and not scans:
        raise CasebridgeError(
            "this project has no dump to migrate: it only scans a live register",
            hint="`casebridge scan` looks for pairs, and `casebridge review` opens the desk where they wait",
        )
    with private_files(shared=settings.shared_group):
        if alone:
            make_private(settings.folder, shared=settings.shared_group)
        with _job(settings, run, report, leave_undecided, alone=alone, route=route, known=known) as job:
            yield job


@contextmanager
def _job(
    settings: Settings,
    run: str | None,
    report: Reporter | None,
    leave_undecided: int | None,
    *,
    alone: bool,
    route: str | None,
    known: bool,
) -> Iterator[Job]:
    target = read_target(settings.folder / "target.toml") if settings.systems else Target(())
    specs = read_specs(settings.folder, settings, target, WORDS) if settings.systems else ()
    with _ledger(settings.work, alone=alone) as ledger:
        name = latest_run(ledger) if run is None else _proper(run, ledger, known=known)
        way = route_of(ledger, name, route)
        if way:
            settings, specs = _by_route(settings, specs, way)
        job = Job(settings, target, specs, ledger, name, report or Silent(), leave_undecided, way, alone)
        try:
            with corruption_named(job):
                if alone:
                    remove_left_over(job.work, job.settings.reports, job.folder / "handover")
                    take_over_old_decisions(job)
                yield job
        finally:
            job.close()


@contextmanager
def _ledger(work: Path, *, alone: bool) -> Iterator[Ledger]:
    """The project is held before its ledger is opened: to open one to write may bring it up."""
    with sole_run(work) if alone else nullcontext():
        ledger = Ledger(work) if alone else Ledger.reading(work)
        try:
            yield ledger
        finally:
            ledger.close()


def _by_route(
    settings: Settings, specs: tuple[TableSpec, ...], route: str
) -> tuple[Settings, tuple[TableSpec, ...]]:
    if route not in settings.routes:
        hint = did_you_mean(route, settings.routes)
        raise SpecError([Problem("casebridge.toml", f"routes.{route}", "is not there", hint)])
    there = replace(settings, target_url=settings.routes[route].target_url)
    return there, routed(specs, route, settings.routes)


_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")


def _proper(name: str, ledger: Ledger, *, known: bool) -> str:
    """A run's name is a folder's name too, and on some disks TRIAL-1 is the folder of trial-1."""
    if not _RUN_NAME.fullmatch(name):
        hint = "letters, digits, dots, dashes and underlines, such as trial-1; the first a letter or digit"
        raise CasebridgeError("this is no name for a run", hint=hint)
    names = [str(item.name) for item in ledger.runs()]
    if known and name not in names:
        hint = did_you_mean(name, names) or "`casebridge status` lists the runs"
        raise CasebridgeError(f"no run {name}", hint=hint if names else "no run has begun: `casebridge run`")
    alike = [other for other in names if other.casefold() == name.casefold()]
    if alike and name not in alike:
        hint = f"`--name {alike[0]}` for that run; a new one needs a name that differs in more than capitals"
        raise CasebridgeError(f"{name} and the run {alike[0]} would share a folder on some disks", hint=hint)
    return name


def latest_run(ledger: Ledger) -> str:
    """The run begun last, or the name of a first one."""
    runs = ledger.runs()
    return str(runs[-1].name) if runs else FIRST_RUN


def run_stages(job: Job, until: str | None = None) -> Iterator[StageDone]:
    """Do every stage up to `until`. Each is done before the next begins."""
    if until is not None and until not in STAGES:
        raise CasebridgeError(f"no stage `{until}`", hint=did_you_mean(until, STAGES))
    stages = [*STAGES][: None if until is None else [*STAGES].index(until) + 1]
    # What can be refused is refused before the first stage: the last run keeps its verdict.
    for stage in stages:
        may_begin(job, stage, first=stage == stages[0])
    for look in FILE_CHECKS:
        look(job)
    for url, opened in databases_of(job):
        reach(url, opened)
    if "load" in stages:
        load.check_target(job)
    for stage in stages:
        yield run_stage(job, stage, again=False)


def run_stage(job: Job, stage: str, *, again: bool = True) -> StageDone:
    """Do one stage, and write down how long it took. Unless `again`, a report that still holds is left."""
    begin(job, stage, tuple(STAGES))
    if stage == "load":
        check_limits(job)
    check_room(job, stage)
    was = job.ledger.verdict(job.run)
    job.ledger.open_run(job.run, job.settings.target_url.partition(":")[0])
    before, stood = Counter(job.ledger.worked), job.ledger.standing(job.run)
    log = RunLog(job.work, job.run)
    logged = Logged(job.report, log)
    log.line(f"{stage} begins")
    logged_job = replace(job, report=logged)
    watch = StageWatch(logged_job, stage, lambda: counted_rows(job, stage, job.ledger.worked - before))
    try:
        held = reconciliation.still_holds(watch.job) if stage == ALWAYS and not again else None
        if stage == "transform":
            note_corrections(job)
        if stage == "dedupe":
            release_held(logged_job)
        looked = look_at_decisions(job) if stage == "dedupe" else None
        tally = held or STAGES[stage](watch.job)
    except BaseException as error:
        watch.stopped()
        log.failed(stage, error)
        untouched = job.ledger.worked == before and stage not in INTO_THE_TARGET
        with suppress(CasebridgeError):
            if was and untouched and job.ledger.standing(job.run) == stood:
                # Refused before anything was done: what the run had, it has still.
                job.ledger.close_run(job.run, was)
        raise
    logged.finish()
    done = watch.done(tally, 0 if held else tally.read if stage == ALWAYS else None)
    log.line(f"{stage} is done: {done.worked:,} rows in {done.seconds:.1f} s")
    if looked:
        note_decisions_followed(job, looked)
    if stage == "transform":
        keep_mapping(job)
    return StageDone(stage, tally, done.seconds, done.worked)


def counted_rows(job: Job, stage: str, rows: Mapping[tuple[str, str], int]) -> int:
    """A stage's rows, each once: what is done for a whole source, or between two steps, does not count again."""
    of_stage = (str(source) for source in job.reads()) if stage == "extract" else (s.name for s in job.specs)
    names = {"crosswalk"} if stage == "dedupe" else set(of_stage)
    return sum(count for (of, name), count in rows.items() if of == stage and name in names)


class _Notes(Silent):
    """A reporter that keeps what is noted."""

    def __init__(self, kept: list[str]) -> None:
        self._kept = kept

    def note(self, text: str) -> None:
        self._kept.append(text)


def check(folder: Path, notes: list[str] | None = None) -> list[str]:
    """Read every file of a project and reach its databases; all problems at once, none when it is sound. What
    is no problem but should be known is added to `notes`."""
    problems: list[str] = []
    kept: list[str] = [] if notes is None else notes
    try:
        with open_job(folder, report=_Notes(kept), alone=False) as job:
            looks: tuple[Callable[[Job], object], ...] = (
                *FILE_CHECKS,
                queries,
                look_at_dump,
                look_for_corrected,
                code_lists,
                databases,
            )
            for look in looks:
                try:
                    look(job)
                except CasebridgeError as error:
                    problems += _lines(error)
    except CasebridgeError as error:
        problems += _lines(error)
    kept += guess_notes(folder, guesses(folder))
    return list(dict.fromkeys(problems))


def _lines(error: CasebridgeError) -> list[str]:
    if isinstance(error, SpecError):
        return [str(problem) for problem in error.problems]
    return [error.message + (f" ({error.hint})" if error.hint else "")]


__all__ = ["STAGES", "StageDone", "check", "latest_run", "open_job", "run_stage", "run_stages"]
