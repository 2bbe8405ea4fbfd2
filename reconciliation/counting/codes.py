"""Counts by type: each coded column of the target, counted by code on both sides.

The source side translates the raw codes by the project's code lists, read here again, with their dates;
the target side counts what is there. Survivors of a merge are counted on neither side: their values
may come from any of their records, and the check of contents covers them.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import polars as pl

from casebridge.project.contracts import ROW
from casebridge.project.spec import ColumnSpec, OnFail, TableSpec
from casebridge.reconciliation.counting.compare import LEAD, SPEC
from casebridge.reconciliation.counting.controls import LOADED, Setting, computed, numbered
from casebridge.reconciliation.reading.raw_text import as_mapped, bare_text, days

FOREIGN = "(not in the code list)"
TEXTS = ("varchar", "char", "text")


@dataclass(frozen=True)
class Meaning:
    """What one legacy code means from one day to another, both included."""

    code: str
    target: str
    since: dt.date
    until: dt.date


@dataclass(frozen=True)
class CodeAccount:
    """A coded column worked out: rows by target code, as the source says and as the target has it."""

    table: str
    column: str
    lists: tuple[str, ...]
    codes: int
    source: int
    target: int
    differing: tuple[tuple[str, int, int], ...]
    note: str = ""


def read_meanings(path: Path) -> tuple[Meaning, ...]:
    """The mapped codes of a code list, those with dates first: they say more."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = [{k: bare_text(v or "") for k, v in row.items() if k} for row in csv.DictReader(file)]
    first, last = dt.date.min.isoformat(), dt.date.max.isoformat()
    meanings = [
        Meaning(
            row["legacy_code"].upper(),
            row["target_code"],
            dt.date.fromisoformat(row["valid_from"] or first),
            dt.date.fromisoformat(row["valid_to"] or last),
        )
        for row in rows
        if row["status"] != "unmapped" and row["target_code"]
    ]
    return tuple(sorted(meanings, key=lambda m: (_always(m), m.since, m.code)))


def _always(meaning: Meaning) -> bool:
    return meaning.since == dt.date.min and meaning.until == dt.date.max


def translated(code: pl.Expr, on: pl.Expr | None, meanings: tuple[Meaning, ...]) -> pl.Expr:
    """A raw code's target code, null when the list has none for it (on that day)."""
    folded = code.fill_null("").str.to_uppercase()
    windows: dict[tuple[dt.date, dt.date], dict[str, str]] = {}
    for meaning in meanings:
        windows.setdefault((meaning.since, meaning.until), {}).setdefault(meaning.code, meaning.target)
    found: list[pl.Expr] = []
    for (since, until), targets in windows.items():
        value = folded.replace_strict(targets, default=None, return_dtype=pl.String)
        always = since == dt.date.min and until == dt.date.max
        found.append(value if on is None or always else pl.when(on.is_between(since, until)).then(value))
    return pl.coalesce(*found, pl.lit(None, pl.String))


