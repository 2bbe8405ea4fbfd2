"""Targets whose keys are no numbers of ours: uuids, texts, several columns. All stages, on both databases."""

from __future__ import annotations

import csv
import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner

from casebridge.load import every_key, rollback
from casebridge.migrate.cli.main import cli
from casebridge.migrate.pipeline import check, open_job, run_stages
from casebridge.project.errors import ReconciliationFailed, SpecError
from casebridge.project.targetfile import read_target
from tests.kin import LINKAGE, Kin
from tests.staged import lay_out

TARGET = """
[areas]
primary_key = "code"
[areas.columns]
code = { type = "varchar(5)" }
name = { type = "varchar(20)" }
above = { type = "varchar(5)", references = "areas" }

[persons]
primary_key = "person_id"
legacy_key = "legacy_id"
[persons.columns]
person_id = { type = "uuid" }
legacy_id = { type = "varchar(40)" }
last_name = { type = "varchar(30)" }
phone = { type = "varchar(20)" }
area = { type = "varchar(5)", references = "areas" }
restricted = { type = "char(1)" }

[details]
primary_key = "person_id"
[details.columns]
person_id = { type = "uuid", references = "persons" }
note = { type = "varchar(20)" }

[members]
primary_key = ["person_id", "team", "since"]
[members.columns]
person_id = { type = "uuid", references = "persons" }
team = { type = "varchar(10)" }
since = { type = "date" }
role = { type = "varchar(10)" }

[payments]
primary_key = "payment_id"
[payments.columns]
payment_id = { type = "bigint" }
person_id = { type = "uuid", nullable = false, references = "persons" }
amount = { type = "numeric(10,2)" }
"""


def _spec(source: str, target: str, key: str, **columns: str) -> str:
    head = f'[table]\nsystem = "old"\nsource = "{source}"\ntarget = "{target}"\nkey = ["{key}"]\n'
    return head + "".join(f'[columns.{name}]\nfrom = "{of}"\n' for name, of in columns.items())


SPECS = {
    "areas": _spec("AREA", "areas", "NO", code="CODE", name="NAME", above="ABOVE"),
    "persons": _spec("PERSON", "persons", "NO", last_name="NAME", phone="PHONE", area="AREA", restricted="SECURE"),
    "details": _spec("DETAIL", "details", "NO", person_id="PERSON", note="NOTE"),
    "members": _spec("MEMBER", "members", "NO", person_id="PERSON", team="TEAM", since="SINCE", role="ROLE"),
    "payments": _spec("PAYMENT", "payments", "NO", person_id="PERSON", amount="AMOUNT"),
}
DUMP: Mapping[str, Sequence[str]] = {
    # The third has the second's code: its own key is taken.
    "AREA": ("NO,CODE,NAME,ABOVE", "1,N,North,", "2,N1,Town,1", "3,N1,Again,1"),
    "PERSON": ("NO,NAME,PHONE,AREA,SECURE", "1,Ng,111,2,N", "2,Li,,1,Y", "3,Ng,,9,N"),
    "DETAIL": ("NO,PERSON,NOTE", "1,1,tea", "2,3,coffee", "3,7,orphan"),
    "MEMBER": (
        "NO,PERSON,TEAM,SINCE,ROLE", "1,1,a|b,2020-01-02,lead", "2,3,a|b,2020-01-02,lead",
        "3,2,a,2020-01-02,lead", "4,1,c,2020-01-02,lead", "5,3,c,2020-01-02,clerk", "6,1,c,,clerk",
    ),
    "PAYMENT": ("NO,PERSON,AMOUNT", "1,1,10.00", "2,3,2.50", "3,2,1.00"),
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def council(request: pytest.FixtureRequest, tmp_path: Path) -> Kin:
    on_sqlite = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'target.db'}" if on_sqlite else str(request.getfixturevalue("postgres_url"))
    lay_out(tmp_path, SPECS, target=TARGET, target_url=url, batch_rows=2)
    (tmp_path / "linkage.toml").write_text(LINKAGE, encoding="utf-8")
    _dump(tmp_path, DUMP)
    return Kin(tmp_path, url)


def _dump(folder: Path, files: Mapping[str, Sequence[str]]) -> None:
    for name, lines in files.items():
        (folder / "dump" / f"{name}.csv").write_text("\n".join([*lines, ""]), encoding="cp1252")


def _report(council: Kin, run: str = "trial-1") -> dict[str, dict[str, int]]:
    report = json.loads((council.folder / "reports" / run / "report.json").read_text(encoding="utf-8"))
    assert report["verdict"] == "balanced"
    return {one["source"]: {p: n for p, n in one.items() if type(n) is int and n} for one in report["sources"]}


MEMBERS = (
    "SELECT legacy_id, team, role FROM members m JOIN persons p ON p.person_id = m.person_id ORDER BY 1, 2, 3"
)
DETAILS = "SELECT p.legacy_id, d.note FROM details d JOIN persons p ON p.person_id = d.person_id ORDER BY 1, 2"
PEOPLE = "SELECT legacy_id, area FROM persons ORDER BY 1"
IDS = "SELECT legacy_id, person_id FROM persons ORDER BY 1"


