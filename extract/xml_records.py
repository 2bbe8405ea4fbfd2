"""XML: the elements of one path are the records. No entities, no external parts, bounds on everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element
from xml.parsers.expat import ExpatError

from casebridge.extract.dump import Part, Piece, SourceTable, stamp
from casebridge.extract.nested import Record, SameNameError, columns_of, nested_pieces, same_name
from casebridge.project.batch import file_digest
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec
from casebridge.project.xmlparts import ElementReader, XmlBoundsError

_CHUNK = 1 << 16
_MOST = 1 << 40
_SHOWN = 20
_AGAIN = "ask for the file again; it must be well-formed, without a document type"
_NIL = "http://www.w3.org/2001/XMLSchema-instance}nil"


class _PathReader(ElementReader):
    """Gives the elements at one path below the root, names without their namespaces."""

    def __init__(self, path: tuple[str, ...], longest: int) -> None:
        super().__init__((), most=_MOST, most_text=longest, encoding=None)
        self._path, self._names = path, list[str]()
        self.others: Counter[str] = Counter()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._names.append(_local(tag))
        below = tuple(self._names[1:])
        if below and len(below) <= len(self._path) and below[:-1] == self._path[: len(below) - 1]:
            self.others[below[-1]] += below != self._path[: len(below)]
        self._wanted = (self._names[-1],) if tuple(self._names[1:]) == self._path else ()
        super()._start(tag, attributes)

    def _end(self, tag: str) -> None:
        super()._end(tag)
        self._names.pop()


class _PathCounter(ElementReader):
    """Counts the elements at each path of one or two names below the root; keeps none."""

    def __init__(self) -> None:
        super().__init__((), most=_MOST, most_text=0, encoding=None)
        self.counts, self._names = Counter[tuple[str, ...]](), list[str]()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._names.append(_local(tag))
        if 2 <= len(self._names) <= 3:
            self.counts[tuple(self._names[1:])] += 1
        super()._start(tag, attributes)

    def _end(self, tag: str) -> None:
        super()._end(tag)
        self._names.pop()


def likely_elements(path: Path, name: str) -> list[str]:
    """The paths whose elements look like records, for `element`: those that repeat below the root, or below an
    element there that stands once. SourceError when the file is no XML that is read."""
    counter = _PathCounter()
    _ = [*_fed(counter, path, name)]
    several = [names for names, count in counter.counts.items() if count > 1]
    found = [names for names in several if len(names) == 1 or counter.counts[names[:1]] == 1]
    return ["/".join(names) for names in sorted(found)]


def xml_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """Every name in the file's records: all of it is read."""
    return columns_of(_records(path, name, read), read.nested, name)


def examine_xml(path: Path, name: str, read: ReadSpec) -> Part:
    """The file's checksum, and what it has beside the records: its columns have been read from all of it."""
    before, reader = stamp(path), _PathReader(tuple(read.element.split("/")), read.longest)
    for _ in _elements(path, name, read, reader):
        pass
    others = ", ".join(f"{count:,} `{element}`" for element, count in sorted((+reader.others).items())[:_SHOWN])
    notes = (f"beside `{read.element}` it has {others}: not read by this spec",) if others else ()
    return Part(path, name, before[0], None, file_digest(path), before, notes)


def read_xml(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The records; `_line` is the record's place in the file."""
    with part.open():
        yield from nested_pieces(_records(part.path, part.name, table.read), table, part.name, first)


def _records(path: Path, name: str, read: ReadSpec) -> Iterator[Record]:
    if not path.is_file():
        raise SourceError(name, "is no file", hint="name a file in `file` of its spec")
    repeated = _repeated(path, name, read)
    for number, element in enumerate(_elements(path, name, read), 1):
        try:
            value = _value(element, "", repeated)
        except SameNameError:
            raise same_name(name, number) from None
        yield Record(number, value if isinstance(value, dict) else {"value": value})


def _elements(path: Path, name: str, read: ReadSpec, reader: _PathReader | None = None) -> Iterator[Element]:
    yield from _fed(reader or _PathReader(tuple(read.element.split("/")), read.longest), path, name)


def _fed(reader: ElementReader, path: Path, name: str) -> Iterator[Element]:
    try:
        with path.open("rb") as file:
            while block := file.read(_CHUNK):
                yield from reader.feed(block)
        yield from reader.feed(b"", last=True)
    except XmlBoundsError:
        what = "has a document type, or is nested or long beyond what any export is"
        raise SourceError(name, what, hint=_AGAIN) from None
    except (ExpatError, LookupError, ValueError) as error:
        where = f" in line {error.lineno:,}" if isinstance(error, ExpatError) else ""
        raise SourceError(name, f"is no well-formed XML{where}", hint=_AGAIN) from None


def _repeated(path: Path, name: str, read: ReadSpec) -> frozenset[str]:
    """The names, with dots, of elements that stand more than once in some record: lists in every record."""
    found: set[str] = set()

    def look(element: Element, prefix: str) -> None:
        seen: set[str] = set()
        for child in element:
            below = prefix + _local(child.tag)
            if below in seen:
                found.add(below)
            seen.add(below)
            look(child, f"{below}.")

    for element in _elements(path, name, read):
        look(element, "")
    return frozenset(found)


def _value(element: Element, prefix: str, repeated: frozenset[str]) -> Any:
    """A text, null where it says `xsi:nil`, or a record: attributes as `@name`, text beside others as `#text`."""
    if element.get(_NIL) in {"true", "1"} and len(element.attrib) == 1:
        return None
    text = "".join([element.text or "", *(child.tail or "" for child in element)])
    if not len(element) and not element.attrib:
        return text
    made: dict[str, Any] = {f"@{_local(key)}": value for key, value in element.attrib.items()}
    if len(made) < len(element.attrib):
        raise SameNameError
    if text.strip():
        made["#text"] = text
    for child in element:
        name = _local(child.tag)
        value = _value(child, f"{prefix}{name}.", repeated)
        if prefix + name in repeated:
            made.setdefault(name, []).append(value)
        else:
            made[name] = value
    return made


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]
