"""Single sign-on by a real OpenID Connect provider, and what somebody tries who would come in without it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from casebridge.migrate.web.pages.sso import COOKIE
from casebridge.migrate.web.roles import Role
from casebridge.migrate.web.single_sign_on import FILE, Provider, SingleSignOn, read_provider
from casebridge.migrate.web.visit import House
from casebridge.project.errors import CasebridgeError, SpecError
from tests.desks import Desktop, at_desk, make_world, open_desk, pair_of, somebody

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import oidc_provider_mock

# What the provider, which runs in a thread here, says of its own code.
pytestmark = pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider that knows jo and a stranger."""
    users = [oidc_provider_mock.User(sub=name, claims={"preferred_username": name}) for name in ("jo", "stranger")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with oidc_provider_mock.run_server_in_thread(user_claims=users) as server:
            yield f"http://localhost:{server.server_port}"


@pytest.fixture
def house(tmp_path: Path, issuer: str) -> Iterator[House]:
    world = make_world(tmp_path)
    world.show([somebody("1"), somebody("2")], [pair_of("1", "2")])
    sso = SingleSignOn(Provider(issuer, "desk", "secret"))
    with open_desk(world) as made:
        yield replace(made, sso=sso)


def _at_provider(desk: Desktop, who: str) -> str:
    """Off to the provider, sign in there, and the address that it sends somebody back to."""
    desk.get("/sign-in")
    assert "/sign-in/sso" in desk.page
    away = desk.client.get("/sign-in/sso", follow_redirects=False)
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= set(asked)
    cookie = away.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    answer = httpx2.post(away.headers["location"], data={"sub": who}, follow_redirects=False)
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


def test_the_councils_sign_in_opens_the_account_of_that_name(house: House) -> None:
    jo = at_desk(house)
    jo.get(_at_provider(jo, "jo"))
    assert "You are signed in" in jo.page
    assert jo.get("/queue")
    assert jo.path == "/queue"
    assert "Jo Somebody" in jo.page


def test_somebody_without_an_account_gets_nowhere(house: House) -> None:
    stranger = at_desk(house)
    stranger.get(_at_provider(stranger, "stranger"))
    assert stranger.status == 403
    stranger.get("/queue")
    assert stranger.path == "/sign-in"
    house.accounts.add_for_sso("stranger", "No Stranger", Role.BOARD)
    stranger.get(_at_provider(stranger, "stranger"))
    assert stranger.status == 200
    guess = at_desk(house)
    guess.get("/sign-in")
    guess.send("/sign-in", login="stranger", password="")
    assert guess.status == 403, "no password opens an account of the single sign-on"
    house.accounts.close("jo")
    leaver = at_desk(house)
    leaver.get(_at_provider(leaver, "jo"))
    assert leaver.status == 403


@pytest.mark.parametrize("attack", ["twice", "no cookie", "another browser", "state", "no code", "code"])
def test_a_sign_in_serves_once_and_only_where_it_began(house: House, attack: str) -> None:
    jo, other = at_desk(house), at_desk(house)
    way = _at_provider(jo, "jo")
    if attack == "twice":
        jo.get(way)
    elif attack == "no cookie":
        jo.client.cookies.delete(COOKIE, path="/sign-in/sso", domain="desk.test")
    elif attack == "another browser":
        _at_provider(other, "jo")
        jo = other
    else:
        name = {"state": "state", "no code": "code", "code": "code"}[attack]
        way = re.sub(rf"{name}=[^&]*", f"{name}={'x' if attack != 'no code' else ''}", way)
    assert jo.client.get(way).status_code == 403


def test_a_token_that_is_not_for_us_is_none(house: House, issuer: str) -> None:
    """Another client's, and one that is long over: each is refused."""
    now = [1_790_000_000.0]
    for change in ({"client_id": "another"}, {"late": True}):
        sso = SingleSignOn(Provider(issuer, "desk", "secret"))
        desk = at_desk(replace(house, sso=sso))
        way = _at_provider(desk, "jo")
        if "client_id" in change:
            sso._provider = replace(sso._provider, client_id="another")
        else:
            sso._clock = lambda: now[0] + 10**9
        assert desk.client.get(way).status_code == 403, change


def test_a_provider_that_is_away_leaves_local_accounts_working(house: House) -> None:
    away = replace(house, sso=SingleSignOn(Provider("http://localhost:9", "desk", "secret")))
    desk = at_desk(away)
    assert desk.client.get("/sign-in/sso").status_code == 503
    assert at_desk(away, "jo").path == "/queue"
    with pytest.raises(CasebridgeError, match="does not answer"):
        away.sso.begin("http://desk.test/back")  # type: ignore[union-attr]


def test_without_single_sign_on_its_addresses_are_nothing(house: House) -> None:
    desk = at_desk(replace(house, sso=None))
    assert "/sign-in/sso" not in desk.get("/sign-in")
    for path in ("/sign-in/sso", "/sign-in/sso/back?code=x&state=y"):
        assert desk.client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", ["client_id", "issuer", "secret_variable"]),
        (
            'issuer = "http://idp.council.example"\nclient_id = "a"\nsecret_variable = "SSO_TEST"',
            ["https address"],
        ),
        ('issuer = "https://x"\nclient_id = "a"\nsecret_variable = "SSO_NOT_SET"', ["is empty"]),
        ('issuer = "https://x"\nclient_id = "a"\nsecret_variable = "SSO_TEST"\nsecret = "s"', ["unknown key"]),
        ("issuer =", ["not readable"]),
    ],
)
def test_all_that_is_wrong_in_the_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, wrong: list[str]
) -> None:
    monkeypatch.setenv("SSO_TEST", "s")
    (tmp_path / FILE).write_text(text)
    with pytest.raises(SpecError) as refused:
        read_provider(tmp_path)
    assert all(word in str(refused.value) for word in wrong), str(refused.value)
