"""The look before the leap: everything that makes a dump unfit is found before anything is written.

At most one sentence a file, the one that explains most; all files of all systems at once. No sentence
shows what a file holds. Names of columns are shown only from what is certainly a header: the first line of
a file without one is somebody's data.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from casebridge.extract.column_check import checked_columns, known_to_specs, needed_columns
from casebridge.extract.databases import Databases, open_databases
from casebridge.extract.delimited import fields_of_first
from casebridge.extract.dump import Part, SourceTable
from casebridge.extract.manifest import NAME, Declared, differs, read_manifest
from casebridge.extract.packed import Unpacking, packed_in, unread_members
from casebridge.extract.readers import FORMATS
from casebridge.project.batch import file_digest
from casebridge.project.contracts import raw_name
from casebridge.project.dump_files import files_of
from casebridge.project.errors import SourceError, counted
from casebridge.project.job import Job
from casebridge.project.readspec import TABLE
from casebridge.project.spec import ReadSpec, Source

_SHOWN = 50
_LIKE_A_TITLE = re.compile(r"(?=.*[^\W\d])[\w £$%#&/()+.,:?'*@\[\]-]{1,100}")
_MAGIC = re.compile(r"[*?\[]")


def preflight(job: Job, databases: Databases) -> list[SourceTable]:
    """All source tables, ready to be read. One SourceError for all that is wrong, or none."""
    troubles: list[SourceError] = []
    manifests = _manifests(job, troubles)
    tables = []
    for source, read in job.reads().items():
        try:
            if read.format == TABLE:
                tables.append(databases.table(source, read))
            else:
                tables.append(_table(job, source, read, manifests[source.system], troubles, databases.unpacking))
        except SourceError as error:
            if error.lost:
                raise
            troubles.append(error)
    if troubles:
        raise _all(troubles)
    for part in (part for table in tables for part in table.parts):
        for note in part.notes:
            job.report.note(f"{part.name}: {note}")
    for system, names in unread_files(job, databases, tables).items():
        few = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else "")
        kind = "table" if job.settings.systems[system].database else "file"
        job.report.note(f"no spec of {system} reads {counted(len(names), kind)} of its dump: {few}")
    return tables


def _manifests(job: Job, troubles: list[SourceError]) -> dict[str, Mapping[str, Declared]]:
    found = {}
    for name, system in job.settings.systems.items():
        try:
            found[name] = read_manifest(system.dump, job.settings.bounds.list_size) if system.dump else {}
        except SourceError as error:
            troubles.append(error)
            found[name] = {}
    return found


def look(job: Job) -> None:
    """The preflight for who only looks: nothing is asked of a database but its columns."""
    with open_databases(job, proves=False) as databases:
        preflight(job, databases)


def known_columns(job: Job) -> dict[Source, tuple[str, ...]]:
    """The columns of every source whose first header can be read, and those that its plain specs need of it: that
    one is missing is told of the file. Reads no more than headers."""
    found = {}
    with open_databases(job, proves=False) as databases:
        for source, read in job.reads().items():
            with suppress(SourceError, OSError):
                columns = dict.fromkeys(_titles(job, source, read, databases))
                mapped, asked = needed_columns(job.specs_of(source), source, read)
                found[source] = tuple(dict.fromkeys([*columns, *sorted(mapped), *asked]))
    return found


def _titles(job: Job, source: Source, read: ReadSpec, databases: Databases) -> tuple[str, ...]:
    if read.format == TABLE:
        return databases.columns(source, read)
    dump = job.settings.systems[source.system].dump
    assert dump is not None
    name, found = _files(dump, read, {}, databases.unpacking)[0]
    titles = FORMATS[read.format].columns(databases.unpacking.plain(found, name), name, read)
    return tuple(raw_name(title) for title in titles)


def unread_files(job: Job, databases: Databases, tables: Sequence[SourceTable]) -> dict[str, list[str]]:
    """The files of each system's dump that no spec reads, by their paths in it, how many sheets of the
    workbooks that some of these tables are read from (`book.xlsx: 2 sheets`), and the tables of its database;
    systems without any left out. A sheet may bear a person's name, and reports show none.

    The exporter's manifest and a list of people who never take part in linkage are read, if not by a spec.
    """
    found = databases.unread()
    lists = {system.no_link for system in job.settings.systems.values() if system.no_link}
    for name, system in job.settings.systems.items():
        if system.dump is None or not system.dump.is_dir():
            continue
        reads = [read for source, read in job.reads().items() if source.system == name and read.format != TABLE]
        own = {system.dump / NAME, *lists}
        taken = {path for read in reads for path in system.dump.glob(packed_in(read.file)) if _safe(read.file)}
        unread = [
            without_people(path.relative_to(system.dump))
            for path in sorted(files_of(system.dump))
            if not taken & {path, *path.parents} and path not in own and path.resolve() not in lists
        ]
        for archive in sorted({packed_in(read.file) for read in reads if packed_in(read.file) != read.file}):
            members = unread_members(system.dump / archive, archive, [read.file for read in reads])
            unread += [without_people(Path(member)) for member in members]
        unread += _unread_sheets([table for table in tables if table.source.system == name])
        if unread:
            found[name] = [*found.get(name, []), *unread]
    return found


def _unread_sheets(tables: Sequence[SourceTable]) -> list[str]:
    others: dict[str, list[set[str]]] = {}
    for part in (part for table in tables for part in table.parts):
        others.setdefault(part.name, []).append(set(part.others))
    unread = {file: len(set.intersection(*each)) for file, each in others.items()}
    return [f"{file}: {counted(sheets, 'sheet')}" for file, sheets in unread.items() if sheets]


_OF_DATA = frozenset(
    {".csv", ".tsv", ".txt", ".dat", ".psv", ".fwf", ".xlsx", ".xls", ".xml", ".json", ".zip", ".gz", ".7z",
     ".sql", ".dmp", ".mdb", ".accdb", ".parquet", ".md", ".log", ".ndjson", ".jsonl", ".ods"}
)  # fmt: skip
_LIKE_A_FILE = re.compile(r"[\w.#$+-]+")


def without_people(path: Path) -> str:
    """A file's path in the dump as it may be shown. Names of documents are often people's: such a one is told by
    the beginning of the SHA-256 of its path."""
    name = path.as_posix()
    known = path.suffix.lower() in _OF_DATA and all(map(_LIKE_A_FILE.fullmatch, path.parts))
    return name if known else f"sha256:{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:16]}"


def _safe(file: str) -> bool:
    return not Path(file).is_absolute() and ".." not in Path(file).parts


def _all(troubles: Sequence[SourceError]) -> SourceError:
    each = {(trouble.message, trouble.hint) for trouble in troubles}  # one database may keep many tables away
    if len(each) == 1:
        return troubles[0]
    lines = "\n".join(f"  {message} ({hint})" for message, hint in sorted(each))
    hint = "mend or fetch these files and run the same command again; nothing was read or written"
    return SourceError(f"{len(each)} files of the dump", f"cannot be read:\n{lines}", hint=hint)


def _table(
    job: Job,
    source: Source,
    read: ReadSpec,
    declared: Mapping[str, Declared],
    troubles: list[SourceError],
    packed: Unpacking,
) -> SourceTable:
    """One source table. What is wrong with one of its files is put to the others' troubles."""
    dump = job.settings.systems[source.system].dump
    assert dump is not None
    columns: tuple[str, ...] = ()
    parts: list[Part] = []
    for name, found in _files(dump, read, declared, packed):
        try:
            path = packed.plain(found, name)
            columns = _columns(job, source, read, path, name, columns)
            parts.append(_examined(read, path, found, name, declared.get(name)))
        except OSError as error:
            hint = "check that the file is still there and that you may read it"
            troubles.append(SourceError(name, f"cannot be opened: {error.strerror}", hint=hint))
        except SourceError as error:
            troubles.append(error)
    return SourceTable(source, read, columns, tuple(parts))


