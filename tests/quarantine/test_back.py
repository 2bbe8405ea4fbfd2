"""Corrections: what comes back mended, what holds only while the old value stands, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from pathlib import Path

import openpyxl
import pytest

from casebridge.migrate.pipeline import check, open_job
from casebridge.migrate.quarantine.lines import NO_KEY, NO_KEYS, OF_KEY
from casebridge.migrate.quarantine.workbooks import BARRED
from casebridge.project import corrections
from tests.quarantine.behind import ANSWERS, DUMP, FORMS, PERSONS, cb, lay_down, lines

HEADER = "key,column,old value,new value,who,why"


def _correct(folder: Path, *rows: str, name: str = "paper", header: str = HEADER) -> None:
    (folder / "corrections").mkdir(exist_ok=True)
    (folder / "corrections" / f"{name}.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")


def _target(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "target.db") as database:
        return database.execute(sql).fetchall()


def _report(folder: Path) -> dict[str, object]:
    loaded: dict[str, object] = json.loads((folder / "reports/trial-1/report.json").read_text())
    return loaded


def test_the_whole_loop_out_and_back(tmp_path: Path) -> None:
    """A workbook is given out, filled in, taken back; `replay` loads what it mended, and the books balance."""
    folder = lay_down(tmp_path / "p")
    cb(folder, "run")
    cb(folder, "quarantine", "--out", str(tmp_path / "out"))
    path = tmp_path / "out/records-team.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["rows"]
    header = [cell.value for cell in sheet[1]]
    assert [sheet.cell(row, header.index("rule") + 1).value for row in (2, 3)] == ["date", "required"]
    for row, value in ((2, "04/05/1950"), (3, "Zygmunt")):
        for name, text in (("new value", value), ("who", "A. Clerk"), ("why", "seen on the card")):
            sheet.cell(row, header.index(name) + 1).value = text
    book.save(path)
    done = cb(folder, "quarantine", "--back", str(path))
    assert done.exit_code == 0, done.exception
    assert "2 corrections in" in done.output
    assert cb(folder, "quarantine", "--back", str(path)).output.startswith("nothing new")
    assert check(folder) == []
    assert cb(folder, "replay").exit_code == 0
    people = _target(folder, "SELECT legacy_id, last_name, born FROM persons ORDER BY legacy_id")
    assert people[0] == ("1", "Ng", "1950-05-04")
    assert ("3", "Zygmunt", "1950-02-01") in people
    report = _report(folder)
    assert report["verdict"] == "balanced"
    assert [(line["key"], line["column"], line["who"], line["values"]) for line in report["corrections"]] == [
        ("1", "DOB", "A. Clerk", 1), ("3", "NAME", "A. Clerk", 1),
    ]  # fmt: skip
    page = (folder / "reports/trial-1/report.html").read_text()
    assert "Values that a person has put right" in page
    assert "Zygmunt" not in page
    with open_job(folder, alone=False) as job:
        said = [entry.body for entry in job.audit_log().entries("correction") if entry.body]
    assert [(body["key"], body["who"], body["why"]) for body in said] == [
        ("1", "A. Clerk", "seen on the card"), ("3", "A. Clerk", "seen on the card"),
    ]  # fmt: skip
    cb(folder, "quarantine", "--out", str(tmp_path / "again"), "--owner", "Head of Practice")
    assert lines(tmp_path / "again/head-of-practice.xlsx", "key") == [("10|a",)]


def _filled(project: Path, folder: Path, **cells: object) -> Path:
    """The workbook of the records team, with these cells in its first line."""
    cb(project, "quarantine", "--out", str(folder), "--owner", "Records team")
    path = folder / "records-team.xlsx"
    book = openpyxl.load_workbook(path)
    header = [cell.value for cell in book["rows"][1]]
    for name, value in {"who": "A. Clerk", "why": "card", **cells}.items():
        book["rows"].cell(2, header.index(name.replace("_", " ")) + 1).value = value
    book.save(path)
    return path


def test_a_row_that_no_correction_can_find_says_so(tmp_path: Path) -> None:
    """Without a key, in the key itself, of a table without one: the workbook tells before anybody fills it in."""
    placed = 'consumes = ["FORM"]\nsource = "SELECT *, CAST(_row AS VARCHAR) AS row_no FROM FORM"'
    forms = FORMS.replace('source = "FORM"', placed).replace('key = ["FORM_NO"]', 'key = ["row_no"]')
    forms += '[dropped]\nFORM_NO = "not told apart"\n'
    answers = ANSWERS.replace('from = "SCORE"', 'from = "Q"').replace('Q = "the', 'SCORE = "the')
    dump = {"PERSON": ["NO,NAME,DOB,SECURE", ",Li,x,N"], "FORM": ["FORM_NO,NO,TITLE", f"1,1,{'x' * 40}"],
            "ANSWER": ["FORM_NO,Q,SCORE", "1,a,2"]}  # fmt: skip
    folder = lay_down(tmp_path / "p", dump, {"persons": PERSONS, "forms": forms, "answers": answers})
    done = cb(folder, "run", "--until", "transform")
    assert done.exit_code == 0, done.exception
    cb(folder, "quarantine", "--out", str(tmp_path / "out"))
    told = {}
    for path in (tmp_path / "out").iterdir():
        told |= {row[:2]: row[2] for row in lines(path, "table", "rule", "what happened")}
    assert told == {
        ("PERSON", "date"): f"the value was left out, the row went on; {NO_KEY}{BARRED}",
        ("PERSON", "missing_key"): f"the row was left out; {NO_KEY}{BARRED}",
        ("FORM", "max_length"): f"the row was left out; {NO_KEYS}{BARRED}",
        ("ANSWER", "number"): f"the row was left out; {OF_KEY}{BARRED}",
    }
    path = _filled(folder, tmp_path / "one", new_value="01/02/1950")
    done = cb(folder, "quarantine", "--back", str(path))
    assert f"rows, line 2: `key` is empty ({NO_KEY}" in str(done.exception)


def test_what_a_spreadsheet_makes_of_what_was_typed(tmp_path: Path) -> None:
    """A day is a day; a formula is refused, for without its result the value would be emptied."""
    folder = lay_down(tmp_path / "p")
    cb(folder, "run", "--until", "transform")
    path = _filled(folder, tmp_path / "one", new_value="=A1")
    done = cb(folder, "quarantine", "--back", str(path))
    assert "rows, line 2: `new value` is a formula" in str(done.exception)
    assert not list((folder / "corrections").glob("*.csv"))
    path = _filled(folder, tmp_path / "two", new_value=dt.date(1950, 5, 4))
    assert cb(folder, "quarantine", "--back", str(path)).exit_code == 0
    (made,) = (folder / "corrections").glob("*.csv")
    assert made.read_text().splitlines()[1:] == ["1,PERSON.DOB,=cmd|calc,1950-05-04,A. Clerk,card"]


def test_a_correction_holds_only_while_its_old_value_stands(tmp_path: Path) -> None:
    """The next extract says something else: that is loaded, and the correction is told as idle."""
    folder = lay_down(tmp_path)
    _correct(folder, "3,PERSON.NAME,,Found,A. Clerk,on the card", "5,PERSON.NAME,Oz,Ozu,A. Clerk,on the card")
    assert cb(folder, "run").exit_code == 0
    assert _target(folder, "SELECT last_name FROM persons WHERE legacy_id IN ('3', '5')") == [("Found",), ("Ozu",)]
    lay_down(folder, {**DUMP, "PERSON": [line.replace("5,Oz", "5,Oak") for line in DUMP["PERSON"]]})
    done = cb(folder, "run")
    assert "corrections/paper.csv: 1 correction not applied" in done.output + done.stderr
    assert _target(folder, "SELECT last_name FROM persons WHERE legacy_id IN ('3', '5')") == [("Found",), ("Oak",)]
    assert [line["values"] for line in _report(folder)["corrections"]] == [1, 0]  # type: ignore[attr-defined]


QUERY = """
[table]
system = "old"
source = "SELECT f._row, f.FORM_NO, f.NO, p.NAME AS TITLE FROM FORM f JOIN PERSON p ON p.NO = f.NO"
consumes = ["FORM", "PERSON"]
lookups = ["PERSON"]
target = "forms"
key = ["FORM_NO"]
[read.FORM]
key = ["FORM_NO"]
[read.PERSON]
key = ["NO"]
[columns.person_id]
from = "NO"
[columns.title]
from = "TITLE"
[dropped]
"""


def test_a_query_and_the_controls_see_what_was_corrected(tmp_path: Path) -> None:
    """A reference is corrected: the query joins by it, and so does the auditor's own; the orphan is none."""
    specs = {"persons": PERSONS, "forms": QUERY}
    folder = lay_down(tmp_path, {**DUMP, "FORM": ["FORM_NO,NO", "10,1", "13,77"]}, specs)
    _correct(folder, "13,NO,77,5,A. Clerk,the other form says so", name="FORM")
    done = cb(folder, "run")
    assert _target(folder, "SELECT title FROM forms ORDER BY title") == [("Ng",), ("Oz",)], done.output
    assert _report(folder)["verdict"] == "balanced"


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("9,PERSON.NAME,,Found,A. Clerk,card", "no row of PERSON has this key"),
        ("3,PERSON.NAMES,,Found,A. Clerk,card", "PERSON has no column of that name (did you mean `NAME`?)"),
        ("3,NICKNAME,,Found,A. Clerk,card", "no source has such a column"),
        ("3,NO,3,4,A. Clerk,card", "2 sources of old have a column of that name"),
        ("3,PERSON.NO,3,4,A. Clerk,card", "is of the key"),
        ("2,PERSON.SECURE,Y,N,A. Clerk,card", "carries marks of restriction"),
        ("3,PERSON.NAME,,Found,,card", "`who` is empty"),
        ("3,PERSON.NAME,,Found,A. Clerk,?", "`why` is empty"),
        ("3,PERSON.NAME,x,x,A. Clerk,card", "changes nothing"),
        ("3,PERSON.NAME,,Found,A. Clerk", "has 5 cells"),
    ],
)
def test_what_cannot_be_a_correction_is_told_by_check(row: str, what: str, tmp_path: Path) -> None:
    """By its file and line; a run that begins all the same stops before anything is converted."""
    folder = lay_down(tmp_path)
    _correct(folder, "5,PERSON.NAME,Oz,Ozu,A. Clerk,card", row)
    (told,) = check(folder)
    assert told.startswith("corrections/paper.csv: line 3")
    assert what in told
    assert cb(folder, "run", "--until", "transform").exception is not None
    assert not list((folder / "work").rglob("*.clean.parquet"))


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    folder = lay_down(tmp_path)
    _correct(folder, "3,PERSON.NAME,,Found,A. Clerk,card", header="key,column,old,new,who,why")
    _correct(folder, "5,PERSON.NAME,Oz,Ozu,A. Clerk,card", name="one")
    _correct(folder, "5,PERSON.NAME,Oz,Ozo,B. Clerk,card", name="two")
    first, second = check(folder)
    assert "line 1" in first
    assert "key, column, old_value, new_value, who, why" in first
    assert "corrections/two.csv: line 2" in second
    assert "corrects what line 2 of corrections/one.csv corrects" in second


