"""A restriction is never lowered unseen: attacks on small projects, by the command line alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.project.database import open_database
from tests.kin import PERSONS, TARGET, Kin, Row, make_kin, person

MARK = 'restricted = { type = "char(1)" }'
LEVELS = 'restricted = { type = "char(1)", restriction = ["S", "R"], not_restricted = ["O", "N"] }'
MAPPED = '[columns.restricted]\nfrom = "SECURE"\nsteps = ["yes_no"]\nrequired = true\n'
CODES = "legacy_code,target_code,description,status,owner,signed_off,valid_from,valid_to\n"


def _kin(
    folder: Path, people: list[Row], *, spec: str = "", keeps: str = "", marks: str | None = None, codes: str = ""
) -> Kin:
    """A project whose columns are declared: `spec` instead of how the mark is mapped, `keeps` instead of how the
    target keeps it, `marks` as the system's lines."""
    kin = make_kin(folder, people)
    declared = 'restriction = ["PERSON.SECURE"]\n' if marks is None else marks
    settings = folder / "casebridge.toml"
    settings.write_text(settings.read_text(encoding="utf-8").rstrip() + "\n" + declared, encoding="utf-8")
    keeps = keeps or MARK.replace(" }", ', restriction = ["Y"] }')
    (folder / "target.toml").write_text(TARGET.replace(MARK, keeps), encoding="utf-8")
    if spec:
        _map(kin, spec)
    if codes:
        (folder / "codes" / "secure.csv").write_text(CODES + codes, encoding="utf-8")
    return kin


def _map(kin: Kin, spec: str) -> None:
    assert MAPPED in PERSONS
    (kin.folder / "tables" / "persons.toml").write_text(PERSONS.replace(MAPPED, spec), encoding="utf-8")


def _marks(kin: Kin) -> dict[object, object]:
    return {key: mark for key, _, mark in kin.people()}


def _report(kin: Kin, run: str = "trial-1") -> dict[str, object]:
    (line,) = json.loads((kin.folder / "reports" / run / "report.json").read_text())["restricted"]
    return {name: line[name] for name in ("expected", "actual", "opened", "closed", "kept", "lowered")}


def _all(expected: int, *, kept: int = 0, lowered: int = 0) -> dict[str, object]:
    """So many must be restricted and are, nobody else is."""
    counts = {"expected": expected, "actual": expected, "opened": 0, "closed": 0}
    return {**counts, "kept": kept, "lowered": lowered}


def _many_doubles(kin: Kin) -> None:
    """Nobody minds that so many rows are rejected."""
    settings = kin.folder / "casebridge.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[limits]\nrejected = 1.0\n", encoding="utf-8")


def _by_hand(kin: Kin, statement: str) -> None:
    engine = open_database(kin.target)
    with engine.begin() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()


def _lower(kin: Kin, *lines: str) -> None:
    path = kin.folder / "restrictions_lowered.csv"
    path.write_text("\n".join(["key,who,why,date", *lines, ""]), encoding="utf-8")


TWO = [person(1, "Ng"), person(2, "Li", secure="Y")]
ODD = ["Y", "y", " Y ", "R", "1", "?", "yes", "\tY", "U", "S"]


