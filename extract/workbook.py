"""A workbook as a zip of XML parts: its sheets, shared texts and number formats, within bounds.

Read here and not by openpyxl, which has no words for a formula without a result, leaves escapes in texts,
knows no strict files, and takes a whole workbook into memory before it can be told to stop. Element names are
taken without their namespace, so strict files and others read the same.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError

from casebridge.extract.numberformats import BUILTIN
from casebridge.project.errors import SourceError, did_you_mean
from casebridge.project.spec import ReadSpec
from casebridge.project.xmlparts import (
    LONGEST_TAG,
    ElementReader,
    HostileXmlError,
    TooManyElementsError,
    refuse_many_parts,
)

_CHUNK = 1 << 16
_OF_A_CELL = 4
_AGAIN = "save it again as .xlsx, or export it as CSV and change `format` in its spec"
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=\"([A-Z0-9:]+)\"")

_HIDDEN = re.compile(rb"<(?:\w+:)?row\s[^>]*?\bhidden=\"(?:1|true)\"")


class NotAWorkbookError(Exception):
    """The file is no workbook that can be read. It carries nothing of what the file holds."""


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook. `part` is its place in the zip; only work sheets have cells."""

    name: str
    part: str
    hidden: bool
    has_cells: bool
    """Whether it is a work sheet, and no chart."""


