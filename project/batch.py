"""Immutable files between stages: written beside, synced, renamed into place, never modified."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow.parquet

_LOOKED_AT = 10_000
"""Rows of a batch by which it is seen which values come again."""
_GROUP = 1 << 17
"""Rows that are read together."""


@dataclass(frozen=True)
class Batch:
    """One file of one stage: (stage, table, number, kind, digest of everything that went in)."""

    stage: str
    table: str
    number: int
    kind: str
    inputs: str
    path: Path
    rows: int
    sha256: str

    def whole(self) -> bool:
        """Whether the file is there with the bytes that were recorded."""
        return self.path.is_file() and file_digest(self.path) == self.sha256

    def scan(self) -> pl.LazyFrame:
        """The batch's rows, lazily."""
        return pl.scan_parquet(self.path)

    def read(self, columns: list[str] | None = None) -> pl.DataFrame:
        """The batch's rows."""
        return pl.read_parquet(self.path, columns=columns)


def with_rows(batches: Iterable[Batch]) -> Iterator[Batch]:
    """Those that hold a row. Most quarantines hold none, and to open a file takes longer than to see that."""
    return (batch for batch in batches if batch.rows)


def digest(*parts: object) -> str:
    """A fingerprint of values that JSON can spell; order counts."""
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """The sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_batch(
    work: Path, stage: str, table: str, number: int, kind: str, inputs: str, frame: pl.DataFrame,
    *, texts: bool = False,
) -> Batch:  # fmt: skip
    """Write `frame` as a batch file. A crash leaves no half file under the batch's name. `texts`: it has texts and
    whole numbers only."""
    path = work / stage / table / f"{number:05d}-{inputs[:16]}.{kind}.parquet"
    with new_file(path) as file:
        (_write_texts if texts else _write)(frame, file)
        file.flush()
        beside = Path(file.name)
        return keep(
            beside, path, stage=stage, table=table, number=number, kind=kind, inputs=inputs, rows=frame.height
        )


def _write(frame: pl.DataFrame, file: BinaryIO) -> None:
    frame.write_parquet(file, compression="zstd", compression_level=1, statistics=False)


def _write_texts(frame: pl.DataFrame, file: BinaryIO) -> None:
    """By pyarrow: Polars tries a dictionary for each column, which takes longer than to write it, and longest
    where all texts are empty. Here values that come again and again have one. How `frame` was put together from
    parts does not show in the file."""
    head = frame.head(_LOOKED_AT)
    often = [one.name for one in head if one.dtype == pl.String and 2 * one.n_unique() <= head.height]
    numbers = [one.name for one in head if one.dtype.is_integer()]
    table = frame.to_arrow(compat_level=pl.CompatLevel.newest()).combine_chunks()
    pyarrow.parquet.write_table(
        table, file, compression="zstd", compression_level=1, write_statistics=False, store_schema=False,
        use_dictionary=often, column_encoding=dict.fromkeys(numbers, "DELTA_BINARY_PACKED"), row_group_size=_GROUP,
    )  # fmt: skip


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A fresh file beside `path`, to be put in its place by the caller; gone if that does not come about.

    Python opens it, for its refusals name the folder. A link that somebody laid there is not followed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    beside.unlink(missing_ok=True)
    try:
        with beside.open("xb") as file:
            yield file
    finally:
        beside.unlink(missing_ok=True)


def keep(
    beside: Path, path: Path, *, stage: str, table: str, number: int, kind: str, inputs: str, rows: int
) -> Batch:
    """Sync a finished Parquet file and move it to its name for good."""
    sha256 = file_digest(beside)
    put_in_place(beside, path)
    return Batch(stage, table, number, kind, inputs, path, rows, sha256)


def put_in_place(beside: Path, path: Path) -> None:
    """fsync the file and its folder around the rename, so that the name never means half a file."""
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove_left_over(*folders: Path) -> None:
    """Take away what a process that was killed left half written, below these folders. Only for who holds the
    project: another's file may be in the making."""
    for folder in folders:
        for path in folder.rglob(".*.part"):
            path.unlink(missing_ok=True)
        for path in folder.glob("*/unpacked-*"):
            shutil.rmtree(path, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    write_file(path, lambda file: file.write(data))


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have a file written whole or not at all."""
    with new_file(path) as file:
        write(file)
        file.flush()
        put_in_place(Path(file.name), path)
