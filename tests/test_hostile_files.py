"""Files that somebody made to do harm: each is met by a sentence, at small bounds, before it costs anything."""

from __future__ import annotations

import csv
import io
import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pytest

from casebridge.dedupe.review.sheets import MOST_BAD, read_sheet
from casebridge.extract import quoting
from casebridge.extract.workbook import open_workbook
from casebridge.project import lists, toml_file, xmlparts
from casebridge.project.csv_cells import AS_TEXT, as_text, as_texts, csv_text
from casebridge.project.errors import SourceError, SpecError
from casebridge.project.lines import LONGEST_HEADER, refuse_long_lines
from casebridge.project.lists import ListTooLargeError, read_list
from casebridge.project.spec import ReadSpec, Source
from casebridge.project.toml_file import TomlError, parse_toml
from casebridge.project.xmlparts import DEEPEST, LONGEST_TAG
from tests.councils import casebridge
from tests.kin import make_kin, person

READ = ReadSpec(
    Source("old", "P"), "p.xlsx", "xlsx", "utf-8", ",", ("NO",), longest=1 << 20, most_cells=1000, most_rows=50,
    most_unpacked=8 << 20,
)  # fmt: skip
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_LINK = '<Relationships><Relationship Id="r1" Type="{0}/{1}" Target="{2}"/></Relationships>'
_HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>NO</t></is></c></row>'


def _workbook(folder: Path, sheet: str, *, parts: int = 0) -> Path:
    book = f'<workbook xmlns:r="{_OFFICE}"><sheets><sheet name="S" r:id="r1"/></sheets></workbook>'
    with zipfile.ZipFile(folder / "p.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_rels/.rels", _LINK.format(_OFFICE, "officeDocument", "xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", book)
        archive.writestr("xl/_rels/workbook.xml.rels", _LINK.format(_OFFICE, "worksheet", "sheet1.xml"))
        archive.writestr("xl/sheet1.xml", sheet)
        for number in range(parts):
            archive.writestr(zipfile.ZipInfo(f"p{number}"), b"")
    return folder / "p.xlsx"


def _rows(path: Path) -> list[int]:
    with open_workbook(path, "p.xlsx", READ) as book:
        found = []
        for row in book.rows():
            book.count(len(row))
            found.append(len(row))
        assert book.layout() == ([], 0)
        return found


UNREADABLE, CELLS = "is no .xlsx spreadsheet that can be read", "has more than 1,000 cells"


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        ("<a>" * (DEEPEST + 1), UNREADABLE),
        (_HEAD + '<row r="2">' + "<c/>" * 5_000 + "</row>", CELLS),
        ("<c/>" * 5_000, CELLS),
        (_HEAD * 51, "has more than 50 rows"),
        (_HEAD + "<row><c><is><t>" + "x" * (LONGEST_TAG + 1) + "</t></is></c></row>", UNREADABLE),
        (_HEAD + "<row><c><is>" + "<t>x</t>" * 40_000 + "</is></c></row>", CELLS),
        ("<row " + 'a="" ' * LONGEST_TAG, UNREADABLE),
        (("<a/>" + " " * 5_000) * 2_000, "bytes when it is unpacked"),
        (_HEAD + " " * (LONGEST_TAG + (1 << 17)), UNREADABLE),
        (_HEAD + "</sheetData><mergeCells><mergeCell " + "ref " * LONGEST_TAG, UNREADABLE),
    ],
    ids=["nested", "a wide row", "cells of no row", "rows", "a long text", "many texts", "attributes", "unpacked",
         "blanks", "a tag without an end"],
)  # fmt: skip
def test_a_workbook_beyond_its_bounds(tmp_path: Path, inside: str, said: str) -> None:
    path = _workbook(tmp_path, f"<worksheet><sheetData>{inside}</sheetData></worksheet>")
    with pytest.raises(SourceError, match=said):
        _rows(path)


@pytest.mark.parametrize("before", ["", "\n" * ((1 << 16) - 5)], ids=["at once", "across two blocks"])
@pytest.mark.parametrize("declared", ["<!DOCTYPE worksheet>", '<!DOCTYPE w [<!ENTITY a "b">]>'])
def test_a_workbook_that_declares_entities(tmp_path: Path, before: str, declared: str) -> None:
    path = _workbook(tmp_path, f"{before}{declared}<worksheet><sheetData>{_HEAD}</sheetData></worksheet>")
    with pytest.raises(SourceError, match=UNREADABLE):
        _rows(path)


