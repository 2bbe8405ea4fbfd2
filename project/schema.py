"""Versions of the tables that we keep in databases: what an older project is brought up to, what a newer one is
refused for.

A missing table is made wherever it is needed; that raises no version. A version goes up when the columns of a
table that is there, or what they mean, change. Whoever raises one adds the step that leads to it from the version
before. No row for a part: it is from before there were versions, and version 1 takes it over as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlalchemy as sa
from sqlalchemy import event

from casebridge.project.errors import CasebridgeError

Step = Callable[[sa.Connection], None]
Versions = Mapping[str, int]

LEDGER: Versions = {"ledger": 1, "journal": 1, "ids": 1}
"""The parts of `work/ledger.db`, and of the files it speaks of, with the versions that this code writes."""

TARGET: Versions = {"side tables": 1}
"""Our own tables in a target."""

IN_LEDGER, IN_TARGET = "schema", "casebridge_schema"
SIDE_TABLES = frozenset({
    "casebridge_applied", "casebridge_before", "casebridge_crosswalk", "casebridge_parked", "casebridge_runs",
    IN_TARGET,
})  # fmt: skip
"""What our own tables in a target are called, in small letters. Another one that begins so is somebody else's."""
_STEPS: Mapping[tuple[str, int], Step] = {}
"""By part and version: what leads to it from the version before. Version 1 needs none."""


def versions_table(name: str, meta: sa.MetaData) -> sa.Table:
    """The table that holds the versions, in a ledger or in a target."""
    return sa.Table(
        name,
        meta,
        sa.Column("part", sa.String(40), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
    )


_OF = {name: versions_table(name, sa.MetaData()) for name in (IN_LEDGER, IN_TARGET)}


def refuse_newer(connection: sa.Connection, name: str, known: Versions, where: str) -> Versions:
    """The versions that are there. CasebridgeError when one of them is newer than this code. Read only."""
    if not sa.inspect(connection).has_table(name):
        return {}
    table = _OF[name]
    found = {
        str(part): int(version) for part, version in connection.execute(sa.select(table.c.part, table.c.version))
    }
    newer = sorted(part for part, version in found.items() if version > known.get(part, 0))
    if newer:
        what = ", ".join(f"{part} in version {found[part]}, known is {known.get(part, 'none')}" for part in newer)
        raise CasebridgeError(
            f"{where} was written by a newer casebridge: {what}",
            hint="use the release that wrote it, or a newer one; this one would not understand all of it. "
            "Nothing was changed",
        )
    return found


def bring_up(connection: sa.Connection, name: str, known: Versions, where: str) -> None:
    """Bring every part to the version of this code, in the caller's transaction. Writes nothing where all are."""
    found, table = refuse_newer(connection, name, known, where), _OF[name]
    late = {part: version for part, version in known.items() if found.get(part, 0) < version}
    if not late:
        return
    table.create(connection, checkfirst=True)
    for part, version in late.items():
        for number in range(found.get(part, 0) + 1, version + 1):
            if (part, number) in _STEPS:
                _STEPS[part, number](connection)
        connection.execute(table.delete().where(table.c.part == part))
        connection.execute(table.insert().values(part=part, version=version))


def watch_target(engine: sa.Engine, where: str) -> sa.Engine:
    """The engine, which refuses a target with newer tables of ours before anything is asked of it."""
    seen: list[bool] = []

    @event.listens_for(engine, "engine_connect")
    def _look(connection: sa.Connection) -> None:
        if seen:
            return
        seen.append(True)
        try:
            refuse_newer(connection, IN_TARGET, TARGET, where)
        except BaseException:
            seen.clear()
            connection.close()
            raise
        connection.rollback()  # what begins now is the caller's

    return engine
