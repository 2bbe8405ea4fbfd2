"""One legacy table on its way to disk: its columns as text, and what will become of each row.

A row carries at most one defect that decides its place, so that the first cause is never in doubt.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from synthetic.formats import overwrite, quoted
from synthetic.names import Ints
from synthetic.verdicts import (
    BROKEN_QUOTE,
    DUPLICATE_KEY,
    LOADED,
    NUL,
    RAGGED,
    UNDECODABLE,
    Mask,
    Verdicts,
)
from synthetic.writer import Writer

SAMPLE: Final = 2000
Settle = Callable[[Verdicts], Verdicts]


@dataclass(slots=True)
class Sheet:
    source: str
    columns: dict[str, pl.Series]
    key: tuple[str, ...]
    rng: np.random.Generator
    soft: str  # the column that a torn line, a NUL or a stray byte lands in
    free: tuple[str, ...] = ()  # columns that may hold commas, quotes and newlines
    least: int = 0  # defects of each kind a chunk must show, however small the council
    verdict: Verdicts = field(init=False)
    touched: Mask = field(init=False)
    values: list[tuple[str, str, Ints]] = field(default_factory=list)
    repaired: dict[str, pl.Series] = field(default_factory=dict)  # how these columns must arrive

    def __post_init__(self) -> None:
        self.verdict = np.zeros(len(self), dtype=np.uint8)
        self.touched = np.zeros(len(self), dtype=np.bool_)

    def __len__(self) -> int:
        return len(self.columns[self.key[0]])

    def pick(self, rate: float, among: Mask | None = None) -> Ints:
        """Rows for one more defect: about `rate` of the table, never a row that has one already."""
        free = np.flatnonzero(~self.touched if among is None else among & ~self.touched)
        wanted = min(len(free), max(self.least, self.rng.poisson(rate * len(self))))
        rows = np.sort(self.rng.choice(free, wanted, replace=False)) if wanted else free[:0]
        self.touched[rows] = True
        return rows

    def spoil(self, rows: Ints, column: str, texts: list[str] | pl.Series) -> None:
        self.columns[column] = overwrite(self.columns[column], rows, texts)

    def reject(self, rows: Ints, verdict: int) -> None:
        self.verdict[rows] = verdict
        self.touched[rows] = True

    def set_aside(self, rows: Ints, column: str, rule: str) -> None:
        """The value is put beside, the row travels on."""
        self.values.append((column, rule, rows))

    def drawn(self, rows: Ints, texts: tuple[str, ...]) -> list[str]:
        return [texts[at] for at in self.rng.integers(0, len(texts), len(rows))]


@dataclass(slots=True)
class Page:
    """The rows of one chunk in file order: `row` says which row of the sheet a line came from."""

    frame: pl.DataFrame
    row: Ints
    again: Mask  # a second row with a key that already stands above
    unread: Verdicts
    torn: Mask  # cut in two by a stray line end: two unreadable lines


def finish(
    sheet: Sheet, writer: Writer, settle: Settle, *, order: Ints | None = None, breakable: Mask | None = None
) -> Verdicts:
    """Double some keys, spoil some lines, settle every row's place and write it all down."""
    page = _arrange(sheet, np.arange(len(sheet)) if order is None else order)
    _spoil_lines(sheet, page, np.ones(len(sheet), dtype=np.bool_) if breakable is None else breakable)
    own = sheet.verdict.copy()
    hit = page.unread > 0
    own[page.row[hit]] = page.unread[hit]
    final = settle(own)
    shown = np.where(page.again, np.uint8(DUPLICATE_KEY), final[page.row])
    lines = writer.append(sheet.source, page.frame, page.torn, sheet.free)
    keys = _keys(sheet).gather(page.row)
    writer.account(sheet.source, lines, keys, shown, page.torn)
    first = np.zeros(len(sheet), dtype=np.int64)
    first[page.row[~page.again]] = lines[~page.again]
    for column, rule, rows in sheet.values:
        kept = rows[final[rows] == LOADED]
        writer.set_aside(sheet.source, first[kept], column, rule)
    _write_repaired(sheet, writer, first, final)
    return final


def _write_repaired(sheet: Sheet, writer: Writer, first: Ints, final: Verdicts) -> None:
    """A sample is enough: the first rows that load and carry no defect."""
    if sheet.least:
        rows = np.flatnonzero((final == LOADED) & ~sheet.touched)[:SAMPLE]
        for column, texts in sheet.repaired.items():
            writer.repaired(sheet.source, first[rows], column, texts.gather(rows))


