"""Spreadsheets, by way of petl: the first sheet, names in its first row, every cell as text."""

from __future__ import annotations

import datetime as dt
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import ParseError

import petl

from casebridge.extract.dump import Part, Piece, SourceTable, stamp
from casebridge.extract.records import Reason
from casebridge.extract.row_formats import Row, pieces
from casebridge.project.batch import file_digest
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

_UNREADABLE = (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError)


def sheet_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:  # noqa: ARG001
    """The names in the first row, without blanks around them."""
    try:
        header = next(_cells(path), ())
    except _UNREADABLE:
        hint = "save it again as .xlsx, or export it as CSV and change `format` in its spec"
        # Not `from` the error: it may quote a cell.
        raise SourceError(name, "is no .xlsx spreadsheet that can be read", hint=hint) from None
    return tuple(cell.strip() for cell in _trimmed(header))


def examine_sheet(path: Path, name: str, read: ReadSpec) -> Part:  # noqa: ARG001
    """The file's checksum. That a workbook has more sheets than the one that is read, is said."""
    before = stamp(path)
    with zipfile.ZipFile(path) as book:
        sheets = sum(part.startswith("xl/worksheets/") and part.endswith(".xml") for part in book.namelist())
    notes = (f"only the first of its {sheets} sheets is read",) if sheets > 1 else ()
    return Part(path, name, before[0], None, file_digest(path), before, notes)


def read_sheet(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The rows below the header; `_line` is the row of the sheet."""
    with part.open():
        cells = _cells(part.path)
        columns = tuple(cell.strip() for cell in _trimmed(next(cells, ())))
        order = [columns.index(name) for name in table.columns]
        yield from pieces(_rows(cells, order), table, part.name, first)


def _rows(cells: Iterator[tuple[str, ...]], order: list[int]) -> Iterator[Row]:
    """Empty rows count as ragged lines, but not those below the last row that has anything."""
    empty: list[Row] = []
    for number, row in enumerate(cells, 2):
        held = _trimmed(row)
        if not held:
            empty.append(Row(number, (), Reason.RAGGED_LINE))
            continue
        yield from empty
        empty.clear()
        if len(held) > len(order):
            yield Row(number, (), Reason.RAGGED_LINE, "\t".join(held).encode())
        else:
            filled = held + ("",) * (len(order) - len(held))
            yield Row(number, tuple(filled[place] for place in order))


def _cells(path: Path) -> Iterator[tuple[str, ...]]:
    """All rows of the first sheet as text. What openpyxl cannot keep of a workbook (styles, validation) is
    no concern of ours, so its warnings are not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = petl.fromxlsx(str(path), data_only=True)
        rows = list(table)
    for row in rows:
        yield tuple(_text(cell) for cell in row)


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def _trimmed(row: tuple[str, ...]) -> tuple[str, ...]:
    """The row without the blank cells at its end."""
    size = len(row)
    while size and not row[size - 1].strip():
        size -= 1
    return row[:size]
