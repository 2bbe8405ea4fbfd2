"""Lists within the records of a JSON or XML file: each is a table of its own, with its parents' values beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from casebridge.extract.nested import NO_RECORD, OF_PARENT, PLACE
from casebridge.extract.readers import FORMATS
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

_LIST = "[]"


def lists_in(path: Path, name: str, read: ReadSpec, titles: Sequence[str]) -> Iterator[tuple[ReadSpec, list[str]]]:
    """How each list below these columns is read, and its columns; lists within lists, too, and none that has no
    item in any record. SourceError at the end, for the first that cannot be read."""
    fault: SourceError | None = None
    for title in titles:
        if not title.endswith(_LIST) or title == PLACE or title.startswith(OF_PARENT):
            continue
        inner = ".".join(filter(None, (read.nested, title.removesuffix(_LIST))))
        chosen = replace(read, nested=inner)
        try:
            columns = [*FORMATS[read.format].columns(path, name, chosen)]
            yield chosen, columns
            yield from lists_in(path, name, chosen, columns)
        except SourceError as error:
            if error.message == f"{name}: {NO_RECORD}":
                continue
            what = f"its list `{inner}` is not read: {error.message.removeprefix(f'{name}: ')}"
            fault = fault or SourceError(name, what, hint=error.hint)
    if fault:
        raise fault


def is_place(column: str) -> bool:
    """Whether a column counts: the items of a list, or an item's place in it."""
    return column.endswith(_LIST)


def is_of_parent(column: str) -> bool:
    """Whether a column of a list's table says something of the record that holds the list."""
    return column.startswith(OF_PARENT)
