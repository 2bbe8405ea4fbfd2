"""Commands that make and check projects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click

from casebridge.migrate.cli.options import by_system, json_option, note_passwords, project_option
from casebridge.migrate.cli.progress import progress
from casebridge.migrate.cli.render import show_balance, show_json
from casebridge.migrate.cli.run import do_run
from casebridge.migrate.demo_nights import nights_of
from casebridge.migrate.drafting.guesses import guesses
from casebridge.migrate.live_check import check_live, was_scanned
from casebridge.migrate.live_register import init_scan, scans_only
from casebridge.migrate.pipeline import check as check_project
from casebridge.migrate.projects import init_project
from casebridge.project.batch import write_text
from casebridge.project.errors import CasebridgeError, counted
from casebridge.synthetic import Summary, make_council

_DIR = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("folder", metavar="DIR", type=_DIR)
@click.option("--people", type=click.IntRange(500), required=True, help="Person rows to make, about.")
@click.option("--records", type=click.IntRange(1), help="Rows over all tables, about (default: some 16 a person).")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same bytes.")
@json_option
def synth(folder: Path, people: int, records: int | None, seed: int, as_json: bool) -> None:
    """Write a made-up council's CareFirst dump, with the truth beside it."""
    made = _make(folder, people, records, seed)
    if as_json:
        show_json({key: str(value) if isinstance(value, Path) else value for key, value in asdict(made).items()})
        return
    click.echo(f"dump:  {folder / 'dump'}")
    click.echo(f"truth: {folder / 'truth'}")


def _make(folder: Path, people: int, records: int | None, seed: int) -> Summary:
    if folder.exists() and any(folder.iterdir()):
        raise CasebridgeError(f"{folder} is not empty", hint="name a new folder; nothing was changed")
    with progress() as shown:
        shown.table("synth", "council", None)

        def report(_: str, rows: int) -> None:
            shown.advance(rows)

        return make_council(folder, people=people, records=records, seed=seed, progress=report)


@click.command()
@click.argument("folder", metavar="DIR", type=_DIR)
@click.option(
    "--dump", "dumps", multiple=True, metavar="[NAME=]FOLDER",
    help="The folder with the dump's files, or a database's URL. Councils that merge: NAME=FOLDER for each.",
)  # fmt: skip
@click.option(
    "--scan", "live", metavar="URL",
    help="No dump, but a live register, for `casebridge scan` alone: its tables are reflected.",
)  # fmt: skip
@click.option("--target", metavar="URL", help="The target database (default: an SQLite file in DIR).")
def init(folder: Path, dumps: tuple[str, ...], live: str | None, target: str | None) -> None:
    """Make a migration project for a dump."""
    if live is not None and not dumps:
        drafted = init_scan(folder, live)
        click.echo(f"made {drafted.path}: people in {drafted.table}, {counted(len(drafted.roles), 'role')}")
        click.echo(
            "next: read [scan] in linkage.toml, then `casebridge check` and `casebridge scan` there", err=True
        )
        return
    if not dumps:
        raise CasebridgeError("nothing says where the records are", hint="--dump FOLDER, or --scan URL")
    click.echo(f"made {init_project(folder, by_system(dumps), target)}")
    note_passwords((*dumps, target or ""))
    click.echo("next: `casebridge check`, then `casebridge run`, in that folder", err=True)


@click.command()
@project_option
@json_option
def check(folder: Path, as_json: bool) -> None:
    """Read every spec and reach every database; list all problems at once."""
    notes: list[str] = []
    problems = [] if scans_only(folder) else check_project(folder, notes)
    problems += check_live(folder, notes) if scans_only(folder) or was_scanned(folder) else ()
    if as_json:
        show_json({"problems": problems, "notes": notes, "guesses": [asdict(item) for item in guesses(folder)]})
    for note in () if as_json else notes:
        click.echo(f"note: {note}", err=True)
    for problem in () if as_json else problems:
        click.echo(problem)
    if problems:
        click.echo(f"{counted(len(problems), 'problem')}; nothing was read in or written", err=True)
        click.get_current_context().exit(2)
    click.echo("all specs, code lists, source files and databases are sound", err=True)


@click.command()
@click.argument("folder", metavar="[DIR]", type=_DIR, default=Path("demo"), required=False)
@click.option("--people", type=click.IntRange(500), default=2_000, show_default=True, help="Person rows to make.")
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same report.")
@click.option(
    "--nights", type=click.IntRange(0, 60), default=0, show_default=True,
    help="Days on which staff then work, each with its nightly scan.",
)  # fmt: skip
@json_option
def demo(folder: Path, people: int, seed: int, nights: int, as_json: bool) -> None:
    """Make a council, migrate it, and show that the books balance."""
    made_from = {"people": people, "seed": seed}
    marker = folder / "demo.json"
    if not marker.is_file():
        _make(folder, people, None, seed)
        init_project(folder / "project", folder / "dump")
        write_text(marker, json.dumps(made_from) + "\n")
    elif json.loads(marker.read_text(encoding="utf-8")) != made_from:
        raise CasebridgeError(
            f"{folder} holds a demo of another size or seed", hint="name another folder, or remove this one"
        )
    report = do_run(folder / "project", None, None, None)
    if as_json:
        show_json(report)
    else:
        show_balance(report)
        click.echo(f"report: {folder / 'project' / 'reports' / report['run'] / 'report.html'}")
        click.echo(f"decide pairs in the browser: casebridge review --project {folder / 'project'}", err=True)
    for line in nights_of(folder / "project", nights, seed) if nights else ():
        click.echo(line, err=as_json)


COMMANDS: Mapping[str, click.Command] = {"demo": demo, "synth": synth, "init": init, "check": check}
