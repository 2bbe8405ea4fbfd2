"""The reader of delimited text: CSV and its kin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from casebridge.extract.columns import text_columns
from casebridge.extract.dump import Part, Piece, SourceTable, counted
from casebridge.extract.examine import examine_text, refuse_binary
from casebridge.extract.oddities import may_hold_nothing, named_lines, odd_rows, unprotected, without_nothing
from casebridge.extract.quoting import Lookahead, Quoting
from casebridge.extract.records import Reason, Records, RecordTooLongError, split
from casebridge.extract.textfile import HEADER, TextFile
from casebridge.project.blanks import bare_text
from casebridge.project.contracts import FILE, LINE, LINES, ORIGIN, ROW, UNREADABLE, raw_name
from casebridge.project.errors import BalanceError, SourceError
from casebridge.project.errors import counted as counted_things
from casebridge.project.prefetch import prefetch
from casebridge.project.spec import ReadSpec

_TRIED, _SEVERAL, _TRIAL = 100, 2, 1 << 16
"""How many records are looked at to see what a file is, how many make a rule, and in how many bytes."""


class Header(NamedTuple):
    """The names in a file's header, none if it cannot be read; the byte and the physical line where the first
    record begins."""

    columns: tuple[str, ...]
    at: int
    line: int


def delimited_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """The names in the header, without blanks around them."""
    refuse_binary(path, name, read)
    with path.open("rb") as file:
        text = TextFile(file, path.stat().st_size, name, read)
        header = _header(text, read)
        if not header.columns:
            where = "its first line" if read.header == 1 else f"line {read.header:,}"
            hint = "ask for this file again, with the columns' names in its first line"
            raise SourceError(name, f"has no header that can be read in {where}", hint=hint)
        if not read.trailing_delimiter:
            _refuse_trailing(text, name, header, read)
    return header.columns


def fields_of_first(path: Path, name: str, read: ReadSpec) -> int:
    """How many fields the first record below the header has; 0 when there is none that can be read."""
    with path.open("rb") as file:
        text = TextFile(file, path.stat().st_size, name, read)
        ahead, at = Lookahead(text, text.size), _header(text, read).at
        if at >= ahead.end:
            return 0
        count = _fields(ahead, text, at)
        return count - (read.trailing_delimiter and count > 1)


def _refuse_trailing(text: TextFile, name: str, header: Header, read: ReadSpec) -> None:
    """SourceError when all lines end with a delimiter, the header's or only those below it."""
    hint = "set `trailing_delimiter = true` in its spec's [read]: the empty field at each line's end is then none"
    if len(header.columns) > 2 and not header.columns[-1] and all(header.columns[:-1]):
        raise SourceError(name, "its header ends with a delimiter, so its last column has no name", hint=hint)
    several = replace(read, trailing_delimiter=True)
    first = next(_records(text, name, header, several, _TRIAL), None)
    if first is None:
        return
    some = first.reasons[:_TRIED]
    good = int(np.count_nonzero(some == Reason.READABLE))
    if not good or np.any(some == Reason.RAGGED_LINE):
        return
    texts = text_columns(first, _with_last(header.columns), text.encoding)
    if (texts[_LAST].head(good).str.len_bytes() == 0).all():
        raise SourceError(name, "each line has one empty field more than the header", hint=hint)


def _refuse_other_width(text: TextFile, name: str, read: ReadSpec) -> None:
    """SourceError when no line below the header has as many fields as it, and several say the same number."""
    header = _header(text, read)
    first = next(_records(text, name, header, read, _TRIAL), None)
    if first is None:
        return
    some = first.reasons[:_TRIED]
    ragged = np.flatnonzero(some == Reason.RAGGED_LINE)
    if ragged.size < _SEVERAL or np.any(some == Reason.READABLE):
        return
    ahead = Lookahead(text, text.size)
    starts = first.starts[ragged].tolist()
    counts = {_fields(ahead, text, header.at + start) for start in starts}
    if len(counts) == 1 and (found := counts.pop()):
        columns = len(header.columns)
        what = f"its lines have {counted_things(found, 'field')}, but its header has {columns}"
        hint = "set the right `delimiter` or `header` in its spec's [read], or ask for this file again"
        raise SourceError(name, what, hint=hint)