@pytest.mark.parametrize("later", [True, False])
def test_the_strictest_of_the_rows_of_one_key(later: bool, tmp_path: Path) -> None:
    """Ten people stand twice, once open and once with a mark, however it is written and whichever row is first."""
    rows = [(person(n, "Ng"), person(n, "Ng", secure=mark)) for n, mark in enumerate(ODD, 1)]
    people = [row for pair in rows for row in (pair if later else pair[::-1])]
    spec = MAPPED.replace('steps = ["yes_no"]', 'steps = ["upper", "yes_no"]')
    kin = _kin(tmp_path, [*people, person(99, "Li"), person(99, "Li", secure="no")], spec=spec)
    _many_doubles(kin)
    kin.run()
    assert _marks(kin) == {**{str(n): "Y" for n in range(1, 11)}, "99": "N"}
    assert _report(kin) == _all(10)


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        ('[columns.restricted]\nvalue = "N"\n[dropped]\nSECURE = "not needed"\n', ""),
        ('[dropped]\nSECURE = "not needed"\n', ""),
        ('[columns.restricted]\nfrom = "SECURE"\ncodes = "secure"\n', "Y,N,,mapped,o,,,\nN,N,,mapped,o,,,\n"),
        ('[columns.restricted]\nfrom = "SECURE"\ncodes = "secure"\n', "Y,q,,mapped,o,,,\nN,N,,mapped,o,,,\n"),
        ('[columns.restricted]\nfrom = "PHONE"\n[dropped]\nSECURE = "not needed"\n', ""),
    ],
    ids=["constant", "dropped", "code list", "a value nobody declared", "another column"],
)
def test_a_mark_that_the_spec_loses(spec: str, codes: str, tmp_path: Path) -> None:
    kin = _kin(tmp_path, [person(1, "Ng"), person(2, "Li", secure="Y")], spec=spec, codes=codes)
    kin.run()
    assert (_marks(kin)["1"] in {"N", None}, _marks(kin)["2"]) == (True, "Y")
    assert _report(kin) == _all(1)


def test_a_declared_column_that_nobody_marks_is_no_proof(tmp_path: Path) -> None:
    """The target keeps marks, and nobody has said which columns carry them: no stage begins."""
    spec = '[columns.restricted]\nvalue = "N"\n[dropped]\nSECURE = "not needed"\n'
    kin = _kin(tmp_path, TWO, spec=spec, marks="")
    done = kin.cli("run")
    assert done.returncode == 2
    assert "systems.old.restriction: nobody says which columns carry marks, and persons.restricted" in done.stderr
    assert not list(tmp_path.rglob("*.parquet"))
    settings = tmp_path / "casebridge.toml"
    settings.write_text(settings.read_text() + "restriction = []\n")
    kin.run()
    assert _marks(kin) == {"1": "N", "2": "N"}


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ('restriction = ["PERSON.SECURED"]\n', "no such column"),
        ('restriction = ["RELATION.KIND"]\n', "no spec brings its rows"),
        ('restriction = "PERSON.SECURE"\n', "list of texts"),
        ('restrictions = ["PERSON.SECURE"]\n', "unknown key"),
    ],
)
def test_a_declaration_that_names_nothing(marks: str, said: str, tmp_path: Path) -> None:
    kin = _kin(tmp_path, TWO, marks=marks)
    for command in ("check", "run"):
        done = kin.cli(command)
        assert done.returncode == 2
        assert said in done.stdout + done.stderr
    assert not (tmp_path / "target.db").exists()


def test_the_values_that_mean_open_are_declared(tmp_path: Path) -> None:
    """ "O" and a blank are open here, and then "N" is not: nobody declared it."""
    marks = 'restriction = ["PERSON.SECURE"]\nnot_restricted = ["O", ""]\n'
    people = [person(n, "Ng", secure=mark) for n, mark in enumerate(["O", "o ", "", "N", "S"], 1)]
    kin = _kin(tmp_path, people, marks=marks, spec='[dropped]\nSECURE = "not needed"\n')
    kin.run()
    assert [mark for _, _, mark in kin.people()] == [None, None, None, "Y", "Y"]


def test_a_merge_under_codes_keeps_the_strictest(tmp_path: Path) -> None:
    """The survivor's mark and the other's, and what becomes of them."""
    marks = [("R", "S", "S"), ("S", "R", "S"), ("O", "R", "R"), ("R", "O", "R"), ("O", "O", "O")]
    people = [
        row for n, (one, other, _) in enumerate(marks)
        for row in (person(2 * n + 1, "Ng", f"{n}11", one), person(2 * n + 2, "Ng", "", other))
    ]  # fmt: skip
    declared = 'restriction = ["PERSON.SECURE"]\nnot_restricted = ["O", "N"]\n'
    kin = _kin(tmp_path, people, keeps=LEVELS, marks=declared, spec='[columns.restricted]\nfrom = "SECURE"\n')
    kin.run("trial-1", "--until", "dedupe")
    kin.decide(*((2 * n + 1, 2 * n + 2) for n in range(len(marks))))
    kin.run()
    assert _marks(kin) == {str(2 * n + 1): became for n, (_, _, became) in enumerate(marks)}


