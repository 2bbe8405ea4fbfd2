"""`casebridge link` on a register in a file."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from openpyxl import Workbook

from benchmarks.kinds import VARIANTS
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import read_fields
from casebridge.migrate.cli.link import _opinion
from tests.councils import casebridge

FIELDS = """
id = "id"
[fields]
forename = "first"
middle_name = "middle"
surname = "last"
birth_date = "dob"
sex = "sex"
house = "house"
street = "street"
postcode = "postcode"
nhs_number = "nhs"
phone = "phone"
"""


@pytest.fixture(scope="module")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("link")
    make_register(4000, VARIANTS["plain"], seed=3).cast({"person": pl.String}).write_csv(folder / "people.csv")
    (folder / "FIELDS.toml").write_text(FIELDS, encoding="utf-8")
    return folder


def test_a_register_is_linked_judged_and_asked_twice(register: Path) -> None:
    words = ("link", str(register / "people.csv"), "--fields", str(register / "FIELDS.toml"))
    out = register / "out"
    done = casebridge(*words, "--out", str(out), "--truth", "person", "--second-opinion", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["evaluation"]["proposed"]["f1"] > 0.95
    assert told["second_opinion"]["ran"]
    assert json.loads((out / "diagnostics.json").read_text())["second_opinion"] == told["second_opinion"]
    assert {"left_id", "right_id", "p_same", "relation", "weight"} <= set(
        pl.read_parquet(out / "pairs.parquet").columns
    )
    assert pl.read_parquet(out / "clusters.parquet").columns == ["id", "cluster"]
    assert json.loads((out / "model.json").read_text())["thresholds"]["propose"] == told["threshold"]
    assert (out / "evaluation.json").is_file()


def test_without_being_asked_nobody_else_is(register: Path) -> None:
    out = register / "alone"
    words = ("link", str(register / "people.csv"), "--fields", str(register / "FIELDS.toml"), "--out", str(out))
    done = casebridge(*words, "--truth", "person")
    assert done.returncode == 0, done.stderr
    assert "are put forward as the same person" in done.stdout
    judged = json.loads((out / "evaluation.json").read_text())["proposed"]
    assert (
        f"precision {judged['precision']:.1%}, recall {judged['recall']:.1%}, F1 {judged['f1']:.1%}" in done.stdout
    )
    assert f"evaluation: {out / 'evaluation.html'}" in done.stdout
    assert "second_opinion" not in json.loads((out / "diagnostics.json").read_text())


def test_a_second_opinion_that_was_not_had_is_told() -> None:
    assert "too little varies" in _opinion({"ran": False, "reason": "too little varies"})
    assert "97.0%" in _opinion({"ran": True, "agree": 0.97})


@pytest.mark.parametrize("name", ["pairs.parquet", "clusters.parquet", "diagnostics.json", "evaluation.html"])
def test_results_are_not_written_over_files_of_others(register: Path, tmp_path: Path, name: str) -> None:
    """Nor is anything linked before it is said; a linkage's own results are written over."""
    (tmp_path / name).write_text('{"mine": 1}')
    words = ("link", str(register / "people.csv"), "--fields", str(register / "FIELDS.toml"))
    done = casebridge(*words, "--out", str(tmp_path))
    assert done.returncode == 1
    assert f"{name} in that folder was not written by casebridge" in done.stderr
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, '{"mine": 1}')]


def test_what_is_no_register_is_said_in_a_sentence(register: Path) -> None:
    fields = str(register / "FIELDS.toml")
    gone = casebridge("link", str(register / "gone.csv"), "--fields", fields, "--out", str(register / "o"))
    assert gone.returncode
    assert "no such file" in gone.stderr
    (register / "bad.parquet").write_bytes(b"PAR0")
    bad = casebridge("link", str(register / "bad.parquet"), "--fields", fields, "--out", str(register / "o"))
    assert bad.returncode
    assert "cannot be read" in bad.stderr
    assert "Traceback" not in bad.stderr


