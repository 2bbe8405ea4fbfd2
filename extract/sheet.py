"""Workbooks (.xlsx): one sheet, names in one of its rows, every cell as the sheet shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from casebridge.extract.dump import Part, Piece, SourceTable, stamp
from casebridge.extract.numberformats import IMPOSSIBLE, shown
from casebridge.extract.oddities import row_reason
from casebridge.extract.records import Reason
from casebridge.extract.row_formats import Row, pieces
from casebridge.extract.workbook import Workbook, open_workbook, rich_text, unescaped
from casebridge.project.batch import file_digest
from casebridge.project.blanks import bare_text
from casebridge.project.contracts import CELL_FAULT, NO_RESULT, raw_name
from casebridge.project.errors import SourceError, counted
from casebridge.project.spec import ReadSpec

_GAP = 1000
"""More empty rows than this between two that are filled are no part of a table."""
_UNORDERED = (
    "a sheet has each row and each cell once, in order: open it in a spreadsheet, save it again, and look at it"
)
_LAST_ROW, _LAST_COLUMN, _LETTERS = 1_048_576, 16_384, 4
"""Where a sheet ends, and how many letters tell that a column lies beyond."""


@dataclass(frozen=True)
class SheetSeen:
    """One sheet of a workbook of any kind, before any is chosen; `filled` is whether some cell has a value."""

    name: str
    hidden: bool
    filled: bool


@dataclass(frozen=True)
class Area:
    """The part of a sheet that is read: the header's row and the last one, the columns, counted from 1."""

    header: int
    last: int
    left: int
    right: int

    def has(self, row: int, column: int) -> bool:
        """Whether a cell lies in it."""
        return self.header <= row <= self.last and self.left <= column <= self.right


def sheet_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """The names in the header's row, without blanks around them."""
    if not path.is_file():
        raise SourceError(name, "is no file", hint="name a file in `file` of its spec")
    with open_workbook(path, name, read) as book:
        return sheet_titles(_cells(book, read, name))


def workbook_sheets(path: Path, name: str, read: ReadSpec) -> tuple[SheetSeen, ...]:
    """All work sheets, in order."""
    with open_workbook(path, name, read) as book:
        return tuple(
            SheetSeen(sheet.name, sheet.hidden, book.is_filled(sheet)) for sheet in book.sheets if sheet.has_cells
        )


def sheet_titles(rows: Iterator[tuple[int, list[str]]]) -> tuple[str, ...]:
    """The names in the first of these rows, without blanks around them."""
    number, cells = next(rows, (0, []))
    return tuple(bare_text(cell.removeprefix(CELL_FAULT)) for cell in trimmed(cells)) if number else ()


def examine_sheet(path: Path, name: str, read: ReadSpec) -> Part:
    """The file's checksum. What is not read is said; cells that are merged within the table are refused."""
    before = stamp(path)
    with open_workbook(path, name, read) as book:
        area = area_of(read)
        ranges, hidden = book.layout()
        merged = [cells for cells in ranges if _touches(cells, area)]
        if merged:
            more = f" and {len(merged) - 5} more" if len(merged) > 5 else ""
            what = f"has merged cells among the rows of `{book.chosen.name}`: {', '.join(merged[:5])}{more}"
            hint = (
                "whether the value is that of one row or of all is not to be seen: unmerge them and fill each "
                "row; or choose the table by `range` in its spec's [read]"
            )
            raise SourceError(name, what, hint=hint)
        notes = tuple(_notes(book, hidden))
        others = tuple(sheet.name for sheet in book.sheets if sheet != book.chosen and book.is_filled(sheet))
    return Part(path, name, before[0], None, file_digest(path), before, notes, others=others)


def _notes(book: Workbook, hidden_rows: int) -> Iterator[str]:
    if book.chosen.hidden:
        yield f"the sheet that is read, `{book.chosen.name}`, is hidden"
    if hidden_rows:
        rows = f"{counted(hidden_rows, 'row')} of `{book.chosen.name}`"
        yield f"{rows}, hidden by a filter or by hand: read like the others"


