"""What the desk and its pages hand to one another: who looks, what he wants to see, what he says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from casebridge.dedupe.review.evidence_file import PairEvidence
from casebridge.dedupe.review.verdicts import Opinion, Place, Standing
from casebridge.project.errors import CasebridgeError


@dataclass(frozen=True)
class Viewer:
    """Who looks: login, name, clearance, and whether he is one whom others turn to. `teams`: those whose people
    his agreement covers (None: he is no third party); `groups`: those of restriction that he belongs to; `daily`:
    how many pairs are his for a day (0: as many as he likes)."""

    login: str
    name: str
    clearance: int
    senior: bool = False
    teams: frozenset[str] | None = None
    groups: frozenset[str] = frozenset()
    daily: int = 0


@dataclass(frozen=True)
class Filters:
    """Which pairs somebody wants to see; empty fields ask for all."""

    place: Place | None = None
    team: str = ""
    age: str = ""
    relation: str = ""
    only: str = ""
    preflight: str = ""


ALL = Filters()
"""No filter."""


@dataclass(frozen=True)
class Open:
    """A pair in the queue, where it stands, and who holds it (a login; empty for nobody)."""

    pair: PairEvidence
    standing: Standing
    holder: str = ""


@dataclass(frozen=True)
class Form:
    """What a page sends: the verdict, and what the page was made from. `seen` is the number of the last act on the
    pair that the page knew, `evidence` the digest of what it showed, `key` its own."""

    item: str
    verdict: Opinion
    code: str
    reason: str
    evidence: str
    seen: int
    key: str
    seconds: int = 0


class Refused(CasebridgeError):
    """The desk did not do what was asked, and changed nothing: the pair is not what the page showed."""


def is_wanted(pair: PairEvidence, wanted: Filters) -> bool:
    """Whether a pair suits the filters; where it stands is asked elsewhere."""
    if wanted.team and wanted.team not in pair.teams:
        return False
    if wanted.age and wanted.age != ("child" if pair.child else "adult"):
        return False
    if wanted.relation and wanted.relation != pair.relation:
        return False
    if wanted.preflight and wanted.preflight != pair.preflight:
        return False
    return not wanted.only or _ONLY.get(wanted.only, _any)(pair)


def _any(_: PairEvidence) -> bool:
    return True


_ONLY: Mapping[str, Callable[[PairEvidence], bool]] = {
    "conflict": lambda pair: pair.conflict,
    "group": lambda pair: len(pair.group) > 2,
    "two people": lambda pair: pair.calls_for_two,
    "restricted": lambda pair: pair.clearance > 0,
}
