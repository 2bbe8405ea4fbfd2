"""Pull the plug in any stage: the next run ends with the same target, row for row."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from casebridge.migrate.pipeline import STAGES
from tests.councils import ROOT, Migration, contents, make_migration, small_council

# What a stage writes first: seen, the stage is at work.
FOOTPRINT = {
    "extract": "work/extract",
    "transform": "work/transform",
    "dedupe": "work/dedupe",
    "load": "work/load",
    "reconcile": "reports/trial-1",
}


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_council(tmp_path_factory.mktemp("crash") / "council")


@pytest.fixture(scope="module")
def uninterrupted(council: Path) -> dict[str, list[tuple[object, ...]]]:
    migration = make_migration(council.parent / "whole", council, batch_rows=1_000)
    migration.run()
    return contents(migration.target)


def _start(migration: Migration) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "casebridge.migrate.cli.main", "run", "--project", str(migration.folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        start_new_session=True,
    )


def _kill(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _killed_in(migration: Migration, stage: str, wait: float) -> int:
    """Start a run, and kill it (SIGKILL) so many seconds after the stage's first trace. Its exit code."""
    process = _start(migration)
    while not (migration.folder / FOOTPRINT[stage]).exists() and process.poll() is None:
        time.sleep(0.002)
    time.sleep(wait)
    return _kill(process)


def _killed_anywhere(migration: Migration, wait: float) -> int:
    """Start a run and kill it so many seconds later, wherever it is. Its exit code."""
    process = _start(migration)
    time.sleep(wait)
    return _kill(process)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("stage", list(STAGES))
def test_killed_in_a_stage_and_run_again(
    stage: str,
    database: str,
    council: Path,
    tmp_path: Path,
    uninterrupted: dict[str, list[tuple[object, ...]]],
    request: pytest.FixtureRequest,
) -> None:
    """Killed once while the stage is at work and twice more wherever that finds it, then left to finish."""
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    shutil.copytree(council, tmp_path / "council")
    migration = make_migration(tmp_path / "project", tmp_path / "council", url, batch_rows=1_000)
    moments = random.Random(f"{stage} {database}")
    assert _killed_in(migration, stage, moments.uniform(0, 0.15)) == -signal.SIGKILL
    for _ in range(2):
        _killed_anywhere(migration, moments.uniform(0.5, 2.5))
    done = migration.cli("run")
    assert done.returncode == 0, done.stderr
    assert _plain(contents(migration.target)) == _plain(uninterrupted)


def _plain(found: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[str, ...]]]:
    """Rows as text, so that two databases can be compared: SQLite keeps decimals as text."""
    return {
        name: sorted(tuple(str(value) for value in row) for row in rows)
        for name, rows in found.items()
        if name not in {"casebridge_applied", "casebridge_runs"}
    }
