"""What people decided of pairs of records: append-only, keyed by legacy key, latest wins.

A decision outlives every run, re-run and rollback, because it names the records by their own keys and
stands in the control database.
"""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass

COLUMNS = ("left", "right", "verdict", "reviewer", "reason")
"""Of a sheet of decisions."""


class Ruling(enum.StrEnum):
    """What a reviewer may say of two records. Related: two people, who belong to one another."""

    SAME = "same"
    DIFFERENT = "different"
    RELATED = "related"
    UNSURE = "unsure"


SETTLING = frozenset({Ruling.SAME, Ruling.DIFFERENT, Ruling.RELATED})
"""What ends a question; after *unsure* it is still one."""


@dataclass(frozen=True)
class Decision:
    """One ruling on one pair. The ids are `space:key`, the smaller one left; the space is the system, or
    `system/table` for a register that is not of people."""

    left_id: str
    right_id: str
    verdict: Ruling
    reviewer: str
    reason: str


def register_of(item: str) -> str:
    """Of which register an id is (`space:key`): empty for people, else the target's table behind the system."""
    return item.partition(":")[0].partition("/")[2]


def who(reviewer: str) -> str:
    """A reviewer's name as it is compared: in whatever capitals, with whatever blanks, and without what nobody
    sees, which would make two people of one."""
    seen = "".join(c for c in unicodedata.normalize("NFKC", reviewer) if unicodedata.category(c)[0] != "C")
    return " ".join(seen.casefold().split())


def decision(left: str, right: str, verdict: Ruling, reviewer: str, reason: str) -> Decision:
    """A decision with its pair in order."""
    first, second = sorted((left, right))
    return Decision(first, second, verdict, reviewer, reason)
