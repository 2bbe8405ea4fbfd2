"""Code lists: `codes/<name>.csv`, one line a legacy code, kept by the people who own the codes.

Columns: legacy_code, target_code, description, status (mapped | default | retire | unmapped), owner,
signed_off (a date), valid_from, valid_to (dates, both days included; empty = always). A code whose
meaning changed stands twice, with dates; the row's own date decides.
"""

from __future__ import annotations

import csv
import datetime as dt
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import petl
import polars as pl

from casebridge.project.batch import file_digest
from casebridge.project.blanks import bare_text
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.lists import ListTooLargeError, read_list

COLUMNS = (
    "legacy_code", "target_code", "description", "status", "owner", "signed_off", "valid_from", "valid_to",
)  # fmt: skip
STATUSES = ("mapped", "default", "retire", "unmapped")
LARGEST_CODES = 4 << 20
"""Bytes of a code list."""


@dataclass(frozen=True)
class Window:
    """Codes that share their days of validity; an open side is None."""

    since: dt.date | None
    until: dt.date | None
    targets: Mapping[str, str]


@dataclass(frozen=True)
class CodeList:
    """One code list. `digest` is that of the file, so that any change makes its tables pending."""

    name: str
    windows: tuple[Window, ...]
    digest: str

    def translate(self, code: pl.Expr, day: pl.Expr | None) -> pl.Expr:
        """Legacy code to target code, in any case of letters; null where the list has no target. A line with
        an empty legacy_code says what a missing code becomes."""
        folded = code.str.to_uppercase()
        if any("" in window.targets for window in self.windows):
            folded = folded.fill_null("")
        return pl.coalesce(
            *(_within(window, folded, day) for window in self.windows), pl.lit(None, dtype=pl.String)
        )


def read_codes(folder: Path, names: Sequence[str]) -> dict[str, CodeList]:
    """The named code lists; SpecError lists every mistake in every file."""
    problems: list[Problem] = []
    lists = {name: _read(folder / f"{name}.csv", name, problems) for name in sorted(set(names))}
    if problems:
        raise SpecError(problems)
    return lists


def _within(window: Window, code: pl.Expr, day: pl.Expr | None) -> pl.Expr:
    if not window.targets:
        return pl.lit(None, dtype=pl.String)
    found = code.replace_strict(dict(window.targets), default=None, return_dtype=pl.String)
    if day is None:
        return found
    valid = pl.lit(True)
    if window.since:
        valid = valid & (day >= window.since)
    if window.until:
        valid = valid & (day <= window.until)
    return pl.when(valid).then(found)


def _read(path: Path, name: str, problems: list[Problem]) -> CodeList:
    file = f"codes/{path.name}"
    try:
        read_list(path, LARGEST_CODES)
        # Spreadsheets put a byte order mark in front, which is no part of the first column's name.
        table = petl.fromcsv(path, encoding="utf-8-sig")
        header = [] if path.stat().st_size == 0 else petl.header(table)
        missing = [column for column in COLUMNS if column not in header]
        rows = [] if missing else list(petl.dicts(petl.cut(table, *COLUMNS)))
    except ListTooLargeError as error:
        problems.append(Problem(file, "", str(error).partition(":")[0]))
        return CodeList(name, (), "")
    except (OSError, StopIteration, UnicodeDecodeError, csv.Error) as error:
        hint = "save it as CSV in UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        problems.append(Problem(file, "", f"not readable: {type(error).__name__}", hint))
        return CodeList(name, (), "")
    for column in missing:
        problems.append(Problem(file, "", f"has no column `{column}`", did_you_mean(column, header)))
    windows: dict[tuple[dt.date | None, dt.date | None], dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        _take(file, line, row, windows, problems)
    _overlaps(file, windows, problems)
    ordered = sorted(windows.items(), key=lambda item: (item[0] == (None, None), str(item[0])))
    made = tuple(Window(since, until, targets) for (since, until), targets in ordered)
    return CodeList(name, made, file_digest(path))


def _take(
    file: str,
    line: int,
    row: Mapping[str, str | None],
    windows: dict[tuple[dt.date | None, dt.date | None], dict[str, str]],
    problems: list[Problem],
) -> None:
    cells = {column: bare_text(row[column] or "") for column in COLUMNS}
    code, status = cells["legacy_code"].upper(), cells["status"]
    where = f"line {line}"
    if status not in STATUSES:
        problems.append(Problem(file, where, f"unknown status `{status}`", did_you_mean(status, STATUSES)))
        return
    if status in {"mapped", "default"} and not cells["target_code"]:
        problems.append(Problem(file, where, f"code `{code}` is {status} but has no target_code"))
        return
    days = [_day(file, where, column, cells[column], problems) for column in ("valid_from", "valid_to")]
    if not cells["target_code"] or status == "unmapped":
        return
    targets = windows.setdefault((days[0], days[1]), {})
    if code in targets:
        problems.append(Problem(file, where, f"code `{code}` stands twice for the same days"))
    targets[code] = cells["target_code"]


def _overlaps(
    file: str,
    windows: Mapping[tuple[dt.date | None, dt.date | None], Mapping[str, str]],
    problems: list[Problem],
) -> None:
    """A code has one meaning a day. Lines without any date say what it means on all other days."""
    dated = [(since or dt.date.min, until or dt.date.max, codes)
             for (since, until), codes in windows.items() if since or until]  # fmt: skip
    for since, until, codes in dated:
        if since > until:
            what = f"valid_from {since} comes after valid_to {until}"
            problems.append(Problem(file, f"code {', '.join(sorted(codes))}", what))
    for (since, until, one), (other_since, other_until, other) in itertools.combinations(dated, 2):
        if max(since, other_since) <= min(until, other_until):
            for code in sorted(one.keys() & other.keys()):
                problems.append(Problem(file, f"code `{code}`", "has two meanings on the same days"))


def _day(file: str, where: str, column: str, text: str, problems: list[Problem]) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if text else None
    except ValueError:
        problems.append(Problem(file, where, f"{column} `{text}` is no date like 1998-04-01"))
        return None
