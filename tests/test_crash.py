"""Pull the plug in any stage: the next run ends with the same target, row for row."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest

from casebridge.migrate.pipeline import STAGES
from tests.councils import Migration, contents, make_migration, small_council
from tests.load.prepared import copy_of
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
def before(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Migration]:
    """A project as each stage found it, and under "whole" as the last one left it. Copies of it are killed."""
    folder = tmp_path_factory.mktemp("crash")
    made = make_migration(folder / "whole" / "project", small_council(folder / "council"), batch_rows=1_000)
    found = {"extract": make_migration(folder / "extract" / "project", made.council, batch_rows=1_000)}
    for stage, following in pairwise(STAGES):
        made.run(until=stage)
        found[following] = copy_of(made, folder / following, None)
    made.run()
    return {**found, "whole": made}


@pytest.fixture(scope="module")
def uninterrupted(before: dict[str, Migration]) -> dict[str, list[tuple[object, ...]]]:
    return contents(before["whole"].target)


# The first three stages do not know the target; what kills them is the same on every database.
PLACES = [(stage, "sqlite") for stage in STAGES] + [(stage, "postgresql") for stage in ("load", "reconcile")]


@pytest.mark.parametrize(("stage", "database"), PLACES)
def test_killed_in_a_stage_and_run_again(
    stage: str,
    database: str,
    before: dict[str, Migration],
    tmp_path: Path,
    uninterrupted: dict[str, list[tuple[object, ...]]],
    request: pytest.FixtureRequest,
) -> None:
    """Killed once while the stage is at work and once more wherever that finds it, then left to finish."""
    if database == "postgresql":
        migration = copy_of(before["load"], tmp_path, request.getfixturevalue("postgres_url"))
        migration.run(until="dedupe" if stage == "load" else "load")
    else:
        migration = before[stage] if stage == "extract" else copy_of(before[stage], tmp_path, None)
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
