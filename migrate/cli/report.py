"""Commands that look at a run and sign it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from casebridge.dedupe.candidates import NAME as CANDIDATES
from casebridge.dedupe.plan import plan_tables as plan_linkage
from casebridge.migrate.cli.options import json_option, name_option, project_option
from casebridge.migrate.cli.plan import show_accepted
from casebridge.migrate.cli.progress import progress
from casebridge.migrate.cli.render import show_balance, show_json, show_table
from casebridge.migrate.cli.run import read_report
from casebridge.migrate.decision_guard import check_decisions_followed, decisions_say, decisions_since
from casebridge.migrate.limits import accept as accept_excess
from casebridge.migrate.pipeline import STAGES, open_job, run_stage
from casebridge.project.attempts import DONE, Attempt, Attempts, together
from casebridge.project.errors import CasebridgeError, ReconciliationFailed, counted
from casebridge.project.fingerprint import rule_of
from casebridge.project.job import Job
from casebridge.project.journal import Journal, Timing
from casebridge.project.plan import State
from casebridge.reconciliation.signoff import sign as sign_run
from casebridge.reconciliation.signoff import verify


@click.command()
@project_option
@name_option
@json_option
def status(folder: Path, run: str | None, as_json: bool) -> None:
    """Show where every table stands."""
    with open_job(folder, run, alone=False, known=True) as job:
        rows = _standing(job)
        runs = [{"name": r.name, "started": r.started, "verdict": r.verdict, "signed": bool(r.signed)}
                for r in job.ledger.runs()]  # fmt: skip
        name, journal = job.run, Journal(job.ledger)
        times = [t for stage in STAGES for t in journal.timings() if (t.run, t.stage) == (name, stage)]
        attempts = {stage: Attempts(job.ledger).of(name, stage) for stage in STAGES}
        frozen, accepted = journal.frozen(), journal.accepted_code()
    if as_json:
        timings = [{"stage": t.stage, "rows": t.worked, "seconds": round(t.seconds, 3),
                    "attempts": _tries(attempts[t.stage])} for t in times]  # fmt: skip
        show_json({"run": name, "runs": runs, "tables": rows, "timings": timings,
                   "frozen": frozen.run if frozen else None})  # fmt: skip
        return
    table = Table(title=f"run {name}")
    table.add_column("stage")
    table.add_column("table")
    for heading in ("read", "passed", "stayed behind", "values set aside"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        cells = [f"{row[key]:,}" for key in ("read", "passed", "behind", "set_aside")]
        table.add_row(str(row["stage"]), str(row["table"]), *cells)
    show_table(table)
    for time in times:
        click.echo(_time(time, attempts[time.stage]))
    for line in _unfinished(attempts):
        click.echo(line)
    if frozen:
        click.echo(f"frozen since {frozen.at}: only the rules of run {frozen.run}")
        show_accepted(accepted)
    for item in runs:
        signed = ", signed" if item["signed"] else ""
        click.echo(f"{item['name']}: begun {item['started']}, {item['verdict'] or 'not finished'}{signed}")


def _time(time: Timing, attempts: Sequence[Attempt]) -> str:
    """How long a stage took, over all attempts at it."""
    if not time.worked:
        return f"{time.stage}: nothing to do, its {time.rows:,} rows were done before"
    tries = _tries(attempts)
    several = f", in {tries} attempts" if tries > 1 else ""
    return f"{time.stage}: {time.worked:,} rows in {time.seconds:,.1f} s{several}"


def _tries(attempts: Sequence[Attempt]) -> int:
    done = [place for place, item in enumerate(attempts, 1) if item.outcome == DONE]
    return together(tuple(attempts[: done[-1]]))[2] if done else 1


def _unfinished(attempts: Mapping[str, Sequence[Attempt]]) -> Iterator[str]:
    """What was begun and has not come to its end."""
    for stage, tries in attempts.items():
        last = [item for item in tries if item.outcome != DONE]
        if last and tries[-1].outcome != DONE:
            rows, seconds = sum(item.worked for item in last), sum(item.seconds for item in last)
            how = f"in {len(last)} attempts" if len(last) > 1 else "in one attempt"
            yield f"{stage}: not finished; {rows:,} rows in {seconds:,.1f} s, {how}"


def _standing(job: Job) -> list[dict[str, int | str]]:
    rows: list[dict[str, int | str]] = []
    for stage in STAGES:
        for name in job.ledger.names(job.run, stage):
            tally = job.ledger.tally(job.run, stage, name)
            behind = tally.rejected + tally.held + tally.excluded
            rows.append(
                {"stage": stage, "table": name, "read": tally.read, "passed": tally.passed, "behind": behind,
                 "set_aside": tally.set_aside}
            )  # fmt: skip
    return rows


@click.command()
@click.argument("run", metavar="[NAME]", required=False)
@project_option
@json_option
def report(run: str | None, folder: Path, as_json: bool) -> None:
    """Show a run's balance and where its board pack lies."""
    with open_job(folder, run, alone=False, known=True) as job:
        found = read_report(job)
        page = job.settings.reports / job.run / "report.html"
        signed = job.ledger.signature(job.run) is not None
        checked = verify(job) if signed else None
        changed = (*checked.changed, *decisions_say(job)) if checked else ()
    if as_json:
        show_json(found)
    else:
        show_balance(found)
        click.echo(f"report: {page}")
    for what in changed:
        click.echo(f"changed since it was signed: {what}", err=True)
    if changed:
        raise click.exceptions.Exit(ReconciliationFailed.exit_code)
    if checked and not as_json:
        later = checked.superseded_by
        click.echo(f"signed; superseded by run {later}, whose rows stand in the target now" if later
                   else "signed, and nothing has changed since")  # fmt: skip


