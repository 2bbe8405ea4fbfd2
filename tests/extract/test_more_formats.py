"""JSON, XML, Parquet, ODS, and files that come packed: each value as it is, hostile files refused."""

from __future__ import annotations

import datetime as dt
import gzip
import zipfile
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_projects import Recorder, job_of, make, standing

from casebridge.extract import json_records, run
from casebridge.extract.packed import unpacking
from casebridge.extract.readers import FORMATS
from casebridge.project.contracts import CELL_FAULT, LINE
from casebridge.project.errors import SourceError, SpecError

PEOPLE = [
    '{"no": 1, "name": {"last": "Ng", "first": null}, "paid": 10.10, "alive": true, "pets": [{"kind": "cat"}]}',
    '{"no": 12345678901234567890, "name": {"last": "", "first": "Zoë"}, "paid": 1e-7, '
    '"pets": [{"kind": "dog", "age": 3}, {"kind": "cat"}]}',
]
COLUMNS = ["no", "name.last", "name.first", "paid", "alive", "pets[]"]
ROWS = [("1", "Ng", None, "10.10", "true", "1"), ("12345678901234567890", "", "Zoë", "1e-7", None, "2")]


def taken(folder: Path, columns: list[str], read: str, file: str, data: bytes | None) -> list[tuple[object, ...]]:
    """The readable rows of a table, read so from such a file."""
    dump = make(folder, {"T": columns}, read={"T": f'file = "{file}"\n{read}'}, encoding="utf-8")
    if data is not None:
        (dump / file).write_bytes(data)
    job = job_of(folder)
    run(job)
    return standing(job, "T").select(columns).rows()


@pytest.mark.parametrize(
    "data",
    ["\n".join(PEOPLE), "\ufeff" + "\r\n\r\n".join(PEOPLE) + "\n", f"[{','.join(PEOPLE)}]",
     f" [\n {PEOPLE[0]}\n, {PEOPLE[1]} ]\n"],
)  # fmt: skip
def test_json_by_line_and_as_an_array(tmp_path: Path, data: str) -> None:
    assert taken(tmp_path, COLUMNS, 'format = "json"', "t.json", data.encode()) == ROWS


def test_an_array_is_read_in_pieces_that_fall_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casebridge.extract.json_records._CHUNK", 7)
    assert taken(tmp_path, COLUMNS, 'format = "json"', "t.json", f"[{','.join(PEOPLE)}]".encode()) == ROWS


def test_a_list_in_records_is_a_table_of_its_own(tmp_path: Path) -> None:
    columns = ["kind", "age", "parent[]", "parent.no", "parent.name.last"]
    dropped = ["parent.name.first", "parent.paid", "parent.alive", "parent.pets[]"]
    rows = taken(
        tmp_path, columns + dropped, 'format = "json"\nlist = "pets"', "t.json", "\n".join(PEOPLE).encode()
    )
    assert [row[:5] for row in rows] == [
        ("cat", None, "1", "1", "Ng"), ("dog", "3", "1", "12345678901234567890", ""),
        ("cat", None, "2", "12345678901234567890", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"pets": [{"kind": "cat", "parent": {"no": 2}}], "no": 1}', "two values of one name"),
        (b'{"pets": [["cat", "dog"], ["hen"]], "no": 1}', "has a list within a list"),
    ],
)
def test_a_list_whose_items_would_lose_something_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        taken(tmp_path, ["kind"], 'format = "json"\nlist = "pets"', "t.json", data)


def test_a_name_that_comes_while_the_file_is_read_is_not_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = json_records.examine_json

    def written_to(path: Path, *given: object) -> object:
        path.write_text('{"a": 1, "b": 2}')
        return real(path, *given)  # type: ignore[arg-type]

    monkeypatch.setitem(FORMATS, "json", replace(FORMATS["json"], examine=written_to))  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="that were not there before"):
        taken(tmp_path, ["a"], 'format = "json"', "t.json", b'{"a": 1}')


