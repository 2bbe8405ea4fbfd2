"""Progress says what is so: on a terminal of 80 by 24, in a pipe, and in the log."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest
from rich.console import Console

from casebridge.migrate.cli.progress import LiveProgress, PlainProgress, Position
from casebridge.migrate.cli.render import show_balance
from casebridge.migrate.pipeline import StageDone
from casebridge.project.tally import Tally
from tests.kin import Kin, make_kin, person

FORECAST = {"extract": 60.0, "transform": 120.0, "dedupe": 30.0, "load": 300.0, "reconcile": 90.0}


class Clock:
    """Seconds, as a test says."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shown(clock: Clock) -> PlainProgress:
    return PlainProgress(Position(clock=clock))


PLACES = dict.fromkeys(("merged", "combined", "excluded", "held", "unexplained"), 0)
BOOKS = {
    "run": "trial-1", "verdict": "balanced",
    "sources": [{"system": "a", "source": "CF_AGREEMENT_LINE", "extracted": 912_146, "loaded": 903_911,
                 "rejected": 8_235, **PLACES}],
    "specs": [{"spec": "relationships_mirrored", "asked": 912_147, "loaded": 903_912, "rejected": 8_235,
               "not_asked": 41_335, "causes": [{"cause": "orphan", "column": "package_element_id",
                                                "place": "rejected", "rows": 8_117}], **PLACES}],
    "targets": [{"target": "dm_personal_relationships", "rows": 903_913, "explained": 903_913, "unexplained": 0}],
}  # fmt: skip


@pytest.mark.parametrize("columns", ["80", "120", ""])
def test_no_figure_of_the_books_is_cut(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a terminal that is narrower than the table, and in a pipe."""
    monkeypatch.setenv("COLUMNS", columns or "80")
    monkeypatch.setenv("FORCE_COLOR", "1" if columns else "")
    show_balance(BOOKS)
    lines = re.sub("\x1b[^m]*m", "", capsys.readouterr().out).splitlines()
    words = {word for line in lines for word in line.split()}
    assert words >= {"912,146", "903,911", "8,235", "912,147", "903,912", "41,335", "8,117", "903,913"}
    assert not any("…" in line for line in lines)
    assert max(map(len, lines)) <= int(columns or "200")


def test_rows_that_were_done_before_tell_nothing_of_how_fast_it_goes(shown: PlainProgress, clock: Clock) -> None:
    """Half a thousand million rows at once are no rate."""
    shown.table("load", "persons", 1_000_000)
    shown.skip(900_000)
    clock.seconds = 0.001
    assert shown.position.rate is None
    clock.seconds = 10
    assert shown.position.rate is None
    shown.advance(20_000)
    assert shown.position.rate == 2_000
    assert shown.position.table_left == 40


def test_a_rate_is_not_told_before_it_is_one(shown: PlainProgress, clock: Clock) -> None:
    shown.table("load", "persons", 1_000_000)
    shown.advance(500_000)
    clock.seconds = 0.5
    assert shown.position.rate is None
    assert "rows/s" not in shown.position.sentence()


def test_the_time_left_is_that_of_the_whole_run(shown: PlainProgress, clock: Clock) -> None:
    """What the stages took the last time, less what this one has spent."""
    shown.expect(FORECAST)
    shown.table("transform", "persons", 1_000)
    clock.seconds = 20
    assert shown.position.run_left == pytest.approx(100 + 30 + 300 + 90)
    assert "run: about 8 min 40 s left" in shown.position.sentence()
    shown.table("transform", "notes", 1_000)
    assert shown.position.run_left == pytest.approx(520)
    clock.seconds = 500
    assert shown.position.run_left == pytest.approx(420)


def test_without_a_run_that_came_to_its_end_no_time_is_told(shown: PlainProgress) -> None:
    shown.table("transform", "persons", 1_000)
    assert shown.position.run_left is None
    assert "left" not in shown.position.sentence()


@pytest.mark.parametrize("width", [40, 80, 132])
def test_the_screen_has_two_lines_whatever_the_size(width: int, clock: Clock) -> None:
    """After twenty tables the one in hand is still to be seen."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, height=24)
    live = LiveProgress(console, Position(clock=clock))
    live.expect(FORECAST)
    for number in range(20):
        live.table("load", f"dm_a_table_with_a_rather_long_name_{number}", 9_999_999)
        live.advance(1_234_567, 89_000)
        clock.seconds += 10
    console.print(live)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue()).splitlines()
    assert len(lines) == 2
    assert all(len(line) <= width for line in lines)
    assert lines[0].startswith("load       dm_a_t")
    if width >= 80:
        assert "dm_a_table_with_a_rather_long_name_19" in lines[0]
        assert "12%" in lines[0]
        assert "1,234,567 of 9,999,999 rows, 123,457 rows/s, run: about 3 min 10 s left" in lines[1]


