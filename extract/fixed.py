"""Fixed-width text without a header."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from casebridge.extract.dump import Part, Piece, SourceTable
from casebridge.extract.examine import examine_text, refuse_binary
from casebridge.extract.oddities import ragged_reason
from casebridge.extract.records import Reason
from casebridge.extract.row_formats import Row, pieces
from casebridge.extract.textfile import TextFile
from casebridge.project.errors import BalanceError, SourceError
from casebridge.project.spec import ReadSpec


def fixed_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """The columns that the spec gives widths for."""
    refuse_binary(path, name, read)
    return tuple(column for column, _ in read.widths)


def examine_fixed(path: Path, name: str, read: ReadSpec) -> Part:
    """The file's checksum and its encoding. A last line that stops short of the last column and has no
    line end means that the file was cut off."""
    part = examine_text(path, name, read, lambda: _ends_whole(path, name, read))
    if part.lines == 1 and not part.ended and part.bytes > 2 * sum(width for _, width in read.widths):
        hint = "ask for this file again with a line end after each record"
        raise SourceError(name, "has no line ends: its records run into one another", hint=hint)
    if not read.widths_in:
        _refuse_widths_in_bytes(path, name, read)
    return part


def _refuse_widths_in_bytes(path: Path, name: str, read: ReadSpec) -> None:
    """SourceError when letters of several bytes show that somebody padded to bytes, not to characters."""
    width = sum(width for _, width in read.widths)
    last_start = width - read.widths[-1][1]
    sizes, lengths, fits, early = set[int](), set[int](), [False, False], 0
    with path.open("rb") as file:
        text = TextFile(file, path.stat().st_size, name, read)
        if text.encoding != "utf-8" or text.utf16:
            return
        for number, line in enumerate(_lines(text), 1):
            shown = line.decode("utf-8", "replace")
            size, length = len(line), len(shown)
            sizes.add(size)
            lengths.add(length)
            if size != length:
                fits = [fits[0] or size == width, fits[1] or length == width]
                early = early or number * (not shown[:last_start].isascii())
    hint = 'set `widths_in = "bytes"` in its spec\'s [read]; or `widths_in = "characters"` if that is not so'
    if len(lengths) > 1 and not fits[1] and (fits[0] or len(sizes) == 1):
        what = "its widths are counted in bytes: lines with accented letters have as many bytes as the others"
        raise SourceError(name, what, hint=hint)
    if early and not fits[1]:
        what = (
            f"whether its widths are counted in bytes or in characters cannot be seen: line {early:,} has an "
            "accented letter before its last column, and no such line is filled to its end"
        )
        raise SourceError(name, what, hint=hint)


def _ends_whole(path: Path, name: str, read: ReadSpec) -> bool:
    with path.open("rb") as file:
        text = TextFile(file, path.stat().st_size, name, read)
        (last,) = deque(_lines(text), maxlen=1)
    return _row(0, last, text, read).reason is not Reason.RAGGED_LINE


def read_fixed(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The lines of one file; the long tail is short enough to be read again whole.

    BalanceError unless there are as many lines as when the file was examined.
    """
    with part.open() as file:
        text = TextFile(file, part.bytes, part.name, table.read)
        rows = (_row(number, line, text, table.read) for number, line in enumerate(_lines(text), 1))
        lines = 0
        for piece in pieces(rows, table, part.name, first):
            yield piece
            first, lines = first + piece.records, lines + piece.records
        if lines != part.lines:
            raise BalanceError(f"lines of {part.name}", part.lines or 0, lines)


def _lines(text: TextFile) -> Iterator[bytes]:
    """Physical lines without their ends: LF, with any number of CRs before it."""
    begin = text.begin
    for block in text.blocks():
        lines = block[begin:].split(b"\n")
        begin = 0
        if not lines[-1]:
            lines.pop()
        yield from (line.rstrip(b"\r") for line in lines)


def _row(number: int, line: bytes, text: TextFile, read: ReadSpec) -> Row:
    shown = line.decode(text.encoding, "replace")
    ends = list(accumulate(width for _, width in read.widths))
    last_start = ends[-2] if len(ends) > 1 else 0
    in_bytes = read.widths_in == "bytes"
    size, beyond = (len(line), line[ends[-1] :].strip()) if in_bytes else (len(shown), shown[ends[-1] :].strip())
    reason = Reason.READABLE
    if read.comment and shown.startswith(read.comment):
        reason = Reason.COMMENT_LINE
    elif size < last_start or beyond:
        reason = ragged_reason(shown, read)
    elif b"\0" in line:
        reason = Reason.NUL_BYTE
    try:
        places = list(zip([0, *ends], ends, strict=False))
        whole = line.decode(text.encoding)
        values = (
            [line[a:b].decode(text.encoding) for a, b in places] if in_bytes else [whole[a:b] for a, b in places]
        )
    except UnicodeDecodeError:
        reason = reason or Reason.UNDECODABLE
    if reason is Reason.READABLE and all(set(value.strip()) <= set("-=_") for value in values):
        reason = Reason.RULER_LINE if "--" in shown or "==" in shown or "__" in shown else reason
    if reason is not Reason.READABLE:
        return Row(number, (), reason, text.restored(line))
    if text.by_return:
        values = [value.translate({10: 13, 13: 10}) for value in values]
    return Row(number, tuple(values))
