"""One table of texts, written as files of every format: whatever the format, the same texts come in."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
from hypothesis import strategies as st
from openpyxl import Workbook

Table = Sequence[Sequence[str]]
"""The rows of a file, texts alone."""
Draw = Callable[[st.SearchStrategy[str]], str]


def _delimited(names: Sequence[str], rows: Table, delimiter: str, end: str, quoting: int) -> str:
    made = io.StringIO()
    writer = csv.writer(made, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([names, *rows])
    return made.getvalue()


def as_csv(folder: Path, names: Sequence[str], rows: Table, draw: Draw) -> str:
    """Any delimiter, line end, quoting and encoding that can hold these texts."""
    delimiter = draw(st.sampled_from([",", ";", "\t", "|", "¬"]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = csv.QUOTE_ALL if draw(st.sampled_from(["all", "some"])) == "all" else csv.QUOTE_MINIMAL
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    packed = draw(st.sampled_from(["", "", ".gz"]))
    data = _delimited(names, rows, delimiter, end, quoting).encode(encoding)
    (folder / f"T.csv{packed}").write_bytes(gzip.compress(data) if packed else data)
    shown = json.dumps(delimiter)
    return f'file = "T.csv{packed}"\ndelimiter = {shown}\nencoding = "{encoding.removesuffix("-sig")}"'


def as_lines(folder: Path, names: Sequence[str], rows: Table, draw: Draw) -> str:
    """JSON, a record a line or one array; what is empty is an empty text or left out."""
    whole = draw(st.sampled_from(["array", "lines"])) == "array"
    records = [dict(zip(names, row, strict=True)) for row in rows]
    text = json.dumps(records, indent=1) if whole else "".join(f"{json.dumps(r)}\n" for r in records)
    (folder / "T.json").write_text(text, encoding="utf-8")
    return 'file = "T.json"\nformat = "json"'


def as_parquet(folder: Path, names: Sequence[str], rows: Table, draw: Draw) -> str:
    """Columns of text."""
    del draw
    pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row").write_parquet(folder / "T.parquet")
    return 'file = "T.parquet"\nformat = "parquet"'


def as_workbook(folder: Path, names: Sequence[str], rows: Table, draw: Draw) -> str:
    """Cells of text."""
    del draw
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for at, row in enumerate([names, *rows], 1):
        for across, text in enumerate(row, 1):
            cell = sheet.cell(at, across)
            if text:
                cell.value, cell.data_type = text, "s"
    book.save(folder / "T.xlsx")
    return 'file = "T.xlsx"\nformat = "xlsx"'


def as_xml(folder: Path, names: Sequence[str], rows: Table, draw: Draw) -> str:
    """An element a value."""
    del draw
    lines = ("".join(f"<{n}>{escape(v)}</{n}>" for n, v in zip(names, row, strict=True)) for row in rows)
    body = "".join(f"<row>{line}</row>\n" for line in lines)
    (folder / "T.xml").write_text(f"<?xml version='1.0' encoding='utf-8'?>\n<all>{body}</all>", encoding="utf-8")
    return 'file = "T.xml"\nformat = "xml"\nelement = "row"'


def as_fixed(folder: Path, names: Sequence[str], rows: Table, draw: Draw) -> str:
    """Columns as wide as their longest value."""
    del draw
    widths = [max(1, *(len(row[n]) for row in rows)) for n in range(len(names))]
    lines = ("".join(v.ljust(w) for v, w in zip(row, widths, strict=True)) for row in rows)
    (folder / "T.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")
    shown = ", ".join(f"{n} = {w}" for n, w in zip(names, widths, strict=True))
    return f'file = "T.txt"\nformat = "fixed"\nwidths_in = "characters"\nwidths = {{{shown}}}'


FORMATS = (as_csv, as_csv, as_csv, as_lines, as_parquet, as_workbook, as_xml, as_fixed)
