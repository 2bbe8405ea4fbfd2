"""The files of a dump as this run found them: what the preflight hands to the readers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from casebridge.project.contracts import ORIGIN, ROW, UNREADABLE, empty
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec, Source

Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Part:
    """One file of a source table. `name` is its path in the dump folder, with `/`; `lines` counts
    physical lines, and is None where the format has none; `ended` is whether the last of them has a line
    end; `stamp` tells whether it was touched since;
    `notes` are things that whoever watches should know; `others` the sheets of its workbook that hold something
    and are not this one."""

    path: Path
    name: str
    bytes: int
    lines: int | None
    sha256: str
    stamp: Stamp
    notes: tuple[str, ...] = ()
    ended: bool = True
    others: tuple[str, ...] = ()

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file for reading; SourceError when it is not the one that was checked, before or after."""
        self.unchanged()
        with self.path.open("rb") as file:
            try:
                yield file
            except EOFError as error:
                raise self._changed() from error
        self.unchanged()

    def unchanged(self) -> None:
        """SourceError when the file was written to since it was checked."""
        if stamp(self.path) != self.stamp:
            raise self._changed()

    def _changed(self) -> SourceError:
        hint = "wait until whoever writes it has finished, then run this again"
        return SourceError(self.name, "changed while it was being read", hint=hint)


@dataclass(frozen=True)
class SourceTable:
    """One source table, ready to be read: its files in order and the columns they all have."""

    source: Source
    read: ReadSpec
    columns: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Piece:
    """Successive records of a file, readable ones apart from the others; `records` counts both.

    `raw` has ORIGIN and the source's columns, `unreadable` has UNREADABLE; both in the order of `_row`.
    A piece that nobody needs again is only counted: its frames are empty.
    """

    records: int
    raw: pl.DataFrame
    unreadable: pl.DataFrame

    @property
    def last_row(self) -> int:
        """The highest row number in the frames, 0 when they are empty."""
        return max([frame[ROW][-1] for frame in (self.raw, self.unreadable) if frame.height], default=0)


def counted(records: int, columns: tuple[str, ...]) -> Piece:
    """A piece of which only the count is wanted."""
    return Piece(records, no_records(columns), empty(UNREADABLE))


def no_records(columns: tuple[str, ...]) -> pl.DataFrame:
    """A raw frame without rows."""
    return empty({**ORIGIN, **dict.fromkeys(columns, pl.String())})


def stamp(path: Path) -> Stamp:
    """What changes whenever a file is written to: size, time of last change, identity."""
    status = path.stat()
    return status.st_size, status.st_mtime_ns, status.st_ino
