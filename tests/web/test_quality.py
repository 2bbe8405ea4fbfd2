"""Quality at the desk: blind checks of a sample, pairs that are made up, one's own figures, the board's page."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from casebridge.dedupe.quality.labels import labels_of
from casebridge.dedupe.quality.recalibration import LabelBand, Recalibration
from casebridge.dedupe.quality.statement import state
from casebridge.dedupe.quality.strata import APART, MERGED
from casebridge.dedupe.review.desk_tables import DECISIONS
from casebridge.dedupe.review.family import Declared, declare
from casebridge.dedupe.review.known_pairs import known_pairs
from casebridge.dedupe.review.samples import Drawn, Sample, keep_sample
from casebridge.migrate.cli.quality import quality
from casebridge.migrate.web.visit import House
from casebridge.project.database import writing
from tests.desks import World, at_desk, make_world, open_desk, pair_of, somebody

NUMBERS = range(11, 19)
RECORDS = [somebody(str(n), f"Name{n}") for n in range(1, 30)]
MADE = [pair_of(str(n), str(n + 10), value=float(n)) for n in NUMBERS]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    made.show(RECORDS, MADE)
    return made


@pytest.fixture
def house(world: World) -> Iterator[House]:
    with open_desk(world) as made:
        yield made


def _sampled(house: House) -> None:
    """Jo merges pairs 1 to 4 and keeps 5 to 8 apart; 1 to 3 and 5 to 7 are drawn, of 300 merged and 1,000
    apart."""
    jo = at_desk(house, "jo")
    for number, pair in zip(NUMBERS, MADE, strict=True):
        jo.say(pair.item, "same" if number < 15 else "different")
    _draw(house)


def _draw(house: House, *more: Drawn) -> None:
    pairs = [(pair.left_id, pair.right_id) for pair in MADE]
    strata = (
        Drawn("merged: all", MERGED, 0, 300, 0.97, tuple(pairs[:3])),
        Drawn("apart: all", APART, 0, 1000, 0.1, tuple(pairs[4:7])),
        *more,
    )
    with writing(house.desk.engine).begin() as connection:
        keep_sample(connection, Sample("trial-1", 0.01, 2.0, "2026-11-27T00:00:00Z", strata), "t")


def _check(house: House, login: str, verdicts: str) -> None:
    """Somebody checks pairs of the sample in their order: s is same, d is different."""
    desk = at_desk(house, login)
    desk.get("/checks")
    desk.send("/checks")
    for letter in verdicts:
        assert desk.path.startswith("/checks/"), desk.path
        desk.send(desk.path, verdict={"s": "same", "d": "different"}[letter])


def test_answers_of_earlier_samples_count_by_how_each_was_drawn(house: House) -> None:
    """Six pairs of a first sample, two of a second one, of which one is new: both tell of the register once."""
    _sampled(house)
    _check(house, "kim", "ssdddd")
    first = labels_of(house.desk.engine, house.desk.decisions.standing(), 0)
    assert {(one.left_id, round(one.weight, 6)) for one in first} == {
        *((f"old:{n}", 100.0) for n in (11, 12, 13)), *((f"old:{n}", 333.333333) for n in (15, 16, 17)),
    }  # fmt: skip
    assert [one.same for one in first] == [True, True, False, False, False, False]
    pairs = tuple((MADE[n].left_id, MADE[n].right_id) for n in (0, 3))
    with writing(house.desk.engine).begin() as connection:
        drawn = Drawn("merged: all", MERGED, 0, 400, 0.9, pairs)
        keep_sample(connection, Sample("trial-2", 0.01, 2.0, "2026-11-28T00:00:00Z", (drawn,)), "t")
    _check(house, "kim", "s")
    both = {one.left_id: one for one in labels_of(house.desk.engine, house.desk.decisions.standing(), 0)}
    assert round(both["old:11"].weight, 6) == 100 * 6 / 8 + 200 * 2 / 8, "it is in both"
    assert round(both["old:12"].weight, 6) == 100 * 6 / 8
    assert (both["old:14"].same, round(both["old:14"].weight, 6)) == (True, 200 * 2 / 8)
    assert sum(one.weight for one in both.values()) == pytest.approx(1300 * 6 / 8 + 400 * 2 / 8)


def test_a_check_is_blind_and_what_it_contradicts_goes_to_a_senior_reviewer(house: House) -> None:
    _sampled(house)
    jo, kim = at_desk(house, "jo"), at_desk(house, "kim")
    assert "0 pairs of the sample" in jo.get("/checks"), "nobody checks himself"
    kim.get("/checks")
    kim.send("/checks")
    assert not any(word in kim.page for word in ("Jo Somebody", "97 in 100", "is <b>decided</b>", "You said"))
    kim.send(kim.path, verdict="same")
    assert kim.path.startswith("/checks/")
    assert [str(d.verdict) for d in house.desk.decisions.standing()] == ["same"] * 4 + ["different"] * 4
    kim.send(kim.path, verdict="different")
    assert [str(d.verdict) for d in house.desk.decisions.standing()].count("unsure") == 1
    sam = at_desk(house, "sam")
    sam.get("/queue?place=escalated")
    assert "a blind check of the sample saw it otherwise" in sam.page


def test_who_may_check_a_pair_sees_nowhere_what_was_decided_of_it(house: House) -> None:
    """Neither on its own page nor on that of the merged person, before or after he takes the check."""
    _sampled(house)
    kim, item = at_desk(house, "kim"), MADE[0].item
    kim.get("/checks")
    for there in ("/checks", f"/checks/{item}"):
        for page in (f"/pair/{item}", f"/pair/{item}/survivorship"):
            kim.get(page)
            assert kim.path == there
            assert "is <b>decided</b>" not in kim.page
        kim.get("/checks")
        kim.send("/checks")
    kim.get(f"/pair/{MADE[3].item}")
    assert "is <b>decided</b>" in kim.page, "a pair that was not drawn is as it was"
    kim.get(f"/pair/{item}")
    kim.send(f"/checks/{item}", verdict="same")
    assert "is <b>decided</b>" in kim.get(f"/pair/{item}"), "he has said what he sees"


def test_a_pair_that_only_the_sample_holds_is_kept_from_whom_it_concerns(house: House, world: World) -> None:
    """Its check is contradicted, so it waits for a senior reviewer: but not for one whose own record is in it."""
    hers = somebody("90", "Samantha", "Bloggs")
    drawn = replace(pair_of("89", "90", value=9.0), drawn=True, open=False, teams=("Far",))
    world.show([*RECORDS, somebody("89", "Zed"), hers], [*MADE, drawn])
    strata = (Drawn("apart: all", APART, 0, 1, 0.1, ((drawn.left_id, drawn.right_id),)),)
    with writing(house.desk.engine).begin() as connection:
        keep_sample(connection, Sample("trial-1", 0.01, 0.0, "2026-11-27T00:00:00Z", strata), "t")
        declare(connection, [Declared("sam", "self", "Samantha", "Bloggs")])
    sam, tess = at_desk(house, "sam"), at_desk(house, "tess")
    before = sam.get("/queue")
    assert "<option>Far</option>" not in before
    _check(house, "kim", "s")
    assert "waits for a senior reviewer (1)" in tess.get("/queue")
    sam.get("/queue")
    assert sam.status == 200
    assert "waits for a senior reviewer (0)" in sam.page
    assert "9 pairs for you" in tess.page
    assert "8 pairs for you" in sam.page


def test_the_statement_is_weighted_and_a_third_word_counts(house: House) -> None:
    """Of three merges drawn one is contradicted: 2 of 3 are right, until a senior reviewer says that it was
    one."""
    _sampled(house)
    none = state(house.desk, 0)
    assert "cannot be said yet" in none.sentences[0]
    assert none.waiting == 6
    _check(house, "kim", "sdsddd")
    said = state(house.desk, 0)
    assert said.precision is not None
    assert said.found is not None
    assert said.precision.share == pytest.approx(2 / 3)
    assert said.found.share == pytest.approx(200 / 202)  # 2 that were never compared; nothing among those apart
    sam = at_desk(house, "sam")
    sam.say(MADE[1].item, "same")
    assert state(house.desk, 0).precision.share == pytest.approx(2 / 3)  # type: ignore[union-attr]
    at_desk(house, "tess").say(MADE[1].item, "same")
    assert state(house.desk, 0).precision.share == 1  # type: ignore[union-attr]
    assert said.twice is not None
    assert (said.twice.pairs, said.twice.share) == (6, pytest.approx(5 / 6))


def test_the_boards_page_and_the_command_say_the_same(house: House, world: World, tmp_path: Path) -> None:
    _sampled(house)
    _check(house, "kim", "sssddd")
    bo = at_desk(house, "bo")
    assert bo.path == "/progress"
    bo.get("/quality")
    shown = CliRunner().invoke(quality, ["show", "--project", str(world.folder)])
    assert shown.exit_code == 0, shown.output
    first = shown.output.splitlines()[0]
    assert first.startswith("Of the merges made, an estimated 100.0 % (")
    assert first in bo.page
    assert "<svg" in bo.page
    assert not re.search(r"\bJo\b", bo.page)
    out = tmp_path / "labels.csv"
    assert CliRunner().invoke(quality, ["labels", str(out), "--project", str(world.folder)]).exit_code == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert [(row["same"], float(row["weight"])) for row in rows] == [("1", 100.0)] * 3 + [
        ("0", pytest.approx(1000 / 3, abs=0.001))
    ] * 3
    assert out.stat().st_mode & 0o077 == 0


def test_the_page_says_what_checks_changed_in_linkage(house: House, world: World) -> None:
    _sampled(house)
    few, band = Recalibration(6, 3, used=False), LabelBand("0.5 to 0.9", 130, 0.71, 0.42, 0.44)
    world.show(RECORDS, MADE, calibration=few.text())
    assert "it has 6 blind checks" in at_desk(house, "bo").get("/quality")
    world.show(RECORDS, MADE, calibration=Recalibration(130, 60, True, 4, (band,)).text())
    page = at_desk(house, "bo").get("/quality")
    assert "put right by what people found in 130 blind checks" in page
    cells = "".join(f'<td class="num">{cell}</td>' for cell in ("130", "71.0 %", "42.0 %", "44.0 %"))
    assert f'<th scope="row">0.5 to 0.9</th>{cells}' in page


def test_restricted_pairs_are_in_no_figure_of_those_who_are_not_cleared(house: House, world: World) -> None:
    _sampled(house)
    before = at_desk(house, "bo").get("/quality")
    secret = pair_of("11", "99", clearance=1)
    world.show([*RECORDS, somebody("99", clearance=1)], [*MADE, secret])
    _draw(house, Drawn("merged (restricted): all", MERGED, 1, 40, 0.9, ((secret.left_id, secret.right_id),)))
    assert len(at_desk(house, "bo").get("/quality")) == len(before)
    assert "merged (restricted)" in at_desk(house, "ola").get("/quality")


# Known pairs


def _keyed(*words: str) -> str:
    return "".join(f"{sum(map(ord, word)) * 2_654_435_761 % 2**32:08x}" for word in words).ljust(64, "7")


def test_one_in_twenty_of_the_surest_is_made_up_and_looks_like_the_others() -> None:
    people = {f"old:{n}": somebody(str(n)) for n in range(1000, 1200)}
    hosts = [replace(pair_of(str(n), str(n + 1)), item=f"{n:032x}") for n in range(1000, 1100, 1)]
    unsure = [replace(one, p=0.7, item=f"{n:031x}f") for n, one in enumerate(hosts)]
    made_people, made = known_pairs([*hosts, *unsure], people, _keyed, set(), ())
    assert len({*people, *(person.id for person in made_people)}) == len(people) + len(made_people)
    assert (len(made), len(made_people)) == (5, 10)
    assert {one.known for one in made} <= {"same", "different"}
    assert not {person.id for person in made_people} & set(people)
    assert all(len(person.id) == len("old:1000") for person in made_people)
    every_key = {f"old:{n}" for n in range(1000, 10_000)}
    crowded = [person.id for person in known_pairs(hosts, people, _keyed, set(), every_key)[0]]
    assert len(set(crowded) - every_key) == len(crowded), "a key that a record has"
    again = known_pairs(hosts, people, _keyed, {made[0].item}, ())[1]
    assert made[0].item not in {one.item for one in again}
    assert len(again) == 5
    closed = [replace(one, clearance=1) for one in hosts]
    assert known_pairs(closed, people, _keyed, set(), ())[1] == []


@pytest.mark.parametrize(("said", "told"), [("same", "You said otherwise"), ("different", "You saw it")])
def test_what_is_said_of_a_known_pair_decides_nothing_and_is_answered_at_once(
    house: House, world: World, said: str, told: str
) -> None:
    known = replace(MADE[0], known="different", known_why="twins", value=99.0)
    world.show(RECORDS, [known, *MADE[1:]])
    jo = at_desk(house, "jo")
    jo.say(known.item, said)
    assert "This pair was made up" in jo.page
    assert told in jo.page
    assert "twins" in jo.page
    assert "99" not in at_desk(house, "bo").get("/progress")
    assert "1 of" not in jo.get("/progress")
    assert f"1, of which you saw {int(said == 'different')}" in jo.get("/mine")
    at_desk(house, "sam").say(MADE[1].item, "same")
    sam = at_desk(house, "sam")
    sam.get(f"/pair/{known.item}")
    sam.send(f"/releases/{known.item}", reason="x")
    with house.desk.engine.connect() as connection:
        kept = connection.execute(sa.select(DECISIONS.c.left_id)).scalars().all()
    assert kept == [MADE[1].left_id]


def test_who_misses_made_up_pairs_is_looked_at_until_he_sees_them(house: House, world: World) -> None:
    """Two of ten missed: what she says waits for somebody else; seen for what they are, it ends."""
    made_up = {"known": "different", "known_why": "twins", "value": 99.0}
    known = [replace(pair_of(str(n), str(n + 30), **made_up), item=f"{n:032x}") for n in range(40, 52)]
    people = [somebody(str(n)) for n in range(40, 82)]
    world.show([*RECORDS, *people], [*known, *MADE])
    jo = at_desk(house, "jo")
    jo.say(known[0].item, "same")
    jo.say(MADE[0].item, "different")
    assert len(house.desk.decisions.standing()) == 1, "one slip is none"
    jo.say(known[1].item, "same")
    assert "somebody else looks at your verdicts too" in jo.get("/mine")
    jo.say(MADE[1].item, "same")
    assert len(house.desk.decisions.standing()) == 1
    kim = at_desk(house, "kim")
    assert "1 pair" in kim.get("/queue?place=second")
    kim.say(MADE[1].item, "same")
    kim.say(MADE[2].item, "same")
    assert len(house.desk.decisions.standing()) == 3
    kim.send(f"{kim.path}/give-back")
    for pair in known[2:]:
        jo.say(pair.item, "different")
    assert "somebody else looks" not in jo.get("/mine")
    jo.say(MADE[3].item, "same")
    assert len(house.desk.decisions.standing()) == 4


def test_a_share_of_ordinary_pairs_is_judged_by_two(house: House, world: World) -> None:
    world.show(RECORDS, [replace(MADE[0], double=True), *MADE[1:]])
    jo = at_desk(house, "jo")
    jo.say(MADE[0].item, "same")
    assert house.desk.decisions.standing() == []
    kim = at_desk(house, "kim")
    assert "two people" not in kim.get(f"/pair/{MADE[0].item}").split("<main")[1].split("Reasons to doubt")[0]
    kim.say(MADE[0].item, "same")
    assert len(house.desk.decisions.standing()) == 1
    assert "1, the same verdict in 100 of 100" in jo.get("/mine")
