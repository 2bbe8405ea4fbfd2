"""Pull the plug in any stage: the next run ends with the same target, row for row."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.councils import contents
from tests.plug import killed_after, killed_in
from tests.shelf import NOTHING, SMALL, Shelf, copy_of

# What a stage writes first: seen, the stage is at work.
FOOTPRINT = {
    "extract": "work/extract",
    "transform": "work/transform",
    "dedupe": "work/dedupe",
    "load": "work/load",
    "reconcile": "reports/trial-1",
}


@pytest.fixture(scope="module")
def uninterrupted(shelf: Shelf) -> dict[str, list[tuple[object, ...]]]:
    return contents(shelf.after("reconcile", batch_rows=SMALL).target)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_in_every_stage_and_run_again(
    database: str,
    shelf: Shelf,
    tmp_path: Path,
    uninterrupted: dict[str, list[tuple[object, ...]]],
    request: pytest.FixtureRequest,
) -> None:
    """Killed once while a stage is at work and once more wherever in it that finds it; the next run goes on, and
    is killed in the stage that follows. The first three do not know the target: what kills them is the same on
    every database."""
    first = "load" if database == "postgresql" else "extract"
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else ""
    before = shelf.after("dedupe" if first == "load" else NOTHING, batch_rows=SMALL)
    migration = copy_of(before, tmp_path, url)
    moments = random.Random(database)
    for stage in [*FOOTPRINT][[*FOOTPRINT].index(first) :]:
        assert killed_in(("run",), migration.folder, FOOTPRINT[stage], moments.uniform(0, 0.15)), stage
        killed_after(("run", "--until", stage), migration.folder, moments.uniform(0.2, 2.5))
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
