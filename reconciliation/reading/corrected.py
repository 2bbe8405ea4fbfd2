"""Corrections as the auditor reads them: the dump's own values, and what named persons put in their place.

Worked out from the extracted files and the lines of `corrections/`, not from what transform made of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from casebridge.project.contracts import CELL_FAULT, ROW
from casebridge.project.corrections import Correction, OfProject, read_corrections
from casebridge.project.job import Job
from casebridge.project.spec import Source
from casebridge.reconciliation.reading.raw_text import bare, legacy_key
from casebridge.reconciliation.reading.verified_files import RunFiles

Values = Mapping[str, Mapping[int, str | None]]
"""By column and row, the text that stands instead of the dump's; None for no value."""


@dataclass(frozen=True)
class Corrections:
    """The corrections of a run's rules, held against its extracted files."""

    job: Job
    files: RunFiles

    def of(self, source: Source) -> Values:
        """What is put in the place of a source's values."""
        return self._found.get(source, {})

    def columns(self, source: Source) -> set[str]:
        """The columns of a source in which something is put right."""
        return set(self.of(source))

    def into(self, frame: pl.DataFrame, source: Source) -> pl.DataFrame:
        """A frame of a source's rows with the corrections in those of its columns that have any."""
        for column, news in self.of(source).items():
            if column in frame.columns:
                mine = pl.Series([*news], dtype=pl.Int64)
                new = pl.col(ROW).replace_strict(mine, pl.Series([*news.values()], dtype=pl.String), default=None,
                                                 return_dtype=pl.String)  # fmt: skip
                is_mine = pl.col(ROW).is_in(mine.implode())
                frame = frame.with_columns(pl.when(is_mine).then(new).otherwise(pl.col(column)).alias(column))
        return frame

    @property
    def account(self) -> list[tuple[Correction, int]]:
        """Each correction, and how many values it changed."""
        rows = [row for source in dict.fromkeys(item.source for item in self._items) for row in self._rows(source)]
        counts = Counter(item for item, _ in rows)
        return [(item, counts[item]) for item in self._items]

    @cached_property
    def _items(self) -> tuple[Correction, ...]:
        return read_corrections(OfProject(self.job.settings, self.job.target, self.job.specs))

    @cached_property
    def _found(self) -> dict[Source, dict[str, dict[int, str | None]]]:
        found: dict[Source, dict[str, dict[int, str | None]]] = {}
        for source in dict.fromkeys(item.source for item in self._items):
            for item, row in self._rows(source):
                found.setdefault(source, {}).setdefault(item.column, {})[row] = item.new or None
        return found

    def _rows(self, source: Source) -> list[tuple[Correction, int]]:
        mine = [item for item in self._items if item.source == source]
        wanted = {(item.key, item.column, item.old): item for item in mine}
        keys = pl.Series([item.key for item in mine])
        key = legacy_key(self.job.reads()[source].key).alias("key")
        found = []
        for batch in self.files.of("extract", str(source), "raw"):
            scan = batch.scan()
            there = sorted({item.column for item in mine} & set(scan.collect_schema()))
            stand = [bare(pl.col(name).str.strip_prefix(CELL_FAULT)).alias(name) for name in there]
            rows = scan.with_columns(key).filter(pl.col("key").is_in(keys.implode())).select(ROW, "key", *stand)
            for row, of_row, *values in rows.collect().iter_rows():
                for name, value in zip(there, values, strict=True):
                    if item := wanted.get((of_row, name, value or "")):
                        found.append((item, row))
        return found
