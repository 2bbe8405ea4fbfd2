"""Every old number leads to its person, or the books do not balance."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.councils import Migration, contents
from tests.kin import Kin, make_kin, person
from tests.shelf import Shelf, copy_of

WAYS = "casebridge_crosswalk"


@pytest.fixture(scope="module")
def council(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """The small council, some of its people and all suppliers put forward decided to be one, and loaded."""
    made = copy_of(shelf.after("dedupe"), tmp_path_factory.mktemp("crosswalk"))
    header, *pairs = made.cli("pairs").stdout.splitlines()
    decisions = made.folder / "decisions.csv"
    people, suppliers = ([p for p in pairs if ("/" in p) is other] for other in (False, True))
    decided = [line.replace(",,,,", ",same,J. Reviewer,the same,", 1) for line in (*people[:3], *suppliers)]
    decisions.write_text("\n".join([header, *decided]) + "\n", encoding="utf-8")
    assert made.cli("decide", str(decisions)).returncode == 0
    made.run()
    return made


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def merged(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, postgres_of_module: str
) -> Kin:
    """Three people in a target of either kind, two of them decided to be one."""
    url = "" if request.param == "sqlite" else postgres_of_module
    people = [person(1, "Ng", "111"), person(2, "Ng"), person(3, "Li")]
    made = make_kin(tmp_path_factory.mktemp(request.param), people, target=url)
    made.run("trial-1", "--until", "dedupe")
    made.decide((1, 2))
    made.run()
    return made


@pytest.fixture
def kin(merged: Kin) -> Iterator[Kin]:
    """The same for each test: what one does to the crosswalk is put right after it."""
    whole = contents(merged.target)[WAYS]
    yield merged
    rows = ", ".join(str(row) for row in whole)
    _do(merged, "DELETE FROM ways", f"INSERT INTO ways VALUES {rows}")  # noqa: S608


def _do(kin: Kin, *statements: str) -> None:
    kin.change(*(statement.replace("ways", WAYS) for statement in statements))


def _failed(kin: Kin) -> list[str]:
    report = json.loads((kin.folder / "reports/trial-1/report.json").read_text(encoding="utf-8"))
    failed: list[str] = report["failed_checks"]
    return failed


def _folded(target: str, space: str) -> set[frozenset[str]]:
    """Each old number that leads to another record, with that record's."""
    ways = contents(target)[WAYS]
    return {frozenset((str(key), str(to))) for system, key, _, to, _ in ways if system == space and key != to}


def test_suppliers_and_doors_that_were_entered_twice_are_one_as_the_truth_has_them(council: Migration) -> None:
    """Those and no others were put forward; each is merged in the books."""
    again = {}
    for table, number, of in (("organisations", "ORG_NO", "organisation"), ("properties", "PROP_NO", "property")):
        truth = council.truth(table).select(number, of).rows()
        again[table] = {frozenset((str(one), str(first))) for one, first in truth if one != first}
    assert _folded(council.target, "carefirst/organisations") == again["organisations"]
    doors = _folded(council.target, "carefirst/addresses")
    assert doors <= again["properties"]
    assert len(doors) > 0.8 * len(again["properties"])
    assert len(_folded(council.target, "carefirst")) == 3
    report = json.loads(council.report_path().read_text(encoding="utf-8"))
    merged = {row["source"]: row["merged"] for row in report["sources"] if row["merged"]}
    assert merged == {"CF_PERSON": 3, "CF_ORG": len(again["organisations"]), "CF_PROPERTY": len(doors)}


def test_a_lost_line_is_written_again(kin: Kin) -> None:
    whole = contents(kin.target)[WAYS]
    assert _folded(kin.target, "old") == {frozenset("12")}
    _do(kin, "DELETE FROM ways WHERE legacy_key = (SELECT min(legacy_key) FROM ways)")
    assert kin.cli("reconcile").returncode == 6
    assert _failed(kin) == ["crosswalk_leads"]
    assert kin.cli("run").returncode == 0
    assert contents(kin.target)[WAYS] == whole


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE ways SET target_id = target_id + 1 WHERE legacy_key = (SELECT max(legacy_key) FROM ways)",
        "UPDATE ways SET survivor_key = 'x' WHERE legacy_key = (SELECT max(legacy_key) FROM ways)",
    ],
)
def test_a_line_that_leads_astray_is_found(kin: Kin, change: str) -> None:
    _do(kin, change)
    stopped = kin.cli("run")
    assert stopped.returncode == 6
    assert _failed(kin) == ["crosswalk_leads"]
    assert kin.cli("sign", "trial-1", "--by", "A. Owner", "--role", "owner").returncode == 6


def test_a_stray_line_is_found(kin: Kin) -> None:
    _do(kin, "INSERT INTO ways VALUES ('old', 'nobody', 'old', 'nobody', 1)")
    assert kin.cli("reconcile").returncode == 6
    assert _failed(kin) == ["crosswalk_leads"]
