"""Commands for targets that their supplier loads himself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path

import click

from casebridge.dedupe.mosaic_merges import later_merges, write_later_merges
from casebridge.load import handover as rooms
from casebridge.migrate.cli.options import json_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.pipeline import open_job
from casebridge.project.audit import login
from casebridge.project.errors import printable
from casebridge.project.job import Job
from casebridge.project.journal import Journal
from casebridge.reconciliation.checks import run_checks
from casebridge.reconciliation.counting.recount import recount
from casebridge.reconciliation.findings import Finding, Outcome

_DIR = click.Path(path_type=Path, file_okay=False)


@click.group()
def handover() -> None:
    """Hand a run over as files, where the supplier loads them, and compare his read-back."""


@handover.command()
@click.argument("run", metavar="NAME")
@project_option
def prepare(run: str, folder: Path) -> None:
    """Write the files of a balanced run, with their manifest."""
    with open_job(folder, run, known=True) as job:
        made = rooms.prepare(job)
        job.audit_log().note("export", what="handover", run=job.run, login=login())
    click.echo(f"prepared: {made}")


@handover.command()
@click.argument("run", metavar="NAME")
@project_option
@click.option("--to", "who", required=True, help="Who has the files now.")
def handed(run: str, folder: Path, who: str) -> None:
    """Note that the files, unchanged, are with the supplier."""
    with open_job(folder, run, known=True) as job:
        rooms.handed(job, who)
    click.echo(printable(f"handed over: run {run}, to {who}"))


@handover.command()
@click.argument("run", metavar="NAME")
@click.argument("readback", metavar="READBACK_DIR", type=_DIR)
@project_option
@json_option
@click.option("--by", "who", default="", help="Who takes the read-back in.")
def acknowledge(run: str, readback: Path, folder: Path, as_json: bool, who: str) -> None:
    """Compare the supplier's read-back, row for row, with what was handed over."""
    with open_job(folder, run, known=True) as job:
        url = rooms.take_readback(job, readback)
        found = _compared(replace(job, settings=replace(job.settings, target_url=url)))
        state = rooms.acknowledged(job, who, same=not found)
    if as_json:
        show_json({"run": run, "state": state, "differences": [finding.as_dict() for finding in found]})
    else:
        for finding in found:
            both = f"expected {finding.expected}, read back {finding.actual}"
            click.echo(f"{finding.table}: {finding.check}: {both}")
        click.echo(f"{state}: run {run}")
    if found:
        click.get_current_context().exit(6)


def _compared(job: Job) -> list[Finding]:
    """What reconciliation finds wrong with the read-back: tables and counts, never a value."""
    return [finding for finding in run_checks(recount(job)) if finding.verdict is Outcome.FAILED]


@handover.command()
@click.argument("run", metavar="NAME")
@project_option
@json_option
def show(run: str, folder: Path, as_json: bool) -> None:
    """Show how far a run's hand-over has come, from the ledger."""
    with open_job(folder, run, alone=False, known=True) as job:
        states = Journal(job.ledger).handovers(job.run)
    if as_json:
        show_json([asdict(state) for state in states])
        return
    for state in states:
        click.echo(printable(f"{state.at}: {state.state}" + (f", {state.who}" if state.who else "")))


@handover.command()
@click.argument("run", metavar="NAME")
@project_option
@json_option
def merges(run: str, folder: Path, as_json: bool) -> None:
    """Write the merges that are left for Mosaic's administrators: source, target, blockers, what to do by hand."""
    with open_job(folder, run, known=True) as job:
        found = later_merges(job)
        job.audit_log().note("export", what="later merges", run=job.run, rows=len(found), login=login())
        path = write_later_merges(job, found)
    if as_json:
        show_json([asdict(one) for one in found])
        return
    counts = Counter(one.do for one in found)
    said = ", ".join(f"{count} to {word}" for word, count in sorted(counts.items())) or "nothing is left to do"
    click.echo(f"{path}: {said}")


COMMANDS: Mapping[str, click.Command] = {"handover": handover}
