"""What comes back to the desk, and what does not: each case as it happens in a register."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.scan.pairs import BACK, ON_FILE, UNBORN
from tests.scan.live import LiveRegister


@pytest.fixture(scope="module")
def with_twin(first_night: LiveRegister, tmp_path_factory: pytest.TempPathFactory) -> LiveRegister:
    """The register with one that staff made again since."""
    live = first_night.copied(tmp_path_factory.mktemp("raised") / "project")
    live.create(7, 9001)
    live.scan()
    return live


@pytest.fixture
def live(with_twin: LiveRegister, tmp_path: Path) -> LiveRegister:
    """A register of one's own."""
    return with_twin.copied(tmp_path / "project")


def test_a_merged_person_that_reappears_comes_back_until_somebody_decides_again(live: LiveRegister) -> None:
    live.decide(7, 9001, Ruling.SAME)
    live.remove(9001)
    live.scan()
    assert (7, 9001) not in live.shown()
    live.create(7, 9001)
    live.scan()
    assert live.shown()[7, 9001].open
    assert live.shown()[7, 9001].why == BACK
    live.scan()
    assert (7, 9001) in live.waiting()
    live.decide(7, 9001, Ruling.DIFFERENT)
    live.scan()
    assert (7, 9001) not in live.waiting()


def test_an_unborn_record_beside_the_born_child_is_put_forward_and_its_twin_too(live: LiveRegister) -> None:
    due = dt.datetime.combine(live.day + dt.timedelta(days=20), dt.time())
    born = dt.datetime.combine(live.day - dt.timedelta(days=1), dt.time())
    live.create(7, 9010, first_name="Unborn", last_name="Quillfeather", date_of_birth=due, nhs_id=None, gender="U")
    live.relate(9010, 8, "MOTHER")
    live.scan()
    assert {pair for pair in live.waiting() if 9010 in pair} == set()
    for number, name in ((9011, "Ada"), (9012, "Ben")):
        live.create(9, number, first_name=name, last_name="Quillfeather", date_of_birth=born, nhs_id=None)
        live.relate(number, 8, "MOTHER")
    live.scan()
    found = {pair: shown.why for pair, shown in live.shown().items() if shown.open and 9010 in pair}
    assert found == {(9010, 9011): UNBORN, (9010, 9012): UNBORN}


def test_a_superseded_nhs_number_brings_a_pair_back_and_says_so(live: LiveRegister) -> None:
    live.change(9001, nhs_id="9993892823")
    live.scan()
    live.decide(7, 9001)
    live.scan()
    assert (7, 9001) not in live.waiting()
    live.change(9001, email_address="new@example.org", title="Mx")
    live.scan()
    assert (7, 9001) not in live.waiting()
    live.change(9001, nhs_id=live.row(7)["nhs_id"])
    live.scan()
    assert (7, 9001) in live.waiting()
    assert live.shown()[7, 9001].changed.startswith("NHS number: was")


def test_a_duplicate_relationship_on_file_is_put_forward_and_is_no_sign_of_two_people(live: LiveRegister) -> None:
    pair = (3, 20)
    assert pair not in live.shown()
    live.relate(*pair, "DUPLICATE")
    live.scan()
    assert live.shown()[pair].why == ON_FILE
    live.decide(*pair)
    live.scan()
    assert not live.shown()[pair].open


def test_a_merge_that_the_register_tells_of_needs_no_decision(live: LiveRegister) -> None:
    live.create(7, 9002)
    live.scan()
    live.decide(9001, 9002)
    file = live.folder / "linkage.toml"
    query = "merged = \"SELECT '9001' AS gone, '7' AS kept FROM tonight\"\n"
    file.write_text(file.read_text().replace("[scan]\n", f"[scan]\n{query}"))
    live.remove(9001)
    live.scan()
    assert not live.shown()[7, 9002].open


def test_a_candidate_leaves_with_its_record_and_with_its_likeness(live: LiveRegister) -> None:
    assert (7, 9001) in live.waiting()
    live.change(9001, first_name="Wilhelmina", last_name="Oakhanger", nhs_id=None, gender="U",
                date_of_birth=dt.datetime.fromisoformat("1931-01-01"))  # fmt: skip
    live.scan()
    assert (7, 9001) not in live.waiting()
    live.remove(9001)
    live.scan()
    assert {pair for pair in live.shown() if 9001 in pair} == set()
