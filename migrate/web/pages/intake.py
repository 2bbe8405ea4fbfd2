"""Notification of a duplicate record: two numbers, who, and why. The answer is one and the same."""

from __future__ import annotations

from starlette.responses import Response

from casebridge.dedupe.review.intake import ask_for
from casebridge.migrate.web.visit import Visit
from casebridge.project.errors import CasebridgeError


def show(visit: Visit) -> Response:
    """The form."""
    return visit.page("intake.html", title="Report a duplicate", error="", sent=visit.query.get("sent") == "yes",
                      typed={"left": "", "right": "", "why": ""})  # fmt: skip


def send(visit: Visit) -> Response:
    """Take a notification."""
    typed = {name: visit.form.get(name, "").strip() for name in ("left", "right", "why")}
    try:
        systems = list(visit.desk.settings.systems)
        ask_for(visit.desk.log, systems, typed["left"], typed["right"], visit.me.name, typed["why"])
    except CasebridgeError as error:
        wrong = f"{error.message[0].upper()}{error.message[1:]}: {error.hint}."
        return visit.page("intake.html", status=422, title="Error: Report a duplicate", error=wrong, sent=False,
                          typed=typed)  # fmt: skip
    return visit.to("/report", sent="yes")