class Workbook:
    """An open workbook. Every byte that is unpacked counts towards the bound."""

    def __init__(self, archive: zipfile.ZipFile, name: str, read: ReadSpec) -> None:
        self._archive, self._name, self._read = archive, name, read
        self._unpacked = self._cells = 0
        main = next((goal for kind, goal in self._links("").values() if kind == "officeDocument"), "")
        if not main or main.endswith(".bin"):
            raise NotAWorkbookError
        self._links_of_book = self._links(main)
        self.epoch_1904 = self.calculates_on_load = False
        found: list[Element] = []
        for element in self._elements(main, {"sheet", "workbookPr", "calcPr"}):
            kind = _local(element.tag)
            if kind == "sheet":
                found.append(element)
            elif kind == "workbookPr":
                self.epoch_1904 = element.get("date1904", "0") in {"1", "true"}
            else:
                self.calculates_on_load = element.get("fullCalcOnLoad", "0") in {"1", "true"}
        self.sheets = tuple(self._sheet(element) for element in found)

    def _sheet(self, element: Element) -> Sheet:
        link = next((value for key, value in element.items() if _local(key) == "id" and key != "id"), "")
        kind, part = self._links_of_book.get(link, ("", ""))
        hidden = element.get("state", "visible") != "visible"
        return Sheet(element.get("name", ""), part, hidden, kind == "worksheet")

    @cached_property
    def chosen(self) -> Sheet:
        """The sheet that is read: the spec's, or the first work sheet that can be seen."""
        if self._read.sheet:
            for sheet in self.sheets:
                if sheet.has_cells and sheet.name == self._read.sheet:
                    return sheet
            names = [sheet.name for sheet in self.sheets if sheet.has_cells]
            hint = did_you_mean(self._read.sheet, names) or "set `sheet` in its spec's [read]"
            raise SourceError(self._name, f"has no sheet `{self._read.sheet}`", hint=hint)
        for sheet in self.sheets:
            if sheet.has_cells and not sheet.hidden:
                return sheet
        hint = "name the sheet to be read: `sheet` in its spec's [read]"
        raise SourceError(self._name, "has no sheet that can be seen", hint=hint)

    @cached_property
    def texts(self) -> list[str]:
        """The shared texts, by number."""
        part = next((goal for kind, goal in self._links_of_book.values() if kind == "sharedStrings"), "")
        return [rich_text(element) for element in self._elements(part, {"si"})] if part else []

    @cached_property
    def formats(self) -> list[str]:
        """The number format of each cell style, by its number."""
        part = next((goal for kind, goal in self._links_of_book.values() if kind == "styles"), "")
        codes, styles = dict(BUILTIN), list[str]()
        for element in self._elements(part, {"numFmt", "cellXfs"}) if part else ():
            if _local(element.tag) == "numFmt":
                codes[int(element.get("numFmtId", 0))] = element.get("formatCode", "")
            else:
                styles = [codes.get(int(style.get("numFmtId", 0)), "General") for style in element]
        return styles

    def rows(self) -> Iterator[Element]:
        """The rows of the sheet that is read, as XML, those that the file has."""
        for number, row in enumerate(self._elements(self.chosen.part, {"row"}), 1):
            if number > self._read.most_rows:
                hint = "export it as CSV, or set `workbook_rows` under [reading] in casebridge.toml"
                raise SourceError(self._name, f"has more than {self._read.most_rows:,} rows", hint=hint)
            yield row

    def count(self, cells: int) -> None:
        """So many cells more are taken, empty ones up to the last of their row among them. SourceError when they
        are too many."""
        self._cells += cells
        if self._cells > self._read.most_cells:
            raise self._too_many()

    def _too_many(self) -> SourceError:
        hint = "export it as CSV, or set `workbook_cells` under [reading] in casebridge.toml"
        return SourceError(self._name, f"has more than {self._read.most_cells:,} cells", hint=hint)

    def is_filled(self, sheet: Sheet) -> bool:
        """Whether some cell of a sheet has a value. One that cannot be read counts: whoever reads it is told."""
        try:
            return sheet.has_cells and any(True for _ in self._elements(sheet.part, {"v", "is"}))
        except (
            SourceError,
            NotAWorkbookError,
            HostileXmlError,
            ExpatError,
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
        ):
            return True

    def layout(self) -> tuple[list[str], int]:
        """The ranges of merged cells, as B2:B4, and how many rows are hidden."""
        found, hidden, held = list[str](), 0, b""
        with self._opened(self.chosen.part) as stream:
            while block := self._taken(stream):
                held += block
                found += [match[1].decode() for match in _MERGED.finditer(held)]
                hidden += len(_HIDDEN.findall(held))
                last = held.rfind(b"<")
                held = held[last:] if last >= 0 and b">" not in held[last:] else b""
                if len(held) > LONGEST_TAG:
                    raise NotAWorkbookError
        return found, hidden

    def _links(self, part: str) -> dict[str, tuple[str, str]]:
        """The parts that a part refers to: what they are and where they lie, by the reference's name."""
        folder, file = posixpath.split(part)
        listed = posixpath.join(folder, "_rels", f"{file}.rels")
        if listed not in self._archive.NameToInfo:
            return {}
        return {
            link.get("Id", ""): (
                link.get("Type", "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, link.get("Target", ""))).lstrip("/"),
            )
            for link in self._elements(listed, {"Relationship"})
            if link.get("TargetMode") != "External"
        }

    def _elements(self, part: str, wanted: set[str]) -> Iterator[Element]:
        """The elements of these names in a part, each whole; what was seen is let go."""
        # A cell may hold a value, a formula, a text of its own and what that is made of.
        most = _OF_A_CELL * self._read.most_cells
        reader = ElementReader(wanted, most=most, most_text=self._read.longest)
        try:
            with self._opened(part) as stream:
                while block := self._taken(stream):
                    yield from reader.feed(block)
            yield from reader.feed(b"", last=True)
        except TooManyElementsError:
            raise self._too_many() from None

    @contextmanager
    def _opened(self, part: str) -> Iterator[IO[bytes]]:
        if part not in self._archive.NameToInfo:
            raise NotAWorkbookError
        with self._archive.open(part) as stream:
            yield stream

    def _taken(self, stream: IO[bytes]) -> bytes:
        block = stream.read(_CHUNK)
        self._unpacked += len(block)
        if self._unpacked > self._read.most_unpacked:
            what = f"is more than {self._read.most_unpacked:,} bytes when it is unpacked"
            hint = "export it as CSV, or set `workbook_size` under [reading] in casebridge.toml"
            raise SourceError(self._name, what, hint=hint)
        return block


@contextmanager
def open_workbook(path: Path, name: str, read: ReadSpec) -> Iterator[Workbook]:
    """The workbook at `path`. SourceError when it is none; it does not carry what the file holds."""
    with path.open("rb") as file:
        if file.read(4) == b"\xd0\xcf\x11\xe0":
            what = "is an old Office document, or one with a password"
            raise SourceError(name, what, hint=_AGAIN)
    failed = False
    try:
        refuse_many_parts(path)
        with zipfile.ZipFile(path) as archive:
            yield Workbook(archive, name, read)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError):
        failed = True
    except (NotAWorkbookError, HostileXmlError, ExpatError):
        failed = True
    except (KeyError, ValueError, IndexError, NotImplementedError, RuntimeError, OverflowError):
        failed = True
    if failed:
        # Not `from` the error: it may quote a cell.
        raise SourceError(name, "is no .xlsx spreadsheet that can be read", hint=_AGAIN) from None


def rich_text(element: Element) -> str:
    """The text of a shared or inline text, its runs joined; readings of characters (phonetic) are left out."""
    made = []
    for child in element:
        kind = _local(child.tag)
        if kind == "t":
            made.append(child.text or "")
        elif kind == "r":
            made += [part.text or "" for part in child if _local(part.tag) == "t"]
    return unescaped("".join(made))


def unescaped(text: str) -> str:
    """A text with `_x000D_` and its like as the characters that they stand for."""
    if "_x" not in text:
        return text
    made = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    return made.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
