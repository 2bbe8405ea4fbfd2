"""Chores: lists that the register's own tables give every night, such as staff who are there as clients, or
services that nobody ended. Keys only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import polars as pl

from casebridge.dedupe.scan.changes import without
from casebridge.dedupe.scan.config import Chore, ScanConfig, WholeTable
from casebridge.dedupe.scan.guards import lacking
from casebridge.dedupe.scan.people import LiveQueries, plain_name
from casebridge.project.errors import SourceError
from casebridge.project.snapshot import Snapshot

ChoreRows = Mapping[str, pl.DataFrame] | str
"""The rows of each table of a chore; or, in words, why they were not read."""


def read_chores(snapshot: Snapshot, config: ScanConfig, hidden: Collection[str]) -> dict[str, ChoreRows]:
    """The tables of each chore, whole, with the columns that it names. hidden: keys of people of whom no row may
    be in them."""
    return {chore.name: _read(snapshot, config, chore, hidden) for chore in config.chores}


def _read(snapshot: Snapshot, config: ScanConfig, chore: Chore, hidden: Collection[str]) -> ChoreRows:
    if hidden and (why := nobody_knows_whose(config, chore)):
        return why
    read = {table.name: read_whole(snapshot, table, hidden) for table in chore.tables}
    unread = [rows for rows in read.values() if isinstance(rows, str)]
    return "; ".join(unread) or {name: rows for name, rows in read.items() if isinstance(rows, pl.DataFrame)}


def nobody_knows_whose(config: ScanConfig, chore: Chore) -> str:
    """Why a list of keys that are not people's cannot be kept clear of who is on a no-link list, in words; empty
    where it can."""
    own, text = {plain_name(table.name).casefold() for table in chore.tables}, chore.query.casefold()
    beside = [table for table in config.lookups if plain_name(table.name).casefold() not in own]
    asked = [*chore.tables, *(table for table in beside if plain_name(table.name).casefold() in text)]
    unsaid = [table.name for table in asked if table.people is None] if chore.of else []
    return f"nothing says whose rows are in {', '.join(unsaid)}, and there is a no-link list" if unsaid else ""


def read_whole(snapshot: Snapshot, table: WholeTable, hidden: Collection[str]) -> pl.DataFrame | str:
    """All rows of a table but those of hidden people; or, in words, why it cannot be read."""
    if why := lacking(snapshot, table.name, table.wanted):
        return why
    called = {name.casefold(): name for name in table.wanted}
    people = [called[name.casefold()] for name in table.people or ()]
    found = [pl.DataFrame(schema=dict.fromkeys(table.wanted, pl.String()))]
    try:
        found += (without(rows, people, hidden) for rows in snapshot.read(table.name, table.wanted))
    except SourceError as error:
        if why := snapshot.refused(error):
            return why
        raise
    return pl.concat(found)


def done_chores(
    queries: LiveQueries, chores: tuple[Chore, ...], tables: Mapping[str, ChoreRows], hidden: frozenset[str]
) -> dict[str, tuple[str, ...] | None]:
    """The keys on each list, as `system:key`, or `system/table:key` of a table that is not of people, in order;
    None where its tables were not read. Nobody of a no-link list is on one."""
    found: dict[str, tuple[str, ...] | None] = {}
    for chore in chores:
        mine = tables.get(chore.name, "")
        found[chore.name] = None if isinstance(mine, str) else tuple(
            item for item in queries.keys(chore.query, f"scan.chores.{chore.name}", mine, chore.of)
            if item not in hidden
        )  # fmt: skip
    return found


def unmade(config: ScanConfig, tables: Mapping[str, ChoreRows]) -> dict[str, str]:
    """What is said of each list that could not be made: its own words, if it has any, and the reason."""
    found = ((chore, tables.get(chore.name, "")) for chore in config.chores)
    return {chore.name: f"{chore.absent} ({why})" if chore.absent else why
            for chore, why in found if isinstance(why, str)}  # fmt: skip


def chore_warnings(config: ScanConfig, tables: Mapping[str, ChoreRows]) -> Iterator[str]:
    """The lists that could not be made though nothing says that this may be so, each with the reason."""
    for chore in config.chores:
        why = tables.get(chore.name, "")
        if isinstance(why, str) and (not chore.absent or why == nobody_knows_whose(config, chore)):
            yield f"scan.chores.{chore.name}: {why}: this list was not made"
