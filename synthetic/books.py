"""The last step of every table: file order, doubled keys, spoilt lines, each row's place; and then to disk."""

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.formats import quoted
from casebridge.synthetic.mess import spoil_lines
from casebridge.synthetic.names import Ints
from casebridge.synthetic.sheet import Page, Sheet
from casebridge.synthetic.verdicts import DUPLICATE_KEY, LOADED, Mask, Verdicts
from casebridge.synthetic.writer import Writer

DOUBLED: Final = 8e-5  # of rows come a second time
SAMPLE: Final = 2000
BARE: Final = 0.3  # of the fields that hold a quote and nothing worse, written as they are
Settle = Callable[[Verdicts], Verdicts]


def finish(
    sheet: Sheet, writer: Writer, settle: Settle, *, order: Ints | None = None, breakable: Mask | None = None
) -> Verdicts:
    """Double some keys, spoil some lines, settle every row's place and write it all down."""
    page = _arrange(sheet, np.arange(len(sheet)) if order is None else order)
    spoil_lines(sheet, page, np.ones(len(sheet), dtype=np.bool_) if breakable is None else breakable)
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
    doubled = sheet.pick(DOUBLED)
    place = np.empty(len(sheet), dtype=np.float64)
    place[order] = np.arange(len(order))
    row = np.concatenate([order, doubled])
    at = np.concatenate([place[order], place[doubled] + sheet.rng.integers(1, 400, len(doubled)) + 0.5])
    sequence = np.argsort(at, kind="stable")
    again = (np.arange(len(row)) >= len(order))[sequence]
    row = row[sequence]
    frame = pl.DataFrame([texts.alias(name) for name, texts in sheet.columns.items()])[row]
    frame = frame.with_columns([quoted(name, sheet.rng.random(len(row)) < BARE) for name in sheet.free])
    nothing = np.zeros(len(row), dtype=np.uint8)
    return Page(frame, row, again, nothing, nothing.astype(np.bool_))
