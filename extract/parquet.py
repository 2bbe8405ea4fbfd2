"""Parquet: every column as text. Numbers in full, dates and times in ISO, bytes as hexadecimal digits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet

from casebridge.extract.dump import Part, Piece, SourceTable, stamp
from casebridge.extract.oddities import without_nothing
from casebridge.extract.row_formats import ROWS_AT_ONCE
from casebridge.project.batch import file_digest
from casebridge.project.contracts import FILE, LINE, LINES, ORIGIN, ROW, UNREADABLE, empty, raw_name
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec

_AGAIN = "fetch the file again; if it is whole, have it written by another program"


def parquet_columns(path: Path, name: str, read: ReadSpec) -> tuple[str, ...]:  # noqa: ARG001
    """The names in the file's schema. SourceError when a column is a list or a record."""
    with _told(path, name), pa.parquet.ParquetFile(path) as file:
        nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
        if nested:
            what = f"has lists or records as values: {', '.join(nested[:5])}"
            raise SourceError(name, what, hint="have them written as tables of their own, or as JSON")
        return tuple(field.name for field in file.schema_arrow)


def examine_parquet(path: Path, name: str, read: ReadSpec) -> Part:  # noqa: ARG001
    """The file's checksum. Its rows are as many as it says, or reading stops."""
    before = stamp(path)
    return Part(path, name, before[0], None, file_digest(path), before)


def read_parquet(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The rows; `_line` is the row's place in the file, from 1."""
    line = 1
    with part.open() as opened, _told(part.path, part.name), pa.parquet.ParquetFile(opened) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            frame = _texts(pl.DataFrame(pl.from_arrow(batch)))
            frame.columns = [raw_name(name) for name in frame.columns]
            yield Piece(frame.height, _placed(frame.select(table.columns), table, part, first, line),
                        empty(UNREADABLE))  # fmt: skip
            first, line = first + frame.height, line + frame.height


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    lengths = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Duration)]
    clocks = [_clock(pl.col(name)).alias(name) for name in lengths]
    return frame.with_columns(pl.col(pl.Binary).bin.encode("hex"), *clocks).cast(pl.String)


def _clock(length: pl.Expr) -> pl.Expr:
    """A length of time in hours, minutes and seconds: `36:30:00`, as a workbook's is read."""
    nanos = length.dt.total_nanoseconds()
    seconds = nanos.abs() // 10**9
    parts = [value.cast(pl.String).str.zfill(2) for value in (seconds // 3600, seconds // 60 % 60, seconds % 60)]
    fraction = (nanos.abs() % 10**9).cast(pl.String).str.zfill(9).str.strip_chars_end("0")
    sign = pl.when(nanos < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    behind = pl.when(fraction == "").then(pl.lit("")).otherwise("." + fraction)
    return pl.concat_str(sign, pl.concat_str(parts, separator=":"), behind)


def _placed(frame: pl.DataFrame, table: SourceTable, part: Part, first: int, line: int) -> pl.DataFrame:
    places = pl.int_range(frame.height, eager=True)
    raw = frame.select(
        (places + first + 1).alias(ROW), pl.lit(part.name).alias(FILE), (places + line).alias(LINE),
        pl.lit(1, pl.Int32).alias(LINES), *table.columns,
    ).with_columns(pl.col(name).cast(kind) for name, kind in ORIGIN.items())  # fmt: skip
    return raw if table.read.null is None else without_nothing(raw, table.columns, table.read, part.name)


@contextmanager
def _told(path: Path, name: str) -> Iterator[None]:
    if not path.is_file():
        raise SourceError(name, "is no file", hint="name a file in `file` of its spec")
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise SourceError(name, "is no Parquet file that can be read", hint=_AGAIN) from None