def test_a_line_that_is_no_record_is_kept_apart(tmp_path: Path) -> None:
    lines = [b'{"a": 1}', b'{"a": ', b'{"a": 1, "a": 2}', b'{"a": "\xff"}', b"[1]", b'{"a": 2} x',
             b'{"a": "\\udc00"}',
             b'{"a": "x\\u0000y"}', b'{"a": "\\ud83d\\ude00"}']  # fmt: skip
    dump = make(tmp_path, {"T": ["a"]}, read={"T": 'file = "t.json"\nformat = "json"'})
    (dump / "t.json").write_bytes(b"\n".join(lines))
    job = job_of(tmp_path)
    assert run(job).rejected == 7
    bad = standing(job, "T", "unreadable")
    assert bad["reason"].to_list() == ["broken_record"] * 6 + ["nul_byte"]
    assert bad["raw"].to_list() == [*lines[1:7], b"x\0y"]
    assert standing(job, "T").select(LINE, "a").rows() == [(1, "1"), (9, "\U0001f600")]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b'{"a": ' * 10_000 + b"1" + b"}" * 10_000, "nests deeper"),
        (b"[" + b'{"a": ' * 10_000 + b"1" + b"}" * 10_000 + b"]", "nests deeper"),
        (b'{"a": ' * 40 + b"1" + b"}" * 40, "nests records deeper than 32"),
        (b'[{"a": 1}, {"a": 2}', "was cut off"),
        (b'[{"a": 1} {"a": 2}]', "record 1 cannot be read"),
        (b'[{"a": 1}, 2]', "record 2 cannot be read"),
        (b'[{"a": 1}] x', "cannot be read"),
        (b'[{"a": 1, "a": 2}]', "has a name twice"),
        (b'[{"a": "\xff"}]', "is no text in UTF-8"),
        (b'{"a": 1, "b.c": 2, "b": {"c": 3}}', "two values of one name in the record at 1"),
        (b'{"a": 1}\n{"a[]": 2, "a": [3]}', "two values of one name in the record at 2"),
        (b"", "has no record"),
        (b'{\n "a": 1,\n "b": 2\n}', "has 4 lines, and none is a record"),
        ('[{"a": 1}]'.encode("utf-16"), "written in UTF-16"),
        ('{"a": 1}'.encode("utf-16-be"), "written in UTF-16"),
        ('[{"a": 1}]'.encode("utf-32-le"), "UTF-32"),
        (b'[{"a": "\\ud83d"}]', "record 1 cannot be read"),
        (b"{" + b",".join(b'"%d": 1' % n for n in range(20_000)) + b"}", "different names in its records"),
    ],
)
def test_json_that_is_none_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        taken(tmp_path, ["a"], 'format = "json"', "t.json", data)


def test_an_array_of_no_records_is_a_table_of_no_rows(tmp_path: Path) -> None:
    """Its specs know the columns. A part of a table may be one, too."""
    assert taken(tmp_path / "a", ["a", "b"], 'format = "json"', "t.json", b" [\n]\n") == []
    dump = make(tmp_path / "b", {"T": ["a"]}, read={"T": 'file = "t*.json"\nformat = "json"'})
    for name, data in (("t1", b"[]"), ("t2", b'[{"a": 1}]'), ("t3", b"[ ]")):
        (dump / f"{name}.json").write_bytes(data)
    job = job_of(tmp_path / "b")
    assert run(job).passed == 1
    assert standing(job, "T")["a"].to_list() == ["1"]


XML = """<?xml version="1.0" encoding="ISO-8859-1"?>
<dump xmlns="urn:x" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><people>
<person no="1"><name>Zo\xeb &amp; Co</name><born xsi:nil="true"/><pet>cat</pet></person>
<person no="2"><name/><note>a<b>c</b></note><pet>dog</pet><pet>cat</pet></person></people></dump>""".encode(
    "latin-1"
)


