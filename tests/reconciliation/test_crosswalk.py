"""Every old number leads to its person, or the books do not balance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from tests.councils import Migration, contents, make_migration, small_council

WAYS = "casebridge_crosswalk"


@pytest.fixture(params=["sqlite", "postgresql"])
def migration(request: pytest.FixtureRequest, tmp_path: Path) -> Migration:
    """A small council in its target, some of its people decided to be one."""
    url = None if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = make_migration(tmp_path / "project", small_council(tmp_path / "council", people=500), url)
    made.run(until="dedupe")
    header, *pairs = made.cli("pairs").stdout.splitlines()
    decisions = tmp_path / "decisions.csv"
    decided = [line.replace(",,,,", ",same,J. Reviewer,the same,", 1) for line in pairs[:3]]
    decisions.write_text("\n".join([header, *decided]) + "\n", encoding="utf-8")
    assert made.cli("decide", str(decisions)).returncode == 0
    made.run()
    return made


def _do(migration: Migration, statement: str) -> None:
    engine = open_database(migration.target)
    with engine.begin() as connection:
        connection.execute(sa.text(statement.replace("ways", WAYS)))
    engine.dispose()


def _failed(migration: Migration) -> list[str]:
    report = json.loads(migration.report_path().read_text(encoding="utf-8"))
    failed: list[str] = report["failed_checks"]
    return failed


def test_a_lost_line_is_written_again(migration: Migration) -> None:
    whole = contents(migration.target)[WAYS]
    assert sum((system, key) != (to, survivor) for system, key, to, survivor, _ in whole) == 3
    _do(migration, "DELETE FROM ways WHERE legacy_key = (SELECT min(legacy_key) FROM ways)")
    assert migration.cli("reconcile").returncode == 6
    assert _failed(migration) == ["crosswalk_leads"]
    assert migration.cli("run").returncode == 0
    assert contents(migration.target)[WAYS] == whole


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ways SET target_id = target_id + 1 WHERE legacy_key = (SELECT max(legacy_key) FROM ways)",
        "UPDATE ways SET survivor_key = 'x' WHERE legacy_key = (SELECT max(legacy_key) FROM ways)",
    ],
)
def test_a_line_that_leads_astray_is_found(migration: Migration, change: str) -> None:
    _do(migration, change)
    stopped = migration.cli("run")
    assert stopped.returncode == 6
    assert _failed(migration) == ["crosswalk_leads"]
    assert migration.cli("sign", "trial-1", "--by", "A. Owner", "--role", "owner").returncode == 6


def test_a_stray_line_is_found(migration: Migration) -> None:
    _do(migration, "INSERT INTO ways VALUES ('carefirst', 'nobody', 'carefirst', 'nobody', 1)")
    assert migration.cli("reconcile").returncode == 6
    assert _failed(migration) == ["crosswalk_leads"]
