"""Nights over a live register of people and one of suppliers: both in one moment, nothing of one the other's."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.review.evidence_file import EvidenceFile, PairEvidence
from casebridge.dedupe.review.evidence_on_record import current_evidence
from casebridge.dedupe.scan.state import read_state
from tests.scan.live import HOMES, TABLES, LiveRegister, door, doors, make_live, supplier, suppliers

PAIR = ("mosaic/organisations:1", "mosaic/organisations:2")


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> LiveRegister:
    live = make_live(tmp_path_factory.mktemp("scan") / "project", people=60)
    suppliers(live)
    night = live.scan()
    assert night.registers["organisations"] is not None
    return live


@pytest.fixture
def live(first_night: LiveRegister, tmp_path: Path) -> LiveRegister:
    """A register of one's own, after its first scan."""
    return first_night.copied(tmp_path / "project")


def _shown(live: LiveRegister) -> dict[tuple[str, str], PairEvidence]:
    """The pairs of suppliers at the desk."""
    path = current_evidence(live.folder / "work")
    assert path is not None
    evidence = EvidenceFile(path)
    found = {(one.left_id, one.right_id): one for one in evidence.pairs(0) if "/" in one.left_id}
    people = evidence.people([item for pair in found for item in pair], 0)
    evidence.close()
    assert people.keys() == {item for pair in found for item in pair}
    return found


def _said(live: LiveRegister) -> str:
    return (live.folder / "reports" / "scan" / "digest.txt").read_text(encoding="utf-8")


def test_suppliers_who_are_there_twice_are_at_the_desk_in_words_of_their_kind(first_night: LiveRegister) -> None:
    found = _shown(first_night)
    assert (found[PAIR].kind, found[PAIR].open) == ("organisation", True)
    assert first_night.waiting()
    told = " ".join(_said(first_night).split())
    assert "organisations: records 41" in told
    assert f"organisations: waiting in all {len(found)}" in told


def test_what_was_decided_stays_decided_and_who_is_new_is_found(live: LiveRegister) -> None:
    """A night without changes brings nothing; one with a third record of the body brings that one only."""
    live.decide(*PAIR)
    before = live.waiting()
    night = live.scan()
    assert night.registers["organisations"] == {
        "records": 41, "changed": 0, "new": 0, "again": 0, "settled": 1, "waiting": 0, "oldest": 0,
    }  # fmt: skip
    assert not _shown(live)[PAIR].open
    assert live.waiting() == before - {(1, 2)}
    live.do(TABLES["organisations"].insert().values(supplier(90, "The Tarn Lodge CH, Rushford")))
    night = live.scan()
    assert night.registers["organisations"]["changed"] == 1
    assert night.registers["organisations"]["new"] >= 1
    assert all("mosaic/organisations:90" in pair for pair in _shown(live).keys() - {PAIR})
    assert live.scan().registers["organisations"]["new"] == 0


def test_doors_that_are_there_twice_are_at_the_desk_and_flats_of_one_house_are_not(live: LiveRegister) -> None:
    """A table that came later is a register from that night on; one more flat of a house raises nothing, a door
    that somebody entered again does."""
    twice = doors(live)
    live.scan()
    shown = {pair for pair in _shown(live) if "addresses:" in pair[0]}
    found = {tuple(sorted(int(one.rpartition(":")[2]) for one in pair)) for pair in shown}
    assert len(found & twice) >= 0.9 * len(twice)
    assert len(found - twice) <= 1
    where = {"BUILDING": "Quill Court", "NUMBER": "7", "TOWN": "Winlow", "POSTCODE": "TK1 1AB"}
    flat = {**where, "SUB_NO": "Flat 99", "STREET": "Quill Street", "UPRN": "200000099990"}
    other = {"SUB_NO": "Flat 98", "UPRN": "200000099980"}
    again = {"SUB_NO": "Apt 99", "STREET": "Quill St", "UPRN": ""}
    for number, row in enumerate((flat, flat | other, flat | again), 9001):
        live.do(TABLES["addresses"].insert().values(door(number, row)))
    assert live.scan().registers["addresses"]["new"] == 1
    assert ("mosaic/addresses:9001", "mosaic/addresses:9003") in _shown(live)


def test_all_registers_count_in_one_moment(live: LiveRegister, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed before it, a night leaves both as they were; the next one is that of an uninterrupted scan."""
    live.decide(*PAIR, Ruling.SAME)
    kept = sorted(path.name for path in read_state(live.folder / "work").folder.iterdir())
    monkeypatch.setattr("casebridge.dedupe.scan.night._Night._commit", None)
    with pytest.raises(TypeError):
        live.scan()
    monkeypatch.undo()
    assert set(kept) <= {path.name for path in read_state(live.folder / "work").folder.iterdir()}
    night = live.scan()
    assert (night.night, read_state(live.folder / "work").part("organisations").night) == (2, 2)
    assert night.registers["organisations"]["settled"] == 1


def test_a_placeholder_in_another_register_is_warned_of(live: LiveRegister) -> None:
    rows = [supplier(number, f"{HOMES[number % 8]} {number}", "PENDING") for number in range(100, 160)]
    live.do(TABLES["organisations"].insert().values(rows))
    (told,) = [words for words in live.scan().warnings if "supplier number" in words]
    assert told.startswith(
        "organisations: supplier number: one value is on 59.4% of all organisations, where last night had 2"
    )


def test_a_table_that_is_not_there_tonight_is_told_and_takes_nothing_with_it(live: LiveRegister) -> None:
    live.do(sa.text("ALTER TABLE organisations RENAME TO elsewhere"))
    assert live.scan().registers == {"organisations": None, "addresses": None}
    assert "organisations not read" in " ".join(_said(live).split())
    live.do(sa.text("ALTER TABLE elsewhere RENAME TO organisations"))
    assert live.scan().registers["organisations"]["new"] == 0
    assert _shown(live)[PAIR].open
