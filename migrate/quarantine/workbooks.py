"""A workbook for each owner: what stayed behind, in plain words, with the places for what is right.

It holds people's data: it is written for its owner's eyes only, and no cell of it is ever calculated.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.dedupe.review.worksheet import neutral
from casebridge.project.batch import write_file
from casebridge.project.contracts import KEY
from casebridge.project.errors import counted

ROWS_SHEET = "rows"
FILLED = ("new value", "who", "why")
COLUMNS: Mapping[str, str] = {
    "system": "system", "table": "table", "file": "file", "line": "line", "key": "key", "column": "column",
    "value": "value", "what is wrong": "words", "rule": "rule", "what happened": "happened",
    "goes to": "goes_to", "since": "first_seen",
}  # fmt: skip
"""A column of the sheet, and the one of the lines that it shows."""
HAPPENED: Mapping[str, str] = {
    "rejected": "the row was left out",
    "held": "the row waits for a person",
    "excluded": "the row was left behind on purpose",
    "set_aside": "the value was left out, the row went on",
    "truncated": "the value was cut, the row went on",
    "warned": "the value went on as it is",
}
BARRED = ": mend it in the old system, or ask those who run the migration"
"""What can be done about a line that no correction reaches."""
MOST_ROWS = 1_000_000
"""Rows of one sheet: a workbook takes 1,048,576."""
_LONGEST = 32_000  # characters; a cell takes 32,767
_WIDTHS = {"value": 30, "what is wrong": 50, "what happened": 30, "new value": 30, "why": 30}


@dataclass(frozen=True)
class Owned:
    """What is one owner's: the lines that stayed behind, and the history of their tables' rows."""

    owner: str
    lines: pl.DataFrame
    history: pl.DataFrame


def write_workbook(folder: Path, name: str, run: str, owned: Owned) -> Path:
    """One owner's workbook in `folder`; gives its path."""
    import openpyxl  # here: a tenth of a second that other commands need not wait for

    book = openpyxl.Workbook(write_only=True)
    _sheet(book, "read me", [[text] for text in _about(run, owned)], {0: 110})
    header = [*COLUMNS, *FILLED]
    widths = {place: _WIDTHS.get(title, 16) for place, title in enumerate(header)}
    shown = owned.lines.with_columns(_happened().alias("happened"))
    for number, part in enumerate(shown.select(list(COLUMNS.values())).iter_slices(MOST_ROWS), 1):
        title = ROWS_SHEET if number == 1 else f"{ROWS_SHEET} {number}"
        rows = ([*row, *[""] * len(FILLED)] for row in part.iter_rows())
        _sheet(book, title, [header, *rows], widths, frozen=True)
    widths = dict.fromkeys(range(len(_HISTORY)), 20)
    _sheet(book, "history", [_HISTORY, *_history(owned.history)], widths, frozen=True)
    path = folder / f"{name}.xlsx"
    write_file(path, book.save)
    return path


def _happened() -> pl.Expr:
    """What became of the row or value, and where no correction can mend it, why not and what can be done."""
    happened, bar = pl.col("verdict").replace_strict(HAPPENED), pl.col("bar")
    return pl.when(bar == "").then(happened).otherwise(happened + "; " + bar + BARRED)


def file_names(owners: Iterable[str]) -> dict[str, str]:
    """A file name for each owner, without what a disk does not take; no two the same."""
    names: dict[str, str] = {}
    for owner in owners:
        plain = re.sub(r"[^a-z0-9]+", "-", owner.lower()).strip("-")[:40] or "owner"
        taken = set(names.values())
        names[owner] = next(n for n in (plain, *(f"{plain}-{i}" for i in range(2, 10_000))) if n not in taken)
    return names


_HISTORY = ("table", "key", "column", "rule", "what happened", "first seen", "last seen", "now")


def _history(history: pl.DataFrame) -> Iterable[Sequence[object]]:
    for row in history.iter_rows(named=True):
        yield (
            row["name"], row[KEY], row["column"], row["rule"], HAPPENED.get(row["verdict"], row["verdict"]),
            row["first_seen"], row["last_seen"], "still so" if row["now"] else "found no more",
        )  # fmt: skip


def _about(run: str, owned: Owned) -> list[str]:
    return [
        "THIS WORKBOOK HOLDS PERSONAL DATA. It is for the person named here alone: do not forward it, keep it "
        "where others cannot read it, and delete it when the work is done.",
        "",
        f"For: {owned.owner}",
        f"Run: {run}",
        f"{counted(owned.lines.height, 'line')} of what stayed behind of the old system's rows, or lost a value.",
        "",
        "Mend what can be mended in the old system, and it comes right with the next extract.",
        "What the old system can no longer mend: fill in `new value`, `who` and `why` beside the line, on the "
        f"sheet `{ROWS_SHEET}`, and hand the workbook back. Leave `new value` empty for what should be empty.",
        "Lines that cannot be mended here say so under `what happened`.",
        "A line without `who` is one that nobody has come to yet. Change nothing in the other columns.",
        "A `'` in front of a value stands there so that no program calculates it; it is no part of the value.",
    ]


def _sheet(
    book: Any, title: str, rows: Iterable[Sequence[object]], widths: Mapping[int, int], *, frozen: bool = False
) -> None:
    from openpyxl.utils import get_column_letter

    sheet = book.create_sheet(title)
    sheet.freeze_panes = "A2" if frozen else None
    for place, width in widths.items():
        sheet.column_dimensions[get_column_letter(place + 1)].width = width
    for row in rows:
        sheet.append([_cell(sheet, item) for item in row])


def _cell(sheet: Any, item: object) -> Any:
    from openpyxl.cell import WriteOnlyCell

    cell = WriteOnlyCell(sheet, value="" if item is None else neutral(str(item), _LONGEST))
    cell.data_type = "s"
    return cell
