"""Whether a file of lines is one that a library may be given whole: no line of it is longer than any record."""

from __future__ import annotations

from pathlib import Path

from casebridge.project.bounds import Bounds
from casebridge.project.errors import SourceError

LONGEST_HEADER, MOST_COLUMNS = 1 << 20, 16_384
_BLOCK = 1 << 22


def refuse_long_lines(path: Path, name: str, longest: int = Bounds.longest_record) -> None:
    """SourceError for a line of more bytes than `longest`, or a first line that names more columns than a table
    has. Holds a few megabytes, whatever the file holds."""
    with path.open("rb") as file:
        header = file.readline(LONGEST_HEADER + 1)
        if len(header) > LONGEST_HEADER or header.count(b",") >= MOST_COLUMNS:
            what = f"has no header of up to {MOST_COLUMNS:,} columns in its first line"
            raise SourceError(name, what, hint="look for missing line ends")
        since, line = 0, 2
        while block := file.read(_BLOCK):
            first, last = block.find(b"\n"), block.rfind(b"\n")
            # A block is shorter than the bound: only the line that it goes on with may pass it.
            since += first if first >= 0 else len(block)
            if since > longest:
                what = f"has a line of more than {longest:,} bytes, line {line:,}"
                raise SourceError(name, what, hint="look for missing line ends")
            line += block.count(b"\n")
            since = len(block) - 1 - last if last >= 0 else since
