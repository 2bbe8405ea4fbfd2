"""Chores: lists that the register's own tables give every night, such as staff who are there as clients, or
services that nobody ended. Keys only."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import polars as pl

from casebridge.dedupe.scan.changes import without
from casebridge.dedupe.scan.config import Chore, ScanConfig, WholeTable
from casebridge.dedupe.scan.people import LiveQueries, plain_name
from casebridge.project.snapshot import Snapshot

ChoreRows = Mapping[str, pl.DataFrame] | str
"""The rows of each table of a chore; or, in words, why they were not read."""


def read_chores(snapshot: Snapshot, config: ScanConfig, hidden: Collection[str]) -> dict[str, ChoreRows]:
    """The tables of each chore, whole, with the columns that it names. hidden: keys of people of whom no row may
    be in them."""
    return {chore.name: _read(snapshot, config, chore, hidden) for chore in config.chores}


def _read(snapshot: Snapshot, config: ScanConfig, chore: Chore, hidden: Collection[str]) -> ChoreRows:
    gone = [why for table in chore.tables if (why := lacking(snapshot, table))]
    nobodys = nobody_knows_whose(config, chore) if hidden else ""
    if gone or nobodys:
        return "; ".join(filter(None, [*gone, nobodys]))
    return {table.name: read_whole(snapshot, table, hidden) for table in chore.tables}


def nobody_knows_whose(config: ScanConfig, chore: Chore) -> str:
    """Why a list of keys that are not people's cannot be kept clear of who is on a no-link list, in words; empty
    where it can."""
    own, text = {plain_name(table.name).casefold() for table in chore.tables}, chore.query.casefold()
    beside = [table for table in config.lookups if plain_name(table.name).casefold() not in own]
    asked = [*chore.tables, *(table for table in beside if plain_name(table.name).casefold() in text)]
    unsaid = [table.name for table in asked if table.people is None] if chore.of else []
    return f"nothing says whose rows are in {', '.join(unsaid)}, and there is a no-link list" if unsaid else ""


def lacking(snapshot: Snapshot, table: WholeTable) -> str:
    """What the register lacks of a table, in words; empty where all is there. Capitals count for nothing."""
    if not snapshot.has(table.name):
        return f"there is no table {table.name}"
    there = {name.casefold() for name in snapshot.asked(table.name).names}
    gone = [name for name in table.wanted if name.casefold() not in there]
    return f"{table.name} has no column {', '.join(gone)}" if gone else ""


def read_whole(snapshot: Snapshot, table: WholeTable, hidden: Collection[str]) -> pl.DataFrame:
    """All rows of a table but those of hidden people, with its columns as they are called here."""
    asked = snapshot.asked(table.name)
    spelt = {name.casefold(): name for name in asked.names}
    columns = [spelt.get(name.casefold(), name) for name in table.wanted]
    empty = pl.DataFrame(schema=dict.fromkeys(table.wanted, pl.String()))
    found = snapshot.read(".".join(filter(None, asked.table or (table.name,))), columns)
    return pl.concat([empty, *(_clear(rows, table, hidden) for rows in found)])


def _clear(rows: pl.DataFrame, table: WholeTable, hidden: Collection[str]) -> pl.DataFrame:
    named = rows.rename(dict(zip(rows.columns, table.wanted, strict=True)))
    called = {name.casefold(): name for name in table.wanted}
    return without(named, [called[name.casefold()] for name in table.people or ()], hidden)


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
        if isinstance(why, str) and (not chore.absent or nobody_knows_whose(config, chore) in why.split("; ")):
            yield f"scan.chores.{chore.name}: {why}: this list was not made"
