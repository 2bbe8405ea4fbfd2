"""Where somebody's work begins, by what his role opens."""

from __future__ import annotations

from starlette.responses import Response

from casebridge.migrate.web.roles import Page
from casebridge.migrate.web.visit import Visit

_FIRST = {
    Page.REVIEW: "/queue", Page.RELEASES: "/releases", Page.LOG: "/log", Page.PROGRESS: "/progress",
    Page.INTAKE: "/report", Page.QUALITY: "/quality",
}  # fmt: skip


def show(visit: Visit) -> Response:
    """On to the first page that is this person's."""
    return visit.to(next((path for page, path in _FIRST.items() if visit.me.may(page)), "/rules"))
