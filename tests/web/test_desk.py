"""Work at the desk, through its pages: the queue, verdicts, two people, release, groups, undo."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Ruling, decision
from casebridge.dedupe.review.desk_tables import DECISIONS, VERDICTS
from casebridge.dedupe.review.desk_words import Viewer
from casebridge.dedupe.review.evidence_file import Kin
from casebridge.dedupe.review.evidence_on_record import current_evidence
from casebridge.dedupe.review.verdicts import Place
from casebridge.migrate.web.visit import House
from casebridge.project.errors import CasebridgeError
from tests.desks import Clock, World, at_desk, make_world, open_desk, pair_of, somebody
from tests.kin import make_kin, person, relation

A, B, C = pair_of("1", "2", value=3.0), pair_of("3", "4", value=2.0), pair_of("5", "6", value=1.0)
PEOPLE = [
    somebody("1", "Ann", nhs_number="4857773456"),
    somebody("2", "Anne", nhs_number="4857773465"),
    *(somebody(str(n), f"Name{n}") for n in range(3, 10)),
]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    made.show(PEOPLE, [A, B, C])
    return made


@pytest.fixture
def house(world: World) -> Iterator[House]:
    with open_desk(world) as made:
        yield made


def decided(house: House) -> list[tuple[str, str, str, str]]:
    """What stands as decisions: left, right, verdict, by whom."""
    return [(d.left_id, d.right_id, str(d.verdict), d.reviewer) for d in house.desk.decisions.standing()]


def test_a_pair_is_taken_decided_and_the_next_one_comes(house: House) -> None:
    """The most valuable first; the score is on no page before one's own verdict, and on the next one after it."""
    jo = at_desk(house, "jo")
    assert jo.path == "/queue"
    assert "3 pairs for you" in jo.page
    jo.send("/next")
    assert jo.path == f"/pair/{A.item}"
    assert "in 100" not in jo.page
    assert "one letter missing" in jo.page
    assert "two neighbouring digits swapped" in jo.page
    jo.send(f"/pair/{A.item}/verdict", verdict="same", code="names and dates agree", reason="  seen \n twice ")
    assert jo.path == f"/pair/{B.item}"
    assert "Saved: same." in jo.page
    assert "97 in 100" in jo.page
    assert decided(house) == [("old:1", "old:2", "same", "Jo Somebody")]
    assert house.desk.decisions.standing()[0].reason == "names and dates agree: seen twice"
    jo.get("/queue")
    assert "1 pair for you" in jo.page or "2 pairs for you" in jo.page


@pytest.mark.parametrize(
    ("verdict", "code", "stands"),
    [("same", "", "same"), ("different", "twins or siblings", "different"), ("related", "sibling", "related")],
)
def test_each_verdict_becomes_a_decision(house: House, verdict: str, code: str, stands: str) -> None:
    at_desk(house, "jo").say(A.item, verdict, code=code)
    assert [row[2] for row in decided(house)] == [stands]


def test_a_verdict_without_what_it_needs_comes_back_with_what_was_typed(house: House) -> None:
    jo = at_desk(house, "jo")
    jo.say(A.item, "related", reason="I think so")
    assert (jo.status, "Choose a reason for “related”" in jo.page, 'value="I think so"' in jo.page) == (
        422,
        True,
        True,
    )
    jo.send(f"/pair/{A.item}/verdict", verdict="related", code="sibling")
    assert [row[2] for row in decided(house)] == ["related"]
    jo.say(B.item, "no such verdict")
    assert jo.status == 422


def test_what_cannot_be_told_waits_for_somebody_and_comes_back(house: House) -> None:
    jo = at_desk(house, "jo")
    jo.say(A.item, "cannot tell", code="needs the NHS number")
    assert decided(house) == []
    jo.get("/queue?place=parked")
    assert "needs the NHS number" in jo.page
    kim = at_desk(house, "kim")
    kim.get(f"/pair/{A.item}")
    kim.send(f"/pair/{A.item}/reopen", reason="the GP gave it")
    kim.say(A.item, "different")
    assert [row[2:] for row in decided(house)] == [("different", "Kim Somebody")]


def test_what_is_escalated_is_for_a_senior_reviewer(house: House) -> None:
    at_desk(house, "jo").say(A.item, "escalate", code="too complex")
    kim = at_desk(house, "kim")
    kim.get("/queue")
    assert A.item not in kim.page
    at_desk(house, "sam").say(A.item, "same")
    assert [row[3] for row in decided(house)] == ["Sam Somebody"]


# Claims and races


