"""The rules with sources: the examples in their docstrings are their test; wrong names in a spec are told."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebridge.migrate.pipeline import check, open_job, run_stages
from casebridge.project.plan import State
from casebridge.project.spec import OnFail
from casebridge.transform import statutory
from casebridge.transform.checks import CHECKS
from casebridge.transform.convert import convert
from casebridge.transform.stage import plan_tables
from casebridge.transform.statutory import ROW_RULES, Side
from tests.staged import ONE_COLUMN, PERSONS, conversion_of, lay_out, raw_rows, two_people

OURS = {name: one for name, one in CHECKS.items() if one.holds.__module__ == statutory.__name__}


def _examples(rule: Callable[..., object]) -> list[tuple[str, bool]]:
    """Each example of a rule's docstring, and whether it is a good one."""
    assert rule.__doc__ is not None
    assert "Source: " in rule.__doc__
    rows = [line.split("|")[1:3] for line in rule.__doc__.splitlines() if line.strip().startswith("| `")]
    return [(cell.strip(" `"), good) for row in rows for cell, good in zip(row, (True, False), strict=True)]


@pytest.mark.parametrize("name", OURS)
def test_a_check_judges_its_examples_as_its_docstring_says(name: str) -> None:
    """Every one of them has a good and a bad one, a source and a severity."""
    shown = _examples(OURS[name].holds)
    assert {good for _, good in shown} == {True, False}
    assert OURS[name].severity in {OnFail.NULL, OnFail.WARN}
    for text, good in shown:
        argument, cell = m.groups() if (m := re.fullmatch(r":(\S+) (.*)", text)) else ("", text)
        value = pl.Series("v", [cell if OURS[name].of_text else dt.date.fromisoformat(cell)])
        assert OURS[name].wrong(argument) == "" or not argument
        assert value.to_frame().select(OURS[name].holds(pl.col("v"), argument)).item() is good, text


@pytest.mark.parametrize("name", ROW_RULES)
def test_a_rule_over_columns_judges_its_examples_as_its_docstring_says(name: str) -> None:
    rule = ROW_RULES[name]
    shown = _examples(rule.holds)
    assert {good for _, good in shown} == {True, False}
    for text, good in shown:
        cells = [None if cell == "∅" else cell for cell in text.split(", ")]
        frame = pl.DataFrame({str(n): [cell] for n, cell in enumerate(cells)}, schema_overrides={"0": pl.String})
        sides = [Side(pl.col(n).cast(pl.String), pl.col(n).cast(pl.String).str.to_date(strict=False))
                 for n in frame.columns]  # fmt: skip
        assert frame.select(rule.of(sides).fill_null(True)).item() is good, text


@given(nine=st.from_regex(r"[1-9][0-9]{8}", fullmatch=True))
def test_of_ten_learner_numbers_at_most_one_is_right(nine: str) -> None:
    """By the sum written out another way: the ten digits by 10 to 1 leave 10 modulo 11."""
    texts = pl.DataFrame({"v": [nine + str(last) for last in range(10)]})
    good = texts.filter(statutory.uln(pl.col("v"), ""))["v"].to_list()
    sums = [sum(int(d) * w for d, w in zip(text, range(10, 0, -1), strict=True)) for text in texts["v"]]
    right = [text for text, total in zip(texts["v"], sums, strict=True) if total % 11 == 10]
    assert good == right


DATES = """
[persons]
primary_key = "id"
[persons.columns]
id = { type = "bigint" }
name = { type = "varchar(9)" }
born = { type = "date" }
died = { type = "date" }
"""
SPEC = (
    ONE_COLUMN
    + """
[columns.born]
from = "BORN"
on_fail = "null_and_report"
[columns.died]
from = "DIED"
on_fail = "null_and_report"
[[check]]
rule = "death_before_birth"
columns = ["born", "died"]
[[check]]
rule = "closed_stays_closed"
columns = ["died"]
[[check]]
rule = "age_over_115"
columns = ["born", "died"]
on_fail = "reject"
"""
)


def test_a_rule_over_columns_gives_rows_their_places(tmp_path: Path) -> None:
    """What the spec says wins over the rule's own severity."""
    columns = ("NO", "NAME", "BORN", "DIED")
    days = [
        ("01/02/1950", None),
        ("01/02/1950", "01/01/1950"),
        ("01/02/1950", "sometime"),
        ("01/02/1850", "01/01/2000"),
    ]
    rows = [dict(zip(columns, (str(n), "a", *both), strict=True)) for n, both in enumerate(days, 1)]
    made = convert(raw_rows(rows, columns), conversion_of(tmp_path, SPEC, target=DATES))
    first = made.quarantine.filter("first").sort("_row")
    assert made.clean["_key"].to_list() == ["1"]
    assert list(first.select("_key", "rule", "verdict").iter_rows()) == [
        ("2", "death_before_birth", "held"), ("3", "closed_stays_closed", "held"),
        ("4", "age_over_115", "rejected"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('rule = "death_befor_birth"\ncolumns = ["born", "died"]', "did you mean `death_before_birth`?"),
        ('rule = "end_before_start"\ncolumns = ["born"]', "takes 2 columns, and 1 are named"),
        ('rule = "end_before_start"\ncolumns = ["born", "dead"]', "no column `dead` in this spec"),
        ('rule = "end_before_start"\ncolumns = ["born", "name"]', "`name` is varchar, and no date"),
        (
            'rule = "end_before_start"\ncolumns = ["born", "died"]\nexpect = "1 = 1"',
            "either `expect` or `columns`",
        ),
        ('rule = "end_before_start"', "check[0].expect: is missing"),
    ],
)
def test_a_rule_that_is_named_wrongly_is_told_by_check(lines: str, told: str, tmp_path: Path) -> None:
    spec = SPEC[: SPEC.index("[[check]]")] + f"[[check]]\n{lines}\n"
    lay_out(tmp_path, {"persons": spec}, target=DATES)
    (tmp_path / "dump" / "PERSON.csv").write_text("NO,NAME,BORN,DIED\n1,a,,\n")
    (problem,) = check(tmp_path)
    assert told in problem


