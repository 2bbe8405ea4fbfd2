"""`corrections/*.csv`: values that the source can no longer mend, each put right by a named person.

A line names one value of the dump by its row's key, its column and what stands there now. It holds only as long as
that is what stands there: a new extract that says something else is not overwritten. The file is a rule of the
project, like a code list.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from casebridge.project.blanks import bare_text
from casebridge.project.contracts import raw_name
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.lists import ListTooLargeError, misnamed, read_list
from casebridge.project.restriction import mark_columns
from casebridge.project.settings import Settings
from casebridge.project.spec import ReadSpec, Source, TableSpec
from casebridge.project.specfile import columns_accounted_for
from casebridge.project.target import Target

FOLDER = "corrections"
COLUMNS = ("key", "column", "old_value", "new_value", "who", "why")
"""The header, in any order; a blank in a name stands for `_`."""


@dataclass(frozen=True)
class Correction:
    """One value put right. `old` and `new` have no blanks at both ends, and are empty for no value; `column` is
    the source's, as batches call it. `file` and `line` say where it stands."""

    source: Source
    key: str
    column: str
    old: str
    new: str
    who: str
    why: str
    file: str
    line: int

    @property
    def place(self) -> str:
        """Where it stands, for messages: nothing of the line itself."""
        return f"line {self.line}"


@dataclass(frozen=True)
class OfProject:
    """What a correction may speak of: the project's settings, target and specs."""

    settings: Settings
    target: Target
    specs: Sequence[TableSpec]

    @cached_property
    def reads(self) -> dict[Source, ReadSpec]:
        """How each source is read."""
        return {read.source: read for spec in self.specs for read in spec.reads}

    @cached_property
    def marks(self) -> dict[Source, tuple[str, ...]]:
        """The columns of each source that carry marks of restriction."""
        return mark_columns(self.settings, self.target, self.specs)

    @cached_property
    def columns(self) -> dict[Source, frozenset[str]]:
        """The columns of each source that a spec maps or drops."""
        return {one: frozenset().union(*columns_accounted_for(self.specs, one)) for one in self.reads}


def correction_files(folder: Path) -> list[Path]:
    """The files of corrections of the project in `folder`, by name."""
    return sorted((folder / FOLDER).glob("*.csv"))


def read_corrections(project: OfProject) -> tuple[Correction, ...]:
    """The corrections of all files. SpecError lists every mistake, and quotes nothing: a line may say anything."""
    problems = misnamed(project.settings.folder / FOLDER, ".csv")
    found: dict[tuple[Source, str, str, str], Correction] = {}
    for path in correction_files(project.settings.folder):
        for made in _file(project, path, problems):
            place = (made.source, made.key, made.column, made.old)
            first = found.setdefault(place, made)
            if first is not made:
                what = f"corrects what {first.place} of {first.file} corrects"
                problems.append(Problem(made.file, made.place, what, "keep one of the two"))
    if problems:
        raise SpecError(problems)
    return tuple(found.values())


def of_source(corrections: Iterable[Correction], source: Source) -> tuple[Correction, ...]:
    """Those of one source."""
    return tuple(item for item in corrections if item.source == source)


def facts_of(corrections: Sequence[Correction]) -> list[tuple[str, str, str, str]]:
    """What of corrections decides values: for digests."""
    return [(item.key, item.column, item.old, item.new) for item in corrections]


def strangers(corrections: Sequence[Correction], columns: Iterable[str], keys: Iterable[str]) -> list[Problem]:
    """The corrections of one source that speak of no column of it, or of no row."""
    names, there = list(columns), set(keys)
    problems = []
    for item in corrections:
        if item.column not in names:
            what, hint = f"{item.source.name} has no column of that name", did_you_mean(item.column, names)
            problems.append(Problem(item.file, item.place, what, hint))
        elif item.key not in there:
            hint = "write the key as the quarantine's workbook has it; several parts are joined by |"
            problems.append(Problem(item.file, item.place, f"no row of {item.source.name} has this key", hint))
    return problems