@pytest.mark.parametrize(
    "name",
    [
        "corrections/more.CSV",
        "corrections/more.csv.txt",
        "corrections/team.xlsx",
        "tables/more.TOML",
        "tables/more.toml.txt",
    ],
)
def test_a_file_that_was_meant_and_is_not_read_is_told(name: str, tmp_path: Path) -> None:
    folder = lay_down(tmp_path)
    _correct(folder, "3,PERSON.NAME,,Found,A. Clerk,card")
    for path in (name, "corrections/.hidden.CSV", "corrections/~$team.xlsx", "tables/notes.md"):
        (folder / path).write_text("x", encoding="utf-8")
    (told,) = check(folder)
    assert told.startswith(f"{name}: is not read")


LOOKED_UP = PERSONS.replace(
    'from = "SECURE"\nsteps = ["yes_no"]\nrequired = true',
    """from = "SECURE"
lookup = { source = "LEVEL", key = "CODE", value = "MARK" }""",
)


def test_a_mark_that_is_looked_up_is_not_corrected(tmp_path: Path) -> None:
    """What stands in the source carries the mark, whatever explains it."""
    folder = lay_down(tmp_path, {**DUMP, "LEVEL": ["CODE,MARK", "Y,Y", "N,N"]}, {"persons": LOOKED_UP})
    _correct(folder, "2,PERSON.SECURE,Y,N,A. Clerk,card")
    (told,) = (line for line in check(folder) if "corrections" in line)
    assert "carries marks of restriction" in told


