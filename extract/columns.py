"""Fields of a window into text columns, without copying the bytes that need no change.

Arrow's string views point into the window's bytes, so a column costs two gathers of NumPy. Only fields
with doubled quotes are rewritten, and a window in a single-byte encoding with non-ASCII bytes is turned
into UTF-8 once, as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

from casebridge.extract.quoting import QUOTE, RETURN
from casebridge.extract.records import Places, Reason, Records

_INLINE, _SLACK = 12, 16
_HEAD = np.array([(1 << 8 * min(size, 4)) - 1 for size in range(_INLINE + 1)], np.uint32)
_TAIL = np.array([(1 << 8 * max(size - 4, 0)) - 1 for size in range(_INLINE + 1)], np.uint64)


def text_columns(records: Records, names: tuple[str, ...], encoding: str) -> dict[str, pl.Series]:
    """One text column a name, in the order of the readable records; every value exactly as in the file."""
    text, first, ends = records.data, records.starts[records.reasons == Reason.READABLE], records.fields
    if encoding != "utf-8" and not text.isascii():
        text, moved = _as_utf8(text, encoding)
        first, ends = moved(first), moved(ends.ravel()).reshape(ends.shape)
    text += bytes(_SLACK)
    starts, ends, doubled = _values(text, first, np.ascontiguousarray(ends.T))
    made = {}
    for number, name in enumerate(names):
        column = _column(name, text, starts[number], ends[number])
        made[name] = _undoubled(column, doubled[number]) if doubled[number].size else column
    return made


def _values(text: bytes, first: Places, ends: Places) -> tuple[Places, Places, list[Places]]:
    """Where each value begins and ends, (columns, records) each, without line ends and outer quotes; and
    for each column the records in which it has doubled quotes."""
    data = np.frombuffer(text, np.uint8)
    starts = np.empty_like(ends)
    starts[0] = first
    starts[1:] = ends[:-1] + 1
    returns = (ends[-1] > starts[-1]) & (data[ends[-1] - 1] == RETURN)
    while returns.any():  # any number of them belongs to the line end
        ends[-1] -= returns
        returns = (ends[-1] > starts[-1]) & (data[ends[-1] - 1] == RETURN)
    nothing = [np.zeros(0, np.int64)] * len(ends)
    if b'"' not in text or not ends.size:
        return starts, ends, nothing
    quoted = (data[starts] == QUOTE) & (ends > starts)
    starts += quoted
    ends -= quoted
    if b'""' not in text:
        return starts, ends, nothing
    return starts, ends, _with_doubled(data, starts.T.ravel(), ends.T.ravel(), quoted)


def _with_doubled(
    data: npt.NDArray[np.uint8], starts: Places, ends: Places, quoted: npt.NDArray[np.bool_]
) -> list[Places]:
    """For each column the records in which a quoted value has quotes inside."""
    quotes = np.flatnonzero(data == QUOTE)
    value = np.searchsorted(starts, quotes, side="right") - 1
    inside = (value >= 0) & (quotes < ends[value]) & quoted.T.ravel()[value]
    rows, columns = np.divmod(np.unique(value[inside]), len(quoted))
    return [rows[columns == column] for column in range(len(quoted))]


def _undoubled(column: pl.Series, rows: Places) -> pl.Series:
    index = pl.Series(rows)
    return column.scatter(index, column.gather(index).str.replace_all('""', '"', literal=True))


def _as_utf8(data: bytes, encoding: str) -> tuple[bytes, Callable[[Places], Places]]:
    """The window in UTF-8, and the function that takes rising places in the one to those in the other."""
    values = np.frombuffer(data, np.uint8)
    high = np.flatnonzero(values > 127)
    growth = np.concatenate([[0], np.cumsum(_widths(encoding)[values[high]] - 1)])

    def moved(places: Places) -> Places:
        # Every place grows by what lies before it. The high bytes are few, so they are looked up.
        steps = np.searchsorted(places, high, side="right")
        moves: Places = np.repeat(growth, np.diff(steps, prepend=0, append=places.size))
        return places + moves

    return data.decode(encoding, "replace").encode(), moved


@cache
def _widths(encoding: str) -> Places:
    return np.array([len(bytes([byte]).decode(encoding, "replace").encode()) for byte in range(256)])


def _column(name: str, text: bytes, starts: Places, ends: Places) -> pl.Series:
    """Arrow string views: four bytes of length, then the text itself if it has at most twelve bytes, or
    else its first four, the number of the buffer (0) and the place in it. `text` has slack at its end."""
    size = len(text) - _SLACK + 1
    head = np.ndarray((size,), "<u4", text, 0, (1,))[starts]
    tail = np.ndarray((size,), "<u8", text, 4, (1,))[starts]
    lengths = ends - starts
    short = np.minimum(lengths, _INLINE)
    views = np.empty((starts.size, 2), "<u8")
    views[:, 0] = head & _HEAD[short]
    views[:, 0] <<= np.uint64(32)
    views[:, 0] |= lengths.astype(np.uint64)
    views[:, 1] = np.where(lengths > _INLINE, starts.astype(np.uint64) << np.uint64(32), tail & _TAIL[short])
    buffers = [None, pa.py_buffer(views), pa.py_buffer(text)]
    return pl.Series(name, pa.Array.from_buffers(pa.string_view(), starts.size, buffers))
