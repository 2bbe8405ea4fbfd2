"""A folder of files as a table: PATH, BYTES, SHA256, in the order of the paths."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from casebridge.extract.dump import Part, Piece, SourceTable, stamp
from casebridge.extract.records import Reason
from casebridge.extract.row_formats import Row, pieces
from casebridge.project.batch import digest, file_digest
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

COLUMNS = ("PATH", "BYTES", "SHA256")


@dataclass(frozen=True)
class Folder(Part):
    """A folder whose files have all been hashed: (path in bytes, size, sha256) each, by path. Its own
    `sha256` is the digest of the list."""

    files: tuple[tuple[bytes, int, str], ...] = ()


def files_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:  # noqa: ARG001
    """Always the same three."""
    if not path.is_dir():
        raise SourceError(name, "is no folder", hint='`format = "files"` lists a folder; name one in `file`')
    return COLUMNS


def examine_files(path: Path, name: str, read: ReadSpec) -> Part:  # noqa: ARG001
    """Every regular file below the folder, hashed. Symbolic links are not followed."""
    before = stamp(path)
    links: list[str] = []
    found = sorted(_walk(path, links), key=os.fsencode)
    with ThreadPoolExecutor(4) as pool:
        files = tuple(pool.map(lambda below: _hashed(path, below), found))
    inputs = digest([(below.hex(), size, sha256) for below, size, sha256 in files])
    total = sum(size for _, size, _ in files)
    notes = (f"{len(links):,} symbolic links in it are not followed and not listed",) if links else ()
    return Folder(path, name, total, len(files), inputs, before, notes, files=files)


def read_files(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """One row a file; `_line` is its place in the list, from 1."""
    if not isinstance(part, Folder):
        raise TypeError(f"{part.name} was not examined as a folder")
    order = [COLUMNS.index(name) for name in table.columns]
    rows = (_row(number, entry, order) for number, entry in enumerate(part.files, 1))
    yield from pieces(rows, table, part.name, first)


def _row(number: int, entry: tuple[bytes, int, str], order: list[int]) -> Row:
    below, size, sha256 = entry
    try:
        values = (below.decode("utf-8"), str(size), sha256)
    except UnicodeDecodeError:
        return Row(number, (), Reason.UNDECODABLE, below)
    return Row(number, tuple(values[place] for place in order))


def _walk(top: Path, links: list[str], below: str = "") -> Iterator[str]:
    with os.scandir(top / below) as entries:
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.is_symlink():
                links.append(path)
            elif entry.is_dir(follow_symlinks=False):
                yield from _walk(top, links, path)
            elif entry.is_file(follow_symlinks=False):
                yield path


def _hashed(top: Path, below: str) -> tuple[bytes, int, str]:
    path = top / below
    return os.fsencode(below), path.stat().st_size, file_digest(path)
