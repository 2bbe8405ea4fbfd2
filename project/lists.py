"""Lists that people hand in (decisions, keys, codes, files of a dump) are read whole, so they have bounds."""

from __future__ import annotations

import re
from itertools import islice, pairwise
from pathlib import Path

LARGEST = 64 << 20
"""Bytes, where the settings say nothing else."""
MOST_LINES, LONGEST_LINE = 1_000_000, 1 << 20
_LINES = re.compile(rb"\r\n?|\n")


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
