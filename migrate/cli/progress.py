"""Progress on stderr: a screen of two lines on a terminal, a line a minute in a pipe.

Rates count what is done now, and not what was done before. The time that is left counts the stages to come by how
long they took the last time they were done whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from time import perf_counter

import click
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from casebridge.migrate.pipeline import StageDone
from casebridge.project.errors import printable

MINUTE = 60.0
LEAST_SECONDS = 1.0
"""Before so much time has gone by, a rate would be a guess."""
_BAR = 16


@dataclass
class Position:
    """Where a command stands: the table in hand, and what is known of the rest. `forecast` has the seconds that
    each stage took when it was last done whole, in their order; `clock` gives seconds."""

    forecast: Mapping[str, float] = field(default_factory=dict)
    clock: object = perf_counter
    stage: str = ""
    table: str = ""
    total: int | None = None
    rows: int = 0
    skipped: int = 0
    left: int = 0
    _began: float = 0.0
    _stage_began: float = 0.0

    def begin(self, stage: str, table: str, total: int | None) -> None:
        """Work on a table begins."""
        moment = self._now()
        if stage != self.stage:
            self._stage_began = moment
        self.stage, self.table, self.total, self._began = stage, table, total, moment
        self.rows = self.skipped = self.left = 0

    @property
    def rate(self) -> float | None:
        """Rows a second that are done now; None as long as it would be a guess."""
        seconds = self._now() - self._began
        done = self.rows - self.skipped
        return done / seconds if seconds >= LEAST_SECONDS and done > 0 else None

    @property
    def table_left(self) -> float | None:
        """Seconds until the table is done, None when nobody can say."""
        return max(0, self.total - self.rows) / self.rate if self.total and self.rate else None

    @property
    def run_left(self) -> float | None:
        """Seconds until the run is done, by what its stages took the last time; None where one was never done."""
        stages = list(self.forecast)
        if self.stage not in stages:
            return None
        spent = self._now() - self._stage_began
        here = max(self.forecast[self.stage] - spent, self.table_left or 0.0)
        return here + sum(self.forecast[stage] for stage in stages[stages.index(self.stage) + 1 :])

    def lines(self, width: int) -> list[str]:
        """The two lines of the screen, neither of them longer than `width`."""
        if not self.stage:
            return []
        share = min(1.0, self.rows / self.total) if self.total else None
        bar = "" if share is None else f" {'━' * round(_BAR * share):·<{_BAR}} {share:4.0%}"
        first = f"{self.stage:<10} {self.table}"
        room = max(12, width - len(bar))
        first = f"{first[: room - 1]}…" if len(first) > room else first
        return [f"{first:<{room}}{bar}"[:width], f"  {self._figures()}"[:width]]

    def sentence(self) -> str:
        """The same in one line, for a log."""
        share = f" ({self.rows / self.total:.0%})" if self.total else ""
        return f"{self.stage} {self.table}: {self._figures()}{share}" if self.stage else "begins"

    def _figures(self) -> str:
        of = f" of {self.total:,}" if self.total else ""
        parts = [f"{self.rows:,}{of} rows"] if self.rows or self.total else [f"at work for {self._clock_text()}"]
        parts += [f"{self.rate:,.0f} rows/s"] if self.rate else []
        parts += [f"run: about {_time(self.run_left)} left"] if self.run_left is not None else []
        parts += [f"{self.left:,} stay behind"] if self.left else []
        return ", ".join(parts)

    def _clock_text(self) -> str:
        return _time(self._now() - self._began)

    def _now(self) -> float:
        return float(self.clock())  # type: ignore[operator]


def _time(seconds: float) -> str:
    """Seconds as a person says them."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole // 60 % 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"


class _Progress:
    """What both ways of showing progress have in common."""

    def __init__(self, position: Position | None = None) -> None:
        self.position = position or Position()

    def expect(self, forecast: Mapping[str, float]) -> None:
        """How long each stage to come took the last time."""
        self.position.forecast = forecast

    def table(self, stage: str, name: str, rows: int | None) -> None:
        """The next table is in hand."""
        self.position.begin(stage, name, rows)

    def advance(self, rows: int, rejected: int = 0) -> None:
        """So many rows more."""
        self.position.rows += rows
        self.position.left += rejected

    def skip(self, rows: int, rejected: int = 0) -> None:
        """So many rows were done before."""
        self.position.skipped += rows
        self.advance(rows, rejected)


class LiveProgress(_Progress):
    """Two lines at the foot of a terminal, whatever its size; what is done scrolls above them."""

    def __init__(self, console: Console, position: Position | None = None) -> None:
        super().__init__(position)
        self._console = console
        self.screen = Live(self, console=console, refresh_per_second=4, transient=True)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        """The two lines as they are now."""
        for line in self.position.lines(options.max_width):
            yield Text(line, no_wrap=True, overflow="crop")

    def note(self, text: str) -> None:
        """A line above the screen."""
        self._console.print(printable(text), style="dim", markup=False, highlight=False)

    def stage_done(self, done: StageDone) -> None:
        """A stage's line stays."""
        self._console.print(_stage_line(done))


class PlainProgress(_Progress):
    """A line a stage, and a line a minute between them, for logs and pipes."""

    def __init__(self, position: Position | None = None, every: float = MINUTE) -> None:
        super().__init__(position)
        self._over, self._every = Event(), every

    def note(self, text: str) -> None:
        """A line on stderr."""
        click.echo(printable(text), err=True)

    def stage_done(self, done: StageDone) -> None:
        """The stage's line."""
        click.echo(Text.from_markup(_stage_line(done)).plain, err=True)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """A line a minute as long as this holds, also while a step says nothing."""
        beat = Thread(target=self._beat, daemon=True)
        beat.start()
        try:
            yield
        finally:
            self._over.set()
            beat.join()

    def _beat(self) -> None:
        while not self._over.wait(self._every):
            self.note(self.position.sentence())


def _stage_line(done: StageDone) -> str:
    tally = done.tally
    left = tally.rejected + tally.held + tally.excluded
    parts = [f"{tally.read:,} rows"]
    parts += [f"{left:,} stay behind"] if left else []
    parts += [f"{tally.merged:,} merged"] if tally.merged else []
    parts += [f"{tally.set_aside:,} values set aside"] if tally.set_aside else []
    how = "" if done.worked or not tally.read else ", all of it done before"
    return f"[green]✓[/] [bold]{done.stage:<10}[/] {', '.join(parts)} [dim]in {done.seconds:.1f} s{how}[/]"


@contextmanager
def progress() -> Iterator[LiveProgress | PlainProgress]:
    """A screen on a terminal, lines elsewhere. Always on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        plain = PlainProgress()
        with plain.beating():
            yield plain
        return
    live = LiveProgress(console)
    with live.screen:
        yield live