@pytest.mark.parametrize("word", ["ssda903_placement:26", "ssda903_sex:last", "ssda903_need:2022"])
def test_an_argument_that_is_no_year_is_told_by_check(word: str, tmp_path: Path) -> None:
    folder = two_people(tmp_path, ONE_COLUMN + f'checks = ["{word}"]\n')
    (problem,) = check(folder)
    assert "columns.name.checks" in problem
    assert "takes a collection year" in problem


def test_an_identifier_costs_the_value_and_not_the_row(tmp_path: Path) -> None:
    """Unless the spec says otherwise."""
    for said, verdict in (("", "set_aside"), ('on_fail = "reject"\n', "rejected")):
        spec = PERSONS.replace('from = "REF"\n', f'from = "REF"\nchecks = ["uprn"]\n{said}')
        row = {"NO": "1", "NAME": "a", "DOB": "01/02/1950", "REF": "12 high st"}
        made = convert(raw_rows([row], [*row]), conversion_of(tmp_path, spec))
        assert made.quarantine["verdict"].to_list() == [verdict]


ADDRESSES = """
[persons]
primary_key = "id"
[persons.columns]
id = { type = "bigint" }
whose = { type = "varchar(9)" }
kind = { type = "varchar(9)" }
ended = { type = "date" }
"""
ONE_MAIN = """
[table]
system = "old"
source = "PERSON"
target = "persons"
key = ["NO"]
[columns.whose]
from = "WHOSE"
[columns.kind]
from = "KIND"
[columns.ended]
from = "ENDED"
[[check]]
rule = "one_main_address"
one_of = ["whose"]
when = "kind = 'MAIN' AND ended IS NULL"
"""


def test_of_several_rows_only_one_may_be_so(tmp_path: Path) -> None:
    """Over batches: every row of the group is named and loaded; a change asks again, and nothing else does."""
    lay_out(tmp_path, {"persons": ONE_MAIN}, target=ADDRESSES, batch_rows=2)
    lines = ["1,p,MAIN,", "2,p,MAIN,01/02/2020", "3,q,MAIN,", "4,p,TEMP,", "5,p,MAIN,", "6,,MAIN,", "7,,MAIN,"]
    dump = tmp_path / "dump" / "PERSON.csv"
    dump.write_text("\n".join(["NO,WHOSE,KIND,ENDED", *lines, ""]))
    assert check(tmp_path) == []
    for wanted in (["1", "5"], []):
        with open_job(tmp_path) as job:
            done = list(run_stages(job))
            found = [batch.read() for batch in job.ledger.sealed(job.run, "transform", "persons", "quarantine")]
            rows = pl.concat(found)
        assert rows["_key"].to_list() == wanted
        assert set(rows["verdict"]) <= {"warned"}
        assert done[-1].tally.passed == 7
        assert done[-1].tally.warned == len(wanted)
        was = dump.read_text()
        dump.write_text(was.replace("1,p,MAIN,\n", "1,p,MAIN,05/06/2021\n"))
    with open_job(tmp_path, alone=False) as job:
        assert was == dump.read_text()
        assert {line.table: line.state for line in plan_tables(job)}["persons"] is State.DONE


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('one_of = ["whose"]', 'one_of = ["whos"]', "did you mean `whose`?"),
        ("kind = 'MAIN'", "kin = 'MAIN'", "no column `kin`"),
        ("kind = 'MAIN' AND ended IS NULL", "COUNT(kind) > 1", "more than its own row"),
        ("kind = 'MAIN' AND ended IS NULL", "kind", "not a thing that is true or false"),
        ('rule = "one_main', 'on_fail = "reject"\nrule = "one_main', "can only warn"),
        ('one_of = ["whose"]\n', "", "belongs to a rule over several rows"),
        ("when =", "wen =", "did you mean `when`?"),
    ],
)
def test_a_rule_over_rows_that_is_said_wrongly_is_told_by_check(
    old: str, new: str, told: str, tmp_path: Path
) -> None:
    assert old in ONE_MAIN
    lay_out(tmp_path, {"persons": ONE_MAIN.replace(old, new)}, target=ADDRESSES)
    (tmp_path / "dump" / "PERSON.csv").write_text("NO,WHOSE,KIND,ENDED\n1,p,MAIN,\n")
    assert told in "\n".join(check(tmp_path))