def test_a_mark_of_the_folded_record_that_the_spec_loses(tmp_path: Path) -> None:
    """Its own row is doubled, and a constant stands in place of all marks: it still reaches the survivor."""
    spec = '[columns.restricted]\nvalue = "N"\n[dropped]\nSECURE = "not needed"\n'
    people = [person(1, "Ng", "111"), person(2, "Ng"), person(2, "Ng", secure="Y")]
    kin = _kin(tmp_path, people, spec=spec)
    _many_doubles(kin)
    kin.run()
    kin.decide((1, 2))
    kin.run()
    assert _marks(kin) == {"1": "Y"}


NAMED = '[columns.last_name]\nfrom = "NAME"\nrequired = true\n'
STOPPED = {
    "rejected": ("", ""),
    "held": ('on_fail = "hold"\n', ""),
    "excluded": ("", '[[exclude]]\nrule = "gone"\nwhen = "NAME IS NULL"\nreason = "left"\nowner = "A. Owner"\n'),
}


@pytest.mark.parametrize("how", STOPPED)
def test_a_mark_of_a_record_that_did_not_come_through_counts(how: str, tmp_path: Path) -> None:
    """People said that 1 and 2 are one person, and 2 and 3; then 2, which is restricted, loses its name. Neither
    4, of whom they said the opposite, nor 6, about which they contradict one another, is restricted for that."""
    named = [person(n, "Ng", secure="Y" if n in {2, 5} else "N") for n in range(1, 8)]
    kin = _kin(tmp_path, named)
    spec = tmp_path / "tables" / "persons.toml"
    line, rule = STOPPED[how]
    spec.write_text(spec.read_text().replace(NAMED, NAMED + line) + rule, encoding="utf-8")
    kin.run("trial-1", "--until", "dedupe")
    kin.decide((1, 2), (2, 3), (5, 6), (6, 7))
    kin.decide((2, 4), (5, 7), ruling="different")
    kin.dump([{**row, "NAME": ""} if row["NO"] in {"2", "5"} else row for row in named])
    _many_doubles(kin)
    kin.run()
    assert _marks(kin) == {"1": "Y", "3": "Y", "4": "N", "6": "N"}
    assert _report(kin) == _all(2)
    _lower(kin, "2,A. Manager,a mistake of 2019,2026-03-02")
    kin.run()
    assert _marks(kin) == {"1": "N", "3": "N", "4": "N", "6": "N"}


def test_a_delta_lowers_nothing_and_a_person_does(tmp_path: Path) -> None:
    kin = _kin(tmp_path, TWO)
    kin.run()
    kin.dump([person(1, "Ng"), person(2, "Li")])
    kin.run("trial-2")
    assert _marks(kin) == {"1": "N", "2": "Y"}
    assert _report(kin, "trial-2") == _all(1, kept=1)
    assert "restriction kept" in (tmp_path / "reports/trial-2/evidence/persons.csv").read_text()
    kin.run("trial-2")
    _lower(kin, "old:2,A. Manager,the court lifted the order,2026-03-02")
    kin.run("trial-3")
    assert _marks(kin) == {"1": "N", "2": "N"}
    told = json.loads((tmp_path / "reports/trial-3/report.json").read_text())["restrictions_lowered"]
    assert [(line["key"], line["who"]) for line in told] == [("2", "A. Manager")]
    assert "the court lifted the order" in (tmp_path / "reports/trial-3/report.html").read_text()


