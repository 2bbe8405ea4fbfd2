"""A whole file, any bytes: each belongs to the header, to one record or one unreadable line, or it is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casebridge.extract.dump import SourceTable
from casebridge.extract.readers import FORMATS
from casebridge.project.blanks import bare_text
from casebridge.project.contracts import raw_name
from casebridge.project.errors import SourceError
from casebridge.project.spec import ReadSpec, Source
from tests.extract import naive

READ = ReadSpec(Source("old", "A"), "A.csv", "csv", "utf-8", ",", ("ID",), null=())
NAMED = {"repeated_header", "ruler_line", "footer_line"}
Lines = list[tuple[int, int, str, tuple[str, ...], bytes]]
"""First line, lines, reason ("" for a record), values, raw bytes."""


def taken(path: Path, data: bytes, read: ReadSpec) -> tuple[tuple[str, ...], Lines, bool]:
    """The header's names, all that is below it in order, and whether its lines end in CR. SourceError when the
    file is refused."""
    path.write_bytes(data)
    form = FORMATS["csv"]
    names = form.columns(path, "A.csv", read)
    if len(set(names)) < len(names) or "" in names:
        raise SourceError("A.csv", "has names that are told before it is read", hint="")
    part = form.examine(path, "A.csv", read)
    columns = tuple(raw_name(name) for name in names)
    found: Lines = []
    for piece in form.records(SourceTable(read.source, read, columns, (part,)), part, 0, 0):
        raw = piece.raw.drop("_file", "_row")
        found += [(line, lines, "", tuple(values), b"") for line, lines, *values in raw.iter_rows()]
        bad = piece.unreadable.select("_line", "_lines", "reason", "raw")
        found += [(line, lines, reason, (), left) for line, lines, reason, left in bad.iter_rows()]
    return names, sorted(found), any("CR alone" in note for note in part.notes)


def physical(data: bytes) -> list[bytes]:
    """The lines of a file as anybody counts them: without a byte order mark and a DOS end mark."""
    body = data.removeprefix(b"\xef\xbb\xbf")
    end = body.rstrip(b"\x1a\r\n")
    lines = (end + body[len(end) :].partition(b"\x1a")[0]).split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def swapped(data: bytes) -> bytes:
    """CR for LF and LF for CR."""
    return data.translate(bytes.maketrans(b"\r\n", b"\n\r"))


def check(path: Path, data: bytes) -> bool:
    """Nothing is lost, nothing stands twice, and every value is what the bytes say. False when it is refused."""
    try:
        names, found, by_return = taken(path, data, READ)
    except SourceError as error:
        if len(str(error)) > 800:
            raise  # no sentence repeats what stands in a file
        return False
    lines = physical(swapped(data) if by_return else data)
    counts = [count for _, count, *_ in found]
    header = len(lines) - sum(counts)
    assert [line for line, *_ in found] == [header + 1 + sum(counts[:n]) for n in range(len(counts))]
    # A zero byte in a record makes the line unreadable; in a name it is a control character like others.
    (top, *more) = naive.spans(b"\n".join(lines[:header]).replace(b"\0", b"\1"), len(names), "utf-8")
    assert (tuple(map(bare_text, top.values)), more) == (tuple(name.replace("\0", "\1") for name in names), [])
    for span, (_, count, reason, values, raw) in zip(
        naive.spans(b"\n".join(lines[header:]) + b"\n" * bool(found), len(names), "utf-8"), found, strict=True
    ):
        assert span.lines == count
        if reason:
            assert raw == (swapped(span.raw) if by_return else span.raw)
            assert reason in NAMED or span.reason == reason
        else:
            plain = tuple(_unprotected(value) for value in span.values)
            assert values == (tuple(v.translate({10: 13, 13: 10}) for v in plain) if by_return else plain)
    return True


def _unprotected(value: str) -> str:
    return value[2:-1] if len(value) > 2 and value[:2] == '="' and value[-1] == '"' else value


MARKS = st.lists(
    st.sampled_from([b'"', b",", b"\n", b"\n", b"\r\n", b"\r", b'""', b'="', b"ID", b"V", b"a", b"--", b"\xe9",
                     b"\xc3\xa9", b"\0", b"\x1a", b" ", b"1,a\n", b"2,b\r\n", b'3,"c\nd"\n', b"(2 rows)",
                     b"\xef\xbb\xbf"]),
    max_size=24,
).map(b"".join)  # fmt: skip
HEADERS = st.sampled_from(
    [b"ID,V\n", b'"ID","V"\r\n', b"\xef\xbb\xbfID,V\n", b'ID,"V\n w"\n', b"ID,V\r", b"ID\n", b"", b"ID,V\r\r\n"]
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("whole") / "A.csv"


@given(header=HEADERS, rest=MARKS)
@example(header=b"ID,V\r", rest=b'1,"a\nb"\r2,c\r')
@example(header=b"ID,V\n", rest=b"1,a\n\x1a\r\n")
@example(header=b"\xef\xbb\xbfID,V\n", rest=b"")
@example(header=b"", rest=b'\x003,"c\nd"\n"""3,"c\nd"\n')
@example(header=b"", rest=b'=""\x003,"c\nd"\n3,"c\nd"\n')
@settings(max_examples=100)
def test_every_byte_has_its_place(path: Path, header: bytes, rest: bytes) -> None:
    check(path, header + rest)


@given(data=st.binary(max_size=60))
@settings(max_examples=40)
def test_any_bytes_are_read_or_refused(path: Path, data: bytes) -> None:
    check(path, data)


@given(rest=st.text(st.sampled_from('ab",\n é1€='), max_size=30))
@settings(max_examples=40)
def test_utf16_says_the_same_as_utf8(path: Path, rest: str) -> None:
    text = "ID,V\n" + rest
    other = replace(READ, encoding="utf-16-le")
    try:
        want = taken(path, text.encode(), READ)
    except SourceError:
        with pytest.raises(SourceError):
            taken(path, text.encode("utf-16-le"), other)
        return
    names, found, by_return = taken(path, text.encode("utf-16-le"), other)
    back = [(*line[:-1], line[-1].decode("utf-16-le").encode()) for line in found]
    assert (names, back, by_return) == want


def test_two_hundred_thousand_bad_lines_stay_small(path: Path) -> None:
    """Each is kept, a window at a time; no sentence grows with them."""
    path.write_bytes(b"ID,V\n1,a\n" + b"x,y,z\n" * 200_000)
    form = FORMATS["csv"]
    part = form.examine(path, "A.csv", READ)
    assert part.notes == ()
    rows = largest = 0
    for piece in form.records(SourceTable(READ.source, READ, ("ID", "V"), (part,)), part, 0, 0):
        assert set(piece.unreadable["reason"]) <= {"ragged_line"}
        rows += piece.unreadable.height
        largest = max(largest, int(piece.unreadable.estimated_size()))
    assert rows == 200_000
    assert largest < 32_000_000
    path.write_bytes(b"ID,V\n" + b"\xff,y\n" * 200_000)
    with pytest.raises(SourceError) as caught:
        form.examine(path, "A.csv", READ)
    assert "200,000 of 200,001 lines" in str(caught.value)
    assert len(str(caught.value)) < 300
