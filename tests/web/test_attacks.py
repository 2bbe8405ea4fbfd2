"""Who attacks the desk, and what he gets: the same as everybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher, extract_parameters
from click.testing import CliRunner
from starlette.testclient import TestClient

from casebridge.dedupe.review.evidence_file import Kin
from casebridge.migrate.cli.account import account
from casebridge.migrate.cli.desk import review
from casebridge.migrate.web.accounts import _NOBODY, ACCOUNTS, Accounts
from casebridge.migrate.web.app import OPEN, PAGES, make_app
from casebridge.migrate.web.roles import MAY_OPEN, Role
from casebridge.migrate.web.second_factor import address_of, code_at, secret_of, step_of
from casebridge.migrate.web.serve import open_house
from casebridge.migrate.web.sessions import SESSIONS
from casebridge.migrate.web.visit import COOKIE, House
from casebridge.project.errors import CasebridgeError
from tests.desks import HOST, PEOPLE, World, at_desk, make_world, open_desk, pair_of, password_of, somebody

MULTIPART = "multipart/form-data; boundary=x"
A, SECRET = pair_of("1", "2"), pair_of("1", "9", clearance=1, value=9.0)
RECORDS = [somebody(str(n), f"Name{n}") for n in range(1, 5)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = make_world(tmp_path)
    made.show([*RECORDS, somebody("9", "Hidden", clearance=1)], [A, SECRET])
    return made


@pytest.fixture
def house(world: World) -> Iterator[House]:
    with open_desk(world) as made:
        yield made


# What is hidden


def _plain(answer: object) -> tuple[int, str, tuple[tuple[str, str], ...]]:
    """An answer without what is random in it: tokens of forms, and the session."""
    text = re.sub(r'name="(csrf|key|opened)" value="[^"]*"', "", answer.text)  # type: ignore[attr-defined]
    headers = answer.headers.items()  # type: ignore[attr-defined]
    kept = tuple(sorted((k, v) for k, v in headers if k not in {"set-cookie", "content-length", "date"}))
    return answer.status_code, text, kept  # type: ignore[attr-defined]


def test_every_byte_is_that_of_a_project_without_the_restricted_person(tmp_path: Path) -> None:
    """One visit, word for word, in two projects that differ only in a restricted person: in a pair, in a group, as
    a relative of an open record, under a decision."""
    kin = [Kin("old:9", "sister"), Kin("old:4", "mother")]
    left = somebody("1", "Ann", kin=kin)
    open_pairs = [A, pair_of("2", "3", value=1.0)]
    closed = [SECRET, pair_of("2", "9", clearance=1, conflict=True, group=("old:1", "old:2", "old:9"))]
    seen = []
    for name, people, pairs in (
        ("with", [left, *RECORDS[1:], somebody("9", "Hidden", clearance=1)], [*open_pairs, *closed]),
        ("without", [left, *RECORDS[1:]], open_pairs),
    ):
        world = make_world(tmp_path / name)
        world.show(people, pairs)
        with open_desk(world) as house:
            if name == "with":
                at_desk(house, "sam").say(SECRET.item, "same")
                house.desk.claims.give_back(A.item, "sam")  # the open pair that came next
            seen.append(_visit(house))
    assert seen[0] == seen[1]
    assert len(seen[0]) > 20


def _visit(house: House) -> list[object]:
    """All that an uncleared reviewer might try."""
    jo, found = at_desk(house, "jo"), []

    def keep() -> None:
        found.append(_plain(jo.answer))

    for path in ("/queue", "/queue?only=restricted", "/queue?place=second", "/progress", f"/pair/{A.item}",
                 f"/pair/{SECRET.item}", f"/group/{SECRET.item}", f"/group/{A.item}", "/pair/nonsense",
                 "/pair/" + "0" * 32, "/queue?after=" + SECRET.item, "/releases", "/log", "/nowhere"):  # fmt: skip
        jo.get(path)
        keep()
    csrf = re.findall(r'name="csrf" value="([^"]*)"', jo.get("/queue"))[0]
    for path in ("take", "give-back", "verdict", "take-back", "reveal", "reopen"):
        jo._came(
            jo.client.post(f"/pair/{SECRET.item}/{path}", data={"csrf": csrf, "verdict": "same", "side": "A"})
        )
        keep()
    jo.get("/queue")
    jo.send("/next")
    keep()
    jo.say(A.item, "different")
    keep()
    jo.get("/progress")
    keep()
    return found


def test_what_is_hidden_malformed_or_not_there_has_one_answer(house: House) -> None:
    jo = at_desk(house, "jo")
    answers = set()
    for path in (SECRET.item, "0" * 32, "nonsense", "%00", "..%2f..%2fetc", "' OR 1=1 --"):
        jo.get(f"/pair/{path}")
        answers.add(_plain(jo.answer))
    assert len(answers) == 1
    assert jo.status == 404


def test_an_account_that_loses_its_clearance_loses_it_at_the_next_page(house: House) -> None:
    sam = at_desk(house, "sam")
    sam.get(f"/pair/{SECRET.item}")
    assert "old:9" in sam.page
    with house.desk.engine.begin() as connection:
        connection.execute(ACCOUNTS.update().where(ACCOUNTS.c.login == "sam").values(clearance=0))
    sam.get(f"/pair/{SECRET.item}")
    assert sam.status == 404


def test_who_comes_on_the_no_link_list_is_gone_at_once(tmp_path: Path) -> None:
    """Though evidence that was written before holds him. A list that is gone shuts the desk."""
    world = make_world(tmp_path, more='no_link = "NO_LINK.csv"\n')
    (tmp_path / "NO_LINK.csv").write_text("KEY\n777\n")
    world.show(RECORDS, [A])
    with open_desk(world) as house:
        jo = at_desk(house, "jo")
        jo.get(f"/pair/{A.item}")
        assert jo.status == 200
        (tmp_path / "NO_LINK.csv").write_text("KEY\n777\n0002\n")
        world.clock.at += 2
        jo.get(f"/pair/{A.item}")
        assert jo.status == 404
        (tmp_path / "NO_LINK.csv").unlink()
        world.clock.at += 2
        jo.get("/queue")
        assert jo.status == 503


# Roles


@pytest.mark.parametrize("login", ["", *PEOPLE])
def test_nobody_reaches_a_page_that_is_not_his_roles(house: House, login: str) -> None:
    somebody_ = at_desk(house, login)
    role = PEOPLE[login][0] if login else None
    nothing = _plain(somebody_.client.get("/nowhere")) if login else None
    for path, method, page, _ in PAGES:
        if path == "/sign-out":
            continue
        answer = somebody_.client.request(method, path.format(item=A.item), follow_redirects=False)
        if role is None:
            assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in"), path
        elif method == "POST":
            assert answer.status_code == 403, path  # no token
        elif page is not None and page not in MAY_OPEN[role]:
            assert _plain(answer)[:2] == nothing[:2], path  # type: ignore[index]


def test_every_role_has_its_pages_and_only_some_may_have_clearance(house: House) -> None:
    assert set(MAY_OPEN) == set(Role)
    with pytest.raises(CasebridgeError, match="has no clearance"):
        house.accounts.add("x", "X", Role.REVIEWER, "a long enough sentence", clearance=True)


def test_the_rules_come_first_and_again_after_a_year(house: House) -> None:
    with house.desk.engine.begin() as connection:
        connection.execute(
            ACCOUNTS.update().where(ACCOUNTS.c.login == "jo").values(rules_at="2020-01-01T00:00:00Z")
        )
    jo = at_desk(house, "jo")
    assert jo.path == "/rules"
    jo.get(f"/pair/{A.item}")
    assert jo.path == "/rules"
    jo.send("/rules", accept="yes")
    assert jo.path == "/queue"


# Sessions and forms


def test_a_form_of_another_site_changes_nothing(house: House) -> None:
    jo = at_desk(house, "jo")
    for fields in ({}, {"csrf": ""}, {"csrf": "x" * 43}):
        assert jo.client.post(f"/pair/{A.item}/take", data=fields).status_code == 403
    token = re.findall(r'name="csrf" value="([^"]*)"', jo.get("/queue"))[0]
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}, {"origin": "null"}):
        answer = jo.client.post(f"/pair/{A.item}/take", data={"csrf": token}, headers=headers)
        assert answer.status_code == 400, headers
    kim = at_desk(house, "kim")
    assert kim.client.post(f"/pair/{A.item}/take", data={"csrf": token}).status_code == 403
    assert house.desk.claims.holders() == {}
    assert jo.client.get(f"/pair/{A.item}/take").status_code == 404


def test_a_session_is_new_at_each_sign_in_and_ends_when_it_should(world: World, house: House) -> None:
    client = TestClient(make_app(house, [HOST]), base_url=f"http://{HOST}")
    client.cookies.set(COOKIE, "chosen by somebody else")
    answer = client.post("/sign-in", data={"login": "jo", "password": password_of("jo")}, follow_redirects=False)
    cookie = answer.headers["set-cookie"]
    assert "chosen" not in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    with house.desk.engine.connect() as connection:
        kept = connection.execute(sa.select(SESSIONS)).one()
    assert kept.token not in cookie  # a digest of it
    jo = at_desk(house, "jo")
    for away, path in ((29 * 60, "/queue"), (31 * 60, "/sign-in")):
        world.clock.at += away
        jo.get("/queue")
        assert jo.path == path
    jo = at_desk(house, "jo")
    for _ in range(25):
        world.clock.at += 25 * 60
        jo.get("/queue")
    assert jo.path == "/sign-in"
    jo, tab = at_desk(house, "jo"), at_desk(house, "jo")
    jo.send("/sign-out")
    assert jo.path == "/sign-in"
    house.accounts.close("jo")
    tab.get("/queue")
    assert tab.path == "/sign-in"


def test_a_session_that_was_lost_decides_nothing_and_says_so(world: World, house: House) -> None:
    jo = at_desk(house, "jo")
    jo.get(f"/pair/{A.item}")
    jo.send(f"/pair/{A.item}/take")
    world.clock.at += 31 * 60
    jo.send(f"/pair/{A.item}/verdict", verdict="same")
    assert "Nothing was decided" in jo.page
    assert house.desk.decisions.standing() == []


def test_who_guesses_is_shut_out_and_learns_no_names(world: World, house: House) -> None:
    """A name that is there and one that is not have one answer; after five the right password has it too."""
    answers = set()
    for login in ("jo", "nobody"):
        guesser = at_desk(house)
        for _ in range(5):
            guesser.get("/sign-in")
            guesser.send("/sign-in", login=login, password="wrong password, as it seems")
            answers.add(_plain(guesser.answer))
    assert len(answers) == 1
    right = at_desk(house, "jo")
    assert right.status == 403
    assert at_desk(house, "kim").path == "/queue"
    world.clock.at += 16 * 60
    assert at_desk(house, "jo").path == "/queue"


@pytest.mark.parametrize(("at", "code"), [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")])
def test_codes_are_those_of_rfc_6238(at: int, code: str) -> None:
    """The values of its appendix B, of which an app shows the last six digits."""
    secret = b"12345678901234567890"
    assert code_at(secret, at // 30) == code
    assert step_of(secret, f" {code[:3]} {code[3:]}", at) == at // 30
    assert step_of(secret, code, at + 120) is None


def test_a_second_factor_is_asked_for_and_each_code_serves_once(world: World, house: House) -> None:
    """The password alone has the answer of a wrong one; so have a code that was used, and one that is over."""
    made = house.accounts.ask_for_codes("jo", on=True)
    secret = secret_of(house.desk.log, made)

    def signed_in(code: str, login: str = "jo") -> bool:
        there = at_desk(house)
        there.get("/sign-in")
        there.send("/sign-in", login=login, password=password_of(login), code=code)
        assert there.status == (200 if there.path == "/queue" else 403)
        return there.path == "/queue"

    def now(steps: int = 0) -> str:
        return code_at(secret, int(world.clock.at) // 30 + steps)

    assert not signed_in("")
    assert signed_in(now())
    assert not signed_in(now()), "somebody looked over a shoulder"
    assert not signed_in(now(-1))
    world.clock.at += 30
    assert signed_in(now())
    assert signed_in("", "kim"), "who has none needs none"
    assert made.second not in address_of(secret, "jo")
    world.clock.at += 16 * 60
    for _ in range(5):
        assert not signed_in("000000")
    assert not signed_in(now()), "codes are not to be guessed either"
    assert house.accounts.ask_for_codes("jo", on=True).second != made.second
    house.accounts.ask_for_codes("jo", on=False)
    world.clock.at += 16 * 60
    assert signed_in("")


@pytest.mark.parametrize("password", ["short", "password", "aaaaaaaaaaaaaa", "reviewer1-reviewer1"])
def test_easy_passwords_are_refused(house: House, password: str) -> None:
    with pytest.raises(CasebridgeError, match="easy to guess"):
        house.accounts.add("reviewer1", "R", Role.REVIEWER, password)
    with house.desk.engine.connect() as connection:
        secrets = list(connection.scalars(sa.select(ACCOUNTS.c.secret)))
    assert all(secret.startswith("$argon2id$") for secret in secrets)


# The door


@pytest.mark.parametrize("host", ["evil.test", "desk.test.evil.test", "", "desk.test:81"])
def test_another_host_name_is_refused(house: House, host: str) -> None:
    client = TestClient(make_app(house, [HOST]), base_url=f"http://{HOST}")
    assert client.get("/sign-in", headers={"host": host}).status_code == 400
    answer = client.get("/", headers={"x-forwarded-host": "evil.test"}, follow_redirects=False)
    assert answer.headers["location"] == "/sign-in"


def test_every_answer_has_its_headers_and_no_page_is_kept(house: House) -> None:
    jo = at_desk(house, "jo")
    for path in ("/queue", f"/pair/{A.item}", "/nowhere", "/static/desk.css"):
        headers = jo.client.get(path).headers
        assert "default-src 'none'; script-src 'self'" in headers["content-security-policy"], path
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert ("no-store" in headers["cache-control"]) != path.startswith("/static")
    for page in (Path(__file__).parents[2] / "migrate/web/templates").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|hx-on|https?://", text), page


def test_no_address_leads_to_another_site(house: House) -> None:
    jo = at_desk(house, "jo")
    token = re.findall(r'name="csrf" value="([^"]*)"', jo.get("/queue"))[0]
    for path in ("/next", f"/pair/{A.item}/give-back", "/keyboard"):
        answer = jo.client.post(
            path, data={"csrf": token, "next": "//evil.test", "item": "//evil.test", "team": "//evil.test"},
            follow_redirects=False,
        )  # fmt: skip
        assert answer.headers["location"].startswith("/")
        assert not answer.headers["location"].startswith("//")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"a=" + b"x" * 200_000, "application/x-www-form-urlencoded"),
        (b"&".join(b"f%d=1" % n for n in range(5000)), "application/x-www-form-urlencoded"),
        (b'--x\r\nContent-Disposition: form-data; name="f"; filename="b"\r\n\r\nPK\r\n--x--', MULTIPART),
    ],
    ids=["long", "many", "file"],
)  # fmt: skip
def test_too_much_of_a_form_is_refused(house: House, body: bytes, kind: str) -> None:
    client = TestClient(make_app(house, [HOST]), base_url=f"http://{HOST}", raise_server_exceptions=False)
    answer = client.post("/sign-in", content=body, headers={"content-type": kind})
    assert answer.status_code in {400, 403}


# The demo's doors


def test_the_demo_has_doors_that_a_real_project_has_not(tmp_path: Path) -> None:
    """Nor has the demo's own project, once its marker or its dump is not the demo's, or on an open address."""
    (tmp_path / "dump").mkdir()
    make_world(tmp_path / "project")
    settings = tmp_path / "project" / "casebridge.toml"
    settings.write_text(settings.read_text().replace('dump = "."', 'dump = "../dump"'))
    assert not open_house(tmp_path / "project").demo
    (tmp_path / "demo.json").write_text('{"people": 500, "seed": 1}')
    house = open_house(tmp_path / "project")
    assert house.demo
    client = TestClient(make_app(house, [HOST]), base_url=f"http://{HOST}")
    assert client.post("/sign-in/demo", data={"login": "jo"}).url.path == "/rules"
    assert not open_house(tmp_path / "project", host="0.0.0.0").demo
    (tmp_path / "demo.json").unlink()
    real = open_house(tmp_path / "project")
    stranger = TestClient(make_app(real, [HOST]), base_url=f"http://{HOST}")
    assert stranger.post("/sign-in/demo", data={"login": "jo"}).status_code == 404
    assert stranger.post("/sign-in", data={"login": "jo", "password": ""}).status_code == 403
    stranger.cookies.set(COOKIE, client.cookies[COOKIE])
    assert stranger.get("/queue").url.path == "/sign-in"


# The commands


def test_accounts_by_the_command_line(tmp_path: Path) -> None:
    make_world(tmp_path)
    runner, folder = CliRunner(), ["--project", str(tmp_path)]
    sentence = "a sentence of my own\n" * 2
    words = ["add", "Zoe", "--name", "Zoë Z", "--role", "senior reviewer", "--clearance", *folder]
    assert "cleared" in runner.invoke(account, words, input=sentence).output
    assert runner.invoke(account, words, input=sentence).exit_code != 0
    assert runner.invoke(account, ["password", "zoe", *folder], input=sentence).exit_code == 0
    assert '"clearance": 1' in runner.invoke(account, ["list", "--json", *folder]).output
    told = runner.invoke(account, ["second-factor", "zoe", *folder]).output
    assert told.startswith("otpauth://totp/Casebridge%3Azoe?secret=")
    assert "no code" in runner.invoke(account, ["second-factor", "zoe", "--off", *folder]).output
    assert runner.invoke(account, ["close", "zoe", *folder]).exit_code == 0
    assert "closed" in runner.invoke(account, ["list", *folder]).output
    with open_desk(make_world(tmp_path)) as house:
        assert isinstance(house.accounts, Accounts)
        assert [entry.body["act"] for entry in house.desk.log.entries("account") if entry.body] == [
            "added", "password", "second factor on", "second factor off", "closed",
        ]  # fmt: skip


def test_an_open_address_needs_tls_in_front(tmp_path: Path) -> None:
    make_world(tmp_path)
    done = CliRunner().invoke(review, ["--project", str(tmp_path), "--host", "0.0.0.0"])
    assert isinstance(done.exception, CasebridgeError)
    assert "in the clear" in done.exception.message


def test_the_pages_are_all_named(house: House) -> None:
    """No route is served that the table does not list, and so no role can reach one unseen."""
    app = make_app(house, [HOST])
    served = {route.path for route in app.routes if route.path != "/static"}  # type: ignore[attr-defined]
    assert served == {path for path, *_ in PAGES} | {path for path, *_ in OPEN}


def test_a_name_that_is_not_there_costs_what_one_that_is_there_costs() -> None:
    """The digest that is tried for nobody has the parameters of those that are made."""
    hasher, nobody = PasswordHasher(), extract_parameters(_NOBODY)
    assert (nobody.memory_cost, nobody.time_cost, nobody.parallelism) == (
        hasher.memory_cost, hasher.time_cost, hasher.parallelism,
    )  # fmt: skip
