"""What one file of a dump holds: tables, each with how it is read, and parts that cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

from casebridge.extract.delimited import fields_of_first
from casebridge.extract.readers import FORMATS
from casebridge.extract.xml_records import likely_elements
from casebridge.migrate.profiling.encodings import encoding_of
from casebridge.migrate.profiling.fixed_width import told_if_fixed_width
from casebridge.migrate.profiling.headings import like_headings
from casebridge.migrate.profiling.lists import lists_in
from casebridge.project.contracts import raw_name
from casebridge.project.errors import SourceError
from casebridge.project.lines import MOST_COLUMNS
from casebridge.project.spec import ReadSpec, Source

_TEXT = frozenset({".csv", ".tsv", ".txt", ".dat", ".psv", ".tab"})
OF_ENDING: Mapping[str, str] = {
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
_WORD = re.compile(r"[^A-Za-z0-9_]+")
_OF_A_HEADER = re.compile(r"(?=.*[^\W\d])(?!.*[0-9]{4}[-/]|.*[0-9]/[0-9]|.*@)[^\x00-\x1f\"]{1,64}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LIKE_PEOPLE = re.compile(r"[A-Z][a-z]+(?:[ '-][A-Z][a-z]+)*")
_FIXED = "a file of fixed width needs its columns' widths, in a spec"


@dataclass(frozen=True)
class Found:
    """One file that is a table, or a part of one."""

    path: Path
    file: str
    stem: str
    read: ReadSpec
    columns: tuple[str, ...]


def sound(one: Found | SourceError) -> Found:
    """A part of a file that is a table; SourceError where it is none."""
    if isinstance(one, SourceError):
        raise one
    return one


def looked_at(path: Path, name: str, system: str) -> Iterator[Found | SourceError]:
    """The tables of one file: one, but for a workbook, whose sheets are a table each, and for XML, whose elements
    are. An error is what one of them has: it costs the others nothing."""
    suffix = Path(plain_file(name)).suffix.lower()
    form = OF_ENDING[suffix]
    if form == "csv":
        read = _of_text(path, name, system)
    else:
        read = ReadSpec(Source(system, ""), name, form, "utf-8", ",", (), null=())
    if form == "xml" or FORMATS[form].sheets:
        yield from (_elements if form == "xml" else _sheets)(path, name, read)
        return
    with told_if_fixed_width(path, name) if form == "csv" else nullcontext():
        titles = FORMATS[read.format].columns(path, name, read)
        if not titles:
            hint = "write its spec by hand: a run takes it as a table of no rows"
            raise SourceError(name, "is an array of no records, and says nothing of its columns", hint=hint)
        refuse_no_header(name, titles)
        if form == "csv" and len(titles) == 1 and not (suffix == ".csv" and _NAME.fullmatch(titles[0])):
            raise SourceError(name, "has no columns: a text, or a file of fixed width", hint=_FIXED)
    yield Found(path, name, table_name(name), read, tuple(raw_name(title) for title in titles))


def lists_of(whole: Found) -> Iterator[Found]:
    """The lists in the records of a table, each a table of its own."""
    if whole.read.format not in {"json", "xml"}:
        return
    for chosen, columns in lists_in(whole.path, whole.file, whole.read, whole.columns):
        stem = table_name(f"{whole.stem}_{chosen.nested.replace('.', '_')}.x")
        yield replace(whole, stem=stem, read=chosen, columns=tuple(raw_name(title) for title in columns))


def _sheets(path: Path, name: str, read: ReadSpec) -> Iterator[Found | SourceError]:
    """The sheets of a workbook that can be seen and hold something."""
    look = FORMATS[read.format].sheets
    assert look is not None
    sheets = look(path, name, read)
    first = next((sheet for sheet in sheets if not sheet.hidden), None)
    seen = [sheet for sheet in sheets if sheet.filled and not sheet.hidden]
    for sheet in seen:
        alone = len(seen) == 1
        chosen = replace(read, sheet="" if alone and sheet == first else sheet.name)
        try:
            titles = FORMATS[read.format].columns(path, name, chosen)
            refuse_no_header(name, titles)
        except SourceError as error:
            yield _of_part(error, name, f"sheet `{sheet.name}`") if len(sheets) > 1 else error
            continue
        stem = table_name(name if alone else f"{Path(name).with_suffix('')}_{sheet.name}.x")
        yield Found(path, name, stem, chosen, tuple(raw_name(title) for title in titles))
    if hidden := [f"`{sheet.name}`" for sheet in sheets if sheet.filled and sheet.hidden]:
        hint = "name one by `sheet` in a spec's [read] if it holds records"
        yield SourceError(name, f"hidden sheets are not read: {', '.join(hidden)}", hint=hint)
    if not seen and not hidden:
        yield SourceError(name, "has no sheet that holds anything", hint="ask for this file again")


def _elements(path: Path, name: str, read: ReadSpec) -> Iterator[Found | SourceError]:
    """The elements of an XML file that repeat, a table for each path."""
    paths = likely_elements(path, name)
    if not paths:
        raise SourceError(name, "has no elements that repeat below its root", hint="name their path in a spec")
    for element in paths:
        chosen = replace(read, element=element)
        try:
            titles = FORMATS["xml"].columns(path, name, chosen)
        except SourceError as error:
            yield _of_part(error, name, f"element `{element}`") if len(paths) > 1 else error
            continue
        last = element.rpartition("/")[2]
        stem = table_name(f"{last}.x" if len(paths) > 1 else name)
        yield Found(path, name, stem, chosen, tuple(raw_name(title) for title in titles))


def _of_part(error: SourceError, name: str, part: str) -> SourceError:
    """The same of one part of a file."""
    return SourceError(name, f"its {part} is not read: {error.message.removeprefix(f'{name}: ')}", hint=error.hint)


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


def form_of(file: str) -> str | None:
    """The format of a file by its ending, where the readers know it."""
    form = OF_ENDING.get(Path(file).suffix.lower())
    return form if form in FORMATS else None


def plain_file(file: str) -> str:
    """A file's name without that of the zip it lies in, and without `.gz`."""
    bare = re.sub(r"(?i)\.gz$", "", file)
    return re.sub(r"(?i)^.+?\.zip/", "", bare)


def table_name(file: str) -> str:
    """A table's name from its file's: a word of letters, digits and _ that does not begin with a digit."""
    stem = Path(plain_file(file)).with_suffix("").as_posix()
    word = _WORD.sub("_", stem).strip("_") or "table"
    return word if not word[0].isdigit() else f"t_{word}"