def _fields(ahead: Lookahead, text: TextFile, at: int) -> int:
    """How many fields the record has that begins at a byte; 0 when it cannot be read."""
    verdict = Quoting(ahead, text.delimiter[0]).record(at)
    if verdict.quoted is None or verdict.end - at > HEADER:
        return 0
    record, count, begin = ahead.window(at, verdict.end - at), 1, 0
    for opened, after in [*verdict.quoted, (verdict.end, verdict.end)]:
        count += record.count(text.delimiter, begin, opened - at)
        begin = after - at
    return count


def examine_delimited(path: Path, name: str, read: ReadSpec) -> Part:
    """The file's checksum and its encoding, whether its last record is whole, and whether any record fits."""
    part = examine_text(path, name, read, lambda: _ends_whole(path, name, read))
    with path.open("rb") as file:
        _refuse_other_width(TextFile(file, part.bytes, name, read), name, read)
    return part


def _ends_whole(path: Path, name: str, read: ReadSpec) -> bool:
    """Whether the last record can be read. What it begins with is known only from reading all of them."""
    reason = int(Reason.READABLE)
    with path.open("rb") as file:
        text = TextFile(file, path.stat().st_size, name, read)
        for records in _records(text, name, _header(text, read), read):
            reason = int(records.reasons[-1])
    return reason not in (Reason.RAGGED_LINE, Reason.BROKEN_QUOTE)