@click.command()
@click.argument("run", metavar="NAME")
@project_option
@click.option("--by", "who", required=True, help="Who signs.")
@click.option("--role", required=True, help="As what: data owner, migration lead, board …")
@click.option("--note", default="", help="A sentence to keep with the signature.")
def sign(run: str, folder: Path, who: str, role: str, note: str) -> None:
    """Sign a balanced run's report and close the run."""
    with progress() as shown, open_job(folder, run, shown, known=True) as job:
        since = _still_true(job) if job.ledger.signature(job.run) is None else 0
        path = sign_run(job, who, role, note, decisions_since=since)
    if since:
        click.echo(f"{counted(since, 'decision')} taken since are not in it; the next run takes them up", err=True)
    click.echo(f"signed: {path}")


@click.command()
@click.argument("run", metavar="[NAME]", required=False)
@project_option
@json_option
@click.option("--by", "who", required=True, help="Who accepts it: a name.")
@click.option("--reason", required=True, help="Why; it is kept with the name and the date.")
def accept(run: str | None, folder: Path, as_json: bool, who: str, reason: str) -> None:
    """Accept, in a person's name, what is above the limits of a run.

    NAME is the run (default: the latest). The name, the reason and the date are kept for good and stand in the
    report. The run goes on with `casebridge run`. A larger share than was accepted needs another word.
    """
    with open_job(folder, run, known=True) as job:
        accepted = accept_excess(job, who, reason)
    if as_json:
        show_json([asdict(excess) for excess in accepted])
        return
    for excess in accepted:
        click.echo(f"accepted: {excess}")
    click.echo("`casebridge run` goes on")


def _still_true(job: Job) -> int:
    """What is signed is what the target holds now, not what a file says of it. Returns how many decisions were
    taken after the run: they are not in it, and do not hinder."""
    check_decisions_followed(job, "dedupe")
    if any(run.name == job.run and run.verdict == "rolled back" for run in job.ledger.runs()):
        raise CasebridgeError(
            f"run {job.run} was rolled back", hint="nothing of it stands in the target; run it again, then sign"
        )
    since = decisions_since(job)
    stands = {batch.inputs for batch in job.ledger.sealed(job.run, "dedupe", "crosswalk", "crosswalk")}
    for item in plan_linkage(job):
        if since and item.table != CANDIDATES:
            continue
        # Done for another run, or for this one before its last decisions, is not what was loaded.
        other = item.table == "crosswalk" and stands != {inputs for _, inputs in item.sealed}
        if item.state is State.DONE and not other:
            continue
        what, made_by = "decisions were taken", (Journal(job.ledger).rules(job.run) or {}).get(rule_of("dedupe"))
        if made_by != job.code("dedupe"):
            what = "the code of dedupe has changed"
        hint = "`casebridge run` takes that up; then look at the new report and sign that"
        raise CasebridgeError(f"run {job.run}: {what} since it was loaded", hint=hint)
    run_stage(job, "reconcile")
    return since


COMMANDS: Mapping[str, click.Command] = {"status": status, "report": report, "sign": sign, "accept": accept}
