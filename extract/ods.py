"""OpenDocument spreadsheets (.ods): one sheet, names in one of its rows, each value as the sheet shows it."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError

from casebridge.extract.dump import Part, Piece, SourceTable, stamp
from casebridge.extract.numberformats import plain
from casebridge.extract.row_formats import pieces
from casebridge.extract.sheet import SheetSeen, area_of, sheet_rows, sheet_titles
from casebridge.project.batch import file_digest
from casebridge.project.contracts import CELL_FAULT, raw_name
from casebridge.project.errors import SourceError, counted, did_you_mean
from casebridge.project.spec import ReadSpec
from casebridge.project.xmlparts import ElementReader, TooManyElementsError, XmlBoundsError, refuse_many_parts

_CHUNK = 1 << 16
_PART = "content.xml"
_AGAIN = "save it again in LibreOffice or Excel as .ods or .xlsx, without a password; or export it as CSV"
_OF_A_CELL, _GAP, _LAST_COLUMN = 5, 1000, 16_384
_NUMBERS = {"float", "percentage", "currency"}
_PADDED = re.compile(r"[0-9 ():/+-]+")
_CLOCK = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,](\d+))?S")


@dataclass
class _Sheets:
    """What was seen of a workbook's sheets: names, which are hidden, which hold a value, and hidden rows of the
    one that is read. wanted: the one to read; empty for the first that can be seen, None for none."""

    wanted: str | None
    names: list[str] = field(default_factory=list)
    unseen: set[str] = field(default_factory=set)
    filled: set[str] = field(default_factory=set)
    hidden: int = 0

    @property
    def chosen(self) -> str | None:
        """The sheet that is read: the one that was asked for, or the first that can be seen."""
        if self.wanted is None:
            return None
        return self.wanted or next((name for name in self.names if name not in self.unseen), None)

    @property
    def own(self) -> list[str]:
        """The sheets of the workbook itself: what it keeps of other files stands in tables without a name (DDE),
        or with one that begins with an apostrophe, as no sheet's may."""
        return [name for name in self.names if name and not name.startswith("'")]

    @property
    def inside(self) -> bool:
        """Whether the sheet that is read has begun, and no other after it."""
        return bool(self.names) and self.names[-1] == self.chosen


class _RowReader(ElementReader):
    """Gives the rows of the sheet that is read."""

    def __init__(self, sheets: _Sheets, read: ReadSpec) -> None:
        super().__init__((), most=_OF_A_CELL * read.most_cells, most_text=read.longest)
        self._sheets, self._tables = sheets, 0
        self._style, self._hiding = "", set[str]()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        kind = _local(tag)
        if kind == "style":
            self._style = _attribute(attributes, "name")
        elif kind == "table-properties" and _attribute(attributes, "display") == "false":
            self._hiding.add(self._style)
        elif kind == "table":
            self._tables += 1
            if self._tables == 1:
                name = _attribute(attributes, "name")
                self._sheets.names.append(name)
                self._sheets.unseen |= {name} if _attribute(attributes, "style-name") in self._hiding else set()
        elif kind == "table-cell" and self._sheets.names and self._sheets.names[-1] not in self._sheets.filled:
            self._sheets.filled |= {self._sheets.names[-1]} if _attribute(attributes, "value-type") else set()
        self._wanted = ("table-row",) if self._sheets.inside else ()
        super()._start(tag, attributes)

    def _end(self, tag: str) -> None:
        super()._end(tag)
        self._tables -= _local(tag) == "table"


def ods_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """The names in the header's row, without blanks around them."""
    with _opened(path, name) as stream:
        return sheet_titles(_cells(stream, name, read, _Sheets(read.sheet)))


def ods_sheets(path: Path, name: str, read: ReadSpec) -> tuple[SheetSeen, ...]:
    """All sheets, in order."""
    sheets = _Sheets(None)
    with _opened(path, name) as stream:
        for _ in _fed(stream, name, read, sheets):
            pass
    return tuple(SheetSeen(one, one in sheets.unseen, one in sheets.filled) for one in sheets.own)


