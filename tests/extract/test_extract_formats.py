"""The long tail: fixed width, spreadsheets, folders of files."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import os
import random
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_projects import Recorder, job_of, make, standing

from casebridge.extract import run
from casebridge.extract.fixed import _lines
from casebridge.extract.oddities import row_reason
from casebridge.extract.textfile import TextFile
from casebridge.project.contracts import LINE, LINES, ROW
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec, Source

WIDTHS = 'file = "W.txt"\nformat = "fixed"\nwidths = { K = 3, V = 4 }'


def read(tmp_path: Path, name: str, columns: list[str]) -> tuple[list[object], list[object]]:
    """(line, values...) of the readable rows, (line, reason, raw) of the others."""
    job = job_of(tmp_path)
    run(job)
    raw, bad = standing(job, name), standing(job, name, "unreadable")
    assert set(raw[LINES]) | set(bad[LINES]) <= {1}
    numbers = sorted([*raw[ROW], *bad[ROW]])
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return raw.select(LINE, *columns).rows(), bad.select(LINE, "reason", "raw").rows()


def test_fixed_width(tmp_path: Path) -> None:
    dump = make(tmp_path, {"W": ["K", "V"]}, read={"W": WIDTHS})
    lines = [b"001abcd", b"002", b"003a", b"04", b"005abcde", b"006abcd   ", b"", b"008a\0cd", b"009a\x81cd",
             b"010\xe9\xe9\xe9\xe9", b"011a\rcd", b"   \x80   ", b'"12"x']  # fmt: skip
    (dump / "W.txt").write_bytes(b"\r\n".join(lines))
    good, bad = read(tmp_path, "W", ["K", "V"])
    assert good == [
        (1, "001", "abcd"),
        (2, "002", ""),
        (3, "003", "a"),
        (6, "006", "abcd"),
        (10, "010", "éééé"),
        (11, "011", "a\rcd"),
        (12, "   ", "€   "),
        (13, '"12', '"x'),
    ]
    assert bad == [
        (4, "ragged_line", b"04"),
        (5, "ragged_line", b"005abcde"),
        (7, "ragged_line", b""),
        (8, "nul_byte", b"008a\0cd"),
        (9, "undecodable", b"009a\x81cd"),
    ]


def test_fixed_width_counts_characters_not_bytes(tmp_path: Path) -> None:
    dump = make(tmp_path, {"W": ["K", "V"]}, read={"W": WIDTHS}, encoding="utf-8")
    (dump / "W.txt").write_bytes("\ufeff€€€éééé\n€€é\n".encode() + b"00\xe9abcd\n")
    good, bad = read(tmp_path, "W", ["K", "V"])
    assert good == [(1, "€€€", "éééé"), (2, "€€é", "")]
    assert bad == [(3, "undecodable", b"00\xe9abcd")]


@given(st.lists(st.sampled_from([b"\n", b"\r", b"\r\n", b"a", b"\x85", b"\x0b", b"\x0c", b"\0"])).map(b"".join))
@settings(deadline=None)
def test_one_kind_of_line_end_ends_a_fixed_line(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("fixed") / "W.txt"
    path.write_bytes(data)
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    with path.open("rb") as file:
        text = TextFile(file, len(data), "W.txt", ReadSpec(Source("old", "W"), "W.txt", "fixed", "ascii", ",", ()))
        found = list(_lines(text))
        restored = [text.restored(line) for line in found]
    if text.by_return:
        # A file whose first line ends in CR alone: CR and LF change places.
        assert restored == [line.rstrip(b"\n") for line in data.removesuffix(b"\r").split(b"\r")]
    else:
        assert found == [line.rstrip(b"\r") for line in lines]


def sheet(path: Path, rows: list[list[object]], more: int = 0) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    for number in range(more):
        book.create_sheet().append([None if number else "K"])
    book.save(path)


XLSX = 'file = "O.xlsx"\nformat = "xlsx"'


def test_a_spreadsheet(tmp_path: Path) -> None:
    dump = make(tmp_path, {"O": ["K", "V"]}, read={"O": XLSX})
    sheet(
        dump / "O.xlsx",
        [
            [" V ", "K", None],
            ["a", 1],
            [2.0, 2.5],
            [dt.date(2020, 1, 2), dt.datetime(2020, 1, 2, 3, 4, 5)],  # noqa: DTZ001
            [dt.time(8, 30), True],
            [],
            [None, "007", "beyond"],
            [" ", "x", " "],
            ["two\nlines", 10**11],
            [None, " "],
            [],
        ],
    )
    good, bad = read(tmp_path, "O", ["K", "V"])
    assert good == [
        (2, "1", "a"),
        (3, "2.5", "2"),
        (4, "2020-01-02 03:04:05", "2020-01-02"),
        (5, "TRUE", "08:30:00"),
        (8, "x", " "),
        (9, "100000000000", "two\nlines"),
    ]
    assert bad == [(6, "ragged_line", b""), (7, "ragged_line", b"\t007\tbeyond")]


def test_further_sheets_are_not_passed_over_in_silence(tmp_path: Path) -> None:
    dump = make(tmp_path, {"O": ["K"]}, read={"O": XLSX})
    sheet(dump / "O.xlsx", [["K"], ["1"]], more=2)
    report = Recorder()
    run(job_of(tmp_path, report=report))
    assert report.notes == ["no spec of old reads 1 file of its dump: O.xlsx: 1 sheet"]


FILES = {"documents": ["PATH", "BYTES", "SHA256"]}


def test_a_folder_of_files(tmp_path: Path) -> None:
    dump = make(tmp_path, FILES, read={"documents": 'format = "files"'})
    for name, data in {"b/c.doc": b"one", "a.txt": b"", "b.txt": b"two", "é.txt": b"3", "b/a/z": b"4"}.items():
        path = dump / "documents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    Path(os.fsdecode(os.fsencode(dump / "documents") + b"/c\xff.txt")).write_bytes(b"5")
    (dump / "documents" / "link.txt").symlink_to(dump / "documents" / "a.txt")
    (dump / "documents" / "loop").symlink_to(dump / "documents")
    job = job_of(tmp_path, report=(report := Recorder()))
    run(job)
    good = standing(job, "documents").select(LINE, "_file", "PATH", "BYTES", "SHA256").rows()

    def entry(line: int, name: str, data: bytes) -> tuple[object, ...]:
        return line, "documents", name, str(len(data)), hashlib.sha256(data).hexdigest()

    assert good == [
        entry(1, "a.txt", b""),
        entry(2, "b.txt", b"two"),
        entry(3, "b/a/z", b"4"),
        entry(4, "b/c.doc", b"one"),
        entry(6, "é.txt", b"3"),
    ]
    assert standing(job, "documents", "unreadable").select(LINE, "reason", "raw").rows() == [
        (5, "undecodable", b"c\xff.txt")
    ]
    assert report.notes == ["documents: 2 symbolic links in it are not followed and not listed"]


def test_a_document_that_changes_makes_the_listing_pending(tmp_path: Path) -> None:
    dump = make(tmp_path, FILES, read={"documents": 'format = "files"'})
    (dump / "documents").mkdir()
    (dump / "documents" / "a").write_bytes(b"1")
    run(job_of(tmp_path))
    (dump / "documents" / "a").write_bytes(b"2")
    job = job_of(tmp_path)
    run(job)
    assert standing(job, "documents")["SHA256"].to_list() == [hashlib.sha256(b"2").hexdigest()]


ODD = [
    "", "x", "11", "K", " K ", "\u00a0k", "NAME", "Name\t", "AMT", "--", "-", "=====", "+----+", "\u2500\u2500",
    "Total", "Totally",
    " Grand total: ", "Sub-total", "1,234.50", "(5)", "\u00a35", "Page 1 of 2", "Page one",
    "Printed on 05/01/2024", "run 12",
    "(3 rows affected)", "3 rows", "*** end ***", "End of report", "\ufeffK", "\u200bTotal",
]  # fmt: skip


@pytest.mark.parametrize("titles", [("K",), ("K", "NAME"), ("K", "NAME", "AMT")], ids=len)
def test_a_line_is_told_apart_alike_whether_it_comes_alone_or_with_thousands(
    tmp_path: Path, titles: tuple[str, ...]
) -> None:
    """Delimited text is looked through by columns, a workbook row by row."""
    draw = random.Random(len(titles))
    rows = [[draw.choice(ODD) for _ in titles] for _ in range(600)]
    rows = [row for row in rows if len(titles) > 1 or row[0]]
    dump = make(tmp_path, {"T": titles}, read={"T": 'file = "t.csv"'}, encoding="utf-8")
    with (dump / "t.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([titles, *rows])
    job = job_of(tmp_path)
    run(job)
    (read,) = job.reads().values()
    reasons = ((line, row_reason(row, titles, read).name.lower()) for line, row in enumerate(rows, 2))
    left = standing(job, "T", "unreadable").select("_line", "reason").rows()
    assert left == [(line, reason) for line, reason in reasons if reason != "readable"]


def test_letters_that_were_lost_or_spoiled_before_are_told(tmp_path: Path) -> None:
    dump = make(tmp_path, {"T": ["K", "V"]}, read={"T": 'file = "t.csv"'}, encoding="utf-8")
    spoiled = ["Zo\u00c3\u00ab", "O\u00e2\u20ac\u2122Neill", "Ren\ufffd", "S\u00c3O PAULO", "\u00e2ge", "\u20ac 5"]
    (dump / "t.csv").write_text(
        "K,V\n" + "".join(f"{n},{text}\n" for n, text in enumerate(spoiled)), encoding="utf-8"
    )
    report = Recorder()
    job = job_of(tmp_path, report=report)
    run(job)
    assert standing(job, "T")["V"].to_list() == spoiled
    lost, twice = report.notes
    assert lost.startswith("t.csv: 1 letter lost before it was written")
    assert twice.startswith("t.csv: 2 letters written as if UTF-8 had been taken for Windows-1252")


@pytest.mark.parametrize(
    ("encoding", "values", "told"),
    [
        ("cp1252", [b"Ren\x82", b"Fran\x87ois", b"\x84 quote", b"wait\x85 no", b"O\x92Neill"], "2 signs behind"),
        ("cp1252", [b"Zo\xc3\xab", b"S\xc3O PAULO", b"Zo\xeb", b"O\xe2\x80\x99Neill"], "2 letters written"),
        ("utf-8", [b"'007", b"'t Hart", b"O'Neill", b"'12x", b"7'8"], "1 value of digits"),
        ("utf-8", [b"4.477E+11", b"-1E+14", b"5.0E+02", b"x4.4E+11", b"C4.4E+11"], "2 values written like"),
        ("utf-8", [b' "Bob"', b'"he said, ""no"", and"', b"5 \" nail", b'" Ann"'], "1 value in quotes behind"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("sign", [",", "¬", "||"])
def test_values_that_were_spoiled_before_are_told(
    tmp_path: Path, encoding: str, values: list[bytes], told: str, sign: str
) -> None:
    read = {"T": f'file = "t.csv"\ndelimiter = "{sign}"'}
    dump = make(tmp_path, {"T": ["K", "V"]}, read=read, encoding=encoding)
    between = sign.encode(encoding)
    lines = [b"K" + between + b"V", *(b"%d" % n + between + value for n, value in enumerate(values))]
    (dump / "t.csv").write_bytes(b"\n".join(lines) + b"\n")
    report = Recorder()
    job = job_of(tmp_path, report=report)
    run(job)
    assert [note.partition(": ")[2][: len(told)] for note in report.notes] == [told]
    assert standing(job, "T").height == len(values)


@pytest.mark.parametrize("sign", [",", "¬", "\t"])
def test_the_word_nan_is_asked_about_whatever_separates(tmp_path: Path, sign: str) -> None:
    read = {"T": f'file = "t.csv"\ndelimiter = "{sign}"'.replace("\t", "\\t")}
    dump = make(tmp_path, {"T": ["K", "V", "W"]}, read=read, encoding="utf-8")
    lines = [["K", "V", "W"], ["1", "Fernanda", "nana"], ["2", "nan", "x"]]
    (dump / "t.csv").write_text("".join(f"{sign.join(line)}\n" for line in lines), encoding="utf-8")
    with pytest.raises(SourceError, match="has the text `nan` in column V, line 3"):
        run(job_of(tmp_path))
