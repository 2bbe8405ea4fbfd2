"""The guesses that still stand in a project's files. Whoever takes the mark away makes the line his own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from casebridge.project.errors import counted

MARK = "# guess"
_MARKED = re.compile(r"(?P<line>.*\S)\s+# ?guess\b:?\s*(?P<why>.*)")
_FILES = ("casebridge.toml", "target.toml", "linkage.toml", "tables/*.toml")
UNMATCHED = "tables/unmatched"
"""Where specs wait for somebody to say which table of the target they go to. No run reads them there."""
_MOST_FILES, _MOST_LINES = 30, 6


@dataclass(frozen=True)
class Guess:
    """A line of a project's file that is still a guess: what it says, and on what it rests."""

    file: str
    line: int
    says: str
    why: str


def guesses(folder: Path) -> list[Guess]:
    """All that still stand, by file and line. Files that cannot be read have none: others say what is wrong."""
    return [
        found for pattern in _FILES for path in sorted(folder.glob(pattern)) for found in _of_file(folder, path)
    ]


def _of_file(folder: Path, path: Path) -> Iterator[Guess]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for number, text in enumerate(lines, start=1):
        match = _MARKED.fullmatch(text)
        if match and not text.lstrip().startswith("#"):
            says = match["line"].strip()
            yield Guess(path.relative_to(folder).as_posix(), number, says, match["why"].strip())


def guess_notes(folder: Path, found: Sequence[Guess]) -> Iterator[str]:
    """A sentence a file, for who checks a project."""
    waiting = sorted(path.stem for path in (folder / UNMATCHED).glob("*.toml"))
    if waiting:
        shown = ", ".join(waiting[:_MOST_LINES]) + (" …" if len(waiting) > _MOST_LINES else "")
        yield f"{UNMATCHED}: {counted(len(waiting), 'table')} of the source without one of the target: {shown}"
    files = [(file, [item.line for item in items]) for file, items in groupby(found, key=lambda item: item.file)]
    for file, lines in files[:_MOST_FILES]:
        shown = ", ".join(map(str, lines[:_MOST_LINES])) + (" …" if len(lines) > _MOST_LINES else "")
        yield f"{file}: {counted(len(lines), 'guess').replace('guesss', 'guesses')} in line {shown}"
    if len(files) > _MOST_FILES:
        yield f"and guesses in {counted(len(files) - _MOST_FILES, 'file')} more; `check --json` lists all"
