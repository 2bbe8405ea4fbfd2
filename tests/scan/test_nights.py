"""Nights over a live register: what changed is looked at, what is new is at the desk, what is settled is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.decisions import Ruling
from casebridge.dedupe.review.desk_words import Viewer
from casebridge.project.errors import SourceError
from tests.councils import casebridge
from tests.desks import World, open_desk
from tests.scan.live import PEOPLE, LiveRegister, same_person


def test_the_first_night_looks_at_everybody_and_finds_who_is_there_twice(first_night: LiveRegister) -> None:
    found, true = first_night.waiting(), same_person(120)
    assert len(found & true) > 0.8 * len(true)
    assert len(found - true) < 0.2 * len(found)


def test_a_night_without_changes_changes_nothing(live: LiveRegister) -> None:
    before = live.waiting()
    night = live.scan()
    assert night.changed == night.new == night.settled == 0
    assert live.waiting() == before
    assert night.night == 2


def test_somebody_who_is_made_again_is_at_the_desk_by_morning_and_nobody_else(live: LiveRegister) -> None:
    before = live.waiting()
    live.create(7, 9001, first_name=f"Z{live.row(7)['first_name']}")  # a forename of his own would be a twin's
    night = live.scan()
    assert (7, 9001) in live.waiting() - before
    assert night.changed == 1
    assert {pair for pair in live.waiting() - before if 9001 not in pair} == set()


def test_what_was_decided_is_not_raised_again_and_a_missed_night_is_caught_up(live: LiveRegister) -> None:
    pair = min(live.waiting())
    live.decide(*pair)
    live.create(7, 9001)
    live.scan()
    live.create(8, 9002)
    live.day = live.day.replace(day=20)
    live.create(9, 9003)
    live.scan()
    assert pair not in live.waiting()
    assert {(7, 9001), (8, 9002), (9, 9003)} <= live.waiting()


def test_a_change_that_the_change_date_hides_is_found_when_every_row_is_read(live: LiveRegister) -> None:
    live.do(PEOPLE.update().where(PEOPLE.c.person_id == 30).values(last_name="Elsewhere"))
    assert live.scan().changed == 0
    assert live.scan(whole=True).changed == 1


def test_a_restricted_record_is_nobody_s_who_may_not_see_it(live: LiveRegister) -> None:
    pair = min(live.waiting())
    assert pair in live.waiting(0)
    live.change(pair[0], restricted="Y")
    live.scan()
    assert pair not in live.shown(0)
    assert pair in live.waiting(1)


def test_who_comes_on_the_no_link_list_leaves_no_trace(live: LiveRegister) -> None:
    gone = min(live.waiting())[0]
    live.change(gone, person_id_legacy="Hidlyq")
    live.scan()
    assert len(live.holds("Hidlyq")) == 2
    (live.folder / "no_link.csv").write_text(f"{gone}\n")
    with (live.folder / "casebridge.toml").open("a") as file:
        file.write('no_link = "no_link.csv"\n')
    live.scan()
    assert {pair for pair in live.shown() if gone in pair} == set()
    assert live.holds("Hidlyq") == []
    assert live.holds(f'mosaic:{gone}"') == []
    assert live.scan().changed == 0


@pytest.mark.parametrize("legacy", [False, True], ids=["the register's list", "a list of the migration"])
def test_who_comes_on_a_list_is_gone_from_the_desk_before_the_next_scan(live: LiveRegister, legacy: bool) -> None:
    left, right = min(live.waiting())
    gone, other = f"mosaic:{left}", f"mosaic:{right}"
    (live.folder / "no_link.csv").write_text("999999\n")
    with (live.folder / "casebridge.toml").open("a") as file:
        file.write('[systems.carefirst]\ndump = "."\nno_link' if legacy else "no_link")
        file.write(' = "no_link.csv"\n')
    live.do(
        sa.text("CREATE TABLE casebridge_crosswalk (system text, legacy_key text, target_id integer)"),
        sa.text(f"INSERT INTO casebridge_crosswalk VALUES ('carefirst', 'CF{left}', {left})"),  # noqa: S608
    )
    live.scan()
    world = World(live.folder)
    with open_desk(world) as house:
        viewer = Viewer("sam", "Sam", 1)
        there = {(one.pair.left_id, one.pair.right_id) for one in house.desk.everything(viewer)}
        assert (min(gone, other), max(gone, other)) in there
        assert house.desk.sight(viewer).people([gone, other]).keys() == {gone, other}
        (live.folder / "no_link.csv").write_text(f"CF{left}\n" if legacy else f"{left}\n")
        world.clock.at += 5
        ends = {item for one in house.desk.everything(viewer) for item in (one.pair.left_id, one.pair.right_id)}
        assert gone not in ends
        assert len(ends) > 2
        assert house.desk.sight(viewer).people([gone, other]).keys() == {other}
        assert house.desk.sight(viewer).between([gone, other]) == []


def test_what_was_decided_of_organisations_is_said_of_no_person(live: LiveRegister) -> None:
    """Their ids in the target are those of other tables, and may be the same numbers."""
    pair = min(live.waiting())
    with (live.folder / "casebridge.toml").open("a") as file:
        file.write('[systems.carefirst]\ndump = "."\n')
    rows = ", ".join(f"('carefirst/organisations', 'S{item}', {item})" for item in pair)
    live.do(
        sa.text("CREATE TABLE casebridge_crosswalk (system text, legacy_key text, target_id integer)"),
        sa.text(f"INSERT INTO casebridge_crosswalk VALUES {rows}"),  # noqa: S608
    )
    live.decide(*(f"carefirst/organisations:S{item}" for item in pair))
    live.scan()
    assert pair in live.waiting()


def test_two_that_were_merged_in_the_register_are_one_and_what_was_said_of_them_follows(
    live: LiveRegister,
) -> None:
    live.create(7, 9001)
    live.create(7, 9002, nhs_id=None)
    live.scan()
    live.decide(7, 9001, Ruling.SAME)
    live.decide(9001, 9002)
    live.remove(9001)
    live.scan()
    assert (7, 9001) not in live.shown()
    assert (7, 9002) not in live.waiting()


def test_the_command_tells_counts_as_json(live: LiveRegister) -> None:
    done = casebridge("scan", "--json", "--project", str(live.folder))
    told = json.loads(done.stdout)
    assert (done.returncode, told["night"], told["changed"]) == (0, 2, 0)
    assert told["waiting"] == len(live.waiting())


def test_a_project_that_says_nothing_of_the_register_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "casebridge.toml").write_text("[scan]\n")
    (tmp_path / "linkage.toml").write_text("[fields]\nsurname = 'surname'\n")
    done = casebridge("scan", "--project", str(tmp_path))
    assert done.returncode == 2
    assert "init DIR --scan URL" in done.stderr


def test_a_scan_that_begins_again_shows_what_it_found_and_not_what_stood_there(live: LiveRegister) -> None:
    pair = min(live.waiting(0))
    for mark in ("Y", "N", "Y"):
        live.do(PEOPLE.update().where(PEOPLE.c.person_id == pair[0]).values(restricted=mark))
        shutil.rmtree(live.folder / "work" / "scan")
        live.scan()
        assert (pair in live.shown(0)) == (mark == "N")
        assert pair in live.shown(1)


@pytest.mark.parametrize(
    "change", ["UPDATE dm_persons SET person_id = '000' || person_id", "DELETE FROM dm_persons"]
)
def test_a_register_whose_people_are_all_others_brings_nothing_to_the_desk_unasked(
    live: LiveRegister, change: str
) -> None:
    """As text, 7 and 0007 are two people; an empty table is a fault until somebody says that it is none."""
    before = live.waiting()
    if "UPDATE" in change:
        live.do(sa.text("ALTER TABLE dm_persons RENAME TO numbered"),
                sa.text("CREATE TABLE dm_persons AS SELECT * FROM numbered"),
                sa.text("ALTER TABLE dm_persons RENAME COLUMN person_id TO numbers"),
                sa.text("ALTER TABLE dm_persons ADD COLUMN person_id text"),
                sa.text("UPDATE dm_persons SET person_id = numbers"))  # fmt: skip
    live.do(sa.text(change))
    with pytest.raises(SourceError, match="of 146 people that the last scan knew 0 are there still") as caught:
        live.scan()
    assert "`casebridge scan --replaced`" in caught.value.hint
    for name in ("digest.txt", "digest.html"):
        told = (live.folder / "reports" / "scan" / name).read_text(encoding="utf-8")
        assert "did not end" in told
        assert "0 are there still" in told
        assert "new pairs at the desk" not in told
    assert live.waiting() == before
    night = live.scan(replaced=True)
    assert night.people == (146 if "UPDATE" in change else 0)
    assert bool(live.waiting()) == ("UPDATE" in change)
