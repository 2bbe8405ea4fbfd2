"""Where a pair stands, from what people said of it at the desk, in order. Pure: no database, no clock.

One verdict settles an ordinary pair. Where two people are needed, neither sees the other's, and both must say the
same; when they differ, a senior reviewer speaks third, and two who agree settle it. *Same* is then held back for
as long as the project says, and one objection sends it to a senior reviewer. Whoever said something may take it
back until it is released.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class Opinion(enum.StrEnum):
    """What a reviewer may say of a pair at the desk."""

    SAME = "same"
    DIFFERENT = "different"
    RELATED = "related"
    CANNOT_TELL = "cannot tell"
    ESCALATE = "escalate"


SETTLING = frozenset({Opinion.SAME, Opinion.DIFFERENT, Opinion.RELATED})

REASONS: Mapping[Opinion, tuple[str, ...]] = {
    Opinion.SAME: ("identifiers agree", "names and dates agree", "known to the team", "documents seen"),
    Opinion.DIFFERENT: ("twins or siblings", "another person of that name", "parent and child", "documents seen"),
    Opinion.RELATED: ("twin", "sibling", "parent or child", "partner", "other relative", "household"),
    Opinion.CANNOT_TELL: ("needs the NHS number", "needs the file", "needs the family", "needs another team"),
    Opinion.ESCALATE: ("restricted or sensitive", "too complex", "conflict of interest", "I know these people"),
}
"""The reasons that a reviewer chooses from, for each opinion."""


class Act(enum.StrEnum):
    """What a row of the desk's log is. CHECK: a blind look at a pair of a sample; it moves nothing by itself."""

    VERDICT = "verdict"
    WITHDRAWN = "withdrawn"
    REOPENED = "reopened"
    OBJECTION = "objection"
    RELEASED = "released"
    CHECK = "check"


class Place(enum.StrEnum):
    """Where a pair stands at the desk."""

    OPEN = "open"
    SECOND = "waits for a second person"
    PARKED = "waits for information"
    ESCALATED = "waits for a senior reviewer"
    HELD = "held until release"
    DONE = "decided"


@dataclass(frozen=True)
class Said:
    """One act of one person on one pair. `until`: when a merge that it completes may be released (seconds);
    `supervised`: whether it counts only when somebody else says the same."""

    number: int
    login: str
    name: str
    act: Act
    verdict: str = ""
    code: str = ""
    reason: str = ""
    until: int = 0
    at: str = ""
    supervised: bool = False


@dataclass(frozen=True)
class Standing:
    """Where a pair stands: the opinions that count, which of them agree, and why it waits."""

    place: Place
    opinions: tuple[Said, ...] = ()
    agreed: tuple[Said, ...] = ()
    why: str = ""
    until: int = 0

    def said_by(self, login: str) -> Said | None:
        """The opinion of one person that counts now."""
        return next((said for said in reversed(self.opinions) if said.login == login), None)


OPEN = Standing(Place.OPEN)


def standing(acts: Sequence[Said], *, needs_two: bool) -> Standing:
    """Where a pair stands after these acts, oldest first."""
    opinions: list[Said] = []
    objection, released = "", False
    for said in acts:
        if said.act is Act.VERDICT:
            # Who speaks again speaks again; a question to somebody else ends where somebody answers.
            opinions = [one for one in opinions if one.login != said.login and _settles(one)]
            opinions.append(said)
            released = False
        elif said.act is Act.WITHDRAWN:
            opinions = [one for one in opinions if one.login != said.login]
            released = False
        elif said.act is Act.REOPENED:
            opinions, objection, released = [one for one in opinions if _settles(one)], "", False
        elif said.act is Act.OBJECTION:
            opinions, objection, released = [], said.reason or "objection", False
        elif said.act is Act.RELEASED:
            released = True
    return _of(opinions, objection, released=released, needs_two=needs_two)


def _of(opinions: Sequence[Said], objection: str, *, released: bool, needs_two: bool) -> Standing:
    if not opinions:
        return Standing(Place.ESCALATED, why=f"objection: {objection}") if objection else OPEN
    kept, last = tuple(opinions), opinions[-1]
    if last.verdict == Opinion.CANNOT_TELL:
        return Standing(Place.PARKED, kept, why=last.code)
    if last.verdict == Opinion.ESCALATE:
        return Standing(Place.ESCALATED, kept, why=last.code)
    needed = 2 if needs_two or objection or any(one.supervised for one in opinions) else 1
    votes = Counter(one.verdict for one in opinions)
    verdict, count = votes.most_common(1)[0]
    if count < needed:
        return Standing(Place.SECOND if len(opinions) < 2 else Place.ESCALATED, kept,
                        why="" if len(opinions) < 2 else "two reviewers differ")  # fmt: skip
    agreed = tuple(one for one in opinions if one.verdict == verdict)
    until = max(one.until for one in agreed)
    held = verdict == Opinion.SAME and until > 0 and not released
    return Standing(Place.HELD if held else Place.DONE, kept, agreed, until=until if held else 0)


def _settles(said: Said) -> bool:
    return said.verdict in SETTLING


def working_days_on(at: float, days: int) -> int:
    """The same hour so many working days later, in seconds since 1970; 0 without a day."""
    if not days:
        return 0
    day = dt.datetime.fromtimestamp(at, dt.UTC)
    while days:
        day += dt.timedelta(days=1)
        days -= day.weekday() < 5
    return int(day.timestamp())
