"""Roles, and the pages that each of them needs. Data, read in one place."""

from __future__ import annotations

import enum
from collections.abc import Mapping


class Page(enum.StrEnum):
    """What a role may open."""

    REVIEW = "review"
    RELEASES = "releases"
    PROGRESS = "progress"
    LOG = "log"
    INTAKE = "intake"
    QUALITY = "quality"


class Role(enum.StrEnum):
    """Who somebody is at the desk."""

    REVIEWER = "reviewer"
    SENIOR = "senior reviewer"
    ENGINEER = "migration engineer"
    OWNER_ADULTS = "data owner adults"
    OWNER_CHILDREN = "data owner children"
    BOARD = "board"
    AUDITOR = "auditor"
    HELP_DESK = "help desk"
    PARTNER = "partner"


MAY_OPEN: Mapping[Role, frozenset[Page]] = {
    Role.REVIEWER: frozenset({Page.REVIEW, Page.PROGRESS, Page.INTAKE}),
    Role.SENIOR: frozenset({Page.REVIEW, Page.RELEASES, Page.PROGRESS, Page.INTAKE, Page.QUALITY}),
    Role.ENGINEER: frozenset({Page.PROGRESS, Page.QUALITY}),
    Role.OWNER_ADULTS: frozenset({Page.RELEASES, Page.PROGRESS, Page.QUALITY}),
    Role.OWNER_CHILDREN: frozenset({Page.RELEASES, Page.PROGRESS, Page.QUALITY}),
    Role.BOARD: frozenset({Page.PROGRESS, Page.QUALITY}),
    Role.AUDITOR: frozenset({Page.LOG, Page.PROGRESS, Page.QUALITY}),
    Role.HELP_DESK: frozenset({Page.INTAKE}),
    Role.PARTNER: frozenset({Page.REVIEW}),
}
"""Nothing else is open to a role: what is not his, and what is not there, has one answer."""

CLEARABLE = frozenset({Role.SENIOR, Role.OWNER_ADULTS, Role.OWNER_CHILDREN})
"""Roles that may have clearance for restricted records."""
