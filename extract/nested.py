"""Records that hold other records (JSON, XML) as rows: names with dots, and lists as tables of their own.

    {"no": 1, "name": {"last": "Ng"}, "pets": [{"kind": "cat"}]}

gives the columns `no`, `name.last`, and `pets[]`, which says how many items the list has. With `list = "pets"` the
items are the rows: `kind`, `parent[]` (the item's place in its list, from 1), and `parent.no`, `parent.name.last`,
`parent.pets[]`. An item that is no record has its text in `value`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casebridge.extract.dump import Piece, SourceTable
from casebridge.extract.records import Reason
from casebridge.extract.row_formats import Row, pieces
from casebridge.project.contracts import raw_name
from casebridge.project.errors import SourceError, counted
from casebridge.project.lines import MOST_COLUMNS

DEEPEST = 32
"""Records within records. Exports of people's tables have some four."""
NO_RECORD = "has no record"
"""What is said of a file, or of a list in it, without any."""
PLACE, VALUE, OF_PARENT = "parent[]", "value", "parent."


@dataclass(frozen=True)
class Record:
    """One record of a file: where it begins, and what it holds, or its bytes where that cannot be read."""

    line: int
    value: Any = None
    raw: bytes | None = None


class TooDeepError(Exception):
    """Records are nested deeper than any export's."""


class SameNameError(Exception):
    """Two values of a record have one name: one of them would be lost."""


class ListInListError(Exception):
    """The items of a list are lists: nothing says what is in them."""


def _joined(*parts: Mapping[str, str | None]) -> dict[str, str | None]:
    made = {name: value for part in parts for name, value in part.items()}
    if len(made) < sum(map(len, parts)):
        raise SameNameError
    return made


def same_name(name: str, line: int) -> SourceError:
    """What is told of a file with a SameNameError."""
    hint = "`a.b` is one name, as is `b` within `a`: ask for the file again with other names"
    return SourceError(name, f"has two values of one name in the record at {line:,}", hint=hint)


def columns_of(records: Iterable[Record], path: str, name: str) -> tuple[str, ...]:
    """Every name that a row of a file has, in the order in which they first occur. SourceError when there are more
    than a table has."""
    found: dict[str, None] = {}
    broken = 0
    for record in records:
        broken += record.raw is not None
        for row in _rows(record, path, name):
            found.update(dict.fromkeys(row))
            if len(found) > MOST_COLUMNS:
                what = f"has more than {MOST_COLUMNS:,} different names in its records"
                raise SourceError(name, what, hint="its names are values: ask for a list of records instead")
    if broken and not found and not path:
        hint = "ask for one record in braces a line, without line ends in it, or for one array: [{…}, {…}]"
        raise SourceError(name, f"has {counted(broken, 'line')}, and none is a record", hint=hint)
    if not found:
        hint = "look at `list` and `element` in its spec's [read]; else ask for the file again"
        raise SourceError(name, NO_RECORD, hint=hint)
    return tuple(found)


def nested_pieces(records: Iterable[Record], table: SourceTable, file: str, first: int) -> Iterator[Piece]:
    """The rows of a file, numbered on from `first`. A name that a record lacks is null."""
    yield from pieces(_placed(records, table, file), table, file, first)


def _placed(records: Iterable[Record], table: SourceTable, file: str) -> Iterator[Row]:
    known = frozenset(table.columns)
    for record in records:
        if record.raw is not None:
            yield Row(record.line, (), Reason.BROKEN_RECORD, record.raw)
            continue
        for row in _rows(record, table.read.nested, file):
            if any(value and "\0" in value for value in row.values()):
                raw = "\t".join(value or "" for value in row.values()).encode("utf-8")
                yield Row(record.line, (), Reason.NUL_BYTE, raw)
                continue
            named = {raw_name(name): value for name, value in row.items()}
            if not named.keys() <= known:
                hint = "wait until whoever writes it has finished, then run this again"
                raise SourceError(file, "has names in its records that were not there before", hint=hint)
            yield Row(record.line, tuple(named.get(column) for column in table.columns))


def _rows(record: Record, path: str, name: str) -> Iterator[dict[str, str | None]]:
    if record.raw is not None:
        return
    try:
        if not path:
            yield _own(record.value)
            return
        for item, parents in _items(record.value, path.split("."), ()):
            above = (flattened(parent, OF_PARENT * level) for level, (parent, _) in enumerate(parents, 1))
            yield _joined(_own(item), {PLACE: str(parents[0][1])}, *above)
    except TooDeepError:
        hint = f"no export of tables nests deeper than {DEEPEST}: ask for the file again"
        raise SourceError(name, f"nests records deeper than {DEEPEST}", hint=hint) from None
    except SameNameError:
        raise same_name(name, record.line) from None
    except ListInListError:
        what = f"has a list within a list in the record at {record.line:,}"
        raise SourceError(name, what, hint="ask for the file again, with records in its lists") from None


_Parents = tuple[tuple[Mapping[str, Any], int], ...]


def _items(node: Any, path: Sequence[str], parents: _Parents) -> Iterator[tuple[Any, _Parents]]:
    """The items at a path, each with those that hold it, the nearest first, and the places in their lists."""
    if not path:
        yield node, parents
        return
    if not isinstance(node, Mapping) or node.get(path[0]) is None:
        return
    value = node[path[0]]
    for place, item in enumerate(value if isinstance(value, list) else [value], 1):
        if isinstance(item, list):
            raise ListInListError
        yield from _items(item, path[1:], ((node, place), *parents))


def _own(item: Any) -> dict[str, str | None]:
    return flattened(item) if isinstance(item, Mapping) else {VALUE: _text(item)}


def flattened(record: Mapping[str, Any], prefix: str = "", depth: int = 1) -> dict[str, str | None]:
    """Name and text of each value of a record. TooDeepError beyond DEEPEST, SameNameError for `a.b` beside `b`
    within `a`.

    >>> flattened({"a": "1", "b": {"c": None}, "d": [1, 2]})
    {'a': '1', 'b.c': None, 'd[]': '2'}
    """
    if depth > DEEPEST:
        raise TooDeepError
    found: dict[str, str | None] = {}
    given = 0
    for key, value in record.items():
        if isinstance(value, Mapping):
            part = flattened(value, f"{prefix}{key}.", depth + 1)
        elif isinstance(value, list):
            part = {f"{prefix}{key}[]": str(len(value))}
        else:
            part = {f"{prefix}{key}": _text(value)}
        found |= part
        given += len(part)
    if len(found) < given:
        raise SameNameError
    return found


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value).lower()
