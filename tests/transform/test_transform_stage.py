"""The stage over several batches: whole sources, queries, ids, and specs that do not fit their columns."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from casebridge import transform
from casebridge.project.errors import SpecError
from casebridge.project.identity import ids_of
from casebridge.project.spec import OnFail
from casebridge.project.tally import Tally
from casebridge.transform.contract import check_rows
from casebridge.transform.quarantine import FAILURES
from casebridge.transform.schema import Rule
from casebridge.transform.stage import make_conversions
from tests.staged import PERSONS, extracted, job_of, lay_out, read_all

COLUMNS = ("NO", "NAME", "DOB", "REF")


def _person(number: str, **values: str | None) -> dict[str, str | None]:
    return {"NO": number, "NAME": "Ng", "DOB": None, "REF": None, **values}


def _problems(error: SpecError) -> dict[tuple[str, str], str]:
    return {(problem.file, problem.where): f"{problem.what} {problem.hint}" for problem in error.problems}


def test_of_doubled_keys_the_first_row_of_the_file_stands(tmp_path: Path) -> None:
    """Over batches too; blanks around a key do not make it another, a missing key doubles nothing."""
    lay_out(tmp_path, {"persons": PERSONS})
    with job_of(tmp_path) as job:
        extracted(
            job, "PERSON",
            [_person("1", NAME="first"), _person("2"), _person("")],
            [_person(" 1 ", NAME="second"), _person("3"), _person(" ")],
            [_person("1", NAME="third"), _person("2")],
        )  # fmt: skip
        total = transform.run(job)
        left = read_all(job, "transform", "old.PERSON", "quarantine")
        first = job.ledger.first_row(job.specs[0].sources[0])
        assert sorted((left["_row"] - first).to_list()) == [4, 7, 8]
        assert set(left["rule"]) == {"duplicate_key"}
        clean = read_all(job, "transform", "persons", "clean")
        assert dict(clean.select("_key", "last_name").iter_rows()) == {"1": "first", "2": "Ng", "3": "Ng"}
        assert read_all(job, "transform", "persons", "quarantine")["rule"].to_list() == ["missing_key"] * 2
        assert total == Tally(read=5, passed=3, rejected=2)
        assert dict(ids_of(job, "persons", "old").iter_rows()) == {"1": 1, "2": 2, "3": 3}


WORKERS = PERSONS.replace('key = ["NO"]', 'key = ["NO"]\nwhere = "NAME = \'worker\'"')
CLIENTS = PERSONS.replace('key = ["NO"]', 'key = ["NO"]\nwhere = "NAME IN (\'client\', \'both\')"\npart = "b"')


def test_a_row_that_no_spec_takes_is_held_once(tmp_path: Path) -> None:
    """A doubled row is rejected, and not held besides."""
    lay_out(tmp_path, {"workers": WORKERS, "clients": CLIENTS})
    with job_of(tmp_path) as job:
        rows = [_person("1", NAME="worker"), _person("2", NAME="client"), _person("3", NAME="?"),
                _person("4", NAME=None), _person("1", NAME="?")]  # fmt: skip
        extracted(job, "PERSON", rows)
        transform.run(job)
        left = read_all(job, "transform", "old.PERSON", "quarantine").sort("_row")
        assert list(left.select("_key", "verdict", "rule").iter_rows()) == [
            ("3", "held", "unclaimed"), ("4", "held", "unclaimed"), ("1", "rejected", "duplicate_key"),
        ]  # fmt: skip
        assert left["_row"].is_unique().all()


QUERY = """
[table]
system = "old"
target = "persons"
key = ["NO"]
consumes = ["PERSON", "NICK"]
source = '''{query}'''
[read.PERSON]
key = ["NO"]
[columns.last_name]
from = "BOTH"
[columns.born]
from = "DOB"
[dropped]
REF = "not needed"
"""

GOOD_QUERY = """
SELECT p._row, list(n._row) AS _rest, CAST(p.NO AS INTEGER) AS NO, min(p.NAME) || min(n.NICK) AS BOTH,
       CAST('1950-02-01' AS DATE) AS DOB
