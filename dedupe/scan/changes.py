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
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.project.snapshot import Snapshot

HASH = "_hash"
OVERLAP = dt.timedelta(days=2)
"""How far before the latest change that was seen rows are read again: clocks differ, and so do transactions."""


@dataclass(frozen=True)
class TableRead:
    """A table as it stands now (its columns as text, and HASH), and the keys of the people whose rows came, went
    or changed. `read` rows crossed the network; `by_date` says how; `late` counts changes that the date hid."""

    rows: KeptRows
    people: frozenset[str]
    read: int
    by_date: bool = False
    late: int = 0


def read_table(
    snapshot: Snapshot,
    table: LiveTable,
    before: KeptRows | None,
    hidden: Collection[str],
    last: str = "",
    *,
    whole: bool,
) -> TableRead:
    """Read a table, or what changed in it. before: what was kept of it; None when it was never read. hidden: keys
    of people of whom nothing may be kept. last: the day on which `before` was read. whole: read every row,
    whatever the dates say. Where other columns were read before, it counts as never read."""
    if before is None or before.columns != [*table.wanted, HASH]:
        now = _without(_rows(snapshot, table), table, hidden)
        return TableRead(KeptRows.whole(table.key, now), _owners(now, table), now.height)
    found = _by_date(snapshot, table, before, hidden, last) if table.changed and not whole else None
    return found or _by_hash(snapshot, table, before, hidden)


def _by_hash(snapshot: Snapshot, table: LiveTable, before: KeptRows, hidden: Collection[str]) -> TableRead:
    """Every row."""
    now = _without(_rows(snapshot, table), table, hidden)
    by, kept = [table.key, HASH], _marks(before, table)
    both = ((now, kept), (kept, now))
    came, went = (one.join(other, on=by, how="anti", nulls_equal=True) for one, other in both)
    keys = pl.concat([came.select(table.key), went.select(table.key)]).unique()
    fresh = now.join(keys, on=table.key, how="semi", nulls_equal=True)
    late = _hidden_changes(kept, came, table) if table.changed else 0
    people = _owners(came, table) | _owners(went, table)
    return TableRead(before.changed(keys, fresh), people, now.height, late=late)


def _marks(before: KeptRows, table: LiveTable) -> pl.DataFrame:
    """What tells a change: key, people, change date and HASH of every row that is kept."""
    named = (table.key, table.person, *table.others, *([table.changed] if table.changed else []), HASH)
    return before.select(*dict.fromkeys(named))


def _rows(snapshot: Snapshot, table: LiveTable, where: sa.ColumnElement[bool] | None = None) -> pl.DataFrame:
    schema = {**dict.fromkeys(table.wanted, pl.String()), HASH: pl.UInt64()}
    parts = [with_hash(batch) for batch in snapshot.read(table.name, table.wanted, where)]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def with_hash(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their digest."""
    return rows.with_columns(rows.hash_rows(seed=0).alias(HASH))


def _by_date(
    snapshot: Snapshot, table: LiveTable, before: KeptRows, hidden: Collection[str], last: str
) -> TableRead | None:
    """The rows around the latest change that was seen, and the keys of all; None where no date was ever seen, or
    where a key does not name one row."""
    kept = _marks(before, table)
    dates = kept.get_column(table.changed)
    # A date after the day on which it was read is a mistyped one: what was changed since may well be before it.
    since = _day(dates.filter(dates.str.head(10) <= last).max())
    if since is None:
        return None
    column: sa.ColumnClause[str] = sa.column(table.changed, sa.String)
    fresh = _rows(snapshot, table, sa.or_(column.is_(None), _at_least(snapshot, table, since)))
    keys = pl.concat([pl.DataFrame(schema={table.key: pl.String()}), *snapshot.read(table.name, [table.key])])
    if keys.get_column(table.key).is_duplicated().any():
        return None
    unknown = keys.join(kept, on=table.key, how="anti").join(fresh, on=table.key, how="anti")
    if unknown.height:  # a row came with an old date: the date says nothing of it
        more = list(_by_key(snapshot, table, unknown.get_column(table.key).to_list()))
        fresh = pl.concat([fresh, *more])
    read, fresh = fresh.height, _without(fresh, table, hidden)
    came = fresh.join(kept, on=[table.key, HASH], how="anti")
    stay = _without(kept, table, hidden).join(keys, on=table.key, how="semi").join(came, on=table.key, how="anti")
    went = kept.join(stay, on=table.key, how="anti")
    people = _owners(came, table) | _owners(went, table)
    touched = pl.concat([came.select(table.key), went.select(table.key)])
    return TableRead(before.changed(touched, came), people, read, by_date=True)


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


def _owners(rows: pl.DataFrame, table: LiveTable) -> frozenset[str]:
    named = [rows.get_column(column) for column in (table.person, *table.others)]
    return frozenset(pl.concat(named).drop_nulls().unique())


def _hidden_changes(kept: pl.DataFrame, came: pl.DataFrame, table: LiveTable) -> int:
    """Rows that changed though their change date did not."""
    return came.join(kept, on=[table.key, table.changed], how="semi", nulls_equal=True).height
