"""Commands around people's decisions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from dedupe.review.decisions import decide as append_decisions
from dedupe.review.decisions import read_decisions
from migrate.cli.options import json_option, project_option
from migrate.cli.render import show_json
from migrate.pipeline import open_job


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
        taken = read_decisions(file, list(job.settings.systems))
        control = job.open_control()
        try:
            new = append_decisions(control, taken)
        finally:
            control.dispose()
    if as_json:
        show_json({"read": len(taken), "new": new})
    else:
        click.echo(f"{len(taken):,} decisions read, {new:,} of them new; `casebridge run` takes them up")


COMMANDS: Mapping[str, click.Command] = {"decide": decide}
