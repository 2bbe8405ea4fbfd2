"""Single sign-on: off to the council's provider, and back."""

from __future__ import annotations

from starlette.responses import Response

from casebridge.migrate.web.pages.sign_in import begin_session
from casebridge.migrate.web.visit import Visit

COOKIE = "casebridge_sso"
"""Until somebody comes back; it must travel with a link from another site, so it is Lax, and holds nothing
else."""
PATH = "/sign-in/sso"
_NOT = "The single sign-on did not say who you are, or there is no account of yours here. Nothing was opened."


def go(visit: Visit) -> Response:
    """Off to the provider."""
    sso = visit.house.sso
    if sso is None:
        return visit.nothing()
    scheme = "https" if visit.house.secure else "http"
    address, token = sso.begin(f"{scheme}://{visit.request.headers['host']}{PATH}/back")
    answer = visit.to(address)
    answer.set_cookie(
        COOKIE, token, max_age=600, httponly=True, samesite="lax", secure=visit.house.secure, path=PATH
    )
    return answer


def back(visit: Visit) -> Response:
    """Somebody comes back. What he may do says the account; without one he gets nowhere."""
    sso = visit.house.sso
    if sso is None:
        return visit.nothing()
    login = sso.finish(
        visit.request.cookies.get(COOKIE, ""), visit.query.get("state", ""), visit.query.get("code", "")
    )
    account = visit.house.accounts.find(login) if login else None
    if account is None or account.demo:
        visit.desk.reads.note("sign-in refused", login="")
        answer = visit.page("message.html", status=403, title="Not signed in", error=True, text=_NOT)
    else:
        # A page, not a redirect: a browser sends the strict session cookie only where a page of ours leads.
        answer = begin_session(visit, account, visit.page("sso.html", title="Signed in"))
    answer.delete_cookie(COOKIE, path=PATH)
    return answer
