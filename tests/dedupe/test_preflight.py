"""Merge pre-flight: what the target refuses is found in the rows, told, and kept to by the run."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import openpyxl
import pytest

from casebridge.dedupe.review.merge_rules import Outcome
from tests.dedupe.test_evidence import ask_for, evidence_of
from tests.kin import Kin, make_kin, person, relation

RULES = """
[blockers.kin]
words = "The two are relatives"
check = "between"
tables = ["relations.person_id", "relations.other_id"]
where = "kind = 'KIN'"
outcome = "never"

[blockers.pending]
words = "is in a merge that is not through"
check = "on_source"
tables = ["relations.person_id"]
where = "kind = 'PENDING'"
outcome = "merge after go-live"
steps = ["Wait for the other merge"]

[blockers.both_schools]
words = "is at a school"
check = "on_both"
tables = ["relations.person_id"]
where = "kind = 'SCHOOL'"
outcome = "mark as duplicate only"

[blockers.restrictions]
words = "The restrictions differ"
check = "differ"
tables = ["persons"]
column = "restricted"
outcome = "merge before load"

[not_carried]
persons = ["phone"]
relations = []
"""
PEOPLE = [person(n, "Ng", "555" if n == 5 else "", "Y" if n == 7 else "N") for n in range(1, 13)]
RELATIONS = [
    relation(1, 2, 1, "KIN"), relation(2, 1, 11, "KIN"),  # 1 and 2 are relatives; 1 and 11 too, who are no pair
    relation(3, 3, 11, "SCHOOL"), relation(4, 4, 11, "SCHOOL"),  # 3 and 4 are both at a school
    relation(5, 5, 11, "PENDING"),  # of 5 and 6 one is in a merge
    relation(6, 9, 11, "SCHOOL"),  # of 9 and 10 only one is at a school
]  # fmt: skip
PAIRS = [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]


def with_rules(kin: Kin, text: str = RULES) -> Kin:
    """The same project with merge rules."""
    (kin.folder / "merge.toml").write_text(text, encoding="utf-8")
    return kin


@pytest.fixture(scope="module")
def kin(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    """Five pairs before the reviewers."""
    made = with_rules(make_kin(tmp_path_factory.mktemp("kin"), PEOPLE, RELATIONS))
    ask_for(made, *PAIRS)
    made.run()
    return made


def test_each_pair_is_told_what_can_be_done_and_why(kin: Kin) -> None:
    """In the evidence, in the CSV, and in the work sheet."""
    found = {p.left_id: (p.preflight, p.blockers) for p in evidence_of(kin.folder).pairs(1)}
    assert found == {
        "old:1": (Outcome.NEVER, (("kin", 1, 1),)),
        "old:3": (Outcome.MARK_ONLY, (("both_schools", 1, 1),)),
        "old:5": (Outcome.AFTER_GO_LIVE, (("pending", 1, 0),)),
        "old:7": (Outcome.BEFORE_LOAD, (("restrictions", 1, 1),)),
        "old:10": (Outcome.BEFORE_LOAD, ()),
    }
    listed = csv.DictReader(io.StringIO(kin.cli("pairs").stdout))
    assert {row["left"]: row["preflight"] for row in listed} == {item: says for item, (says, _) in found.items()}
    sheet = kin.folder / "sheet.xlsx"
    assert kin.cli("pairs", "--xlsx", str(sheet)).returncode == 0
    header, *rows = openpyxl.load_workbook(sheet).active.iter_rows(values_only=True)
    told = {row[header.index("left")]: row[header.index("pre-flight")] for row in rows}
    assert told["old:5"].endswith("A (1) is in a merge that is not through.")
    assert told["old:7"].startswith("Merge before load. After go-live Mosaic refuses it")
    assert "The restrictions differ." in told["old:7"]


def test_a_run_folds_only_what_may_merge_before_the_load(kin: Kin) -> None:
    """And says how many it did not, in words and in the report. Decided they are all the same: none waits."""
    kin.decide(*PAIRS)
    done = kin.cli("run")
    assert done.returncode == 0, done.stderr
    assert kin.folded("trial-1") == {"8", "10"}
    said = "3 groups decided *same* were not folded: 1 merge after go-live, 1 mark as duplicate only, 1 never"
    assert said in done.stderr
    report = json.loads((kin.folder / "reports" / "trial-1" / "report.json").read_text())
    counts = {"mark as duplicate only": 1, "merge after go-live": 1, "never": 1}
    assert (report["verdict"], report["undecided_pairs"]) == ("balanced", 0)
    assert report["decided_but_not_folded"] == counts
    page = (kin.folder / "reports" / "trial-1" / "report.html").read_text()
    assert "Decided same, not folded" in page
    assert kin.cli("pairs").stdout.count("\n") == 1


def test_one_blocked_pair_keeps_its_group_apart(tmp_path: Path) -> None:
    """3 and 9 are each at a school, so the group of 3, 9 and 10 does not fold until the rows are mended;
    without rules nothing is kept apart."""
    kin = make_kin(tmp_path, PEOPLE, RELATIONS)
    assert kin.cli("run", "--until", "transform").returncode == 0
    kin.decide((3, 10), (9, 10))
    with_rules(kin).run()
    assert kin.folded("trial-1") == set()
    kin.dump(PEOPLE, [row for row in RELATIONS if row["NO"] != "9"])
    kin.run()
    assert kin.folded("trial-1") == {"9", "10"}
    (kin.folder / "merge.toml").unlink()
    kin.dump(PEOPLE, RELATIONS)
    kin.run()
    assert kin.folded("trial-1") == {"9", "10"}


PLANS = """
[plans]
primary_key = "plan_id"
[plans.columns]
plan_id = { type = "bigint" }
person_id = { type = "bigint", references = "persons" }
since = { type = "date" }
kind = { type = "varchar(9)" }
"""
BOTH_PLANS = """
[blockers.plans]
words = "has a plan on the same days"
check = "overlap"
tables = ["plans.person_id"]
from = "since"
outcome = "never"
"""
WRONG = {
    '"relations.other_id"]': (
        '"relations.kind"]',
        "blockers.kin.tables: `relations.kind` does not lead to a person",
    ),
    'tables = ["persons"]': ('tables = ["person"]', "target.toml has no table `person` (did you mean `persons`"),
    '"never"': ('"nevr"', "blockers.kin.outcome: `nevr` is none (did you mean `never`"),
    '"between"': ('"betwixt"', "blockers.kin.check: `betwixt` is none"),
    'column = "restricted"': ("", "blockers.restrictions.column: is missing"),
    'persons = ["phone"]': ('persons = ["fone"]', "not_carried.persons: persons has no column `fone`"),
    'words = "The two are relatives"': ("word = 1", "blockers.kin.word: unknown key"),
    "[blockers.pending]": ("[blockers]\npending = 1\n[blockers.pended]", "blockers.pending: must be a TOML table"),
}


def test_check_names_all_that_is_wrong_with_the_rules(kin: Kin) -> None:
    """What the file says first; a condition that does not fit its table when the rest is sound."""
    text = RULES
    for right, (wrong, _) in WRONG.items():
        text = text.replace(right, wrong, 1)
    try:
        done = with_rules(kin, text).cli("check")
        assert done.returncode == 2
        assert [told for _, told in WRONG.values() if told not in done.stdout + done.stderr] == []
        done = with_rules(kin, RULES.replace("kind = 'PENDING'", "kinds = 1")).cli("check")
        assert (done.returncode, "blockers.pending.where: fails on relations" in done.stdout + done.stderr) == (
            2,
            True,
        )
        done = with_rules(kin, RULES.replace("kind = 'PENDING'", "count(*) > 1")).cli("check")
        assert "blockers.pending.where: looks at more than its own row" in done.stdout + done.stderr
    finally:
        with_rules(kin)


def test_mosaics_administrators_get_what_is_left_to_do(kin: Kin) -> None:
    """Each group that the run did not fold, the record that goes first; a pair decided since, too. Keys and ids,
    for the owner alone; what is folded already is not in it."""
    done = kin.cli("handover", "merges", "trial-1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 to leave apart, 1 to mark as duplicate, 1 to merge" in done.stdout
    path = kin.folder / "handover" / "trial-1.merges.csv"
    assert path.stat().st_mode & 0o077 == 0
    ids = dict(kin.ask("SELECT legacy_id, person_id FROM persons"))
    rows = {row["do"]: row for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))}
    merge = rows["merge"]
    # 5 is in another merge, so 6 goes although nothing else tells them apart; the telephone stays with 5.
    assert (merge["source"], merge["target"], merge["by hand first"]) == (
        "old:6",
        "old:5",
        "Wait for the other merge",
    )
    assert (int(merge["source_id"]), int(merge["target_id"])) == (ids["6"], ids["5"])
    assert rows["mark as duplicate"]["blockers"] == "is at a school"
    kin.decide((11, 12))
    found = json.loads(kin.cli("handover", "merges", "trial-1", "--json").stdout)
    assert [one["do"] for one in found if {one["source"], one["target"]} == {"old:11", "old:12"}] == ["merge"]


def test_what_was_merged_before_counts_for_the_next(tmp_path: Path) -> None:
    """3 and 4 are each at a school, 12 is not: both may become 12, and not both one after the other."""
    kin = with_rules(make_kin(tmp_path, PEOPLE, RELATIONS))
    kin.run("trial-1", "--until", "transform")
    kin.decide((3, 12), (4, 12))
    kin.run()
    assert kin.folded("trial-1") == set()
    found = json.loads(kin.cli("handover", "merges", "trial-1", "--json").stdout)
    assert [(one["do"], one["source"], one["target"]) for one in found] == [
        ("merge", "old:3", "old:12"), ("mark as duplicate", "old:4", "old:12"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "tables",
    ['["relations.person_id"]', '["relations.person_id", "relations.other_id", "relations.person_id"]'],
)
def test_a_row_that_names_two_people_has_two_columns(kin: Kin, tables: str) -> None:
    wrong = RULES.replace('["relations.person_id", "relations.other_id"]', tables)
    try:
        done = with_rules(kin, wrong).cli("check")
        told = "blockers.kin.tables: `between` looks at rows that name two people"
        assert (done.returncode, told in done.stdout + done.stderr) == (2, True)
    finally:
        with_rules(kin)


def test_a_column_that_no_spec_maps_is_empty_to_the_rules(tmp_path: Path) -> None:
    """So is a table that no spec fills. A condition that a value breaks is told by its place alone."""
    kin = make_kin(tmp_path, PEOPLE, RELATIONS)
    spec = tmp_path / "tables" / "relations.toml"
    text = spec.read_text(encoding="utf-8")
    unmapped = text.replace('[columns.kind]\nfrom = "KIND"\n', '[dropped]\nKIND = "not needed"\n')
    spec.write_text(unmapped.replace(', "kind"]', "]"), encoding="utf-8")
    kin.run("trial-1", "--until", "transform")
    kin.decide((1, 2))
    with (tmp_path / "target.toml").open("a", encoding="utf-8") as file:
        file.write(PLANS)
    with_rules(kin, RULES + BOTH_PLANS).run()
    assert kin.folded("trial-1") == {"2"}
    wrong = with_rules(kin, RULES + BOTH_PLANS.replace('from = "since"', 'from = "kind"')).cli("check")
    assert "blockers.plans.from: plans.kind is varchar: days are compared" in wrong.stdout + wrong.stderr
    spec.write_text(text, encoding="utf-8")
    with_rules(kin, RULES.replace("kind = 'PENDING'", "CAST(kind AS INT) = 1"))
    done = kin.cli("run")
    assert (done.returncode, "blockers.pending.where: fails on a value" in done.stderr) == (2, True)
    assert "KIN" not in done.stdout + done.stderr


def test_who_was_folded_into_somebody_of_a_no_link_list_is_put_beside_nobody(kin: Kin) -> None:
    (gone, kept), *_ = kin.ask(
        "SELECT legacy_key, survivor_key FROM casebridge_crosswalk WHERE legacy_key <> survivor_key"
    )
    kin.decide((int(gone), 12))

    def named() -> set[str]:
        found = json.loads(kin.cli("handover", "merges", "trial-1", "--json").stdout)
        return {one[side] for one in found for side in ("source", "target")}

    assert f"old:{kept}" in named()
    settings = kin.folder / "casebridge.toml"
    before = settings.read_text(encoding="utf-8")
    (kin.folder / "no_link.csv").write_text(f"{kept}\n", encoding="utf-8")
    settings.write_text(before.replace("[systems.old]\n", '[systems.old]\nno_link = "no_link.csv"\n'))
    try:
        assert named() & {f"old:{kept}", f"old:{gone}"} == set()
    finally:
        settings.write_text(before)
