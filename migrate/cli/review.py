"""Commands around people's decisions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from casebridge.dedupe import known_records, undecided
from casebridge.dedupe.review.decision_log import DecisionLog, told
from casebridge.dedupe.review.decisions import read_decisions
from casebridge.migrate.cli.options import json_option, name_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.decision_guard import note_new_log, take_over_old_decisions
from casebridge.migrate.pipeline import open_job
from casebridge.project.audit import login
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@project_option
@json_option
def decide(file: Path, folder: Path, as_json: bool) -> None:
    """Take decisions on pairs from a CSV file.

    FILE has the columns left, right, verdict (same, different, unsure), reviewer, reason. A key is
    system:key, or the bare key when the project has one system. One bad line, and nothing is taken.
    """
    with open_job(folder) as job:
        known = known_records(job)
        if known is None:
            hint = "`casebridge run` first; then `casebridge pairs` lists what waits"
            raise CasebridgeError("nothing is converted yet, so no record is known", hint=hint)
        taken = read_decisions(file, list(job.settings.systems), known.records)
        note_new_log(job)
        decisions = DecisionLog(job.audit_log())
        new = decisions.decide(taken, known.proposed, known.protected)
        waiting = decisions.waiting()
    if as_json:
        show_json({"read": len(taken), "new": new, "waiting_for_second": waiting})
        return
    click.echo(f"{len(taken):,} decisions read, {new:,} of them new; `casebridge run` takes them up")
    if waiting:
        click.echo(told(waiting))


@click.command()
@project_option
@name_option
@json_option
@click.option("--limit", type=click.IntRange(1), help="Only so many, the likeliest.")
def pairs(folder: Path, run: str | None, as_json: bool, limit: int | None) -> None:
    """List the pairs that wait for a decision, as CSV for `casebridge decide`.

    The likeliest first. Keys and probabilities, nothing about the people: look the records up where they
    live. Fill in verdict, reviewer and reason, and hand the file back.
    """
    with open_job(folder, run, alone=False, known=True) as job:
        waiting = undecided(job)
        waiting = waiting.head(limit) if limit else waiting
        _note_export(job, waiting.height)
    if as_json:
        show_json(waiting.select("left", "right", "p_same", "relation", "zone", "guard").to_dicts())
    else:
        click.echo(waiting.write_csv(), nl=False)


def _note_export(job: Job, rows: int) -> None:
    """Who took pairs out stands in the audit log before they leave."""
    try:
        take_over_old_decisions(job)
        job.audit_log(writing=True).note("export", what="pairs", run=job.run, rows=rows, login=login())
    except CasebridgeError as error:
        what = f"the pairs are not given out: this could not be written into the audit log. {error.message}"
        raise CasebridgeError(what, hint=error.hint) from error


COMMANDS: Mapping[str, click.Command] = {"decide": decide, "pairs": pairs}
