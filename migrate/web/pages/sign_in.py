"""Signing in and out, the rules of use, and single keys on or off."""

from __future__ import annotations

from starlette.responses import Response

from casebridge.migrate.web.accounts import Account
from casebridge.migrate.web.roles import Role
from casebridge.migrate.web.second_factor import secret_of, step_of
from casebridge.migrate.web.sessions import LONGEST
from casebridge.migrate.web.visit import COOKIE, Visit

DEMO = (
    ("jo", "Jo Reviewer", Role.REVIEWER, False),
    ("kim", "Kim Second", Role.REVIEWER, False),
    ("sam", "Sam Senior", Role.SENIOR, True),
    ("ola", "Ola Owner", Role.OWNER_CHILDREN, True),
    ("ada", "Ada Auditor", Role.AUDITOR, False),
    ("hal", "Hal Helpdesk", Role.HELP_DESK, False),
)
"""Who may sign in to the made-up council, without a password: login, name, role, clearance."""
_WRONG = "Wrong name, password or code, or too many attempts. After five attempts a name is shut for 15 minutes."


def show(visit: Visit) -> Response:
    """The sign-in page."""
    return _form(visit, ended=visit.query.get("ended") == "yes")


def _form(visit: Visit, *, error: str = "", ended: bool = False, status: int = 200) -> Response:
    people = DEMO if visit.house.demo else ()
    return visit.page("sign_in.html", status=status, error=error, ended=ended, people=people, title="Sign in",
                      sso=visit.house.sso is not None)  # fmt: skip


def enter(visit: Visit) -> Response:
    """Somebody gives name and password."""
    login, password = visit.form.get("login", ""), visit.form.get("password", "")
    account = visit.house.accounts.check(login, password, demo=visit.house.demo)
    if account is not None and not _has_code(visit, account):
        visit.house.accounts.refuse(account.login)
        account = None
    if account is None:
        visit.desk.reads.note("sign-in refused", login=login[:64] if visit.house.accounts.find(login) else "")
        return _form(visit, error=_WRONG, status=403)
    return _enter(visit, account)


def _has_code(visit: Visit, account: Account) -> bool:
    """Whether a code of his app came with it, where he has a second factor; each code serves once."""
    if not account.second:
        return True
    step = step_of(secret_of(visit.desk.log, account), visit.form.get("code", ""), visit.desk.clock())
    return step is not None and visit.house.accounts.use_code(account.login, step)


def enter_demo(visit: Visit) -> Response:
    """Somebody tries the made-up council. There is no such address anywhere else."""
    account = visit.house.accounts.find(visit.form.get("login", ""))
    if not visit.house.demo or account is None or not account.demo:
        return visit.nothing()
    return _enter(visit, account)


def _enter(visit: Visit, account: Account) -> Response:
    return begin_session(visit, account, visit.to("/"))


def begin_session(visit: Visit, account: Account, answer: Response) -> Response:
    """A session of its own for each sign-in: one that was there before is ended, not taken over."""
    old = visit.request.cookies.get(COOKIE, "")
    if old:
        visit.house.sessions.end(old)
    token = visit.house.sessions.begin(account.login)
    visit.desk.reads.note("sign-in", login=account.login)
    answer.set_cookie(COOKIE, token, max_age=LONGEST, httponly=True, samesite="strict", secure=visit.house.secure)
    return answer


def leave(visit: Visit) -> Response:
    """Somebody signs out: the session ends here, and the browser forgets what it was shown."""
    visit.house.sessions.end(visit.request.cookies.get(COOKIE, ""))
    visit.noted("sign-out")
    answer = visit.to("/sign-in")
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=visit.house.secure)
    answer.headers["clear-site-data"] = '"cache", "storage"'
    return answer


def rules(visit: Visit) -> Response:
    """The rules of use."""
    return visit.page("rules.html", title="Rules of use")


def accept(visit: Visit) -> Response:
    """Somebody accepts them, for a year."""
    if visit.form.get("accept") != "yes":
        return visit.to("/rules")
    visit.house.accounts.accept_rules(visit.me.login)
    visit.noted("rules accepted")
    return visit.to("/")


def keyboard(visit: Visit) -> Response:
    """Single keys on or off, and back to the page where one was."""
    visit.house.accounts.use_keyboard(visit.me.login, on=visit.form.get("on") == "yes")
    item = visit.form.get("item", "")
    known = item and visit.desk.find(visit.me.viewer, item) is not None
    return visit.to(f"/pair/{item}" if known else "/queue")
