"""A workbook that comes back filled in: its lines become a file of corrections.

Only lines in which somebody wrote something are taken. Everything else that cannot be taken is named by its line,
all at once, and then nothing of the workbook is taken.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casebridge.migrate.quarantine.lines import NO_KEY
from casebridge.migrate.quarantine.workbooks import BARRED, COLUMNS, FILLED, ROWS_SHEET, file_names
from casebridge.project import corrections
from casebridge.project.batch import write_text
from casebridge.project.blanks import bare_text
from casebridge.project.corrections import OfProject, read_corrections
from casebridge.project.csv_cells import as_typed
from casebridge.project.errors import Problem, SpecError
from casebridge.project.job import Job
from casebridge.project.lists import LARGEST
from casebridge.project.xmlparts import XmlBoundsError, look_through, refuse_many_parts

MOST_UNPACKED, MOST_ELEMENTS = 1 << 30, 60_000_000
"""Bytes of a workbook unpacked, and elements of its XML: a million lines of fifteen cells."""

_NAMED = "a value is put right by name and with a reason"
_NEEDED = {
    "who": _NAMED, "why": _NAMED,
    "key": f"{NO_KEY}{BARRED}; take away what you filled in",
    "column": "write which column of the old table is wrong, and beside it in `value` what stands there",
}  # fmt: skip
"""What a line must say, and what to do where it does not."""

Line = tuple[str, Mapping[str, str]]


@dataclass(frozen=True)
class TakenBack:
    """The file of corrections that was written (None when there was nothing new), how many lines it has, and how
    many lines nobody has come to yet."""

    path: Path | None
    lines: int
    untouched: int


def take_back(job: Job, workbook: Path) -> TakenBack:
    """Write the filled lines of a workbook to `corrections/`. SpecError lists every line that cannot be taken."""
    problems: list[Problem] = []
    filled, untouched = [], 0
    for where, cells in _lines(workbook):
        if any(cells[name] for name in FILLED):
            filled.append(_row(job, workbook.name, where, cells, problems))
        else:
            untouched += 1
    if problems:
        raise SpecError(problems)
    project = OfProject(job.settings, job.target, job.specs)
    known = {(item.source.system, item.key, f"{item.source.name}.{item.column}", item.old, item.new)
             for item in read_corrections(project)}  # fmt: skip
    new = [row for row in dict.fromkeys(filled) if _named(job, row) not in known]
    if not new:
        return TakenBack(None, 0, untouched)
    path = _free(job, workbook)
    write_text(path, _text(new))
    try:
        read_corrections(project)  # what is wrong with the lines themselves is said now, and the file goes
    except SpecError:
        path.unlink()
        raise
    return TakenBack(path, len(new), untouched)


Row = tuple[str, ...]


def _row(job: Job, file: str, where: str, cells: Mapping[str, str], problems: list[Problem]) -> Row:
    """A line as corrections have it."""
    for name, hint in _NEEDED.items():
        if not bare_text(cells[name]):
            problems.append(Problem(file, where, f"`{name}` is empty", hint))
    for name in FILLED:
        if cells[name].startswith("="):
            hint = "write the value itself: what a program makes of it may be nothing"
            problems.append(Problem(file, where, f"`{name}` is a formula", hint))
    key = cells["key"] if len(job.settings.systems) == 1 else f"{cells['system']}:{cells['key']}"
    return (key, f"{cells['table']}.{cells['column']}", cells["value"], *(cells[name] for name in FILLED))


def _named(job: Job, row: Row) -> tuple[str, str, str, str, str]:
    system, _, key = ("", "", row[0]) if len(job.settings.systems) == 1 else row[0].partition(":")
    return system or next(iter(job.settings.systems)), key, row[1], bare_text(row[2]), bare_text(row[3])


def _text(rows: Sequence[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([corrections.COLUMNS, *rows])
    return out.getvalue()


def _free(job: Job, workbook: Path) -> Path:
    folder, stem = job.folder / corrections.FOLDER, file_names([workbook.stem])[workbook.stem]
    sources = {source.name.lower() for source in job.reads()}
    names = (f"{stem}.csv", *(f"{stem}-{number}.csv" for number in range(2, 100_000)))
    return next(folder / name for name in names if not (folder / name).exists() and Path(name).stem not in sources)


def _lines(path: Path) -> Iterator[Line]:
    """The lines of a workbook that was given out, with where each stands."""
    import openpyxl  # here: a tenth of a second that other commands need not wait for

    try:
        if path.stat().st_size > LARGEST:
            raise SpecError([Problem(path.name, "", f"is larger than {LARGEST >> 20} MB")])
        refuse_many_parts(path)
        with zipfile.ZipFile(path) as packed:
            if sum(item.file_size for item in packed.infolist()) > MOST_UNPACKED:
                raise SpecError([Problem(path.name, "", f"unpacks to more than {MOST_UNPACKED >> 20} MB")])
            look_through(packed, most=MOST_ELEMENTS)
        book = openpyxl.load_workbook(path, read_only=True)
    except FileNotFoundError as error:
        raise SpecError([Problem(str(path), "", "no such file")]) from error
    except XmlBoundsError as error:
        raise SpecError([Problem(path.name, "", str(error))]) from error
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise SpecError([Problem(path.name, "", f"not readable as XLSX: {type(error).__name__}")]) from error
    try:
        sheets = [name for name in book.sheetnames if name == ROWS_SHEET or name.startswith(f"{ROWS_SHEET} ")]
        if not sheets:
            raise SpecError([Problem(path.name, "", f"has no sheet `{ROWS_SHEET}`: it was not given out by us")])
        for name in sheets:
            yield from _of_sheet(path.name, name, book[name].iter_rows(values_only=True))
    finally:
        book.close()


def _of_sheet(file: str, name: str, rows: Iterator[Sequence[object]]) -> Iterator[Line]:
    header = [_shown(cell) for cell in next(rows, ())]
    missing = [title for title in (*COLUMNS, *FILLED) if title not in header]
    if missing:
        raise SpecError([Problem(file, name, f"has no column `{missing[0]}`", "hand it back as it was given out")])
    for number, row in enumerate(rows, 2):
        cells = dict.fromkeys(header, "") | {t: as_typed(_shown(c)) for t, c in zip(header, row, strict=False)}
        yield f"{name}, line {number}", cells


def _shown(cell: object) -> str:
    """A cell as text; a day that a spreadsheet made of what was typed as a day without a clock."""
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        cell = cell.date()
    return "" if cell is None else str(cell)