def _files(
    dump: Path, read: ReadSpec, declared: Mapping[str, Declared], packed: Unpacking
) -> list[tuple[str, Path]]:
    """The files of a table in the order of their names, each with its name in the dump."""
    if not dump.is_dir():
        hint = "set `dump` of this system in casebridge.toml to the folder that holds the files"
        raise SourceError(dump.name, "is no folder", hint=hint)
    if Path(read.file).is_absolute() or ".." in Path(read.file).parts:
        hint = "name it in `file` of its spec as it lies in the dump folder"
        raise SourceError(read.file, "lies outside the dump folder", hint=hint)
    members = packed.found(dump, read.file)
    if members:
        return members
    if not _MAGIC.search(read.file):
        found = [path for path in [dump / read.file] if path.exists()]
        gone = [] if found else [read.file]
    else:
        found = sorted(path for path in dump.glob(read.file) if path.is_file() and path.name != NAME)
        names = {path.relative_to(dump).as_posix() for path in found}
        gone = [name for name in declared if Path(name).match(read.file) and name not in names]
        gone = sorted(gone) or ([] if found else [read.file])
    if gone:
        raise SourceError(", ".join(gone), "is not in the dump folder", hint=_alike(dump, gone[0]))
    return [(path.relative_to(dump).as_posix(), path) for path in found]


