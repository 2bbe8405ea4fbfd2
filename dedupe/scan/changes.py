"""What changed in the tables of the live register since they were last read.

By change date where a table has one: then only its keys and the rows around that date cross the network. Else
every row is read, and told apart from what is kept by a digest. Rows of people on a no-link list are never kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import polars as pl
import sqlalchemy as sa

from casebridge.dedupe.scan.config import LiveTable
from casebridge.project.snapshot import Snapshot

HASH = "_hash"
OVERLAP = dt.timedelta(days=2)
"""How far before the latest change that was seen rows are read again: clocks differ, and so do transactions."""


@dataclass(frozen=True)
class TableRead:
    """A table as it stands now (its columns as text, and HASH), and the keys of the people whose rows came, went
    or changed. `read` rows crossed the network; `by_date` says how; `late` counts changes that the date hid."""

    rows: pl.DataFrame
    people: frozenset[str]
    read: int
    by_date: bool = False
    late: int = 0


def read_table(
    snapshot: Snapshot,
    table: LiveTable,
    before: pl.DataFrame | None,
    hidden: Collection[str],
    last: str = "",
    *,
    whole: bool,
) -> TableRead:
    """Read a table, or what changed in it. before: what was kept of it; None when it was never read. hidden: keys
    of people of whom nothing may be kept. last: the day on which `before` was read. whole: read every row,
    whatever the dates say. Where other columns were read before, it counts as never read."""
    if before is not None and before.columns != [*table.wanted, HASH]:
        before = None
    if before is not None and table.changed and not whole:
        found = _by_date(snapshot, table, before, hidden, last)
        if found is not None:
            return found
    now = _without(_rows(snapshot, table), table, hidden)
    late = _hidden_changes(before, now, table) if before is not None and table.changed else 0
    return TableRead(now, _people(before, now, table), now.height, late=late)


def _rows(snapshot: Snapshot, table: LiveTable, where: sa.ColumnElement[bool] | None = None) -> pl.DataFrame:
    schema = {**dict.fromkeys(table.wanted, pl.String()), HASH: pl.UInt64()}
    parts = [with_hash(batch) for batch in snapshot.read(table.name, table.wanted, where)]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def with_hash(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their digest."""
    return rows.with_columns(rows.hash_rows(seed=0).alias(HASH))


def _by_date(
    snapshot: Snapshot, table: LiveTable, before: pl.DataFrame, hidden: Collection[str], last: str
) -> TableRead | None:
    """The rows around the latest change that was seen, and the keys of all; None where no date was ever seen, or
    where a key does not name one row."""
    dates = before.get_column(table.changed)
    # A date after the day on which it was read is a mistyped one: what was changed since may well be before it.
    since = _day(dates.filter(dates.str.head(10) <= last).max())
    if since is None:
        return None
    column: sa.ColumnClause[str] = sa.column(table.changed, sa.String)
    fresh = _rows(snapshot, table, sa.or_(column.is_(None), _at_least(snapshot, table, since)))
    keys = pl.concat([pl.DataFrame(schema={table.key: pl.String()}), *snapshot.read(table.name, [table.key])])
    if keys.get_column(table.key).is_duplicated().any():
        return None
    gone = before.join(keys, on=table.key, how="anti")
    kept = before.join(fresh.select(table.key), on=table.key, how="anti").join(keys, on=table.key, how="semi")
    unknown = keys.join(before, on=table.key, how="anti").join(fresh, on=table.key, how="anti")
    if unknown.height:  # a row came with an old date: the date says nothing of it
        more = list(_by_key(snapshot, table, unknown.get_column(table.key).to_list()))
        fresh = pl.concat([fresh, *more])
    fresh = _without(fresh, table, hidden)
    old = before.join(fresh.select(table.key), on=table.key, how="semi")
    people = _people(old, fresh, table) | _owners(gone, table)
    return TableRead(pl.concat([_without(kept, table, hidden), fresh]), people, fresh.height, by_date=True)


def _by_key(snapshot: Snapshot, table: LiveTable, keys: list[str]) -> Iterator[pl.DataFrame]:
    for start in range(0, len(keys), 5000):
        some = sa.cast(sa.column(table.key), sa.String).in_(keys[start : start + 5000])
        yield _rows(snapshot, table, some)


def _at_least(snapshot: Snapshot, table: LiveTable, since: str) -> sa.ColumnElement[bool]:
    if snapshot.texts_sort:  # the server keeps times as text, ISO 8601
        return sa.column(table.changed, sa.String) >= since
    return sa.column(table.changed, sa.DateTime) >= dt.datetime.fromisoformat(since)


def _day(latest: object) -> str | None:
    try:
        return (dt.datetime.fromisoformat(str(latest)[:10]) - OVERLAP).date().isoformat()
    except ValueError:
        return None


def _without(rows: pl.DataFrame, table: LiveTable, hidden: Collection[str]) -> pl.DataFrame:
    if not hidden:
        return rows
    named = [pl.col(column).is_in(sorted(hidden)).fill_null(False) for column in (table.person, *table.others)]
    return rows.filter(~pl.any_horizontal(named))


def _people(before: pl.DataFrame | None, now: pl.DataFrame, table: LiveTable) -> frozenset[str]:
    """Whose rows are here and were not there, or the other way round."""
    if before is None:
        return _owners(now, table)
    by = [table.key, HASH]
    came, went = (one.join(other, on=by, how="anti") for one, other in ((now, before), (before, now)))
    return _owners(came, table) | _owners(went, table)


def _owners(rows: pl.DataFrame, table: LiveTable) -> frozenset[str]:
    named = [rows.get_column(column) for column in (table.person, *table.others)]
    return frozenset(pl.concat(named).drop_nulls().unique())


def _hidden_changes(before: pl.DataFrame, now: pl.DataFrame, table: LiveTable) -> int:
    """Rows that changed though their change date did not."""
    by = [table.key, table.changed]
    changed = now.join(before, on=[table.key, HASH], how="anti")
    return changed.join(before, on=by, how="semi", nulls_equal=True).height
