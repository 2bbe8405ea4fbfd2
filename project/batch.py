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
    work: Path, stage: str, table: str, number: int, kind: str, inputs: str, frame: pl.DataFrame
) -> Batch:
    """Write `frame` as a batch file. A crash leaves no half file under the batch's name."""
    path = work / stage / table / f"{number:05d}-{inputs[:16]}.{kind}.parquet"
    with new_file(path) as file:
        frame.write_parquet(file, compression="zstd", compression_level=1, statistics=False)
        file.flush()
        beside = Path(file.name)
        return keep(
            beside, path, stage=stage, table=table, number=number, kind=kind, inputs=inputs, rows=frame.height
        )


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