def test_without_fields_they_are_guessed_told_and_kept_for_correction(tmp_path: Path) -> None:
    """Once corrected they are never written over."""
    people = (
        make_register(200, VARIANTS["plain"], seed=5).cast({"person": pl.String}).with_row_index("person_id", 1)
    )
    named = {
        "first": "First Name",
        "last": "Last_Name",
        "dob": "DateOfBirth",
        "nhs": "NHS No",
        "house": "houseno",
    }
    people.drop("id", "twin").rename(named).write_csv(tmp_path / "people.csv")
    words = ("link", str(tmp_path / "people.csv"), "--out", str(tmp_path / "out"), "--truth", "person")
    done = casebridge(*words)
    assert done.returncode == 0, done.stderr
    fields = read_fields(tmp_path / "out" / "fields.toml")
    assert fields.id == "person_id"
    assert fields.roles == {
        "forename": "First Name", "middle_name": "middle", "surname": "Last_Name", "birth_date": "DateOfBirth",
        "sex": "sex", "house": "houseno", "street": "street", "postcode": "postcode", "nhs_number": "NHS No",
        "phone": "phone",
    }  # fmt: skip
    assert "birth_date = DateOfBirth" in done.stderr
    again = casebridge(*words)
    assert again.returncode != 0
    assert f"--fields {tmp_path / 'out' / 'fields.toml'}" in again.stderr
    corrected = casebridge(*words, "--fields", str(tmp_path / "out" / "fields.toml"))
    assert corrected.returncode == 0, corrected.stderr
    assert corrected.stdout == done.stdout


def test_a_file_of_any_form_is_read_as_that_of_a_dump_and_what_is_lost_is_told(tmp_path: Path) -> None:
    """Also with other delimiters and encodings than a CSV's; no line is left out unsaid."""
    people = make_register(60, VARIANTS["plain"], seed=6).select("id", "first", "last", "dob")
    people = people.with_columns(
        pl.when(pl.int_range(pl.len()) == 7).then(pl.lit("Zoë")).otherwise("first").alias("first")
    )
    text = people.write_csv(separator=";") + "one;field;too;many;here\n"
    (tmp_path / "people.csv").write_text(text, encoding="cp1252")
    people.write_csv(tmp_path / "plain.csv")
    outs = {name: str(tmp_path / name.partition(".")[0]) for name in ("people.csv", "plain.csv")}
    done, plain = (casebridge("link", str(tmp_path / name), "--out", out, "--json") for name, out in outs.items())
    assert done.returncode == 0, done.stderr
    assert "people.csv is read as text in cp1252, delimiter ';'" in done.stderr
    told, wanted = json.loads(done.stdout), json.loads(plain.stdout)
    assert told["warnings"] == [
        "1 line of the file can be read as no record, and take no part.",
        *wanted["warnings"],
    ]
    pairs, same = (pl.read_parquet(f"{out}/pairs.parquet") for out in outs.values())
    assert pairs.equals(same)


@pytest.mark.parametrize(
    ("header", "told"),
    [("id,colour\n1,red\n", "no column looks like a surname"), ("surname,dob\nLee,x\nLee,y\n", "names each row")],
)
def test_what_cannot_be_guessed_is_asked_for(tmp_path: Path, header: str, told: str) -> None:
    (tmp_path / "people.csv").write_text(header, encoding="utf-8")
    done = casebridge("link", str(tmp_path / "people.csv"), "--out", str(tmp_path / "out"))
    assert done.returncode != 0
    assert told in done.stderr
    assert "--fields" in done.stderr
    assert not (tmp_path / "out").exists()


def test_lines_with_fewer_fields_and_cells_with_errors_are_told(tmp_path: Path) -> None:
    """Whose last fields an exporter left out stays in the register; a line of delimiters, or of nothing, is no
    record; a cell of a workbook that holds an error is missing."""
    people = make_register(60, VARIANTS["plain"], seed=6).select("id", "first", "last", "dob")
    text = people.rename({"dob": "day of\nbirth"}).write_csv() + '\nx1,Zoë,"Lee\nSmith"\nx2\n,,,\n\n'
    (tmp_path / "people.csv").write_text(text, encoding="utf-8")
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (people.columns, *people.iter_rows()):
        sheet.append([*row])
    sheet["B3"] = "#N/A"
    book.save(tmp_path / "people.xlsx")
    told = {}
    for name in ("people.csv", "people.xlsx"):
        done = casebridge("link", str(tmp_path / name), "--out", str(tmp_path / name[-4:]), "--json")
        assert done.returncode == 0, done.stderr
        told[name] = json.loads(done.stdout)["warnings"]
    assert told["people.csv"][:2] == [
        "2 lines with fewer fields than the header: what they lack is missing.",
        "3 lines without any value: no record.",
    ]
    assert told["people.xlsx"][0].startswith("1 cell with an error")
    assert pl.read_parquet(tmp_path / ".csv" / "clusters.parquet").height == people.height + 2


def test_nothing_is_written_beside_the_files_of_others(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,surname\n1,Lee\n2,Li\n", encoding="utf-8")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pairs.parquet").write_text("mine")
    done = casebridge("link", str(tmp_path / "people.csv"), "--out", str(tmp_path / "out"))
    assert done.returncode != 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["pairs.parquet"]
