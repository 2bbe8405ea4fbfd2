"""Blind checks of the sample: the page of a pair, without what was decided of it."""

from __future__ import annotations

import secrets
import time

from starlette.responses import Response

from casebridge.dedupe.quality.checks import Checks
from casebridge.migrate.web.pages import pair
from casebridge.migrate.web.visit import Visit


def show(visit: Visit) -> Response:
    """How many pairs wait for a check of this person's."""
    waiting = Checks(visit.desk).waiting(visit.me.viewer)
    return visit.page("checks.html", title="Checks", waiting=len(waiting), said=visit.query.get("said") == "yes")


def take(visit: Visit) -> Response:
    """Claim the next one and go there."""
    item = Checks(visit.desk).take_next(visit.me.viewer)
    return visit.to(f"/checks/{item}" if item else "/checks")


def look(visit: Visit) -> Response:
    """The pair, as somebody sees it who knows nothing of what was said of it."""
    one = Checks(visit.desk).find(visit.me.viewer, visit.item())
    if one is None:
        return visit.nothing()
    visit.noted("view", item=one.pair.item)
    return pair.show_blind(visit, one, key=secrets.token_urlsafe(24), opened=int(time.time()))


def say(visit: Visit) -> Response:
    """Take a check, and on to the next."""
    checks = Checks(visit.desk)
    one = checks.find(visit.me.viewer, visit.item())
    if one is None:
        return visit.nothing()
    form, wrong = pair.read_form(visit, one.pair.kind)
    if form is None:
        return pair.show_blind(visit, one, key=visit.form.get("key", "")[:64], opened=0, wrong=wrong)
    checks.say(visit.me.viewer, form)
    following = checks.take_next(visit.me.viewer)
    return visit.to(f"/checks/{following}" if following else "/checks", said="yes")