def test_xml_by_the_path_of_an_element(tmp_path: Path) -> None:
    read = 'format = "xml"\nelement = "people/person"'
    columns = ["@no", "name", "born", "pet[]", "note.#text", "note.b"]
    assert taken(tmp_path / "a", columns, read, "t.xml", XML) == [
        ("1", "Zoë & Co", None, "1", None, None), ("2", "", None, "2", "a", "c"),
    ]  # fmt: skip
    of_pets = ["value", "parent[]", "parent.@no"]
    rest = ["parent.name", "parent.born", "parent.pet[]", "parent.note.#text", "parent.note.b"]
    rows = taken(tmp_path / "b", of_pets + rest, f'{read}\nlist = "pet"', "t.xml", XML)
    assert [row[:3] for row in rows] == [("cat", "1", "1"), ("dog", "1", "2"), ("cat", "2", "2")]


def test_what_an_empty_element_says_beside_is_kept(tmp_path: Path) -> None:
    data = b'<x xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><r><v i:nil="true" why="refused"/></r></x>'
    rows = taken(tmp_path, ["v.@nil", "v.@why"], 'format = "xml"\nelement = "r"', "t.xml", data)
    assert rows == [("true", "refused")]


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x><r><v>&b;</v></r></x>'


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (BOMB, "has a document type"),
        (b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><x><r><v>1</v></r></x>', "has a document type"),
        (b"<x>" + b"<r>" * 10_000 + b"</r>" * 10_000 + b"</x>", "has a document type, or is nested"),
        (b"<x><r><v>1</v></r>", "is no well-formed XML in line 1"),
        (b"<x><s/></x>", "has no record"),
        (b'<x xmlns:y="urn:y"><r no="1" y:no="2"><v>1</v></r></x>', "two values of one name in the record at 1"),
        (b'<?xml version="1.0" encoding="nowhere"?><x/>', "is no well-formed XML"),
    ],
    ids=range(7),
)  # fmt: skip
def test_xml_that_is_none_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        taken(tmp_path, ["v"], 'format = "xml"\nelement = "r"', "t.xml", data)


def test_what_stands_beside_the_records_is_told(tmp_path: Path) -> None:
    dump = make(tmp_path, {"T": ["v"]}, read={"T": 'file = "t.xml"\nformat = "xml"\nelement = "a/r"'})
    (dump / "t.xml").write_bytes(b"<x><a><r><v>1</v></r><s/><s><r/></s></a><b><r/></b></x>")
    report = Recorder()
    job = job_of(tmp_path, report=report)
    run(job)
    assert standing(job, "T")["v"].to_list() == ["1"]
    assert [note for note in report.notes if "beside" in note] == [
        "t.xml: beside `a/r` it has 1 `b`, 2 `s`: not read by this spec"
    ]


def test_xml_needs_its_element(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="XML needs the element that is a record"):
        taken(tmp_path, ["v"], 'format = "xml"', "t.xml", b"<x/>")


def test_parquet_as_text(tmp_path: Path) -> None:
    columns = ["no", "paid", "born", "at", "real", "bytes", "name", "long", "at_day"]
    made = pl.DataFrame(
        {"no": [1, None], "paid": [Decimal("10.10"), None], "born": [dt.date(1999, 12, 31), None],
         "at": [dt.datetime.fromisoformat("2024-01-05T08:30"), None], "real": [0.1, None],
         "bytes": [b"\x00\xff", None], "name": ["", None],
         "long": [dt.timedelta(hours=-36, microseconds=-50), None], "at_day": [dt.time(9, 30), None]},
        schema_overrides={"paid": pl.Decimal(10, 2)},
    )  # fmt: skip
    (tmp_path / "dump").mkdir()
    made.write_parquet(tmp_path / "dump" / "t.parquet")
    rows = taken(tmp_path, columns, 'format = "parquet"', "t.parquet", None)
    assert rows == [("1", "10.10", "1999-12-31", "2024-01-05 08:30:00.000000", "0.1", "00ff", "",
                     "-36:00:00.00005", "09:30:00"), (None,) * 9]  # fmt: skip