def test_every_kind_of_key_arrives_merges_and_is_taken_back(council: Kin) -> None:
    assert check(council.folder) == []
    council.run()
    found = _report(council)
    assert found["AREA"] == {"extracted": 3, "loaded": 2, "rejected": 1}
    assert found["PERSON"] == {"extracted": 3, "loaded": 3}
    assert found["DETAIL"] == {"extracted": 3, "loaded": 2, "rejected": 1}
    assert found["MEMBER"] == {"extracted": 6, "loaded": 5, "rejected": 1}
    assert council.ask("SELECT code, above FROM areas ORDER BY 1") == [("N", None), ("N1", "N")]
    assert council.ask(PEOPLE) == [("1", "N1"), ("2", "N"), ("3", None)]
    ids = {str(key): str(one) for key, one in council.ask(IDS)}
    assert {uuid.UUID(one).version for one in ids.values()} == {8}
    before = [council.ask(query) for query in (PEOPLE, IDS, MEMBERS, DETAILS)]

    council.decide((1, 3))
    files = {**DUMP, "MEMBER": [*DUMP["MEMBER"][:3], "3,2,a,2020-01-02,clerk", *DUMP["MEMBER"][4:]]}
    _dump(council.folder, files)
    council.run("trial-2")
    found = _report(council, "trial-2")
    assert found["PERSON"] == {"extracted": 3, "loaded": 2, "merged": 1}
    # Equal in everything: one row. With another role: that the first was there is no reason to lose it unseen.
    assert found["MEMBER"] == {"extracted": 6, "loaded": 3, "combined": 1, "rejected": 2}
    assert found["DETAIL"] == {"extracted": 3, "loaded": 1, "rejected": 2}
    assert council.ask(MEMBERS) == [("1", "a|b", "lead"), ("1", "c", "lead"), ("2", "a", "clerk")]
    walk = council.ask("SELECT legacy_key, target_id FROM casebridge_crosswalk ORDER BY 1")
    assert walk == [("1", ids["1"]), ("2", ids["2"]), ("3", ids["1"])]
    owed = "SELECT sum(CAST(amount AS numeric)) FROM payments WHERE CAST(person_id AS text) = '{}'"
    assert float(str(council.ask(owed.format(ids["1"]))[0][0])) == 12.5

    with open_job(council.folder, "trial-2") as job:
        ways = {row[2]: row[5:] for row in every_key(job, "members").rows()}
        assert ways["1"] == (f"{ids['1']}|a|b|2020-01-02", None)
        assert ways["5"] == (None, "rejected")
        assert set(every_key(job, "areas").get_column("target_id")) == {"N", "N1", None}
        rollback(job)
    assert [council.ask(query) for query in (PEOPLE, IDS, MEMBERS, DETAILS)] == before

    council.decide((1, 3), ruling="different")
    _dump(council.folder, DUMP)
    council.run("trial-3")
    assert [council.ask(query) for query in (PEOPLE, IDS, MEMBERS, DETAILS)] == before


def test_what_is_wrong_in_the_target_is_found_by_any_key(council: Kin) -> None:
    council.run()
    ((_, one), *_) = council.ask(IDS)
    council.change(
        "UPDATE members SET role = 'other' WHERE team = 'a'",
        f"DELETE FROM members WHERE team = 'a|b' AND person_id = '{one}'",  # noqa: S608
        "INSERT INTO areas (code, name) VALUES ('X', 'nobody')",
    )
    done = council.cli("reconcile")
    assert done.returncode == 6
    evidence = council.folder / "reports" / "trial-1" / "evidence"
    with (evidence / "members.csv").open(encoding="utf-8", newline="") as file:
        lines = [(line["finding"], line["primary_key"], line["detail"]) for line in csv.DictReader(file)]
    two = dict(council.ask(IDS))["2"]
    assert ("written but not there", f"{one}|a|b|2020-01-02", "") in lines
    assert ("contents differ", f"{two}|a|2020-01-02", "3: role") in lines
    assert "nobody's row,X," in (evidence / "areas.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('primary_key = "code"', 'primary_key = ["code", "name"]', "has 2 columns, and one column cannot hold it"),
        ('area = { type = "varchar(5)"', 'area = { type = "bigint"', "which is varchar, and is bigint"),
        ('primary_key = "code"', 'primary_key = "code"\nfirst_id = 5', "ids that casebridge gives out"),
        ('primary_key = "code"', 'primary_key = ["code", "code"]', "names no primary_key"),
        ('legacy_key = "legacy_id"', 'legacy_key = "area"', "not the old key of this one"),
        ('role = { type = "varchar(10)" }', 'restricted = { type = "char(1)" }', "keeps marks of restriction"),
    ],
)
def test_keys_that_nothing_can_follow_are_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "target.toml").write_text(TARGET.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SpecError, match=said):
        read_target(tmp_path / "target.toml")


