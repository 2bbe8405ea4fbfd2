"""The command for code lists: where they stand, what waits to be mapped, who signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
from rich.table import Table

from casebridge.migrate.cli.options import json_option, name_option, project_option
from casebridge.migrate.cli.render import show_json, show_table
from casebridge.migrate.code_lists.signing import ListState, sign_list, states
from casebridge.migrate.code_lists.taking import take_lines
from casebridge.migrate.code_lists.unmapped import unmapped_codes, write_unmapped
from casebridge.migrate.pipeline import open_job
from casebridge.project.audit import login
from casebridge.project.errors import CasebridgeError, counted
from casebridge.project.private import private_files


@click.command()
@project_option
@name_option
@json_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write the codes of a run that no list knows, with their rows, as CSV and XLSX to fill in.",
)  # fmt: skip
@click.option(
    "--take", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Take filled-in lines back."
)
@click.option("--sign", "name", metavar="LIST", help="Sign a list off, as its owner.")
@click.option("--by", "who", default="", help="Who signs.")
@click.option("--role", default="", help="As what: data owner, head of performance …")
def codes(
    folder: Path, run: str | None, as_json: bool, out: Path | None, take: Path | None, name: str | None,
    who: str, role: str,
) -> None:  # fmt: skip
    """Show the code lists: what is unmapped, who signed them, what changed since.

    Lines to fill in go out with --out and come back with --take; --sign LIST --by NAME signs a list off.
    """
    if sum(item is not None for item in (out, take, name)) > 1:
        raise CasebridgeError("--out, --take and --sign are three things", hint="do one at a time")
    if take is not None:
        _take(folder, take)
    elif name is not None:
        with open_job(folder) as job:
            signed = sign_list(job, name, who, role)
        click.echo(f"signed: {signed.code_list}, {counted(len(signed.meanings), 'code')}, by {signed.who}")
    elif out is not None:
        _give_out(folder, run, out)
    else:
        with open_job(folder, run, alone=False) as job:
            found = states(job)
        _show(found, as_json=as_json)


def _take(folder: Path, path: Path) -> None:
    with open_job(folder) as job:
        taken = take_lines(job, path)
    for name, lines in taken.lines.items():
        click.echo(f"{name}: {counted(lines, 'line')} taken")
    if taken.untouched:
        click.echo(f"{counted(taken.untouched, 'line')} not filled in yet", err=True)
    click.echo("`casebridge replay` puts the rows that waited through them", err=True)


def _give_out(folder: Path, run: str | None, out: Path) -> None:
    with open_job(folder, run, alone=False, known=True) as job, private_files():
        found = unmapped_codes(job)
        if found:  # an unmapped code may be anything that somebody typed
            log = job.audit_log(writing=True)
            log.note("export", what="unmapped codes", run=job.run, rows=len(found), login=login())
        paths = write_unmapped(out, found) if found else ()
    rows = counted(sum(item.rows for item in found), "row")
    click.echo(f"{counted(len(found), 'code')} that no list knows, on {rows}")
    for path in paths:
        click.echo(f"to fill in: {path}")


def _show(found: Sequence[ListState], *, as_json: bool) -> None:
    if as_json:
        show_json([state.facts for state in found])
        return
    table = Table(title="code lists")
    for heading in ("list", "owner", "signed", "changed since"):
        table.add_column(heading, overflow="fold")
    for heading in ("codes", "unmapped"):
        table.add_column(heading, justify="right", no_wrap=True)
    for state in found:
        sign = state.signature
        signed = f"{sign.who}, {sign.at[:10]}" if sign else "no"
        changes = "; ".join(state.changes[:3]) + (" …" if len(state.changes) > 3 else "")
        numbers = (f"{len(state.used.lines):,}", f"{state.used.unmapped:,}")
        table.add_row(state.used.name, ", ".join(state.used.owners), signed, changes, *numbers)
    show_table(table)


COMMANDS: Mapping[str, click.Command] = {"codes": codes}
