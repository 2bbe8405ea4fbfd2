"""The command that writes the mapping as a document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from casebridge.migrate.cli.options import json_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.mapping.compare import changes
from casebridge.migrate.mapping.facts import mapping_facts, read_mapping
from casebridge.migrate.mapping.page import mapping_page
from casebridge.migrate.pipeline import open_job
from casebridge.project.batch import write_text
from casebridge.project.errors import counted
from casebridge.project.job import Job
from casebridge.project.private import private_files


@click.command()
@click.argument("run", metavar="[NAME]", required=False)
@project_option
@click.option("--against", metavar="RUN", help="Another run: what changed between its mapping and this one.")
@json_option
def mapping(run: str | None, folder: Path, against: str | None, as_json: bool) -> None:
    """Write the mapping of a run as a document, and compare it with another's.

    NAME is the run (default: the latest). The page says of every source column where it went, through which steps
    and codes, or why it was dropped, with the run's counts. Each run keeps the mapping that its rows went through.
    """
    with open_job(folder, run, alone=False, known=True) as job:
        facts = _facts(job, kept=run is not None)
        changed = changes(read_mapping(job.settings.reports, against), facts) if against else None
        path = job.settings.reports / job.run / "mapping.html"
        with private_files(shared=job.settings.shared_group):
            write_text(path, mapping_page(facts, _report(job), against or "", changed))
    if as_json:
        show_json({**facts, **({"against": against, "changes": changed} if against else {})})
        return
    for line in changed or ():
        click.echo(f"{line['rule']}\n  - {line['then'] or 'none'}\n  + {line['now'] or 'none'}")
    if changed is not None:
        click.echo(f"{counted(len(changed), 'rule')} changed since {against}")
    click.echo(f"mapping: {path}")


def _facts(job: Job, *, kept: bool) -> Mapping[str, Any]:
    """The mapping that a run kept; of the latest one, which has kept none yet, what the files say now."""
    there = (job.settings.reports / job.run / "mapping.json").is_file()
    return read_mapping(job.settings.reports, job.run) if kept or there else mapping_facts(job)


def _report(job: Job) -> Mapping[str, Any] | None:
    path = job.settings.reports / job.run / "report.json"
    found: dict[str, Any] | None = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
    return found


COMMANDS: Mapping[str, click.Command] = {"mapping": mapping}
