"""A scan that is killed, and a register that goes away: the next scan does the night, as if nothing had been."""

from __future__ import annotations

import datetime as dt
import json
import resource
import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import psycopg
import pytest
from filelock import FileLock

from casebridge.dedupe.scan.failpoints import FAILPOINTS
from casebridge.dedupe.scan.state import read_state
from casebridge.project.errors import CasebridgeError, SourceError
from tests.councils import casebridge
from tests.plug import killed_at
from tests.scan.live import LiveRegister, make_live


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> LiveRegister:
    """A register after its first scan, and a day of work since. Tests work on copies."""
    live = make_live(tmp_path_factory.mktemp("crash") / "project", people=60)
    live.scan()
    live.create(7, 9001)
    live.decide(*min(live.waiting()))
    return live


@pytest.fixture(scope="module")
def undisturbed(before: LiveRegister, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a scan leaves that nobody disturbed."""
    live = before.copied(tmp_path_factory.mktemp("whole") / "project")
    assert casebridge("scan", "--project", str(live.folder)).returncode == 0
    return _state(live)


def _state(live: LiveRegister) -> dict[str, Any]:
    """All that a scan knows and shows, without times, process numbers and the day."""
    state = read_state(live.folder / "work")
    assert state.linked is not None
    frames = {name: state.frame(name) for name in state.files}
    linked = {path.name: pl.read_parquet(path) for path in sorted(state.linked.glob("*.parquet"))}
    shown = {pair: (one.open, one.evidence, one.levels) for pair, one in live.shown().items()}
    rows = {name: frame.write_json() for name, frame in {**frames, **linked}.items() if frame is not None}
    return {"night": state.night, "shown": shown, "rows": rows, "merged": state.facts["merged"]}


COUNTED = ("after commit", "published")
"""Killed at these, the night has counted already."""


def test_a_scan_that_is_killed_again_and_again_and_then_run_leaves_what_an_undisturbed_one_leaves(
    before: LiveRegister, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    """At every moment before it counts, one after the other."""
    live = before.copied(tmp_path / "project")
    waiting = live.waiting()
    for moment in (moment for moment in FAILPOINTS if moment not in COUNTED):
        assert killed_at(("scan",), live.folder, moment), moment
        assert live.waiting() == waiting, moment
    assert casebridge("scan", "--project", str(live.folder)).returncode == 0
    assert _state(live) == undisturbed


@pytest.mark.parametrize("moment", COUNTED)
def test_a_scan_that_is_killed_when_it_has_counted_shows_what_an_undisturbed_one_shows(
    before: LiveRegister, undisturbed: dict[str, Any], tmp_path: Path, moment: str
) -> None:
    live = before.copied(tmp_path / "project")
    assert killed_at(("scan",), live.folder, moment)
    assert casebridge("scan", "--project", str(live.folder)).returncode == 0
    after = _state(live)
    assert after["shown"] == undisturbed["shown"]
    assert after["night"] == undisturbed["night"] + 1
    facts, left = read_state(live.folder / "work").facts, (live.folder / "work" / "dedupe" / "evidence").iterdir()
    named = {Path(facts[name]["path"]).stem for name in ("evidence", "evidence_base")}
    assert {path.stem for path in left} == named


def test_two_scans_at_once_are_told_apart(before: LiveRegister, tmp_path: Path) -> None:
    live = before.copied(tmp_path / "project")

    with FileLock(live.folder / "work" / "lock"):
        done = casebridge("scan", "--project", str(live.folder))
    assert done.returncode == 1
    assert "another casebridge command is working on" in done.stderr


def test_a_server_that_stops_in_the_middle_is_told_and_the_night_is_caught_up(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = make_live(tmp_path / "project", postgres_url, people=60)
    live.scan()
    before = live.waiting()
    live.create(7, 9001)

    def stop(*_: object) -> None:
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid()"
            )

    with monkeypatch.context() as patched:
        patched.setattr("casebridge.dedupe.scan.night.read_crosswalk", stop)
        with pytest.raises(SourceError) as caught:
            live.scan()
    assert caught.value.exit_code == 3
    assert "run the same command again" in caught.value.hint or "then run it again" in caught.value.hint
    assert live.waiting() == before
    live.engine.dispose()
    live.day += dt.timedelta(days=1)
    night = live.scan()
    assert night.missed == 1
    assert (7, 9001) in live.waiting()
    state = json.loads((live.folder / "work" / "scan" / "state.json").read_text())
    assert state["night"] == 2


@pytest.mark.parametrize("room", [16, 36], ids=["for nothing", "until the evidence"])
def test_a_full_disk_is_told_and_the_night_is_done_when_there_is_room(
    before: LiveRegister, tmp_path: Path, room: int
) -> None:
    """No file may grow beyond so many kilobytes: the night ends, and nothing of it counts."""
    live = before.copied(tmp_path / "project")
    waiting, (soft, hard) = live.waiting(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room * 1024, hard))
    try:
        with pytest.raises((CasebridgeError, sqlite3.OperationalError, OSError)):
            live.scan()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (read_state(live.folder / "work").night, live.waiting()) == (1, waiting)
    assert live.scan().night == 2
    assert (7, 9001) in live.waiting()


def test_what_somebody_put_beside_the_state_stays(tmp_path: Path) -> None:
    """What a night left and no other one names goes; a file of another name is not the scan's."""
    state = read_state(tmp_path)
    state.folder.joinpath("notes.txt").write_text("mine")
    state.folder.joinpath("00001-7-pairs.parquet").write_text("of a scan that was killed")
    state.put("pairs", pl.DataFrame({"id": [1]}))
    state.commit({})
    assert {path.name for path in state.folder.iterdir()} == {"notes.txt", "state.json", state.files["pairs"].path}