def _file(project: OfProject, path: Path, problems: list[Problem]) -> Iterable[Correction]:
    file = f"{FOLDER}/{path.name}"
    try:
        reader = csv.reader(io.StringIO(read_list(path).decode("utf-8-sig"), newline=""), strict=True)
        header = [bare_text(name).lower().replace(" ", "_") for name in next(reader, [])]
        rows = [(reader.line_num, row) for row in reader]
    except ListTooLargeError as error:
        problems.append(Problem(file, "", str(error)))
        return
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problems.append(Problem(file, "", f"not readable: {type(error).__name__}", "save it as CSV in UTF-8"))
        return
    if sorted(header) != sorted(COLUMNS):
        problems.append(Problem(file, "line 1", f"must name the columns {', '.join(COLUMNS)}, and no other"))
        return
    for line, row in rows:
        if not any(bare_text(cell) for cell in row):
            continue
        if len(row) != len(header):
            problems.append(Problem(file, f"line {line}", f"has {len(row)} cells, and the header {len(header)}"))
            continue
        cells = dict(zip(header, map(bare_text, row), strict=True))
        made, what, hint = _line(project, path.stem, file, line, cells)
        if made is None:
            problems.append(Problem(file, f"line {line}", what, hint))
        else:
            yield made


def _line(
    project: OfProject, stem: str, file: str, line: int, cells: Mapping[str, str]
) -> tuple[Correction | None, str, str]:
    """A line, or what is wrong with it and what to do."""
    for name in ("who", "why"):
        if not any(char.isalpha() for char in cells[name]):
            return None, f"`{name}` is empty: a person corrects a value, by name and with a reason", ""
    system, key = _record(project.settings, cells["key"])
    if not (system and key):
        return None, "names no record: write the system and the key, as carefirst:12", ""
    source, name, what = _source(project, system, stem, cells["column"])
    if source is None:
        return None, what, "write TABLE.COLUMN"
    made = Correction(
        source, key, raw_name(name), cells["old_value"], cells["new_value"], cells["who"], cells["why"], file, line
    )
    return (None, *wrong) if (wrong := _refused(project, made)) else (made, "", "")


def _record(settings: Settings, text: str) -> tuple[str, str]:
    """The system and the key; one system needs no name in front of its keys."""
    system, _, key = text.partition(":")
    if system in settings.systems:
        return system, key
    return (next(iter(settings.systems)), text) if len(settings.systems) == 1 else ("", "")


def _source(project: OfProject, system: str, stem: str, column: str) -> tuple[Source | None, str, str]:
    """The source that a column is of: named before it, or by the file, or the only one whose specs know it."""
    if not column:
        return None, "", "`column` is empty"
    there = {source.name: source for source in project.reads if source.system == system}
    table, dot, name = column.partition(".")
    if dot and table in there:
        return there[table], name, ""
    if stem in there:
        return there[stem], column, ""
    known = [source for source in there.values() if raw_name(column) in project.columns[source]]
    if len(known) == 1:
        return known[0], column, ""
    what = (
        f"{len(known)} sources of {system} have a column of that name" if known else "no source has such a column"
    )
    return None, "", what


def _refused(project: OfProject, made: Correction) -> tuple[str, str] | None:
    read = project.reads[made.source]
    if not read.key:
        hint = "have it mended in the old system; where columns together name a row, say so: [read] key"
        return f"{made.source.name} has no key by which a row can be named", hint
    if made.column in read.key:
        return "is of the key: it names the row, and is not corrected", "leave such rows to the old system"
    if made.column in project.marks.get(made.source, ()):
        return "is of a column that carries marks of restriction", "restrictions_lowered.csv lowers a mark"
    if made.old == made.new:
        return "changes nothing: old_value and new_value are the same", ""
    return None
