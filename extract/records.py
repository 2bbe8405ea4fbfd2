"""Delimited text into records, a window of some megabytes at a time.

Every physical line belongs to exactly one record or is told apart as unreadable. The places of line ends,
delimiters and quotes are found with NumPy; whether a line end lies inside quotes is the parity of the
quotes before it. Parity alone would let one stray quote shift everything after it, so each quote is also
checked against its neighbours: an opening one must begin a field, a closing one must end it. Runs of
records whose quotes all hold are taken at once; the first record that has another quote is read by
`quoting.Quoting`, and from its end the parity is taken again. The result does not depend on the window.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from casebridge.extract.quoting import NEWLINE, QUOTE, RETURN, Lookahead, Quoting, Readable

_RETURNS = re.compile(rb"\r+(?:\n|\Z)")
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

WINDOW = 1 << 22
LONGEST = (1 << 31) - 64
"""What Arrow's views can point into. The bound on a record is far below it."""


class Reason(enum.IntEnum):
    """Why a span is no record; the later of two that apply to one span is the one that is given."""

    READABLE = 0
    UNDECODABLE = 1
    NUL_BYTE = 2
    RAGGED_LINE = 3
    BROKEN_QUOTE = 4
    COMMENT_LINE = 5
    RULER_LINE = 6
    FOOTER_LINE = 7
    REPEATED_HEADER = 8
    BROKEN_RECORD = 9


