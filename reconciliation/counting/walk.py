"""One pass over the extracted text for each source: which rows each spec asks for, and what the controls need.

A plain spec is asked about by its `where`; the rows of a query spec are what its query gives when the auditor
runs it again. A control sees the rows that a spec asks for, with the place that they have for that spec.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl

from casebridge.project.batch import with_rows
from casebridge.project.contracts import DISPLACED, KEY, REST, ROW, ROW_VERDICTS, Verdict, empty
from casebridge.project.job import Job
from casebridge.project.spec import Source, TableSpec
from casebridge.reconciliation.counting.account_book import CODE, Book, Page, Rows
from casebridge.reconciliation.counting.controls import LOADED, PLACE, Control, Setting
from casebridge.reconciliation.counting.spec_books import SpecAccount, SpecBook
from casebridge.reconciliation.reading.corrected import Corrections
from casebridge.reconciliation.reading.query import query_rows
from casebridge.reconciliation.reading.raw_text import condition_columns, legacy_key, passes, says
from casebridge.reconciliation.reading.verified_files import RunFiles

STAGE = "reconciliation"


def by_spec(
    job: Job, files: RunFiles, book: Book, setting: Setting, controls: Sequence[Control], merged: Rows
) -> tuple[SpecAccount, ...]:
    """The account of every spec, in the order of the specs; the controls are shown their rows on the way."""
    walk = _Walk(job, files, book, setting, controls, merged)
    accounts: dict[int, SpecAccount] = {}
    for source in job.reads():
        opened = [walk.opened(n, spec) for n, spec in enumerate(job.specs) if spec.sources[0] == source]
        for lines in opened:
            if lines.spec.query is not None:
                walk.query(lines)
        walk.raw(source, opened)
        accounts.update((lines.number, lines.account()) for lines in opened)
    return tuple(accounts[number] for number in sorted(accounts))


class _Walk:
    """What every step of the walk needs."""

    def __init__(
        self, job: Job, files: RunFiles, book: Book, setting: Setting, controls: Sequence[Control], merged: Rows
    ) -> None:
        self._job, self._files, self._book = job, files, book
        self._setting, self._controls, self._merged = setting, controls, merged
        self._pages = {page.source: page for page in book.pages.values()}
        self._corrections = Corrections(job, files)

    def opened(self, number: int, spec: TableSpec) -> SpecBook:
        """A spec's lines with all that is known of their places."""
        lines = SpecBook(number, spec)
        is_register = spec.name in self._setting.register
        lines.open(self._book, self._merged if is_register else np.empty(0, np.int64))
        if spec.query is None:
            self._stopped(lines, "transform", str(spec.sources[0]))
        for stage in ("transform", "load"):
            self._stopped(lines, stage, spec.name)
        return lines

    def _stopped(self, lines: SpecBook, stage: str, name: str) -> None:
        places = [str(verdict) for verdict in ROW_VERDICTS]
        aside = [str(Verdict.SET_ASIDE), str(Verdict.TRUNCATED)]
        for batch in with_rows(self._files.of(stage, name, "quarantine")):
            rows = batch.read([KEY, ROW, REST, "verdict", "first", "rule", "column"])
            first = rows.filter(pl.col("first") & pl.col("verdict").is_in(places))
            behind = first.filter(pl.col(REST).list.len() > 0).with_columns(pl.col(REST).alias(ROW)).explode(ROW)
            lines.stopped(pl.concat([first, behind]), stage, name)
            lines.set_aside(rows.filter(pl.col("verdict").is_in(aside)).get_column(ROW).unique().to_numpy())

    def raw(self, source: Source, opened: Sequence[SpecBook]) -> None:
        """The raw text of a source, for the specs that take its rows as they are."""
        page = self._pages.get(source)
        if page is None:
            return
        wanted = {lines.number: self._wanted(lines.spec, raw=True) for lines in opened}
        for lines in opened:
            if lines.spec.query is None and not _chooses(lines.spec):
                lines.ask_all(source)
        asked = [lines for lines in opened if wanted[lines.number]]
        if not asked:
            return
        self._job.report.table(STAGE, f"{source} (controls)", page.height)
        for frame in self._frames(source, page, set().union(*wanted.values())):
            self._job.report.advance(frame.height)
            for lines in asked:
                self._show_raw(lines, source, frame)

    def _wanted(self, spec: TableSpec, *, raw: bool) -> set[str]:
        needs = [c.needs(spec) for c in self._controls if raw == self._setting.shown_raw(c, spec)]
        own = _conditions(spec, self._setting.given(spec)) if raw == (spec.query is None) else set()
        return set().union(own, *needs)

    def _frames(self, source: Source, page: Page, columns: set[str]) -> Iterator[pl.DataFrame]:
        for batch in self._files.of("extract", str(source), "raw"):
            frame = self._corrections.into(batch.read([ROW, *sorted(columns)]), source)
            yield frame.with_columns(pl.Series("_at", page.find(frame.get_column(ROW).to_numpy())))

    def _show_raw(self, lines: SpecBook, source: Source, frame: pl.DataFrame) -> None:
        if lines.spec.query is None and _chooses(lines.spec):
            frame = self._asked(lines.spec, frame)
            lines.ask(source, frame.get_column("_at").to_numpy())
        frame = frame.filter(lines.asks(source, frame.get_column("_at").to_numpy()))
        place = lines.place_of(source, frame.get_column("_at").to_numpy())
        self._show(lines.spec, frame.with_columns(pl.Series(PLACE, place)), raw=True)

    def _show(self, spec: TableSpec, frame: pl.DataFrame, *, raw: bool) -> None:
        seen = frame.with_columns((pl.col(PLACE) == CODE["loaded"]).alias(LOADED))
        for control in self._controls:
            if raw == self._setting.shown_raw(control, spec) and control.needs(spec):
                control.from_source(spec, seen)

    def query(self, lines: SpecBook) -> None:
        """The rows of a query spec, from the query itself."""
        spec = lines.spec
        columns = self._wanted(spec, raw=False) & self._setting.given(spec) | set(spec.key)
        self._job.report.table(STAGE, f"{spec.name} (query)", None)
        for frame in query_rows(self._job, self._files, spec, columns):
            self._job.report.advance(frame.height)
            asked = self._asked(spec, frame)
            rows = asked.get_column(ROW)
            lines.ask_rows(rows.to_numpy())
            if REST in asked.columns:
                lines.ask_rows(asked.get_column(REST).explode().drop_nulls().cast(pl.Int64).to_numpy())
            page = self._pages[spec.sources[0]]
            at = page.find(rows.to_numpy())
            place = pl.Series(PLACE, np.where(at >= 0, lines.place_of(page.source, at), CODE["unexplained"]))
            asked = asked.with_columns(place.cast(pl.UInt8))
            self._show(spec, _each_by_its_key(asked, lines), raw=False)

    def _asked(self, spec: TableSpec, frame: pl.DataFrame) -> pl.DataFrame:
        """The rows of a frame that the spec asks for."""
        if spec.where is not None:
            frame = frame.filter(passes(frame, spec.where))
        if spec.said:
            frame = frame.filter(says(spec.said))
        if spec.merged_only:
            folded = self._setting.folded_of(spec).get_column("key")
            rows = [batch.read() for batch in self._files.of("dedupe", "crosswalk", "displaced")]
            displaced = pl.concat([empty(DISPLACED), *rows]).filter(pl.col("spec") == spec.name).get_column(KEY)
            frame = frame.filter(legacy_key(spec.key).is_in(pl.concat([folded, displaced]).implode()))
        return frame


def _each_by_its_key(frame: pl.DataFrame, lines: SpecBook) -> pl.DataFrame:
    """A source row may lead several rows of a query: one that was stopped does not count as loaded for the
    others' sake."""
    if not lines.stopped_keys or not frame.get_column(ROW).is_duplicated().any():
        return frame
    key = legacy_key(lines.spec.key, lines.spec.part)
    stopped = key.is_in(pl.Series(sorted(lines.stopped_keys)).implode()) & (pl.col(PLACE) == CODE["loaded"])
    return frame.with_columns(pl.when(stopped).then(CODE["rejected"]).otherwise(pl.col(PLACE)).alias(PLACE))


def _chooses(spec: TableSpec) -> bool:
    return spec.where is not None or spec.merged_only or bool(spec.said)


def _conditions(spec: TableSpec, given: Iterable[str]) -> set[str]:
    """The columns that decide whether a spec asks for a row; its key where there is a choice at all."""
    named = set() if spec.where is None else condition_columns(spec.where, given)
    named |= {name for column in spec.said for name in column.written}
    return named | (set(spec.key) if _chooses(spec) else set())
