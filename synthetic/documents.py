"""CF_DOCUMENT and the files it points at.

Thousands of rows may point at one file (a standard letter), so the disk holds a few thousand files however
large the council is. The first chunk's loaded rows go round all of them; a file without any row would be
another finding, and a handful of those are made on purpose.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from casebridge.synthetic.books import finish
from casebridge.synthetic.chunk import Chunk, orphan_people, unknown_workers, workers
from casebridge.synthetic.council import day
from casebridge.synthetic.formats import SCREEN, overwrite
from casebridge.synthetic.names import Ints
from casebridge.synthetic.notes import legacy_bytes
from casebridge.synthetic.prose import CLOSERS, MIDDLES, TITLES
from casebridge.synthetic.sheet import Sheet
from casebridge.synthetic.verdicts import (
    COMBINED,
    FILE_CHANGED,
    FILE_MISSING,
    LOADED,
    UNREFERENCED,
    Mask,
    Verdicts,
    inherit,
)
from casebridge.synthetic.work import unmapped_codes
from casebridge.synthetic.writer import Writer

DOCUMENTS = 0.5  # per person row, at intensity 1
_MOST: Final = 3000
_PER_CHUNK: Final = 3  # rows of the first chunk to one file, at least
_FOLDERS: Final = ("letters", "assessments", "plans", "minutes", "scans")
_ENDS: Final = ("txt", "rtf", "html")


@dataclass(slots=True)
class Shelf:
    """The files, made before any row: path and digest of each."""

    folder: Path
    paths: list[str]
    digests: list[str]
    stray: list[str]  # files that no row will point at


def make_shelf(writer: Writer, rng: np.random.Generator, people: int) -> Shelf:
    """Enough files for the expected rows, so that each gets at least one that loads."""
    n = int(np.clip(people * DOCUMENTS / 8, 12, _MOST))
    paths = [f"{_FOLDERS[at % 5]}/{2001 + at % 24}/{at:06}.{_ENDS[at % 3]}" for at in range(n)]
    stray = [f"unfiled/{at:03}.txt" for at in range(max(2, n // 150))]
    folder = writer.dump / "documents"
    digests = [_write(folder / path, rng, path) for path in paths]
    for path in stray:
        _write(folder / path, rng, path)
    return Shelf(folder, paths, digests, stray)


def _write(path: Path, rng: np.random.Generator, name: str) -> str:
    sentences = [MIDDLES[at] for at in rng.integers(0, len(MIDDLES), int(rng.integers(4, 30)))]
    text = "\r\n".join(
        [f"Tarnshire County Council - {name}", "", *sentences, "", CLOSERS[len(sentences) % 12], ""]
    )
    if name.endswith("rtf"):
        text = "{\\rtf1\\ansi " + text.replace("\r\n", "\\par\r\n") + "}"
    elif name.endswith("html"):
        text = "<html><body><p>" + text.replace("\r\n", "</p>\r\n<p>") + "</p></body></html>"
    data = text.encode("cp1252")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def write_documents(chunk: Chunk, shelf: Shelf) -> None:
    rng = chunk.rng("document")
    count = rng.poisson(chunk.activity * DOCUMENTS * chunk.intensity)
    record = np.repeat(np.arange(len(chunk.records)), count)
    n = len(record)
    began, ended = chunk.records.created[record], chunk.last_day[record]
    made = began + (rng.random(n) * np.maximum(ended - began, 1)).astype(np.int64)
    made = np.maximum(made, day(1996))
    codes, dates = chunk.pools.codes["document_type"], chunk.pools.dates
    who = workers(chunk, rng, n)
    sheet = Sheet("CF_DOCUMENT", {
        "DOC_NO": chunk.numbers(9, n),
        "PI_NO": chunk.pi.gather(record),
        "DOC_TYPE": codes.text(rng, codes.draw(rng, n)),
        "TITLE": legacy_bytes(pl.Series(TITLES)).gather(rng.integers(0, len(TITLES), n)),
        "PATH": pl.Series([""]).new_from_index(0, n),
        "SHA256": pl.Series([""]).new_from_index(0, n),
        "CREATED_ON": dates.text(dates.index(rng, made, SCREEN)),
        "CREATED_BY": chunk.staff.worker_numbers().gather(who),
    }, ("DOC_NO",), rng, soft="TITLE", least=chunk.least)  # fmt: skip
    _spoil(chunk, sheet)
    sheet.set_aside(unknown_workers(chunk, who), "CREATED_BY", "orphan")
    changed = sheet.pick(6e-4)
    sheet.reject(changed, FILE_CHANGED)
    gone = sheet.pick(6e-4)
    sheet.reject(gone, FILE_MISSING)
    _point_at_files(chunk, sheet, shelf, inherit(sheet.verdict, (chunk.standing, record)) == LOADED, rng)
    _lose_files(sheet, changed, gone)
    finish(sheet, chunk.writer, lambda own: inherit(own, (chunk.standing, record)))


def _spoil(chunk: Chunk, sheet: Sheet) -> None:
    orphan_people(sheet, "PI_NO", 4e-4)
    unmapped_codes(chunk, sheet, "DOC_TYPE", "document_type")
    dates = chunk.pools.dates
    rows = sheet.pick(8e-4)
    sheet.spoil(rows, "CREATED_ON", dates.text(dates.impossible(sheet.rng, len(rows))))
    sheet.set_aside(rows, "CREATED_ON", "date")


def _point_at_files(chunk: Chunk, sheet: Sheet, shelf: Shelf, loads: Mask, rng: np.random.Generator) -> None:
    """Standard letters draw most rows; in the first chunk every file is given three rows that load."""
    n = len(shelf.paths)
    at = (n * rng.random(len(sheet)) ** 2.2).astype(np.int64)
    if chunk.number == 0:
        certain = np.flatnonzero(loads & ~sheet.touched)[: n * _PER_CHUNK]
        if len(certain) < n:
            raise ValueError(f"{len(certain)} document rows cannot cover {n} files")
        at[certain] = rng.permutation(np.arange(len(certain)) % n)
        sheet.touched[certain] = True  # a line torn later must not be a file's only row
    sheet.columns["PATH"] = pl.Series(shelf.paths).gather(at)
    sheet.columns["SHA256"] = pl.Series(shelf.digests).gather(at)


def _lose_files(sheet: Sheet, changed: Ints, gone: Ints) -> None:
    """Rows whose file is another one by now, and rows whose file went with a server."""
    texts = sheet.columns["SHA256"]
    other = [text[32:] + text[:32] for text in texts.gather(changed)]
    sheet.columns["SHA256"] = overwrite(texts, changed, other)
    sheet.spoil(gone, "PATH", [f"oldserver/{sheet.columns['DOC_NO'][int(row)]}.tif" for row in gone])


def write_shelf(shelf: Shelf, writer: Writer) -> None:
    """The files' own account: each is part of the row that points at it, or nobody's."""
    everything = sorted(shelf.paths + shelf.stray)
    stray = set(shelf.stray)
    verdicts: Verdicts = np.array(
        [UNREFERENCED if path in stray else COMBINED for path in everything], dtype=np.uint8
    )
    lines = np.arange(len(everything)) + 1
    nothing = np.zeros(len(everything), dtype=np.bool_)
    writer.account("documents", lines, pl.Series(everything), verdicts, nothing)
