"""Which files of a dump are tables, and how each is read. What cannot be read is said in one sentence a file."""

from __future__ import annotations

import fnmatch
import glob
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from casebridge.extract.delimited import fields_of_first
from casebridge.extract.dump import Part, SourceTable
from casebridge.extract.manifest import NAME as MANIFEST
from casebridge.extract.packed import Unpacking, members
from casebridge.extract.preflight import without_people
from casebridge.extract.readers import FORMATS
from casebridge.extract.workbook import open_workbook
from casebridge.extract.xml_records import likely_elements
from casebridge.migrate.profiling.encodings import common_encoding, encoding_of
from casebridge.migrate.profiling.fixed_width import told_if_fixed_width
from casebridge.migrate.profiling.headings import like_headings
from casebridge.migrate.profiling.lists import lists_in
from casebridge.project.contracts import raw_name
from casebridge.project.dump_files import files_of
from casebridge.project.errors import SourceError, counted
from casebridge.project.lines import MOST_COLUMNS
from casebridge.project.spec import ReadSpec, Source

_TEXT = frozenset({".csv", ".tsv", ".txt", ".dat", ".psv", ".tab"})
_OF_ENDING: Mapping[str, str] = {
    **dict.fromkeys(_TEXT, "csv"),
    **dict.fromkeys((".xlsx", ".xlsm"), "xlsx"),
    ".ods": "ods",
    ".xml": "xml",
    **dict.fromkeys((".json", ".ndjson", ".jsonl"), "json"),
    **dict.fromkeys((".parquet", ".pq"), "parquet"),
}
"""The format of a file by its ending, where the readers know it."""
_HEAD = 1 << 20
_DELIMITERS = (",", "\t", ";", "|", "¬", "~", "^", "||")
_ENCODINGS = ("utf-8", "cp1252", "latin-1", "cp850")
_NUMBERED = re.compile(r"(.*?)[ _.-]?([0-9]{1,4})")
_WORD = re.compile(r"[^A-Za-z0-9_]+")
_OF_A_HEADER = re.compile(r"(?=.*[^\W\d])(?!.*[0-9]{4}[-/]|.*[0-9]/[0-9]|.*@)[^\x00-\x1f\"]{1,64}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LIKE_PEOPLE = re.compile(r"[A-Z][a-z]+(?:[ '-][A-Z][a-z]+)*")
_FIXED = "a file of fixed width needs its columns' widths, in a spec"


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
    found: list[_Found] = []
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
                    for one in _looked_at(opened(), member, system):
                        found.append(one)
                        with _noted(member, unread):
                            found += _lists_of(one)
    unread = list(_by_reason(unread))
    unread += [Unread(counted(number, "file"), _other(suffix)) for suffix, number in sorted(others.items())]
    return _tables(found), unread


def tables_in(path: Path, packed: Unpacking) -> list[SourceTable]:
    """The tables of one file: several in a workbook, a zip or a document. SourceError where it holds none."""
    found: list[_Found] = []
    for member, opened in _inside(packed, path.parent, path, path.name):
        if opened is not None:
            found += _looked_at(opened(), member, "register")
    if not found:
        raise SourceError(path.name, "is of no form that can be read", hint=f"it may be {', '.join(_OF_ENDING)}")
    return _tables(found)


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
        yield name, partial(packed.plain, path, name) if _form(plain_file(name)) else None
        return
    for member in members(path, name):
        yield member, partial(_member, packed, dump, name, member) if _form(member) else None


def _member(packed: Unpacking, dump: Path, name: str, member: str) -> Path:
    """Where a member of a zip lies, unpacked."""
    found = packed.found(dump, f"{name}/{glob.escape(member.removeprefix(f'{name}/'))}")
    assert found is not None
    return found[0][1]


def _form(file: str) -> str | None:
    """The format of a file by its ending, where the readers know it."""
    form = _OF_ENDING.get(Path(file).suffix.lower())
    return form if form in FORMATS else None


def plain_file(file: str) -> str:
    """A file's name without that of the zip it lies in, and without `.gz`."""
    bare = re.sub(r"(?i)\.gz$", "", file)
    return re.sub(r"(?i)^.+?\.zip/", "", bare)


def _by_reason(unread: Sequence[Unread]) -> Iterator[Unread]:
    """Files in folders are often documents, and their names people's: those are only counted."""
    yield from (Unread(without_people(Path(item.file)), item.why) for item in unread if "/" not in item.file)
    below = Counter(item.why for item in unread if "/" in item.file)
    yield from (Unread(f"{counted(number, 'file')} in folders", why) for why, number in below.items())


def _other(suffix: str) -> str:
    return f"end in {suffix}, which is not read as a table" if suffix else "have no ending that says what they are"


@dataclass(frozen=True)
class _Found:
    """One file that is a table, or a part of one."""

    path: Path
    file: str
    stem: str
    read: ReadSpec
    columns: tuple[str, ...]


def _looked_at(path: Path, name: str, system: str) -> Iterator[_Found]:
    """The tables of one file: one, but for a workbook, whose sheets are a table each."""
    suffix = Path(plain_file(name)).suffix.lower()
    form = _OF_ENDING[suffix]
    if form == "csv":
        read = _of_text(path, name, system)
    else:
        read = ReadSpec(Source(system, ""), name, form, "utf-8", ",", (), null=())
    if form in {"xlsx", "xml"}:
        yield from (_sheets if form == "xlsx" else _elements)(path, name, read)
        return
    with told_if_fixed_width(path, name) if form == "csv" else nullcontext():
        titles = FORMATS[read.format].columns(path, name, read)
        if not titles:
            hint = "write its spec by hand: a run takes it as a table of no rows"
            raise SourceError(name, "is an array of no records, and says nothing of its columns", hint=hint)
        refuse_no_header(name, titles)
        if form == "csv" and len(titles) == 1 and not (suffix == ".csv" and _NAME.fullmatch(titles[0])):
            raise SourceError(name, "has no columns: a text, or a file of fixed width", hint=_FIXED)
    yield _Found(path, name, table_name(name), read, tuple(raw_name(title) for title in titles))


def _lists_of(whole: _Found) -> Iterator[_Found]:
    """The lists in the records of a table, each a table of its own."""
    if whole.read.format not in {"json", "xml"}:
        return
    for chosen, columns in lists_in(whole.path, whole.file, whole.read, whole.columns):
        stem = table_name(f"{whole.stem}_{chosen.nested.replace('.', '_')}.x")
        yield replace(whole, stem=stem, read=chosen, columns=tuple(raw_name(title) for title in columns))


def _sheets(path: Path, name: str, read: ReadSpec) -> Iterator[_Found]:
    """The sheets of a workbook that can be seen and that begin with names. SourceError when there is none."""
    with open_workbook(path, name, read) as book:
        seen = [sheet.name for sheet in book.sheets if sheet.has_cells and not sheet.hidden]
    fault: SourceError | None = None
    found = []
    for sheet in seen:
        chosen = replace(read, sheet=sheet if len(seen) > 1 else "")
        try:
            titles = FORMATS["xlsx"].columns(path, name, chosen)
            refuse_no_header(name, titles)
        except SourceError as error:
            fault = fault or error
            continue
        stem = table_name(f"{Path(name).with_suffix('')}_{sheet}.x" if len(seen) > 1 else name)
        found.append(_Found(path, name, stem, chosen, tuple(raw_name(title) for title in titles)))
    if fault and not found:
        raise fault
    yield from found


def _elements(path: Path, name: str, read: ReadSpec) -> Iterator[_Found]:
    """The elements of an XML file that repeat, a table for each path."""
    paths = likely_elements(path, name)
    if not paths:
        raise SourceError(name, "has no elements that repeat below its root", hint="name their path in a spec")
    for element in paths:
        chosen = replace(read, element=element)
        titles = FORMATS["xml"].columns(path, name, chosen)
        last = element.rpartition("/")[2]
        stem = table_name(f"{last}.x" if len(paths) > 1 else name)
        yield _Found(path, name, stem, chosen, tuple(raw_name(title) for title in titles))


def refuse_no_header(name: str, titles: Sequence[str]) -> None:
    """SourceError when the first line cannot be a header: it has gaps, doubles, or fields that are values."""
    hint = "ask for this file again, with the columns' names in its first line"
    if not titles:
        raise SourceError(name, "has no header that can be read in its first line", hint=hint)
    if len(titles) > MOST_COLUMNS:
        raise SourceError(name, f"has {len(titles):,} columns, which no table has", hint=hint)
    named = [title for title in titles if _OF_A_HEADER.fullmatch(title)]
    if len(named) < len(titles) or any(title.startswith("__") for title in titles):
        raise SourceError(name, "has no header: its first line holds fields that are no names", hint=hint)
    if len(set(titles)) < len(titles):
        raise SourceError(name, "names a column twice in its header", hint=hint)
    if all(map(_LIKE_PEOPLE.fullmatch, titles)) and not like_headings(titles):
        what = "its first line looks like a record: it holds names, and none that columns are called by"
        raise SourceError(name, what, hint=hint)


def _of_text(path: Path, name: str, system: str) -> ReadSpec:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    encoding = encoding_of(head)
    begins = 2 if head.lstrip(b"\xef\xbb\xbf").lower().startswith(b"sep=") else 1
    read = ReadSpec(Source(system, ""), name, "csv", encoding, ",", (), null=(), header=begins)
    return _with_delimiter(path, name, read, head)


def _with_delimiter(path: Path, name: str, read: ReadSpec, head: bytes) -> ReadSpec:
    """With the sign that cuts the header into most fields, and the line below it into as many; and whether lines
    end with one."""
    text = head.decode(read.encoding, "replace").lstrip("\ufeff")
    first = (text.splitlines() or [""])[read.header - 1 :][:1] or [""]
    likely = sorted((sign for sign in _DELIMITERS if sign in first[0]), key=lambda sign: -first[0].count(sign))
    tries = [replace(read, delimiter=sign) for sign in likely]
    for tried in (*tries, *(replace(one, trailing_delimiter=True) for one in tries)):
        try:
            columns = len(FORMATS["csv"].columns(path, name, tried))
        except SourceError:
            continue
        if columns > 1 and fields_of_first(path, name, tried) in {0, columns}:
            return tried
    return tries[0] if tries else read


def table_name(file: str) -> str:
    """A table's name from its file's: a word of letters, digits and _ that does not begin with a digit."""
    stem = Path(plain_file(file)).with_suffix("").as_posix()
    word = _WORD.sub("_", stem).strip("_") or "table"
    return word if not word[0].isdigit() else f"t_{word}"


def _tables(found: Sequence[_Found]) -> list[SourceTable]:
    """Files that are numbered and have the same columns are one table."""
    groups: dict[tuple[str, tuple[str, ...], str], list[_Found]] = {}
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
    groups: Mapping[tuple[str, tuple[str, ...], str], Sequence[_Found]], found: Sequence[_Found]
) -> Iterator[tuple[str, Sequence[_Found]]]:
    """Files that are one table, in order. Where the pattern that names them would name others too, each is one."""
    names = [one.file for one in found]
    for (stem, *_), files in sorted(groups.items(), key=lambda item: item[0]):
        together = {one.file for one in files}
        if len(files) == 1 or together == set(fnmatch.filter(names, _pattern(stem, files))):
            yield stem, files
        else:
            yield from ((one.stem, [one]) for one in files)


def _pattern(stem: str, files: Sequence[_Found]) -> str:
    return f"{stem}*{Path(files[0].file).suffix}"


def _fresh(name: str, taken: set[str]) -> str:
    """The name, or the first `name_2`, `name_3` … that no other has, in any capitals. It is taken then."""
    made, number = name, 2
    while made.casefold() in taken:
        made, number = f"{name}_{number}", number + 1
    taken.add(made.casefold())
    return made


def _unseen(found: _Found) -> Part:
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