def test_two_people_never_hold_one_pair_and_a_claim_ends(world: World, house: House) -> None:
    jo, kim = at_desk(house, "jo"), at_desk(house, "kim")
    jo.send("/next")
    kim.send("/next")
    assert (jo.path, kim.path) == (f"/pair/{A.item}", f"/pair/{B.item}")
    kim.get(f"/pair/{A.item}")
    assert "Somebody else has this pair" in kim.page
    world.clock.at += 16 * 60
    kim.get(f"/pair/{A.item}")
    kim.send(f"/pair/{A.item}/take")
    answer = jo.send(f"/pair/{A.item}/verdict", verdict="same")
    assert (jo.status, "somebody else has this pair now" in answer) == (409, True)
    assert decided(house) == []
    jo.get(f"/pair/{A.item}")
    assert "Somebody else has this pair" in jo.page


def test_a_form_that_is_sent_twice_counts_once(house: House) -> None:
    jo = at_desk(house, "jo")
    jo.get(f"/pair/{A.item}")
    jo.send(f"/pair/{A.item}/take")
    page = jo.page
    jo.send(f"/pair/{A.item}/verdict", verdict="same")
    jo.page = page
    jo.send(f"/pair/{A.item}/verdict", verdict="same")
    with house.desk.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(VERDICTS)) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(DECISIONS)) == 1


def test_a_page_that_is_out_of_date_decides_nothing(world: World, house: House) -> None:
    """The records changed with the next run, or somebody spoke meanwhile in another tab."""
    jo = at_desk(house, "jo")
    jo.get(f"/pair/{A.item}")
    jo.send(f"/pair/{A.item}/take")
    page = jo.page
    world.show(PEOPLE, [pair_of("1", "2", evidence="other"), B, C])
    jo.send(f"/pair/{A.item}/verdict", verdict="same")
    assert (jo.status, "the records changed" in jo.page) == (409, True)
    world.show(PEOPLE, [A, B, C])
    other = at_desk(house, "jo")
    other.say(A.item, "cannot tell", code="needs the file")
    jo.page = page
    jo.client.post  # noqa: B018 (the same person, an older tab)
    house.desk.claim(house.accounts.find("jo").viewer, A.item)  # type: ignore[union-attr]
    jo.send(f"/pair/{A.item}/verdict", verdict="same")
    assert (jo.status, "somebody has said something" in jo.page) == (409, True)
    assert decided(house) == []


def test_undo_is_a_row_of_its_own(house: House) -> None:
    jo = at_desk(house, "jo")
    for _ in range(3):
        jo.say(A.item, "same")
        assert len(decided(house)) == 1
        jo.send(f"/pair/{A.item}/take-back")
        assert [row[2] for row in decided(house)] == ["unsure"]
        assert "Taken back." in jo.page
    jo.say(A.item, "different")
    assert [row[2] for row in decided(house)] == ["different"]
    with house.desk.engine.connect() as connection:
        acts = list(connection.scalars(sa.select(VERDICTS.c.act).order_by(VERDICTS.c.number)))
    assert acts == ["verdict", "withdrawn"] * 3 + ["verdict"]
    assert house.desk.log.problems() == ()
    kim = at_desk(house, "kim")
    kim.client.post(f"/pair/{A.item}/take-back", data={"csrf": "x"})
    assert [row[2] for row in decided(house)] == ["different"]


# Two people, hold, release


TWINS = pair_of("1", "2", flags=("looked after",))


def test_two_people_decide_and_neither_sees_the_other(world: World, house: House) -> None:
    world.show(PEOPLE, [TWINS])
    jo, kim = at_desk(house, "jo"), at_desk(house, "kim")
    jo.say(TWINS.item, "same", reason="mark of Zorro")
    assert decided(house) == []
    jo.get("/queue")
    assert TWINS.item not in jo.page.split("<table")[-1]
    jo.get(f"/pair/{TWINS.item}")
    assert f'action="/pair/{TWINS.item}/verdict"' not in jo.page
    kim.get(f"/pair/{TWINS.item}")
    assert not any(word in kim.page for word in ("Jo Somebody", "mark of Zorro", "97 in 100"))
    kim.say(TWINS.item, "same")
    assert [row[3] for row in decided(house)] == ["Kim Somebody"]
    with house.desk.engine.connect() as connection:
        assert [row.reviewer for row in connection.execute(sa.select(DECISIONS))] == [
            "Jo Somebody",
            "Kim Somebody",
        ]