def read_sheet(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The rows below the header; `_line` is the row of the sheet."""
    with part.open(), open_workbook(part.path, part.name, table.read) as book:
        cells = _cells(book, table.read, part.name)
        titles = sheet_titles(cells)
        names = [raw_name(title) for title in titles]
        order = [names.index(name) for name in table.columns]
        yield from pieces(sheet_rows(cells, titles, order, table.read), table, part.name, first)


def sheet_rows(
    cells: Iterator[tuple[int, list[str]]], titles: Sequence[str], order: list[int], read: ReadSpec
) -> Iterator[Row]:
    """Empty rows count as ragged lines, but not those below the last row that has anything."""
    expected = area_of(read).header + 1
    for number, row in cells:
        held = trimmed(row)
        if not held:
            continue
        for missing in range(expected, number):
            yield Row(missing, (), Reason.RAGGED_LINE)
        expected = number + 1
        filled = held + [""] * (len(titles) - len(held))
        reason = Reason.RAGGED_LINE if len(held) > len(titles) else row_reason(filled, titles, read)
        if reason is Reason.READABLE:
            yield Row(number, tuple(filled[place] for place in order))
        else:
            yield Row(number, (), reason, "\t".join(held).encode("utf-8", "replace"))


def area_of(read: ReadSpec) -> Area:
    """The part of a sheet that a spec reads."""
    match = re.fullmatch(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]*)", read.cells)
    if not match:
        return Area(read.header, _LAST_ROW, 1, _LAST_COLUMN)
    top = max(int(match[2]), read.header)
    return Area(top, int(match[4] or _LAST_ROW), _column(match[1]), _column(match[3]))


def _touches(cells: str, area: Area) -> bool:
    """Whether a range of merged cells has more than one cell and reaches into the area."""
    match = re.fullmatch(r"([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)", cells)
    if not match or match[1] + match[2] == match[3] + match[4]:
        return False
    above, below = int(match[4]) < area.header, int(match[2]) > area.last
    return not (above or below or _column(match[3]) < area.left or _column(match[1]) > area.right)


def _cells(book: Workbook, read: ReadSpec, name: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row of the area that the file has, from its header on."""
    area, number, before = area_of(read), 0, 0
    for element in book.rows():
        last, number = number, int(element.get("r", number + 1))
        if number <= last:
            raise SourceError(name, f"has row {number:,} behind row {last:,}", hint=_UNORDERED)
        if not area.header <= number <= area.last:
            continue
        row = _row(book, element, area, f"{name}, row {number:,}")
        if not any(row):
            continue
        if before and number - before > _GAP:
            what = f"has {number - before - 1:,} empty rows between the rows {before:,} and {number:,}"
            hint = "delete what stands below its table, or choose the table by `range` in its spec's [read]"
            raise SourceError(name, what, hint=hint)
        if not before and number != area.header:
            return  # the header's row is empty
        before = number
        yield number, row


def _row(book: Workbook, element: Element, area: Area, name: str) -> list[str]:
    row, column = list[str](), 0
    for cell in element:
        place = cell.get("r", "").rstrip("0123456789")
        last, column = column, _column(place[:_LETTERS]) if place else column + 1
        if not last < column <= _LAST_COLUMN:
            what = "has a cell behind the last column of a sheet" if column > last else "has its cells in no order"
            raise SourceError(name, what, hint=_UNORDERED)
        if not area.left <= column <= area.right:
            continue
        text = _shown(book, cell)
        if text:
            row += [""] * (column - area.left - len(row))
            row[column - area.left :] = [text]
    book.count(len(row))
    return row


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _shown(book: Workbook, cell: Element) -> str:
    """A cell's text. What is no value begins with CELL_FAULT."""
    kind, stored, formula, inline = cell.get("t", "n"), None, False, ""
    for child in cell:
        tag = child.tag.rpartition("}")[2]
        if tag == "v":
            stored = child.text
        elif tag == "f":
            formula = True
        elif tag == "is":
            inline = rich_text(child)
    if kind == "inlineStr":
        return inline
    if stored is None or not stored.strip():
        return NO_RESULT if formula and kind != "str" else stored or ""
    if formula and book.calculates_on_load and stored == "0":
        return NO_RESULT  # written by a program that leaves the result to Excel
    return _text(book, kind, stored, int(cell.get("s", 0)))


def _text(book: Workbook, kind: str, stored: str, style: int) -> str:
    if kind == "s":
        return book.texts[int(stored)]
    if kind == "str":
        return unescaped(stored)
    if kind == "e":
        return CELL_FAULT + stored
    if kind == "b":
        return "TRUE" if stored.strip() in {"1", "true"} else "FALSE"
    if kind == "d":
        day, _, clock = stored.strip().partition("T")
        return f"{day} {clock}" if clock.strip("0:.Z") else day
    code = book.formats[style] if style < len(book.formats) else "General"
    text = shown(stored.strip(), code, epoch_1904=book.epoch_1904)
    return CELL_FAULT + text if text == IMPOSSIBLE else text


def trimmed(row: list[str]) -> list[str]:
    """The row without the blank cells at its end."""
    size = len(row)
    while size and not row[size - 1].strip():
        size -= 1
    return row[:size]
