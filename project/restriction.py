"""Restriction: which source columns carry marks, which target columns keep them, and who lowered one.

A mark is read strictly: what is not plainly *not restricted* is. Of all marks of a person the strictest wins. Only
a line of `restrictions_lowered.csv` lowers one: a record by its key, a name, a reason and a day.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from casebridge.project.blanks import bare, bare_text
from casebridge.project.contracts import raw_name
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.lists import ListTooLargeError, read_list
from casebridge.project.settings import NOT_RESTRICTED, Settings, System
from casebridge.project.spec import Source, TableSpec
from casebridge.project.target import Marks, Target

LOWERED = "restrictions_lowered.csv"
STAGE, RAISED = "restriction", "raised"
"""Where load writes down, for each spec, the marks that it made other than the spec did: `RAISED_ROWS`."""
BY_SOURCE, BY_TARGET, BY_PERSON, BY_MERGE = "source", "target", "lowered", "merged"
"""Why: a row of the person is marked; the target had the stricter mark; a person lowered it; the target had it for
a record that is folded into this one."""
RAISED_ROWS: Mapping[str, pl.DataType] = {
    "_key": pl.String(),
    "_row": pl.Int64(),
    "id": pl.String(),
    "column": pl.String(),
    "value": pl.String(),
    "cause": pl.String(),
}
_COLUMNS = ("key", "who", "why", "date")


def rank(marks: Marks, value: pl.Expr) -> pl.Expr:
    """How strict a target value is: 0 is open. What is neither a declared mark nor open is the strictest."""
    text = value.cast(pl.String)
    is_open = text.is_null() | text.str.to_uppercase().is_in([item.upper() for item in marks.not_restricted])
    if not marks.values:
        return pl.when(is_open).then(0).otherwise(1)
    ranks = {item: len(marks.values) - place for place, item in enumerate(marks.values)}
    known = text.replace_strict(ranks, default=marks.odd, return_dtype=pl.Int32)
    return pl.when(is_open & ~text.is_in(list(marks.values)).fill_null(False)).then(0).otherwise(known)


def is_marked(text: pl.Expr, not_restricted: Sequence[str]) -> pl.Expr:
    """Whether a source's text is a mark: all but the values that mean *not restricted*, whatever their case."""
    said = bare(text).fill_null("").str.to_uppercase()
    return ~said.is_in([item.upper() for item in not_restricted])


def not_restricted(system: System) -> tuple[str, ...]:
    """The values of a system's marks that mean *not restricted*."""
    return NOT_RESTRICTED if system.not_restricted is None else system.not_restricted


def mark_columns(settings: Settings, target: Target, specs: Sequence[TableSpec]) -> dict[Source, tuple[str, ...]]:
    """The columns of each source that carry marks: those that its system declares, and those of the first source
    of a spec that feed a column of the target that keeps marks."""
    found: dict[Source, set[str]] = {}
    for spec in specs:
        for source in spec.sources:
            found.setdefault(source, set()).update(_declared(settings, source))
        kept = {marks.column for marks in target.marks(spec.target)}
        feeding = [name for column in spec.loaded if column.name in kept for name in column.written]
        found[spec.sources[0]].update(feeding)
    return {source: tuple(sorted(columns)) for source, columns in found.items() if columns}


def missing_marks(
    settings: Settings, specs: Sequence[TableSpec], columns: Mapping[Source, Sequence[str]]
) -> Iterator[Problem]:
    """The declared columns that their source does not have; `columns` are those of the sources that are there."""
    for source in sorted({source for spec in specs for source in spec.sources}, key=str):
        for name in _declared(settings, source) if columns.get(source) else ():
            if name not in columns[source]:
                what = f"names {source.name}.{name}, which carries marks, and the dump has no such column"
                hint = did_you_mean(name, columns[source]) or "name the column that carries them now"
                yield Problem("casebridge.toml", f"systems.{source.system}.restriction", what, hint)


def _declared(settings: Settings, source: Source) -> tuple[str, ...]:
    names = settings.systems[source.system].restriction or ()
    front = f"{source.name}."
    return tuple(raw_name(name.removeprefix(front)) for name in names if name.startswith(front))