def test_when_two_differ_a_senior_reviewer_speaks_third(world: World, house: House) -> None:
    world.show(PEOPLE, [TWINS])
    at_desk(house, "jo").say(TWINS.item, "same")
    at_desk(house, "kim").say(TWINS.item, "different")
    assert decided(house) == []
    at_desk(house, "sam").say(TWINS.item, "different")
    assert [(row[2], row[3]) for row in decided(house)] == [("different", "Sam Somebody")]


def test_a_pair_that_linkage_did_not_put_forward_needs_two(world: World, house: House) -> None:
    asked = pair_of("1", "2", proposed=False)
    world.show(PEOPLE, [asked])
    at_desk(house, "jo").say(asked.item, "same")
    assert decided(house) == []
    at_desk(house, "kim").say(asked.item, "same")
    assert [row[2] for row in decided(house)] == ["same"]


def test_a_merge_is_held_and_one_objection_stops_it(world: World, house: House) -> None:
    """Outside of trials: two working days; a Friday's merge is released on Tuesday. What keeps apart is none."""
    world.clock.at = 1_793_354_400.0  # Friday, 30 October 2026, 10:00
    world.show(PEOPLE, [A, B, C], run="cut-over")
    jo, ola, sam = at_desk(house, "jo"), at_desk(house, "ola"), at_desk(house, "sam")
    jo.say(A.item, "same")
    jo.say(B.item, "same")
    jo.say(C.item, "different")
    assert [row[2] for row in decided(house)] == ["different"]
    ola.get("/releases")
    assert "Tue 03 Nov 2026" in ola.page
    ola.send(f"/releases/{A.item}", reason="they are cousins")
    jo.get("/queue")
    assert A.item not in jo.page
    sam.get("/queue?place=escalated")
    assert "objection: they are cousins" in sam.page
    world.clock.at += 3 * 86400
    at_desk(house, "ola").get("/releases")
    assert {row[:3] for row in decided(house)} == {("old:5", "old:6", "different")}
    world.clock.at += 86400 + 60
    at_desk(house, "ola").get("/releases")
    assert {row[:3] for row in decided(house)} == {("old:5", "old:6", "different"), ("old:3", "old:4", "same")}


# Groups and contradictions


def group(*pairs: tuple[str, str], **more: object) -> list:
    ids = tuple(sorted({f"old:{key}" for pair in pairs for key in pair}))
    return [pair_of(*pair, group=ids, weight=10.0 + number, **more) for number, pair in enumerate(pairs)]


def test_a_group_is_one_page_with_its_weakest_link_and_one_is_put_aside(world: World, house: House) -> None:
    pairs = group(("1", "2"), ("2", "3"), ("1", "3"))
    world.show(PEOPLE, pairs)
    for login in ("jo", "kim"):
        somebody_ = at_desk(house, login)
        somebody_.get(f"/group/{pairs[0].item}")
        assert "A group of 3 records" in somebody_.page
        assert somebody_.page.count("weakest link</b>") == 2  # seen from either record
        somebody_.send(f"/group/{pairs[0].item}/aside", letter="C")
    assert {row[:3] for row in decided(house)} == {
        ("old:1", "old:3", "different"),
        ("old:2", "old:3", "different"),
    }


def test_a_contradiction_says_who_decided_what(world: World, house: House) -> None:
    pairs = group(("1", "2"), ("2", "3"), ("1", "3"), conflict=True)
    verdicts = (("1", "2", Ruling.SAME, "Al"), ("2", "3", Ruling.SAME, "Bea"), ("1", "3", Ruling.DIFFERENT, "Cy"))
    said = [decision(f"old:{one}", f"old:{other}", ruling, who, "x") for one, other, ruling, who in verdicts]
    DecisionLog(house.desk.log).decide(said, {(d.left_id, d.right_id) for d in said})
    world.show(PEOPLE, pairs, decisions="3")
    jo = at_desk(house, "jo")
    jo.get(f"/group/{pairs[0].item}")
    for line in ("A is B: Al", "B is C: Bea", "A is not C: Cy"):
        assert line in jo.page
    jo.say(pairs[2].item, "same")
    at_desk(house, "kim").say(pairs[2].item, "same")
    assert {row[2] for row in decided(house)} == {"same"}


def test_a_pair_that_was_decided_elsewhere_leaves_the_queue_at_once(house: House) -> None:
    jo = at_desk(house, "jo")
    DecisionLog(house.desk.log).decide(
        [decision("old:1", "old:2", Ruling.DIFFERENT, "Al", "x")], {("old:1", "old:2")}
    )
    jo.get("/queue")
    assert "2 pairs for you" in jo.page


# What is on the page


