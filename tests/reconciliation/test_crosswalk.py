"""Every old number leads to its person, or the books do not balance."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from tests.councils import Migration, contents, make_migration, small_council
from tests.load.prepared import copy_of

WAYS = "casebridge_crosswalk"


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """A small council before its load, some of its people and all suppliers put forward decided to be one."""
    folder = tmp_path_factory.mktemp("crosswalk")
    made = make_migration(folder / "before" / "project", small_council(folder / "council", people=500))
    made.run(until="dedupe")
    header, *pairs = made.cli("pairs").stdout.splitlines()
    decisions = folder / "decisions.csv"
    people, suppliers = ([p for p in pairs if ("/" in p) is other] for other in (False, True))
    decided = [line.replace(",,,,", ",same,J. Reviewer,the same,", 1) for line in (*people[:3], *suppliers)]
    decisions.write_text("\n".join([header, *decided]) + "\n", encoding="utf-8")
    assert made.cli("decide", str(decisions)).returncode == 0
    return made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def loaded(
    request: pytest.FixtureRequest,
    decided: Migration,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_of_module: str,
) -> Migration:
    """The council in a target of either kind."""
    url = None if request.param == "sqlite" else postgres_of_module
    made = copy_of(decided, tmp_path_factory.mktemp(request.param), url)
    made.run()
    return made


@pytest.fixture
def migration(loaded: Migration) -> Iterator[Migration]:
    """The same for each test: what one does to the crosswalk is put right after it."""
    whole = contents(loaded.target)[WAYS]
    yield loaded
    _do(loaded, "DELETE FROM ways")
    engine = open_database(loaded.target)
    with engine.begin() as connection:
        table = sa.Table(WAYS, sa.MetaData(), autoload_with=connection)
        connection.execute(table.insert(), [dict(zip(table.columns.keys(), row, strict=True)) for row in whole])
    engine.dispose()


def _do(migration: Migration, statement: str) -> None:
    engine = open_database(migration.target)
    with engine.begin() as connection:
        connection.execute(sa.text(statement.replace("ways", WAYS)))
    engine.dispose()


def _failed(migration: Migration) -> list[str]:
    report = json.loads(migration.report_path().read_text(encoding="utf-8"))
    failed: list[str] = report["failed_checks"]
    return failed


def _folded(migration: Migration, space: str) -> set[frozenset[str]]:
    """Each old number that leads to another record, with that record's."""
    ways = contents(migration.target)[WAYS]
    return {frozenset((str(key), str(to))) for system, key, _, to, _ in ways if system == space and key != to}


def test_suppliers_and_doors_that_were_entered_twice_are_one_as_the_truth_has_them(migration: Migration) -> None:
    """Those and no others were put forward; each is merged in the books."""
    again = {}
    for table, number, of in (("organisations", "ORG_NO", "organisation"), ("properties", "PROP_NO", "property")):
        truth = migration.truth(table).select(number, of).rows()
        again[table] = {frozenset((str(one), str(first))) for one, first in truth if one != first}
    assert _folded(migration, "carefirst/organisations") == again["organisations"]
    doors = _folded(migration, "carefirst/addresses")
    assert doors <= again["properties"]
    assert len(doors) > 0.8 * len(again["properties"])
    report = json.loads(migration.report_path().read_text(encoding="utf-8"))
    merged = {row["source"]: row["merged"] for row in report["sources"] if row["merged"]}
    assert merged == {"CF_PERSON": 3, "CF_ORG": len(again["organisations"]), "CF_PROPERTY": len(doors)}


def test_a_lost_line_is_written_again(migration: Migration) -> None:
    whole = contents(migration.target)[WAYS]
    assert len(_folded(migration, "carefirst")) == 3
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
