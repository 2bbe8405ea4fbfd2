"""What the command line shows on stdout: tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from casebridge.project.errors import counted, printable

SHOWN_CAUSES = 3
"""How many causes of a spec the terminal lists; the report has all."""
PLACES = ("loaded", "merged", "combined", "rejected", "excluded", "held")


def show_json(value: object) -> None:
    """A result as JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def wide_console() -> Console:
    """A console for tables: in a pipe, wide enough to cut no name."""
    console = Console()
    return console if console.is_terminal else Console(width=max(console.width, 120))


def show_balance(report: Mapping[str, Any]) -> None:
    """The books as tables: by source, by spec, by target; and the verdict."""
    console = wide_console()
    console.print(_sources(report["sources"]))
    console.print(_specs(report.get("specs", ())))
    console.print(_targets(report["targets"]))
    undecided = report.get("undecided_pairs", 0)
    colour = "green" if report["verdict"] == "balanced" else "red"
    console.print(f"run [bold]{report['run']}[/]: [{colour} bold]{report['verdict']}[/]")
    unread = [f"{line['system']}/{line['file']}" for line in report.get("unread_files", ())]
    if unread:
        console.print(f"no spec reads {', '.join(unread[:8])}" + (" …" if len(unread) > 8 else ""))
    for line in report.get("limits", ()):
        said = escape(printable(f"{line['accepted_by']}: {line['reason']}"))
        word = f"accepted by {said}" if line["accepted_by"] else "not accepted"
        share = f"{line['rows']:,} of {line['asked']:,} rows {line['kind'].replace('_', ' ')}"
        console.print(f"limit passed: {line['name']}, {share} (agreed {100 * line['limit']:.1f} %); {word}")
    if undecided:
        console.print(f"{undecided:,} pairs of records wait for a decision; until then they stay apart")
    for outcome, groups in report.get("decided_but_not_folded", {}).items():
        console.print(f"{counted(groups, 'group')} decided same, not folded: {outcome}")


def _sources(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        title="extracted = loaded + merged + combined + rejected + excluded + held",
        show_footer=True,
        title_justify="left",
    )
    numbers = ("extracted", *PLACES, "unexplained")
    table.add_column("source", footer="all", no_wrap=True)
    for name in numbers:
        total = sum(row[name] for row in rows)
        table.add_column(name, justify="right", footer=_figure(name, total), no_wrap=True)
    several = len({row["system"] for row in rows}) > 1
    for row in rows:
        name = f"{row['system']}.{row['source']}" if several else row["source"]
        table.add_row(name, *(_figure(name, row[name]) for name in numbers))
    return table


def _specs(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="asked = loaded + merged + combined + rejected + excluded + held", title_justify="left")
    numbers = ("asked", *PLACES, "unexplained", "not_asked")
    table.add_column("spec", no_wrap=True)
    for name in numbers:
        table.add_column(name.replace("_", " "), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(row["spec"], *(_figure(name, row[name]) for name in numbers))
        for cause in row["causes"][:SHOWN_CAUSES]:
            where = f" ({cause['column']})" if cause["column"] else ""
            cells = {cause["place"]: f"[dim]{cause['rows']:,}[/]"}
            label = f"[dim]  {cause['cause']}{where}[/]"
            table.add_row(label, *(cells.get(name, "") for name in numbers))
        if len(row["causes"]) > SHOWN_CAUSES:
            table.add_row(f"[dim]  and {len(row['causes']) - SHOWN_CAUSES} more, in the report[/]")
    return table


def _targets(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="every target row explained by its source rows", title_justify="left")
    table.add_column("target")
    for name in ("rows", "explained", "unexplained"):
        table.add_column(name, justify="right")
    for row in (row for row in rows if row["rows"] or row["unexplained"]):
        table.add_row(row["target"], *(_figure(name, row[name]) for name in ("rows", "explained", "unexplained")))
    return table


def _figure(name: str, value: int) -> str:
    if name == "unexplained":
        return f"[bold green]{value:,}[/]" if value == 0 else f"[bold red]{value:,}[/]"
    return f"{value:,}" if value else "[dim]·[/]"
