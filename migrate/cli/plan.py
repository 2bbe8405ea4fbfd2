"""What a run would do, and the freeze before the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from casebridge.migrate.cli.options import json_option, project_option
from casebridge.migrate.cli.render import show_json, show_table
from casebridge.migrate.pipeline import open_job
from casebridge.migrate.plan import StagePlan
from casebridge.migrate.run_guards import accept_code
from casebridge.migrate.run_guards import freeze as freeze_rules
from casebridge.project.audit import login
from casebridge.project.batch import digest
from casebridge.project.journal import AcceptedCode, Journal
from casebridge.project.plan import State, TablePlan


def show_plan(run: str, stages: Sequence[StagePlan], *, as_json: bool) -> None:
    """The plan as a table, or as JSON."""
    if as_json:
        show_json({"run": run, "stages": [_stage_dict(stage) for stage in stages]})
        return
    table = Table(title=f"what run {run} would do")
    for heading in ("stage", "table", "state", "batches"):
        table.add_column(heading)
    table.add_column("rows", justify="right", no_wrap=True)
    for stage in stages:
        for item in stage.tables:
            rows = f"{item.rows:,}" if item.state is State.PENDING and item.rows is not None else ""
            rows = f"about {rows}" if rows and item.about else rows
            table.add_row(stage.stage, item.table, str(item.state), _numbers(item.batches), rows)
    show_table(table)
    for stage in stages:
        click.echo(_time(stage))


def _time(stage: StagePlan) -> str:
    if stage.state is State.DONE:
        return f"{stage.stage}: nothing to do"
    if stage.last is None or stage.seconds is None:
        return f"{stage.stage}: {stage.state}; never measured"
    last = f"{stage.last.seconds:,.1f} s for {stage.last.worked:,} rows in {stage.last.run}"
    return f"{stage.stage}: {stage.state}; about {stage.seconds:,.1f} s (last time {last})"


def _numbers(batches: Sequence[int]) -> str:
    """`0-7, 9`: batch numbers as ranges."""
    runs: list[list[int]] = []
    for number in batches:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}-{last}" if last > first else str(first) for first, last in runs)


def _stage_dict(stage: StagePlan) -> dict[str, Any]:
    last = stage.last
    return {
        "stage": stage.stage,
        "state": str(stage.state),
        "expected_seconds": None if stage.seconds is None else round(stage.seconds, 3),
        "last": last and {"run": last.run, "rows": last.worked, "seconds": round(last.seconds, 3)},
        "tables": [_table_dict(item) for item in stage.tables],
    }


def _table_dict(item: TablePlan) -> dict[str, Any]:
    return {"table": item.table, "state": str(item.state), "batches": list(item.batches), "rows": item.rows,
            "rows_are_about": item.about}  # fmt: skip


@click.command()
@click.argument("run", metavar="[NAME]", required=False)
@project_option
@json_option
@click.option("--lift", is_flag=True, help="Let rules be changed again.")
@click.option("--accept-code", "accept", is_flag=True, help="Take other code than the rehearsal's for the freeze.")
@click.option("--by", "who", metavar="NAME", help="Who accepts the code.")
@click.option("--reason", metavar="TEXT", help="Why it may be another.")
def freeze(
    run: str | None, folder: Path, as_json: bool, lift: bool, accept: bool, who: str | None, reason: str | None
) -> None:
    """Hold the rules as a rehearsal had them, until it is lifted.

    NAME is the rehearsal (default: the latest run). Specs, code lists, linkage.toml, target.toml, how the
    systems' files are written and the code of each stage are held; data and people's decisions are not.
    """
    name, why = (who or "").strip(), (reason or "").strip()
    if accept and (lift or run):
        raise click.UsageError("--accept-code speaks of the freeze that holds: it goes with no NAME and no --lift")
    if accept is not bool(name and why) or (not accept and (who or reason)):
        raise click.UsageError("--accept-code, --by NAME and --reason TEXT go together, and none may be blank")
    with open_job(folder, run, known=not lift and not accept) as job:
        journal = Journal(job.ledger)
        if lift:
            job.audit_log().note("freeze lifted", run=job.run, login=login())
            journal.freeze(job.run, None)
        elif accept:
            accept_code(job, name, why)
            job.audit_log().note("code accepted", run=job.run, who=name, why=why, login=login())
        else:
            now_held = freeze_rules(job)
            job.audit_log().note("freeze", run=job.run, rules=digest(dict(now_held.files)), login=login())
        frozen, accepted = journal.frozen(), journal.accepted_code()
    if as_json:
        said = [asdict(item) for item in accepted]
        held = frozen and {"run": frozen.run, "at": frozen.at, "files": dict(frozen.files), "accepted": said}
        show_json({"frozen": held})
    elif frozen:
        click.echo(f"frozen: {len(frozen.files):,} rules as run {frozen.run} had them; no run goes by others")
        show_accepted(accepted)
    else:
        click.echo("no freeze: rules may be changed")


def show_accepted(accepted: Sequence[AcceptedCode]) -> None:
    """What a person took of other code than the rehearsal's."""
    for item in accepted:
        click.echo(f"accepted {item.at} by {item.who}: other code of {', '.join(item.stages)} ({item.reason})")


COMMANDS: Mapping[str, click.Command] = {"freeze": freeze}
