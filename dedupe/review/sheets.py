"""Decisions made elsewhere, in a sheet: CSV with commas, semicolons or tabs, in UTF-8 or Windows-1252, or XLSX.

A line without verdict, reviewer and reason is one that nobody has come to yet. Everything else that cannot be
taken is named by its line, all at once, and then nothing of the sheet is taken.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casebridge.dedupe.review.decisions import COLUMNS, Decision, Ruling, decision, register_of, who
from casebridge.project.errors import Problem, SpecError, counted, did_you_mean, printable
from casebridge.project.lists import LARGEST, ListTooLargeError, read_list
from casebridge.project.xmlparts import XmlBoundsError, look_through, refuse_many_parts

_LONGEST = {"left": 200, "right": 200, "reviewer": 100, "reason": 1000}
_GIVEN = ("verdict", "reviewer", "reason")
MOST_UNPACKED, MOST_ROWS, MOST_ELEMENTS, MOST_BAD = 256 << 20, 500_000, 10_000_000, 10_000
"""Bytes of a workbook unpacked, lines, elements of its XML, and bad lines after which nobody reads on."""

Line = tuple[int, Mapping[str, str]]


@dataclass(frozen=True)
class Sheet:
    """What a sheet says: the decisions in it, and how many lines nobody has come to yet."""

    decisions: tuple[Decision, ...]
    untouched: int


def read_sheet(path: Path, systems: Sequence[str], known: Collection[str] | None = None, live: str = "") -> Sheet:
    """The decisions in a sheet with the columns left, right, verdict, reviewer, reason, in any order.

    A key is `system:key`, `system/table:key` in a register that is not of people, or a person's bare key when the
    project has one system. `known` are the records that may be named (None: not known yet). live: the system of a
    live register beside the others. SpecError lists every bad line by its number; then nothing is taken.
    """
    problems: list[Problem] = []
    taken: list[Decision] = []
    untouched = 0
    for number, cells in _lines(path):
        if not any(cells[column] for column in _GIVEN):
            untouched += 1
            continue
        if len(problems) >= MOST_BAD:
            break
        made = _take(path.name, f"line {number}", cells, systems, known, problems, live)
        taken += [made] if made else []
    if problems:
        raise SpecError(problems)
    return Sheet(tuple(taken), untouched)


def _lines(path: Path) -> Iterator[Line]:
    """The lines below the header, by number, with the cells of our columns."""
    return _named(path.name, sheet_rows(path))


def sheet_rows(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """The lines of a CSV file or of a workbook's first sheet, by number from 1, cells as text.

    SpecError when it can be read as neither, or is larger than anything that people fill in."""
    try:
        if path.stat().st_size > LARGEST:
            raise SpecError([Problem(path.name, "", f"is larger than {LARGEST >> 20} MB, no such sheet is")])
        yield from _workbook(path) if zipfile.is_zipfile(path) else _text(path)
    except FileNotFoundError as error:
        raise SpecError([Problem(str(path), "", "no such file")]) from error
    except (ListTooLargeError, XmlBoundsError) as error:
        raise SpecError([Problem(path.name, "", str(error))]) from error
    except (OSError, csv.Error, zipfile.BadZipFile, KeyError, ValueError) as error:
        what = f"not readable as CSV in UTF-8 or Windows-1252, or as XLSX: {type(error).__name__}"
        raise SpecError([Problem(path.name, "", what)]) from error


def _named(file: str, rows: Iterator[tuple[int, Sequence[str]]]) -> Iterator[Line]:
    _, header = next(rows, (1, ()))
    names = [name.strip().casefold() for name in header]
    # What stands there may be a record and not a header: it is not repeated.
    hint = f"line 1 must name {', '.join(COLUMNS)}; it has {counted(len(header), 'cell')}"
    problems = [Problem(file, "line 1", f"has no column `{c}`", hint) for c in COLUMNS if c not in names]
    problems += [Problem(file, "line 1", f"names `{c}` twice") for c in COLUMNS if names.count(c) > 1]
    if problems:
        raise SpecError(problems)
    for number, row in rows:
        if len(row) > len(names) and any(cell.strip() for cell in row[len(names) :]):
            yield number, dict.fromkeys(COLUMNS, "") | {"verdict": _TOO_MANY}
        elif any(cell.strip() for cell in row):
            cells = dict(zip(names, row, strict=False))
            yield number, {column: cells.get(column, "").strip().lstrip("'") for column in COLUMNS}


_TOO_MANY = "\0"


def _text(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    data = read_list(path)
    if b"\0" in data:
        raise ValueError("holds zero bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252")
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    for row in reader:
        yield reader.line_num, row


def _workbook(path: Path) -> Iterator[tuple[int, Sequence[str]]]:
    """The first sheet, as text. What formulas give is not read: a decision is written by a person."""
    import openpyxl  # here: a tenth of a second that a CSV need not wait for

    refuse_many_parts(path)
    with zipfile.ZipFile(path) as packed:
        if sum(item.file_size for item in packed.infolist()) > MOST_UNPACKED:
            raise SpecError([Problem(path.name, "", f"unpacks to more than {MOST_UNPACKED >> 20} MB")])
        look_through(packed, most=MOST_ELEMENTS)
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        for number, row in enumerate(book.worksheets[0].iter_rows(values_only=True), 1):
            if number > MOST_ROWS:
                raise SpecError([Problem(path.name, "", f"has more than {MOST_ROWS:,} lines")])
            yield number, ["" if cell is None else str(cell) for cell in row]
    finally:
        book.close()


def _take(
    file: str,
    where: str,
    cells: Mapping[str, str],
    systems: Sequence[str],
    known: Collection[str] | None,
    problems: list[Problem],
    live: str,
) -> Decision | None:
    before = len(problems)
    verdict = cells["verdict"].casefold()
    empty = [column for column in COLUMNS if not cells[column]]
    if verdict == _TOO_MANY or empty:
        what = "has more fields than the header" if verdict == _TOO_MANY else f"{', '.join(empty)} must be filled"
        problems.append(Problem(file, where, what))
        return None
    if verdict not in set(Ruling):
        problems.append(Problem(file, where, "has a verdict that is none", did_you_mean(verdict, Ruling)))
        return None
    if not _is_name(cells["reviewer"]):
        problems.append(Problem(file, where, "reviewer must be a name, of characters that can be seen"))
    for name, most in _LONGEST.items():
        if len(cells[name]) > most:
            problems.append(Problem(file, where, f"{name} is longer than {most} characters"))
    left, right = (_id(file, where, cells[side], systems, problems, live) for side in ("left", "right"))
    strangers = sum(1 for item in (left, right) if known is not None and item not in known)
    if register_of(left) != register_of(right):
        problems.append(Problem(file, where, "names records of two registers", "no pair can be made of them"))
    elif left == right:
        problems.append(Problem(file, where, "names the same record twice"))
    elif strangers:
        what = f"names {('a record', 'two records')[strangers - 1]} of which no pair can be made"
        problems.append(Problem(file, where, what, "left and right are keys as `casebridge pairs` prints them"))
    if len(problems) > before:
        return None
    return decision(left, right, Ruling(verdict), cells["reviewer"], cells["reason"])


def _is_name(text: str) -> bool:
    """Whether a text can be a person's name: it has a letter, and nothing that nobody sees."""
    return any(c.isalpha() for c in who(text)) and printable(text) == text and "\n" not in text


def _id(file: str, where: str, text: str, systems: Sequence[str], problems: list[Problem], live: str) -> str:
    system, colon, key = text.partition(":")
    if colon and key and (system.partition("/")[0] in systems or system == live):
        return text
    if len(systems) == 1 and not colon:
        return f"{systems[0]}:{text}"
    problems.append(Problem(file, where, "a key must be written `system:key`", f"systems: {', '.join(systems)}"))
    return text