def test_a_person_lowers_one_record_not_the_other(tmp_path: Path) -> None:
    """Of a marked record and one folded into it; and what the source marks is lowered by name too."""
    people = [person(1, "Ng", "111", "Y"), person(2, "Ng", "", "Y"), person(3, "Li", "", "Y")]
    kin = _kin(tmp_path, people)
    kin.run()
    kin.decide((1, 2))
    _lower(kin, "1,A. Manager,a mistake of 2019,2026-03-02", "3,A. Manager,a mistake of 2019,2026-03-02")
    kin.run()
    assert _marks(kin) == {"1": "Y", "3": "N"}
    assert _report(kin) == _all(1, lowered=1)


@pytest.mark.parametrize(
    "line", ["2,1234,a mistake,2026-03-02", "2,A. Manager,a mistake", "2,A,b,2026-03-02\nold:2,A,b,2026-03-02"]
)
def test_nobody_lowers_a_mark_by_half_a_line(line: str, tmp_path: Path) -> None:
    """Which lines are half ones: `project/test_marks.py`."""
    kin = _kin(tmp_path, TWO)
    _lower(kin, line)
    for command in ("check", "run"):
        done = kin.cli(command)
        assert done.returncode == 2
        assert "restrictions_lowered.csv" in done.stdout + done.stderr
        assert "1234" not in done.stdout + done.stderr
    assert not (tmp_path / "target.db").exists()


def test_a_mark_set_by_hand_in_the_target_stays(tmp_path: Path) -> None:
    """The same run finds it, a delta that changes the row keeps it."""
    kin = _kin(tmp_path, TWO)
    kin.run()
    _by_hand(kin, "UPDATE persons SET restricted = 'Y' WHERE legacy_id = '1'")
    kin.dump([person(1, "Ng", "999"), *TWO[1:]])
    kin.run("trial-2")
    assert kin.people() == [("1", "999", "Y"), ("2", None, "Y")]
    assert _report(kin, "trial-2") == _all(2, kept=1)


def test_a_mark_taken_off_by_hand_in_the_target_is_told(tmp_path: Path) -> None:
    """A value that only looks like the declared one opens the record."""
    kin = _kin(tmp_path, TWO)
    kin.run()
    for value, told in (("N", (6, 1)), ("Y", (0, 0)), ("y", (6, 1)), ("Y", (0, 0)), (" Y", (6, 1))):
        _by_hand(kin, f"UPDATE persons SET restricted = '{value}' WHERE legacy_id = '2'")  # noqa: S608
        assert (kin.cli("reconcile").returncode, _report(kin)["opened"]) == told, value


def test_a_rollback_takes_no_mark_back(tmp_path: Path) -> None:
    """Neither that of the run that is taken back nor one that was set by hand; what the run brought is gone."""
    kin = _kin(tmp_path, [person(1, "Ng"), person(2, "Li"), person(3, "Wu")])
    kin.run()
    kin.dump([person(1, "Ng", "999", "Y"), person(2, "Li", "999"), person(3, "Wu"), person(4, "Ho", secure="Y")])
    kin.run("trial-2")
    _by_hand(kin, "UPDATE persons SET restricted = 'Y' WHERE legacy_id = '2'")
    told = kin.cli("rollback", "trial-2", "--dry-run")
    assert "2 rows of persons would keep the stricter mark" in told.stdout
    done = kin.cli("rollback", "trial-2")
    assert "2 rows of persons keep the stricter mark" in done.stdout
    assert kin.people() == [("1", None, "Y"), ("2", None, "Y"), ("3", None, "N")]
    kin.dump([person(1, "Ng"), person(2, "Li"), person(3, "Wu")])
    kin.run("trial-3")
    assert kin.people() == [("1", None, "Y"), ("2", None, "Y"), ("3", None, "N")]
    assert _report(kin, "trial-3")["kept"] == 2
    kin.cli("rollback", "trial-3")
    kin.cli("rollback", "trial-1")
    assert not kin.ask("SELECT name FROM sqlite_master WHERE name = 'persons'")