def _keys(sheet: Sheet) -> pl.Series:
    frame = pl.DataFrame([sheet.columns[name].alias(name) for name in sheet.key])
    return frame.select(pl.concat_str(pl.all(), separator="|").alias("key")).to_series()


def _arrange(sheet: Sheet, order: Ints) -> Page:
    """File order, with a few rows once more further down: the export was restarted there."""
    doubled = sheet.pick(8e-5)
    place = np.empty(len(sheet), dtype=np.float64)
    place[order] = np.arange(len(order))
    row = np.concatenate([order, doubled])
    at = np.concatenate([place[order], place[doubled] + sheet.rng.integers(1, 400, len(doubled)) + 0.5])
    sequence = np.argsort(at, kind="stable")
    again = (np.arange(len(row)) >= len(order))[sequence]
    row = row[sequence]
    frame = pl.DataFrame([texts.alias(name) for name, texts in sheet.columns.items()])[row]
    frame = frame.with_columns([quoted(name) for name in sheet.free])
    nothing = np.zeros(len(row), dtype=np.uint8)
    return Page(frame, row, again, nothing, nothing.astype(np.bool_))


def _spoil_lines(sheet: Sheet, page: Page, breakable: Mask) -> None:
    """Lines no reader can make sense of: too many fields, torn in two, NULs, bytes CP1252 does not have."""
    quotes = _with_quotes(page.frame, sheet.free)
    clean = (breakable & ~sheet.touched)[page.row] & ~quotes
    rates = ((RAGGED, 1.2e-4), (UNDECODABLE, 5e-5), (NUL, 3e-5), (BROKEN_QUOTE, 5e-5))
    for kind, rate in rates:
        if kind == BROKEN_QUOTE and not sheet.free:
            continue
        able = np.flatnonzero(clean & (page.unread == 0))
        if kind == BROKEN_QUOTE:
            able = _safely_broken(page.frame, able, quotes)
        wanted = min(len(able), max(sheet.least, sheet.rng.poisson(rate * len(clean))))
        lines = np.sort(sheet.rng.choice(able, wanted, replace=False)) if wanted else able[:0]
        page.unread[lines] = kind
        _damage(sheet, page, lines, kind)


def _damage(sheet: Sheet, page: Page, lines: Ints, kind: int) -> None:
    names = page.frame.columns
    if kind == RAGGED:
        half = len(lines) // 2
        _edit(page, lines[:half], names[-1], lambda text: f"{text},0")
        middle = names[len(names) // 2]  # never the first or the last: then one of the halves would be whole
        _edit(page, lines[half:], middle, lambda text: f"{text[:2]}\r\n{text[2:]}")
        page.torn[lines[half:]] = True
    elif kind == UNDECODABLE:
        _edit(page, lines, sheet.soft, lambda text: f"{text[:3]}\x8d{text[3:]}")
    elif kind == NUL:
        _edit(page, lines, sheet.soft, lambda text: f"{text[:3]}\x00{text[3:]}")
    else:
        _edit(page, lines, sheet.soft, lambda text: f'"x{text}')


def _edit(page: Page, lines: Ints, column: str, change: Callable[[str], str]) -> None:
    texts = page.frame[column]
    new = [change(text) for text in texts.gather(lines).to_list()]
    page.frame = page.frame.with_columns(overwrite(texts, lines, new).alias(column))


def _with_quotes(frame: pl.DataFrame, free: tuple[str, ...]) -> Mask:
    if not free:
        return np.zeros(len(frame), dtype=np.bool_)
    marks = frame.select(pl.any_horizontal(pl.col(name).str.contains('"', literal=True) for name in free))
    return marks.to_series().to_numpy()


def _safely_broken(frame: pl.DataFrame, able: Ints, quotes: Mask) -> Ints:
    """Lines where an unclosed quote cannot find a partner: the next quote in the file must not look closing.

    Only lines that have such a next quote in this chunk are offered, so that nothing hangs on the chunk after.
    """
    quoted_lines = np.flatnonzero(quotes)
    following = np.searchsorted(quoted_lines, able)
    able = able[following < len(quoted_lines)][:4000]
    partner = quoted_lines[np.searchsorted(quoted_lines, able)]
    texts = frame[partner].select(pl.concat_str(pl.all(), separator=",")).to_series()
    after = texts.str.extract(r'"((?s).)', 1).fill_null("")
    closing = after.is_in(["", ",", '"', "\r", "\n"]).to_numpy()
    return np.asarray(able[~closing], dtype=np.int64)
