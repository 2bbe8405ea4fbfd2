"""`dispositions.parquet`: where every single source row went. Row keys and rules only."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from casebridge.project.batch import new_file, put_in_place, with_rows
from casebridge.project.contracts import FILE, LINE, ROW
from casebridge.project.keys import joined_key
from casebridge.project.spec import ReadSpec, Source
from casebridge.reconciliation.counting.account_book import PLACES, Book, Page
from casebridge.reconciliation.counting.recount import Books
from casebridge.reconciliation.reading.raw_text import bare

SCHEMA = pa.schema(
    [
        ("system", pa.string()),
        ("source", pa.string()),
        ("file", pa.string()),
        ("line", pa.int64()),
        ("row", pa.int64()),
        ("key", pa.string()),
        ("place", pa.string()),
        ("cause", pa.string()),
        ("column", pa.string()),
        ("parent", pa.string()),
    ]
)


def write_dispositions(books: Books, path: Path) -> None:
    """One line a source row, by system, source and place in the file. The same rows give the same bytes."""
    numbers = {source: number for number, source in books.job.ledger.sources().items()}
    parents = _parents(books.book)
    with new_file(path) as file:
        _write(books, file, numbers, parents)
        file.flush()
        put_in_place(Path(file.name), path)


def _write(books: Books, file: BinaryIO, numbers: Mapping[Source, int], parents: pl.DataFrame) -> None:
    with pq.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for source, read in books.job.reads().items():
            page = books.book.pages.get(numbers.get(source, -1))
            if page is None:
                continue
            for lines in _lines(books, read):
                if lines.is_empty():
                    writer.write_table(SCHEMA.empty_table())
                    continue
                placed = _placed(lines, page, books.book, parents)
                shown = _by_digest(placed) if read.format == "files" else placed
                writer.write_table(shown.to_arrow().cast(SCHEMA))


def _by_digest(placed: pl.DataFrame) -> pl.DataFrame:
    """Documents by the SHA-256 of their names: people's names stand in them."""
    names = ("file", "key")
    texts = {text for name in names for text in placed[name].drop_nulls()}
    digests = {text: hashlib.sha256(text.encode()).hexdigest() for text in texts}
    return placed.with_columns(pl.col(name).replace(digests) for name in names)


def _parents(book: Book) -> pl.DataFrame:
    none = pl.DataFrame(schema={ROW: pl.Int64, "parent": pl.String})
    return pl.concat([none, *book.parents]).unique(ROW, keep="first", maintain_order=True).sort(ROW)


def _lines(books: Books, read: ReadSpec) -> Iterator[pl.DataFrame]:
    """A source's rows in order, in parts: raw batches with the unreadable lines between their rows."""
    name = str(read.source)
    unreadable = [
        batch.scan().select(ROW, FILE, LINE, pl.lit(None, pl.String).alias("key")).collect()
        for batch in with_rows(books.files.of("extract", name, "unreadable"))
    ]
    none = pl.DataFrame(schema={ROW: pl.Int64, FILE: pl.String, LINE: pl.Int64, "key": pl.String})
    left = pl.concat([none, *unreadable]).sort(ROW)
    parts = [bare(pl.col(column)).fill_null("") for column in read.key]
    key = joined_key(parts) if parts else pl.lit(None, pl.String)
    for batch in books.files.of("extract", name, "raw"):
        rows = batch.scan().select(ROW, FILE, LINE, key.alias("key")).collect()
        if rows.is_empty():
            continue
        last = rows.get_column(ROW).max()
        yield pl.concat([rows, left.filter(pl.col(ROW) < last)]).sort(ROW)
        left = left.filter(pl.col(ROW) >= last)
    yield left


def _placed(lines: pl.DataFrame, page: Page, book: Book, parents: pl.DataFrame) -> pl.DataFrame:
    at = page.find(lines.get_column(ROW).to_numpy())
    causes = pl.Series([cause.rule or None for cause in book.causes], dtype=pl.String)
    columns = pl.Series([cause.column or None for cause in book.causes], dtype=pl.String)
    number = page.cause[at]
    low, high = lines.get_column(ROW).min(), lines.get_column(ROW).max()
    near = parents.filter(pl.col(ROW).is_between(low, high))
    return (
        lines.join(near, on=ROW, how="left", maintain_order="left")
        .with_columns(
            pl.lit(page.source.system).alias("system"),
            pl.lit(page.source.name).alias("source"),
            pl.Series(PLACES).gather(page.place[at]).alias("place"),
            causes.gather(number).alias("cause"),
            columns.gather(number).alias("column"),
        )
        .rename({ROW: "row", FILE: "file", LINE: "line"})
        .select(SCHEMA.names)
    )
