"""A text file as the readers of lines want it: lines end in LF, the delimiter is one byte.

Most files are that already and are read as they are. The others are translated while they are read, a block
of whole lines at a time: UTF-16, lines that end in CR alone (as old Macs wrote them), delimiters of several
bytes. Every translation can be undone, so that a value and a line kept as unreadable are what the file has.
"""

from __future__ import annotations

import codecs
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import polars as pl

from casebridge.project.errors import SourceError
from casebridge.project.settings import working_encoding
from casebridge.project.spec import ReadSpec

BLOCK = 1 << 20
HEADER = 1 << 20
"""A header is not longer than this, in bytes."""
_END_MARK = b"\x1a"
_SWAPPED = bytes.maketrans(b"\r\n", b"\n\r")
_STAND_INS = bytes([0x1F, 0x1E, 0x1D, 0x1C, *range(1, 9), *range(0x0E, 0x1A)])


class TextFile:
    """The bytes of one text file, translated where they must be; `seek` and `read` as a file has them.

    `size` counts translated bytes, `begin` those before the first line (a byte order mark), `cut` the bytes of
    a DOS end mark (0x1A) at the end, which belong to no line. `by_return`: the lines end in CR alone.
    """

    def __init__(self, file: BinaryIO, size: int, name: str, read: ReadSpec) -> None:
        self._file, self._name, self._read_spec, self._at = file, name, read, 0
        self.utf16 = _utf16(file, read.encoding)
        self.encoding = working_encoding(read.encoding)
        self.cut = 0 if self.utf16 else _end_mark(file, size)
        self._end = size - self.cut
        head = self._head(1 << 16)
        self.begin = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
        self.by_return = _ends_in_return(self._head(HEADER) if b"\n" not in head else head, self.begin)
        delimiter = read.delimiter.encode(self.encoding)
        self.delimiter = delimiter
        self._stand_in = b""
        if len(delimiter) != 1 or delimiter > b"\x7f":
            self.delimiter = self._stand_in = self._free_byte()
            self._long = delimiter
        self.translated = bool(self.utf16 or self.by_return or self._stand_in)
        self.size = self._index[1][-1] if self.translated else self._end

    def seek(self, at: int) -> None:
        """Go to a place in the translated bytes."""
        self._at = at
        if not self.translated:
            self._file.seek(at)

    def read(self, length: int) -> bytes:
        """So many translated bytes, fewer at the end of the file."""
        if not self.translated:
            return self._file.read(length)
        made = bytearray()
        while len(made) < length and self._at < self.size:
            number = bisect_right(self._index[1], self._at) - 1
            block = self._block(number)
            begin = self._at - self._index[1][number]
            taken = block[begin : begin + length - len(made)]
            made += taken
            self._at += len(taken)
        return bytes(made)

    def blocks(self) -> Iterator[bytes]:
        """The whole file, translated, in blocks that end with a line where they can."""
        if self.translated:
            yield from (self._block(number) for number in range(len(self._index[0]) - 1))
            return
        self._file.seek(0)
        left = self._end
        while block := self._file.read(min(4 * BLOCK, left)):
            left -= len(block)
            if not block.endswith(b"\n"):
                rest = self._file.readline(min(self._read_spec.longest + 1, left))
                left -= len(rest)
                block += rest
            yield block

    def restored(self, data: bytes) -> bytes:
        """Translated bytes as the file has them."""
        if self._stand_in:
            data = data.replace(self._stand_in, self._long)
        if self.by_return:
            data = data.translate(_SWAPPED)
        if self.utf16:
            data = data.decode("utf-8", "surrogatepass").encode(self.utf16, "surrogatepass")
        return data

    def restored_name(self, data: bytes) -> str:
        """A translated value of the header as the file has it. UnicodeDecodeError when it is no text."""
        text = data.decode(self.encoding)
        if self._stand_in:
            text = text.replace(self._stand_in.decode(), self._read_spec.delimiter)
        return text.translate({10: 13, 13: 10}) if self.by_return else text

    def restored_text(self, column: pl.Series) -> pl.Series:
        """Translated values as the file has them."""
        if self._stand_in:
            column = column.str.replace_all(self._stand_in.decode(), self._read_spec.delimiter, literal=True)
        if self.by_return:
            column = column.str.replace_many(["\r", "\n"], ["\n", "\r"])
        return column

    def _head(self, length: int) -> bytes:
        """The first bytes, decoded from UTF-16 only."""
        self._file.seek(0)
        data = self._file.read(min(length, self._end))
        return _from_utf16(data[: len(data) & ~1], self.utf16) if self.utf16 else data

    def _raw_blocks(self) -> Iterator[bytes]:
        """Blocks of the file as it is, each with whole lines where they are not too long."""
        at = 0
        newline = b"\r" if self.by_return else b"\n"
        if self.utf16:
            newline = newline.decode().encode(self.utf16)
        while at < self._end:
            self._file.seek(at)
            block = self._file.read(min(BLOCK, self._end - at))
            while at + len(block) < self._end and not _ends_with_line(block, newline):
                more = self._file.read(min(BLOCK, self._end - at - len(block)))
                if not more:
                    break
                cut = _after_line(more, newline)
                block += more[:cut]
                if cut < len(more) or len(block) > self._read_spec.longest:
                    break
            yield block
            at += len(block)

    @cached_property
    def _index(self) -> tuple[list[int], list[int]]:
        """Where each block begins in the file and in the translated bytes; the last of each is the end."""
        raw, made = [0], [0]
        for block in self._raw_blocks():
            raw.append(raw[-1] + len(block))
            made.append(made[-1] + len(self._translate(block)))
        return raw, made

    def _block(self, number: int) -> bytes:
        held = self.__dict__.get("_held")
        if held and held[0] == number:
            return bytes(held[1])
        begin, end = self._index[0][number : number + 2]
        self._file.seek(begin)
        made = self._translate(self._file.read(end - begin))
        self.__dict__["_held"] = (number, made)
        return made

    def _translate(self, block: bytes) -> bytes:
        if self.utf16:
            block = _from_utf16(block, self.utf16)
        if self.by_return:
            block = block.translate(_SWAPPED)
        return block.replace(self._long, self._stand_in) if self._stand_in else block

    def _free_byte(self) -> bytes:
        """A control character that the file has nowhere, to stand for the delimiter."""
        seen: set[int] = set()
        for block in self._raw_blocks():
            seen.update(_from_utf16(block, self.utf16) if self.utf16 else block)
        for byte in _STAND_INS:
            if byte not in seen:
                return bytes([byte])
        hint = "ask for this file again with another delimiter"
        raise SourceError(
            self._name, "has every control character, so its delimiter cannot be told apart", hint=hint
        )


