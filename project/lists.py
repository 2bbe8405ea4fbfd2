"""Lists that people hand in (decisions, keys, codes, files of a dump) are read whole, so they have bounds."""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import islice, pairwise
from pathlib import Path

from casebridge.project.errors import Problem

LARGEST = 64 << 20
"""Bytes, where the settings say nothing else."""
MOST_LINES, LONGEST_LINE = 1_000_000, 1 << 20
_LINES = re.compile(rb"\r\n?|\n")


_BESIDE = {".csv": frozenset({".xlsx", ".xlsm", ".xls", ".ods", ".tsv"})}
"""What a list of such an ending may have been saved as by mistake."""


def misnamed(folder: Path, ending: str) -> list[Problem]:
    """The files of a folder that look as if they were meant to be read, and are not: other capitals in their
    ending, `.txt` behind it, a workbook where a list is read. Hidden files are nobody's."""

    def meant(name: str) -> bool:
        return name.endswith(ending) or Path(name).suffix in _BESIDE.get(ending, ())

    place, hint = f"{folder.name}/", f"save it under a name that ends in {ending}, or take it away"
    unread = (path.name for path in _visible(folder) if not path.name.endswith(ending) and meant(_bare(path.name)))
    return [
        Problem(place + name, "", f"is not read: only files that end in {ending} are", hint) for name in unread
    ]


def miscalled(folder: Path, names: Collection[str]) -> list[Problem]:
    """The files of a folder that are called like one of `names`, but for capitals or a `.txt` behind it."""
    unread = (path.name for path in _visible(folder) if path.name not in names and _bare(path.name) in names)
    return [
        Problem(name, "", f"is not read: its name is {_bare(name)}", "rename it, or take it away")
        for name in unread
    ]


def _visible(folder: Path) -> list[Path]:
    there = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in there if not path.name.startswith((".", "~"))]


def _bare(name: str) -> str:
    return name.lower().removesuffix(".txt")


class ListTooLargeError(Exception):
    """A list is larger than it may be: `str` of it is a sentence about that."""


def read_list(path: Path, largest: int = LARGEST) -> bytes:
    """The bytes of a list. ListTooLargeError when there are too many, OSError when it cannot be read."""
    with path.open("rb") as file:
        data = file.read(largest + 1)
    if len(data) > largest:
        hint = "split it, or set `list_size` under [reading] in casebridge.toml"
        raise ListTooLargeError(f"is larger than {largest:,} bytes: {hint}")
    ends = [0, *(match.end() for match in islice(_LINES.finditer(data), MOST_LINES + 1)), len(data)]
    if len(ends) - 2 > MOST_LINES:
        raise ListTooLargeError(f"has more than {MOST_LINES:,} lines: split it")
    if max(after - before for before, after in pairwise(ends)) > LONGEST_LINE:
        raise ListTooLargeError(f"has a line of more than {LONGEST_LINE:,} bytes: look for missing line ends")
    return data
