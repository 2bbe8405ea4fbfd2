"""Whether a source has the columns that its specs say, told in one sentence without anybody's data.

Names of columns are shown only from what is certainly a header: the first line of a file without one is somebody's
data. What a database says of its tables is certain.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from casebridge.project.contracts import raw_name
from casebridge.project.errors import SourceError, did_you_mean
from casebridge.project.job import Job
from casebridge.project.lines import MOST_COLUMNS
from casebridge.project.readspec import TABLE
from casebridge.project.spec import ReadSpec, Source, TableSpec
from casebridge.project.specfile import columns_accounted_for, columns_asked_of

_LIKE_A_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SHOWN = 50


def needed_columns(specs: Sequence[TableSpec], source: Source, read: ReadSpec) -> tuple[set[str], dict[str, str]]:
    """The columns that the plain specs of a source take, and those that their conditions name, with where. What a
    query needs it says when it is tried."""
    plain = [spec for spec in specs if spec.query is None]
    mapped = set.union(*columns_accounted_for(plain, source)) | set(read.key)
    asked = {name: f"{spec.name}.toml: {at}" for spec in plain for name, at in columns_asked_of(spec).items()}
    return mapped, asked


def known_to_specs(job: Job, source: Source, read: ReadSpec) -> set[str]:
    """Every column of a source that its specs map, drop or ask for."""
    specs = job.specs_of(source)
    mapped, asked = needed_columns(specs, source, read)
    return set.union(*columns_accounted_for(specs, source)) | mapped | set(asked)


def checked_columns(
    job: Job,
    source: Source,
    read: ReadSpec,
    name: str,
    titles: Sequence[str],
    sure: Callable[[Sequence[str], set[str]], bool],
) -> tuple[str, ...]:
    """The columns of a file or table, each accounted for by the specs. `sure` says whether titles are certainly a
    header, given the columns that the specs know."""
    if len(titles) > MOST_COLUMNS:
        what = f"has {len(titles):,} columns, which no table has (at most {MOST_COLUMNS:,})"
        raise SourceError(name, what, hint="look for missing line ends, or set `delimiter` in its spec's [read]")
    columns = tuple(raw_name(title) for title in titles)
    specs = job.specs_of(source)
    known = set.union(*columns_accounted_for(specs, source, columns))
    mapped, asked = needed_columns(specs, source, read)
    needed = mapped | set(asked)
    here = set(columns)
    if not _folded(columns) & _folded(known | needed):
        raise _no_header(name, columns, known | needed, read)
    counts = Counter(columns)
    shown = sure(columns, needed | known)
    faults = [
        _listed("missing", [_asked(column, mapped, asked, here & known) for column in sorted(needed - here)]),
        _listed("neither mapped nor dropped", _unexpected(columns, known, needed - here, sure=shown)),
        _listed("twice", sorted(name for name, count in counts.items() if count > 1 and name in known)),
        _listed("reserved by casebridge", sorted(column for column in here if column.startswith("__"))),
    ]
    if any(faults):
        hint = (
            "if the export is right, map each new column in its spec or list it under [dropped] with a reason, "
            "and take away those that are gone; otherwise ask for the file again"
        )
        what = f"its columns have changed: {'; '.join(filter(None, faults))}"
        raise SourceError(name, what, hint=hint)
    _refuse_alike(name, columns, specs)
    return columns


def _asked(column: str, mapped: set[str], asked: Mapping[str, str], there: set[str]) -> str:
    """A missing column; one that only a condition names may be mistyped there."""
    if column in mapped:
        return column
    hint = did_you_mean(column, there)
    return f"{column} ({asked[column]}{'; ' + hint if hint.startswith('did you mean') else ''})"


def _refuse_alike(name: str, columns: Sequence[str], specs: Sequence[TableSpec]) -> None:
    """SourceError when a query reads columns that differ in capitals only: it would see the first for both."""
    by_fold: dict[str, list[str]] = {}
    for column in columns:
        by_fold.setdefault(column.casefold(), []).append(column)
    alike = [" and ".join(names) for names in by_fold.values() if len(names) > 1]
    if alike and any(spec.query is not None for spec in specs):
        what = f"has columns that a query cannot tell apart, for they differ in capitals only: {', '.join(alike)}"
        hint = "take this table by a plain spec, or ask for the file again with other names"
        raise SourceError(name, what, hint=hint)


def _no_header(name: str, columns: Sequence[str], known: set[str], read: ReadSpec) -> SourceError:
    if read.format == TABLE:
        hint = "name the table that is meant: `table` in its spec's [read]"
        return SourceError(name, "has none of the columns that the specs name", hint=hint)
    if len(columns) == 1:
        for delimiter, word in {";": ";", "\t": "\\t", "|": "|", ",": ","}.items():
            if known & {part.strip(' "') for part in columns[0].split(delimiter)}:
                hint = f'set `delimiter = "{word}"` in its spec\'s [read] or in casebridge.toml'
                return SourceError(name, f"its fields are separated by `{word}`", hint=hint)
    what = "has no header: its first line has none of the columns that the specs name"
    hint = (
        "ask for this file again, with the columns' names in its first line; where they stand further down, set "
        "`header` to that line's number in its spec's [read]"
    )
    return SourceError(name, what, hint=hint)


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}


def _listed(word: str, names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{word} {', '.join(names[:_SHOWN])}{more}" if names else ""


def _unexpected(columns: Sequence[str], known: set[str], missing: set[str], *, sure: bool) -> list[str]:
    """Columns that no spec maps or drops: by name only if most of the line is known to be names."""
    folded = _folded(known)
    names = sum(column.casefold() in folded for column in columns)
    # A header that has lost its line end goes on with the first row, which is somebody's data.
    header = names >= len(columns) - 3 and 2 * names >= len(columns)
    shown = []
    for place, column in enumerate(columns, 1):
        if column in known:
            continue
        if sure or (header and _LIKE_A_NAME.fullmatch(column)):
            hint = did_you_mean(column, missing)
            shown.append(f"{column} ({hint})" if hint.startswith("did you mean") else column)
        else:
            shown.append(f"column {place}")
    return shown