def test_a_column_is_no_mark_by_its_name(tmp_path: Path) -> None:
    """The declared column keeps marks; one that happens to be called `restricted` means something else."""
    keeps = 'restricted = { type = "char(1)" }\naccess = { type = "varchar(9)", restriction = ["SECURE"] }'
    spec = '[columns.restricted]\nfrom = "PHONE"\n[columns.access]\nvalue = "PLAIN"\n[dropped]\nSECURE = "no"\n'
    keeps = keeps.replace('["SECURE"]', '["SECURE"], not_restricted = ["PLAIN"]')
    kin = _kin(tmp_path, [person(1, "Ng", "x"), person(2, "Li", "", "Y")], spec=spec, keeps=keeps)
    kin.run()
    assert kin.ask("SELECT restricted, access FROM persons ORDER BY 1 DESC") == [("x", "PLAIN"), (None, "SECURE")]


def test_a_mark_that_is_true_or_false(tmp_path: Path) -> None:
    keeps = 'restricted = { type = "boolean", restriction = ["true"], not_restricted = ["false"] }'
    kin = _kin(tmp_path, [person(1, "Ng"), person(1, "Ng", "", "Y"), person(2, "Li")], keeps=keeps)
    _many_doubles(kin)
    kin.run()
    assert kin.ask("SELECT restricted FROM persons ORDER BY legacy_id") == [(1,), (0,)]
    kin.dump([person(1, "Ng"), person(2, "Li")])
    kin.run("trial-2")
    assert kin.ask("SELECT restricted FROM persons ORDER BY legacy_id") == [(1,), (0,)]


def test_an_older_project_without_declarations(tmp_path: Path) -> None:
    """A column called `restricted` keeps marks, and what feeds it carries them."""
    kin = make_kin(tmp_path, [*TWO, person(3, "Wu"), person(3, "Wu", secure="?")])
    _many_doubles(kin)
    kin.run()
    assert _marks(kin) == {"1": "N", "2": "Y", "3": "Y"}
    kin.dump([person(1, "Ng"), person(2, "Li"), person(3, "Wu")])
    kin.run("trial-2")
    assert _marks(kin) == {"1": "N", "2": "Y", "3": "Y"}


def test_lowered_marks_are_frozen_with_the_rules(tmp_path: Path) -> None:
    kin = _kin(tmp_path, TWO)
    kin.run()
    assert kin.cli("freeze", "trial-1").returncode == 0
    _lower(kin, "2,A. Manager,a mistake,2026-03-02")
    done = kin.cli("run", "--name", "trial-2")
    assert done.returncode != 0
    assert "restrictions_lowered.csv" in done.stderr


def _with_its_own_keys(kin: Kin) -> None:
    """The target keeps the number that a person has in the old system, and calls it `id`."""
    _map(kin, MAPPED + '[columns.id]\nfrom = "NO"\nrequired = true\n')
    target = kin.folder / "target.toml"
    text = target.read_text().replace('= "person_id"\n', '= "id"\nnatural_key = true\n')
    text = text.replace('person_id = { type = "bigint" }', 'id = { type = "bigint" }')
    target.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("natural", [False, True])
