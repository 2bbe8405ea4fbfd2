"""tables/*.toml: a mistyped spec is told all its mistakes, each with its file, its place and a suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from casebridge.project.errors import SpecError
from casebridge.project.settings import read_settings
from casebridge.project.spec import ColumnSpec, OnFail, Source, TableSpec
from casebridge.project.specfile import columns_accounted_for, read_specs
from casebridge.project.target import ColumnType
from casebridge.project.targetfile import read_target
from tests.staged import PAYMENTS, PERSONS, WORDS, lay_out


def _read(folder: Path, **specs: str) -> tuple[TableSpec, ...]:
    lay_out(folder, specs, codes={"sex": "legacy_code\n"})
    return read_specs(folder, read_settings(folder), read_target(folder / "target.toml"), WORDS)


def _problems(folder: Path, **specs: str) -> dict[tuple[str, str], str]:
    with pytest.raises(SpecError) as caught:
        _read(folder, **specs)
    return {(p.file, p.where): f"{p.what} {p.hint}" for p in caught.value.problems}


WRONG = """
surprise = 1
[table]
system = "olt"
source = "PERSON"
target = "person"
key = "NO"
wher = "x"
part = 5
[read]
format = "csw"
encoding = "utf-9"
widths = { A = "8" }
[columns.last_name]
fromm = "NAME"
steps = ["colapse_spaces"]
checks = ["nhs_numbr", "one_of:A;B"]
on_fail = "null_and_reprot"
required = "yes"
codes = "sx"
references = "persns"
[columns.both]
from = "A"
value = "B"
[columns.bare]
from = ["A"]
type = "date"
[evidence.hint]
from = "A"
type = "dat"
[[check]]
rule = "r"
expct = "A = 'x'"
on_fail = "null_and_report"
[[exclude]]
rule = "e"
when = "A = 'x'"
[dropped]
B = ""
"""


def test_every_mistake_is_told_with_file_place_and_suggestion(tmp_path: Path) -> None:
    problems = _problems(tmp_path, a=WRONG, b="[table", c=WRONG)
    assert ("tables/b.toml", "") in problems
    for file in ("tables/a.toml", "tables/c.toml"):
        told = {where: text for (name, where), text in problems.items() if name == file}
        assert told.keys() == {
            "surprise", "table.system", "table.target", "table.key", "table.wher", "table.part",
            "read.format", "read.encoding", "read.widths",
            "columns.last_name", "columns.last_name.fromm", "columns.last_name.steps",
            "columns.last_name.checks", "columns.last_name.on_fail", "columns.last_name.required",
            "columns.last_name.codes", "columns.last_name.references", "columns.both", "columns.bare.type",
            "evidence.hint.type", "check[0].expct", "check[0].expect", "check[0].on_fail", "exclude[0].owner",
            "dropped.B",
        }  # fmt: skip
        assert "did you mean `old`?" in told["table.system"] or "known: old" in told["table.system"]
        for where, suggestion in {
            "table.target": "persons", "table.wher": "where", "read.format": "csv", "read.encoding": "utf-8",
            "columns.last_name.fromm": "from", "columns.last_name.steps": "collapse_spaces",
            "columns.last_name.checks": "nhs_number", "columns.last_name.on_fail": "null_and_report",
            "columns.last_name.references": "persons", "check[0].expct": "expect", "evidence.hint.type": "date",
        }.items():  # fmt: skip
            assert f"did you mean `{suggestion}`?" in told[where], where


def test_a_column_the_target_does_not_have_and_one_it_must_have(tmp_path: Path) -> None:
    problems = _problems(
        tmp_path,
        persons=PERSONS.replace("columns.last_name", "columns.last_nam") + '[columns.person_id]\nfrom = "X"\n',
        payments=PAYMENTS.replace('[columns.person_id]\nfrom = "NO"', ""),
    )
    assert "did you mean `last_name`?" in problems["tables/persons.toml", "columns.last_nam"]
    assert "never mapped" in problems["tables/persons.toml", "columns.person_id"]
    assert "payments.person_id" in problems["tables/payments.toml", "columns"]


def test_an_evidence_column_needs_a_name_of_its_own(tmp_path: Path) -> None:
    problems = _problems(tmp_path, persons=PERSONS + '[evidence.born]\nfrom = "DOB"\n')
    assert problems.keys() == {("tables/persons.toml", "evidence.born")}


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (('key = ["NO"]', 'key = ["NO"]\nmerged_only = true'), "table.merged_only"),
        (('key = ["NO"]', 'key = ["NO"]\nonce = ["born", "nam"]'), "table.once"),
        (('source = "PERSON"', 'source = "SELECT 1"'), "table.source"),
        (('source = "PERSON"', 'source = "SELECT 1"\nconsumes = ["A"]\n[read.B]\n[table2]'), "read.B"),
        (('key = ["NO"]', ""), "table.key"),
        (("[columns.born]", "[columns]\nborn = 5\n[evidence.x]"), "columns.born"),
    ],
)
def test_the_parts_of_a_table_that_do_not_go_together(tmp_path: Path, change: tuple[str, str], where: str) -> None:
    found = _problems(tmp_path, persons=PERSONS.replace(*change))
    assert ("tables/persons.toml", where) in found


def test_two_specs_may_not_read_one_file_in_two_ways(tmp_path: Path) -> None:
    other = PERSONS.replace('key = ["NO"]', 'key = ["NO"]\npart = "b"\n[read]\nfile = "other.csv"')
    problems = _problems(tmp_path, a=PERSONS, b=other)
    assert "in another way" in problems["tables/b.toml", "read"]


def test_two_specs_may_not_give_one_row_the_same_place(tmp_path: Path) -> None:
    problems = _problems(tmp_path, a=PERSONS, b=PERSONS)
    assert "`part`" in problems["tables/b.toml", "table"]
    assert len(_read(tmp_path, a=PERSONS, b=PERSONS.replace('key = ["NO"]', 'key = ["NO"]\npart = "b"'))) == 2


def test_no_specs_at_all_is_a_mistake(tmp_path: Path) -> None:
    assert ("tables/", "") in _problems(tmp_path)


def test_types_and_requirements_come_from_the_target(tmp_path: Path) -> None:
    persons, payments = sorted(_read(tmp_path, persons=PERSONS, payments=PAYMENTS), key=lambda s: s.target)[::-1]
    columns = {column.name: column for column in (*persons.columns, *payments.columns)}
    assert columns["born"].type == ColumnType("date")
    assert columns["last_name"].type.length == 10
    assert columns["amount"].type == ColumnType("numeric", precision=10, scale=2)
    assert columns["person_id"] == ColumnSpec(
        "person_id", ColumnType("text"), ("NO",), required=True, references="persons"
    )
    assert not columns["payee_id"].required


def test_the_digest_sees_rules_but_not_layout(tmp_path: Path) -> None:
    digests = [
        _read(tmp_path, persons=text)[0].digest
        for text in (PERSONS, "# a note\n" + PERSONS.replace(" = ", "   =  "), PERSONS.replace("DOB", "BORN"))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_norway_stays_text(tmp_path: Path) -> None:
    text = PERSONS + '[columns.restricted]\nvalue = "NO"\n[dropped]\nNO2 = "007"\n'
    spec = _read(tmp_path, persons=text)[0]
    assert [c.value for c in spec.columns if c.name == "restricted"] == ["NO"]


def test_a_column_is_accounted_for_when_any_spec_maps_or_drops_it(tmp_path: Path) -> None:
    query = """
    [table]
    system = "old"
    source = "SELECT _row, NO, upper(NICK) AS N FROM PERSON"
    consumes = ["PERSON"]
    target = "persons"
    key = ["NO"]
    part = "q"
    [read.PERSON]
    key = ["NO"]
    [columns.last_name]
    from = "N"
    [dropped]
    OLD = "never filled"
    """
    specs = _read(tmp_path, persons=PERSONS, q=query)
    mapped, dropped = columns_accounted_for(specs, Source("old", "PERSON"))
    assert mapped >= {"NO", "NAME", "DOB", "REF", "NICK"}
    assert dropped == {"OLD"}
    assert columns_accounted_for(specs, Source("old", "OTHER")) == (set(), set())


TRUTH = {
    (None, "required"): OnFail.REJECT, (None, "unmapped_code"): OnFail.HOLD, (None, "date"): OnFail.REJECT,
    (None, "max_length"): OnFail.REJECT,
    (OnFail.NULL, "required"): OnFail.REJECT, (OnFail.NULL, "unmapped_code"): OnFail.NULL,
    (OnFail.NULL, "date"): OnFail.NULL, (OnFail.NULL, "max_length"): OnFail.NULL,
    (OnFail.TRUNCATE, "required"): OnFail.REJECT, (OnFail.TRUNCATE, "unmapped_code"): OnFail.NULL,
    (OnFail.TRUNCATE, "date"): OnFail.NULL, (OnFail.TRUNCATE, "max_length"): OnFail.TRUNCATE,
    (OnFail.HOLD, "required"): OnFail.HOLD, (OnFail.HOLD, "date"): OnFail.HOLD,
    (OnFail.WARN, "required"): OnFail.REJECT, (OnFail.WARN, "email"): OnFail.WARN,
    (OnFail.WARN, "max_length"): OnFail.REJECT,
}  # fmt: skip


@pytest.mark.parametrize(("choice", "rule"), TRUTH)
def test_what_a_failure_does(choice: OnFail | None, rule: str) -> None:
    column = ColumnSpec("c", ColumnType("text"), on_fail=choice)
    assert column.consequence(rule) is TRUTH[choice, rule]
