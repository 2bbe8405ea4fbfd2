"""Commands that do stages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from casebridge.load import ask_again
from casebridge.load import rollback as roll_back
from casebridge.migrate.cli.options import json_option, name_option, project_option, route_option
from casebridge.migrate.cli.plan import show_plan
from casebridge.migrate.cli.progress import progress
from casebridge.migrate.cli.render import show_balance, show_json
from casebridge.migrate.decision_guard import note_decisions_followed
from casebridge.migrate.pipeline import STAGES, StageDone, open_job, run_stage, run_stages
from casebridge.migrate.plan import forecast
from casebridge.migrate.plan import plan as plan_run
from casebridge.migrate.run_guards import may_begin
from casebridge.project.audit import login
from casebridge.project.contracts import ROW_VERDICTS
from casebridge.project.errors import CasebridgeError, counted, did_you_mean
from casebridge.project.job import Job


def do_run(
    folder: Path,
    run: str | None,
    until: str | None,
    leave: int | None,
    route: str | None = None,
    *,
    without_lost: bool = False,
) -> dict[str, Any]:
    """All stages with progress; the report as a dict, empty when reconciliation was not reached."""
    with progress() as shown, open_job(folder, run, shown, leave_undecided=leave, route=route) as job:
        if without_lost:
            may_begin(job, "load")  # a run that is refused accepts no loss
            note_decisions_followed(job)
        shown.expect(forecast(job, until))
        for done in run_stages(job, until):
            shown.stage_done(done)
        return read_report(job) if until in {None, "reconcile"} else {}


def read_report(job: Job) -> dict[str, Any]:
    """A run's report.json."""
    path = job.settings.reports / job.run / "report.json"
    if not path.is_file():
        raise CasebridgeError(f"run {job.run} has no report yet", hint="do `casebridge run` to its end first")
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


@click.command()
@project_option
@name_option
@json_option
@click.option("--until", metavar="STAGE", help="Stop after this stage.")
@click.option("--leave-undecided", type=click.IntRange(0), metavar="N", help="Stop when more than N pairs wait.")
@click.option(
    "--without-lost-decisions",
    "without_lost",
    is_flag=True,
    help="Go on although decisions that were followed are gone: what they merged comes apart.",
)
@click.option("--plan", is_flag=True, help="Say what would be done and how long it took last time; do nothing.")
@route_option
def run(
    folder: Path,
    run: str | None,
    as_json: bool,
    until: str | None,
    leave_undecided: int | None,
    without_lost: bool,
    plan: bool,
    route: str | None,
) -> None:
    """Do all stages; run it again after a crash and it goes on."""
    if plan:
        with open_job(folder, run, alone=False, route=route) as job:
            show_plan(job.run, tuple(plan_run(job, until)), as_json=as_json)
        return
    report = do_run(folder, run, until, leave_undecided, route, without_lost=without_lost)
    if not report:
        return
    if as_json:
        show_json(report)
        return
    show_balance(report)
    click.echo(f"report: {folder / 'reports' / report['run'] / 'report.html'}")


def _stage_command(stage: str, what: str) -> click.Command:
    @click.command(name=stage, help=what)
    @project_option
    @name_option
    @json_option
    def command(folder: Path, run: str | None, as_json: bool) -> None:
        with progress() as shown, open_job(folder, run, shown) as job:
            done = run_stage(job, stage)
            shown.stage_done(done)
            report = read_report(job) if stage == "reconcile" else None
        if as_json:
            show_json(report or _as_dict(done))
        elif report:
            show_balance(report)

    return command


def _as_dict(done: StageDone) -> dict[str, Any]:
    return {"stage": done.stage, "seconds": round(done.seconds, 3), **done.tally.as_dict()}


@click.command()
@click.argument("table", required=False)
@project_option
@name_option
@json_option
def replay(table: str | None, folder: Path, run: str | None, as_json: bool) -> None:
    """Put quarantined rows through the mended rules.

    Whatever depends on a changed rule or code list is done again, nothing else; TABLE shows one spec only.
    """
    with progress() as shown, open_job(folder, run, shown) as job:
        names = [spec.name for spec in job.specs]
        if table and table not in names:
            raise CasebridgeError(f"no spec `{table}`", hint=did_you_mean(table, names))
        before = _staying_behind(job)
        ask_again(job)
        for done in run_stages(job):
            shown.stage_done(done)
        after = _staying_behind(job)
    rows = {
        name: {"before": before.get(name, 0), "after": after.get(name, 0)}
        for name in names
        if (name == table or not table) and (before.get(name, 0) or after.get(name, 0))
    }
    if as_json:
        show_json(rows)
        return
    for name, counts in rows.items():
        click.echo(f"{name}: {counts['before']:,} rows stayed behind, now {counts['after']:,}")


@click.command()
@click.argument("run", metavar="NAME")
@project_option
@json_option
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
def rollback(run: str, folder: Path, as_json: bool, dry_run: bool) -> None:
    """Take the last run's rows out of the target again.

    The target is then what it was before the run began, row for row; only marks of restriction that are stricter
    now stay. Stopped half-way, run it again.
    """
    with progress() as shown, open_job(folder, run, shown, known=True) as job:
        told = roll_back(job, dry_run=dry_run)
        if not dry_run:
            job.audit_log().note("rollback", run=job.run, login=login())
    if as_json:
        show_json([asdict(item) for item in told])
        return
    would = "would be " if dry_run else ""
    for item in told:
        click.echo(f"{item.target}: {item.deleted:,} rows {would}deleted, {item.restored:,} {would}restored")
        if item.restricted:
            kept = f"{counted(item.restricted, 'row')} of {item.target} {'would keep' if dry_run else 'keep'}"
            click.echo(f"{kept} the stricter mark of restriction: only restrictions_lowered.csv takes one back")
    click.echo(f"run {run} {'would be' if dry_run else 'is'} taken back")


def _staying_behind(job: Job) -> Mapping[str, int]:
    tallies = {spec.name: job.ledger.tally(job.run, "transform", spec.name) for spec in job.specs}
    children = {spec.name: job.ledger.tally(job.run, "load", spec.name) for spec in job.specs}
    return {
        name: sum(getattr(tally[name], verdict) for tally in (tallies, children) for verdict in ROW_VERDICTS)
        for name in tallies
    }


COMMANDS: Mapping[str, click.Command] = {
    "run": run,
    "replay": replay,
    "rollback": rollback,
    "extract": _stage_command("extract", "Read the dump into immutable batches."),
    "transform": _stage_command("transform", "Convert the batches by the table specs."),
    "dedupe": _stage_command("dedupe", "Find who is who, and fold what people decided."),
    "load": _stage_command("load", "Bring the target to what this run says."),
    "reconcile": _stage_command("reconcile", "Re-read the target and prove both sides of the books."),
}
assert set(STAGES) <= set(COMMANDS)