def test_family_doubts_and_masked_values(world: World, house: House) -> None:
    """A value is shown when it is asked for, once, and the asking is on record before it is shown."""
    kin = [Kin("old:2", "twin"), Kin("old:3", "mother"), Kin("old:9", "father")]
    left = somebody("1", "Ann", nhs_number="4857773456", kin=kin)
    people = [left, *PEOPLE[1:8], somebody("9", "Secret", clearance=1)]
    world.show(people, [A])
    jo = at_desk(house, "jo")
    jo.get(f"/pair/{A.item}")
    assert "On file as two people: the one is recorded as the other&#39;s twin." in jo.page
    assert "mother: Name3 Ng" in jo.page
    assert "Secret" not in jo.page
    assert "4857773456" not in jo.page
    page = jo.page
    jo.send(f"/pair/{A.item}/reveal", role="nhs_number", side="A")
    assert "485777345" in jo.page.replace("<mark>", "").replace("</mark>", "")
    part = jo.client.post(
        f"/pair/{A.item}/reveal", headers={"hx-request": "true"},
        data={"csrf": page.split('name="csrf" value="')[1].split('"')[0], "role": "nhs_number", "side": "B"},
    )  # fmt: skip
    assert "<html" not in part.text
    assert "48577734" in part.text.replace("<mark>", "").replace("</mark>", "")
    kinds = [(entry.kind, (entry.body or {}).get("side")) for entry in house.desk.reads.entries("reveal")]
    assert kinds == [("reveal", "A"), ("reveal", "B")]
    assert house.desk.reads.problems() == ()


def test_names_with_markup_right_to_left_text_and_long_values(world: World, house: House) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
    world.show([somebody("1", evil), somebody("2", "\u202eevil\u202c علي", street="x" * 10_000)], [A])
    jo = at_desk(house, "jo")
    jo.get(f"/pair/{A.item}")
    assert jo.status == 200
    text = jo.page.replace("<mark>", "").replace("</mark>", "")
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;" in text
    assert "علي" in jo.page
    assert len(jo.page) < 60_000


def test_every_act_is_in_the_log_and_the_auditor_sees_no_record(house: House) -> None:
    jo = at_desk(house, "jo")
    jo.say(A.item, "same")
    jo.get(f"/pair/{B.item}")
    ada = at_desk(house, "ada")
    ada.get("/log")
    assert "Both chains are whole" in ada.page
    assert not any(word in ada.page for word in ("old:1", "Ann", "4857773456"))
    for word in ("view", "desk", "sign-in"):
        assert f"<td>{word}</td>" in ada.page
    assert {entry.kind for entry in house.desk.reads.entries()} >= {"sign-in", "view", "list", "log read"}


def test_a_log_that_was_changed_stops_the_desk(house: House) -> None:
    jo = at_desk(house, "jo")
    jo.say(A.item, "same")
    with house.desk.engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER audit_no_update"))
        connection.execute(sa.text("UPDATE audit SET kind = 'x' WHERE number = (SELECT max(number) FROM audit)"))
    jo.say(B.item, "same")
    assert (jo.status, "not what was recorded" in jo.page) == (503, True)
    with pytest.raises(CasebridgeError, match="not what was recorded"):
        house.desk.take_back(Viewer("jo", "Jo", 0), A.item)
    with house.desk.engine.connect() as connection:
        assert connection.scalars(sa.select(VERDICTS.c.act)).all() == ["verdict"]
    assert len(house.desk.log.problems()) >= 1


def test_evidence_that_was_changed_is_not_shown(world: World, house: House) -> None:
    """Whoever opens it says so and shows nothing of it."""
    jo = at_desk(house, "jo")
    path = current_evidence(world.folder / "work")
    assert path is not None
    path.chmod(0o600)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE pairs SET data = data || char(32)")
    connection.close()
    with open_desk(world) as other:
        answer = at_desk(other, "jo").get("/queue")
    assert "is not what the run wrote" in answer
    assert "pairs for you" not in answer
    assert "pairs for you" in jo.get("/queue"), "what is in memory is what was written"


def test_evidence_that_is_away_for_a_moment_is_there_again(world: World, house: House) -> None:
    """A run puts other evidence in its place, or takes over what is there, while somebody is at the desk."""
    jo = at_desk(house, "jo")
    assert "pairs for you" in jo.get("/queue")
    path = current_evidence(world.folder / "work")
    assert path is not None
    path.rename(path.with_name("away"))
    world.clock.at += 2
    assert "nothing to review yet" in jo.get("/queue")
    path.with_name("away").rename(path)
    world.clock.at += 2
    assert "pairs for you" in jo.get("/queue")