def test_a_workbook_of_very_many_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their list alone, which is read as a whole, would fill the memory."""
    path = _workbook(tmp_path, f"<worksheet>{_HEAD}</worksheet>", parts=100)
    assert _rows(path) == [1]
    monkeypatch.setattr(xmlparts, "_MOST_PARTS", 1_000)
    with pytest.raises(SourceError, match=UNREADABLE):
        _rows(path)


@pytest.mark.parametrize("inside", ["<a>" * (DEEPEST + 1), " " * (LONGEST_TAG + (1 << 17))])
@pytest.mark.parametrize("declared", ["", "<!DOCTYPE worksheet>"])
def test_a_sheet_of_decisions_is_looked_through_first(tmp_path: Path, inside: str, declared: str) -> None:
    path = _workbook(tmp_path, f"{declared}<worksheet><sheetData>{inside}</sheetData></worksheet>")
    with pytest.raises(SpecError, match="is no workbook that a program for tables has written"):
        read_sheet(path, ["old"])


def test_a_sound_workbook_is_within_its_bounds(tmp_path: Path) -> None:
    wide = '<row r="2">' + "".join("<c><f>A1</f><v>1</v></c>" for _ in range(300)) + "</row>"
    assert _rows(_workbook(tmp_path, f"<worksheet><sheetData>{_HEAD}{wide}</sheetData></worksheet>")) == [1, 300]


def test_cells_at_the_far_end_count_with_those_before_them(tmp_path: Path) -> None:
    """Each row holds one cell, and stands for as many as the sheet has columns."""
    kin = make_kin(tmp_path / "kin", [person(1)])
    rows = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(2, 40))
    _workbook(kin.folder / "dump", f"<worksheet><sheetData>{_HEAD}{rows}</sheetData></worksheet>")
    spec = kin.folder / "tables" / "persons.toml"
    titled = '\n[read]\nformat = "xlsx"\nfile = "p.xlsx"\nrange = "A1:XFD"\n'
    spec.write_text(
        '[table]\nsystem = "old"\nsource = "PERSON"\ntarget = "persons"\nkey = ["NO"]\n'
        '[columns.last_name]\nfrom = "NO"\n' + titled,
        encoding="utf-8",
    )
    (kin.folder / "linkage.toml").unlink()
    settings = kin.folder / "casebridge.toml"
    settings.write_text(settings.read_text() + "\n[reading]\nworkbook_cells = 100_000\n", encoding="utf-8")
    done = kin.cli("run", "--until", "extract")
    assert done.returncode == 3
    assert "has more than 100,000 cells" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 5_000, "nested too deeply"),
        ("a = " + "{a = " * 5_000, "nested too deeply"),
        ("a" + ".a" * 5_000 + " = 1", "nested too deeply"),
        ("a = " + "9" * 5_000, "more digits"),
        ("# " + "x" * toml_file.MOST_BYTES, "is larger than"),
        ("a = \xff", "UTF-8"),
        ("a = b", "not readable as TOML"),
    ],
)
def test_a_toml_file_beyond_its_bounds(text: str, said: str) -> None:
    with pytest.raises(TomlError, match=said):
        parse_toml(text.encode("latin-1"))


@pytest.mark.parametrize("name", ["casebridge.toml", "target.toml", "linkage.toml", "tables/persons.toml"])
def test_every_toml_file_of_a_project_has_bounds(tmp_path: Path, name: str) -> None:
    kin = make_kin(tmp_path / "kin", [person(1)])
    path = kin.folder / name
    path.write_text(path.read_text() + "\nx = " + "[" * 5_000, encoding="utf-8")
    done = kin.cli("check")
    assert done.returncode == 2
    assert "is nested too deeply" in done.stdout


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"1\n" * 1_001, "has more than 1,000 lines"), (b"1\r" * 1_001, "has more than 1,000 lines"),
     (b"," * 2_001, "a line of more than 2,000 bytes"), (b"1" * 5_000, "is larger than 4,000 bytes")],
)  # fmt: skip
def test_a_list_beyond_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes, said: str) -> None:
    monkeypatch.setattr(lists, "MOST_LINES", 1_000)
    monkeypatch.setattr(lists, "LONGEST_LINE", 2_000)
    (tmp_path / "list.csv").write_bytes(data)
    with pytest.raises(ListTooLargeError, match=said):
        read_list(tmp_path / "list.csv", 4_000)


def test_lists_that_people_hand_in_have_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Decisions, a no-link list, lowered marks, a manifest, code lists."""
    monkeypatch.setattr(lists, "LONGEST_LINE", 2_000)
    kin = make_kin(tmp_path / "kin", [person(1)])
    kin.run()
    bomb = "," * 3_000
    given = kin.folder / "given.csv"
    given.write_text(bomb, encoding="utf-8")
    assert "given.csv: has a line of more than 2,000 bytes" in kin.cli("decide", str(given)).stderr
    for name, said in (("dump/MANIFEST.csv", "has a line of more"), ("restrictions_lowered.csv", "not readable")):
        (kin.folder / name).write_text(bomb, encoding="utf-8")
        assert said in kin.cli("check").stdout
        (kin.folder / name).unlink()
    kin.protect(bomb)
    assert "larger than any list of keys" in kin.cli("check").stdout


