"""`casebridge quarantine`: whose workbook holds what, who may see it, and what was said before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from casebridge.migrate.pipeline import open_job
from tests.quarantine.behind import DUMP, PERSONS, SPECS, cb, lay_down, lines, sheet


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run once."""
    folder = lay_down(tmp_path_factory.mktemp("behind"))
    done = cb(folder, "run")
    assert "report:" in done.output, done.output
    return folder


def test_each_owner_has_what_is_theirs_and_nobody_restricted(project: Path, tmp_path: Path) -> None:
    """The restricted record, the one of the no-link list, and all that belongs to either are left out."""
    done = cb(project, "quarantine", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "records-team.xlsx", "head-of-practice.xlsx", "nobody-named.xlsx",
    }  # fmt: skip
    shown = ("table", "line", "key", "column", "value", "rule", "what is wrong")
    assert lines(tmp_path / "out/records-team.xlsx", *shown) == [
        ("PERSON", "2", "1", "DOB", "'=cmd|calc", "date", "there is no such day"),
        ("PERSON", "4", "3", "NAME", "", "required", "a value that must be there is missing"),
    ]
    assert lines(tmp_path / "out/head-of-practice.xlsx", *shown) == [
        ("ANSWER", "2", "10|a", "SCORE", "many", "number", "the value is no number"),
    ]
    assert lines(tmp_path / "out/nobody-named.xlsx", "key", "column", "value", "rule") == [
        ("13", "NO", "77", "orphan")
    ]
    assert "4 lines of records that not everybody may see" in done.stderr


def test_the_cleared_have_a_workbook_of_their_own(project: Path, tmp_path: Path) -> None:
    """It holds all that was left out, and says of no line why."""
    done = cb(project, "quarantine", "--out", str(tmp_path), "--restricted")
    assert done.exit_code == 0, done.output
    (path,) = tmp_path.iterdir()
    assert lines(path, "table", "key", "value") == [
        ("ANSWER", "11|a", "few"), ("ANSWER", "12|a", "none"), ("PERSON", "2", "99/99/1950"), ("PERSON", "4", "x"),
    ]  # fmt: skip


def test_it_is_private_and_says_what_it_holds(project: Path, tmp_path: Path) -> None:
    """Files and folder are their owner's; nothing in a cell is calculated; who took it out is on record."""
    out = tmp_path / "out"
    assert cb(project, "quarantine", "--out", str(out), "--owner", "Records team").exit_code == 0
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    first = sheet(out / "records-team.xlsx", "read me")
    assert first[0][0].startswith("THIS WORKBOOK HOLDS PERSONAL DATA")
    with open_job(project, alone=False) as job:
        said = [entry.body for entry in job.audit_log().entries("export") if entry.body]
    assert {name: said[-1][name] for name in ("what", "rows")} == {"what": "quarantine", "rows": 2}


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--table", "answers"], [("ANSWER", "number")]),
        (["--table", "FORM"], [("FORM", "orphan")]),
        (["--rule", "required"], [("PERSON", "required")]),
    ],
)
def test_only_what_was_asked_for(
    words: list[str], wanted: list[tuple[str, ...]], project: Path, tmp_path: Path
) -> None:
    done = cb(project, "quarantine", "--out", str(tmp_path), *words, "--json")
    told = json.loads(done.stdout)["workbooks"]
    assert [line for book in told for line in lines(Path(book["path"]), "table", "rule")] == wanted


@pytest.mark.parametrize("words", [("--table", "answrs"), ("--rule", "requird"), ("--owner", "Record team")])
def test_a_name_that_is_not_there_is_told(words: tuple[str, str], project: Path, tmp_path: Path) -> None:
    done = cb(project, "quarantine", "--out", str(tmp_path / "out"), *words)
    assert "did you mean" in str(getattr(done.exception, "hint", ""))
    assert not (tmp_path / "out").exists()


def test_the_crosswalk_of_any_table(project: Path) -> None:
    """Each key of the dump once, with its id or its place."""
    done = cb(project, "crosswalk", "forms")
    header, *rows = done.stdout.splitlines()
    assert header == "system,source,legacy_key,survivor_system,survivor_key,target_id,place"
    assert [row.split(",") for row in rows] == [
        ["old", "FORM", key, "old", key, number, place]
        for key, number, place in (("10", "1", ""), ("11", "2", ""), ("12", "3", ""), ("13", "", "rejected"))
    ]
    assert "did you mean" in str(getattr(cb(project, "crosswalk", "form").exception, "hint", ""))


def test_what_was_said_of_a_row_survives_runs_and_purge(tmp_path: Path) -> None:
    """A row that was mended stands in the history as found no more; an owner makes nothing pending."""
    folder = lay_down(tmp_path / "p")
    cb(folder, "run")
    mended = {**DUMP, "PERSON": [line.replace("3,,", "3,Found,") for line in DUMP["PERSON"]]}
    lay_down(folder, mended, {**SPECS, "persons": PERSONS.replace("Records team", "Somebody else")})
    assert cb(folder, "replay").exit_code == 0
    assert cb(folder, "purge").exit_code == 0
    assert cb(folder, "quarantine", "--out", str(tmp_path / "out")).exit_code == 0
    _, *rows = sheet(tmp_path / "out/somebody-else.xlsx", "history")
    assert {(row[1], row[3], row[7]) for row in rows} == {
        ("1", "date", "still so"), ("3", "required", "found no more"),
    }  # fmt: skip


def test_a_row_with_faults_of_two_kinds_is_hidden_with_both(tmp_path: Path) -> None:
    """The form of the restricted person stands twice in the dump, and its title is too long: the one fault is the
    whole source's, the other the spec's, and neither is for everybody, nor in the history."""
    twice = ["11,2,a title that is longer than the thirty characters of its column", "11,2,said twice"]
    folder = lay_down(tmp_path / "p", {**DUMP, "FORM": [*DUMP["FORM"][:2], *twice, *DUMP["FORM"][3:]]})
    cb(folder, "run")
    cb(folder, "quarantine", "--out", str(tmp_path / "all"), "--restricted")
    (cleared,) = (tmp_path / "all").iterdir()
    assert {rule for key, rule in lines(cleared, "key", "rule") if key == "11"} == {"max_length", "duplicate_key"}
    cb(folder, "quarantine", "--out", str(tmp_path / "out"))
    books = [sheet(path, title) for path in (tmp_path / "out").iterdir() for title in ("rows", "history")]
    assert [row for rows in books for row in rows if "11" in row] == []
