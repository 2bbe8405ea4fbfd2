"""`casebridge scan`: the nightly scan of the live register."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

from casebridge.dedupe.scan.night import Preview
from casebridge.dedupe.scan.steps import Model
from casebridge.migrate.cli.options import json_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.scanning import absent_chores, chores_of, preview_scan, scan_project
from casebridge.project.errors import counted


@click.command()
@project_option
@json_option
@click.option("--whole", is_flag=True, help="Read every row, whatever the change dates say.")
@click.option(
    "--model", type=click.Choice([str(model) for model in Model]), default=str(Model.KEPT), show_default=True,
    help="new: fit one to the register as it is now, and link everybody by it.",
)  # fmt: skip
@click.option("--replaced", is_flag=True, help="Go on though many records that the last scan knew are gone.")
@click.option("--chores", is_flag=True, help="List the keys of each chore, as the last scan found them.")
@click.option(
    "--dry-run", is_flag=True, help="Say which pairs would come to the desk and go from it; write nothing."
)
def scan(
    folder: Path, as_json: bool, whole: bool, model: str, replaced: bool, dry_run: bool, chores: bool
) -> None:
    """Look through the live register for people who are in it twice."""
    if chores:
        _chores(folder, as_json)
        return
    how: dict[str, Any] = {"whole": whole, "model": Model(model), "replaced": replaced}
    how["tell"] = partial(click.echo, err=True)
    if dry_run:
        _preview(preview_scan(folder, **how), as_json)
        return
    night = scan_project(folder, **how)
    if as_json:
        show_json(night.plain())
        return
    click.echo(f"night {night.night} ({night.day}): {night.people:,} people, {night.changed:,} changed")
    click.echo(f"{counted(night.new, 'new pair')} before the reviewers, {night.waiting:,} waiting in all")
    for name, counts in night.registers.items():
        click.echo(f"{name}: " + ("not read" if counts is None else _of_register(counts)))
    for warning in night.warnings:
        click.echo(f"warning: {warning}", err=True)


def _of_register(counts: Mapping[str, int]) -> str:
    read = f"{counts['records']:,} records, {counts['changed']:,} changed"
    return f"{read}; {counted(counts['new'], 'new pair')}, {counts['waiting']:,} waiting in all"


def _chores(folder: Path, as_json: bool) -> None:
    lists, absent = chores_of(folder), absent_chores(folder)
    if as_json:
        show_json(lists)
        return
    for name, keys in lists.items():
        for key in keys if keys is not None else (absent.get(name) or "not read",):
            click.echo(f"{name},{key}")


def _preview(found: Preview, as_json: bool) -> None:
    if as_json:
        show_json({"come": found.come, "go": found.go, "waiting": found.waiting})
        return
    click.echo(
        f"{counted(len(found.come), 'pair')} would come, {len(found.go):,} would go, {found.waiting:,} wait"
    )


COMMANDS: Mapping[str, click.Command] = {"scan": scan}
