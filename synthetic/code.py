"""One line of the old system's code table, and the four states a code may be in (see codelists.py)."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Code:
    code: str
    description: str
    weight: float = 1.0
    live: bool = True
    mapped: bool = True
    since: date | None = None
    until: date | None = None
    inverse: str = ""


def dead(code: str, description: str, weight: float = 0.2) -> Code:
    """Withdrawn, still on old rows, and its meaning is known: the pack maps it."""
    return Code(code, description, weight, live=False)


def lost(code: str, description: str, weight: float = 1.0) -> Code:
    """Dead, unmapped on purpose: nobody can say any more what it stood for."""
    return Code(code, description, weight, live=False, mapped=False)
