"""The command that hands out what stayed behind, and takes back what was mended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from casebridge.migrate.cli.options import json_option, name_option, project_option
from casebridge.migrate.cli.render import show_json
from casebridge.migrate.pipeline import open_job
from casebridge.migrate.quarantine.give_out import Wanted, give_out
from casebridge.migrate.quarantine.take_back import take_back
from casebridge.project.errors import counted


@click.command()
@project_option
@name_option
@json_option
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Where the workbooks go. They hold people's data.",
)  # fmt: skip
@click.option(
    "--back", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Take a workbook back: what was filled in becomes corrections.",
)  # fmt: skip
@click.option("--table", default="", help="Only what stayed behind of this spec or source.")
@click.option("--rule", default="", help="Only what broke this rule.")
@click.option("--owner", default="", help="Only what this owner answers for.")
@click.option(
    "--restricted", is_flag=True, help="Only rows of restricted records, which are left out else: for the cleared."
)
def quarantine(
    folder: Path, run: str | None, as_json: bool, out: Path | None, back: Path | None, table: str, rule: str,
    owner: str, restricted: bool,
) -> None:  # fmt: skip
    """Write what stayed behind into a workbook for each owner.

    Row, line, key, column, value and the rule in plain words. Rows of restricted records are in a workbook of
    their own, which only --restricted writes. What the old system can no longer mend comes back as corrections.
    """
    if (out is None) == (back is None):
        raise click.UsageError("say --out DIR, or --back FILE")
    if back is not None:
        _take_back(folder, run, back)
        return
    assert out is not None
    with open_job(folder, run, alone=False, known=True) as job:
        given = give_out(job, out, Wanted(table, rule, owner, restricted))
    if as_json:
        books = [{"owner": b.owner, "path": str(b.path), "lines": b.lines} for b in given.workbooks]
        show_json({"workbooks": books, "hidden": given.hidden})
        return
    for book in given.workbooks:
        click.echo(f"{book.owner}: {counted(book.lines, 'line')} in {book.path}")
    if given.hidden:
        what = f"{counted(given.hidden, 'line')} of records that not everybody may see"
        click.echo(f"{what}: left out; --restricted writes them", err=True)
    click.echo("the workbooks hold people's data: delete them when the work is done", err=True)


def _take_back(folder: Path, run: str | None, workbook: Path) -> None:
    with open_job(folder, run) as job:
        taken = take_back(job, workbook)
    if taken.path:
        click.echo(f"{counted(taken.lines, 'correction')} in {taken.path}; next: `casebridge replay`")
    else:
        click.echo("nothing new was filled in")
    if taken.untouched:
        click.echo(f"{counted(taken.untouched, 'line')} nobody has come to yet", err=True)


COMMANDS: Mapping[str, click.Command] = {"quarantine": quarantine}
