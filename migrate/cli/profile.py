"""Commands for the first morning: what is in a dump, and a project made from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from casebridge.migrate.cli.options import by_system, json_option, note_passwords
from casebridge.migrate.cli.progress import progress
from casebridge.migrate.cli.render import show_json, show_table
from casebridge.migrate.drafting import draft_project
from casebridge.migrate.profiling import profile_dump
from casebridge.migrate.profiling.compare import compare, read_profile
from casebridge.migrate.profiling.page import profile_page
from casebridge.project.batch import write_text
from casebridge.project.errors import counted
from casebridge.project.private import private_files

_DIR = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


_SCHEMA = click.option(
    "--schema", "schemas", multiple=True, metavar="NAME",
    help="Where a database's tables stand (default: the login's own schema; all, where that has none).",
)  # fmt: skip


@click.command()
@click.argument("dump", metavar="DUMP")
@click.option(
    "--out", type=_DIR, default=Path("profile"), show_default=True, help="Where profile.json and profile.html go."
)
@click.option("--against", type=_FILE, metavar="OLD.json", help="The profile of another extract: what changed.")
@_SCHEMA
@json_option
def profile(dump: str, out: Path, against: Path | None, schemas: tuple[str, ...], as_json: bool) -> None:
    """Show what is in a dump, column by column, without anybody's value.

    DUMP is the folder with the files, or the URL of a database. Nothing there is changed.
    """
    earlier = read_profile(against) if against else None
    with progress() as shown:
        facts = profile_dump(dump, shown, schemas=schemas).facts()
    changes = compare(earlier, facts) if earlier is not None else None
    if changes is not None:
        facts = {**facts, "changes": changes}
    with private_files():
        _write(out, facts, changes)
    if as_json:
        show_json(facts)
        return
    _show(facts)
    for table in facts["tables"]:
        if table["unreadable"]:
            said = f"{counted(table['unreadable'], 'line')} that cannot be read as a record"
            click.echo(f"{table['name']}: {said}", err=True)
    for item in facts["unread"]:
        click.echo(f"not read: {item['file']}: {item['why']}", err=True)
    if changes is not None:
        click.echo(f"{counted(len(changes), 'change')} since {earlier['when'] if earlier else ''}")
    click.echo(f"profile: {out / 'profile.html'}")


def _write(out: Path, facts: Mapping[str, Any], changes: list[dict[str, str]] | None) -> None:
    write_text(out / "profile.json", json.dumps(facts, ensure_ascii=False, indent=1) + "\n")
    write_text(out / "profile.html", profile_page(facts, changes))


def _show(facts: Mapping[str, Any]) -> None:
    table = Table(title=escape(facts["dump"]))
    for heading in ("table", "key", "refers to"):
        table.add_column(heading, overflow="fold")
    for heading in ("rows", "columns", "orphans"):
        table.add_column(heading, justify="right", no_wrap=True)
    for item in facts["tables"]:
        refs = [ref for ref in facts["references"] if ref["table"] == item["name"]]
        orphans = sum(ref["orphan_rows"] for ref in refs)
        to = ", ".join(dict.fromkeys(ref["to_table"] for ref in refs))
        key = ", ".join(item["key"]) + (" (not unique)" if item["unnamed"] else "")
        numbers = (f"{number:,}" for number in (item["rows"], len(item["columns"]), orphans))
        name = item["name"] + (" (view)" if item["view"] else "")
        table.add_row(*map(escape, (name, key or "none", to)), *numbers)
    show_table(table)


@click.command()
@click.argument("folder", metavar="DIR", type=_DIR)
@click.option(
    "--dump", "dumps", multiple=True, required=True, metavar="[NAME=]DUMP",
    help="The folder with the files, or a database's URL. Several systems in one project: NAME=DUMP for each.",
)  # fmt: skip
@click.option("--target", metavar="URL", help="The target database (default: an SQLite file in DIR).")
@click.option("--system", default="legacy", show_default=True, help="What the old system is called.")
@_SCHEMA
def draft(folder: Path, dumps: tuple[str, ...], target: str | None, system: str, schemas: tuple[str, ...]) -> None:
    """Make a first project from what is in a dump, each guess marked.

    Every line that rests on a guess ends in `# guess`. `casebridge check` lists them; take the mark away where a
    guess is right, mend it where it is not.
    """
    with progress() as shown, private_files():
        made = draft_project(folder, by_system(dumps), target, system=system, report=shown, schemas=schemas)
    for item in made.unread:
        click.echo(f"not read: {item}", err=True)
    tables, columns = counted(made.tables, "table"), counted(made.columns, "column")
    click.echo(f"drafted {tables} with {columns} and {counted(made.code_lists, 'code list')}: {made.settings}")
    if made.unmatched:
        waiting = f"{counted(len(made.unmatched), 'table')} that no table of the target is called like"
        click.echo(f"{waiting}, in tables/unmatched: {', '.join(made.unmatched[:8])}")
    note_passwords((*dumps, target or ""))
    if made.people:
        click.echo(f"people: {made.people}")
    click.echo(f"guesses: {made.guesses:,}")
    click.echo("next: `casebridge check`, then `casebridge run`, in that folder", err=True)


COMMANDS: Mapping[str, click.Command] = {"profile": profile, "draft": draft}
