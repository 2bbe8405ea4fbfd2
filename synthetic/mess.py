"""Lines no reader can make sense of: too many fields, torn in two, NULs, bytes CP1252 does not have, open quotes.

The defects of single values (a date that never was, a dead code, somebody who is gone) are made where the
table is made; here the line itself goes wrong, after it was put in its place in the file.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.formats import overwrite
from casebridge.synthetic.names import Ints
from casebridge.synthetic.sheet import Page, Sheet
from casebridge.synthetic.verdicts import BROKEN_QUOTE, NUL, RAGGED, UNDECODABLE, Mask

RATES: Final = ((RAGGED, 1.2e-4), (UNDECODABLE, 5e-5), (NUL, 3e-5), (BROKEN_QUOTE, 5e-5))


def spoil_lines(sheet: Sheet, page: Page, breakable: Mask) -> None:
    """Marks the lines in `page.unread`. Only rows without another defect and without quotes are taken."""
    quotes = _with_quotes(page.frame, sheet.free)
    clean = (breakable & ~sheet.touched)[page.row] & ~quotes
    for kind, rate in RATES:
        if kind == BROKEN_QUOTE and not sheet.free:
            continue
        able = np.flatnonzero(clean & (page.unread == 0))
        if kind == BROKEN_QUOTE:
            able = np.sort(sheet.rng.choice(able, min(len(able), 4000), replace=False))
            able = _safely_broken(page.frame, able, quotes)
        wanted = min(len(able), max(sheet.least, sheet.rng.poisson(rate * len(clean))))
        lines = np.sort(sheet.rng.choice(able, wanted, replace=False)) if wanted else able[:0]
        page.unread[lines] = kind
        _damage(sheet, page, lines, kind)


def _damage(sheet: Sheet, page: Page, lines: Ints, kind: int) -> None:
    names = page.frame.columns
    if kind == RAGGED:
        torn = sheet.rng.random(len(lines)) < 0.5
        _edit(page, lines[~torn], names[-1], lambda text: f"{text},0")
        middle = names[len(names) // 2]  # never the first or the last: then one of the halves would be whole
        _edit(page, lines[torn], middle, lambda text: f"{text[:2]}\r\n{text[2:]}")
        page.torn[lines[torn]] = True
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
    able = able[following < len(quoted_lines)]
    partner = quoted_lines[np.searchsorted(quoted_lines, able)]
    texts = frame[partner].select(pl.concat_str(pl.all(), separator=",")).to_series()
    after = texts.str.extract(r'"((?s).)', 1).fill_null("")
    closing = after.is_in(["", ",", '"', "\r", "\n"]).to_numpy()
    return np.asarray(able[~closing], dtype=np.int64)