def _alike(dump: Path, name: str) -> str:
    """The files that somebody may have meant."""
    there = {path.name.casefold(): path.name for path in sorted(dump.iterdir())}
    close = difflib.get_close_matches(name.casefold(), there, n=3, cutoff=0.7)
    if close:
        found = ", ".join(there[key] for key in close)
        return f"the folder has {found}: rename it, or set `file` in the spec's [read]"
    return "ask the exporter for it, or set `file` in the spec's [read]"


def _columns(
    job: Job, source: Source, read: ReadSpec, path: Path, name: str, first: tuple[str, ...]
) -> tuple[str, ...]:
    """The columns of a file, each accounted for by the specs; those of the table's first file if there is
    one, for all its files have the same, if not in the same order."""
    titles = FORMATS[read.format].columns(path, name, read) or first or sorted(known_to_specs(job, source, read))
    columns = checked_columns(
        job, source, read, name, titles, lambda found, known: _is_header(path, name, read, found, known)
    )
    if first and set(columns) != set(first):
        hint = "ask for files that all have the same columns"
        raise SourceError(name, "has other columns than the files before it", hint=hint)
    return first or columns


def _is_header(path: Path, name: str, read: ReadSpec, columns: Sequence[str], known: set[str]) -> bool:
    """Whether the first line is certainly a header and no row that has run into it, or stands for it: it has
    names only, each once, and as many as the line below it has fields."""
    if len(set(columns)) < len(columns) or not all(map(_LIKE_A_TITLE.fullmatch, columns)):
        return False
    if not known & set(columns):
        return False
    return read.format != "csv" or fields_of_first(path, name, read) in {0, len(columns)}


def _examined(read: ReadSpec, path: Path, found: Path, name: str, declared: Declared | None) -> Part:
    """The file's checksum and size, found fit to be read and the same as declared. What is declared of a packed
    file (`found`) is held against that, but for its lines."""
    size = found.stat().st_size
    if declared is not None and declared.bytes is not None and found.is_file() and declared.bytes != size:
        raise differs(name, "bytes", declared.bytes, size)
    part = FORMATS[read.format].examine(path, name, read)
    if declared is not None and path == found:
        declared.check(part)
    elif declared is not None and declared.sha256 and declared.sha256 != (digest := file_digest(found)):
        raise differs(name, "sha256", declared.sha256, digest)
    return part