def test_taken_apart_each_record_has_its_own_mark_back(tmp_path: Path, natural: bool) -> None:
    """Records 2, 4 and 6 are restricted: by the source, by a source that says so no longer, by hand in the target.
    Merged, their survivors are; a delta meanwhile lowers nothing; taken apart, the target is as before, row for
    row."""
    first = [person(n, "Ng", str(n % 2 * n), "Y" if n in {2, 4} else "N") for n in range(1, 8)]
    later, last = [[{**row, "SECURE": "N"} if row["NO"] in who else row for row in first] for who in ("4", "24")]
    pairs = ((1, 2), (3, 4), (5, 6))
    kin = _kin(tmp_path, first)
    if natural:
        _with_its_own_keys(kin)
    kin.run()
    _by_hand(kin, "UPDATE persons SET restricted = 'Y' WHERE legacy_id = '6'")
    kin.dump(later)
    kin.run("trial-2")
    before = kin.people()
    assert _marks(kin) == {"1": "N", "2": "Y", "3": "N", "4": "Y", "5": "N", "6": "Y", "7": "N"}
    kin.decide(*pairs)
    kin.run("trial-2")
    assert _marks(kin) == {"1": "Y", "3": "Y", "5": "Y", "7": "N"}
    assert _report(kin, "trial-2") == _all(3, kept=2)
    kin.dump(last)
    kin.run("trial-3")
    assert _marks(kin) == {"1": "Y", "3": "Y", "5": "Y", "7": "N"}
    assert _report(kin, "trial-3") == _all(3, kept=3)
    kin.decide(*pairs, ruling="different")
    kin.run("trial-3")
    assert kin.people() == before
    assert _report(kin, "trial-3") == _all(3, kept=3)


def test_a_folded_record_that_is_delivered_no_more_leaves_its_mark_behind(tmp_path: Path) -> None:
    kin = _kin(tmp_path, [person(1, "Ng", "111"), person(2, "Ng", secure="Y"), person(3, "Li")])
    kin.run("trial-1", "--until", "dedupe")
    kin.decide((1, 2))
    kin.run()
    assert _marks(kin) == {"1": "Y", "3": "N"}
    kin.dump([person(1, "Ng", "111"), person(3, "Li")])
    for run in ("trial-2", "trial-3"):
        kin.run(run)
        assert _marks(kin) == {"1": "Y", "3": "N"}


def test_a_mark_set_by_hand_on_the_survivor_stays_when_a_merge_is_undone(tmp_path: Path) -> None:
    """That of 1 stood there before the merge; that of 3 came since, stricter than what the merge brought."""
    declared = 'restriction = ["PERSON.SECURE"]\nnot_restricted = ["O", "N"]\n'
    people = [person(n, "Ng", str(n % 2 * n), "O" if n % 2 else "R") for n in range(1, 6)]
    kin = _kin(tmp_path, people, keeps=LEVELS, marks=declared, spec='[columns.restricted]\nfrom = "SECURE"\n')
    kin.run()
    _by_hand(kin, "UPDATE persons SET restricted = 'R' WHERE legacy_id = '1'")
    kin.decide((1, 2), (3, 4))
    kin.run()
    assert _marks(kin) == {"1": "R", "3": "R", "5": "O"}
    _by_hand(kin, "UPDATE persons SET restricted = 'S' WHERE legacy_id = '3'")
    kin.decide((1, 2), (3, 4), ruling="different")
    kin.run()
    assert _marks(kin) == {"1": "R", "2": "R", "3": "S", "4": "R", "5": "O"}


def test_the_mark_of_a_folded_record_is_lowered_by_its_own_name(tmp_path: Path) -> None:
    """Two records had a mark by hand in the target and became one: lowering one of them opens nothing; what stood
    in the target comes back with the rollback of the run that merged them."""
    kin = _kin(tmp_path, [person(1, "Ng", "111"), person(2, "Ng"), person(3, "Ng")])
    kin.run()
    _by_hand(kin, "UPDATE persons SET restricted = 'Y' WHERE legacy_id IN ('2', '3')")
    kin.decide((1, 2), (2, 3))
    kin.run("trial-2")
    assert _marks(kin) == {"1": "Y"}
    kin.cli("rollback", "trial-2")
    assert _marks(kin) == {"1": "N", "2": "Y", "3": "Y"}
    _lower(kin, "2,A. Manager,a mistake of 2019,2026-03-02")
    kin.run("trial-3")
    assert _marks(kin) == {"1": "Y"}
    _lower(kin, *(f"{n},A. Manager,a mistake of 2019,2026-03-02" for n in (2, 3)))
    kin.run("trial-3")
    assert _marks(kin) == {"1": "N"}
