"""One target table against what load says it put there: every row, every column.

Both sides are turned into the same types and hashed row by row; the hashes are compared by primary
key, so the order of neither side matters and no row is held in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import sqlalchemy as sa

from casebridge.project.batch import Batch
from casebridge.project.contracts import KEY, REST, ROW
from casebridge.reconciliation.counting.account_book import Flags, Rows
from casebridge.reconciliation.reading.target import JUNK, Held, junk_of, read_back, read_rows, typed, unpadded

SPEC, LEAD = "_spec", "_lead"
NOBODY = -1
KEPT_KEYS = 1000
"""How many keys of wrong rows are kept as evidence; all are counted."""


@dataclass
class Claims:
    """The rows that load says one table holds, sorted by primary key: its number, or where it is none a hash."""

    ids: Rows
    leads: Rows
    specs: npt.NDArray[np.int16]
    hashes: npt.NDArray[np.uint64]
    seen: npt.NDArray[np.uint8]
    rest: pl.DataFrame
    doubled: int

    def find(self, ids: Rows) -> Rows:
        """Where each primary key stands, -1 when nobody claims it."""
        if not len(self.ids):
            return np.full(len(ids), -1)
        at = np.searchsorted(self.ids, ids)
        at[at == len(self.ids)] = 0
        return np.where(self.ids[at] == ids, at, -1)

    @property
    def there(self) -> Flags:
        """Which of the claimed rows the target really has."""
        return self.seen > 0


@dataclass
class TableComparison:
    """What the re-reading of one target table found. Row keys only; `keys` are the wrong rows' own, by the numbers
    that stand for them."""

    held: Held
    rows: int = 0
    claimed: int = 0
    explained: int = 0
    doubled: int = 0
    claimed_twice: int = 0
    differing: int = 0
    columns: dict[str, int] = field(default_factory=dict)
    wrong_ids: list[int] = field(default_factory=list)
    missing_ids: list[int] = field(default_factory=list)
    nobodys_ids: list[int] = field(default_factory=list)
    orphans: dict[str, int] = field(default_factory=dict)
    orphan_ids: dict[str, list[int]] = field(default_factory=dict)
    keys: dict[int, tuple[Any, ...]] = field(default_factory=dict)

    @property
    def missing(self) -> int:
        """Rows that load says it wrote and that are not there."""
        return self.claimed - self.explained

    @property
    def unexplained(self) -> int:
        """Rows that nothing of this run stands for; the second of two rows with one key is one."""
        return self.rows - self.explained

    @property
    def wrong(self) -> set[int]:
        """The numbers of all rows that are kept as evidence."""
        orphans = (number for numbers in self.orphan_ids.values() for number in numbers)
        return {*self.wrong_ids, *self.missing_ids, *self.nobodys_ids, *orphans}

    def key(self, number: int) -> str:
        """A wrong row's key as text."""
        return "|".join(map(str, self.keys.get(number, (number,))))

    def name(self, rows: pl.DataFrame) -> None:
        """Keep the keys of those of some rows that are wrong."""
        wanted = self.wrong - self.keys.keys()
        if wanted:
            numbers = pl.Series(numbers_of(rows, self.held.table.primary_key))
            found = numbers.is_in(list(wanted))
            named = rows.select(self.held.table.primary_key).filter(found).iter_rows()
            self.keys.update(zip(numbers.filter(found).to_list(), named, strict=True))


