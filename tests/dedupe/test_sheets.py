"""Sheets of decisions as people hand them in, and work sheets as they are given out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import openpyxl
import pytest

from casebridge.dedupe.review.decisions import Decision, Ruling
from casebridge.dedupe.review.evidence_file import EvidenceFile, PairEvidence, Person, write_evidence_file
from casebridge.dedupe.review.evidence_store import head_of
from casebridge.dedupe.review.sheets import read_sheet
from casebridge.dedupe.review.worksheet import write_worksheet
from casebridge.project.errors import SpecError

HEADER = "left,right,verdict,reviewer,reason"
SAID = Decision("old:1", "old:2", Ruling.SAME, "Zoë", "gesehen: „ja“")


def _sheet(folder: Path, *lines: str, header: str = HEADER, encoding: str = "utf-8-sig") -> Path:
    path = folder / "decisions.csv"
    path.write_text("\n".join([header, *lines, ""]), encoding=encoding)
    return path


def _book(folder: Path, *rows: list[object]) -> Path:
    book, path = openpyxl.Workbook(), folder / "decisions.xlsx"
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (HEADER, "1,2,same,Zoë,gesehen: „ja“"),
        ("right,verdict,reason,left,reviewer,note", "1,same,gesehen: „ja“,old:2,Zoë,x"),
        ("Left;Right;Verdict;Reviewer;Reason;why", "'1;2;SAME;Zoë;gesehen: „ja“;a, b"),
        (" left \tRIGHT\tverdict\treviewer\treason", "1\t2\tSame \tZoë\tgesehen: „ja“"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_a_sheet_may_be_written_in_many_ways(tmp_path: Path, header: str, line: str, encoding: str) -> None:
    """Columns in any order and case, others beside them; what a spreadsheet in Europe makes of a CSV."""
    sheet = read_sheet(_sheet(tmp_path, line, header=header, encoding=encoding), ["old"])
    assert sheet.decisions == (SAID,)


def test_lines_that_nobody_came_to_are_left(tmp_path: Path) -> None:
    path = _sheet(tmp_path, "1,2,same,Zoë,gesehen: „ja“", "3,4,,,", "5,6", ",,,,")
    sheet = read_sheet(path, ["old"])
    assert (sheet.decisions, sheet.untouched) == ((SAID,), 2)
    book = _book(tmp_path, HEADER.split(","), [1, 2, "Same", "Zoë", "gesehen: „ja“"], ["3", "4", None, None, None])
    sheet = read_sheet(book, ["old"])
    assert (sheet.decisions, sheet.untouched) == ((SAID,), 1)


def test_every_bad_line_is_told_and_nothing_is_taken(tmp_path: Path) -> None:
    path = _sheet(
        tmp_path, "1,2,same,J,seen", "1,2,sam,J,seen", "1,1,same,J,seen", "1,,same,J,", "other:1,2,same,J,seen",
        "1,2,same,J,seen,more", "1,2,same", f"1,2,same,{'J' * 101},seen", f"1,2,same,J,{'x' * 1001}",
        "1,9,same,J,seen", '1,2,same,J,"two\nlines"', "1,2,same,12 34,seen",
    )  # fmt: skip
    with pytest.raises(SpecError) as caught:
        read_sheet(path, ["old"], {"old:1", "old:2"})
    told = {problem.where: f"{problem.what} {problem.hint}" for problem in caught.value.problems}
    assert told.keys() == {f"line {number}" for number in [*range(3, 12), 14]}
    assert "did you mean `same`?" in told["line 3"]
    assert "reviewer is longer" in told["line 9"]
    assert "names a record of which no pair can be made" in told["line 11"]
    assert "reviewer must be a name" in told["line 14"]


@pytest.mark.parametrize(
    ("left", "right", "taken"),
    [
        ("old/teams:1", "old/teams:2", True), ("old/teams:1:a/b", "old/teams:2", True),
        ("old:1/2", "old:3/4", True),
        ("old:a/b:1", "old:c/d:1", True), ("old/teams:1", "old:2", False), ("old/teams:1", "old/rooms:1", False),
        ("old/a/b:1", "old/c/b:1", False),
    ],
)  # fmt: skip
def test_both_records_of_a_decision_are_of_one_register(
    tmp_path: Path, left: str, right: str, taken: bool
) -> None:
    """Which one stands between the system and the first colon: a key may hold any character."""
    path = _sheet(tmp_path, f"{left},{right},same,J,seen")
    if taken:
        assert [(said.left_id, said.right_id) for said in read_sheet(path, ["old"]).decisions] == [(left, right)]
    else:
        with pytest.raises(SpecError, match="names records of two registers"):
            read_sheet(path, ["old"])


@pytest.mark.parametrize("systems", [["old"], ["old", "older"]])
def test_with_two_systems_a_key_names_its_own(tmp_path: Path, systems: list[str]) -> None:
    path = _sheet(tmp_path, "1,2,same,J,seen")
    if len(systems) == 1:
        assert len(read_sheet(path, systems).decisions) == 1
    else:
        with pytest.raises(SpecError, match="system:key"):
            read_sheet(path, systems)


def _bomb() -> bytes:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("xl/workbook.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(26):
            part.write(b"\0" * (10 << 20))
    return packed.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"left,right\n",
        b"\xff\xfe\x00",
        b'left,right,verdict,reviewer,reason\n"1',
        b"PK\x03\x04 no zip",
        _bomb(),
    ],
    ids=["empty", "columns", "zero bytes", "open quote", "no zip", "bomb"],
)
def test_a_file_that_is_no_sheet_is_a_spec_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    for name in ("x.csv", "nowhere.csv"):
        with pytest.raises(SpecError):
            read_sheet(tmp_path / name, ["old"])


def _pair(number: int, left: str, right: str, clearance: int = 0) -> PairEvidence:
    return PairEvidence(f"{number:032x}", left, right, clearance, True, 1.0, 0.9, 8.0, teams=("North",))


def test_a_work_sheet_comes_back_as_decisions(tmp_path: Path) -> None:
    """Both records side by side, why, and reasons to doubt. Nothing in it is a formula, wherever it is opened; a
    reader without clearance gets no restricted pair."""
    evil = '=HYPERLINK("http://x","y")'
    people = [
        Person("old:1", 0, {"forename": evil, "surname": "Ng", "birth_date": "2010-05-04"}),
        Person("old:2", 0, {"forename": "+Ann", "surname": "Ng", "birth_date": "2010-05-04"}),
        Person("old:3", 1, {"forename": "Ann"}),
    ]
    pairs = [_pair(1, "old:1", "old:2"), _pair(2, "old:1", "old:3", clearance=1)]
    head = write_evidence_file(tmp_path / "evidence.db", people, pairs, {})
    head_of(tmp_path / "evidence.db").write_text(head, encoding="utf-8")
    evidence, path = EvidenceFile(tmp_path / "evidence.db"), tmp_path / "sheet.xlsx"
    assert write_worksheet(path, evidence, [("old:1", "old:2"), ("old:1", "old:3")], 0) == 1
    book = openpyxl.load_workbook(path)
    rows = list(book.active.iter_rows())
    header = [cell.value for cell in rows[0]]
    first = dict(zip(header, rows[1], strict=True))
    assert len(rows) == 2
    assert all(cell.data_type != "f" for cell in rows[1])
    assert first["First name A"].value == f"'{evil}"
    assert first["First name B"].value == "'+Ann"
    assert first["why"].value == "Same last name and date of birth. Differences: first name."
    assert "Twin pattern" in str(first["reasons to doubt"].value)
    for name, value in (("verdict", "Different"), ("reviewer", "J"), ("reason", "twins")):
        first[name].value = value
    book.save(path)
    assert read_sheet(path, ["old"]).decisions == (Decision("old:1", "old:2", Ruling.DIFFERENT, "J", "twins"),)
    evidence.close()