@pytest.mark.parametrize(
    ("change", "other"),
    [
        ("SET data = replace(data, 'Ann', 'Eve') WHERE id = 'old:001'", 200),
        ("SET id = 'old:0901' WHERE id = 'old:091'", 503),
    ],
)
def test_a_record_that_was_changed_is_named_when_somebody_opens_it(world: World, change: str, other: int) -> None:
    """Opening the desk reads no record; a page that would show a changed one, or lack it, is none."""
    first, last = pair_of("000", "001"), pair_of("090", "091")
    world.show([somebody(f"{n:03}") for n in range(100)], [first, last])
    path = current_evidence(world.folder / "work")
    assert path is not None
    path.chmod(0o600)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE people {change}")
    with open_desk(world) as house:
        jo = at_desk(house, "jo")
        jo.get(f"/pair/{last.item}")
        assert jo.status == other
        jo.get(f"/pair/{first.item}")
        assert jo.status == (503 if other == 200 else 200)
        assert not re.search(r"\bEve\b", jo.page)
        jo.get("/queue")
        assert (jo.status, f"the evidence {path.name} is not what the run wrote" in jo.page) == (503, True)


def test_a_notification_has_one_answer(house: House) -> None:
    hal = at_desk(house, "hal")
    pages = set()
    for right in ("2", "99", "old:7"):
        hal.get("/report")
        hal.send("/report", left="1", right=right, why="the caller says so")
        pages.add(hal.page)
    assert len(pages) == 1
    hal.get("/report")
    hal.send("/report", left="1", right="1", why="x")
    assert (hal.status, "names one record twice" in hal.page) == (422, True)


def test_decided_at_the_desk_merged_by_a_run_and_taken_apart_again(tmp_path: Path) -> None:
    """The whole loop: two people, a run, the target with one record less; a senior reviewer undoes it, a run, and
    the target is what it was, row for row."""
    kin = make_kin(tmp_path, [person(1, "Ng", "111"), person(2, "Ng"), person(3, "Li")], [relation(1, 2, 3)])
    words = ("--by", "Help desk", "--why", "two numbers")
    assert kin.cli("pairs", "--ask-for", "1", "2", *words).returncode == 0
    kin.run()
    before = (kin.people(), kin.relations())
    world = World(tmp_path)
    with open_desk(world) as house:
        (one,) = house.desk.pairs(house.accounts.find("jo").viewer)  # type: ignore[union-attr]
        for login in ("jo", "kim"):
            at_desk(house, login).say(one.pair.item, "same")
        kin.run()
        world.clock.at += 2
        assert kin.people() == [("1", "111", "N"), ("3", None, "N")]
        assert kin.relations() == [("R1", "1", "3")]
        sam = at_desk(house, "sam")
        sam.get("/queue?place=done")
        assert one.pair.item in sam.page
        sam.get(f"/pair/{one.pair.item}")
        sam.send(f"/releases/{one.pair.item}", reason="they are twins")
        sam.get("/queue?place=escalated")
        assert "objection: they are twins" in sam.page
        kin.run()
        world.clock.at += 2
        assert (kin.people(), kin.relations()) == before
        jo = at_desk(house, "jo")
        jo.get(f"/pair/{one.pair.item}")
        assert jo.status == 200
    assert kin.cli("audit", "verify").returncode == 0


@pytest.mark.parametrize(("days_ago", "merged"), [(0, False), (20, True)])
def test_a_run_takes_up_merges_whose_hold_is_over(tmp_path: Path, days_ago: int, merged: bool) -> None:
    """Nobody needs to open the desk for that; what is still held stays apart."""
    kin = make_kin(tmp_path, [person(1, "Ng", "111"), person(2, "Ng"), person(3, "Li")])
    words = ("--by", "Help desk", "--why", "two numbers")
    assert kin.cli("pairs", "--ask-for", "1", "2", *words).returncode == 0
    kin.run("cut-over")
    with open_desk(World(tmp_path, Clock(time.time() - days_ago * 86_400))) as house:
        viewer = house.accounts.find("jo").viewer  # type: ignore[union-attr]
        (one,) = house.desk.pairs(viewer)
        for login in ("jo", "kim"):
            at_desk(house, login).say(one.pair.item, "same")
        assert [one.standing.place for one in house.desk.pairs(viewer)] == [Place.HELD]
    kin.run("cut-over")
    assert [key for key, *_ in kin.people()] == (["1", "3"] if merged else ["1", "2", "3"])
