"""Who may see what beyond clearance: one's own family, a partner's agreement, groups, the gate before real
pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from casebridge.dedupe.review.desk_tables import FAMILY
from casebridge.dedupe.review.entrance_test import paper, passed
from casebridge.dedupe.review.evidence_file import Kin
from casebridge.dedupe.review.family import ACCESS, Declared, declare
from casebridge.migrate.cli.account import account
from casebridge.migrate.web.accounts import ACCOUNTS
from casebridge.migrate.web.roles import Role
from casebridge.migrate.web.visit import House
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError, SpecError
from tests.desks import World, at_desk, make_world, open_desk, pair_of, password_of, somebody
from tests.web.test_attacks import _visit

A, B, C = pair_of("1", "2", value=3.0), pair_of("3", "4", value=2.0), pair_of("5", "6", value=1.0)
RECORDS = [somebody(str(n), f"Name{n}", surname=f"Of{n}x") for n in range(1, 10)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    made.show(RECORDS, [A, B, C])
    return made


@pytest.fixture
def house(world: World) -> Iterator[House]:
    with open_desk(world) as made:
        yield made


def _declared(house: House, *people: Declared) -> None:
    with writing(house.desk.engine).begin() as connection:
        declare(connection, people)


# One's own family


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        ({"forename": "Joanne", "surname": "O'Brien", "birth_date": "1980-05-04"}, True),
        ({"forename": "JOANNE", "surname": "OBrien"}, True),
        ({"forename": "Joane", "surname": "Obrian", "birth_date": "1980-04-05"}, True),
        ({"forename": "Joanne", "surname": "Smith", "previous_surnames": ["O'Brien"]}, True),
        ({"forename": "Zed", "surname": "O'Brien", "postcode": "zz11zz"}, True),
        ({"forename": "Zed", "surname": "O'Brien"}, False),
        ({"forename": "Joanne", "surname": "O'Brien", "birth_date": "1951-11-30"}, False),
        ({"forename": "Joanne", "surname": "Patel"}, False),
        ({}, False),
    ],
)
def test_what_may_be_a_record_of_somebody(record: dict[str, object], kept: bool) -> None:
    who = Declared("jo", "self", "Joanne", "O'Brien", "1980-05-04", "ZZ1 1ZZ")
    assert who.may_be(record) is kept


def test_every_byte_is_that_of_a_project_without_the_reviewers_own_record(tmp_path: Path) -> None:
    """One visit, word for word, with a record that may be hers and without it: in a pair, in a group, as a
    relative."""
    kin = [Kin("old:9", "sister"), Kin("old:4", "mother")]
    left = somebody("1", "Ann", surname="Of1x", kin=kin)
    hers = somebody("9", "Joanne", surname="Bloggs")
    open_pairs = [pair_of("1", "2"), pair_of("2", "3", value=1.0)]
    with_her = [pair_of("1", "9", value=9.0), pair_of("2", "9", group=("old:1", "old:2", "old:9"))]
    seen = []
    for name, people, pairs in (
        ("with", [left, *RECORDS[1:8], hers], [*open_pairs, *with_her]),
        ("without", [left, *RECORDS[1:8]], open_pairs),
    ):
        world = make_world(tmp_path / name)
        world.show(people, pairs)
        with open_desk(world) as house:
            _declared(house, Declared("jo", "self", "Joanne", "Bloggs"))
            seen.append(_visit(house))
            if name == "with":
                assert "Bloggs" in at_desk(house, "kim").get(f"/pair/{with_her[0].item}")
    assert seen[0] == seen[1]


def test_a_group_is_what_it_is_without_those_who_are_kept_away(house: House, world: World) -> None:
    group = ("old:1", "old:2", "old:3", "old:9")
    mine = [replace(pair_of(a, b), group=group) for a, b in (("1", "2"), ("2", "3"), ("3", "9"))]
    world.show([*RECORDS[:8], somebody("9", "Joanne", surname="Bloggs")], mine)
    _declared(house, Declared("jo", "self", "Joanne", "Bloggs"))
    viewer = house.accounts.find("jo").viewer  # type: ignore[union-attr]
    assert {one.pair.group for one in house.desk.everything(viewer)} == {("old:1", "old:2", "old:3")}
    jo = at_desk(house, "jo")
    jo.get(f"/group/{mine[0].item}")
    assert jo.status == 200
    assert "Bloggs" not in jo.page


def test_a_reviewer_declares_at_the_desk_and_it_holds_from_the_next_page(house: House) -> None:
    jo = at_desk(house, "jo")
    jo.get(f"/pair/{A.item}")
    assert jo.status == 200
    jo.get("/family")
    jo.send("/family", relation="child", forename="Name1", surname="", birth_date="yesterday")
    assert (jo.status, "not filled in: surname, birth_date" in jo.page) == (422, True)
    assert 'value="Name1"' in jo.page
    jo.send("/family", relation="child", forename="Name1", surname="Of1x")
    assert "Name1 Of1x" in jo.page
    jo.get(f"/pair/{A.item}")
    assert jo.status == 404
    assert "2 pairs for you" in jo.get("/queue")
    assert "3 pairs for you" in at_desk(house, "kim").get("/queue")


def test_a_declaration_that_comes_after_a_later_number_counts(house: House, world: World) -> None:
    """PostgreSQL may commit number 10 before number 9."""

    def declare_as(number: int, login: str, name: int) -> None:
        row = {"number": number, "login": login, "relation": "child", "birth_date": "", "postcode": ""}
        with writing(house.desk.engine).begin() as connection:
            connection.execute(FAMILY.insert(), {**row, "forename": f"Name{name}", "surname": f"Of{name}x"})
        world.clock.at += 5

    jo = at_desk(house, "jo")
    declare_as(10, "kim", 3)
    jo.get(f"/pair/{A.item}")
    assert jo.status == 200
    declare_as(9, "jo", 1)
    jo.get(f"/pair/{A.item}")
    assert jo.status == 404


# Partners and groups


def test_a_partner_sees_what_the_agreement_covers(house: House, world: World) -> None:
    """Pairs of whose people every team is covered; nobody beside them of whom no team is known."""
    south = replace(somebody("3", kin=[Kin("old:7", "mother")]), teams=("South",))
    pairs = [A, replace(B, teams=("South",)), replace(C, teams=("North", "South"))]
    world.show([*RECORDS[:2], south, replace(RECORDS[3], teams=("South",)), *RECORDS[4:6],
                replace(somebody("7", "Secretmother"), teams=())], pairs)  # fmt: skip
    house.accounts.add("pat", "Pat", Role.PARTNER, password_of("pat"))
    house.accounts.accept_rules("pat")
    house.accounts.note_test("pat", passed=True)
    pat = at_desk(house, "pat")
    assert "0 pairs for you" in pat.get("/queue"), "no agreement, no cases"
    house.accounts.change(
        "pat", name="Pat", role=Role.PARTNER, clearance=False, daily=0, teams=["South"], groups=[]
    )
    assert "1 pair for you" in pat.get("/queue")
    pat.get(f"/pair/{B.item}")
    assert pat.status == 200
    assert "Secretmother" not in pat.page
    for item in (A.item, C.item):
        pat.get(f"/pair/{item}")
        assert pat.status == 404
    for path in ("/progress", "/quality", "/releases", "/log", "/report"):
        pat.get(path)
        assert pat.status == 404, path


def test_only_the_groups_on_the_list_open_a_record(house: House, world: World) -> None:
    """Camden's list is the example: a reason, and who keeps access. A list that cannot be read shuts the desk."""
    listed = world.folder / ACCESS
    listed.write_text("key,reason,groups\n2,member of staff,Senior managers;Audit\n", encoding="utf-8")
    sam, jo = at_desk(house, "sam"), at_desk(house, "jo")
    assert "2 pairs for you" in jo.get("/queue")
    assert "2 pairs for you" in sam.get("/queue")
    house.accounts.change("sam", name="Sam Somebody", role=Role.SENIOR, clearance=True, daily=0, teams=[],
                          groups=["senior managers"])  # fmt: skip
    assert "3 pairs for you" in sam.get("/queue")
    listed.write_text("key,reason,groups\n2,member of staff,\n", encoding="utf-8")
    jo.get("/queue")
    assert (jo.status, "line 2 is not filled in" in jo.page) == (503, True)