def examine_ods(path: Path, name: str, read: ReadSpec) -> Part:
    """The file's checksum. What is not read is said; cells that are merged within the table are refused."""
    before, sheets = stamp(path), _Sheets(read.sheet)
    with _opened(path, name) as stream:
        for _ in _cells(stream, name, read, sheets):
            pass
    others = tuple(one for one in sheets.own if one in sheets.filled and one != sheets.chosen)
    return Part(path, name, before[0], None, file_digest(path), before, tuple(_notes(sheets)), others=others)


def _notes(sheets: _Sheets) -> Iterator[str]:
    if sheets.chosen in sheets.unseen:
        yield f"the sheet that is read, `{sheets.chosen}`, is hidden"
    if sheets.hidden:
        yield f"{counted(sheets.hidden, 'row')}, hidden by a filter or by hand: read like the others"


def read_ods(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The rows below the header; `_line` is the row of the sheet."""
    with part.open(), _opened(part.path, part.name) as stream:
        cells = _cells(stream, part.name, table.read, _Sheets(table.read.sheet))
        titles = sheet_titles(cells)
        names = [raw_name(title) for title in titles]
        order = [names.index(name) for name in table.columns]
        yield from pieces(sheet_rows(cells, titles, order, table.read), table, part.name, first)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[IO[bytes]]:
    if not path.is_file():
        raise SourceError(name, "is no file", hint="name a file in `file` of its spec")
    failed = False
    try:
        refuse_many_parts(path)
        with zipfile.ZipFile(path) as archive, archive.open(_PART) as stream:
            yield stream
    except TooManyElementsError:
        hint = "export it as CSV, or set `workbook_cells` under [reading] in casebridge.toml"
        raise SourceError(name, "has more cells than a spreadsheet may have", hint=hint) from None
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, XmlBoundsError, ExpatError):
        failed = True
    except (KeyError, ValueError, NotImplementedError, RuntimeError, OverflowError):
        failed = True
    if failed:
        raise SourceError(name, "is no .ods spreadsheet that can be read", hint=_AGAIN) from None


def _fed(stream: IO[bytes], name: str, read: ReadSpec, sheets: _Sheets) -> Iterator[Element]:
    reader, unpacked = _RowReader(sheets, read), 0
    while block := stream.read(_CHUNK):
        unpacked += len(block)
        if unpacked > read.most_unpacked:
            what = f"is more than {read.most_unpacked:,} bytes when it is unpacked"
            hint = "export it as CSV, or set `workbook_size` under [reading] in casebridge.toml"
            raise SourceError(name, what, hint=hint)
        yield from reader.feed(block)
    yield from reader.feed(b"", last=True)


def _rows(stream: IO[bytes], name: str, read: ReadSpec, sheets: _Sheets) -> Iterator[Element]:
    yield from _fed(stream, name, read, sheets)
    if read.sheet and read.sheet not in sheets.names:
        hint = did_you_mean(read.sheet, sheets.names) or "set `sheet` in its spec's [read]"
        raise SourceError(name, f"has no sheet `{read.sheet}`", hint=hint)
    if sheets.chosen is None:
        hint = "name the sheet by `sheet` in its spec's [read]"
        raise SourceError(name, "has no sheet that can be seen", hint=hint)


def _cells(stream: IO[bytes], name: str, read: ReadSpec, sheets: _Sheets) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each row that has any, from the header's on. Rows that are repeated come one by one."""
    area, number, before, taken = area_of(read), 0, 0, 0
    for element in _rows(stream, name, read, sheets):
        times = int(_attribute(element.attrib, "number-rows-repeated") or 1)
        row = _row(element, name, read, sheets)[area.left - 1 : area.right]
        first, number = number + 1, number + times
        if not any(row):
            continue
        if number > read.most_rows:
            hint = "export it as CSV, or set `workbook_rows` under [reading] in casebridge.toml"
            raise SourceError(name, f"has more than {read.most_rows:,} rows", hint=hint)
        sheets.hidden += times * (_attribute(element.attrib, "visibility") in {"collapse", "filter"})
        for place in range(max(first, area.header), min(number, area.last) + 1):
            taken += len(row)
            if taken > read.most_cells:
                raise TooManyElementsError
            if before and place - before > _GAP:
                hint = "delete what stands below its table, or choose the table by `range` in its spec's [read]"
                what = f"has {place - before - 1:,} empty rows between the rows {before:,} and {place:,}"
                raise SourceError(name, what, hint=hint)
            if not before and place != area.header:
                return  # the header's row is empty
            before = place
            yield place, row


def _row(element: Element, name: str, read: ReadSpec, sheets: _Sheets) -> list[str]:
    row, column = list[str](), 0
    for cell in element:
        if _local(cell.tag) not in {"table-cell", "covered-table-cell"}:
            continue
        times = int(_attribute(cell.attrib, "number-columns-repeated") or 1)
        spans = (_attribute(cell.attrib, f"number-{what}-spanned") or "1" for what in ("rows", "columns"))
        if any(span != "1" for span in spans):
            hint = (
                "whether the value is that of one row or of all is not to be seen: unmerge them and fill each row"
            )
            raise SourceError(name, f"has merged cells among the rows of `{sheets.chosen}`", hint=hint)
        text = _text(cell)
        if text:
            if column + times > min(_LAST_COLUMN, read.most_cells):
                raise SourceError(name, "has a row of more cells than a sheet has", hint=_AGAIN)
            row += [""] * (column - len(row)) + [text] * times
        column += times
    return row


def _text(cell: Element) -> str:
    kind = _attribute(cell.attrib, "value-type")
    if any(key.endswith("value-type") and value == "error" for key, value in cell.attrib.items()):
        return CELL_FAULT + _paragraphs(cell)
    if kind in _NUMBERS:
        return _number(_attribute(cell.attrib, "value"), _paragraphs(cell).strip())
    if kind == "boolean":
        return _attribute(cell.attrib, "boolean-value").upper()
    if kind == "date":
        day, _, clock = _attribute(cell.attrib, "date-value").partition("T")
        return f"{day} {clock}" if clock.strip("0:.Z") else day
    if kind == "time":
        match = _CLOCK.fullmatch(_attribute(cell.attrib, "time-value"))
        return ":".join(match.group(1, 2, 3)) + (f".{match[4]}" if match[4] else "") if match else CELL_FAULT + "?"
    return _paragraphs(cell)


def _number(stored: str, shown: str) -> str:
    """A number as it is; with its zeros in front and the signs between its digits where it is shown with zeros."""
    number, digits = plain(stored), "".join(filter(str.isdecimal, shown))
    padded = digits.startswith("0") and digits.lstrip("0") == number and _PADDED.fullmatch(shown)
    return shown if padded else number


def _paragraphs(cell: Element) -> str:
    return "\n".join(_written(part) for part in cell if _local(part.tag) == "p")


def _written(part: Element) -> str:
    """A paragraph's text: `text:s` are blanks, `text:tab` and `text:line-break` what they say."""
    made = [part.text or ""]
    for child in part:
        kind = _local(child.tag)
        blanks = " " * int(_attribute(child.attrib, "c") or 1) if kind == "s" else ""
        made.append({"s": blanks, "tab": "\t", "line-break": "\n"}.get(kind) or _written(child))
        made.append(child.tail or "")
    return "".join(made)


def _attribute(attributes: dict[str, str], name: str) -> str:
    """By its name without the namespace."""
    return next((value for key, value in attributes.items() if _local(key) == name), "")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