@dataclass
class Codes:
    """The control over code lists."""

    setting: Setting
    _columns: dict[tuple[str, str], list[tuple[TableSpec, ColumnSpec]]] = field(default_factory=dict)
    _unread: dict[tuple[str, str], list[TableSpec]] = field(default_factory=dict)
    _lists: dict[str, tuple[Meaning, ...]] = field(default_factory=dict)
    _source: dict[tuple[str, str], Counter[str | None]] = field(default_factory=dict)
    _target: dict[tuple[str, str], Counter[str | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for spec in self.setting.job.specs:
            for column in (column for column in spec.loaded if column.codes):
                at = (spec.target, column.name)
                self._columns.setdefault(at, []).append((spec, column))
                path = self.setting.job.folder / "codes" / f"{column.codes}.csv"
                self._lists[str(column.codes)] = read_meanings(path)
        for at in self._columns:
            self._source[at], self._target[at] = Counter(), Counter()
            self._unread[at] = [spec for spec in self.setting.job.specs if not self._readable(spec, at)]

    def needs(self, spec: TableSpec) -> set[str]:
        """The raw codes, and the dates that decide what they meant."""
        wanted: set[str] = set()
        for _, column in self._of(spec):
            wanted.update(column.sources)
            wanted.update([column.codes_at] if column.codes_at else [])
        return wanted

    def reads_raw(self, _: TableSpec) -> bool:
        """What a query computes is what has to be translated."""
        return False

    def from_source(self, spec: TableSpec, frame: pl.DataFrame) -> None:
        """Translate and count the loaded rows."""
        merged = spec.name in self.setting.register
        rows = frame.filter(pl.col(LOADED))
        if merged:
            rows = rows.filter(~pl.col(ROW).is_in(self.setting.survivors.implode()))
        for at, column in self._of(spec):
            mine = rows.filter(~pl.col(ROW).is_in(self.setting.rows_raised(*at).implode()))
            expected = self._expected(spec, column, mine)
            for code, count in expected.group_by("code").len().iter_rows():
                self._source[at][code] += count

    def wants(self, table: str) -> bool:
        """Tables with a coded column."""
        return any(name == table for name, _ in self._columns)

    def from_target(self, table: str, chunk: pl.DataFrame) -> None:
        """Count what is there."""
        numbers = numbered(self.setting.job)
        registers = [numbers[name] for name in self.setting.register]
        survivor = pl.col(SPEC).is_in(registers) & pl.col(LEAD).is_in(self.setting.survivors.implode())
        mine = chunk.filter(~survivor) if len(self.setting.survivors) else chunk
        for at in (at for at in self._columns if at[0] == table and at[1] in chunk.columns):
            others = [numbers[spec.name] for spec in self._unread[at]]
            counted = mine.filter(~pl.col(SPEC).is_in(others)) if others else mine
            counted = counted.filter(~pl.col(LEAD).is_in(self.setting.rows_raised(*at).implode()))
            code = pl.col(at[1]).cast(pl.String).alias("code")
            for value, count in counted.select(code).group_by("code").len().iter_rows():
                self._target[at][value] += count

    @cached_property
    def accounts(self) -> tuple[CodeAccount, ...]:
        """Both sides of every coded column. A code that no list knows is not shown: it could be anything."""
        return tuple(self._accounts())

    def _accounts(self) -> Iterator[CodeAccount]:
        for at in sorted(self._columns):
            source, target = self._source[at], self._target[at]
            lists = tuple(sorted({str(column.codes) for _, column in self._columns[at]}))
            known = {meaning.target for name in lists for meaning in self._lists[name]}
            wrong: Counter[str] = Counter()
            seen: Counter[str] = Counter()
            for code in source.keys() | target.keys():
                if source[code] != target[code]:
                    shown = "(empty)" if code is None else code if code in known else FOREIGN
                    wrong[shown] += source[code]
                    seen[shown] += target[code]
            differing = tuple((code, wrong[code], seen[code]) for code in sorted(wrong.keys() | seen.keys()))
            left = [spec.name for spec in self._unread[at] if spec.target == at[0]]
            note = f"rows of {', '.join(left)} are not counted here" if left else ""
            seen_in = computed(spec for spec, _ in self._columns[at] if spec.name not in left)
            note = "; ".join(filter(None, (note, seen_in)))
            codes = len({code for code in target if code is not None})
            yield CodeAccount(*at, lists, codes, source.total(), target.total(), differing, note)

    def _of(self, spec: TableSpec) -> Iterator[tuple[tuple[str, str], ColumnSpec]]:
        for at, feeds in self._columns.items():
            for feeding, column in feeds:
                if feeding == spec and self._readable(spec, at):
                    yield at, column

    def _readable(self, spec: TableSpec, at: tuple[str, str]) -> bool:
        """Whether the auditor can work out by itself what a spec puts into this column."""
        column = next((c for c in spec.loaded if c.name == at[1]), None)
        if spec.target != at[0] or column is None or not column.codes:
            return False
        return column.type.name in TEXTS and self.setting.reads(spec, column)

    def _expected(self, spec: TableSpec, column: ColumnSpec, rows: pl.DataFrame) -> pl.DataFrame:
        """What the column must hold for these rows, as `code`."""
        text = as_mapped(column)
        assert text is not None
        system = self.setting.job.settings.systems[spec.system]
        seen = rows.select(ROW, text.alias("code"))
        if column.codes_at:
            on = days(rows.get_column(column.codes_at), system.century_pivot, system.timezone)
            seen = seen.with_columns(on.alias("on"))
        value = translated(
            pl.col("code"), pl.col("on") if column.codes_at else None, self._lists[str(column.codes)]
        )
        if column.on_fail is OnFail.TRUNCATE and column.type.length:
            value = value.str.slice(0, column.type.length)
        aside = self.setting.rows_set_aside(spec, column)
        if len(aside):
            value = pl.when(~pl.col(ROW).is_in(aside.implode())).then(value)
        return seen.select(value.alias("code"))