def read_delimited(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:
    """The records of one file, row numbers counted on from `first`; those up to `after` only counted.

    BalanceError unless every byte and every line belongs to the header or to one record or unreadable line.
    """
    with part.open() as file:
        text = TextFile(file, part.bytes, part.name, table.read)
        header = _header(text, table.read)
        row, line, taken = first, header.line, header.at
        for records in prefetch(_records(text, part.name, header, table.read)):
            count = records.ends.size
            if row + count <= after:
                yield counted(count, table.columns)
            else:
                yield _piece(records, table, part.name, text, header.columns, row, line)
            row, line, taken = row + count, line + int(records.lines.sum()), taken + len(records.data)
        # The last line may have no end of its own.
        if taken - text.size not in (0, 1):
            raise BalanceError(f"bytes of {part.name}", text.size, taken)
        if part.lines is not None and line - 1 != part.lines:
            raise BalanceError(f"lines of {part.name}", part.lines, line - 1)


def _records(
    text: TextFile, name: str, header: Header, read: ReadSpec, window: int | None = None
) -> Iterator[Records]:
    width = len(header.columns) + read.trailing_delimiter
    size = {} if window is None else {"window": window}
    try:
        found = split(
            text, text.size, header.at, text.delimiter, width, text.encoding, longest=read.longest, **size
        )
        for records in found:
            reasons = named_lines(records, read, text.encoding)
            yield records if reasons is records.reasons else _with_reasons(records, reasons)
    except RecordTooLongError as error:
        hint = (
            "look for a missing line end or a stray quote there; if records are so long, set `longest_record` "
            "under [reading] in casebridge.toml"
        )
        raise SourceError(name, str(error), hint=hint) from error


def _with_reasons(records: Records, reasons: npt.NDArray[np.int8]) -> Records:
    """Records of which some that were readable are not."""
    still = reasons[records.reasons == Reason.READABLE] == Reason.READABLE
    return replace(records, reasons=reasons, fields=records.fields[still])


def _header(text: TextFile, read: ReadSpec) -> Header:
    """The header of a file: the first line that is no comment, or the one that the spec names."""
    ahead = Lookahead(text, text.size)
    at, line = text.begin, 1
    sign = read.comment.encode(text.encoding)
    while at < ahead.end and (line < read.header or (sign and ahead.window(at, len(sign)) == sign)):
        at, line = ahead.find(10, at) + 1, line + 1
    if at >= ahead.end:
        return Header((), ahead.end, line)
    verdict = Quoting(ahead, text.delimiter[0]).record(at)
    if verdict.quoted is None or verdict.end - at > HEADER:
        return Header((), ahead.end, line)
    record = ahead.window(at, verdict.end - at)
    try:
        columns = _names(record, [(a - at, b - at) for a, b in verdict.quoted], text)
    except UnicodeDecodeError:
        return Header((), ahead.end, line)
    if read.trailing_delimiter and len(columns) > 1 and not columns[-1]:
        columns = columns[:-1]
    return Header(columns, verdict.end + 1, line + 1 + record.count(b"\n"))


def _names(record: bytes, quoted: Sequence[tuple[int, int]], text: TextFile) -> tuple[str, ...]:
    """The values of the header's record, whose quoted fields stand at these places."""
    names, at, ends = [], 0, dict(quoted)
    while True:
        if at in ends:
            end = ends[at]
            value = record[at:end].rstrip(b"\r")[1:-1].replace(b'""', b'"')
        else:
            found = record.find(text.delimiter, at)
            end = len(record) if found < 0 else found
            value = record[at:end]
        names.append(bare_text(text.restored_name(value)))
        if end >= len(record):
            return tuple(names)
        at = end + 1


_LAST = "\0"


def _with_last(columns: tuple[str, ...]) -> tuple[str, ...]:
    """The names of all fields where lines end with a delimiter: what stands behind the last one has none."""
    return (*columns, _LAST)


def _piece(
    records: Records,
    table: SourceTable,
    file: str,
    text: TextFile,
    columns: tuple[str, ...],
    row: int,
    line: int,
) -> Piece:
    origin = pl.DataFrame(
        {
            ROW: np.arange(row + 1, row + 1 + records.ends.size),
            FILE: pl.repeat(file, records.ends.size, eager=True),
            LINE: line + np.cumsum(records.lines) - records.lines,
            LINES: records.lines,
        },
        schema=dict(ORIGIN),
    )
    texts = _texts(records, text, columns, table.read)
    reasons, readable = records.reasons, records.reasons == Reason.READABLE
    odd = odd_rows(records, texts, columns)
    if table.read.trailing_delimiter:
        odd = {Reason.RAGGED_LINE: (texts[_LAST].str.len_bytes() > 0).arg_true(), **odd}
    for reason, places in odd.items():
        reasons = reasons.copy() if reasons is records.reasons else reasons
        reasons[np.flatnonzero(readable)[places.to_numpy()]] = reason
    raw = origin.filter(readable).with_columns(texts[name] for name in table.columns)
    if reasons is not records.reasons:
        raw = raw.filter(pl.Series(reasons[readable] == Reason.READABLE))
    if may_hold_nothing(records.data, table.read, text.encoding):
        raw = without_nothing(raw, table.columns, table.read, file)
    return Piece(origin.height, raw, _unreadable(records, reasons, origin, text))


def _texts(records: Records, text: TextFile, columns: tuple[str, ...], read: ReadSpec) -> dict[str, pl.Series]:
    """The values of the readable records as the file has them, by the columns' names in batches."""
    names = tuple(raw_name(column) for column in columns)
    texts = text_columns(records, _with_last(names) if read.trailing_delimiter else names, text.encoding)
    if text.translated:
        texts = {name: text.restored_text(column) for name, column in texts.items()}
    if b"=" in records.data and b'="' in records.data:
        texts = {name: unprotected(column) for name, column in texts.items()}
    return texts


def _unreadable(
    records: Records, reasons: npt.NDArray[np.int8], origin: pl.DataFrame, text: TextFile
) -> pl.DataFrame:
    bad, starts = np.flatnonzero(reasons), records.starts
    spans = zip(starts[bad].tolist(), records.ends[bad].tolist(), strict=True)
    return origin[bad].with_columns(
        pl.Series("reason", [Reason(code).name.lower() for code in reasons[bad]], UNREADABLE["reason"]),
        pl.Series("raw", [text.restored(records.data[a:b].rstrip(b"\r")) for a, b in spans], UNREADABLE["raw"]),
    )
