"""Chores: lists that the register's own tables give every night, such as staff who are there as clients, or
services that nobody ended. Keys only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from casebridge.dedupe.scan.config import Chore
from casebridge.dedupe.scan.people import LiveQueries
from casebridge.project.snapshot import Snapshot

ABSENT = "a table or column that it needs is not there"


def read_chores(snapshot: Snapshot, chores: tuple[Chore, ...]) -> dict[str, dict[str, pl.DataFrame] | None]:
    """The tables of each chore, whole, with the columns that it names; None where one of them is not there."""
    if not chores:
        return {}
    there, found = (
        columns_there(snapshot, {name for chore in chores for name, _ in chore.tables}),
        dict[str, Any](),
    )
    for chore in chores:
        if any(not there[name].issuperset(columns) for name, columns in chore.tables):
            found[chore.name] = None
            continue
        found[chore.name] = {name: read_whole(snapshot, name, columns) for name, columns in chore.tables}
    return found


def columns_there(snapshot: Snapshot, names: Collection[str]) -> dict[str, frozenset[str]]:
    """The columns of some tables; none of one that is not there."""
    tables = snapshot.tables()
    return {name: frozenset(snapshot.asked(name).names) if name in tables else frozenset() for name in names}


def read_whole(snapshot: Snapshot, name: str, columns: Sequence[str]) -> pl.DataFrame:
    """All rows of a table, of these columns."""
    empty = pl.DataFrame(schema=dict.fromkeys(columns, pl.String()))
    return pl.concat([empty, *snapshot.read(name, columns)])


def done_chores(
    queries: LiveQueries, chores: tuple[Chore, ...], tables: Mapping[str, Mapping[str, pl.DataFrame] | None],
    hidden: frozenset[str],
) -> dict[str, tuple[str, ...] | None]:  # fmt: skip
    """The keys on each list, as `system:key`, or `system/table:key` of a table that is not of people, in order;
    None where a table or column was not there. Nobody of a no-link list is on one."""
    found: dict[str, tuple[str, ...] | None] = {}
    for chore in chores:
        mine = tables.get(chore.name)
        found[chore.name] = None if mine is None else tuple(
            item for item in queries.keys(chore.query, f"scan.chores.{chore.name}", mine, chore.of)
            if item not in hidden
        )  # fmt: skip
    return found
