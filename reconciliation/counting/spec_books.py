"""The second level of the books: for each spec, where the rows went that it asked for.

A source row that one spec loads counts as loaded, whatever became of the other rows that were to be made of it.
So each spec has lines of its own: *asked* are the rows that pass its `where`, or that its query gives, found
again from the extracted files; their places come from the target and from what stands in the quarantines.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from casebridge.project.contracts import KEY, ROW, Place
from casebridge.project.spec import Source, TableSpec
from casebridge.reconciliation.counting.account_book import (
    CODE,
    NO_CAUSE,
    PLACES,
    UNEXPLAINED,
    Book,
    Cause,
    Flags,
    Page,
    Rows,
)

Codes = npt.NDArray[np.uint8]
ARRIVED = (Place.LOADED, Place.MERGED, Place.COMBINED)


@dataclass(frozen=True)
class SpecAccount:
    """One spec's account. `not_asked` are readable rows of its sources that it leaves to others, among them
    those in which the part that it makes is empty; `strays` are rows it loaded without having asked for them;
    `aside` are asked rows with a value set aside or cut. `causes` say why rows did not arrive."""

    spec: TableSpec
    asked: int
    places: dict[str, int]
    not_asked: int
    strays: int
    aside: int
    causes: tuple[tuple[Cause, int], ...]

    @property
    def unexplained(self) -> int:
        """Rows that were asked for and that nobody can place."""
        return self.places[UNEXPLAINED]

    @property
    def arrived(self) -> int:
        """Rows that stand in the target, by themselves or as part of another."""
        return sum(self.places[place] for place in ARRIVED)


@dataclass
class _Lines:
    """One spec's lines on one page."""

    page: Page
    place: Codes
    cause: npt.NDArray[np.int32]
    asked: Flags
    aside: Flags


@dataclass
class SpecBook:
    """One spec's lines on the pages of all its sources, while they are being filled in."""

    number: int
    spec: TableSpec
    stopped_keys: set[str] = field(default_factory=set)
    _lines: dict[Source, _Lines] = field(default_factory=dict)
    _causes: list[Cause] = field(default_factory=lambda: [NO_CAUSE])

    def open(self, book: Book, merged: Rows) -> None:
        """Lines with what the target shows: loaded, combined, and merged (`merged`, sorted or not)."""
        for page in book.pages.values():
            if page.source not in self.spec.sources:
                continue
            place = np.zeros(page.height, np.uint8)
            for flags, name in ((page.combined_by, Place.COMBINED), (page.loaded_by, Place.LOADED)):
                if self.number in flags:
                    place[flags[self.number]] = CODE[name]
            at = page.find(merged)
            place[at[at >= 0]] = CODE[Place.MERGED]
            none = np.zeros(page.height, np.bool_)
            self._lines[page.source] = _Lines(page, place, np.zeros(page.height, np.int32), none, none.copy())

    def stopped(self, frame: pl.DataFrame, stage: str, table: str) -> None:
        """The first cause that a stage gives for rows without a place. `frame` has `_row`, `_key`, verdict, rule,
        column."""
        for (verdict, rule, column), group in frame.group_by("verdict", "rule", "column", maintain_order=True):
            cause = Cause(stage, table, str(verdict), str(rule or ""), str(column or ""))
            self._causes.append(cause)
            for lines, at in self._at(group.get_column(ROW).to_numpy()):
                free = at[lines.place[at] == 0]
                lines.place[free] = CODE[cause.place]
                lines.cause[free] = len(self._causes) - 1
        if self.spec.query is not None:
            self.stopped_keys.update(frame.get_column(KEY).drop_nulls().to_list())

    def set_aside(self, rows: Rows) -> None:
        """Rows with a value that was set aside or cut."""
        for lines, at in self._at(rows):
            lines.aside[at] = True

    def ask(self, source: Source, at: Rows) -> None:
        """The spec asks for these lines of a source's page."""
        self._lines[source].asked[at] = True

    def ask_rows(self, rows: Rows) -> None:
        """The spec asks for these rows, of whichever of its sources."""
        for lines, at in self._at(rows):
            lines.asked[at] = True

    def ask_all(self, source: Source) -> None:
        """The spec asks for every row of a source that could be read."""
        lines = self._lines[source]
        lines.asked[:] = lines.page.readable

    def asks(self, source: Source, at: Rows) -> Flags:
        """Whether the spec asks for these lines of a source's page."""
        return self._lines[source].asked[at]

    def place_of(self, source: Source, at: Rows) -> Codes:
        """The places of lines of a source's page, for this spec."""
        return self._lines[source].place[at]

    def account(self) -> SpecAccount:
        """The lines added up."""
        places = dict.fromkeys(PLACES, 0)
        causes: Counter[Cause] = Counter()
        asked = not_asked = strays = aside = 0
        for source, lines in self._lines.items():
            counts = np.bincount(lines.place[lines.asked], minlength=len(PLACES))
            for code, name in enumerate(PLACES):
                places[name] += int(counts[code])
            mine = int(np.count_nonzero(lines.asked))
            asked += mine
            if mine or source == self.spec.sources[0]:
                not_asked += int(np.count_nonzero(lines.page.readable & ~lines.asked))
            there = np.isin(lines.place, [CODE[Place.LOADED], CODE[Place.COMBINED]])
            strays += int(np.count_nonzero(there & ~lines.asked))
            aside += int(np.count_nonzero(lines.aside & lines.asked))
            numbers = np.bincount(lines.cause[lines.asked], minlength=len(self._causes))
            for number, cause in enumerate(self._causes):
                if number and numbers[number]:
                    causes[cause] += int(numbers[number])
        return SpecAccount(self.spec, asked, places, not_asked, strays, aside, tuple(causes.items()))

    def _at(self, rows: Rows) -> list[tuple[_Lines, Rows]]:
        found = []
        for lines in self._lines.values():
            at = lines.page.find(rows)
            found.append((lines, at[at >= 0]))
        return found
