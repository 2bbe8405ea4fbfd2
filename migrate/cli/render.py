"""What the command line shows on stdout: tables and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table

from casebridge.project.errors import counted, printable

SHOWN_CAUSES = 3
"""How many causes of a spec the terminal lists; the report has all."""
_WIDEST, _FOLDED = 10_000, 12
"""Characters: no table is as wide; as narrow as this a name is folded in a terminal."""
_BROKEN = {word: f"{word[:at]}-\n{word[at:]}" for word, at in (
    ("extracted", 2), ("combined", 3), ("rejected", 2), ("excluded", 2), ("unexplained", 4), ("explained", 2),
)}  # fmt: skip
"""Headings of a table that is set close."""
PLACES = ("loaded", "merged", "combined", "rejected", "excluded", "held")


def show_json(value: object) -> None:
    """A result as JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=1))


def show_table(table: Table) -> None:
    """A table on stdout, of which no figure is cut: in a pipe as wide as it is. In a terminal names are folded,
    and where that is not enough, the table is set close and its headings are broken."""
    console = Console()
    if not console.is_terminal:
        Console(width=_width(table)).print(table)
        return
    if _width(table, _FOLDED) > console.width:
        table.box, table.padding = box.SIMPLE_HEAD, (0, 0)
        for column in table.columns:
            column.header = _BROKEN.get(str(column.header), str(column.header).replace(" ", "\n"))
    Console(width=max(console.width, _width(table, _FOLDED))).print(table)


def _width(table: Table, folded: int | None = None) -> int:
    """How wide a table is, in characters; the columns that fold no wider than `folded`."""
    folding = [column for column in table.columns if not column.no_wrap]
    for column in folding:
        column.max_width = folded
    wide = Console(width=_WIDEST)
    found = Measurement.get(wide, wide.options, table).maximum
    for column in folding:
        column.max_width = None
    return found


def show_balance(report: Mapping[str, Any]) -> None:
    """The books as tables: by source, by spec, by target; and the verdict."""
    show_table(_sources(report["sources"]))
    show_table(_specs(report.get("specs", ())))
    show_table(_targets(report["targets"]))
    console = Console(soft_wrap=True)
    undecided = report.get("undecided_pairs", 0)
    colour = "green" if report["verdict"] == "balanced" else "red"
    console.print(f"run [bold]{report['run']}[/]: [{colour} bold]{report['verdict']}[/]")
    unread = [f"{line['system']}/{line['file']}" for line in report.get("unread_files", ())]
    if unread:
        console.print(escape(printable(f"no spec reads {', '.join(unread[:8])}" + " …" * (len(unread) > 8))))
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
    table.add_column("source", footer="all", overflow="fold")
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
    table.add_column("spec", overflow="fold")
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
    table.add_column("target", overflow="fold")
    for name in ("rows", "explained", "unexplained"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in (row for row in rows if row["rows"] or row["unexplained"]):
        table.add_row(row["target"], *(_figure(name, row[name]) for name in ("rows", "explained", "unexplained")))
    return table


def _figure(name: str, value: int) -> str:
    if name == "unexplained":
        return f"[bold green]{value:,}[/]" if value == 0 else f"[bold red]{value:,}[/]"
    return f"{value:,}" if value else "[dim]·[/]"