def test_a_step_that_counts_no_rows_shows_that_time_goes_by(shown: PlainProgress, clock: Clock) -> None:
    shown.table("dedupe", "register: scoring", None)
    clock.seconds = 95
    assert shown.position.sentence() == "dedupe register: scoring: at work for 1 min 35 s"


def test_in_a_pipe_there_is_a_line_every_so_often(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    plain = PlainProgress(Position(clock=clock), every=0.01)
    with plain.beating():
        plain.table("load", "persons", 2_000)
        plain.advance(500)
        until = time.monotonic() + 60
        said = ""
        while "load persons" not in said and time.monotonic() < until:
            time.sleep(0.01)
            said += capsys.readouterr().err
    assert "load persons: 500 of 2,000 rows (25%)" in said
    time.sleep(0.03)
    capsys.readouterr()
    time.sleep(0.03)
    assert capsys.readouterr().err == ""


def test_a_stage_that_had_nothing_to_do_says_so(shown: PlainProgress, capsys: pytest.CaptureFixture[str]) -> None:
    for worked in (0, 7):
        shown.stage_done(StageDone("extract", Tally(read=7, passed=7), 0.1, worked))
    assert capsys.readouterr().err.splitlines() == [
        "✓ extract    7 rows in 0.1 s, all of it done before",
        "✓ extract    7 rows in 0.1 s",
    ]


# The log


@pytest.fixture
def kin(tmp_path: Path) -> Kin:
    return make_kin(tmp_path, [person(1, "Quigglesworth", "01632 960001"), person(2, "Zebulon", secure="Y")])


def _log(kin: Kin) -> str:
    return (kin.folder / "work" / "logs" / "trial-1.log").read_text(encoding="utf-8")


def test_the_log_has_times_and_no_persons_data(kin: Kin) -> None:
    """Stages, tables, counts, seconds; what was refused; not even the name of a file that may be somebody's."""
    (kin.folder / "dump" / "Quigglesworth review.doc").write_text("x")
    kin.run()
    (kin.folder / "dump" / "PERSON.csv").unlink()
    assert kin.cli("run").returncode == 3
    told = _log(kin)
    assert (kin.folder / "work" / "logs" / "trial-1.log").stat().st_mode & 0o077 == 0
    assert all(re.match(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in told.splitlines())
    for said in ("extract begins", "load persons: 2 rows in", "reconcile is done: 2 rows in",
                 "extract stopped: PERSON.csv: is not in the dump folder"):  # fmt: skip
        assert said in told
    for word in ("Quigglesworth", "Zebulon", "01632"):
        assert word not in told


def test_a_bug_stands_in_the_log_by_its_kind(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> object:
        raise ValueError("Quigglesworth")

    monkeypatch.setattr("casebridge.transform.stage.convert", breaks)
    assert kin.cli("run").returncode == 1
    assert "transform stopped: ValueError\n" in _log(kin)


def test_the_log_is_not_written_through_a_link(kin: Kin, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    logs = kin.folder / "work" / "logs"
    logs.mkdir(parents=True)
    (logs / "trial-1.log").symlink_to(victim)
    kin.run()
    assert victim.read_text() == "untouched"


def test_logs_stay_when_work_is_purged(kin: Kin) -> None:
    kin.run()
    assert kin.cli("purge").returncode == 0
    assert "load begins" in _log(kin)
