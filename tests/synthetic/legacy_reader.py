"""A slow, plain reader of a dump: characters one by one, nothing shared with the generator or the engine."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import openpyxl

WIDTHS = {"WORKER_NO": 8, "SURNAME": 30, "FORENAMES": 30, "LOGIN": 12, "TEAM_NO": 8, "EMAIL": 60,
          "FROM_DT": 10, "TO_DT": 10, "PI_NO": 8}  # fmt: skip


@dataclass
class Record:
    line: int
    lines: int
    fields: dict[str, str]
    cause: str | None = None


def read_dump(dump: Path) -> dict[str, list[Record]]:
    tables = {path.stem: read_csv(path) for path in sorted(dump.glob("CF_*.csv"))}
    tables["CF_WORKER"] = read_fixed(dump / "CF_WORKER.txt")
    tables["CF_ORG"] = read_sheet(dump / "CF_ORG.xlsx")
    tables["documents"] = read_files(dump / "documents")
    return tables


def read_csv(path: Path) -> list[Record]:
    lines = path.read_bytes().split(b"\n")
    assert lines[-1] == b"", "the file ends with a line end"
    texts = [line.decode("latin-1") for line in lines[:-1]]
    header = texts[0].rstrip("\r").split(",")
    records, at = [], 1
    while at < len(texts):
        fields, used = _record(texts, at)
        if fields is None:
            records.append(Record(at + 1, 1, {}, "broken_quote"))
            used = 1
        else:
            raw = "".join(fields)
            cause = _unreadable(raw, len(fields) == len(header))
            values = {} if cause else dict(zip(header, (_cp1252(field) for field in fields), strict=True))
            records.append(Record(at + 1, used, values, cause))
        at += used
    return records


def _record(texts: list[str], at: int) -> tuple[list[str] | None, int]:
    """The fields of the record at line `at` (None: a quote never closes), and how many lines it takes."""
    fields: list[str] = []
    text, line, place = texts[at], at, 0
    while True:
        if text[place : place + 1] == '"':
            value, place = "", place + 1
            while True:
                end = text.find('"', place)
                if end < 0:
                    value += text[place:] + "\n"
                    line += 1
                    if line >= len(texts):
                        return None, 1
                    text, place = texts[line], 0
                elif text[end + 1 : end + 2] == '"':
                    value, place = value + text[place : end + 1], end + 2
                else:
                    value, place = value + text[place:end], end + 1
                    break
            if text[place : place + 1] not in ("", ",", "\r"):
                return None, 1
            fields.append(value)
        else:
            end = text.find(",", place)
            end = len(text.rstrip("\r")) if end < 0 else end
            fields.append(text[place:end])
            place = end
        if text[place : place + 1] != ",":
            return fields, line - at + 1
        place += 1


def _unreadable(raw: str, whole: bool) -> str | None:
    if not whole:
        return "ragged_line"
    if "\x00" in raw:
        return "nul_byte"
    return "undecodable" if set(raw) & set("\x81\x8d\x8f\x90\x9d") else None


def _cp1252(field: str) -> str:
    return field.encode("latin-1").decode("cp1252")


def read_fixed(path: Path) -> list[Record]:
    records = []
    for number, line in enumerate(path.read_bytes().decode("latin-1").split("\r\n")[:-1], start=1):
        cause = _unreadable(line, len(line) == sum(WIDTHS.values()))
        fields, at = {}, 0
        for name, width in WIDTHS.items():
            fields[name], at = line[at : at + width], at + width
        records.append(Record(number, 1, {} if cause else fields, cause))
    return records


def read_sheet(path: Path) -> list[Record]:
    book = openpyxl.load_workbook(path, read_only=True)
    rows = [["" if cell is None else str(cell) for cell in row] for row in book.worksheets[0].values]
    book.close()
    return [Record(at, 1, dict(zip(rows[0], row, strict=True))) for at, row in enumerate(rows[1:], start=2)]


def read_files(folder: Path) -> list[Record]:
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    digests = [hashlib.sha256((folder / path).read_bytes()).hexdigest() for path in paths]
    pairs = zip(paths, digests, strict=True)
    return [Record(at, 1, {"PATH": path, "SHA256": digest}) for at, (path, digest) in enumerate(pairs, start=1)]
