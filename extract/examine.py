"""One look at the whole of a text file: its checksum, and what makes it unfit to be read."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from casebridge.extract.dump import Part, stamp
from casebridge.extract.records import undecodable
from casebridge.extract.spoiled import Spoiled
from casebridge.extract.textfile import TextFile
from casebridge.project.batch import file_digest
from casebridge.project.errors import SourceError, counted
from casebridge.project.spec import ReadSpec

_NUL_SHARE = 0.05
_BAD_LINES, _BAD_SHARE = 20, 0.01

_MAGIC = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\x1f\x8b": "a gzip archive",
    b"BZh9": "a bzip2 archive",
    b"\xfd7zXZ\0": "an xz archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"%PDF-": "a PDF",
    b"SQLite format 3\0": "an SQLite database",
    b"PAR1": "a Parquet file",
    b"PGDMP": "a PostgreSQL dump",
}
_BOMS = {
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_AGAIN = "ask for this file again, as text"


def refuse_binary(path: Path, name: str, read: ReadSpec) -> None:
    """SourceError when the first bytes show that this is no text, or text in another encoding."""
    if not path.is_file():
        raise SourceError(name, "is no file", hint="name a file in `file` of its spec")
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if not head:
        hint = "if the table really has no rows, ask for a file with its header; otherwise for the rows"
        raise SourceError(name, "is empty", hint=hint)
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            raise SourceError(name, f"is {kind}, no text", hint=_AGAIN + "; or change `format` in its spec")
    family = "UTF-16" if read.encoding.startswith("utf-16") else read.encoding.upper()
    for bom, kind in _BOMS.items():
        if head.startswith(bom):
            if kind == family:
                break
            raise SourceError(name, f"begins as {kind}, but is declared {read.encoding}", hint=_encode(kind))
    if family == "UTF-16":
        _refuse_no_utf16(path, name, head)
        return
    nuls = head.count(0)
    if nuls > len(head) * _NUL_SHARE:
        sides = max(head[::2].count(0), head[1::2].count(0))
        if nuls > len(head) * 0.3 and sides > nuls * 0.9:
            what = f"looks like UTF-16, but is declared {read.encoding}"
            raise SourceError(name, what, hint=_encode("UTF-16"))
        raise SourceError(name, _binary(nuls, len(head)), hint=_AGAIN)


def _refuse_no_utf16(path: Path, name: str, head: bytes) -> None:
    if path.stat().st_size % 2:
        hint = "the export or the copy was cut short, or the file is no UTF-16: fetch it again"
        raise SourceError(name, "breaks off in the middle of a character", hint=hint)
    if not head.count(0):
        hint = "set the `encoding` that it has, in its spec's [read] or in casebridge.toml"
        raise SourceError(name, "is declared UTF-16, but has no such characters", hint=hint)


def _binary(nuls: int, size: int) -> str:
    return f"looks like a binary file: {nuls:,} of {size:,} bytes are zero"


def _encode(kind: str) -> str:
    if kind == "UTF-8":
        return 'set `encoding = "utf-8"` for it, in its spec\'s [read] or in casebridge.toml'
    if kind == "UTF-16":
        return 'set `encoding = "utf-16"` for it, in its spec\'s [read] or in casebridge.toml'
    return "ask for this file in UTF-8 or Windows-1252"


@dataclass
class _Seen:
    """What was counted on the way through a file."""

    size: int = 0
    lines: int = 0
    nuls: int = 0
    bad_lines: int = 0
    first_bad: int = 0
    high: bool = False
    like_utf8: bool = True
    closed: bool = True
    returns: int = 0
    controls: int = 0
    first_control: int = 0
    pairs: int = 0
    delimiters: int = 0
    of_header: int = -1

    def take(self, block: bytes, encoding: str, delimiter: bytes) -> None:
        """Count a block that ends with a line, or with the file."""
        self.nuls += block.count(0)
        newlines = block.count(b"\n")
        if not block.isascii():
            self.high = True
            self.like_utf8 = self.like_utf8 and _is_utf8(block)
            places = undecodable(block, encoding)
            if places.size:
                ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
                bad = np.unique(np.searchsorted(ends, places))
                self.first_bad = self.first_bad or self.lines + int(bad[0]) + 1
                self.bad_lines += bad.size
            self._take_controls(block, encoding)
        if b"\r" in block:
            returns = block.count(b"\r")
            # As many of both are taken for pairs: to look at each costs more than it tells.
            if returns != newlines and b'"' not in block:
                self.returns += len(_ALONE.findall(block))
                self.delimiters += block.count(delimiter)
        self.size += len(block)
        self.lines += newlines
        self.closed = block.endswith(b"\n")

    def _take_controls(self, block: bytes, encoding: str) -> None:
        """C1 controls: no text has them. They are what Windows-1252 looks like when it is taken for Latin-1."""
        sought = {"latin-1": _C1, "utf-8": _C1_IN_UTF8}.get(encoding)
        found = sought.search(block) if sought else None
        if sought and found:
            self.first_control = self.first_control or self.lines + block.count(b"\n", 0, found.start()) + 1
            self.controls += len(sought.findall(block))


_ALONE = re.compile(rb"\r(?![\r\n])")
_C1 = re.compile(rb"[\x80-\x9f]")
_C1_IN_UTF8 = re.compile(rb"\xc2[\x80-\x84\x86-\x9f]")


def examine_text(path: Path, name: str, read: ReadSpec, whole: Callable[[], bool]) -> Part:
    """A file's size, lines and checksum. SourceError when it cannot be what its spec says it is; `whole`
    judges the last record of a file that ends without a line end."""
    before, seen, spoiled = stamp(path), _Seen(), Spoiled()
    with path.open("rb") as file, ThreadPoolExecutor(1) as pool:
        # The checksum is of the bytes as they are, on a core of its own.
        coming = pool.submit(file_digest, path)
        text = TextFile(file, before[0], name, read)
        for block in text.blocks():
            if len(block) > read.longest:
                _refuse_long(block, name, seen, read)
            if seen.of_header < 0:
                seen.of_header = block.partition(b"\n")[0].count(text.delimiter) if read.format == "csv" else 0
            seen.take(block, text.encoding, text.delimiter)
            spoiled.take(block, text.encoding, text.delimiter if read.format == "csv" else b"")
            if text.by_return:
                seen.pairs += block.count(b"\n\r")
        sha256 = coming.result()
    if stamp(path) != before:
        hint = "wait until whoever writes it has finished, then run this again"
        raise SourceError(name, "changed while it was being read", hint=hint)
    _judge(name, read.encoding, seen)
    _judge_line_ends(name, text, seen)
    if not seen.closed:
        seen.lines += 1
        if not whole():
            what = f"breaks off in the middle of line {seen.lines:,}, after {seen.size:,} bytes"
            raise SourceError(name, what, hint="the export or the copy was cut short: fetch the file again")
    notes = tuple(_notes(text, seen, spoiled))
    return Part(path, name, before[0], seen.lines, sha256, before, notes, ended=seen.closed)


def _refuse_long(block: bytes, name: str, seen: _Seen, read: ReadSpec) -> None:
    """SourceError when a single line is longer than the bound."""
    begin = 0
    for at in range(seen.lines + 1, seen.lines + 2 + block.count(b"\n")):
        end = block.find(b"\n", begin)
        if (len(block) if end < 0 else end) - begin > read.longest:
            hint = (
                "look for missing line ends; if lines are so long, set `longest_record` under [reading] in "
                "casebridge.toml"
            )
            raise SourceError(name, f"has a line of more than {read.longest:,} bytes, line {at:,}", hint=hint)
        begin = end + 1


def _notes(text: TextFile, seen: _Seen, spoiled: Spoiled) -> Iterator[str]:
    if text.by_return:
        yield "its lines end with CR alone, as old Macs wrote them"
    if text.cut:
        yield f"its last {counted(text.cut, 'byte')}, DOS's mark for the end of a file, belong to no line"
    yield from spoiled.notes()
    if seen.controls:
        yield (
            f"{seen.controls:,} control characters (C1), first in line {seen.first_control:,}: probably "
            "Windows-1252 that was taken for Latin-1 before it became this file; ask the exporter"
        )


def _judge_line_ends(name: str, text: TextFile, seen: _Seen) -> None:
    """Lines that end in two ways cannot be told apart from line ends inside values."""
    hint = "ask for this file again with one kind of line end, CR LF or LF"
    if text.by_return and seen.pairs:
        what = f"its lines end with CR alone, but there are also {counted(seen.pairs, 'end')} with CR LF"
        raise SourceError(name, what, hint=hint)
    # CRs are line ends where each stands between as many delimiters as the header has.
    if seen.returns > seen.lines + 1 and seen.delimiters >= seen.of_header * seen.returns:
        one, other = ("LF", "CR") if text.by_return else ("CR", "LF")
        what = f"its first line ends with {other}, but most of its lines with {one}"
        raise SourceError(name, what, hint=hint)


def _judge(name: str, encoding: str, seen: _Seen) -> None:
    if seen.nuls > seen.size * _NUL_SHARE:
        raise SourceError(name, _binary(seen.nuls, seen.size), hint=_AGAIN)
    if seen.bad_lines > max(_BAD_LINES, seen.lines * _BAD_SHARE):
        what = (
            f"is not {encoding}: {seen.bad_lines:,} of {seen.lines:,} lines have bytes that mean nothing in it, "
            f"first line {seen.first_bad:,}"
        )
        raise SourceError(name, what, hint=_other(encoding, seen))
    if encoding == "latin-1" and seen.controls:
        what = f"is declared latin-1, but has {counted(seen.controls, 'control character')} (C1) in its text, "
        what += f"first in line {seen.first_control:,}"
        if not seen.like_utf8:
            raise SourceError(name, what, hint=_OF_WINDOWS)
    if encoding in {"cp1252", "latin-1"} and seen.high and seen.like_utf8:
        what = f"is declared {encoding}, but all its accented letters and signs are written in UTF-8"
        raise SourceError(name, what, hint=_encode("UTF-8"))


_OF_WINDOWS = (
    'it is probably `encoding = "cp1252"`, which has quotes, dashes and the euro in these places and is the same '
    "otherwise: set it in its spec's [read] or in casebridge.toml"
)


def _other(encoding: str, seen: _Seen) -> str:
    if encoding != "utf-8" and seen.like_utf8:
        return _encode("UTF-8")
    other = "latin-1" if encoding == "cp1252" else "cp1252"
    return f'it is probably `encoding = "{other}"`: ask the exporter, and set it in its spec\'s [read]'


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
