"""The desk's routes and its door: who comes in, with which form, and what every answer carries."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from casebridge.dedupe.review.desk_words import Refused
from casebridge.migrate.web.accounts import AT_ONCE
from casebridge.migrate.web.door import Door
from casebridge.migrate.web.pages import (
    checks,
    entrance,
    group,
    home,
    intake,
    log,
    nights,
    pair,
    quality,
    queue,
    releases,
    sign_in,
    sso,
    survivorship,
)
from casebridge.migrate.web.roles import Page
from casebridge.migrate.web.visit import COOKIE, HERE, House, Visit, today
from casebridge.project.database import DRIVER_ERRORS
from casebridge.project.errors import CasebridgeError

Handler = Callable[[Visit], Response]
MOST_FIELDS, LONGEST_FIELD = 40, 4000

# path → (method, what the role must be allowed, handler). None: everybody who is signed in.
PAGES: Sequence[tuple[str, str, Page | None, Handler]] = (
    ("/", "GET", None, home.show),
    ("/rules", "GET", None, sign_in.rules),
    ("/rules", "POST", None, sign_in.accept),
    ("/test", "GET", Page.REVIEW, entrance.test),
    ("/test", "POST", Page.REVIEW, entrance.sit),
    ("/family", "GET", Page.REVIEW, entrance.family),
    ("/family", "POST", Page.REVIEW, entrance.add),
    ("/keyboard", "POST", None, sign_in.keyboard),
    ("/sign-out", "POST", None, sign_in.leave),
    ("/queue", "GET", Page.REVIEW, queue.show),
    ("/next", "POST", Page.REVIEW, queue.take),
    ("/pair/{item}", "GET", Page.REVIEW, pair.show),
    ("/pair/{item}/take", "POST", Page.REVIEW, pair.take),
    ("/pair/{item}/give-back", "POST", Page.REVIEW, pair.give_back),
    ("/pair/{item}/verdict", "POST", Page.REVIEW, pair.say),
    ("/pair/{item}/take-back", "POST", Page.REVIEW, pair.take_back),
    ("/pair/{item}/reveal", "POST", Page.REVIEW, pair.reveal),
    ("/pair/{item}/reopen", "POST", Page.REVIEW, pair.reopen),
    ("/pair/{item}/survivorship", "GET", Page.REVIEW, survivorship.show),
    ("/pair/{item}/survivorship", "POST", Page.REVIEW, survivorship.save),
    ("/group/{item}", "GET", Page.REVIEW, group.show),
    ("/group/{item}/aside", "POST", Page.REVIEW, group.put_aside),
    ("/releases", "GET", Page.RELEASES, releases.show),
    ("/releases/{item}", "POST", Page.RELEASES, releases.object_to),
    ("/progress", "GET", Page.PROGRESS, queue.progress),
    ("/nights", "GET", Page.QUALITY, nights.show),
    ("/mine", "GET", Page.REVIEW, quality.own),
    ("/checks", "GET", Page.REVIEW, checks.show),
    ("/checks", "POST", Page.REVIEW, checks.take),
    ("/checks/{item}", "GET", Page.REVIEW, checks.look),
    ("/checks/{item}", "POST", Page.REVIEW, checks.say),
    ("/quality", "GET", Page.QUALITY, quality.show),
    ("/report", "GET", Page.INTAKE, intake.show),
    ("/report", "POST", Page.INTAKE, intake.send),
    ("/log", "GET", Page.LOG, log.show),
    ("/log/draw", "POST", Page.LOG, log.draw_some),
    ("/log/outcome", "POST", Page.LOG, log.say),
)
OPEN: Sequence[tuple[str, str, Handler]] = (
    ("/sign-in", "GET", sign_in.show),
    ("/sign-in", "POST", sign_in.enter),
    ("/sign-in/sso", "GET", sso.go),
    ("/sign-in/sso/back", "GET", sso.back),
)


def make_app(house: House, hosts: Sequence[str]) -> Starlette:
    """The desk as an ASGI application that answers to these host names (with their ports)."""
    inside = [
        Route(path, _inside(house, page, handler), methods=[method]) for path, method, page, handler in PAGES
    ]
    few, far = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(AT_ONCE)  # a provider that hangs holds up no password
    outside = [
        Route(path, _outside(house, handler, far if path.startswith(sso.PATH) else few), methods=[method])
        for path, method, handler in OPEN
    ]
    if house.demo:
        outside.append(Route("/sign-in/demo", _outside(house, sign_in.enter_demo, few), methods=["POST"]))
    static = Mount("/static", StaticFiles(directory=HERE / "static"))
    return Starlette(
        routes=[*inside, *outside, static],
        middleware=[Middleware(Door, hosts=tuple(hosts), secure=house.secure)],
        exception_handlers={404: _nothing(house), 405: _nothing(house), 500: _broken(house)},
    )


def _inside(house: House, page: Page | None, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    def let_in(visit: Visit) -> Response:
        return _let_in(visit, page, handler)

    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_answered, house, request, await _form(request), let_in)

    return answer


def _let_in(visit: Visit, page: Page | None, handler: Handler) -> Response:
    path = visit.request.url.path
    if visit.account is None:
        return visit.to("/sign-in", ended="yes" if visit.request.method == "POST" else "")
    if visit.request.method == "POST" and not visit.csrf_fits():
        return visit.page("message.html", status=403, title="Not done", error=True, text=_FOREIGN)
    if page is not None and not visit.account.may(page):
        return visit.nothing("refused")
    free = {"/rules", "/sign-out"}
    if not visit.account.accepted_rules(today()) and path not in free:
        return visit.to("/rules")
    if visit.account.needs_test and path not in {*free, "/test"}:
        return visit.to("/test")
    return handler(visit)


def _outside(house: House, handler: Handler, few: asyncio.Semaphore) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        form = await _form(request)
        async with few:
            return await run_in_threadpool(_answered, house, request, form, handler)

    return answer


def _answered(house: House, request: Request, form: Mapping[str, str], handler: Handler) -> Response:
    """What a handler answers, or a page that says why there is no answer. Where nobody can tell who asks, and of a
    database that is away, it says the least."""
    stranger = visit = Visit(house, request)
    try:
        visit = visit_of(house, request, form)
        return handler(visit)
    except Refused as refused:
        return visit.page("message.html", status=409, title="Nothing was changed", error=True,
                          text=f"{refused.message}: {refused.hint}.")  # fmt: skip
    except CasebridgeError as error:
        text = f"{error.message}. {error.hint}"
        if visit is stranger or isinstance(error.__cause__, DRIVER_ERRORS):  # a database is named by its address
            print(f"casebridge: {text}", file=sys.stderr)  # noqa: T201
            text = _AWAY
        return visit.page("message.html", status=503, title="Not now", error=True, text=text)
    except Exception as error:  # noqa: BLE001 (the last resort: what an error says may hold somebody's data)
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        print(f"casebridge: unexpected {type(error).__name__} in {last.name} ({place})", file=sys.stderr)  # noqa: T201
        return visit.page("message.html", status=500, title="Something broke", error=True, text=_BROKEN)


_BROKEN = (
    "Open the pair again: it shows whether your verdict was taken, and sending it twice does no harm. "
    "Tell whoever runs the desk."
)
_AWAY = "The desk cannot work just now. Try again in a minute; if it stays so, tell whoever runs the desk."
_FOREIGN = "This form was not made by this desk for you, or your session was started again. Go back and try again."


def visit_of(house: House, request: Request, form: Mapping[str, str]) -> Visit:
    """Who asks. An account that was closed has no session any more."""
    token = request.cookies.get(COOKIE, "")
    session = house.sessions.find(token) if token else None
    account = house.accounts.find(session.login) if session else None
    if account is not None and account.demo and not house.demo:
        account = None
    return Visit(house, request, session if account else None, account, form)


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form, each once; files are none of ours."""
    if request.method != "POST":
        return {}
    kind = request.headers.get("content-type", "").split(";")[0]
    if kind != "application/x-www-form-urlencoded":
        return {}
    async with request.form(max_fields=MOST_FIELDS) as form:
        return {key: str(value)[:LONGEST_FIELD] for key, value in form.items()}


def _nothing(house: House) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _: Exception) -> Response:
        return _answered(house, request, {}, Visit.nothing)

    return answer


def _broken(house: House) -> Callable[[Request, Exception], Response]:
    def answer(request: Request, _: Exception) -> Response:
        visit = Visit(house, request)
        return visit.page("message.html", status=500, title="Something broke", error=True,
                          text=_BROKEN)  # fmt: skip

    return answer
