"""The auditor's page: is the log whole, who did how much, what councils look for, and spot checks."""

from __future__ import annotations

import datetime as dt

from starlette.responses import Response

from casebridge.migrate.web.log_checks import uses
from casebridge.migrate.web.spot_checks import DRAWN, OUTCOME, OUTCOMES, draw, drawn, tally
from casebridge.migrate.web.visit import Visit, today
from casebridge.project.audit import Entry

LAST = 100
SPOT_DAYS = 30
"""A spot check is of so many days."""


def show(visit: Visit) -> Response:
    """The checks, by account, and the last entries. Items are names that tell nothing; no record is named."""
    reads, acts = list(visit.desk.reads.entries()), list(visit.desk.log.entries())
    visit.noted("log read")
    problems = [*visit.desk.log.problems(), *visit.desk.reads.problems()]
    last = sorted((*reads[-LAST:], *acts[-LAST:]), key=lambda entry: (entry.at, entry.number))[-LAST:]
    checked = [(one, *_told(one.entry)) for one in drawn(reads, acts)]
    return visit.page("log.html", title="Log", problems=problems, uses=uses(visit.house, (*reads, *acts), today()),
                      entries=[_told(entry) for entry in reversed(last)], heads=_heads(visit), checked=checked,
                      outcomes=OUTCOMES, tally=tally(reads), days=SPOT_DAYS)  # fmt: skip


def draw_some(visit: Visit) -> Response:
    """Draw a spot check; the one before stays in the log with its outcomes."""
    since = (today() - dt.timedelta(days=SPOT_DAYS)).isoformat()
    names = draw(list(visit.desk.reads.entries()), list(visit.desk.log.entries()), since)
    if names:
        visit.noted(DRAWN, accesses=" ".join(names))
    return visit.to("/log")


def say(visit: Visit) -> Response:
    """What came of one access of the last spot check."""
    reads, acts = list(visit.desk.reads.entries()), list(visit.desk.log.entries())
    name, outcome = visit.form.get("access", ""), visit.form.get("outcome", "")
    if name not in {one.name for one in drawn(reads, acts)} or outcome not in OUTCOMES:
        return visit.nothing()
    visit.noted(OUTCOME, access=name, outcome=outcome)
    return visit.to("/log")


def _heads(visit: Visit) -> list[tuple[str, int, str]]:
    both = (("decisions", visit.desk.log.head()), ("reads", visit.desk.reads.head()))
    return [(name, head.number, head.link[:16]) for name, head in both]


def _told(entry: Entry) -> tuple[str, str, str, str]:
    body = dict(entry.body or {})
    login = str(body.pop("login", ""))
    shown = ("act", "verdict", "code", "role", "side", "what", "rows", "shown", "path", "purpose", "access",
             "outcome")  # fmt: skip
    words = ", ".join(f"{name} {body[name]}" for name in shown if body.get(name))
    item = str(body.get("item", ""))[:8]
    return entry.at.replace("T", " ").rstrip("Z"), login, entry.kind, f"{item} {words}".strip()
