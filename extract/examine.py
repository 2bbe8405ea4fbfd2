"""One look at the whole of a text file: its checksum, and what makes it unfit to be read."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from casebridge.extract.dump import Part, stamp
from casebridge.extract.records import undecodable
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

_BLOCK = 1 << 22
_LONG_LINE = 1 << 26
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
    for bom, kind in _BOMS.items():
        if head.startswith(bom) and not (kind == "UTF-8" == read.encoding.upper()):
            raise SourceError(name, f"begins as {kind}, but is declared {read.encoding}", hint=_encode(kind))
    nuls = head.count(0)
    if nuls > len(head) * _NUL_SHARE:
        sides = max(head[::2].count(0), head[1::2].count(0))
        if nuls > len(head) * 0.3 and sides > nuls * 0.9:
            what = f"looks like UTF-16, but is declared {read.encoding}"
            raise SourceError(name, what, hint=_encode("UTF-16"))
        raise SourceError(name, _binary(nuls, len(head)), hint=_AGAIN)


def _binary(nuls: int, size: int) -> str:
    return f"looks like a binary file: {nuls:,} of {size:,} bytes are zero"


def _encode(kind: str) -> str:
    if kind == "UTF-8":
        return 'set `encoding = "utf-8"` for it, in its spec\'s [read] or in casebridge.toml'
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

    def take(self, block: bytes, encoding: str) -> None:
        """Count a block that ends with a line, or with the file."""
        self.nuls += block.count(0)
        if not block.isascii():
            self.high = True
            self.like_utf8 = self.like_utf8 and _is_utf8(block)
            places = undecodable(block, encoding)
            if places.size:
                ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
                bad = np.unique(np.searchsorted(ends, places))
                self.first_bad = self.first_bad or self.lines + int(bad[0]) + 1
                self.bad_lines += bad.size
        self.size += len(block)
        self.lines += block.count(b"\n")
        self.closed = block.endswith(b"\n")


def examine_text(path: Path, name: str, read: ReadSpec, whole: Callable[[], bool]) -> Part:
    """A file's size, lines and checksum. SourceError when it cannot be what its spec says it is; `whole`
    judges the last record of a file that ends without a line end."""
    before, seen, sha256 = stamp(path), _Seen(), hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            if not block.endswith(b"\n"):
                block += file.readline(_LONG_LINE)
            sha256.update(block)
            seen.take(block, read.encoding)
    if stamp(path) != before:
        hint = "wait until whoever writes it has finished, then run this again"
        raise SourceError(name, "changed while it was being read", hint=hint)
    _judge(name, read.encoding, seen)
    if not seen.closed:
        seen.lines += 1
        if not whole():
            what = f"breaks off in the middle of line {seen.lines:,}, after {seen.size:,} bytes"
            raise SourceError(name, what, hint="the export or the copy was cut short: fetch the file again")
    return Part(path, name, seen.size, seen.lines, sha256.hexdigest(), before, ended=seen.closed)


def _judge(name: str, encoding: str, seen: _Seen) -> None:
    if seen.nuls > seen.size * _NUL_SHARE:
        raise SourceError(name, _binary(seen.nuls, seen.size), hint=_AGAIN)
    if seen.bad_lines > max(_BAD_LINES, seen.lines * _BAD_SHARE):
        what = (
            f"is not {encoding}: {seen.bad_lines:,} of {seen.lines:,} lines have bytes that mean nothing in it, "
            f"first line {seen.first_bad:,}"
        )
        raise SourceError(name, what, hint=_other(encoding, seen))
    if encoding in {"cp1252", "latin-1"} and seen.high and seen.like_utf8:
        what = f"is declared {encoding}, but all its accented letters and signs are written in UTF-8"
        raise SourceError(name, what, hint=_encode("UTF-8"))


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