@contextmanager
def opened(file: BinaryIO, size: int, name: str, read: ReadSpec) -> Iterator[TextFile]:
    """A text file of `size` bytes. EOFError when it has become shorter."""
    yield TextFile(file, size, name, read)


def read_whole(path: Path, name: str, read: ReadSpec, take: Callable[[TextFile], object]) -> object:
    """What `take` makes of the text file at `path`."""
    with path.open("rb") as file:
        return take(TextFile(file, path.stat().st_size, name, read))


def _utf16(file: BinaryIO, encoding: str) -> str:
    """The byte order of a UTF-16 file, as Python names it; empty when it is none. Its own mark decides."""
    if not encoding.startswith("utf-16"):
        return ""
    file.seek(0)
    mark = file.read(2)
    if mark == codecs.BOM_UTF16_LE:
        return "utf-16-le"
    if mark == codecs.BOM_UTF16_BE:
        return "utf-16-be"
    return "utf-16-be" if encoding.endswith("be") else "utf-16-le"


def _from_utf16(block: bytes, order: str) -> bytes:
    """UTF-8; half a character becomes bytes that are no UTF-8, so that its line is told apart as unreadable."""
    odd = block[len(block) & ~1 :]
    text = block[: len(block) & ~1].decode(order, "surrogatepass")
    return text.encode("utf-8", "surrogatepass") + (b"\xff" if odd else b"")


def _end_mark(file: BinaryIO, size: int) -> int:
    """How many bytes at the end are DOS's mark for the end of a file, and line ends after it."""
    file.seek(max(0, size - 64))
    tail = file.read(64)
    bare = tail.rstrip(b"\x1a\r\n")
    mark = tail[len(bare) :]
    place = mark.find(_END_MARK)
    return len(mark) - place if place >= 0 else 0


def _ends_in_return(head: bytes, begin: int) -> bool:
    """Whether the first line ends in CR alone. A line end inside a quoted field is none."""
    at, quoted = begin, False
    for at in range(begin, len(head)):
        byte = head[at]
        if byte == 34:
            quoted = not quoted
        elif byte == 10 and not quoted:
            return False
        elif byte == 13 and not quoted:
            rest = head[at:].lstrip(b"\r")
            return bool(rest) and not rest.startswith(b"\n") and len(head) - at > len(rest)
    return False


def _ends_with_line(block: bytes, newline: bytes) -> bool:
    return block.endswith(newline) and len(block) % len(newline) == 0


def _after_line(data: bytes, newline: bytes) -> int:
    """The place behind the first line end; the length when there is none."""
    at = data.find(newline)
    while at >= 0 and at % len(newline):
        at = data.find(newline, at + 1)
    return at + len(newline) if at >= 0 else len(data)
