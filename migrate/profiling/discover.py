"""Which files of a dump are tables, and how each is read. What cannot be read is said in one sentence a file."""

from __future__ import annotations

import fnmatch
import glob
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from casebridge.extract.dump import Part, SourceTable
from casebridge.extract.manifest import NAME as MANIFEST
from casebridge.extract.packed import Unpacking, members
from casebridge.extract.preflight import without_people
from casebridge.extract.readers import FORMATS
from casebridge.migrate.profiling.candidates import (
    OF_ENDING,
    Found,
    form_of,
    lists_of,
    looked_at,
    plain_file,
    sound,
    table_name,
)
from casebridge.migrate.profiling.encodings import common_encoding
from casebridge.project.dump_files import files_of
from casebridge.project.errors import SourceError, counted
from casebridge.project.spec import Source

_ENCODINGS = ("utf-8", "cp1252", "latin-1", "cp850")
_NUMBERED = re.compile(r"(.*?)[ _.-]?([0-9]{1,4})")


@dataclass(frozen=True)
class Unread:
    """A file of the dump that is no table, or cannot be read as one, and why."""

    file: str
    why: str


def discover(dump: Path, packed: Unpacking, system: str = "source") -> tuple[list[SourceTable], list[Unread]]:
    """The tables of a folder, by name, and the files that are none. Reads headers only; what is packed is unpacked
    for as long as `packed` is there.

    SourceError when there is no such folder or nothing in it.
    """
    if not dump.is_dir():
        raise SourceError(dump.name or str(dump), "is no folder", hint="name the folder with the dump's files")
    files = sorted(path for path in files_of(dump) if path.name != MANIFEST)
    if not files:
        raise SourceError(dump.name or str(dump), "holds no files", hint="name the folder with the dump's files")
    found: list[Found] = []
    unread: list[Unread] = []
    others: Counter[str] = Counter()
    for path in files:
        name = path.relative_to(dump).as_posix()
        with _noted(name, unread):
            for member, opened in _inside(packed, dump, path, name):
                if opened is None:
                    others[Path(member).suffix.lower()] += 1
                    continue
                with _noted(member, unread):
                    for one in looked_at(opened(), member, system):
                        with _noted(member, unread):
                            found.append(sound(one))
                            found += lists_of(found[-1])
    unread = list(_by_reason(unread))
    unread += [Unread(counted(number, "file"), _other(suffix)) for suffix, number in sorted(others.items())]
    return _tables(found), unread


def tables_in(path: Path, packed: Unpacking) -> tuple[list[SourceTable], list[SourceError]]:
    """The tables of one file (several in a workbook, a zip or a document), and why others in it are not
    read. SourceError where it holds none."""
    seen: list[Found | SourceError] = []
    for member, opened in _inside(packed, path.parent, path, path.name):
        if opened is not None:
            seen += looked_at(opened(), member, "register")
    found = [one for one in seen if isinstance(one, Found)]
    if not found:
        for one in seen:
            sound(one)
        raise SourceError(path.name, "is of no form that can be read", hint=f"it may be {', '.join(OF_ENDING)}")
    return _tables(found), [one for one in seen if isinstance(one, SourceError)]


@contextmanager
def _noted(name: str, unread: list[Unread]) -> Iterator[None]:
    """What cannot be read is noted, and costs nothing beside it."""
    try:
        yield
    except SourceError as error:
        unread.append(Unread(name, error.message.removeprefix(f"{name}: ")))
    except OSError as error:
        unread.append(Unread(name, f"cannot be opened: {error.strerror}"))


def _inside(
    packed: Unpacking, dump: Path, path: Path, name: str
) -> Iterator[tuple[str, Callable[[], Path] | None]]:
    """What a file holds, by the names that specs use, and what unpacks it: itself, what a `.gz` holds, the members
    of a zip. None for what is no table by its ending."""
    if path.suffix.lower() != ".zip":
        yield name, partial(packed.plain, path, name) if form_of(plain_file(name)) else None
        return
    for member in members(path, name):
        yield member, partial(_member, packed, dump, name, member) if form_of(member) else None


