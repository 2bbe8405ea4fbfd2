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
from functools import partial
from itertools import takewhile
from operator import itemgetter

import polars as pl
import psycopg
import pyarrow as pa
import pyarrow.csv
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_BYTES = 16 << 20
"""A block ends with the row that fills so many."""
_NO_ROW = 0, memoryview(b"")
"""Less than what `get_copy_data` gives for a row: size and bytes. More must come first; -1 is the end."""


def copied(connection: psycopg.Connection, query: str, names: Sequence[str]) -> Iterator[tuple[io.BytesIO, int]]:
    """Blocks of whole rows under a first line that names the columns `names` by their places; with each, a number
    of bytes that none of its rows exceeds. A block has _BYTES and what libpq holds at most: some kilobytes, or
    what its largest row so far needs. psycopg.Error for what the server refuses. Who stops before the end loses
    the connection."""
    title = (",".join(_places(names)) + "\n").encode()
    block, largest = _begun(title), 0
    with closing(_sent(connection.pgconn, query.encode())) as sent:
        for rows in sent:
            before = block.tell()
            block.writelines(rows)
            largest = max(largest, block.tell() - before)
            if block.tell() >= len(title) + _BYTES:
                yield block, largest
                block, largest = _begun(title), 0
    if largest:
        yield block, largest


def _begun(title: bytes) -> io.BytesIO:
    block = io.BytesIO()
    block.write(title)
    return block


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


def _sent(server: PGconn, query: bytes) -> Generator[Iterator[memoryview], None, None]:
    """The rows that a COPY TO sends, as they come in: each time those that libpq has whole. They are to be taken
    before the next are asked for. Other threads work while we wait."""
    result: PGresult | None = server.exec_(query)
    ended = False
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(server.socket, selectors.EVENT_READ)
            while result is not None and result.status == ExecStatus.COPY_OUT:
                yield _here(server)
                result = server.get_result()
                if result is not None and result.status == ExecStatus.COPY_OUT:  # that was not the end
                    selector.select()
                    server.consume_input()
        results = [result, *iter(server.get_result, None)]
        ended = True
    finally:
        if not ended:
            server.finish()
    for each in results:
        if each is not None and each.status != ExecStatus.COMMAND_OK:
            raise error_from_result(each)


def _here(server: PGconn) -> Iterator[memoryview]:
    """What libpq has whole. A row takes no step of Python: there are millions."""
    came = iter(partial(server.get_copy_data, 1), None)
    return map(itemgetter(1), takewhile(_NO_ROW.__lt__, came))