# The gate, and the day's pairs


def _answers(house: House, login: str, *, right: bool) -> dict[str, str]:
    tries = house.accounts.find(login).tries  # type: ignore[union-attr]
    questions = paper(house.desk.log.keyed("paper", f"{login}\n{tries}"))
    wrong = {"same": "different", "different": "same"}
    return {f"answer{one.number}": one.answer if right else wrong[one.answer] for one in questions}


def test_nobody_sees_real_pairs_before_the_test_is_passed(house: House) -> None:
    with house.desk.engine.begin() as connection:
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.login == "jo").values(tested_at=""))
    jo = at_desk(house, "jo")
    for path in ("/queue", f"/pair/{A.item}", "/checks", "/progress"):
        jo.get(path)
        assert jo.path == "/test", path
    first = jo.page
    jo.send("/test", **_answers(house, "jo", right=False))
    assert "Not yet." in jo.page
    jo.get("/test")
    assert re.findall("<td.*", jo.page) != re.findall("<td.*", first), "another paper"
    jo.page, old = first, _answers(house, "jo", right=True)
    jo.send("/test", **old)
    assert jo.path == "/test", "a paper that was handed in is no paper any more"
    jo.get("/test")
    jo.send("/test", **_answers(house, "jo", right=True))
    assert jo.path == "/family"
    assert at_desk(house, "jo").path == "/queue"


