"""What a check found. Numbers, names of tables and where to look; never a value out of a record."""

from __future__ import annotations

import enum
from dataclasses import asdict, dataclass


class Outcome(enum.StrEnum):
    """How a check ended. A note asks for a reader's eye and does not stop the sign-off."""

    PASSED = "passed"
    FAILED = "failed"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One check of one table: what had to be, what is, and how anyone can see it for themselves."""

    check: str
    table: str
    expected: str
    actual: str
    verdict: Outcome
    query: str = ""
    evidence: str = ""

    def as_dict(self) -> dict[str, str]:
        """Plain text, for the report."""
        return {key: str(value) for key, value in asdict(self).items()}


def equal(check: str, table: str, expected: int | str, actual: int | str, **where: str) -> Finding:
    """A finding that passes when both sides are the same."""
    verdict = Outcome.PASSED if expected == actual else Outcome.FAILED
    return Finding(check, table, _shown(expected), _shown(actual), verdict, **where)


def counted(number: int, word: str) -> str:
    """`1 row differs`, `2 rows differ`: a count with its noun and verb."""
    return f"{number:,} {word} differs" if number == 1 else f"{number:,} {word}s differ"


def _shown(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"
