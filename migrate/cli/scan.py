"""`casebridge scan`: the nightly scan of the live register."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from casebridge.dedupe.scan.night import Model
from casebridge.migrate.cli.options import json_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.scanning import scan_project
from casebridge.project.errors import counted


@click.command()
@project_option
@json_option
@click.option("--whole", is_flag=True, help="Read every row, whatever the change dates say.")
@click.option(
    "--model", type=click.Choice([str(model) for model in Model]), default=str(Model.KEPT), show_default=True,
    help="new: fit one to the register as it is now, and link everybody by it.",
)  # fmt: skip
def scan(folder: Path, as_json: bool, whole: bool, model: str) -> None:
    """Look through the live register for people who are in it twice."""
    night = scan_project(folder, whole=whole, model=Model(model), tell=lambda text: click.echo(text, err=True))
    if as_json:
        show_json({"night": night.number, "day": night.day, **night.facts})
        return
    facts = night.facts
    click.echo(f"night {night.number} ({night.day}): {facts['people']:,} people, {facts['changed']:,} changed")
    click.echo(f"{counted(facts['new'], 'new pair')} before the reviewers, {facts['waiting']:,} waiting in all")
    for warning in facts["warnings"]:
        click.echo(f"warning: {warning}", err=True)


COMMANDS: Mapping[str, click.Command] = {"scan": scan}
