"""What a run writes for reviewers: of whom, of whom not, and for whose eyes."""

from __future__ import annotations

import sqlite3
import subprocess
from pathlib import Path

import openpyxl
import pytest

from casebridge.dedupe.review.evidence_file import EvidenceFile
from tests.councils import Migration
from tests.kin import Kin, make_kin, person, relation
from tests.shelf import Shelf, copy_of


def evidence_of(folder: Path) -> EvidenceFile:
    """The one evidence file of a project."""
    (path,) = (folder / "work" / "dedupe" / "evidence").glob("*.db")
    return EvidenceFile(path)


def ask_for(kin: Kin, *pairs: tuple[int, int]) -> None:
    """Bring pairs before the reviewers that linkage would not propose in so small a register."""
    for left, right in pairs:
        done = kin.cli("pairs", "--ask-for", str(left), str(right), "--by", "Help desk", "--why", "two numbers")
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def kin(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    """1 and 2 are asked for, 1 and 3 with a restricted record, 1 and 4 with a protected one; 5 is the mother of
    1, and 6, who is restricted, a sibling."""
    folder = tmp_path_factory.mktemp("kin")
    people = [person(1, "Ng", "111"), person(2, "Ng"), person(3, "Ng", secure="Y"), person(4, "Ng"),
              person(5, "Li"), person(6, "Ng", secure="Y"), person(7, "Wu")]  # fmt: skip
    relations = [relation(1, 1, 5, "MOTHER"), relation(2, 1, 6, "SIBLING"), relation(3, 1, 4, "OTHER")]
    made = make_kin(folder, people, relations)
    made.protect("4")
    ask_for(made, (1, 2), (1, 3), (1, 4), (1, 99))
    made.run()
    return made


def test_a_pair_that_was_asked_for_is_before_the_reviewers(kin: Kin) -> None:
    """And in the list of `casebridge pairs`; one of somebody unknown, or of a protected record, is in neither."""
    evidence = evidence_of(kin.folder)
    pairs = [(p.left_id, p.right_id, p.open, p.proposed, p.needs_two) for p in evidence.pairs(1)]
    assert sorted(pairs) == [("old:1", "old:2", True, False, True), ("old:1", "old:3", True, False, True)]
    listed = [line.split(",")[:2] for line in kin.cli("pairs").stdout.splitlines()[1:]]
    assert sorted(listed) == [["old:1", "old:2"], ["old:1", "old:3"]]


def test_whoever_asks_gets_one_answer(kin: Kin) -> None:
    """Whether the records are there, or may be paired, is not told."""
    words = ("--by", "Help desk", "--why", "two numbers")
    answers = {kin.cli("pairs", "--ask-for", "1", other, *words).stdout for other in ("2", "4", "99", "3")}
    assert len(answers) == 1
    assert kin.cli("pairs", "--ask-for", "1", "1", *words).returncode == 1


def test_nothing_of_a_protected_record_is_in_the_file(kin: Kin) -> None:
    evidence = evidence_of(kin.folder)
    assert evidence.people(["old:4", "old:99"], 1) == {}
    held = evidence.person("old:1", 1)
    assert held is not None
    assert "old:4" not in {one.id for one in held.kin}
    assert b"old:4" not in evidence.path.read_bytes()


def test_a_reader_without_clearance_gets_no_restricted_record(kin: Kin) -> None:
    """A pair needs the highest clearance of its two; a restricted relative takes no pair away, and is not told."""
    evidence = evidence_of(kin.folder)
    assert [(p.left_id, p.right_id) for p in evidence.pairs(0)] == [("old:1", "old:2")]
    secret = next(p for p in evidence.pairs(1) if p.clearance)
    assert evidence.pair(secret.item, 0) is None
    assert evidence.pair("0" * 32, 0) is None
    ids = ["old:1", "old:2", "old:3", "old:5", "old:6"]
    assert set(evidence.people(ids, 0)) == {"old:1", "old:2", "old:5"}
    assert set(evidence.people(ids, 1)) == set(ids)
    assert {(one.id, one.what) for one in evidence.people(ids, 1)["old:1"].kin} == {
        ("old:5", "mother"), ("old:6", "sibling"),
    }  # fmt: skip


def test_the_file_is_its_owners_only_and_nobodys_who_is_in_no_pair(kin: Kin) -> None:
    evidence = evidence_of(kin.folder)
    assert evidence.path.stat().st_mode & 0o077 == 0
    assert evidence.person("old:7", 1) is None


def test_a_mark_of_any_row_and_a_lowered_one_count(tmp_path: Path) -> None:
    """The key stands twice, and only the row that is rejected carries the mark; a person lowers it."""
    made = make_kin(tmp_path, [person(1), person(2), person(2, secure="Y")])
    ask_for(made, (1, 2))
    made.run()
    assert [p.clearance for p in evidence_of(tmp_path).pairs(1)] == [1]
    before = evidence_of(tmp_path).path
    written = before.stat().st_mtime_ns
    made.run("trial-2")
    assert evidence_of(tmp_path).path == before, "nothing changed, and it was written again"
    assert before.stat().st_mtime_ns == written
    lines = "key,who,why,date\nold:2,A. Manager,the order was lifted,2026-03-02\n"
    (tmp_path / "restrictions_lowered.csv").write_text(lines)
    made.run()
    assert [p.clearance for p in evidence_of(tmp_path).pairs(1)] == [0]


def test_a_mark_that_a_row_left_behind_has_since_counts(tmp_path: Path) -> None:
    """What is loaded of the person is as before, and so is each pair."""
    made = make_kin(tmp_path, [person(1), person(2), person(2, phone="999")])
    ask_for(made, (1, 2))
    made.run()
    assert [p.clearance for p in evidence_of(tmp_path).pairs(1)] == [0]
    made.dump([person(1), person(2), person(2, phone="999", secure="Y")])
    made.run("trial-2")
    assert [p.clearance for p in evidence_of(tmp_path).pairs(1)] == [1]


def test_a_column_that_became_free_text_is_shown_no_more(tmp_path: Path) -> None:
    """Under another run name too, though no row changed."""
    made = make_kin(tmp_path, [person(1, phone="0113 4960000"), person(2)])
    ask_for(made, (1, 2))
    made.run()
    assert "phone" in evidence_of(tmp_path).people(["old:1"], 1)["old:1"].fields
    target = (tmp_path / "target.toml").read_text(encoding="utf-8")
    old = 'phone = { type = "varchar(20)" }'
    assert old in target
    (tmp_path / "target.toml").write_text(target.replace(old, 'phone = { type = "text" }'), encoding="utf-8")
    made.run("trial-2")
    assert "phone" not in evidence_of(tmp_path).people(["old:1"], 1)["old:1"].fields


def test_a_run_replaces_the_evidence_and_purge_takes_it_when_the_run_is_closed(tmp_path: Path) -> None:
    made = make_kin(tmp_path, [person(1), person(2)])
    ask_for(made, (1, 2))
    made.run()
    before = evidence_of(tmp_path).path
    before.chmod(0o600)
    before.write_bytes(before.read_bytes() + b"x")
    done = made.cli("audit", "verify")
    assert (done.returncode, "is not what the run wrote" in done.stderr) == (6, True)
    made.run()
    assert made.cli("audit", "verify").returncode == 0, "a run writes it again"
    evidence_of(tmp_path).path.unlink()
    assert made.cli("audit", "verify").returncode == 6, "a file that is gone is no evidence either"
    made.run()
    made.dump([person(1, "Li"), person(2)])
    made.run("trial-2")
    now = evidence_of(tmp_path).path
    assert now != before
    assert made.cli("purge").returncode == 0
    assert now.exists()
    assert made.cli("sign", "trial-2", "--by", "A. Owner", "--role", "data owner").returncode == 0
    assert made.cli("purge", "--dry-run").returncode == 0
    assert now.exists()
    assert made.cli("purge").returncode == 0
    assert not list((tmp_path / "work").rglob("*.evidence.db"))
    done = made.cli("pairs", "--xlsx", str(tmp_path / "sheet.xlsx"))
    assert "has no evidence" in done.stderr


# Sheets, by the command line


def _decide(kin: Kin, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    path = kin.folder / "sheet.csv"
    path.write_text("left;right;verdict;reviewer;reason\n" + text, encoding="cp1252")
    return kin.cli("decide", str(path), *words)


def test_decided_pairs_leave_the_list_at_once(tmp_path: Path) -> None:
    """A half-filled sheet is taken; contradictions are told with who said what, and such pairs come back."""
    made = make_kin(tmp_path, [person(n) for n in range(1, 5)])
    ask_for(made, (1, 2), (2, 3), (1, 3), (3, 4))
    made.run()

    def waiting() -> set[str]:
        return {"".join(line.split(",")[:2]) for line in made.cli("pairs").stdout.splitlines()[1:]}

    assert waiting() == {"old:1old:2", "old:2old:3", "old:1old:3", "old:3old:4"}
    tried = _decide(made, "1;2;Different;Zoë;no\n2;3;;;\n", "--dry-run")
    assert "1 decisions read, 1 not filled in; nothing was taken" in tried.stdout
    assert len(waiting()) == 4
    assert "1 of them new" in _decide(made, "3;4;related;Zoë;sisters\n2;3;;;\n").stdout
    assert waiting() == {"old:1old:2", "old:2old:3", "old:1old:3"}
    both = "".join(f"{pair};same;{who};yes\n" for pair in ("1;2", "2;3") for who in ("A", "B"))
    assert "contradiction" not in _decide(made, both).stdout
    assert waiting() == set()
    done = _decide(made, "1;3;Different;C;no\n")
    assert "old:1 = old:2 (B), old:1 ≠ old:3 (C), old:2 = old:3 (B)" in done.stdout
    assert waiting() == {"old:1old:2", "old:2old:3", "old:1old:3"}


def test_decisions_are_taken_while_a_run_goes_on(tmp_path: Path) -> None:
    """The project is held by another command; what was decided meanwhile is not taken for followed."""
    from casebridge.project.job import sole_run

    made = make_kin(tmp_path, [person(n) for n in range(1, 4)])
    ask_for(made, (1, 2))
    made.run()
    with sole_run(tmp_path / "work"):
        assert _decide(made, "1;2;different;J;no\n").returncode == 0
        assert made.cli("run").returncode == 1


@pytest.fixture(scope="module")
def council(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Migration:
    """The pack on a made-up council, as far as linkage."""
    return copy_of(shelf.after("dedupe"), tmp_path_factory.mktemp("council"))


def test_the_pack_shows_teams_flags_and_what_is_on_file(council: Migration) -> None:
    """Notes are counted, and never copied."""
    evidence = evidence_of(council.folder)
    pairs = list(evidence.pairs(1))
    people = evidence.people([item for pair in pairs for item in (pair.left_id, pair.right_id)], 1).values()
    assert {flag for one in people for flag in one.flags} >= {"deceased", "money on file", "restricted"}
    assert any(one.teams for one in people)
    tables = {held.table: held for one in people for held in one.held}
    assert {"addresses", "names", "involvements", "case_notes"} <= set(tables)
    assert all("note" not in row for one in people for held in one.held for row in held.rows)
    born = {one.id: one.text("birth_date")[:4] for one in people}
    mothers = [(kin.id, one.id) for one in people for kin in one.kin if kin.what == "mother"]
    kin = evidence.people([mother for mother, _ in mothers], 1)
    known = [(kin[m].text("birth_date")[:4], born[child]) for m, child in mothers if m in kin and born[child]]
    assert len(known) > 3
    assert sum(mother < child for mother, child in known if mother) > 0.8 * len(known)
    values = [pair.value for pair in pairs]
    assert values == sorted(values, reverse=True)
    listed = set(Path(council.council / "dump/protected/NO_LINK.csv").read_text().split())
    assert not {one.id.partition(":")[2] for one in people} & listed


def test_a_work_sheet_of_one_team(council: Migration) -> None:
    team = next(team for pair in evidence_of(council.folder).pairs(1) for team in pair.teams)
    path = council.folder / "sheet.xlsx"
    assert council.cli("pairs", "--team", team, "--xlsx", str(path)).returncode == 0
    assert path.stat().st_mode & 0o077 == 0
    rows = list(openpyxl.load_workbook(path).active.values)
    assert len(rows) > 1
    assert all(team in str(row[rows[0].index("teams")]) for row in rows[1:])
    assert council.cli("pairs", "--team", "no such team").returncode == 1
    with sqlite3.connect(council.folder / "control.db") as control:
        assert control.execute("SELECT count(*) FROM audit WHERE kind = 'export'").fetchone() >= (1,)
