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
from casebridge.dedupe.scan.kept_rows import IN_PARTS, KeptRows
from casebridge.project.errors import SourceError
from casebridge.project.in_lists import among
from casebridge.project.snapshot import Snapshot

HASH = "_hash"
KeysSum = tuple[int, int] | None
"""How many rows a table has, and a sum that tells of its keys (`Snapshot.keys_sum`); None where nothing does."""
MANY = 5000
"""So many new keys the server is asked about by themselves."""
OVERLAP = dt.timedelta(days=2)
"""How far before the latest change that was seen rows are read again: clocks differ, and so do transactions."""


@dataclass(frozen=True)
class TableRead:
    """A table as it stands now (its columns as text, and HASH), and the keys of the people whose rows came, went
    or changed. `read` rows crossed the network; `by_date` says how; `late` counts changes that the date hid;
    `keys` is what the server says of all keys."""

    rows: KeptRows
    people: frozenset[str]
    read: int
    by_date: bool = False
    late: int = 0
    keys: KeysSum = None

    @property
    def there(self) -> int | None:
        """How many rows the table has, where that is known."""
        return self.keys[0] if self.keys else None if self.by_date else self.read


def read_table(
    snapshot: Snapshot,
    table: LiveTable,
    before: KeptRows | None,
    hidden: Collection[str],
    last: str = "",
    keys: KeysSum = None,
    *,
    whole: bool,
) -> TableRead:
    """Read a table, or what changed in it. before: what was kept of it; None when it was never read. hidden: keys
    of people of whom nothing may be kept. last: the day on which `before` was read. whole: read every row,
    whatever the dates say. keys: of `before`. Where other columns were read before, it counts as never read."""
    if before is None or before.columns != [*table.wanted, HASH]:
        now = without(_rows(snapshot, table), table.people, hidden)
        sums = snapshot.keys_sum(table.name, table.key) if table.changed else None
        return TableRead(KeptRows.whole(table.key, now), _owners(now, table), now.height, keys=sums)
    found = _by_date(snapshot, table, before, hidden, last, keys) if table.changed and not whole else None
    return found or _by_hash(snapshot, table, before, hidden)


def _by_hash(snapshot: Snapshot, table: LiveTable, before: KeptRows, hidden: Collection[str]) -> TableRead:
    """Every row; of those that are as they were only the digest is held."""
    by, kept, read = [table.key, HASH], _marks(before, table), 0
    came, seen = [_empty(table)], [kept.select(by).clear()]
    for batch in snapshot.read(table.name, table.wanted):
        rows = without(with_hash(batch), table.people, hidden)
        # Looked up in the batch and not in all that is kept: what is looked up in takes memory.
        known = kept.select(by).join(rows, on=by, how="semi", nulls_equal=True)
        came.append(rows.join(known, on=by, how="anti", nulls_equal=True))
        seen.append(rows.select(by))
        read += rows.height
    fresh, there = _keyed(pl.concat(came), table), pl.concat(seen)
    went = kept.join(there, on=by, how="anti", nulls_equal=True)
    keys = pl.concat([fresh.select(table.key), went.select(table.key)]).unique()
    same = before.of_keys(keys).join(there, on=by, how="semi", nulls_equal=True)
    late = _hidden_changes(kept, fresh, table) if table.changed else 0
    people = _owners(fresh, table) | _owners(went, table)
    sums = snapshot.keys_sum(table.name, table.key) if table.changed else None
    return TableRead(before.changed(keys, pl.concat([fresh, same])), people, read, late=late, keys=sums)


def _marks(before: KeptRows, table: LiveTable) -> pl.DataFrame:
    """What tells a change: key, people, change date and HASH of every row that is kept."""
    named = (table.key, table.person, *table.others, *([table.changed] if table.changed else []), HASH)
    return before.select(*dict.fromkeys(named))


def _rows(snapshot: Snapshot, table: LiveTable, where: sa.ColumnElement[bool] | None = None) -> pl.DataFrame:
    parts = [with_hash(batch) for batch in snapshot.read(table.name, table.wanted, where)]
    return _keyed(pl.concat([_empty(table), *parts]), table)


def _keyed(rows: pl.DataFrame, table: LiveTable) -> pl.DataFrame:
    """The rows. SourceError where one of the people's own table has no key: whoever it is would be passed over."""
    none = rows.get_column(table.key).null_count() if table.key == table.person else 0
    if none:
        raise SourceError(
            table.name,
            f"{none:,} of its rows have no {table.key}",
            hint="mend them, or read a view that leaves them out: nobody can be shown a person without a key",
        )
    return rows


def _empty(table: LiveTable) -> pl.DataFrame:
    return pl.DataFrame(schema={**dict.fromkeys(table.wanted, pl.String()), HASH: pl.UInt64()})


