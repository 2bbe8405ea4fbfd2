"""The row account of one attempt: what was read, and where each row went."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields

from casebridge.project.errors import BalanceError


@dataclass(frozen=True)
class Tally:
    """Rows in = rows out, in every column. `balanced()` raises rather than lets a row go missing.

    `read` counts source rows. `passed` are rows handed on to the next stage; the other places are
    where a row stays behind in this stage. `set_aside` and `warned` count values, not rows, and are
    no part of the balance.
    """

    read: int = 0
    passed: int = 0
    combined: int = 0
    merged: int = 0
    rejected: int = 0
    excluded: int = 0
    held: int = 0
    set_aside: int = 0
    warned: int = 0

    def accounted(self) -> int:
        """Rows that have a place."""
        return self.passed + self.combined + self.merged + self.rejected + self.excluded + self.held

    def balanced(self, where: str) -> Tally:
        """This tally, or BalanceError when a row is missing or counted twice."""
        if self.read != self.accounted():
            raise BalanceError(where, self.read, self.accounted())
        return self

    def __add__(self, other: Tally) -> Tally:
        return Tally(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def as_dict(self) -> dict[str, int]:
        """Plain numbers, for the ledger."""
        return asdict(self)
