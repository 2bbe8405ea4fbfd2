"""What COPY sends, taken apart: rows of PostgreSQL as columns of texts.

A server sends a row at a time. Each goes from libpq straight into a block of some megabytes; psycopg's own loop
takes twice the processor time. A block is taken apart in one piece: by Polars, which proves that it is UTF-8; by
pyarrow, as bytes, where it is not. What is not quoted and empty is null, and only that.
"""

from __future__ import annotations

import io
import selectors
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from itertools import accumulate, islice, takewhile
from operator import sub

import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn

_BYTES = 16 << 20
"""A block ends with the row that fills so many."""
_ROWS = 5_000
"""Rows whose ends are kept at once."""


def copied(connection: psycopg.Connection, query: str, names: Sequence[str]) -> Iterator[tuple[io.BytesIO, int]]:
    """Blocks of whole rows, _BYTES and a row at most, under a first line that names the columns `names` by their
    places; with each, the bytes of its largest row. psycopg.Error for what the server refuses. Who stops before
    the end loses the connection."""
    title = (",".join(_places(names)) + "\n").encode()
    with closing(_rows(connection.pgconn, query.encode())) as rows:
        whole = False
        while not whole:
            block, largest = io.BytesIO(), 0
            block.write(title)
            while block.tell() < len(title) + _BYTES and not whole:
                more = _filled(block, islice(rows, _ROWS), len(title) + _BYTES)
                whole, largest = not more, max(largest, more)
            if largest:
                yield block, largest


def _filled(block: io.BytesIO, rows: Iterator[memoryview], full: int) -> int:
    """Write rows until the block is full; the bytes of the largest, 0 without any."""
    ends = list(takewhile(full.__gt__, accumulate(map(block.write, rows), initial=block.tell())))
    ends.append(block.tell())  # that of the row that filled it; else the last one again
    sizes: Iterator[int] = map(sub, ends[1:], ends)
    return max(sizes)


def taken_apart(block: io.BytesIO, largest: int, names: Sequence[str]) -> pl.DataFrame:
    """The rows of a block: texts if all is UTF-8, bytes if not. (No text of PostgreSQL has a NUL in it.)"""
    try:
        frame = pl.read_csv(_again(block), schema=dict.fromkeys(_places(names), pl.String()), infer_schema=False)
    except pl.exceptions.ComputeError:
        frame = _as_bytes(_again(block), largest, _places(names))
    frame.columns = list(names)
    return frame


def _as_bytes(block: io.BytesIO, largest: int, places: list[str]) -> pl.DataFrame:
    table = pyarrow.csv.read_csv(
        block,
        read_options=pyarrow.csv.ReadOptions(
            column_names=places, skip_rows=1, block_size=max(_BYTES, 2 * largest)
        ),
        parse_options=pyarrow.csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.binary()), null_values=[""], strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )  # fmt: skip
    return pl.DataFrame(pl.from_arrow(table))


def _again(block: io.BytesIO) -> io.BytesIO:
    block.seek(0)
    return block


def _places(names: Sequence[str]) -> list[str]:
    """Names that nothing quotes: those of a table may hold anything."""
    return [str(place) for place in range(len(names))]


def _rows(server: PGconn, query: bytes) -> Generator[memoryview, None, None]:
    """Each row that a COPY TO sends."""
    ended = False
    try:
        results = [server.exec_(query)]
        if results[0].status == ExecStatus.COPY_OUT:
            yield from _sent(server)
            results = list(iter(server.get_result, None))
        ended = True
    finally:
        if not ended:
            server.finish()
    for result in results:
        if result.status != ExecStatus.COMMAND_OK:
            raise error_from_result(result)


def _sent(server: PGconn) -> Generator[memoryview, None, None]:
    """Until the server has no more, or says why not. Other threads work while we wait for it."""
    with selectors.DefaultSelector() as selector:
        selector.register(server.socket, selectors.EVENT_READ)
        size, row = server.get_copy_data(1)
        while size >= 0:
            if size:
                yield row
            else:
                selector.select()
                server.consume_input()
            size, row = server.get_copy_data(1)
