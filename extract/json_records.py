"""JSON: one record a line (NDJSON), or one array of records. Numbers stay the text that they are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from casebridge.extract.dump import Part, Piece, SourceTable, stamp
from casebridge.extract.nested import Record, columns_of, nested_pieces
from casebridge.project.batch import file_digest
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

_CHUNK = 1 << 20
_AGAIN = "ask for the file again: one record in braces a line, or one array of records, in UTF-8"
_OTHER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_BLANKS = " \t\r\n"
_NOT_BLANK = re.compile(r"[^ \t\r\n]")


class _Doubled(ValueError):
    """A record has a name twice: one of its values would be lost."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _Doubled
    return made


def _same(text: str) -> str:
    return text


def _has_half_signs(value: Any) -> bool:
    """Whether a text holds one half of a sign that takes two (`\\ud83d` alone): it is no text."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


_DECODER = json.JSONDecoder(parse_int=_same, parse_float=_same, parse_constant=_same, object_pairs_hook=_unique)


def json_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:
    """Every name in the file's records: all of it is read. None in an array without records: it is a table of no
    rows, and only its specs know the columns."""
    return () if _is_empty_array(path) else columns_of(_records(path, name, read), read.nested, name)


def _is_empty_array(path: Path) -> bool:
    """Whether the file is `[]` and blanks."""
    if path.is_file() and path.stat().st_size <= _CHUNK:
        return b"".join(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split()) == b"[]"
    return False


def examine_json(path: Path, name: str, read: ReadSpec) -> Part:  # noqa: ARG001
    """The file's checksum: its columns have been read from all of it."""
    before = stamp(path)
    return Part(path, name, before[0], None, file_digest(path), before)


def read_json(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The records; `_line` is the line, in an array the record's place."""
    with part.open():
        yield from nested_pieces(_records(part.path, part.name, table.read), table, part.name, first)


def _records(path: Path, name: str, read: ReadSpec) -> Iterator[Record]:
    if not path.is_file():
        raise SourceError(name, "is no file", hint="name a file in `file` of its spec")
    with path.open("rb") as file:
        begin = file.read(_CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip()
        if begin.startswith(_OTHER_MARKS) or b"\0" in begin[:4]:
            raise SourceError(name, "is written in UTF-16 or UTF-32, and not in UTF-8", hint=_AGAIN)
        file.seek(0)
        yield from _array(file, name, read) if begin.startswith(b"[") else _lines(file, name, read)


def _lines(file: IO[bytes], name: str, read: ReadSpec) -> Iterator[Record]:
    """A line that is no record is kept as it is; blank lines are none."""
    number = 0
    while line := file.readline(read.longest + 1):
        number += 1
        if len(line) > read.longest:
            raise _too_long(name, number, read)
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.strip():
            yield _record(number, text, name)


def _record(number: int, line: bytes, name: str) -> Record:
    try:
        value, end = _DECODER.raw_decode(line.decode("utf-8").strip())
        sound = isinstance(value, dict) and end == len(line.decode("utf-8").strip())
        sound = sound and not (b"\\u" in line and _has_half_signs(value))
    except RecursionError:
        raise _too_deep(name, number) from None
    except ValueError:  # no JSON, no UTF-8, a name twice
        sound, value = False, None
    return Record(number, value) if sound else Record(number, raw=line.rstrip(b"\r\n"))


def _array(file: IO[bytes], name: str, read: ReadSpec) -> Iterator[Record]:
    """The records of an array, some bytes at a time. An array that is broken is refused whole: what comes behind
    the place cannot be told."""
    text, number, held, ended = "", 0, b"", False
    started = False
    while True:
        block = file.read(_CHUNK)
        held += block
        more, held = _decoded(held, name, last=not block)
        text += more
        if not started:
            text = text.lstrip("\ufeff").lstrip(_BLANKS)
            text, started = text[1:], bool(text)
        at = _behind_blanks(text, 0)
        while at < len(text) and not ended:
            if text[at] == "]":
                at, ended = at + 1, True
                continue
            found = _next(text, at, name, number + 1, whole=not block)
            if found is None:
                break
            value, at = found
            number += 1
            yield Record(number, value)
        text = text[at:]
        if ended and text.strip(_BLANKS):
            raise _broken(name, number)
        if not block:
            break
        if len(text) > read.longest:
            raise _too_long(name, number + 1, read)
    if not ended:
        raise SourceError(name, "ends before its array does: it was cut off", hint=_AGAIN)


def _behind_blanks(text: str, at: int) -> int:
    """Where something stands again."""
    match = _NOT_BLANK.search(text, at)
    return match.start() if match else len(text)


def _next(text: str, at: int, name: str, number: int, *, whole: bool) -> tuple[dict[str, Any], int] | None:
    """The next record and where something stands behind it; None when more of the file is needed."""
    begin = _behind_blanks(text, at + 1) if text[at] == "," and number > 1 else at
    try:
        value, end = _DECODER.raw_decode(text, begin)
    except RecursionError:
        raise _too_deep(name, number) from None
    except _Doubled:
        raise SourceError(name, f"record {number:,} has a name twice", hint=_AGAIN) from None
    except ValueError:
        if whole:
            raise _broken(name, number) from None
        return None
    behind = _behind_blanks(text, end)
    if behind == len(text) and not whole:
        return None
    halves = "\\u" in text[begin:end] and _has_half_signs(value)
    if not isinstance(value, dict) or (behind < len(text) and text[behind] not in ",]") or halves:
        raise _broken(name, number)
    return value, behind


def _decoded(data: bytes, name: str, *, last: bool) -> tuple[str, bytes]:
    """Text, and the bytes of a character that the block has cut."""
    try:
        return data.decode("utf-8"), b""
    except UnicodeDecodeError as error:
        if not last and error.start >= len(data) - 4:
            return data[: error.start].decode("utf-8"), data[error.start :]
        raise SourceError(name, "is no text in UTF-8, as JSON is", hint=_AGAIN) from None


def _broken(name: str, number: int) -> SourceError:
    return SourceError(name, f"is no array of records: record {number:,} cannot be read", hint=_AGAIN)


def _too_deep(name: str, number: int) -> SourceError:
    return SourceError(name, f"record {number:,} nests deeper than any export does", hint=_AGAIN)


def _too_long(name: str, number: int, read: ReadSpec) -> SourceError:
    hint = "set `longest_record` under [reading] in casebridge.toml if that is right"
    return SourceError(name, f"record {number:,} is longer than {read.longest:,} bytes", hint=hint)