def test_a_value_that_is_emptied_is_null_to_the_auditor_too(tmp_path: Path) -> None:
    """A query that asks for it by IS NULL gives the auditor the rows that it gave the run."""
    query = QUERY.replace("p.NAME AS TITLE", "f.TITLE AS OLD, p.NAME AS TITLE")
    query = query.replace("ON p.NO = f.NO", "ON p.NO = f.NO WHERE f.TITLE IS NULL") + 'OLD = "out of date"'
    dump = {**DUMP, "FORM": ["FORM_NO,NO,TITLE", "10,1,gone"]}
    folder = lay_down(tmp_path, dump, {"persons": PERSONS, "forms": query})
    _correct(folder, "10,TITLE,gone,,A. Clerk,no such title", name="FORM")
    done = cb(folder, "run")
    assert _target(folder, "SELECT title FROM forms") == [("Ng",)], done.output
    assert _report(folder)["verdict"] == "balanced"


def test_what_may_be_corrected_is_worked_out_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And not again for each line: there may be tens of thousands, and every stage reads them."""
    folder = lay_down(tmp_path)
    _correct(folder, *(f"{n},NAME,,Found,A. Clerk,card" for n in range(500)))
    asked: list[str] = []
    for name in ("mark_columns", "columns_accounted_for"):
        given = getattr(corrections, name)
        monkeypatch.setattr(corrections, name, lambda *words, of=given: asked.append("once") or of(*words))
    with open_job(folder, alone=False) as job:
        asked.clear()
        project = corrections.OfProject(job.settings, job.target, job.specs)
        assert len(corrections.read_corrections(project)) == 500
    assert len(asked) == 1 + len(project.reads)
