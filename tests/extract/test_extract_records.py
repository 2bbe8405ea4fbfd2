"""Every physical line belongs to exactly one record or is kept as unreadable, always."""

from __future__ import annotations

import csv
import io

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casebridge.extract.columns import text_columns
from casebridge.extract.quoting import Lookahead, Quoting
from casebridge.extract.records import WINDOW, Reason, split
from tests.extract import naive

WINDOWS = (1, 2, 3, 7, 64, WINDOW)


def read(data: bytes, columns: int, encoding: str, window: int) -> list[naive.Span]:
    """The records as the fast reader has them, in the shape of the naive one."""
    names = tuple(f"c{number}" for number in range(columns))
    found, line, consumed = list[naive.Span](), 1, 0
    for records in split(io.BytesIO(data), len(data), 0, b",", columns, encoding, window):
        rows = iter(pl.DataFrame(text_columns(records, names, encoding)).rows())
        for start, end, lines, code in zip(
            records.starts, records.ends, records.lines, records.reasons, strict=True
        ):
            assert records.data.count(b"\n", start, end + 1) == lines
            reason = Reason(code)
            raw = records.data[start:end].rstrip(b"\r")
            readable = reason is Reason.READABLE
            values = next(rows) if readable else ()
            found.append(naive.Span(line, int(lines), "" if readable else reason.name.lower(), values, raw))
            line += int(lines)
        assert next(rows, None) is None
        assert records.ends[-1] + 1 == len(records.data)
        assert data[consumed : consumed + len(records.data)] == records.data[: len(data) - consumed]
        consumed += len(records.data)
    assert consumed == len(data) + bool(data and not data.endswith(b"\n"))
    return found


def check(data: bytes, columns: int, encoding: str) -> None:
    want = naive.spans(data, columns, encoding)
    physical = data.count(b"\n") + bool(data and not data.endswith(b"\n"))
    assert sum(span.lines for span in want) == physical
    for window in WINDOWS if len(data) < 400 else (7, 64, WINDOW):
        assert read(data, columns, encoding, window) == want


ENCODINGS = st.sampled_from(["cp1252", "utf-8", "latin-1", "ascii"])
HEAVY = st.lists(
    st.sampled_from(
        [b'"', b'"', b",", b"\n", b"\r\n", b"\r", b"\r\r\n", b'""', b'","', b"a", b"bc", b"\xe9", b"\xc3\xa9"]
    ),
    max_size=40,
).map(b"".join)
FIELDS = st.lists(st.sampled_from(["a", "b", '"', ",", "\n", "\r\n", "é", "€", " "]), max_size=12).map("".join)


@st.composite
def csv_bytes(draw: st.DrawFn) -> tuple[bytes, int, str]:
    """Well-formed CSV, its number of columns and its encoding."""
    columns, encoding = draw(st.integers(1, 4)), draw(st.sampled_from(["cp1252", "utf-8"]))
    rows = draw(st.lists(st.lists(FIELDS, min_size=columns, max_size=columns), max_size=8))
    out = io.StringIO(newline="")
    # Python's reader drops empty lines, which a table of one column may have unless all is quoted.
    quoting = csv.QUOTE_ALL if columns == 1 else draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
    csv.writer(out, lineterminator=draw(st.sampled_from(["\n", "\r\n"])), quoting=quoting).writerows(rows)
    return out.getvalue().encode(encoding), columns, encoding


@given(st.binary(max_size=60), st.integers(1, 3), ENCODINGS)
@settings(deadline=None)
def test_any_bytes(data: bytes, columns: int, encoding: str) -> None:
    check(data, columns, encoding)


@given(HEAVY, st.integers(1, 3), ENCODINGS)
@example(b'a","x\n' * 9, 2, "ascii")
@example(b'"\r', 1, "ascii")
@example(b'"a"\r\r\r\n"b"\r\rc\n', 1, "ascii")
@example(b'a,"b"\r\nc', 2, "ascii")
@example(b'x"\ny"\n', 1, "ascii")
@settings(deadline=None, max_examples=400)
def test_marks_in_any_order(data: bytes, columns: int, encoding: str) -> None:
    check(data, columns, encoding)


@given(csv_bytes(), st.data())
@settings(deadline=None, max_examples=200)
def test_csv_with_some_bytes_changed(made: tuple[bytes, int, str], draw: st.DataObject) -> None:
    data, columns, encoding = made
    changed = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        at = draw.draw(st.integers(0, len(changed)))
        changed[at : at + draw.draw(st.integers(0, 1))] = draw.draw(
            st.sampled_from([b"", b'"', b",", b"\n", b"\0", b"\x81", b"x"])
        )
    check(bytes(changed), columns, encoding)


@given(csv_bytes())
@settings(deadline=None)
def test_well_formed_csv_reads_as_pythons_csv_does(made: tuple[bytes, int, str]) -> None:
    data, columns, encoding = made
    text = data.decode(encoding)
    want = [tuple(row) for row in csv.reader(io.StringIO(text, newline=""))]
    for window in (5, WINDOW):
        spans = read(data, columns, encoding, window)
        assert [span.values for span in spans] == want
        assert {span.reason for span in spans} <= {""}


