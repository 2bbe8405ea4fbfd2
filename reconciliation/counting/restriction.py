"""Restricted records, compared person by person: a count that happens to agree is not enough.

Which source rows are under restriction is read from the raw text of every row, doubled and rejected ones too. A
target row has to be restricted when any of the source rows behind it is, and only then; but for marks that the
target had before (they are kept) and those that a person has lowered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import polars as pl

from casebridge.project.contracts import KEY, REST, ROW
from casebridge.project.restriction import (
    BY_MERGE,
    BY_TARGET,
    RAISED,
    STAGE,
    Lowered,
    lowered_keys,
    mark_columns,
    not_restricted,
    read_lowered,
)
from casebridge.project.spec import ReadSpec, Source, TableSpec
from casebridge.project.target import Marks
from casebridge.reconciliation.counting.account_book import PLACES
from casebridge.reconciliation.counting.compare import KEPT_KEYS
from casebridge.reconciliation.counting.controls import PLACE, Setting
from casebridge.reconciliation.reading.raw_text import legacy_key, restricted


@dataclass(frozen=True)
class RestrictionAccount:
    """Restricted records of one column of a target table, by id. `kept` are those that no source row marks and
    that were restricted in the target before; `lowered` those that are marked and that a person has opened."""

    table: str
    column: str
    name: str
    query: str
    places: dict[str, int]
    expected: int
    actual: int
    opened: int
    closed: int
    kept: int
    lowered: int
    opened_ids: tuple[int | str, ...] = ()
    closed_ids: tuple[int | str, ...] = ()
    kept_ids: tuple[int | str, ...] = ()


@dataclass
class Restriction:
    """The control over restricted records."""

    setting: Setting
    _rows: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    _there: dict[tuple[str, str], list[pl.DataFrame]] = field(default_factory=dict)

    @cached_property
    def _columns(self) -> dict[Source, tuple[str, ...]]:
        """The columns with marks that the files have."""
        job = self.setting.job
        named = mark_columns(job.settings, job.target, job.specs)
        there = {s: tuple(n for n in names if n in self.setting.columns.get(s, ())) for s, names in named.items()}
        return {source: names for source, names in there.items() if names}

    def needs(self, spec: TableSpec) -> set[str]:
        """The raw marks."""
        return set(self._marks_of(spec))

    def reads_raw(self, spec: TableSpec) -> bool:
        """The files' own marks wherever they have them: a query must not lose one."""
        return self._in_the_files(spec)

    def from_source(self, spec: TableSpec, frame: pl.DataFrame) -> None:
        """Keep the restricted rows that the spec asks for."""
        is_open = not_restricted(self.setting.job.settings.systems[spec.system])
        flags = [restricted(pl.col(name), is_open) for name in self._marks_of(spec)]
        rows = frame.filter(pl.any_horizontal(flags))
        self._rows.setdefault(spec.target, []).append(rows.select(ROW, pl.col(PLACE).alias("place")))

    def wants(self, table: str) -> bool:
        """Tables that keep marks."""
        return bool(self.setting.job.target.marks(table))

    def from_target(self, table: str, chunk: pl.DataFrame) -> None:
        """Keep each row's key and whether it is restricted."""
        target = self.setting.job.target
        key = target.by_name[table].id_column
        for marks in target.marks(table):
            if marks.column in chunk.columns:
                flag = _closed(marks, pl.col(marks.column).cast(pl.String))
                found = chunk.select(pl.col(key).alias("id"), flag.alias("flag"))
                self._there.setdefault((table, marks.column), []).append(found)

    @cached_property
    def accounts(self) -> tuple[RestrictionAccount, ...]:
        """Both sides, by id."""
        return tuple(self._accounts())

    @cached_property
    def lowered(self) -> tuple[Lowered, ...]:
        """Every mark that a person has lowered."""
        return read_lowered(self.setting.job.settings)

    def _accounts(self) -> Iterator[RestrictionAccount]:
        target = self.setting.job.target
        for table in target.tables:
            specs = [spec for spec in self.setting.job.specs if spec.target == table.name]
            marked = any(source in self._columns for spec in specs for source in spec.sources)
            for marks in target.marks(table.name):
                if specs and (marks.values or marked or table.name in self._rows):
                    yield self._account(table.name, marks)

    def unread(self) -> list[str]:
        """Specs of which nobody can say, from the raw text, whose rows are restricted."""
        return [spec.name for spec in self.setting.job.specs if self._unread(spec)]

    def _unread(self, spec: TableSpec) -> bool:
        marks = self.setting.job.target.marks(spec.target)
        if not marks or any(source in self._columns for source in spec.sources):
            return False
        kept = {item.column for item in marks}
        fed = [set(column.sources) for column in spec.loaded if column.name in kept and column.sources]
        if fed:
            return not all(columns <= self.setting.given(spec) for columns in fed)
        declared = self.setting.job.settings.systems[spec.system].restriction
        return declared is None and self.setting.job.target.declares_marks

    def _in_the_files(self, spec: TableSpec) -> bool:
        return spec.sources[0] in self._columns

    def _marks_of(self, spec: TableSpec) -> tuple[str, ...]:
        """The columns with marks of what a spec is asked about: the files' own, or else what its query gives."""
        marks = self.setting.job.target.marks(spec.target)
        if not marks:
            return ()
        if self._in_the_files(spec):
            return self._columns[spec.sources[0]]
        kept = {item.column for item in marks}
        fed = {name for column in spec.loaded if column.name in kept for name in column.sources}
        return tuple(sorted(fed)) if fed <= self.setting.given(spec) else ()

    def _account(self, table: str, marks: Marks) -> RestrictionAccount:
        none = pl.DataFrame(schema={"id": self._id_type(table), "flag": pl.Boolean})
        there = pl.concat([none, *self._there.get((table, marks.column), [])])
        actual = there.filter("flag").get_column("id").unique()
        present = there.get_column("id").unique()
        lines = self._standing_for(table).filter(pl.col("id").is_in(present.implode()))
        lines = lines.join(self._marked(table), on=ROW, how="semi")
        low = lowered_keys(self.lowered)
        expected = lines.join(low, on=["system", "key"], how="anti").get_column("id").unique()
        opened_by_name = lines.get_column("id").unique()
        opened_by_name = opened_by_name.filter(~opened_by_name.is_in(expected.implode()))
        kept = self._kept(table, marks.column, present)
        kept = kept.filter(~kept.is_in(expected.implode()))
        must = pl.concat([expected, kept])
        opened = must.filter(~must.is_in(actual.implode())).sort()
        closed = actual.filter(~actual.is_in(must.implode())).sort()
        declared = len(self.setting.job.target.marks(table)) == 1
        return RestrictionAccount(
            table,
            marks.column,
            table if declared else f"{table}.{marks.column}",
            _query(table, marks),
            self._places(table),
            len(must),
            len(actual),
            len(opened),
            len(closed),
            len(kept),
            len(opened_by_name),
            tuple(opened.head(KEPT_KEYS).to_list()),
            tuple(closed.drop_nulls().head(KEPT_KEYS).to_list()),
            tuple(kept.sort().head(KEPT_KEYS).to_list()),
        )

    def _id_type(self, table: str) -> pl.DataType:
        return self.setting.job.target.by_name[table].id_type

    def _places(self, table: str) -> dict[str, int]:
        none = pl.DataFrame(schema={ROW: pl.Int64, "place": pl.UInt8})
        # Of what two specs make of a row: unexplained where one cannot say, else what is nearest to the target.
        rows = pl.concat([none, *self._rows.get(table, [])]).group_by(ROW).agg(pl.col("place").min())
        places = dict(rows.group_by("place").len().sort("place").iter_rows())
        return {PLACES[code]: int(count) for code, count in places.items()}

    def _marked(self, table: str) -> pl.DataFrame:
        """Every source row of a record that any of its rows marks."""
        found = [pl.DataFrame(schema={ROW: pl.Int64}), *(f.select(ROW) for f in self._rows.get(table, []))]
        # Of all sources: a record that was folded into one of this table may come from one that fills another.
        found += [self._of_source(source) for source in self._columns]
        return pl.concat(found).unique()

    def _of_source(self, source: Source) -> pl.DataFrame:
        if source not in self._read:
            self._read[source] = self._read_source(source, self.setting.job.reads()[source])
        return self._read[source]

    @cached_property
    def _read(self) -> dict[Source, pl.DataFrame]:
        return {}

    def _read_source(self, source: Source, read: ReadSpec) -> pl.DataFrame:
        is_open = not_restricted(self.setting.job.settings.systems[source.system])
        flag = pl.any_horizontal([restricted(pl.col(name), is_open) for name in self._columns[source]])
        key = legacy_key(read.key) if read.key else pl.lit(None, dtype=pl.String)
        raw = [
            batch.scan().select(ROW, key.alias(KEY), flag.alias("flag")).collect()
            for batch in self.setting.files.of("extract", str(source), "raw")
        ]
        rows = pl.concat(raw)
        marked = rows.filter("flag")
        keys = marked.get_column(KEY).drop_nulls().unique()
        return rows.filter(pl.col("flag") | pl.col(KEY).is_in(keys.implode()).fill_null(False)).select(ROW)

    def _kept(self, table: str, column: str, present: pl.Series) -> pl.Series:
        """The rows that were restricted in the target before, or of which a folded one was, as load has written
        down."""
        kind = self._id_type(table)
        found = [pl.Series(dtype=kind)]
        for spec in (spec for spec in self.setting.job.specs if spec.target == table):
            for batch in self.setting.files.of(STAGE, spec.name, RAISED):
                rows = batch.read(["id", "column", "cause"])
                mine = (pl.col("column") == column) & pl.col("cause").is_in([BY_TARGET, BY_MERGE])
                found.append(rows.filter(mine).get_column("id").cast(kind))
        kept = pl.concat(found).unique()
        return kept.filter(kept.is_in(present.implode()))

    def _standing_for(self, table: str) -> pl.DataFrame:
        """Every source row folded into each target row, and whose it is: `id`, `_row`, `system`, `key`."""
        key = self.setting.job.target.by_name[table].id_column
        texts = {"system": pl.String(), "key": pl.String()}
        schema = {"id": self._id_type(table), ROW: pl.Int64(), **texts}
        found = [pl.DataFrame(schema=schema)]
        for spec in (spec for spec in self.setting.job.specs if spec.target == table):
            own = pl.col(KEY).str.strip_suffix(f"#{spec.part}") if spec.part else pl.col(KEY)
            space = self.setting.spaces.get(spec.name, spec.system)
            whose = (pl.lit(space).alias("system"), own.alias("key"))
            for batch in self.setting.files.of("load", spec.name, "rows"):
                rows = batch.read([key, KEY, ROW, REST]).rename({key: "id"})
                found.append(rows.select("id", ROW, *whose))
                behind = rows.filter(pl.col(REST).list.len() > 0)
                found.append(behind.select("id", pl.col(REST).alias(ROW), *whose).explode(ROW))
        lines = pl.concat(found)
        folded = self.setting.folded.select(ROW, "survivor_row", "system", "key")
        merged = folded.join(lines.select("id", ROW), left_on="survivor_row", right_on=ROW)
        heads = lines.select("id", pl.col("system").alias("survivor_system"), pl.col("key").alias("survivor_key"))
        said = self.setting.withheld.join(heads.unique(), on=["survivor_system", "survivor_key"])
        return pl.concat([lines, merged.select(lines.columns), said.select(lines.columns)]).unique()


def _closed(marks: Marks, text: pl.Expr) -> pl.Expr:
    """Whether a value of the target restricts the record: one of the declared ones, as they are written."""
    return text.is_in(list(marks.values)).fill_null(False) if marks.values else restricted(text)


def _query(table: str, marks: Marks) -> str:
    values = ", ".join("'" + value.replace("'", "''") + "'" for value in marks.values or (marks.strictest,))
    return f"SELECT count(*) FROM {table} WHERE {marks.column} IN ({values})"  # noqa: S608 - to be read
