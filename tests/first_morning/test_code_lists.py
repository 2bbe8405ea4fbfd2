"""`casebridge codes`: unmapped codes go out with their rows and come back; a list is signed by its owner."""

from __future__ import annotations

import csv
import json
import shutil
import stat
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from click.testing import CliRunner, Result

from casebridge.migrate.cli.main import cli
from casebridge.migrate.pipeline import check, open_job, run_stages
from casebridge.project.errors import CasebridgeError, SpecError


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drafted project whose list lost two codes; run up to transform."""
    place = tmp_path_factory.mktemp("lists")
    (place / "dump").mkdir()
    with (place / "dump/VISIT.csv").open("w", newline="", encoding="utf-8") as file:
        rows = [[n, ["HOME", "TEL", "=OFF"][n % 3] if n % 10 else "zz", "x"] for n in range(300)]
        csv.writer(file).writerows([["VISIT_NO", "KIND", "NOTE"], *rows])
    assert _casebridge("draft", str(place / "project"), "--dump", str(place / "dump")).exit_code == 0
    path = place / "project/codes/visit_kind.csv"
    lines = [
        line for line in path.read_text(encoding="utf-8").splitlines() if "zz" not in line and "OFF" not in line
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open_job(place / "project") as job:
        list(run_stages(job, "transform"))
    return place / "project"


def _casebridge(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def _codes(project: Path, *words: str) -> Result:
    done = _casebridge("codes", "--project", str(project), *words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def _states(project: Path) -> dict[str, Any]:
    return {state["list"]: state for state in json.loads(_codes(project, "--json").stdout)}


def _wanted(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_codes_that_no_list_knows_go_out_with_their_rows(project: Path, tmp_path: Path) -> None:
    """As CSV and as XLSX, for nobody else; what a spreadsheet would calculate is text."""
    done = _codes(project, "--out", str(tmp_path))
    with open_job(project, alone=False) as job:
        (entry,) = job.audit_log().entries("export")
    assert (entry.body or {}).items() >= {"what": "unmapped codes", "rows": 2}.items()
    assert "2 codes that no list knows, on 120 rows" in done.output
    lines = _wanted(tmp_path / "unmapped-codes.csv")
    assert [(line["list"], line["legacy_code"], line["rows"], line["status"]) for line in lines] == [
        ("visit_kind", "'=OFF", "90", "unmapped"), ("visit_kind", "ZZ", "30", "unmapped"),
    ]  # fmt: skip
    assert lines[0]["used_by"] == "visit.kind"
    sheet = openpyxl.load_workbook(tmp_path / "unmapped-codes.xlsx")["codes"]
    assert [[cell.value for cell in row][1] for row in sheet.iter_rows(min_row=2)] == ["'=OFF", "ZZ"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_filled_in_lines_come_back_and_the_rows_arrive(project: Path, tmp_path: Path, kind: str) -> None:
    """From either file; a line that nobody filled in is left; the list keeps its other lines and columns."""
    _codes(project, "--out", str(tmp_path))
    path, listed = tmp_path / f"unmapped-codes.{kind}", project / "codes/visit_kind.csv"
    before = listed.read_text(encoding="utf-8")
    try:
        _fill_in(path, {"'=OFF": "OFFICE"})
        done = _codes(project, "--take", str(path))
        assert "visit_kind: 1 line taken" in done.output
        assert "1 line not filled in yet" in done.output
        lines = {line["legacy_code"]: line for line in _wanted(listed)}
        assert (lines["=OFF"]["target_code"], lines["=OFF"]["status"]) == ("OFFICE", "mapped")
        assert listed.read_text(encoding="utf-8").startswith(before)
    finally:
        listed.write_text(before, encoding="utf-8")


def _fill_in(path: Path, targets: dict[str, str]) -> None:
    if path.suffix == ".csv":
        lines = [{**line, "target_code": targets.get(line["legacy_code"], "")} for line in _wanted(path)]
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        return
    book = openpyxl.load_workbook(path)
    for row in book["codes"].iter_rows(min_row=2):
        row[2].value = targets.get(str(row[1].value))
    book.save(path)


def test_a_bad_line_takes_nothing(project: Path, tmp_path: Path) -> None:
    path = tmp_path / "filled.csv"
    before = (project / "codes/visit_kind.csv").read_bytes()
    path.write_text(
        "list,legacy_code,target_code,status\nvisit_kind,zz,ZED,mapped\nvisit_kin,a,B,mapped\nvisit_kind,q,Q,done\n",
        encoding="utf-8",
    )
    with pytest.raises(SpecError) as error:
        _codes(project, "--take", str(path))
    assert [problem.where for problem in error.value.problems] == ["line 3", "line 4"]
    assert (project / "codes/visit_kind.csv").read_bytes() == before


def test_check_says_which_lists_are_not_signed_and_which_changed_since(project: Path) -> None:
    """Signed, then changed by one code; its descriptions may change."""
    notes: list[str] = []
    assert check(project, notes) == []
    assert any("1 code list is not signed" in note and "visit_kind" in note for note in notes)
    _codes(project, "--sign", "visit_kind", "--by", "P. Owner", "--role", "data owner")
    notes.clear()
    check(project, notes)
    assert not any("visit_kind" in note and "code list" in note for note in notes)
    path = project / "codes/visit_kind.csv"
    before = path.read_text(encoding="utf-8")
    path.write_text(
        before.replace("HOME,HOME,", "HOME,HOUSE,").replace(",TEL,,", ",TEL,by phone,"), encoding="utf-8"
    )
    notes.clear()
    check(project, notes)
    path.write_text(before, encoding="utf-8")
    (said,) = [note for note in notes if note.startswith("code list visit_kind changed")]
    assert said.endswith("HOME: was HOME, becomes HOUSE")
    assert "P. Owner signed it on" in said


def test_a_meaning_that_its_column_cannot_take_is_told_by_check(project: Path, tmp_path: Path) -> None:
    shutil.copytree(project, tmp_path / "p", ignore=shutil.ignore_patterns("work"))
    shutil.copytree(project.parent / "dump", tmp_path / "dump")
    path = tmp_path / "p/codes/visit_kind.csv"
    notes: list[str] = []
    for meaning in ("At home" * 9, "At home" * 10):
        text = path.read_text(encoding="utf-8").splitlines()
        changed = [f"HOME,{meaning},,mapped" + ",,,,," if line.startswith("HOME,") else line for line in text]
        path.write_text("\n".join(changed) + "\n", encoding="utf-8")
        notes.clear()
        assert check(tmp_path / "p", notes) == []
        assert any("1 meaning longer than visit.kind takes (64 characters)" in note for note in notes) == (
            len(meaning) > 64
        )


def test_only_the_owner_signs_and_the_audit_log_says_so(project: Path) -> None:
    path = project / "codes/visit_kind.csv"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(",mapped,,", ",mapped,D. Head,"), encoding="utf-8")
    try:
        with pytest.raises(CasebridgeError, match=r"is owned by D\. Head"):
            _codes(project, "--sign", "visit_kind", "--by", "Somebody")
        _codes(project, "--sign", "visit_kind", "--by", "d. head")
        assert _states(project)["visit_kind"]["signed_by"] == "d. head"
    finally:
        path.write_text(before, encoding="utf-8")
    with open_job(project, alone=False) as job:
        bodies = [entry.body or {} for entry in job.audit_log().entries("code list")]
    assert {"list": "visit_kind", "who": "d. head"}.items() <= bodies[-1].items()
