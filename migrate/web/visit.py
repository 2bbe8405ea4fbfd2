"""One request of one person: who, with what form, and what may be answered."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.desk_words import Filters
from casebridge.dedupe.review.verdicts import Place
from casebridge.migrate.web.accounts import Account, Accounts
from casebridge.migrate.web.roles import Page
from casebridge.migrate.web.sessions import Session, Sessions

COOKIE = "casebridge_session"
HERE = Path(__file__).parent
PAGES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class SignOn(Protocol):
    """A sign-in by somebody else's word (`single_sign_on.SingleSignOn`, which an extra installs)."""

    def begin(self, back: str) -> tuple[str, str]:
        """Where to send somebody, and the cookie that he must bring back."""

    def finish(self, token: str, state: str, code: str) -> str | None:
        """The login of somebody who came back."""


@dataclass(frozen=True)
class House:
    """What all visits share: the desk, its accounts and sessions, and whether it is the made-up council's.

    secure: cookies go over TLS only, since something in front of the desk speaks it.
    """

    desk: Desk
    accounts: Accounts
    sessions: Sessions
    demo: bool = False
    secure: bool = False
    sso: SignOn | None = None


@dataclass(frozen=True)
class Visit:
    """A request that passed the door. `form` are the fields of a POST, `query` those of the address."""

    house: House
    request: Request
    session: Session | None = None
    account: Account | None = None
    form: Mapping[str, str] = field(default_factory=dict)

    @property
    def desk(self) -> Desk:
        """The desk."""
        return self.house.desk

    @property
    def me(self) -> Account:
        """Who asks; only pages that need somebody ask this."""
        assert self.account is not None
        return self.account

    @property
    def query(self) -> Mapping[str, str]:
        """The fields of the address."""
        return self.request.query_params

    @property
    def fragment(self) -> bool:
        """Whether a script asks for a part of a page."""
        return self.request.headers.get("hx-request") == "true"

    def item(self) -> str:
        """The item that the address names."""
        return str(self.request.path_params.get("item", ""))

    def noted(self, kind: str, **body: Any) -> None:
        """Write down what was looked at, before it is shown."""
        self.desk.reads.note(kind, login=self.me.login, **body)

    def page(self, name: str, *, status: int = 200, **values: Any) -> Response:
        """A page from its template. Nothing of it is kept by the browser."""
        account, session = self.account, self.session
        shared = {
            "account": account,
            "csrf": session.csrf if session else "",
            "demo": self.house.demo,
            "may": {str(page) for page in Page if account and account.may(page)},
            "path": self.request.url.path,
        }
        return HTMLResponse(PAGES.get_template(name).render({**shared, **values}), status)

    def to(self, path: str, **query: str) -> Response:
        """Go on to another page of ours."""
        words = urlencode({key: value for key, value in query.items() if value})
        return RedirectResponse(f"{path}?{words}" if words else path, 303)

    def nothing(self, kind: str = "not there") -> Response:
        """The one answer to what is not there, is hidden, is malformed, or is not for this role. The log has that
        somebody asked for it."""
        if self.account is not None:
            self.noted(kind, path=self.request.url.path.split("/")[1][:40])
        return self.page("message.html", status=404, title="Not found", error=True, text=NOTHING)

    def csrf_fits(self) -> bool:
        """Whether the form brings the session's token."""
        return self.session is not None and hmac.compare_digest(self.form.get("csrf", ""), self.session.csrf)


_FILTERS = ("team", "age", "relation", "only", "preflight")
NOTHING = "There is nothing here for you. The address may be old, or the pair may be decided."


def wanted(fields: Mapping[str, str]) -> Filters:
    """The filters that an address or a form names; what is no filter is left out."""
    place = next((place for place in Place if place.name.lower() == fields.get("place", "")), None)
    return Filters(place, **{name: fields.get(name, "")[:100] for name in _FILTERS})


def as_query(filters: Filters) -> dict[str, str]:
    """The same filters as fields of an address."""
    found = {name: getattr(filters, name) for name in _FILTERS}
    return {"place": filters.place.name.lower() if filters.place else "", **found}


def today() -> dt.date:
    """The day by UTC, by which the entries of the logs are dated."""
    return dt.datetime.now(dt.UTC).date()