def check_restriction(settings: Settings, target: Target, specs: Sequence[TableSpec]) -> None:
    """SpecError lists declared marks that nothing can keep, and what is wrong with the file of lowered ones."""
    problems = []
    for name, system in settings.systems.items():
        mine = [spec for spec in specs if spec.system == name]
        for declared in system.restriction or ():
            reading = [s for s in mine if any(declared.startswith(f"{source.name}.") for source in s.sources)]
            if not any(target.marks(spec.target) for spec in reading):
                what = f"`{declared}` carries marks, and no spec brings its rows to a column that keeps them"
                hint = (
                    'write SOURCE.COLUMN; say `restriction = ["Y"]` at the column in target.toml that keeps them'
                )
                problems.append(Problem("casebridge.toml", f"systems.{name}.restriction", what, hint))
        if system.restriction is None:
            problems += _undeclared(settings, target, mine, name)
    try:
        read_lowered(settings)
    except SpecError as error:
        problems += error.problems
    if problems:
        raise SpecError(problems)


def _undeclared(settings: Settings, target: Target, specs: Sequence[TableSpec], system: str) -> Iterator[Problem]:
    """Where the target declares its marks, a system whose specs feed none of them from a source must say so."""
    marked = mark_columns(settings, target, specs)
    for spec in specs if target.declares_marks else ():
        marks = target.marks(spec.target)
        if marks and not any(source in marked for source in spec.sources):
            kept = ", ".join(f"{spec.target}.{item.column}" for item in marks)
            what = f"nobody says which columns carry marks, and {kept} keeps them for {spec.name}"
            hint = 'write `restriction = ["SOURCE.COLUMN"]`, or `restriction = []` when the system has no marks'
            yield Problem("casebridge.toml", f"systems.{system}.restriction", what, hint)


@dataclass(frozen=True)
class Lowered:
    """A mark that a person has lowered: whose record, who said so, why, and when."""

    system: str
    key: str
    who: str
    why: str
    date: str


def read_lowered(settings: Settings) -> tuple[Lowered, ...]:
    """The lines of `restrictions_lowered.csv`, none where there is no such file. SpecError lists every mistake,
    and quotes nothing: a line may say anything."""
    path = settings.folder / LOWERED
    if not path.exists() and not path.is_symlink():
        return ()
    problems: list[Problem] = []
    found: dict[tuple[str, str], Lowered] = {}
    for line, cells in enumerate(_lines(path), start=2):
        where = f"line {line}"
        made, wrong = _lowered(settings, cells)
        if made is None:
            problems.append(Problem(LOWERED, where, wrong))
        elif (made.system, made.key) in found:
            problems.append(Problem(LOWERED, where, "names a record that an earlier line names"))
        else:
            found[made.system, made.key] = made
    if problems:
        raise SpecError(problems)
    return tuple(found.values())


def lowered_keys(lowered: Sequence[Lowered]) -> pl.DataFrame:
    """The records whose mark was lowered: `system`, `key`."""
    lines = [(item.system, item.key) for item in lowered]
    return pl.DataFrame(lines, schema={"system": pl.String, "key": pl.String}, orient="row")


def _lines(path: Path) -> list[dict[str, str]]:
    try:
        reader = csv.reader(io.StringIO(read_list(path).decode("utf-8-sig"), newline=""), strict=True)
        header = [bare_text(name) for name in next(reader, [])]
        rows = [row for row in reader if any(bare_text(cell) for cell in row)]
    except (OSError, ListTooLargeError, UnicodeDecodeError, csv.Error) as error:
        raise SpecError([Problem(LOWERED, "", f"not readable: {type(error).__name__}")]) from error
    if sorted(header) != sorted(_COLUMNS) or any(len(row) != len(header) for row in rows):
        raise SpecError([Problem(LOWERED, "", "must have the columns key, who, why, date, and a cell for each")])
    return [dict(zip(header, map(bare_text, row), strict=True)) for row in rows]


def _lowered(settings: Settings, cells: Mapping[str, str]) -> tuple[Lowered | None, str]:
    """A line, or what is wrong with it."""
    system, colon, key = cells["key"].partition(":")
    if system not in settings.systems:
        # One system needs no name in front of its keys.
        system, colon, key = (
            (next(iter(settings.systems)) if len(settings.systems) == 1 else ""),
            ":",
            cells["key"],
        )
    if not (system and colon and key):
        return None, "names no record: write the system and the key, as carefirst:12"
    for name in ("who", "why"):
        if not any(char.isalpha() for char in cells[name]):
            return None, f"`{name}` is empty: a person lowers a mark, by name and with a reason"
    try:
        dt.date.fromisoformat(cells["date"])
    except ValueError:
        return None, "`date` is no date like 2026-04-01"
    return Lowered(system, key, cells["who"], cells["why"], cells["date"]), ""