WIDE = "1" * 60 + ".10"


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([45.0, -0.05, 1e22, -0.0, 1 / 3]), ["45", "-0.05", "1" + "0" * 22, "0", "0.3333333333333333"]),
        (pa.array([0.1, 16777216.0], pa.float32()), ["0.1", "16777216"]),
        (pa.array([Decimal(WIDE)], pa.decimal256(70, 2)), [WIDE]),
        (
            pa.array([Decimal(WIDE), None, Decimal(0)], pa.decimal256(70, 2)).dictionary_encode(),
            [WIDE, None, "0.00"],
        ),
        (pa.array([Decimal("1e-9"), Decimal(0)], pa.decimal256(70, 9)), ["0.000000001", "0.000000000"]),
        (pa.array([45.0, -0.0, None, 1e-7, 45.0]).dictionary_encode(), ["45", "0", None, "0.0000001", "45"]),
        (
            pa.array([dt.timedelta(1)]).dictionary_encode(),
            r"a type that is not read: V \(dictionary<values=duration",
        ),
        (pa.array([dt.time(9, 30, 0, 5), dt.time(9, 30)]), ["09:30:00.000005", "09:30:00"]),
        (pa.array(["a", "NaN"]).dictionary_encode(), ["a", "NaN"]),
        (pa.array([float("nan")]), "has the text `NaN` in column V, line 1"),
        (pa.array([b"0123456789abcdef"], pa.uuid()), [b"0123456789abcdef".hex()]),
        (pa.array([[1]]), "has lists or records as values: V"),
    ],
    ids=range(12),
)
def test_values_of_parquet(tmp_path: Path, values: pa.Array, texts: list[str | None] | str) -> None:
    (tmp_path / "dump").mkdir()
    pq.write_table(pa.table({"V": values}), tmp_path / "dump" / "t.parquet")
    if isinstance(texts, str):
        with pytest.raises(SourceError, match=texts):
            taken(tmp_path, ["V"], 'format = "parquet"', "t.parquet", None)
    else:
        assert taken(tmp_path, ["V"], 'format = "parquet"', "t.parquet", None) == [(text,) for text in texts]


