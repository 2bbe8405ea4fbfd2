"""What reviewers said of the merged person, field by field: append-only, the latest word on a field holds.

The audit log has each word; the table is where they are looked up. What counts is that the two say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from casebridge.dedupe.review.desk_tables import OVERRIDES
from casebridge.dedupe.review.value_rules import Override
from casebridge.project.audit import AuditLog, Said
from casebridge.project.errors import CasebridgeError
from casebridge.project.ledger import now

KIND = "override"


def subject_of(row: Mapping[str, Any]) -> str:
    """Under which name the log keeps a word on a pair: the pair's; where it chose the value of a third record of
    the group, one of its own, so that it can be forgotten with that record."""
    ids = dict.fromkeys((row["left_id"], row["right_id"], row.get("from_id") or row["left_id"]))
    return "\n".join(ids)


def append_override(connection: sa.Connection, log: AuditLog, said: Override, login: str) -> None:
    """Write one word, and its entry in the log, in the caller's transaction. The caller is `alone` in the log."""
    number = int(connection.scalar(sa.select(sa.func.max(OVERRIDES.c.number))) or 0) + 1
    row = {
        "number": number, "left_id": said.left_id, "right_id": said.right_id, "field": said.field,
        "from_id": said.from_id, "login": login, "name": said.name, "reason": said.reason, "at": now(),
    }  # fmt: skip
    connection.execute(OVERRIDES.insert().values(row))
    log.append(connection, KIND, [Said(row, subject_of(row))])


def standing_overrides(log: AuditLog) -> list[Override]:
    """Every word, oldest first. CasebridgeError when the words are not what was recorded. Read only."""
    wrong = override_problems(log)
    if wrong:
        raise CasebridgeError(
            f"what reviewers chose for merged people is not what was recorded: {'; '.join(wrong[:10])}",
            hint="restore the control database from a backup; nothing is folded until then",
        )
    rows = _rows(log.engine)
    return [_override(rows[number]) for number in sorted(rows)]


def override_problems(log: AuditLog) -> list[str]:
    """Where the table says something else than the log, in sentences."""
    rows = _rows(log.engine)
    told = {entry.body["number"]: dict(entry.body) for entry in log.entries(KIND) if entry.body}
    wrong = sorted(number for number in rows.keys() | told.keys() if rows.get(number) != told.get(number))
    return [f"override {number} was changed, added or taken away" for number in wrong]


def last_number(connection: sa.Connection, left: str, right: str) -> int:
    """The number of the last word on a pair; 0 when there is none."""
    mine = sa.select(sa.func.max(OVERRIDES.c.number)).where(
        OVERRIDES.c.left_id == left, OVERRIDES.c.right_id == right
    )
    return int(connection.scalar(mine) or 0)


def _rows(engine: sa.Engine) -> dict[int, dict[str, Any]]:
    if not sa.inspect(engine).has_table(OVERRIDES.name):
        return {}
    with engine.connect() as connection:
        return {row.number: dict(row._mapping) for row in connection.execute(sa.select(OVERRIDES))}


def _override(row: Mapping[str, Any]) -> Override:
    return Override(*(row[name] for name in ("left_id", "right_id", "field", "from_id", "name", "reason")))
