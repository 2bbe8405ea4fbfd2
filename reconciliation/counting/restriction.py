"""Restricted records, compared person by person: a count that happens to agree is not enough.

Which source rows are under restriction is read from the raw text. A target row has to be restricted
when any of the source rows folded into it is, and only then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from casebridge.project.contracts import REST, ROW
from casebridge.project.spec import ColumnSpec, TableSpec
from casebridge.reconciliation.counting.account_book import PLACES
from casebridge.reconciliation.counting.compare import KEPT_KEYS
from casebridge.reconciliation.counting.controls import PLACE, Setting
from casebridge.reconciliation.reading.raw_text import restricted

COLUMN = "restricted"


@dataclass(frozen=True)
class RestrictionAccount:
    """Restricted records of one target table, by id."""

    table: str
    places: dict[str, int]
    expected: int
    actual: int
    opened: int
    closed: int
    opened_ids: tuple[int, ...] = ()
    closed_ids: tuple[int, ...] = ()


@dataclass
class Restriction:
    """The control over restricted records."""

    setting: Setting
    _rows: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    _there: dict[str, list[pl.DataFrame]] = field(default_factory=dict)

    def needs(self, spec: TableSpec) -> set[str]:
        """The raw flag."""
        column = flag_of(spec)
        return set(column.sources) if column and self._seen(spec, column) else set()

    def reads_raw(self, spec: TableSpec) -> bool:
        """The files' own marks wherever they have them: a query must not lose one."""
        column = flag_of(spec)
        return column is not None and self._in_the_files(spec, column)

    def from_source(self, spec: TableSpec, frame: pl.DataFrame) -> None:
        """Keep the restricted rows."""
        column = flag_of(spec)
        if column is None:
            return
        flags = [restricted(pl.col(name)) for name in column.sources]
        rows = frame.filter(pl.any_horizontal(flags))
        kept = rows.select(ROW, pl.col(PLACE).alias("place"))
        self._rows.setdefault(spec.target, []).append(kept)

    def wants(self, table: str) -> bool:
        """Tables with a restricted flag."""
        return COLUMN in self.setting.job.target.by_name[table].by_name

    def from_target(self, table: str, chunk: pl.DataFrame) -> None:
        """Keep each row's key and whether it is restricted."""
        key = self.setting.job.target.by_name[table].primary_key
        if COLUMN in chunk.columns:
            flag = restricted(pl.col(COLUMN).cast(pl.String))
            self._there.setdefault(table, []).append(chunk.select(pl.col(key).alias("id"), flag.alias("flag")))

    @cached_property
    def accounts(self) -> tuple[RestrictionAccount, ...]:
        """Both sides, by id."""
        return tuple(self._accounts())

    def _accounts(self) -> Iterator[RestrictionAccount]:
        for table in self.setting.job.target.tables:
            if self.wants(table.name) and table.name in self._rows:
                yield self._account(table.name)

    def unread(self) -> list[str]:
        """Specs that fill a restricted flag from something the raw text does not show."""
        flags = ((spec, flag_of(spec)) for spec in self.setting.job.specs)
        return [spec.name for spec, column in flags if column and not self._seen(spec, column)]

    def _in_the_files(self, spec: TableSpec, column: ColumnSpec) -> bool:
        return set(column.sources) <= self.setting.columns.get(spec.sources[0], frozenset())

    def _seen(self, spec: TableSpec, column: ColumnSpec) -> bool:
        return self._in_the_files(spec, column) or set(column.sources) <= self.setting.given(spec)

    def _account(self, table: str) -> RestrictionAccount:
        none = pl.DataFrame(schema={"id": pl.Int64, "flag": pl.Boolean})
        there = pl.concat([none, *self._there.get(table, [])])
        rows = pl.concat(self._rows[table]).unique(ROW)
        wanted = self._standing_for(table).join(rows, on=ROW, how="semi").get_column("id").unique()
        actual = there.filter("flag").get_column("id").unique()
        present = there.get_column("id").unique()
        expected = wanted.filter(wanted.is_in(present.implode()))
        opened = expected.filter(~expected.is_in(actual.implode())).sort()
        closed = actual.filter(~actual.is_in(expected.implode())).sort()
        places = dict(rows.group_by("place").len().sort("place").iter_rows())
        return RestrictionAccount(
            table,
            {PLACES[code]: int(count) for code, count in places.items()},
            len(expected),
            len(actual),
            len(opened),
            len(closed),
            tuple(opened.head(KEPT_KEYS).to_list()),
            tuple(closed.drop_nulls().head(KEPT_KEYS).to_list()),
        )

    def _standing_for(self, table: str) -> pl.DataFrame:
        """Every source row folded into each target row: `id`, `_row`."""
        key = self.setting.job.target.by_name[table].primary_key
        found = [pl.DataFrame(schema={"id": pl.Int64, ROW: pl.Int64})]
        for spec in (spec for spec in self.setting.job.specs if spec.target == table):
            for batch in self.setting.files.of("load", spec.name, "rows"):
                rows = batch.read([key, ROW, REST]).rename({key: "id"})
                found.append(rows.select("id", ROW))
                found.append(
                    rows.filter(pl.col(REST).list.len() > 0).select("id", pl.col(REST).alias(ROW)).explode(ROW)
                )
        lines = pl.concat(found)
        folded = self.setting.folded.select(ROW, "survivor_row")
        merged = folded.join(lines, left_on="survivor_row", right_on=ROW, how="inner").select("id", ROW)
        return pl.concat([lines, merged]).unique()


def flag_of(spec: TableSpec) -> ColumnSpec | None:
    """The column of a spec that feeds the target's restricted flag, when it comes from the source."""
    return next((c for c in spec.loaded if c.name == COLUMN and c.sources), None)
