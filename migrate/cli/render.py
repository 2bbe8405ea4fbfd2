"""What the command line shows: progress on stderr, tables and JSON on stdout."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from casebridge.migrate.pipeline import StageDone

SHOWN_CAUSES = 3
"""How many causes of a spec the terminal lists; the report has all."""
PLACES = ("loaded", "merged", "combined", "rejected", "excluded", "held")


class _Rate(ProgressColumn):
    """Rows a second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} rows/s" if speed else "", style="dim")


class LiveProgress:
    """One bar a table: rows, rate, time left, and how many stayed behind."""

    def __init__(self, console: Console) -> None:
        self.bars = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("[bold]{task.fields[stage]:<10}[/] {task.description:<24}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Rate(),
            TextColumn("[yellow]{task.fields[left]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console,
        )
        self._task: Any = None
        self._left = 0

    def table(self, stage: str, name: str, rows: int | None) -> None:
        """A bar for the next table; the one before is finished."""
        self.finish()
        self._left = 0
        self._task = self.bars.add_task(name, total=rows, stage=stage, left="")

    def advance(self, rows: int, rejected: int = 0) -> None:
        """Move the bar on."""
        if self._task is None:
            return
        self._left += rejected
        text = f"{self._left:,} stay behind" if self._left else ""
        self.bars.update(self._task, advance=rows, left=text)

    def skip(self, rows: int, rejected: int = 0) -> None:
        """Move the bar on."""
        self.advance(rows, rejected)

    def note(self, text: str) -> None:
        """A line above the bars."""
        self.bars.console.print(text, style="dim")

    def stage_done(self, done: StageDone) -> None:
        """The stage's bars give way to one line."""
        self.finish()
        for task in list(self.bars.task_ids):
            self.bars.remove_task(task)
        self.bars.console.print(_stage_line(done))

    def finish(self) -> None:
        """The table in hand is done."""
        if self._task is not None:
            task = next(t for t in self.bars.tasks if t.id == self._task)
            self.bars.update(self._task, total=task.completed, completed=task.completed)
        self._task = None


class PlainProgress:
    """A line a stage, for logs and pipes."""

    def table(self, stage: str, name: str, rows: int | None) -> None:
        """Nothing: a log needs no bars."""

    def advance(self, rows: int, rejected: int = 0) -> None:
        """Nothing."""

    def skip(self, rows: int, rejected: int = 0) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """A line on stderr."""
        click.echo(text, err=True)

    def stage_done(self, done: StageDone) -> None:
        """The stage's line."""
        click.echo(Text.from_markup(_stage_line(done)).plain, err=True)


def _stage_line(done: StageDone) -> str:
    tally = done.tally
    left = tally.rejected + tally.held + tally.excluded
    parts = [f"{tally.read:,} rows"]
    parts += [f"{left:,} stay behind"] if left else []
    parts += [f"{tally.merged:,} merged"] if tally.merged else []
    parts += [f"{tally.set_aside:,} values set aside"] if tally.set_aside else []
    return f"[green]✓[/] [bold]{done.stage:<10}[/] {', '.join(parts)} [dim]in {done.seconds:.1f} s[/]"


@contextmanager
def progress() -> Iterator[LiveProgress | PlainProgress]:
    """Bars on a terminal, lines elsewhere. Always on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield PlainProgress()
        return
    live = LiveProgress(console)
    with live.bars:
        yield live
        live.finish()


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
        word = f"accepted by {line['accepted_by']}: {line['reason']}" if line["accepted_by"] else "not accepted"
        share = f"{line['rows']:,} of {line['asked']:,} rows {line['kind'].replace('_', ' ')}"
        console.print(f"limit passed: {line['name']}, {share} (agreed {100 * line['limit']:.1f} %); {word}")
    if undecided:
        console.print(f"{undecided:,} pairs of records wait for a decision; until then they stay apart")


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
