"""Pull the plug in any stage: the next run ends with the same target, row for row."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from casebridge.migrate.pipeline import STAGES
from tests.councils import contents, make_migration, small_council
from tests.plug import killed_after, killed_in

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


# The first three stages do not know the target; what kills them is the same on every database.
PLACES = [(stage, "sqlite") for stage in STAGES] + [(stage, "postgresql") for stage in ("load", "reconcile")]


@pytest.mark.parametrize(("stage", "database"), PLACES)
def test_killed_in_a_stage_and_run_again(
    stage: str,
    database: str,
    council: Path,
    tmp_path: Path,
    uninterrupted: dict[str, list[tuple[object, ...]]],
    request: pytest.FixtureRequest,
) -> None:
    """Killed once while the stage is at work and once more wherever that finds it, then left to finish."""
    url = request.getfixturevalue("postgres_url") if database == "postgresql" else None
    (tmp_path / "council").symlink_to(council)
    migration = make_migration(tmp_path / "project", tmp_path / "council", url, batch_rows=1_000)
    moments = random.Random(f"{stage} {database}")
    assert killed_in(("run",), migration.folder, FOOTPRINT[stage], moments.uniform(0, 0.15))
    killed_after(("run",), migration.folder, moments.uniform(0.2, 2.5))
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