def _member(packed: Unpacking, dump: Path, name: str, member: str) -> Path:
    """Where a member of a zip lies, unpacked."""
    found = packed.found(dump, f"{name}/{glob.escape(member.removeprefix(f'{name}/'))}")
    assert found is not None
    return found[0][1]


def _by_reason(unread: Sequence[Unread]) -> Iterator[Unread]:
    """Files in folders are often documents, and their names people's: those are only counted."""
    yield from (Unread(without_people(Path(item.file)), item.why) for item in unread if "/" not in item.file)
    below = Counter(item.why for item in unread if "/" in item.file)
    yield from (Unread(f"{counted(number, 'file')} in folders", why) for why, number in below.items())


def _other(suffix: str) -> str:
    return f"end in {suffix}, which is not read as a table" if suffix else "have no ending that says what they are"


def _tables(found: Sequence[Found]) -> list[SourceTable]:
    """Files that are numbered and have the same columns are one table."""
    groups: dict[tuple[str, tuple[str, ...], str], list[Found]] = {}
    for one in found:
        match = _NUMBERED.fullmatch(Path(one.file).with_suffix("").as_posix())
        stem = match[1] if match and match[1] else one.file
        part = f"{one.read.sheet or one.read.element} {one.read.nested}".strip()
        groups.setdefault((stem, tuple(sorted(one.columns)), part), []).append(one)
    made: dict[str, SourceTable] = {}
    taken: set[str] = set()
    for stem, files in _alone_or_together(groups, found):
        several = len(files) > 1
        nested = files[0].read.nested.replace(".", "_")
        name = _fresh(table_name(f"{stem}_{nested}.x".replace("_.x", ".x")) if several else files[0].stem, taken)
        pattern = _pattern(stem, files) if several else files[0].file
        read = replace(files[0].read, source=Source(files[0].read.source.system, name), file=pattern)
        if several:
            read = replace(read, encoding=common_encoding([file.read.encoding for file in files]))
        parts = tuple(_unseen(file) for file in files)
        made[name] = SourceTable(read.source, read, files[0].columns, parts)
    return [made[name] for name in sorted(made, key=str.casefold)]


def _alone_or_together(
    groups: Mapping[tuple[str, tuple[str, ...], str], Sequence[Found]], found: Sequence[Found]
) -> Iterator[tuple[str, Sequence[Found]]]:
    """Files that are one table, in order. Where the pattern that names them would name others too, each is one."""
    names = [one.file for one in found]
    for (stem, *_), files in sorted(groups.items(), key=lambda item: item[0]):
        together = {one.file for one in files}
        if len(files) == 1 or together == set(fnmatch.filter(names, _pattern(stem, files))):
            yield stem, files
        else:
            yield from ((one.stem, [one]) for one in files)


def _pattern(stem: str, files: Sequence[Found]) -> str:
    return f"{stem}*{Path(files[0].file).suffix}"


def _fresh(name: str, taken: set[str]) -> str:
    """The name, or the first `name_2`, `name_3` … that no other has, in any capitals. It is taken then."""
    made, number = name, 2
    while made.casefold() in taken:
        made, number = f"{name}_{number}", number + 1
    taken.add(made.casefold())
    return made


def _unseen(found: Found) -> Part:
    """A part that has not been examined yet."""
    return Part(found.path, found.file, 0, None, "", (0, 0, 0))


def examined(table: SourceTable) -> SourceTable:
    """The table with its files read once: checksum, lines, encoding. Where the first bytes did not show the
    encoding, another one is tried. SourceError when a file is unfit."""
    tries = [table.read.encoding, *(name for name in _ENCODINGS if name != table.read.encoding)]
    if table.read.format != "csv" or table.read.encoding == "utf-16":
        tries = tries[:1]
    first: SourceError | None = None
    for encoding in tries:
        read = replace(table.read, encoding=encoding)
        try:
            parts = tuple(FORMATS[read.format].examine(part.path, part.name, read) for part in table.parts)
        except SourceError as error:
            first = first or error
            continue
        return replace(table, read=read, parts=parts)
    assert first is not None
    raise first
