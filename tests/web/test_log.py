"""The auditor's page: what councils look for in a log of access, and spot checks with their outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from casebridge.migrate.web.accounts import ACCOUNTS
from casebridge.migrate.web.log_checks import Use, uses
from casebridge.migrate.web.roles import Role
from casebridge.migrate.web.spot_checks import MANY, OUTCOMES
from casebridge.migrate.web.visit import House, today
from casebridge.project.database import writing
from tests.desks import World, at_desk, make_world, open_desk, pair_of, password_of, somebody

PAIRS = [pair_of(str(n), str(n + 50), value=float(n)) for n in range(1, 13)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    people = [somebody(str(n), surname="Somebody" if n == 3 else "Ng") for n in (*range(1, 13), *range(51, 63))]
    made.show(people, [*PAIRS[:-1], replace(PAIRS[-1], teams=("Far",))])
    return made


@pytest.fixture
def house(world: World) -> Iterator[House]:
    with open_desk(world) as made:
        yield made


def _uses(house: House) -> dict[str, Use]:
    entries = (*house.desk.reads.entries(), *house.desk.log.entries())
    return {use.login: use for use in uses(house, entries, today())}


def test_what_councils_look_for_is_counted_by_account(house: House) -> None:
    """Jo (Somebody) opens twelve pairs, one of her own last name, and decides one; kim tries addresses; a partner
    reaches for a pair outside the agreement; hal left and was seen later; bo has not come for half a year."""
    jo, kim = at_desk(house, "jo"), at_desk(house, "kim")
    for pair in PAIRS:
        jo.get(f"/pair/{pair.item}")
    jo.say(PAIRS[0].item, "different")
    kim.get(f"/pair/{PAIRS[1].item}")
    for path in (f"/pair/{'0' * 32}", "/releases", "/nowhere"):
        assert kim.get(path)
        assert kim.status == 404
    house.accounts.add("pat", "Pat Partner", Role.PARTNER, password_of("pat"))
    house.accounts.accept_rules("pat")
    house.accounts.note_test("pat", passed=True)
    house.accounts.change("pat", name="Pat Partner", role=Role.PARTNER, clearance=False, daily=0, teams=("Far",),
                          groups=())  # fmt: skip
    at_desk(house, "pat").get(f"/pair/{PAIRS[0].item}")
    at_desk(house, "hal")
    with writing(house.desk.engine).begin() as connection:
        for login, column in (("hal", "closed_at"), ("bo", "made_at")):
            change = ACCOUNTS.update().where(ACCOUNTS.c.login == login)
            connection.execute(change.values({column: "2020-01-01T00:00:00Z"}))
    found = _uses(house)
    assert (found["jo"].views >= 12, found["jo"].idle, found["jo"].own, found["jo"].verdicts) == (True, 11, 1, 1)
    assert (found["pat"].views, found["pat"].refused) == (0, 1)
    assert (found["kim"].own, found["kim"].refused, found["kim"].busiest) == (0, 3, 1)
    assert (found["jo"].much, found["kim"].much) == (False, False), "two people's days say little of what is usual"
    assert (found["hal"].closed, found["hal"].after_close, found["hal"].unused) == (True, True, False)
    assert [login for login, use in found.items() if use.unused] == ["bo"]
    page = at_desk(house, "ada").get("/log")
    assert page.count("unused for half a year") == 1
    assert page.count("used after it was closed") == 1
    assert not any(word in page for word in ("old:3", "Ann"))


def test_an_auditor_draws_accesses_and_says_what_came_of_each(house: House) -> None:
    for pair in PAIRS:
        at_desk(house, "jo").get(f"/pair/{pair.item}")
    ada = at_desk(house, "ada")
    ada.get("/log")
    ada.send("/log/draw")
    names = [line.split('"')[0] for line in ada.get("/log").split('name="access" value="')[1:]]
    assert len(set(names)) == len(names) == MANY
    ada.send("/log/outcome", access=names[0], outcome="asked and explained")
    assert "1 asked and explained" in ada.get("/log")
    assert ada.page.count('name="access"') == MANY - 1
    for access, outcome in ((names[1], "fine"), ("reads-99999", OUTCOMES[0]), ("", "")):
        ada.get("/log")
        ada.send("/log/outcome", access=access, outcome=outcome)
        assert ada.status == 404
    ada.get("/log")
    ada.send("/log/draw")
    again = [line.split('"')[0] for line in ada.get("/log").split('name="access" value="')[1:]]
    assert again
    assert not set(again) & set(names), "no access is drawn twice"
    assert "1 asked and explained" in ada.page, "the outcomes of the check before stay"
    assert house.desk.reads.problems() == ()