@pytest.mark.parametrize(
    ("data", "want"),
    [
        (b"1,a\n2,b\r\n", [("1", "a"), ("2", "b")]),
        (b"1,a\n2,b", [("1", "a"), ("2", "b")]),
        (b"1,\n,\n", [("1", ""), ("", "")]),
        (b'"1","a"\r\n', [("1", "a")]),
        (b'"1","a"\r\r\n2,b\r\r\r\n3,"c\r"\r\r\n', [("1", "a"), ("2", "b"), ("3", "c\r")]),
        (b'1,"a,b"\n', [("1", "a,b")]),
        (b'1,"a""b"\n', [("1", 'a"b')]),
        (b'1,""""\n', [("1", '"')]),
        (b'1,""\n', [("1", "")]),
        (b'1,"a\nb"\n2,c\n', [("1", "a\nb"), ("2", "c")]),
        (b'1,"a\r\nb"\r\n2,c\r\n', [("1", "a\r\nb"), ("2", "c")]),
        (b'1,5" pipe\n', [("1", '5" pipe')]),
        (b'1, "a"\n', [("1", ' "a"')]),
        (b'1,a"b""c\n', [("1", 'a"b""c')]),
        (b"1,a\rb\n", [("1", "a\rb")]),
        (b'1,"\n2,b\n', ["broken_quote", ("2", "b")]),
        (b'1,"a"b\n2,b\n', ["broken_quote", ("2", "b")]),
        (b'1,"a" \n2,b\n', ["broken_quote", ("2", "b")]),
        (b'1,"a\n2,"b"\n3,c\n', ["broken_quote", ("2", "b"), ("3", "c")]),
        (b'1,"a\n2,b\n3,5" c\n', ["broken_quote", ("2", "b"), ("3", '5" c')]),
        (b'1,"a\nb",c\n2,d\n', [("ragged_line", 2), ("2", "d")]),
        (b'1,"a\n\0b"\n2,d\n', [("nul_byte", 2), ("2", "d")]),
        (b'1,"a\n\x81b"\n2,d\n', [("undecodable", 2), ("2", "d")]),
        (b"1,a,b\n2\n\n3,c\n", ["ragged_line", "ragged_line", "ragged_line", ("3", "c")]),
        (b"1,\x80\x9f\xff\n2,\x8d\n3,\x8f\n", [("1", "€Ÿÿ"), "undecodable", "undecodable"]),
        (b"1,a\0\n\0\n", ["nul_byte", "ragged_line"]),
        ("1,twelve bytes\n2,thirteen byte\n3,é twelve by\n".encode("cp1252"),
         [("1", "twelve bytes"), ("2", "thirteen byte"), ("3", "é twelve by")]),
    ],
)  # fmt: skip
def test_small_cases(data: bytes, want: list[object]) -> None:
    spans = read(data, 2, "cp1252", WINDOW)
    shown = [span.values or (span.reason if span.lines == 1 else (span.reason, span.lines)) for span in spans]
    assert shown == want
    check(data, 2, "cp1252")


def test_a_field_of_many_megabytes_is_one_value() -> None:
    big = "x\r\n" * 4_000_000
    data = f'1,a\n2,"{big}"\n3,c\n'.encode()
    spans = read(data, 2, "utf-8", WINDOW)
    assert [span.lines for span in spans] == [1, 4_000_001, 1]
    assert spans[1].values == ("2", big)


def test_a_window_without_a_line_end() -> None:
    long = "y" * 3_000
    assert [s.values for s in read(f"1,{long}\n2,b".encode(), 2, "utf-8", 16)] == [("1", long), ("2", "b")]


class Counting(Lookahead):
    """Adds up how many bytes were looked through."""

    walked = 0

    def find(self, byte: int, at: int, stop: int | None = None) -> int:
        found = super().find(byte, at, stop)
        self.walked += max(0, (found if found >= 0 else self.end if stop is None else stop) - at)
        return found


@pytest.mark.parametrize("line", [b'a","x\n', b'"a\n', b'a,"\n', b'""a\n', b'"""a\n', b'a"b\n'])
def test_a_file_full_of_stray_quotes_is_not_walked_again_and_again(line: bytes) -> None:
    data = line * 20_000
    text = Counting(io.BytesIO(data), len(data))
    quoting, at = Quoting(text, ord(",")), 0
    while at < text.end:
        at = quoting.record(at).end + 1
    assert text.walked < 8 * len(data)
    assert sum(span.lines for span in read(data, 2, "ascii", WINDOW)) == 20_000


def test_looking_for_a_closing_quote_keeps_nothing() -> None:
    data = b'1,"a\n' + b"2,b\n" * 100_000
    text = Lookahead(io.BytesIO(data), len(data), chunk=1 << 12)
    text.window(0, 16)
    assert Quoting(text, ord(",")).record(0) == (4, None)
    assert len(text._beyond[1]) <= 1 << 12