def read_claims(held: Held, batches: Sequence[tuple[int, Batch]]) -> Claims:
    """Load's own files for one table. The numbers are those of the specs."""
    parts: list[tuple[npt.NDArray[np.generic], ...]] = []
    rests = [pl.DataFrame(schema={"id": pl.Int64, ROW: pl.Int64, SPEC: pl.Int16})]
    key = held.table.primary_key
    for spec, batch in batches:
        frame = batch.read([ROW, REST, *{*key, *held.columns}])
        declared = frame.with_columns(pl.lit(False).alias(JUNK)).select(*_declared(held), JUNK)
        hashes = hashed(unpadded(declared, held))
        ids = numbers_of(frame, key)
        frame = frame.with_columns(pl.Series("id", ids))
        parts.append((ids, frame.get_column(ROW).to_numpy(), np.full(len(ids), spec, np.int16), hashes))
        behind = frame.filter(pl.col(REST).list.len() > 0)
        lines = behind.select("id", pl.col(REST).alias(ROW), pl.lit(spec, pl.Int16).alias(SPEC))
        rests.append(lines.explode(ROW))
    kinds = (np.int64, np.int64, np.int16, np.uint64)
    columns = [
        np.concatenate([part[n].astype(kind, copy=False) for part in parts]) if parts else np.empty(0, kind)
        for n, kind in enumerate(kinds)
    ]
    order = np.argsort(columns[0], kind="stable")
    ids, leads, specs, hashes = (column[order] for column in columns)
    doubled = int(np.count_nonzero(ids[1:] == ids[:-1]))
    return Claims(ids, leads, specs, hashes, np.zeros(len(ids), np.uint8), pl.concat(rests), doubled)


