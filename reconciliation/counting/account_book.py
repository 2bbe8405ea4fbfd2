"""The account book: for each source table a page with one line for each row that was extracted.

Row numbers of a source lie side by side, so a page is a handful of small arrays and sixteen million
rows fit in a few dozen megabytes. Nothing here asks a stage how many rows there were: the lines are
those of the extracted files, read again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from casebridge.project.contracts import ROW, SOURCE_SHIFT, Place
from casebridge.project.job import Job
from casebridge.project.spec import Source
from casebridge.reconciliation.reading.verified_files import RunFiles

Rows = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

UNEXPLAINED = "unexplained"
PARENT = "parent"
"""The cause of a row that took the place of the one it belongs to."""
PLACES: tuple[str, ...] = (UNEXPLAINED, *(str(place) for place in Place))
CODE: Mapping[str, int] = {name: code for code, name in enumerate(PLACES)}


@dataclass(frozen=True)
class Cause:
    """Why a row did not get through: the stage and table that said so, the rule, the column."""

    stage: str
    table: str
    place: str
    rule: str
    column: str


NO_CAUSE = Cause("", "", "", "", "")


@dataclass
class Page:
    """One source's rows. `rows` is None when they are numbered without a gap from `first`."""

    source: Source
    first: int
    height: int
    rows: Rows | None
    doubled: int
    place: npt.NDArray[np.uint8]
    cause: npt.NDArray[np.int32]
    unreadable: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    loaded_by: dict[int, Flags] = field(default_factory=dict)
    combined_by: dict[int, Flags] = field(default_factory=dict)

    @property
    def readable(self) -> Flags:
        """Which lines are records, and not lines that nobody could read."""
        flags = np.ones(self.height, np.bool_)
        flags[self.find(self.unreadable)] = False
        return flags

    def find(self, rows: Rows) -> Rows:
        """Each row's line on this page, -1 when it is not one of this source's rows."""
        if self.rows is None:
            at = rows - self.first
            return np.where((at >= 0) & (at < self.height), at, -1)
        at = np.searchsorted(self.rows, rows)
        at[at == self.height] = 0
        return np.where(self.rows[at] == rows, at, -1) if self.height else np.full(len(rows), -1)

    def count(self) -> dict[str, int]:
        """How many rows ended in each place."""
        counts = np.bincount(self.place, minlength=len(PLACES))
        return {name: int(counts[code]) for code, name in enumerate(PLACES)}


def page_of(source: Source, rows: Rows) -> Page:
    """A page on which no row has a place yet."""
    rows = np.sort(rows)
    doubled = int(np.count_nonzero(rows[1:] == rows[:-1]))
    if doubled:
        rows = np.unique(rows)
    height = len(rows)
    first = int(rows[0]) if height else 0
    dense = height == 0 or int(rows[-1]) - first + 1 == height
    place, cause = np.zeros(height, np.uint8), np.zeros(height, np.int32)
    return Page(source, first, height, None if dense else rows, doubled, place, cause)


@dataclass
class Book:
    """All pages, by source number, and the causes they point at."""

    pages: dict[int, Page]
    causes: list[Cause] = field(default_factory=lambda: [NO_CAUSE])
    parents: list[pl.DataFrame] = field(default_factory=list)
    strangers: int = 0
    _numbers: dict[Cause, int] = field(default_factory=dict)

    def loaded(self, rows: Rows, spec: int, *, decides: bool) -> None:
        """Target rows of a spec stand for these source rows. A spec that only adds a further part of a row
        does not decide the row's place: a telephone number that arrived is no proof of the person."""
        for page, _, at in self._lines(rows):
            if decides:
                page.place[at] = CODE[Place.LOADED]
            page.loaded_by.setdefault(spec, np.zeros(page.height, np.bool_))[at] = True

    def combined(self, rows: Rows, spec: int, *, decides: bool) -> None:
        """These rows became part of a target row that another row leads."""
        for page, _, at in self._lines(rows):
            if decides:
                free = at[page.place[at] == 0]
                page.place[free] = CODE[Place.COMBINED]
            page.combined_by.setdefault(spec, np.zeros(page.height, np.bool_))[at] = True

    def merged(self, rows: Rows) -> None:
        """A human decision folded these persons into survivors that are there."""
        for page, _, at in self._lines(rows):
            page.place[at] = CODE[Place.MERGED]

    def stopped(self, frame: pl.DataFrame, stage: str, table: str) -> None:
        """The first cause a stage gives for rows that have no place yet.

        `frame` has `_row`, verdict, rule, column, parent.
        """
        keys = ["verdict", "rule", "column"]
        for (verdict, rule, column), group in frame.group_by(keys, maintain_order=True):
            cause = Cause(stage, table, str(verdict), str(rule or ""), str(column or ""))
            for page, rows, at in self._lines(group.get_column(ROW).to_numpy()):
                free = page.place[at] == 0
                page.place[at[free]] = CODE[cause.place]
                page.cause[at[free]] = self._number(cause)
                # What an orphan points at was never read as a key: it may be anything that was typed there.
                if cause.rule == PARENT:
                    named = group.filter(pl.col("parent").is_not_null())
                    first = pl.DataFrame({ROW: rows[free]})
                    self.parents.append(named.select(ROW, "parent").join(first, on=ROW, how="semi"))

    def totals(self) -> dict[str, int]:
        """Places of all rows of all sources."""
        sums = dict.fromkeys(PLACES, 0)
        for page in self.pages.values():
            for name, rows in page.count().items():
                sums[name] += rows
        return sums

    def _number(self, cause: Cause) -> int:
        if cause not in self._numbers:
            self._numbers[cause] = len(self.causes)
            self.causes.append(cause)
        return self._numbers[cause]

    def _lines(self, rows: Rows) -> Iterator[tuple[Page, Rows, Rows]]:
        """The pages these rows stand on: page, the rows, their lines. Counts rows of no page."""
        numbers = rows >> SOURCE_SHIFT
        for number in np.unique(numbers):
            mine = rows[numbers == number]
            page = self.pages.get(int(number))
            at = page.find(mine) if page else np.full(len(mine), -1)
            known = at >= 0
            self.strangers += int(np.count_nonzero(~known))
            if page:
                yield page, mine[known], at[known]


def open_book(job: Job, files: RunFiles) -> Book:
    """One line for each extracted row, readable or not."""
    numbers = {source: number for number, source in job.ledger.sources().items()}
    pages = {}
    for unseen, source in enumerate(job.reads(), start=1):
        raw, unreadable = (_rows(files, source, kind) for kind in ("raw", "unreadable"))
        page = page_of(source, np.concatenate([raw, unreadable]))
        page.unreadable = unreadable
        pages[numbers.get(source, -unseen)] = page
    return Book(pages)


def _rows(files: RunFiles, source: Source, kind: str) -> Rows:
    # Each is opened, whatever the ledger says that it holds: what is not counted here is missed by nobody.
    rows = [batch.read([ROW]).get_column(ROW).to_numpy() for batch in files.of("extract", str(source), kind)]
    return np.concatenate(rows) if rows else np.empty(0, np.int64)