@pytest.mark.parametrize(("damage", "said"), [(b"PAR1 and no more", "is no Parquet file"), (b"", "is no Parquet")])
def test_parquet_that_is_none_is_refused(tmp_path: Path, damage: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        taken(tmp_path, ["v"], 'format = "parquet"', "t.parquet", damage)


def ods(cells: str) -> str:
    names = ["office", "table", "text", "style", "calcext"]
    spaces = "".join(f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in names)
    return (
        f"<office:document-content{spaces}><office:body><office:spreadsheet>"
        f'<table:table table:name="One">{cells}</table:table>'
        '<table:table table:name="Two"><table:table-row/></table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )


def row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def text(value: str, more: str = "") -> str:
    return f'<table:table-cell office:value-type="string"{more}><text:p>{value}</text:p></table:table-cell>'


def number(value: str, shown: str = "~", more: str = "") -> str:
    told = f'office:value-type="float" office:value="{value}"{more}'
    return f"<table:table-cell {told}><text:p>{shown}</text:p></table:table-cell>"


def book(folder: Path, content: str) -> None:
    (folder / "dump").mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / "dump" / "t.ods", "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)


def test_ods_as_the_file_holds_it(tmp_path: Path) -> None:
    day = '<table:table-cell office:value-type="date" office:date-value="1999-12-31"/>'
    spaced = "a<text:s text:c='2'/>b<text:line-break/>c"
    content = ods(
        row(text("no"), text("name"), text("born")) + row(number("0.1"), text(spaced), day)
        + row(text("007"), '<table:table-cell table:number-columns-repeated="16382"/>')
        + '<table:table-row table:number-rows-repeated="2">' + number("5") + text("x") + "</table:table-row>"
        + '<table:table-row table:number-rows-repeated="1048000"/>'
    )  # fmt: skip
    book(tmp_path, content)
    rows = taken(tmp_path, ["no", "name", "born"], 'format = "ods"', "t.ods", None)
    assert rows == [("0.1", "a  b\nc", "1999-12-31"), ("007", "", ""), ("5", "x", ""), ("5", "x", "")]


CELLS = [
    (number("123", "00123"), "00123"), (number("1234567", "000-123-4567"), "000-123-4567"),
    (number("45", "45.00"), "45"), (number("1234", "1 234"), "1234"), (number("0.5", "050%"), "0.5"),
    (number("0", "00"), "0"), (number("5", "0.05"), "5"),
    (number("0.30000000000000004"), "0.3"), (number("1E+21"), "1" + "0" * 21), (number("-45", "-045"), "-45"),
    ('<table:table-cell office:value-type="boolean" office:boolean-value="true"/>', "TRUE"),
    (number("0", "Err:502", ' calcext:value-type="error"'), CELL_FAULT + "Err:502"),
]  # fmt: skip


def test_cells_of_ods_are_read_as_they_are_shown(tmp_path: Path) -> None:
    book(tmp_path, ods(row(text("no")) + "".join(row(cell) for cell, _ in CELLS)))
    assert taken(tmp_path, ["no"], 'format = "ods"', "t.ods", None) == [(shown,) for _, shown in CELLS]


STYLES = (
    '<office:automatic-styles><style:style style:name="ta1" style:family="table"><style:table-properties '
    'table:display="true"/></style:style><style:style style:name="ta2" style:family="table">'
    '<style:table-properties table:display="false"/></style:style></office:automatic-styles><office:body>'
)
HIDDEN = ods(row(text("no")) + row(text("1"))).replace("<office:body>", STYLES)
HIDDEN = HIDDEN.replace('<table:table table:name="One">', '<table:table table:name="Old" table:style-name="ta2">')


@pytest.mark.parametrize(
    ("read", "rows", "notes"),
    [
        ("", [("2",)], ["no spec of old reads 1 file of its dump: t.ods: 1 sheet"]),
        (
            'sheet = "Old"',
            [("1",)],
            [
                "t.ods: the sheet that is read, `Old`, is hidden",
                "no spec of old reads 1 file of its dump: t.ods: 1 sheet",
            ],
        ),
    ],
)
def test_a_hidden_sheet_of_ods_is_read_where_it_is_named(
    tmp_path: Path, read: str, rows: list[tuple[str]], notes: list[str]
) -> None:
    seen = '<table:table table:name="Two" table:style-name="ta1">' + row(text("no")) + row(text("2"))
    book(tmp_path, HIDDEN.replace('<table:table table:name="Two"><table:table-row/>', seen))
    make(tmp_path, {"T": ["no"]}, read={"T": f'file = "t.ods"\nformat = "ods"\n{read}'})
    report = Recorder()
    job = job_of(tmp_path, report=report)
    run(job)
    assert (standing(job, "T").select("no").rows(), report.notes) == (rows, notes)


def test_what_an_ods_keeps_of_other_files_is_no_sheet_of_it(tmp_path: Path) -> None:
    """A copy of another file's sheet, whose name is that file's path, and a table of a link (DDE)."""
    kept = row(text("no")) + row(text("9")) + "</table:table>"
    copy = f"""<table:table table:name="'file:///home/ann/x.ods'#$A">{kept}"""
    link = f"<table:dde-links><table:dde-link><table:table>{kept}</table:dde-link></table:dde-links>"
    content = ods(row(text("no")) + row(text("1")))
    book(tmp_path, content.replace("</office:spreadsheet>", f"{copy}{link}</office:spreadsheet>"))
    make(tmp_path, {"T": ["no"]}, read={"T": 'file = "t.ods"\nformat = "ods"'})
    report = Recorder()
    job = job_of(tmp_path, report=report)
    run(job)
    assert (standing(job, "T")["no"].to_list(), report.notes) == (["1"], [])
    read = next(iter(job.reads().values()))
    seen = FORMATS["ods"].sheets
    assert seen is not None
    assert [sheet.name for sheet in seen(tmp_path / "dump/t.ods", "t.ods", read)] == ["One", "Two"]


@pytest.mark.parametrize(
    ("content", "read", "said"),
    [
        (HIDDEN.replace('name="Two"', 'name="Two" table:style-name="ta2"'), "", "no sheet that can be seen"),
        (ods(row(text("no")) + row(text("1", ' table:number-rows-spanned="2"'))), "",
         "has merged cells among the rows of `One`"),
        (ods(row(text("no"))), '\nsheet = "Three"', "has no sheet `Three`"),
        (ods(row(text("no")) + '<table:table-row table:number-rows-repeated="2000000">' + text("1")
             + "</table:table-row>"), "", "has more than 1,048,576 rows"),
        (BOMB.decode(), "", "is no .ods spreadsheet"),
        ("<x>" + " " * (2 << 20) + "</x>", "", "is no .ods spreadsheet"),
        ("no xml", "", "is no .ods spreadsheet"),
    ],
    ids=range(7),
)  # fmt: skip
def test_ods_that_cannot_be_read_is_refused(tmp_path: Path, content: str, read: str, said: str) -> None:
    book(tmp_path, content)
    with pytest.raises(SourceError, match=said):
        taken(tmp_path, ["no"], f'format = "ods"{read}', "t.ods", None)


def test_packed_files_are_read_like_others_and_leave_nothing_behind(tmp_path: Path) -> None:
    dump = make(
        tmp_path, {"A": ["K"], "B": ["K"], "C": ["k"]},
        read={"A": 'file = "A.csv.gz"', "B": 'file = "all.zip/sub/B*.csv"',
              "C": 'file = "all.zip/c.json"\nformat = "json"'},
    )  # fmt: skip
    (dump / "A.csv.gz").write_bytes(gzip.compress(b"K\n1\n2\n"))
    with zipfile.ZipFile(dump / "all.zip", "w") as packed:
        members = {"sub/B2.csv": "K\n4\n", "sub/B1.csv": "K\n3\n", "c.json": '{"k": 5}', "D.csv": "K\n6\n"}
        for name, data in members.items():
            packed.writestr(name, data)
    report = Recorder()
    job = job_of(tmp_path, report=report)
    run(job)
    assert report.notes == ["no spec of old reads 1 file of its dump: all.zip/D.csv"]
    assert standing(job, "A").select("_file", "K").rows() == [("A.csv.gz", "1"), ("A.csv.gz", "2")]
    assert standing(job, "B").select("_file", "K").rows() == [
        ("all.zip/sub/B1.csv", "3"),
        ("all.zip/sub/B2.csv", "4"),
    ]
    assert standing(job, "C")["k"].to_list() == ["5"]
    again = job_of(tmp_path)
    worked = again.ledger.worked.copy()
    run(again)
    assert again.ledger.worked == worked
    assert not list((tmp_path / "work").rglob("unpacked-*"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (gzip.compress(b"K\n" + b"1\n" * 1000)[:-9], "cut short or damaged"),
        (b"no gzip", "cut short or damaged"),
        (gzip.compress(bytes(30 << 20), 9), "more than 200 times its size"),
    ],
    ids=range(3),
)
def test_packed_files_that_are_none_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, said: str
) -> None:
    monkeypatch.setattr("casebridge.extract.packed._FREE_OF_DOUBT", 1 << 20)
    with pytest.raises(SourceError, match=said):
        taken(tmp_path, ["K"], "", "T.csv.gz", data)
    assert not list((tmp_path / "work").rglob("unpacked-*"))


def test_a_packed_file_that_is_none_costs_no_other(tmp_path: Path) -> None:
    (tmp_path / "A.csv.gz").write_bytes(gzip.compress(b"K\n" + b"1\n" * 1000)[:-9])
    (tmp_path / "B.csv.gz").write_bytes(gzip.compress(b"K\n7\n"))
    with unpacking(None) as packed:
        with pytest.raises(SourceError, match="cut short"):
            packed.plain(tmp_path / "A.csv.gz", "A.csv.gz")
        assert packed.plain(tmp_path / "B.csv.gz", "B.csv.gz").read_bytes() == b"K\n7\n"