@dataclass(frozen=True)
class Records:
    """Successive records and unreadable lines of a window. Places count from the window's beginning.

    `ends`: (spans,) the line end that closes each span; a span begins behind the one before.
    `lines`: (spans,) physical lines in each. `reasons`: (spans,) a Reason each.
    `fields`: (readable spans, columns) where each field ends: at its delimiter or line end.
    """

    data: bytes
    ends: Places
    lines: Places
    reasons: npt.NDArray[np.int8]
    fields: Places

    @property
    def starts(self) -> Places:
        """Where each span begins: (spans,)."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1] + 1])


class RecordTooLongError(Exception):
    """A record that is longer than the bound."""

    def __init__(self, at: int, longest: int) -> None:
        super().__init__(f"has a record of more than {longest:,} bytes, from byte {at:,} on")


def split(
    file: Readable,
    size: int,
    start: int,
    delimiter: bytes,
    columns: int,
    encoding: str,
    window: int = WINDOW,
    *,
    longest: int = LONGEST,
) -> Iterator[Records]:
    """The records of a file of `size` bytes from the byte `start`, which begins a line.

    RecordTooLongError for a record that no window can hold; EOFError when the file has become shorter.
    """
    text = Lookahead(file, size)
    quoting = Quoting(text, ord(delimiter))
    at, length = start, window
    while at < text.end:
        if length > max(longest, window):
            raise RecordTooLongError(at, longest)
        data = text.window(at, length)
        splitter = _Window(data, at, ord(delimiter), text, quoting)
        needed = splitter.run()
        if splitter.at:
            yield _judged(splitter, columns, encoding)
        at += splitter.at
        length = max(window, needed - at)


class _Window:
    """The marks (delimiters, line ends, quotes) of one window and the records found among them."""

    def __init__(self, data: bytes, offset: int, delimiter: int, text: Lookahead, quoting: Quoting) -> None:
        self.data, self.offset, self.text, self.quoting = data, offset, text, quoting
        self.bytes = np.frombuffer(data, np.uint8)
        self.at = 0
        self.marks: list[Places] = []
        self.is_end: list[Flags] = []
        self.ends: list[Places] = []
        self.broken: list[int] = []
        found = (self.bytes == NEWLINE) | (self.bytes == delimiter)
        self.quotes, self.bad = self._quotes(delimiter)
        found[self.quotes] = True
        marks = np.flatnonzero(found)
        kinds = self.bytes[marks]
        self.inside = np.zeros(marks.size, np.int32)
        if self.quotes.size:
            inside = np.cumsum(kinds == QUOTE, dtype=np.int32) & 1
            plain = np.flatnonzero(kinds != QUOTE)
            marks, kinds, self.inside = marks[plain], kinds[plain], inside[plain]
        self.places, self.newline = marks, kinds == NEWLINE
        self.lines = marks[self.newline]
        odd = self.inside[self.newline] == 1
        self.line_ends = (self.lines[~odd], self.lines[odd]) if odd.any() else (self.lines, self.lines[:0])

    def run(self) -> int:
        """Find all records that end in this window. The place in the file up to which the next window
        must reach so that it holds a record; 0 when any window will do."""
        while self.at < len(self.data):
            parity = int(np.searchsorted(self.quotes, self.at)) & 1
            bad = self._next(self.bad[parity])
            self._take_regular(parity, bad)
            if bad == len(self.data) and self.at and not self._next_line(self.at):
                return 0
            if self.at < len(self.data):
                verdict = self.quoting.record(self.offset + self.at)
                if verdict.end - self.offset >= len(self.data):
                    return verdict.end + 1
                self._take_one(verdict.end - self.offset, verdict.quoted)
        return 0

    def _next(self, places: Places) -> int:
        """The first of these places not before the current one, or the end of the window."""
        number = int(np.searchsorted(places, self.at))
        return int(places[number]) if number < places.size else len(self.data)

    def _next_line(self, at: int) -> bool:
        return self.data.find(b"\n", at) >= 0

    def _take_regular(self, parity: int, bad: int) -> None:
        """All records that end before the place `bad`, whose quotes are known to hold."""
        ends = self.line_ends[parity]
        first, last = np.searchsorted(ends, (self.at, bad))
        if first == last:
            return
        stop = int(ends[last - 1]) + 1
        span = slice(*np.searchsorted(self.places, (self.at, stop)))
        marks, is_end = self.places[span], self.newline[span]
        if self.quotes.size:
            outside = self.inside[span] == parity
            marks, is_end = marks[outside], is_end[outside]
        self._take(marks, is_end, ends[first:last], stop)

    def _take_one(self, end: int, quoted: list[tuple[int, int]] | None) -> None:
        """The record up to `end`; marks inside its quoted fields are data."""
        if quoted is None:
            self.broken.append(end)
        first, last = np.searchsorted(self.places, (self.at, end))
        marks = self.places[last : last + 1] if quoted is None else self.places[first : last + 1]
        if quoted:
            opens, afters = np.array(quoted).T - self.offset
            field = np.searchsorted(opens, marks) - 1
            marks = marks[(field < 0) | (marks >= afters[field])]
        self._take(marks, marks == end, self.places[last : last + 1], end + 1)

    def _take(self, marks: Places, is_end: Flags, ends: Places, stop: int) -> None:
        self.marks.append(marks)
        self.is_end.append(is_end)
        self.ends.append(ends)
        self.at = stop

    def _quotes(self, delimiter: int) -> tuple[Places, tuple[Places, Places]]:
        """The quotes that may open or close a field, and the places where quoting does not hold if the
        first of them opens a field, and if it closes one.

        A quote that could do neither is a character of its field, or breaks it where it stands inside
        quotes. What lies beyond the window is given the benefit of the doubt: a record that ends in this
        window has no quote there.
        """
        quotes = np.flatnonzero(self.bytes == QUOTE) if b'"' in self.data else np.zeros(0, np.int64)
        if not quotes.size:
            return quotes, (quotes, quotes)
        padded = np.frombuffer(b'\n%b"\n' % self.data, np.uint8)
        before, after, second = (padded[quotes + shift] for shift in (0, 2, 3))
        opens = (before == delimiter) | (before == NEWLINE) | (before == QUOTE)
        closes = (after == delimiter) | (after == NEWLINE) | (after == QUOTE)
        closes |= (after == RETURN) & (second == NEWLINE)
        for place in np.flatnonzero((after == RETURN) & ~closes).tolist():
            # Several CRs before a line end, or CRs that the end of the window cuts off from it.
            closes[place] = _RETURNS.match(self.data, int(quotes[place]) + 1) is not None
        alive = opens | closes
        inert, quotes, opens, closes = quotes[~alive], quotes[alive], opens[alive], closes[alive]
        odd = (np.arange(quotes.size) & 1).astype(bool)
        behind_odd = (np.searchsorted(quotes, inert) & 1).astype(bool)
        even_first = quotes[~np.where(odd, closes, opens)], inert[behind_odd]
        odd_first = quotes[~np.where(odd, opens, closes)], inert[~behind_odd]
        return quotes, (np.sort(np.concatenate(even_first)), np.sort(np.concatenate(odd_first)))


def _judged(window: _Window, columns: int, encoding: str) -> Records:
    """The records of a window with their reasons."""
    data = window.data[: window.at]
    marks, ends = np.concatenate(window.marks), np.concatenate(window.ends)
    last = np.flatnonzero(np.concatenate(window.is_end))
    reasons = np.zeros(ends.size, np.int8)
    reasons[np.searchsorted(ends, undecodable(data, encoding))] = Reason.UNDECODABLE
    if b"\0" in data:
        nul = np.flatnonzero(window.bytes[: window.at] == 0)
        reasons[np.searchsorted(ends, nul)] = Reason.NUL_BYTE
    reasons[np.diff(last, prepend=-1) != columns] = Reason.RAGGED_LINE
    if window.broken:
        reasons[np.searchsorted(ends, window.broken)] = Reason.BROKEN_QUOTE
    good = reasons == Reason.READABLE
    lines = np.diff(np.searchsorted(window.lines, ends), prepend=-1)
    # The usual case without a gather: nothing but readable records.
    if good.all():
        return Records(data, ends, lines, reasons, marks.reshape(-1, columns))
    return Records(data, ends, lines, reasons, marks[last[good][:, None] + np.arange(1 - columns, 1)])


def undecodable(data: bytes, encoding: str) -> Places:
    """The places of bytes that mean nothing in the encoding; in UTF-8 one for each line that has any."""
    if data.isascii():
        return np.zeros(0, np.int64)
    if encoding == "utf-8":
        return _not_utf8(data)
    undefined = _undefined(encoding)
    if not any(byte in data for byte in undefined):
        return np.zeros(0, np.int64)
    return np.flatnonzero(np.isin(np.frombuffer(data, np.uint8), list(undefined)))


@cache
def _undefined(encoding: str) -> bytes:
    """The bytes without a meaning in a single-byte encoding."""
    return bytes(byte for byte in range(256) if not bytes([byte]).decode(encoding, "ignore"))


def _not_utf8(data: bytes) -> Places:
    found, at, view = list[int](), 0, memoryview(data)
    while at < len(data):
        try:
            str(view[at:], "utf-8")
        except UnicodeDecodeError as error:
            found.append(at + error.start)
            line_end = data.find(b"\n", found[-1])
            at = line_end + 1 if line_end >= 0 else len(data)
        else:
            break
    return np.array(found, np.int64)
