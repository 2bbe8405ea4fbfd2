"""Filled-in lines back into the code lists. All of a sheet is taken, or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casebridge.dedupe.review.sheets import sheet_rows
from casebridge.migrate.code_lists.lines import raw_lines, used_lists
from casebridge.project.batch import write_text
from casebridge.project.blanks import bare_text
from casebridge.project.csv_cells import as_typed
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.job import Job
from casebridge.transform.codes import COLUMNS, STATUSES, read_codes

_NEEDED = ("list", "legacy_code", "target_code", "status")


@dataclass(frozen=True)
class Taken:
    """What a sheet brought: lines by list, and how many nobody has filled in yet."""

    lines: Mapping[str, int]
    untouched: int


def take_lines(job: Job, path: Path) -> Taken:
    """Take the filled-in lines of a CSV or XLSX into the lists. SpecError lists every bad line; then no list is
    changed. A line whose code its list has already, for the same days, takes that one's place."""
    known = used_lists(job)
    problems: list[Problem] = []
    fresh: dict[str, list[dict[str, str]]] = {}
    untouched = 0
    for number, cells in _lines(path):
        filled = cells["target_code"] or cells["status"] not in {"", "unmapped"}
        if not filled:
            untouched += 1
            continue
        if cells["status"] in {"", "unmapped"}:
            cells["status"] = "mapped"
        problem = _problem(cells, known)
        if problem:
            problems.append(Problem(path.name, f"line {number}", *problem))
        fresh.setdefault(cells["list"], []).append(cells)
    if problems:
        raise SpecError(problems)
    texts = {name: _merged(job.folder / "codes" / f"{name}.csv", lines) for name, lines in fresh.items()}
    _write(job.folder / "codes", texts)
    return Taken({name: len(lines) for name, lines in fresh.items()}, untouched)


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    rows = list(sheet_rows(path))
    header = [bare_text(cell).casefold() for cell in rows[0][1]] if rows else []
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        hint = "hand back the sheet that `casebridge codes --out DIR` wrote"
        raise SpecError([Problem(path.name, "line 1", f"has no column {', '.join(missing)}", hint)])
    named = [
        (number, dict(zip(header, row, strict=False))) for number, row in rows[1:] if any(map(bare_text, row))
    ]
    return [
        (number, {name: bare_text(as_typed(cells.get(name, ""))) for name in ("list", *COLUMNS)})
        for number, cells in named
    ]


def _problem(cells: Mapping[str, str], known: Mapping[str, object]) -> tuple[str, str] | None:
    if cells["list"] not in known:
        return "names a code list that no spec uses", did_you_mean(cells["list"], known)
    if cells["status"] not in STATUSES:
        return "has a status that is none", f"one of {', '.join(STATUSES)}"
    if cells["status"] in {"mapped", "default"} and not cells["target_code"]:
        return f"is {cells['status']} and has no target_code", ""
    return None


def _place(row: Mapping[str, str]) -> tuple[str, ...]:
    cells = [bare_text(row.get(name, "")) for name in ("legacy_code", "valid_from", "valid_to")]
    return (cells[0].upper(), *cells[1:])


def _merged(path: Path, fresh: Sequence[Mapping[str, str]]) -> str:
    """The list's text with the new lines in it; other lines and columns stay as they are."""
    rows = raw_lines(path)
    header = list(rows[0]) if rows else list(COLUMNS)
    by_place = {_place(row): dict(row) for row in rows}
    for line in fresh:
        place = _place(line)
        said = {name: value for name, value in line.items() if name in header and (value or place not in by_place)}
        by_place[place] = {**by_place.get(place, {}), **said}
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(by_place.values())
    return out.getvalue()


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the lists, and put them back as they were when what came out is not sound."""
    before = {name: (folder / f"{name}.csv").read_bytes() for name in texts}
    for name, text in texts.items():
        write_text(folder / f"{name}.csv", text)
    try:
        read_codes(folder, sorted(texts))
    except SpecError:
        for name, data in before.items():
            write_text(folder / f"{name}.csv", data.decode("utf-8"))
        raise
