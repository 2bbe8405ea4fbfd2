"""Fixed-width text without a header, by way of petl."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import petl

from casebridge.extract.dump import Part, Piece, SourceTable
from casebridge.extract.examine import examine_text, refuse_binary
from casebridge.extract.records import Reason
from casebridge.extract.row_formats import Row, pieces
from casebridge.project.spec import ReadSpec


def fixed_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """The columns that the spec gives widths for."""
    refuse_binary(path, name, read)
    return tuple(column for column, _ in read.widths)


def examine_fixed(path: Path, name: str, read: ReadSpec) -> Part:
    """The file's checksum and its encoding. A last line that stops short of the last column and has no
    line end means that the file was cut off."""
    return examine_text(path, name, read, lambda: _ends_whole(path, read))


def _ends_whole(path: Path, read: ReadSpec) -> bool:
    (last,) = deque(_lines(path), maxlen=1)
    return _row(0, last, read).reason is not Reason.RAGGED_LINE


def read_fixed(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The lines of one file; the long tail is short enough to be read again whole."""
    with part.open():
        rows = (_row(number, line, table.read) for number, line in enumerate(_lines(part.path), 1))
        yield from pieces(rows, table, part.name, first)


def _lines(path: Path) -> Iterator[bytes]:
    """Physical lines without their ends. petl ends a line at a lone carriage return too; those are joined
    again. Latin-1 stands for the bytes as they are."""
    held = b""
    for number, (text,) in enumerate(petl.data(petl.fromtext(str(path), encoding="latin-1", strip=False))):
        part = text.encode("latin-1")
        held += part if number else part.removeprefix(codecs.BOM_UTF8)
        if held.endswith(b"\n"):
            yield held[:-1].removesuffix(b"\r")
            held = b""
    if held:
        yield held.removesuffix(b"\r")


def _row(number: int, line: bytes, read: ReadSpec) -> Row:
    text = line.decode(read.encoding, "replace")
    ends = list(accumulate(width for _, width in read.widths))
    last_start = ends[-2] if len(ends) > 1 else 0
    if len(text) < last_start or text[ends[-1] :].strip():
        return Row(number, (), Reason.RAGGED_LINE, line)
    if b"\0" in line:
        return Row(number, (), Reason.NUL_BYTE, line)
    try:
        line.decode(read.encoding)
    except UnicodeDecodeError:
        return Row(number, (), Reason.UNDECODABLE, line)
    return Row(number, tuple(text[a:b] for a, b in zip([0, *ends], ends, strict=False)))
