"""Merges that are decided and held back: one objection stops one."""

from __future__ import annotations

import datetime as dt

from starlette.responses import Response

from casebridge.dedupe.review.verdicts import Place
from casebridge.migrate.web.roles import Page
from casebridge.migrate.web.visit import Visit


def show(visit: Visit) -> Response:
    """What is held, the soonest first. What is due by now is released."""
    visit.desk.release_due()
    held = list(visit.desk.view(visit.me.viewer).in_order([Place.HELD]))
    rows = [(one, dt.datetime.fromtimestamp(one.standing.until, dt.UTC).strftime("%a %d %b %Y, %H:%M"))
            for one in sorted(held, key=lambda one: one.standing.until)]  # fmt: skip
    visit.noted("list releases", shown=len(rows))
    return visit.page("releases.html", title="Releases", rows=rows, days=visit.desk.hold_days)


def object_to(visit: Visit) -> Response:
    """Stop one, with a reason."""
    if visit.desk.find(visit.me.viewer, visit.item()) is None:
        return visit.nothing()
    why = " ".join(visit.form.get("reason", "").split())[:900]
    if not why:
        return visit.page("message.html", status=422, title="Error: an objection needs a reason", error=True,
                          text="Say in a sentence why they may be two people. Nothing changed.")  # fmt: skip
    visit.desk.object_to(visit.me.viewer, visit.item(), why)
    return visit.to(f"/pair/{visit.item()}" if visit.me.may(Page.REVIEW) else "/releases")
