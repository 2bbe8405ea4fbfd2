"""Codes of a run that no list knows, with their rows: lines to fill in, as CSV and as a workbook."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
from openpyxl.cell import WriteOnlyCell

from casebridge.dedupe.review.worksheet import neutral
from casebridge.migrate.code_lists.lines import UsedList, used_lists
from casebridge.project.batch import write_file, write_text
from casebridge.project.blanks import bare
from casebridge.project.csv_cells import csv_text
from casebridge.project.job import Job
from casebridge.project.spec import ColumnSpec, TableSpec
from casebridge.transform.codes import COLUMNS
from casebridge.transform.steps import STEPS

RULE = "unmapped_code"
HEADER = ("list", *COLUMNS, "rows", "used_by")
_NAME = "unmapped-codes"
_WIDTHS = {"description": 40, "used_by": 40, "list": 24}


@dataclass(frozen=True)
class Unmapped:
    """A code that came and that its list gives no target: how many rows wait for it."""

    used: UsedList
    code: str
    rows: int

    @property
    def cells(self) -> tuple[str, ...]:
        """The line to fill in."""
        owner = self.used.owners[0] if len(self.used.owners) == 1 else ""
        line = {"list": self.used.name, "legacy_code": self.code, "status": "unmapped", "owner": owner,
                "rows": str(self.rows), "used_by": ", ".join(self.used.used_by)}  # fmt: skip
        return tuple(line.get(name, "") for name in HEADER)


def unmapped_codes(job: Job) -> list[Unmapped]:
    """The codes of a run that were not translated, by list, the commonest first. Reads the quarantine."""
    found: dict[str, Counter[str]] = {}
    for spec in job.specs:
        for column in spec.columns:
            if column.codes:
                found.setdefault(column.codes, Counter()).update(_of(job, spec, column))
    lists = used_lists(job)
    return [
        Unmapped(lists[name], code, rows)
        for name in sorted(found)
        for code, rows in sorted(found[name].items(), key=lambda item: (-item[1], item[0]))
    ]


def _of(job: Job, spec: TableSpec, column: ColumnSpec) -> Counter[str]:
    said = (pl.col("rule") == RULE) & (pl.col("column") == column.name)
    counts: Counter[str] = Counter()
    for batch in job.ledger.sealed(job.run, "transform", spec.name, "quarantine"):
        values = batch.scan().filter(said).select(bare(pl.col("value")).alias("v"))
        text = pl.col("v")
        for step in column.steps:
            text = STEPS[step.name](text, step.argument)
        codes = values.select(text.str.to_uppercase().alias("v")).drop_nulls().group_by("v").len().collect()
        counts.update(dict(codes.iter_rows()))
    return counts


def write_unmapped(folder: Path, found: Sequence[Unmapped]) -> tuple[Path, Path]:
    """Write the lines to fill in, as CSV and as XLSX. Gives both paths."""
    lines = [item.cells for item in found]
    write_text(folder / f"{_NAME}.csv", csv_text(HEADER, lines))
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("codes")
    sheet.freeze_panes = "C2"
    for place, name in enumerate(HEADER, 1):
        sheet.column_dimensions[openpyxl.utils.get_column_letter(place)].width = _WIDTHS.get(name, 15)
    for line in [HEADER, *lines]:
        sheet.append(list(_cells(sheet, line)))
    write_file(folder / f"{_NAME}.xlsx", book.save)
    return folder / f"{_NAME}.csv", folder / f"{_NAME}.xlsx"


def _cells(sheet: Any, line: Sequence[str]) -> Iterator[Any]:
    for text in line:
        cell = WriteOnlyCell(sheet, value=neutral(text))
        cell.data_type = "s"
        yield cell
