"""What a record of a delimited file is: the definition, one record at a time.

RFC 4180, read strictly. A field that begins with a quote ends at the next quote that is not doubled, and
that quote must be followed by the delimiter or the end of the record; line ends inside belong to the
field. A line ends in LF, with any number of CRs before it. A quote anywhere else in a field is an ordinary
character. A record whose quoting does not hold spoils its first physical line only: reading goes on at the
next one.

`records` splits whole windows at once and asks here only where quoting is not regular, so what stands
here decides, and is written to be read rather than to be fast.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

NEWLINE, RETURN, QUOTE = 10, 13, 34
MOST_QUOTED, MOST_STEPS = 100_000, 1_000_000
"""Quoted fields of one record, and quotes that are looked at for one: more than any table has."""


class Readable(Protocol):
    """Bytes by their place, of a file or of what a file is translated to."""

    def seek(self, at: int, /) -> object:
        """Go to a place."""

    def read(self, length: int, /) -> bytes:
        """So many bytes from there, fewer at the end."""


class Lookahead:
    """A file's bytes by their place in the file, as if the file always ended with a line end.

    The window being split is at hand; what lies beyond is read in chunks and not kept, so that looking
    for a closing quote through gigabytes takes no more memory than looking for a near one.
    """

    def __init__(self, file: Readable, size: int, chunk: int = 1 << 22) -> None:
        self._file, self._size, self._chunk = file, size, chunk
        self._window: tuple[int, bytes] = (0, b"")
        self._beyond: tuple[int, bytes] = (0, b"")
        self.end = size
        self.end = size + (size > 0 and self._read(size - 1, 1) != b"\n")

    def window(self, at: int, length: int) -> bytes:
        """The bytes from `at`, fewer at the end of the file; they stay at hand."""
        self._window = (at, self._read(at, length))
        return self._window[1]

    def byte(self, at: int) -> int:
        """The byte at a place before the end."""
        begin, held = self._holding(at)
        return held[at - begin]

    def find(self, byte: int, at: int, stop: int | None = None) -> int:
        """The place of the first such byte in [at, stop), or -1."""
        stop = self.end if stop is None else stop
        while at < stop:
            begin, held = self._holding(at)
            found = held.find(byte, at - begin, stop - begin)
            if found >= 0:
                return begin + found
            at = begin + len(held)
        return -1

    def _holding(self, at: int) -> tuple[int, bytes]:
        for begin, held in (self._window, self._beyond):
            if begin <= at < begin + len(held):
                return begin, held
        self._beyond = (at, self._read(at, self._chunk))
        return self._beyond

    def _read(self, at: int, length: int) -> bytes:
        length = min(length, self.end - at)
        held = min(length, self._size - at)
        self._file.seek(at)
        data = self._file.read(held)
        if len(data) < held:
            raise EOFError("the file is shorter than it was")
        return data if held == length else data + b"\n"


class QuotedRecord(NamedTuple):
    """One record: the place of the line end that closes it, and its quoted fields, from the opening quote
    up to the delimiter or line end behind the closing one. With `quoted` None it is one physical line
    whose quoting is broken."""

    end: int
    quoted: list[tuple[int, int]] | None


class Quoting:
    """Reads records one by one. Its memory of hopeless stretches keeps the cost linear.

    When a quote opened on some line proves broken only at a far place, every line between was passed
    inside quotes. A later record that is still inside quotes at the end of a line of that stretch must
    break at the same place, so nobody needs to walk there again.
    """

    def __init__(self, text: Lookahead, delimiter: int) -> None:
        self._text, self._delimiter = text, delimiter
        self._broken_at = self._steps = 0

    def record(self, start: int) -> QuotedRecord:
        """The record that begins at `start`, which must be the beginning of a physical line. One with more quotes
        than any table has is broken."""
        text, quoted, at = self._text, list[tuple[int, int]](), start
        self._steps = 0
        first_line = line = text.find(NEWLINE, start)
        while True:
            quote = text.find(QUOTE, at, line)
            if quote < 0:
                return QuotedRecord(line, quoted)
            self._steps += 1
            if self._steps > MOST_STEPS:
                return QuotedRecord(first_line, None)
            if quote > start and text.byte(quote - 1) != self._delimiter:
                at = quote + 1
                continue
            at = self._after_closing(quote + 1, first_line)
            if at < 0:
                return QuotedRecord(first_line, None)
            quoted.append((quote, at))
            if len(quoted) > MOST_QUOTED:
                return QuotedRecord(first_line, None)
            line = text.find(NEWLINE, at) if at > line else line
            if at == line:
                return QuotedRecord(line, quoted)

    def _after_closing(self, at: int, first_line: int) -> int:
        """The place of the delimiter or line end behind a quoted field, or -1 when it is broken."""
        quote = self._closing(at, first_line)
        if quote is None:
            return -1
        if quote < self._text.end:
            after = quote + 1
            following = self._text.byte(after)
            while following == RETURN:
                after += 1
                following = self._text.byte(after)
            if after > quote + 1:
                if following == NEWLINE:
                    return after
            elif following in (self._delimiter, NEWLINE):
                return after
        self._broken_at = max(self._broken_at, quote)
        return -1

    def _closing(self, at: int, first_line: int) -> int | None:
        """The next quote from `at` that is not the first of two; the end of the file when there is none;
        None when an earlier record has shown that it leads nowhere, or too many were looked at."""
        text = self._text
        while self._steps <= MOST_STEPS:
            self._steps += 1
            quote = text.find(QUOTE, at, first_line)
            if quote < 0:
                if at <= first_line < self._broken_at:
                    return None
                quote = text.find(QUOTE, max(at, first_line))
            if quote < 0:
                return text.end
            if text.byte(quote + 1) != QUOTE:
                return quote
            at = quote + 2
        return None
