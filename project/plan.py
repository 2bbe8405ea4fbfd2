"""What a stage would do if it ran now: asked before anything is done, answered without writing anything.

Every stage has a function `plan_tables(job)` that gives its tables in the order in which it would do them. It
asks the ledger with the same digests as the stage itself. Whoever draws up a plan seals each table that is
done in a copy of the ledger (`Ledger.copy`), so that the tables after it find what they would find.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.StrEnum):
    """Where a table stands in a stage. One that follows hangs on something that is pending."""

    DONE = "done"
    PENDING = "pending"
    FOLLOWS = "follows"


@dataclass(frozen=True)
class TablePlan:
    """One table of one stage. `rows` are those of the pending batches, None where nobody can know yet;
    `sealed` is what the run has of the table when it is done: (batch number, digest of its inputs). `about`:
    rows and batches go by a file's lines, and a record may span several."""

    stage: str
    table: str
    state: State
    batches: tuple[int, ...] = ()
    rows: int | None = None
    sealed: tuple[tuple[int, str], ...] = ()
    about: bool = False


def follows(stage: str, table: str) -> TablePlan:
    """The plan of a table that hangs on something pending."""
    return TablePlan(stage, table, State.FOLLOWS)


def planned(
    stage: str, table: str, sealed: tuple[tuple[int, str], ...], batches: tuple[int, ...], rows: int | None
) -> TablePlan:
    """The plan of a table whose pending batches are known: done when there are none."""
    if not batches:
        return TablePlan(stage, table, State.DONE, rows=0, sealed=sealed)
    return TablePlan(stage, table, State.PENDING, batches, rows)
