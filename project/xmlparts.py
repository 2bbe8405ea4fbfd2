"""The XML of a workbook's parts, element by element, within bounds.

expat is asked directly, for its callbacks are where a hostile part can be stopped: before an entity is declared,
before a nesting, a row or a tag is kept that no workbook has. Elements are handed on whole; what stands around
them is never kept. Tags are `namespace}name`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat
from zipfile import ZipFile

DEEPEST = 100
"""Elements within elements; a sheet has six levels."""
WIDEST = 400_000
"""Elements within one that is handed on: a row has 16,384 cells, each with a value and perhaps a formula."""
LONGEST_TAG = 1 << 20
"""Bytes of one tag, or between two: a cell has 32,767 characters."""


_MOST_PARTS = 1 << 20
"""Bytes of the list of parts in a zip: a workbook has some dozens of parts."""
_END_OF_ZIP = (1 << 16) + 200
"""A zip ends with what it is made of, and a comment."""
_CHUNK = 1 << 16


class XmlBoundsError(Exception):
    """A workbook is beyond a bound: `str` of it is a sentence, which quotes nothing of the file."""


class HostileXmlError(XmlBoundsError):
    """No program that keeps tables writes such XML."""

    def __init__(self) -> None:
        super().__init__("is no workbook that a program for tables has written")


class TooManyElementsError(XmlBoundsError):
    """A part has more elements than it may."""

    def __init__(self) -> None:
        super().__init__("has more cells than a workbook of its kind")


def refuse_many_parts(path: Path) -> None:
    """HostileXmlError when a zip's list of parts is longer than any workbook's: it is read as a whole."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_OF_ZIP))
        tail = file.read(_END_OF_ZIP)
    at, large = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    if at < 0 or len(tail) < at + 16:
        raise HostileXmlError
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    if size == 0xFFFFFFFF and large >= 0:
        size = int.from_bytes(tail[large + 40 : large + 48], "little")
    if size > _MOST_PARTS:
        raise HostileXmlError


def look_through(archive: ZipFile, *, most: int) -> None:
    """Read all XML of a workbook once, within bounds, before a library reads it without. XmlBoundsError."""
    for name in archive.namelist():
        if name.lower().endswith((".xml", ".rels")):
            reader = ElementReader((), most=most, most_text=0)
            with archive.open(name) as stream:
                while block := stream.read(_CHUNK):
                    _ = [*reader.feed(block)]


class ElementReader:
    """Takes a part in blocks, and gives the elements of the `wanted` names that have come to their end.

    most: elements in the whole part. most_text: characters within one element that is handed on. encoding: None
    for the one that the XML declares.
    """

    def __init__(
        self, wanted: Collection[str], *, most: int, most_text: int, encoding: str | None = "utf-8"
    ) -> None:
        self._wanted, self._most, self._most_text = wanted, most, most_text
        self._found: list[Element] = []
        self._builder: TreeBuilder | None = None
        self._depth = self._top = self._seen = self._within = self._text = self._silent = 0
        # Strict in its encoding: what is searched for in bytes elsewhere must not hide in UTF-16.
        parser = expat.ParserCreate(encoding, "}")
        parser.buffer_text = True
        parser.buffer_size = 1 << 16
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.StartDoctypeDeclHandler = self._doctype
        self._parser = parser

    def feed(self, block: bytes, *, last: bool = False) -> Iterator[Element]:
        """The elements that end in this block. HostileXmlError, TooManyElementsError, or expat's own error when it
        is no XML."""
        self._silent += len(block)
        self._parser.Parse(block, last)
        if self._silent > LONGEST_TAG:
            raise HostileXmlError
        found, self._found = self._found, []
        yield from found

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._silent = 0
        self._depth += 1
        self._seen += 1
        if self._depth > DEEPEST:
            raise HostileXmlError
        if self._seen > self._most:
            raise TooManyElementsError
        if self._builder is None:
            if tag.rpartition("}")[2] not in self._wanted:
                return
            self._builder, self._top, self._within, self._text = TreeBuilder(), self._depth, 0, 0
        self._within += 1
        if self._within > WIDEST:
            raise HostileXmlError
        self._builder.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self._silent = 0
        if self._builder is not None:
            self._builder.end(tag)
            if self._depth == self._top:
                self._found.append(self._builder.close())
                self._builder = None
        self._depth -= 1

    def _data(self, text: str) -> None:
        if self._builder is not None:
            self._text += len(text)
            if self._text > self._most_text:
                raise HostileXmlError
            self._builder.data(text)

    def _doctype(self, *_: object) -> None:
        """Entities are declared there, and no workbook declares any but those that attack."""
        raise HostileXmlError