FROM PERSON p JOIN NICK n USING (NO) GROUP BY p._row, p.NO
"""


def _joined(folder: Path, query: str, person: Mapping[str, str | None] | None = None) -> pl.DataFrame:
    lay_out(folder, {"q": QUERY.format(query=query)})
    with job_of(folder) as job:
        extracted(job, "PERSON", [person or _person("7"), _person("7", NAME="later")])
        extracted(job, "NICK", [{"NO": "7", "NICK": "y"}, {"NO": "8", "NICK": "z"}])
        transform.run(job)
        return read_all(job, "transform", "q", "clean")


def test_a_query_gives_joined_rows_of_any_type_over_what_stands(tmp_path: Path) -> None:
    """The doubled row is gone before the query runs."""
    (row,) = _joined(tmp_path, GOOD_QUERY).to_dicts()
    assert (row["_key"], row["last_name"], str(row["born"])) == ("7", "Ngy", "1950-02-01")
    assert len(row["_rest"]) == 1


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELEC 1", "syntax error"),
        ("SELECT _row, NO, NAM AS BOTH, DOB FROM PERSON", "NAM"),
        ("SELECT _row, NO FROM PERSN", "PERSN"),
        ("SELECT NO, NAME AS BOTH, DOB FROM PERSON", "_row"),
        ("SELECT _row, NO, NAME AS BOTHH, DOB FROM PERSON", "did you mean `BOTHH`?"),
        ("SELECT 'x' AS _row, NO, NAME AS BOTH, DOB FROM PERSON", "wrong type"),
        ("SELECT _row, NO, [NAME] AS BOTH, DOB FROM PERSON", "`BOTH` holds lists"),
        (
            "SELECT _row, NO, NAME AS BOTH, INTERVAL 1 DAY AS DOB FROM PERSON",
            "several types at once: DOB",
        ),
        ("SELECT NULL::BIGINT AS _row, NO, NAME AS BOTH, DOB FROM PERSON", "1 row whose _row is no row of PERSON"),
        ("SELECT _row + 90 AS _row, NO, NAME AS BOTH, DOB FROM PERSON", "1 row whose _row is no row of PERSON"),
    ],
)
def test_a_wrong_query_is_a_mistake_of_the_spec(tmp_path: Path, query: str, told: str) -> None:
    with pytest.raises(SpecError, match=r"tables/q\.toml") as caught:
        _joined(tmp_path, query)
    assert told in str(caught.value)


@pytest.mark.parametrize("end", [";", " -- all of them", ";\n-- 'all' of them;\n;", " /* ; */ ;"])
def test_a_query_may_end_as_people_end_them(tmp_path: Path, end: str) -> None:
    (row,) = _joined(tmp_path, GOOD_QUERY + end).to_dicts()
    assert row["last_name"] == "Ngy"


def test_a_query_that_fails_on_a_row_does_not_show_it(tmp_path: Path) -> None:
    query = "SELECT _row, NO, NAME AS BOTH, CAST(NAME AS DATE) AS DOB FROM PERSON"
    with pytest.raises(SpecError, match=r"tables/q\.toml: table\.source") as caught:
        _joined(tmp_path, query, _person("7", NAME="Smithers"))
    assert "Smithers" not in str(caught.value)


def test_a_query_that_gives_one_key_twice_is_refused_and_the_key_is_not_shown(tmp_path: Path) -> None:
    """Over batches too. A join that fans out makes two target rows of one key, and the target takes one."""
    query = "SELECT p._row, p.NO, NICK AS BOTH, DOB FROM PERSON p JOIN NICK USING (DOB)"
    lay_out(tmp_path, {"q": QUERY.format(query=query)}, batch_rows=2)
    with job_of(tmp_path) as job:
        extracted(job, "PERSON", [_person(n, DOB="x") for n in ("Smithers", " ", "8")], [_person("9", DOB="y")])
        nicks = [{"NO": "1", "DOB": "x", "NICK": n} for n in "abc"]
        extracted(job, "NICK", [*nicks, {"NO": "2", "DOB": "y", "NICK": "d"}])
        for _ in range(2):
            with pytest.raises(SpecError) as caught:
                transform.run(job)
            (problem,) = caught.value.problems
            assert (problem.file, problem.where) == ("tables/q.toml", "table.key")
            assert "2 keys twice or more, in 6 rows" in problem.what
            assert "Smithers" not in str(caught.value)


def test_a_key_that_a_query_gives_twice_may_stand_in_rows_that_are_not_taken(tmp_path: Path) -> None:
    query = "SELECT p._row, p.NO, NICK AS BOTH, DOB FROM PERSON p JOIN NICK USING (DOB)"
    text = QUERY.format(query=query).replace('key = ["NO"]', 'key = ["NO"]\nwhere = "BOTH = \'a\'"', 1)
    lay_out(tmp_path, {"q": text})
    with job_of(tmp_path) as job:
        extracted(job, "PERSON", [_person("7", DOB="01/02/1950")])
        extracted(job, "NICK", [{"NO": "1", "DOB": "01/02/1950", "NICK": n} for n in "ab"])
        transform.run(job)
        assert read_all(job, "transform", "q", "clean")["last_name"].to_list() == ["a"]


MISFITS = {
    '[[check]]\nrule = "r"\nexpect = "NAM <> \'x\'"': ("check[0].expect", "did you mean `NAME`?"),
    '[[check]]\nrule = "r"\nexpect = "last_nam <> \'x\'"': ("check[0].expect", "did you mean `last_name`?"),
    '[[check]]\nrule = "r"\nexpect = "NAME LIKE"': ("check[0].expect", "unable to parse"),
    '[[check]]\nrule = "r"\nexpect = "NAME"': ("check[0].expect", "true or false"),
    '[[check]]\nrule = "r"\nexpect = "NAME > 3"': ("check[0].expect", "cannot compare"),
    '[[check]]\nrule = "r"\nexpect = "born = NAME"': ("check[0].expect", "cannot compare"),
    '[[check]]\nrule = "r"\nexpect = "NOSUCH(NAME)"': ("check[0].expect", "unsupported function"),
    '[[exclude]]\nrule = "r"\nowner = "o"\nwhen = "NMAE = \'x\'"': ("exclude[0].when", "did you mean `NAME`?"),
    '[[exclude]]\nrule = "r"\nowner = "o"\nwhen = "NAME"': ("exclude[0].when", "true or false"),
    '[evidence.x]\nfrom = "NAME"\nchecks = ["positive"]': ("evidence.x.checks", "cannot compare"),
    '[evidence.x]\nfrom = "NAME"\nsteps = ["zero_pad"]': ("evidence.x.steps", ""),
    '[evidence.x]\nfrom = "NAME"\ntype = "date"\nchecks = ["years"]': ("evidence.x.checks", ""),
    '[evidence.x]\nfrom = "NAME"\nchecks = ["years:1880;2040"]': ("evidence.x.checks", "not supported"),
}


@pytest.mark.parametrize("addition", MISFITS)
def test_an_expression_that_does_not_fit_is_found_before_anything_is_read(tmp_path: Path, addition: str) -> None:
    where, told = MISFITS[addition]
    lay_out(tmp_path, {"persons": PERSONS + addition})
    with job_of(tmp_path) as job:
        extracted(job, "PERSON", [_person("7")])
        with pytest.raises(SpecError) as caught:
            transform.run(job)
    problems = _problems(caught.value)
    assert problems.keys() == {("tables/persons.toml", where)}
    assert told in problems["tables/persons.toml", where]


def test_a_where_that_does_not_fit_is_found_too(tmp_path: Path) -> None:
    for where in ("NAM = 'x'", "NAME", "NAME = "):
        lay_out(tmp_path, {"p": PERSONS.replace('key = ["NO"]', f'key = ["NO"]\nwhere = "{where}"')})
        with job_of(tmp_path) as job:
            extracted(job, "PERSON", [_person("7")])
            with pytest.raises(SpecError) as caught:
                transform.run(job)
        assert _problems(caught.value).keys() == {("tables/p.toml", "table.where")}


def test_the_mistakes_of_all_specs_and_lists_come_together(tmp_path: Path) -> None:
    """Expressions that are none are told with the code lists; those that do not fit need both sound."""
    broken = '[[check]]\nrule = "r"\nexpect = "NAME LIKE"\n[columns.restricted]\nfrom = "X"\ncodes = "sex"\n'
    misfit = '[[check]]\nrule = "r"\nexpect = "NOPE = 1"\n[[check]]\nrule = "s"\nexpect = "GONE = 1"\n'
    lay_out(tmp_path, {"a": PERSONS + broken}, codes={"sex": "legacy_code\n"})
    with job_of(tmp_path) as job, pytest.raises(SpecError) as caught:
        make_conversions(job)
    assert {p.file for p in caught.value.problems} == {"codes/sex.csv", "tables/a.toml"}
    lay_out(tmp_path, {"a": PERSONS + misfit, "b": CLIENTS + misfit})
    with job_of(tmp_path) as job, pytest.raises(SpecError) as caught:
        make_conversions(job)
    assert len(caught.value.problems) == 4


def test_a_list_with_dates_needs_a_date_to_go_by(tmp_path: Path) -> None:
    codes = (
        "legacy_code,target_code,description,status,owner,signed_off,valid_from,valid_to\n"
        "A,X,,mapped,,,,1999-12-31\nA,Y,,mapped,,,2000-01-01,\n"
    )
    lay_out(tmp_path, {"p": PERSONS + '[columns.restricted]\nfrom = "X"\ncodes = "c"\n'}, codes={"c": codes})
    with job_of(tmp_path) as job, pytest.raises(SpecError, match="codes_at"):
        make_conversions(job)


def test_a_rule_that_cannot_be_evaluated_is_said_clearly() -> None:
    """Whatever slips through the trial fails with a sentence, not with a row counted as good."""
    rules = (Rule(None, "r", pl.col("nope") > 1, OnFail.REJECT, 0),)
    frame = pl.DataFrame({"_key": ["1"], "a": ["x"]})
    with pytest.raises(SpecError, match=r"tables/persons\.toml: rule `r`: fails"):
        check_rows(frame, rules, "persons")
    good = (Rule(None, "r", pl.col("a") == "x", OnFail.REJECT, 0),)
    assert check_rows(frame, good, "persons").schema == FAILURES


FAIL_ON_ROWS = {
    '[[check]]\nrule = "early"\nexpect = "CAST(REF AS INTEGER) > 0"': "rule `early`",
    '[[exclude]]\nrule = "late"\nowner = "o"\nwhen = "CAST(REF AS INTEGER) > 0"': "rule `late`",
    'where = "CAST(REF AS INTEGER) > 0"': "table.where",
}


@pytest.mark.parametrize("addition", FAIL_ON_ROWS)
def test_an_expression_that_fails_on_a_value_is_named_and_the_value_is_not(tmp_path: Path, addition: str) -> None:
    in_table = addition.startswith("where")
    text = PERSONS.replace('key = ["NO"]', f'key = ["NO"]\n{addition}') if in_table else PERSONS + addition
    lay_out(tmp_path, {"persons": text})
    with job_of(tmp_path) as job:
        extracted(job, "PERSON", [_person("1", REF="7"), _person("2", REF="Smithers")])
        with pytest.raises(SpecError) as caught:
            transform.run(job)
    problems = _problems(caught.value)
    assert problems.keys() == {("tables/persons.toml", FAIL_ON_ROWS[addition])}
    assert "TRY_CAST" in str(caught.value)
    assert "Smithers" not in str(caught.value)


def test_a_cast_that_may_fail_makes_nothing_of_such_a_value(tmp_path: Path) -> None:
    """What the hint says to write."""
    lay_out(tmp_path, {"persons": PERSONS + '[[check]]\nrule = "r"\nexpect = "TRY_CAST(REF AS INTEGER) > 0"'})
    with job_of(tmp_path) as job:
        extracted(job, "PERSON", [_person("1", REF="7"), _person("2", REF="x"), _person("3", REF="-1")])
        assert transform.run(job) == Tally(read=3, passed=2, rejected=1)


def test_more_batches_give_the_same_rows_and_a_second_run_does_nothing(tmp_path: Path) -> None:
    people = [
        _person(str(n), DOB="x" if n % 3 else "01/02/1950", NAME=None if n % 5 == 0 else "N") for n in range(30)
    ]
    found = {}
    for size in (30, 7):
        folder = lay_out(tmp_path / str(size), {"persons": PERSONS})
        with job_of(folder) as job:
            extracted(job, "PERSON", *(people[start : start + size] for start in range(0, 30, size)))
            total = transform.run(job)
            assert total.balanced("here") == transform.run(job)
            clean = read_all(job, "transform", "persons", "clean")
            ids = ids_of(job, "persons", "old").sort("id")
            left = read_all(job, "transform", "persons", "quarantine")
            found[size] = (clean.rows(), left.rows(), ids.rows(), total)
    assert found[30] == found[7]
    assert found[30][3] == Tally(read=30, passed=24, rejected=6, set_aside=20)


def test_a_changed_spec_makes_its_batches_pending_and_no_others(tmp_path: Path) -> None:
    lay_out(tmp_path, {"persons": PERSONS, "clients": CLIENTS})
    with job_of(tmp_path) as job:
        extracted(job, "PERSON", [_person("1")])
        transform.run(job)
        before = {n: job.ledger.sealed(job.run, "transform", n, "clean") for n in ("persons", "clients")}
    changed = CLIENTS.replace('from = "REF"', 'from = "REF"\nsteps = ["upper"]')
    lay_out(tmp_path, {"persons": PERSONS, "clients": changed})
    with job_of(tmp_path) as job:
        transform.run(job)
        after = {n: job.ledger.sealed(job.run, "transform", n, "clean") for n in ("persons", "clients")}
    assert before["persons"] == after["persons"]
    assert before["clients"][0].inputs != after["clients"][0].inputs
