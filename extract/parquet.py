"""Parquet: every column as text. Numbers in full, whole ones whole, dates and times in ISO, bytes as hexadecimal
digits."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
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
        unread = [*(field for field in file.schema_arrow if not _is_plain(field.type)), *_miscounted(file)]
        strange = [f"{field.name} ({field.type})" for field in unread]
        if strange:
            what = f"has values of a type that is not read: {', '.join(strange[:5])}"
            raise SourceError(name, what, hint="have them written as text")
        return tuple(field.name for field in file.schema_arrow)


def _miscounted(file: pa.parquet.ParquetFile) -> list[pa.Field]:
    """Lengths of time that were written from a dictionary: only the writer's own note of its types tells that, and
    Arrow reads them as numbers of whatever they were counted in."""
    noted = (file.metadata.metadata or {}).get(b"ARROW:schema")
    written = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(noted))) if noted else ()
    return [of for of in written if pa.types.is_dictionary(of.type) and pa.types.is_duration(of.type.value_type)]


def examine_parquet(path: Path, name: str, read: ReadSpec) -> Part:  # noqa: ARG001
    """The file's checksum. Its rows are as many as it says, or reading stops."""
    before = stamp(path)
    return Part(path, name, before[0], None, file_digest(path), before)


def read_parquet(table: SourceTable, part: Part, first: int, after: int) -> Iterator[Piece]:  # noqa: ARG001
    """The rows; `_line` is the row's place in the file, from 1."""
    line = 1
    with part.open() as opened, _told(part.path, part.name), pa.parquet.ParquetFile(opened) as file:
        for batch in file.iter_batches(ROWS_AT_ONCE):
            frame = pl.DataFrame(pl.from_arrow(_narrowed(batch)))
            frame.columns = [raw_name(name) for name in frame.columns]
            raw = _placed(_texts(frame).select(table.columns), table, part, first, line)
            broken = [name for name in table.columns if frame.schema[name].is_float()]
            checked = table.columns if table.read.null is not None else broken
            yield Piece(frame.height, without_nothing(raw, checked, table.read, part.name), empty(UNREADABLE))
            first, line = first + frame.height, line + frame.height


_PLAIN = (
    pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_string,
    pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary, pa.types.is_large_binary,
    pa.types.is_binary_view, pa.types.is_fixed_size_binary, pa.types.is_temporal, pa.types.is_null,
)  # fmt: skip


def _is_plain(kind: pa.DataType) -> bool:
    """Whether values of a type have one text."""
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return any(holds(kind) for holds in _PLAIN)


def _narrowed(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Decimals of more than 38 digits as text, and types of somebody's own (a UUID's) as what they are made of."""
    for place, field in enumerate(batch.schema):
        if isinstance(field.type, pa.BaseExtensionType):
            batch = batch.set_column(place, field.name, batch.column(place).storage)
        if pa.types.is_decimal256(field.type):
            texts = pl.Series(batch.column(place).cast(pa.string()))
            batch = batch.set_column(place, field.name, _in_full(texts).to_arrow())
    return batch


def _texts(frame: pl.DataFrame) -> pl.DataFrame:
    lengths = [name for name, kind in frame.schema.items() if isinstance(kind, pl.Duration)]
    clocks = [_clock(pl.col(name)).alias(name) for name in lengths]
    numbers = [_of_binary(frame[name]) for name, kind in frame.schema.items() if kind.is_float()]
    times = pl.col(pl.Time).dt.to_string("%H:%M:%S%.f")
    return frame.with_columns(pl.col(pl.Binary).bin.encode("hex"), times, *clocks, *numbers).cast(pl.String)


def _of_binary(numbers: pl.Series) -> pl.Series:
    """Binary numbers by the fewest digits that tell them apart; whole ones whole."""
    return _in_full(numbers.cast(pl.String).str.replace(r"^(-?[0-9]+)\.0$", "$1").replace("-0", "0"))


def _in_full(texts: pl.Series) -> pl.Series:
    """Numbers without an exponent."""
    short = texts.str.contains("[eE]").fill_null(value=False).arg_true()
    return (
        texts.scatter(short, [format(Decimal(text), "f") for text in texts.gather(short)]) if len(short) else texts
    )


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
    return frame.select(
        (places + first + 1).alias(ROW), pl.lit(part.name).alias(FILE), (places + line).alias(LINE),
        pl.lit(1, pl.Int32).alias(LINES), *table.columns,
    ).with_columns(pl.col(name).cast(kind) for name, kind in ORIGIN.items())  # fmt: skip


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