def test_who_makes_one_of_two_has_not_passed() -> None:
    questions = paper("x")
    right = {one.number: one.answer for one in questions}
    assert passed(questions, right)
    kinds = [one.answer for one in questions]
    assert {"same", "different"} <= set(kinds)
    merged = next(one for one in questions if one.answer == "different")
    assert not passed(questions, {**right, merged.number: "same"})
    apart = next(one for one in questions if one.answer == "same")
    assert passed(questions, {**right, apart.number: "different"})
    assert not passed(questions, {})


def test_a_days_pairs_are_so_many(house: House) -> None:
    house.accounts.change("jo", name="Jo", role=Role.REVIEWER, clearance=False, daily=1, teams=[], groups=[])
    jo = at_desk(house, "jo")
    jo.send("/next")
    jo.send(f"/pair/{A.item}/verdict", verdict="same")
    assert "of 1 that are yours for a day" in jo.page
    jo.get("/queue")
    jo.send("/next")
    assert (jo.status, "your 1 pairs for today are done" in jo.page) == (409, True)


# Lists


def test_movers_and_leavers_come_by_list_and_one_bad_line_stops_it(house: House, world: World) -> None:
    path, folder = world.folder / "moves.csv", ["--project", str(world.folder)]
    path.write_text(
        "login,role,clearance,daily,leaves\n"
        "jo,senior reviewer,yes,40,\nKIM,,,,yes\nzz,,,,\nsam,king,,,\nbo,board,yes,,\n"
    )
    done = CliRunner().invoke(account, ["take", str(path), *folder])
    assert isinstance(done.exception, SpecError)
    assert all(f"line {n}" in str(done.exception) for n in (4, 5, 6)), str(done.exception)
    kim = at_desk(house, "kim")
    assert kim.path == "/queue"
    path.write_text("login,role,clearance,daily,leaves\njo,senior reviewer,yes,40,\nKIM,,,,yes\n")
    dry = CliRunner().invoke(account, ["take", str(path), "--dry-run", *folder])
    assert dry.output == "1 mover, 1 leaver; nothing was taken\n"
    assert CliRunner().invoke(account, ["take", str(path), *folder]).exit_code == 0
    jo = house.accounts.find("jo")
    assert jo is not None
    assert (jo.role, jo.clearance, jo.daily, jo.name) == (Role.SENIOR, 1, 40, "Jo Somebody")
    kim.get("/queue")
    assert kim.path == "/sign-in"


@pytest.mark.parametrize(
    "data", [b"", b"who,what\n1,2\n", b"login,login\xff\n", b"login,role\n\x00\n", b"PK\x03\x04", b"login\n" * 2],
    ids=["empty", "columns", "encoding", "zero", "zip", "header-twice"],
)  # fmt: skip
def test_a_file_that_is_no_list_is_refused_and_changes_nothing(house: House, world: World, data: bytes) -> None:
    path = world.folder / "moves.csv"
    path.write_bytes(data)
    for command in ("take", "staff"):
        done = CliRunner().invoke(account, [command, str(path), "--project", str(world.folder)])
        assert isinstance(done.exception, CasebridgeError), (command, done.output)
    assert len(house.accounts.all()) == 8


def test_the_staff_list_keeps_records_from_those_whom_they_may_concern(house: House, world: World) -> None:
    path = world.folder / "staff.csv"
    path.write_text("login,relation,forename,surname,birth_date\nJo,,Name1,Of1x,\nkim,partner,Name3,Of3x,\n")
    done = CliRunner().invoke(account, ["staff", str(path), "--project", str(world.folder)])
    assert done.output.startswith("2 lines taken")
    assert A.item not in at_desk(house, "jo").get("/queue")
    assert B.item not in at_desk(house, "kim").get("/queue")
    assert A.item in at_desk(house, "kim").get("/queue")
    with house.desk.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM desk_family")) == 2
