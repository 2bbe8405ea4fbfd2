"""The reader of delimited text: CSV and its kin."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from casebridge.extract.columns import text_columns
from casebridge.extract.dump import Part, Piece, SourceTable, counted
from casebridge.extract.examine import examine_text, refuse_binary
from casebridge.extract.prefetch import prefetch
from casebridge.extract.quoting import Lookahead, Quoting
from casebridge.extract.records import Reason, Records, RecordTooLongError, split
from casebridge.project.contracts import FILE, LINE, LINES, ORIGIN, ROW, UNREADABLE
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec


def delimited_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """The names in the first record, without blanks around them."""
    refuse_binary(path, name, read)
    with path.open("rb") as file:
        columns, _, _ = _header(file, path.stat().st_size, read)
    if not columns:
        hint = "ask for this file again, with the columns' names in its first line"
        raise SourceError(name, "has no header that can be read in its first line", hint=hint)
    return columns


def examine_delimited(path: Path, name: str, read: ReadSpec) -> Part:
    """The file's checksum and its encoding, and whether its last record is whole."""
    return examine_text(path, name, read, lambda: _ends_whole(path, name, read))


def _ends_whole(path: Path, name: str, read: ReadSpec) -> bool:
    """Whether the last record can be read. What it begins with is known only from reading all of them."""
    size, reason = path.stat().st_size, int(Reason.READABLE)
    with path.open("rb") as file:
        columns, at, _ = _header(file, size, read)
        for records in _records(file, name, size, at, columns, read):
            reason = int(records.reasons[-1])
    return reason not in (Reason.RAGGED_LINE, Reason.BROKEN_QUOTE)


def read_delimited(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:
    """The records of one file, row numbers counted on from `first`; those up to `after` only counted."""
    with part.open() as file:
        columns, at, line = _header(file, part.bytes, table.read)
        row = first
        for records in prefetch(_records(file, part.name, part.bytes, at, columns, table.read)):
            count = records.ends.size
            if row + count <= after:
                yield counted(count, table.columns)
            else:
                yield _piece(records, table, part.name, columns, row, line)
            row, line = row + count, line + int(records.lines.sum())


def _records(
    file: BinaryIO, name: str, size: int, at: int, columns: tuple[str, ...], read: ReadSpec
) -> Iterator[Records]:
    try:
        yield from split(file, size, at, read.delimiter, len(columns), read.encoding)
    except RecordTooLongError as error:
        hint = "look for a missing line end or a stray quote there; no table has records of that size"
        raise SourceError(name, str(error), hint=hint) from error


def _header(file: BinaryIO, size: int, read: ReadSpec) -> tuple[tuple[str, ...], int, int]:
    """The columns, none if the first record cannot be read; the byte and the physical line where the
    second record begins."""
    text = Lookahead(file, size)
    begin = len(codecs.BOM_UTF8) if text.window(0, 3) == codecs.BOM_UTF8 else 0
    if begin >= text.end:
        return (), text.end, 1
    verdict = Quoting(text, ord(read.delimiter)).record(begin)
    if verdict.quoted is None:
        return (), text.end, 1
    record = text.window(begin, verdict.end + 1 - begin).decode(read.encoding, "replace")
    try:
        columns = next(csv.reader(io.StringIO(record, newline=""), delimiter=read.delimiter))
    except csv.Error:
        return (), text.end, 1
    return tuple(column.strip() for column in columns), verdict.end + 1, 1 + record.count("\n")


def _piece(
    records: Records, table: SourceTable, file: str, columns: tuple[str, ...], row: int, line: int
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
    good = records.reasons == Reason.READABLE
    texts = text_columns(records, columns, table.read.encoding)
    raw = origin.filter(good).with_columns(texts[name] for name in table.columns)
    return Piece(origin.height, raw, _unreadable(records, origin))


def _unreadable(records: Records, origin: pl.DataFrame) -> pl.DataFrame:
    bad = np.flatnonzero(records.reasons)
    spans = zip(records.starts[bad].tolist(), records.ends[bad].tolist(), strict=True)
    return origin[bad].with_columns(
        pl.Series("reason", [Reason(code).name.lower() for code in records.reasons[bad]], UNREADABLE["reason"]),
        pl.Series("raw", [records.data[a:b].removesuffix(b"\r") for a, b in spans], UNREADABLE["raw"]),
    )