def test_bad_decisions_are_counted_up_to_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("left,right,verdict,reviewer,reason\n" + "1,1,same,J,x\n" * (MOST_BAD + 5), encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        read_sheet(path, ["old"])
    assert len(caught.value.problems) == MOST_BAD


@pytest.mark.parametrize(
    "data", [b"x" * (LONGEST_HEADER + 1), b"a," * 16_385 + b"\n1", b"id,name\n1," + b"x" * 20_000_000],
    ids=["header", "columns", "line"],
)  # fmt: skip
def test_a_register_is_looked_at_before_a_library_reads_it(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "r.csv").write_bytes(data)
    (tmp_path / "f.toml").write_text('id = "id"\n[fields]\nsurname = "name"\n', encoding="utf-8")
    out = ("--fields", str(tmp_path / "f.toml"), "--out", str(tmp_path / "o"))
    done = casebridge("link", str(tmp_path / "r.csv"), *out)
    assert done.returncode == 3
    assert "look for missing line ends" in done.stderr


def test_a_table_of_more_columns_than_any_has(tmp_path: Path) -> None:
    kin = make_kin(tmp_path / "kin", [person(1)])
    header = ",".join(["NO", "NAME", "PHONE", "SECURE", *(f"C{n}" for n in range(20_000))])
    (kin.folder / "dump" / "PERSON.csv").write_text(f"{header}\n{',' * header.count(',')}\n")
    done = kin.cli("check")
    assert done.returncode == 2
    assert "has 20,004 columns, which no table has" in done.stdout


def test_lines_within_the_bound_pass_wherever_a_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"id\n" + (b"x" * 99 + b"\n") * 50_000)
    refuse_long_lines(path, "r.csv", 99)
    with pytest.raises(SourceError, match="more than 98 bytes, line"):
        refuse_long_lines(path, "r.csv", 98)


@pytest.mark.parametrize("line", ['"",' * 50, '1,"' + '""' * 50, 'x"x"' * 50], ids=["fields", "doubled", "inert"])
def test_a_line_of_quotes_costs_no_more_than_its_length(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(quoting, "MOST_QUOTED", 10)
    monkeypatch.setattr(quoting, "MOST_STEPS", 20)
    data = io.BytesIO((line + "\nnext\n").encode())
    found = quoting.Quoting(quoting.Lookahead(data, data.getbuffer().nbytes), ord(",")).record(0)
    assert found == quoting.QuotedRecord(len(line), None)


# Formulas


@pytest.mark.parametrize(
    "value",
    ["=1+1", "+44|cmd", "-2+3", "@SUM(A1)", "\t=1", "\r\n=1", " =1", "\u200b=1", "\ufeff=1", "\xa0@x", "\uff1d1",
     "\uff0dx", "|x", "%0A=1", '=HYPERLINK("http://x","y")'],
)  # fmt: skip
def test_a_formula_is_written_as_text(value: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_text(("a",), [(value,)]))))[1:]
    assert row == [AS_TEXT + value]
    assert as_texts(pl.Series([value, None])).to_list() == [AS_TEXT + value, None]


@pytest.mark.parametrize("value", ["12", "-12.50", "+3", "O'Neill", "a=b", "", "carefirst:00012", "2026-01-01"])
def test_what_is_no_formula_stays_as_it_is(value: str) -> None:
    assert as_text(value) == value
    assert as_texts(pl.Series([value, "=1"])).to_list() == [value, "'=1"]


def test_evidence_for_people_holds_no_formula_and_pairs_can_be_handed_back(tmp_path: Path) -> None:
    """A legacy key that is a formula: in the evidence it is text; `pairs` has `system:key`, which is none."""
    kin = make_kin(tmp_path / "kin", [person("=1+1"), person("2", secure="Y")])
    kin.run()
    with sqlite3.connect(kin.folder / "target.db") as connection:
        connection.execute("UPDATE persons SET last_name = 'changed'")
    connection.close()
    assert kin.cli("reconcile").returncode == 6
    (file,) = (kin.folder / "reports" / "trial-1" / "evidence").glob("*.csv")
    rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8"))))
    assert any(cell.startswith("'=1+1") for row in rows for cell in row)
    assert not any(cell[:1] in {"=", "+", "@"} for row in rows for cell in row)
    path = kin.folder / "d.csv"
    lines = [f"old:=1+1,old:2,same,{who},seen" for who in ("J", "K")]
    path.write_text("\n".join(["left,right,verdict,reviewer,reason", *lines, ""]), encoding="utf-8")
    assert kin.cli("decide", str(path)).returncode == 0
    kin.cli("run")
    assert len(kin.people()) == 1
