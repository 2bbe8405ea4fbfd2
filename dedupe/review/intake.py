"""Pairs that somebody asked to have looked at, such as the help desk with two numbers from a telephone call.

The answer is the same whatever the numbers are: who asks must not learn whether a record is there.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from casebridge.dedupe.review.decisions import register_of
from casebridge.dedupe.review.desk_tables import INTAKE
from casebridge.project.audit import AuditLog, Said
from casebridge.project.control import bring_up_control
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError
from casebridge.project.ledger import now

_LONGEST = {"left": 200, "right": 200, "who": 100, "why": 1000}


def ask_for(log: AuditLog, systems: Collection[str], left: str, right: str, who: str, why: str) -> None:
    """Put a pair of records before the reviewers, from the next run on. The keys are `system:key`,
    `system/table:key` in a register that is not of people, or a person's bare key when the project has one system.
    CasebridgeError when a form is not filled in; never about who is there."""
    cells = {"left": left, "right": right, "who": who, "why": why}
    cells = {name: " ".join(text.split()) for name, text in cells.items()}
    wrong = [name for name, text in cells.items() if not text or len(text) > _LONGEST[name]]
    if wrong:
        raise CasebridgeError(
            f"the notification is not filled in: {', '.join(wrong)}",
            hint="two numbers, who asks, and why the two may be one person",
        )
    ids = sorted(_id(cells[side], systems) for side in ("left", "right"))
    if ids[0] == ids[1]:
        raise CasebridgeError("the notification names one record twice", hint="give the numbers of both records")
    if register_of(ids[0]) != register_of(ids[1]):
        raise CasebridgeError(
            "the notification names records of two registers", hint="a person is never an organisation"
        )
    row = {"left_id": ids[0], "right_id": ids[1], "who": cells["who"], "why": cells["why"], "at": now()}
    with writing(log.engine).begin() as connection:
        bring_up_control(connection)
        connection.execute(INTAKE.insert().values(row))
        log.append(connection, "intake", [Said(row, "\n".join(ids))])


def _id(text: str, systems: Collection[str]) -> str:
    system, colon, _ = text.partition(":")
    if colon and system.partition("/")[0] in systems:
        return text
    if len(systems) == 1 and not colon:
        return f"{next(iter(systems))}:{text}"
    raise CasebridgeError("a key must be written `system:key`", hint=f"systems: {', '.join(sorted(systems))}")


def asked_for(log: AuditLog) -> list[tuple[str, str]]:
    """The pairs that somebody asked for, in order. Read only."""
    if not sa.inspect(log.engine).has_table(INTAKE.name):
        return []
    query = sa.select(INTAKE.c.left_id, INTAKE.c.right_id).distinct().order_by("left_id", "right_id")
    with log.engine.connect() as connection:
        return [(row.left_id, row.right_id) for row in connection.execute(query)]
