"""Somebody who did not build the desk tries the lanes beside the queue: checks, the test, families, lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.dedupe.quality.strata import MERGED
from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.samples import Drawn, Sample, keep_sample
from casebridge.migrate.web.visit import House
from casebridge.project.database import writing
from tests.desks import Desktop, World, at_desk, make_world, open_desk, pair_of, somebody
from tests.web.test_attacks import _plain

A, B, SECRET = pair_of("1", "2", value=3.0), pair_of("3", "4"), pair_of("1", "9", clearance=1, value=9.0)
RECORDS = [*(somebody(str(n), f"Name{n}") for n in range(1, 5)), somebody("9", "Hidden", clearance=1)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    made.show(RECORDS, [A, B, SECRET])
    return made


@pytest.fixture
def house(world: World) -> Iterator[House]:
    with open_desk(world) as made:
        pairs = ((A.left_id, A.right_id), (SECRET.left_id, SECRET.right_id))
        strata = tuple(Drawn(f"merged {n}", MERGED, n, 50, 0.9, (pair,)) for n, pair in enumerate(pairs))
        with writing(made.desk.engine).begin() as connection:
            keep_sample(connection, Sample("trial-1", 0.01, 0.0, "2026-11-27T00:00:00Z", strata), "t")
        at_desk(made, "jo").say(A.item, "same")
        yield made


def _token(desk: Desktop) -> str:
    return re.findall(r'name="csrf" value="([^"]*)"', desk.get("/checks"))[0]


def _acts(house: House) -> list[str]:
    with house.desk.engine.connect() as connection:
        return list(connection.scalars(sa.select(VERDICTS.c.act).order_by(VERDICTS.c.number)))


def test_what_is_hidden_from_a_checker_has_the_answer_of_what_is_not_there(house: House) -> None:
    kim, answers = at_desk(house, "kim"), set()
    for item in (SECRET.item, B.item, "0" * 32, "nonsense"):
        kim.get(f"/checks/{item}")
        answers.add(_plain(kim.answer))
        token = _token(kim)
        kim._came(kim.client.post(f"/checks/{item}", data={"csrf": token, "verdict": "same"}))
        answers.add(_plain(kim.answer))
    assert len(answers) == 1
    assert kim.status == 404
    jo = at_desk(house, "jo")
    jo.get(f"/checks/{A.item}")
    assert jo.status == 404, "nobody checks what he judged himself"
    assert "1 pair of the sample" in at_desk(house, "tess").get("/checks").replace("2 pairs", "1 pair")


def test_a_check_that_is_sent_twice_or_out_of_date_counts_once_or_not_at_all(house: House, world: World) -> None:
    kim = at_desk(house, "kim")
    kim.get("/checks")
    kim.send("/checks")
    page, path = kim.page, kim.path
    world.show(RECORDS, [replace(A, evidence="other"), B, SECRET])
    kim.send(path, verdict="different")
    assert (kim.status, "the records changed" in kim.page) == (409, True)
    world.show(RECORDS, [A, B, SECRET])
    for _ in range(2):
        kim.page = page
        kim.send(path, verdict="same")
    assert _acts(house) == ["verdict", "check"]


def test_a_check_without_a_claim_or_a_token_is_none(house: House) -> None:
    kim, tess = at_desk(house, "kim"), at_desk(house, "tess")
    token = _token(kim)
    fields = {"csrf": token, "verdict": "different", "evidence": A.evidence, "key": "k", "seen": "0"}
    assert kim.client.post(f"/checks/{A.item}", data=fields).status_code == 409
    assert kim.client.post(f"/checks/{A.item}", data={**fields, "csrf": "x"}).status_code == 403
    assert tess.client.post(f"/checks/{A.item}", data=fields).status_code == 403, "another session's token"
    assert _acts(house) == ["verdict"]


def test_a_blind_page_stays_blind_without_scripts_when_a_value_is_shown(house: House) -> None:
    """To reveal a value makes a page again; it must not be the page that tells what was decided."""
    kim = at_desk(house, "kim")
    kim.get("/checks")
    kim.send("/checks")
    token = re.findall(r'name="csrf" value="([^"]*)"', kim.page)[0]
    shown = {"csrf": token, "role": "surname", "side": "A", "lane": "check"}
    kim._came(kim.client.post(f"/pair/{A.item}/reveal", data=shown))
    assert kim.status == 200
    assert f'action="/checks/{A.item}"' in kim.page
    assert not any(word in kim.page for word in ("Jo Somebody", "in 100 that", "is <b>decided</b>"))


def test_a_pair_that_is_made_up_cannot_be_told_from_the_others(house: House, world: World) -> None:
    """Before a verdict the page of a known pair is that of any other, word for word, but for its name."""
    world.show(RECORDS, [A, B])
    plain = at_desk(house, "kim").get(f"/pair/{B.item}")
    world.show(RECORDS, [A, replace(B, known="different", known_why="two people of one name")])
    known = at_desk(house, "kim").get(f"/pair/{B.item}")
    bare = [re.sub(r'name="(csrf|key|opened)" value="[^"]*"', "", page) for page in (plain, known)]
    assert bare[0] == bare[1]


def test_names_with_markup_are_words_wherever_they_are_shown(house: House) -> None:
    jo = at_desk(house, "jo")
    jo.get("/family")
    nasty = "<script>alert(1)</script>"
    jo.send("/family", relation="child", forename=nasty, surname='" onfocus="x', birth_date="")
    assert nasty not in jo.page
    assert "&lt;script&gt;" in jo.page
    jo.send("/family", relation="king", forename=nasty, surname="y" * 3000)
    assert (jo.status, nasty in jo.page, "y" * 200 in jo.page) == (422, False, False)