@pytest.mark.parametrize(
    ("spec", "old", "new", "said"),
    [
        ("areas", '[columns.code]\nfrom = "CODE"\n', "", "`areas.code` may not be empty and is not mapped"),
        ("members", 'from = "TEAM"', 'from = "TEAM"\nrequired = false', "is part of the primary key"),
        ("persons", "[columns.area]", '[columns.person_id]\nfrom = "NO"\n[columns.area]', "never mapped"),
    ],
)
def test_specs_that_leave_a_key_open_are_refused(tmp_path: Path, spec: str, old: str, new: str, said: str) -> None:
    lay_out(tmp_path, {**SPECS, spec: SPECS[spec].replace(old, new)}, target=TARGET)
    _dump(tmp_path, DUMP)
    assert [line for line in check(tmp_path) if said in line]


def test_two_keys_that_a_column_of_numbers_makes_one_are_held_with_what_belongs_to_them(tmp_path: Path) -> None:
    """A key with zeros in front is a number like any other, as long as no other key is the same one.
    `-0` and `0` are one; `+9` and `9.0` are none, whatever a cast makes of them: rejected, `9` goes in."""
    target = TARGET.replace('legacy_id = { type = "varchar(40)" }', 'legacy_id = { type = "bigint" }')
    url = f"sqlite:///{tmp_path / 'target.db'}"
    lay_out(tmp_path, SPECS, target=target, target_url=url, batch_rows=2)
    people = ("NO,NAME,PHONE,AREA,SECURE", "7,Ng,,,N", "08,Li,,,N", "9,Ab,,,N", "007,Xu,,,N", "007,Xu,,,N")
    people += ("+9,Bo,,,N", "0,Cy,,,N", "-0,Di,,,N", "9.0,Ed,,,N")
    details = ("NO,PERSON,NOTE", "1,7,tea", "2,08,coffee")
    header = {name: lines[:1] for name, lines in DUMP.items()}
    _dump(tmp_path, {**header, "PERSON": people, "DETAIL": details})
    council = Kin(tmp_path, url)
    with open_job(tmp_path) as job:
        list(run_stages(job, "reconcile"))
    found = _report(council)
    assert found["PERSON"] == {"extracted": 9, "loaded": 2, "rejected": 3, "held": 4}
    assert found["DETAIL"] == {"extracted": 2, "loaded": 1, "held": 1}
    assert council.ask("SELECT legacy_id FROM persons ORDER BY 1") == [(8,), (9,)]
    assert "another key is the same number" in (tmp_path / "reports/trial-1/report.html").read_text("utf-8")


@pytest.mark.parametrize("council", ["postgresql"], indirect=True)
def test_keys_of_a_fixed_length_arrive_and_are_found_again(council: Kin) -> None:
    """PostgreSQL pads a char(5) with blanks, and hands them out with what it is asked for."""
    target = council.folder / "target.toml"
    target.write_text(TARGET.replace("varchar(5)", "char(5)"), encoding="utf-8")
    with open_job(council.folder) as job:
        list(run_stages(job))
    assert _report(council)["AREA"] == {"extracted": 3, "loaded": 2, "rejected": 1}
    areas = council.ask("SELECT code, above FROM areas ORDER BY 1")
    assert [[text and str(text).rstrip() for text in row] for row in areas] == [["N", None], ["N1", "N"]]
    council.change("INSERT INTO areas (code, name) VALUES ('X', 'nobody')")
    with open_job(council.folder) as job, pytest.raises(ReconciliationFailed):
        list(run_stages(job, "reconcile"))


@pytest.mark.parametrize("council", ["sqlite"], indirect=True)
def test_a_hand_over_is_held_against_its_read_back_by_any_key(council: Kin) -> None:
    """Rows named by a uuid, a text, and by several columns: as handed over, in any order; one changed."""

    def said(*words: str) -> int:
        return CliRunner().invoke(cli, ["handover", *words, "--project", str(council.folder)]).exit_code

    with open_job(council.folder) as job:
        list(run_stages(job))
    assert said("prepare", "trial-1") == 0
    assert said("handed", "trial-1", "--to", "Supplier") == 0
    back = council.folder.parent / "back"
    shutil.copytree(council.folder / "handover" / "trial-1", back)
    for file in back.rglob("*.csv"):
        head, *rows = file.read_text(encoding="utf-8").splitlines(keepends=True)
        file.write_text("".join([head, *reversed(rows)]), encoding="utf-8")
    changed = next(file for file in (back / "members").glob("*.csv") if "clerk" in file.read_text())
    text = changed.read_text(encoding="utf-8")
    changed.write_text(text.replace("clerk", "lead"), encoding="utf-8")
    assert said("acknowledge", "trial-1", str(back)) == 6
    changed.write_text(text, encoding="utf-8")
    assert said("acknowledge", "trial-1", str(back)) == 0