def with_hash(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with their digest."""
    return rows.with_columns(rows.hash_rows(seed=0).alias(HASH))


def _by_date(
    snapshot: Snapshot, table: LiveTable, before: KeptRows, hidden: Collection[str], last: str, keys: KeysSum
) -> TableRead | None:
    """The rows around the latest change that was seen, and, where it is not certain that they are what they were,
    the keys of all; None where no date was ever seen, or where a key does not name one row."""
    # A date after the day on which it was read is a mistyped one: what was changed since may well be before it.
    dates = before.lazy(table.changed).filter(pl.col(table.changed).str.head(10) <= last)
    since = _day(dates.select(pl.col(table.changed).max()).collect(engine=IN_PARTS).item())
    if since is None:
        return None
    column: sa.ColumnClause[str] = sa.column(table.changed, sa.String)
    fresh = _rows(snapshot, table, sa.or_(column.is_(None), _at_least(snapshot, table, since)))
    known = before.of(table.key, set(fresh.get_column(table.key).drop_nulls()))
    now = snapshot.keys_sum(table.name, table.key)
    if _same_keys(snapshot, table, fresh, known, keys, now):
        named = [before.of(name, hidden) for name in table.people] if hidden else []
        return _changed(table, before, hidden, fresh, pl.concat([known.clear(), *named]), now)
    return _by_all_keys(snapshot, table, before, hidden, fresh, now)


def _same_keys(
    snapshot: Snapshot, table: LiveTable, fresh: pl.DataFrame, known: pl.DataFrame, keys: KeysSum, now: KeysSum
) -> bool:
    """Whether the table has the keys that it had, and beside them only those of `fresh` that nobody knew."""
    new = fresh.join(known, on=table.key, how="anti").get_column(table.key)
    if keys is None or now is None or len(new) > MANY or new.null_count() or new.is_duplicated().any():
        return False
    more = snapshot.keys_sum(table.name, table.key, _has_key(table, new.to_list())) if len(new) else (0, 0)
    return more is not None and now == (keys[0] + more[0], keys[1] + more[1])


def _by_all_keys(
    snapshot: Snapshot,
    table: LiveTable,
    before: KeptRows,
    hidden: Collection[str],
    fresh: pl.DataFrame,
    now: KeysSum,
) -> TableRead | None:
    kept = _marks(before, table)
    keys = pl.concat([pl.DataFrame(schema={table.key: pl.String()}), *snapshot.read(table.name, [table.key])])
    if keys.get_column(table.key).is_duplicated().any():
        return None
    unknown = keys.join(kept, on=table.key, how="anti").join(fresh, on=table.key, how="anti")
    if unknown.height:  # a row came with an old date: the date says nothing of it
        fresh = pl.concat([fresh, *_by_key(snapshot, table, unknown.get_column(table.key).to_list())])
    stay = without(kept, table.people, hidden).join(keys, on=table.key, how="semi")
    return _changed(table, before, hidden, fresh, kept.join(stay, on=table.key, how="anti"), now)


def _changed(
    table: LiveTable,
    before: KeptRows,
    hidden: Collection[str],
    fresh: pl.DataFrame,
    gone: pl.DataFrame,
    now: KeysSum,
) -> TableRead:
    """The table with these rows instead of those that were kept of their keys, and without those that are gone."""
    read, fresh = fresh.height, without(fresh, table.people, hidden)
    known = before.of(table.key, set(fresh.get_column(table.key).drop_nulls()))
    came = fresh.join(known, on=[table.key, HASH], how="anti")
    went = known.join(came, on=table.key, how="semi")
    touched = pl.concat([frame.select(table.key) for frame in (came, went, gone)])
    people = _owners(came, table) | _owners(went, table) | _owners(gone, table)
    return TableRead(before.changed(touched, came), people, read, by_date=True, keys=now)


def _by_key(snapshot: Snapshot, table: LiveTable, keys: list[str]) -> Iterator[pl.DataFrame]:
    for start in range(0, len(keys), 5000):
        yield _rows(snapshot, table, _has_key(table, keys[start : start + 5000]))


def _has_key(table: LiveTable, keys: list[str]) -> sa.ColumnElement[bool]:
    return among(sa.cast(sa.column(table.key), sa.String), keys)


def _at_least(snapshot: Snapshot, table: LiveTable, since: str) -> sa.ColumnElement[bool]:
    if snapshot.texts_sort:  # the server keeps times as text, ISO 8601
        return sa.column(table.changed, sa.String) >= since
    return sa.column(table.changed, sa.DateTime) >= dt.datetime.fromisoformat(since)


def _day(latest: object) -> str | None:
    try:
        return (dt.datetime.fromisoformat(str(latest)[:10]) - OVERLAP).date().isoformat()
    except ValueError:
        return None


def without(rows: pl.DataFrame, people: Collection[str], hidden: Collection[str]) -> pl.DataFrame:
    """The rows in which none of these columns holds the key of somebody of whom nothing may be kept."""
    if not hidden or not people:
        return rows
    named = [pl.col(column).is_in(sorted(hidden)).fill_null(False) for column in people]
    return rows.filter(~pl.any_horizontal(named))


def _owners(rows: pl.DataFrame, table: LiveTable) -> frozenset[str]:
    named = [rows.get_column(column) for column in table.people]
    return frozenset(pl.concat(named).drop_nulls().unique())


def _hidden_changes(kept: pl.DataFrame, came: pl.DataFrame, table: LiveTable) -> int:
    """Rows that changed though their change date did not."""
    return came.join(kept, on=[table.key, table.changed], how="semi", nulls_equal=True).height
