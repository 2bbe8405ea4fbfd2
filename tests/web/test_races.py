"""Many people at one desk, on SQLite and on a server: no decision is lost, none is made twice."""

from __future__ import annotations

import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.desk_tables import DECISIONS
from casebridge.dedupe.review.desk_words import Form, Refused, Viewer
from casebridge.dedupe.review.verdicts import Opinion
from casebridge.project.settings import read_settings
from tests.desks import World, make_world, pair_of, somebody

PAIRS = [pair_of(f"a{n}", f"b{n}", value=float(n % 5)) for n in range(24)]
RECORDS = [somebody(f"{side}{n}") for side in "ab" for n in range(24)]


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    on_sqlite = request.param == "sqlite"
    control = "sqlite:///control.db" if on_sqlite else request.getfixturevalue("postgres_url")
    made = make_world(tmp_path, control)
    made.show(RECORDS, PAIRS)
    return made


def _form(desk: Desk, viewer: Viewer, item: str, key: str = "") -> Form:
    one = desk.find(viewer, item)
    assert one is not None
    acts = desk.acts(item)
    seen = acts[-1].number if acts else 0
    return Form(item, Opinion.DIFFERENT, "", "x", one.pair.evidence, seen, key or secrets.token_hex(8))


def test_each_pair_is_decided_once_by_the_one_who_held_it(world: World) -> None:
    """Two desks (two processes would be no different), eight people at once, each clearing what is free."""
    desks = [Desk(read_settings(world.folder), world.clock) for _ in range(2)]

    def work(number: int) -> Counter[str]:
        desk, viewer, done = desks[number % 2], Viewer(f"p{number}", f"P{number}", 0), Counter[str]()
        while (item := desk.take_next(viewer)) is not None:
            try:
                desk.say(viewer, _form(desk, viewer, item))
                done["said"] += 1
            except Refused:
                done["refused"] += 1
        return done

    with ThreadPoolExecutor(8) as people:
        done = sum(people.map(work, range(8)), Counter[str]())
    assert done["said"] == len(PAIRS)
    with desks[0].engine.connect() as connection:
        pairs = list(connection.execute(sa.select(DECISIONS.c.left_id, DECISIONS.c.right_id)))
    assert len(pairs) == len(set(pairs)) == len(PAIRS)
    assert desks[1].decisions.problems() == ()
    assert list(desks[0].pairs(Viewer("x", "X", 0))) == []
    for desk in desks:
        desk.close()


def test_of_two_who_send_at_the_same_moment_one_is_told(world: World) -> None:
    """One form from two tabs, and two forms of one person: whatever comes second changes nothing."""
    desk, viewer = Desk(read_settings(world.folder), world.clock), Viewer("p", "P", 0)
    item = PAIRS[0].item
    assert desk.claim(viewer, item)
    forms = [_form(desk, viewer, item, key) for key in ("same", "same", "other", "another")]

    def send(form: Form) -> str:
        try:
            desk.say(viewer, form)
        except Refused as refused:
            return refused.message
        return "taken"

    with ThreadPoolExecutor(4) as tabs:
        answers = list(tabs.map(send, forms))
    assert "taken" in answers
    with desk.engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(DECISIONS)) == 1
    desk.close()
