"""The command that tells where each legacy key went."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from casebridge.load import every_key
from casebridge.migrate.cli.options import name_option, project_option
from casebridge.migrate.pipeline import open_job
from casebridge.project.audit import login
from casebridge.project.batch import write_text
from casebridge.project.csv_cells import csv_text
from casebridge.project.errors import CasebridgeError, counted, did_you_mean


@click.command()
@click.argument("table")
@project_option
@name_option
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="The CSV file, not stdout."
)
def crosswalk(table: str, folder: Path, run: str | None, out: Path | None) -> None:
    """Say where each legacy key of a target table went, as CSV.

    Its system and source, the record it became, the id in the target, and its place where it stayed behind. Keys
    and ids only.
    """
    with open_job(folder, run, alone=False, known=True) as job:
        filled = {spec.target for spec in job.specs}
        if table not in filled:
            raise CasebridgeError(f"no spec fills a table `{table}`", hint=did_you_mean(table, filled))
        keys = every_key(job, table)
        job.audit_log(writing=True).note("export", what="crosswalk", run=job.run, rows=keys.height, login=login())
        text = csv_text(keys.columns, keys.iter_rows())
        if out:
            write_text(out, text)
    if out:
        click.echo(f"{counted(keys.height, 'key')} in {out}")
    else:
        click.echo(text, nl=False)


COMMANDS: Mapping[str, click.Command] = {"crosswalk": crosswalk}
