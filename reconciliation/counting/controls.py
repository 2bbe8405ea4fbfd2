"""What every control needs: a thing counted on both sides of the books, each side on its own.

A control is shown the raw text of the source rows and the rows re-read from the target, and says
where the two differ. To add one: a class like these, and its name in `recount.CONTROLS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import polars as pl

from casebridge.project.batch import with_rows
from casebridge.project.contracts import ROW, Verdict, empty
from casebridge.project.job import Job
from casebridge.project.restriction import RAISED
from casebridge.project.restriction import STAGE as RESTRICTION
from casebridge.project.spec import ColumnSpec, Source, TableSpec
from casebridge.reconciliation.reading.raw_text import as_mapped
from casebridge.reconciliation.reading.verified_files import RunFiles

LOADED, PLACE = "_loaded", "_place"


@dataclass(frozen=True)
class Setting:
    """What the controls may know of the run: its specs, its sound files, which records were merged, which rows did
    not come through of a record that did (CROSSWALK), and what `system` is there for each register's spec."""

    job: Job
    files: RunFiles
    folded: pl.DataFrame
    survivors: pl.Series
    register: frozenset[str]
    columns: Mapping[Source, frozenset[str]]
    queries: Mapping[str, frozenset[str]]
    withheld: pl.DataFrame
    spaces: Mapping[str, str]
    _aside: dict[str, pl.DataFrame] = field(default_factory=dict)

    def folded_of(self, spec: TableSpec) -> pl.DataFrame:
        """The merged records that a register's spec has, or one that keeps the names of such."""
        same = (other.name for other in self.job.specs if spec.merged_only and other.sources == spec.sources)
        space = next((self.spaces[name] for name in (spec.name, *same) if name in self.spaces), spec.system)
        return self.folded.filter(pl.col("system") == space)

    def reads(self, spec: TableSpec, column: ColumnSpec) -> bool:
        """Whether the auditor can work out from the raw text alone what a spec puts into a column."""
        wanted = {*column.sources, *([column.codes_at] if column.codes_at else [])}
        seen = wanted <= self.given(spec)
        return bool(column.sources) and seen and as_mapped(column) is not None

    def given(self, spec: TableSpec) -> frozenset[str]:
        """The columns a spec has to go by: its query's, or those of its source."""
        if spec.query is not None:
            return self.queries.get(spec.name, frozenset())
        return self.columns.get(spec.sources[0], frozenset())

    def shown_raw(self, control: Control, spec: TableSpec) -> bool:
        """Whether a control is shown a spec's rows as the files have them, not as its query gives them."""
        return spec.query is None or control.reads_raw(spec)

    def set_aside(self, spec: TableSpec) -> pl.DataFrame:
        """The values of a table that were set aside: `_row`, column. They are empty in the target."""
        if spec.name not in self._aside:
            found = [empty({ROW: pl.Int64(), "column": pl.String()})]
            for stage in ("transform", "load"):
                for batch in with_rows(self.files.of(stage, spec.name, "quarantine")):
                    rows = batch.scan().filter(pl.col("verdict") == str(Verdict.SET_ASIDE))
                    found.append(rows.select(ROW, "column").collect())
            self._aside[spec.name] = pl.concat(found).unique()
        return self._aside[spec.name]

    def rows_raised(self, table: str, column: str) -> pl.Series:
        """The source rows whose mark of restriction load raised or lowered: it is held to account by id."""
        found = [pl.Series(ROW, [], dtype=pl.Int64)]
        for spec in (spec for spec in self.job.specs if spec.target == table):
            for batch in with_rows(self.files.of(RESTRICTION, spec.name, RAISED)):
                found.append(batch.read([ROW, "column"]).filter(pl.col("column") == column).get_column(ROW))
        return pl.concat(found)

    def rows_set_aside(self, spec: TableSpec, column: ColumnSpec) -> pl.Series:
        """The source rows whose value of one column was set aside."""
        names = [column.name, *column.sources]
        return self.set_aside(spec).filter(pl.col("column").is_in(names)).get_column(ROW)


class Control(Protocol):
    """One control over all tables of a run."""

    def needs(self, spec: TableSpec) -> set[str]:
        """The source columns it wants to see of this spec's rows; none when it has no interest."""

    def reads_raw(self, spec: TableSpec) -> bool:
        """Whether it reads the raw text of a query spec's first source, not what the query gives."""

    def from_source(self, spec: TableSpec, frame: pl.DataFrame) -> None:
        """Rows that a spec asks for: `_row`, the wanted columns as text, `_place` (of this spec's own account)
        and `_loaded` (a target row that is there stands for it)."""

    def wants(self, table: str) -> bool:
        """Whether it wants to see a target table."""

    def from_target(self, table: str, chunk: pl.DataFrame) -> None:
        """Rows re-read from the target, in their types, with `_spec` and `_lead` (-1: nobody's)."""


def masked(key: pl.Expr, known: pl.Series, otherwise: str) -> pl.Expr:
    """A key that we gave out or read as a key; anything else could be anything, and is not shown."""
    return pl.when(key.is_null() | key.is_in(known.implode())).then(key).otherwise(pl.lit(otherwise))


def numbered(job: Job) -> Mapping[str, int]:
    """The number of each spec on the claims."""
    return {spec.name: number for number, spec in enumerate(job.specs)}


def computed(specs: Iterable[TableSpec]) -> str:
    """A note for a control whose source side is what a query gives: the query may have computed it."""
    names = [spec.name for spec in specs if spec.query is not None]
    return f"as the query of {', '.join(names)} gives it" if names else ""