def hashed(frame: pl.DataFrame) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each row, over all its columns in order. Within one process only."""
    return frame.hash_rows(seed=20071).to_numpy()


def numbers_of(frame: pl.DataFrame, key: Sequence[str]) -> Rows:
    """A number for each row's key: the whole number that it is, NOBODY where it is empty; else 63 bits of a hash.
    Two keys with one hash would be told as rows that differ, never passed over."""
    if len(key) == 1 and frame.schema[key[0]].is_integer():
        return frame.get_column(key[0]).fill_null(NOBODY).to_numpy()
    hashes = frame.select(key).hash_rows(seed=1789).to_numpy()
    return (hashes >> np.uint64(1)).astype(np.int64)


def _declared(held: Held) -> list[pl.Expr]:
    return [pl.col(name).cast(held.table.by_name[name].type.dtype) for name in held.columns]


def compare(
    connection: sa.Connection,
    held: Held,
    claims: Claims,
    parents: Mapping[str, Rows],
    watch: Callable[[pl.DataFrame], None],
) -> tuple[TableComparison, Rows]:
    """Re-read a table once: who explains each row, is it what was loaded, do its references resolve.

    `parents` has the sorted keys of the tables referred to. `watch` is shown each chunk with the spec
    and the lead source row of every row (SPEC is NOBODY for a row nobody claims). Gives the account and
    the table's own sorted keys.
    """
    side = TableComparison(held, claimed=len(claims.ids) - claims.doubled, claimed_twice=claims.doubled)
    keys: list[Rows] = []
    own: dict[str, list[tuple[Rows, Rows]]] = {}
    for chunk in read_back(connection, held):
        ids = numbers_of(chunk, held.table.primary_key)
        at = claims.find(ids)
        known = at >= 0
        _match(side, claims, ids, at, known, hashed(chunk))
        watch(_labelled(chunk, claims, at, known))
        for name, found in _references(held, chunk, ids).items():
            parent = held.table.by_name[name].references
            if parent == held.table.name:
                own.setdefault(name, []).append(found)
            else:
                _orphans(side, name, *found, parents.get(str(parent), np.empty(0, np.int64)))
        keys.append(ids)
        side.name(chunk)
    present = np.sort(np.concatenate(keys)) if keys else np.empty(0, np.int64)
    for name, values in own.items():
        for found in values:
            _orphans(side, name, *found, present)
    side.doubled = int(np.count_nonzero(present[1:] == present[:-1]))
    there = claims.there
    side.explained = int(np.count_nonzero(there))
    side.missing_ids = claims.ids[~there][:KEPT_KEYS].tolist()
    return side, present


def _match(
    side: TableComparison, claims: Claims, ids: Rows, at: Rows, known: Flags, hashes: npt.NDArray[np.uint64]
) -> None:
    found = at[known]
    claims.seen[found] = 1
    wrong = ids[known][claims.hashes[found] != hashes[known]]
    side.rows += len(ids)
    side.differing += len(wrong)
    _keep(side.wrong_ids, wrong)
    _keep(side.nobodys_ids, ids[~known])


def _labelled(chunk: pl.DataFrame, claims: Claims, at: Rows, known: Flags) -> pl.DataFrame:
    if not len(claims.ids):
        return chunk.with_columns(pl.lit(NOBODY, pl.Int16).alias(SPEC), pl.lit(NOBODY, pl.Int64).alias(LEAD))
    specs = np.where(known, claims.specs[at], np.int16(NOBODY))
    leads = np.where(known, claims.leads[at], np.int64(NOBODY))
    return chunk.with_columns(pl.Series(SPEC, specs), pl.Series(LEAD, leads))


def _references(held: Held, chunk: pl.DataFrame, ids: Rows) -> dict[str, tuple[Rows, Rows]]:
    """For each reference column: the rows that have a value there, and those values."""
    found = {}
    for column in held.table.references:
        if column.name in held.columns:
            values = chunk.get_column(column.name)
            filled = values.is_not_null().to_numpy()
            named = chunk.select(column.name).filter(values.is_not_null())
            found[column.name] = (ids[filled], numbers_of(named, [column.name]))
    return found


def _orphans(side: TableComparison, column: str, ids: Rows, values: Rows, parent: Rows) -> None:
    lost = ids[~_among(values, parent)]
    side.orphans[column] = side.orphans.get(column, 0) + len(lost)
    _keep(side.orphan_ids.setdefault(column, []), lost)


def _among(values: Rows, ordered: Rows) -> Flags:
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    at = np.searchsorted(ordered, values)
    at[at == len(ordered)] = 0
    return np.asarray(ordered[at] == values)


def _keep(kept: list[int], more: Rows) -> None:
    kept.extend(more[: max(0, KEPT_KEYS - len(kept))].tolist())


def name_columns(
    connection: sa.Connection, side: TableComparison, batches: Sequence[tuple[int, Batch]]
) -> list[tuple[str, str, str]]:
    """A closer look at rows that differ: (primary key, legacy key, the columns). Fills `side.columns`; and where
    load's own files know the keys of other wrong rows, `side.keys`."""
    held, key = side.held, list(side.held.table.primary_key)
    for _, batch in batches if side.wrong - side.keys.keys() else ():
        side.name(batch.read(key))
    if not side.wrong_ids:
        return []
    kinds = {name: held.table.by_name[name].type.dtype for name in key}
    wrong = pl.DataFrame([side.keys[number] for number in side.wrong_ids], schema=kinds, orient="row")
    texts = read_rows(connection, held, wrong)
    now = typed(texts, held).rename(lambda name: name if name in key else f"now:{name}")
    junk = texts.select(junk_of(held)).rename(lambda name: f"junk:{name}")
    rows = (b.scan().select(KEY, *_declared(held)).join(wrong.lazy(), on=key, how="semi") for _, b in batches)
    then = unpadded(pl.concat([found.collect() for found in rows]), held)
    both = then.join(pl.concat([now, junk], how="horizontal"), on=key, how="inner").sort(key)
    others = [name for name in held.columns if name not in key]
    differs = both.select(*key, KEY, *(_differs(name, f"junk:{name}" in junk.columns) for name in others))
    side.columns = {name: int(differs.get_column(name).sum()) for name in others if differs[name].any()}
    return [
        ("|".join(str(row[name]) for name in key), row[KEY], " ".join(name for name in others if row[name]))
        for row in differs.iter_rows(named=True)
    ]


def _differs(name: str, may_be_junk: bool) -> pl.Expr:
    unequal = pl.col(name).ne_missing(pl.col(f"now:{name}"))
    return (unequal | pl.col(f"junk:{name}") if may_be_junk else unequal).alias(name)
