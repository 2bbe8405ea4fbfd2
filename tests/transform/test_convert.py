"""One batch through one spec: every row is accounted for once, and for the first cause."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from casebridge.project.contracts import QUARANTINE
from casebridge.transform.contract import check_rows, held_against
from casebridge.transform.convert import (
    Conversion,
    Converted,
    convert,
    key_of,
    source_rows,
    with_values,
)
from tests.staged import conversion_of, raw_rows

TARGET = """
[people]
primary_key = "id"
[people.columns]
id = { type = "bigint" }
name = { type = "varchar(5)" }
born = { type = "date" }
died = { type = "date" }
seen = { type = "timestamp" }
amount = { type = "numeric(8,2)" }
count = { type = "integer" }
flag = { type = "boolean" }
sex = { type = "char(1)" }
email = { type = "varchar(20)" }
fixed = { type = "char(1)" }
"""

SPEC = """
[table]
system = "old"
source = "PERSON"
target = "people"
key = ["NO", "SUB"]
where = "KIND <> 'W'"
[columns.name]
from = ["FIRST", "LAST"]
steps = ["collapse_spaces"]
required = true
on_fail = "truncate_and_report"
[columns.born]
from = ["DOB", "EDD"]
steps = ["first_of"]
on_fail = "null_and_report"
[columns.died]
from = "DOD"
steps = ["end_date"]
on_fail = "warn"
[columns.amount]
from = "AMOUNT"
checks = ["positive"]
[columns.count]
from = "COUNT"
on_fail = "hold"
[columns.sex]
from = "SEX"
codes = "sex"
[columns.email]
from = "EMAIL"
checks = ["email"]
on_fail = "warn"
[columns.fixed]
value = "U"
[evidence.phone]
from = "PHONE"
steps = ["digits"]
[[check]]
rule = "no_self"
expect = "NO <> OTHER"
[[check]]
rule = "odd"
expect = "amount < 5000"
on_fail = "warn"
[[check]]
rule = "ask"
expect = "NOTE <> 'ASK'"
on_fail = "hold"
[[exclude]]
rule = "test_record"
when = "LAST LIKE 'ZZ%'"
owner = "Head"
"""

CODES = """legacy_code,target_code,description,status,owner,signed_off,valid_from,valid_to
M,M,,mapped,,,,
F,F,,mapped,,,,
Q,TOOLONG,,mapped,,,,
"""

COLUMNS = ("NO", "SUB", "KIND", "FIRST", "LAST", "DOB", "EDD", "DOD", "AMOUNT", "COUNT", "SEX", "EMAIL", "PHONE",
           "OTHER", "NOTE")  # fmt: skip

Row = Mapping[str, str | None]


def _plan(folder: Path, spec: str = SPEC) -> Conversion:
    return conversion_of(folder, spec, target=TARGET, codes={"sex": CODES})


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Conversion:
    return _plan(tmp_path_factory.mktemp("plan"))


def _row(number: int = 1, **values: str | None) -> Row:
    return {"NO": str(number), "KIND": "P", "LAST": "Ng", "OTHER": "0", **values}


def _made(plan: Conversion, *rows: Row) -> Converted:
    return convert(raw_rows(rows, COLUMNS), plan)


def _entries(made: Converted) -> list[tuple[str, str | None, str, str | None, bool]]:
    return list(made.quarantine.select("verdict", "column", "rule", "value", "first").iter_rows())


def test_a_good_row_is_converted_to_the_targets_types(plan: Conversion) -> None:
    row = _row(FIRST=" A  ", LAST="  Ng ", DOB="01/02/50", DOD="31/12/4712", AMOUNT="£1,234.50", COUNT="7",
               SEX="m", EMAIL="a@b.uk", PHONE="0191 498")  # fmt: skip
    made = _made(plan, row)
    assert made.quarantine.is_empty()
    assert made.clean.to_dicts() == [
        {
            "_key": "1|", "_row": 1, "_rest": None, "name": "A Ng", "born": dt.date(1950, 2, 1), "died": None,
            "amount": Decimal("1234.50"), "count": 7, "sex": "M", "email": "a@b.uk", "fixed": "U",
            "ev_phone": "0191498",
        }
    ]  # fmt: skip


# What a row holds, and what it gives: quarantine entries (verdict, column, rule, value as the source had it).
CASES: dict[str, tuple[dict[str, str | None], list[tuple[str, str | None, str, str | None]]]] = {
    "key missing": ({"NO": " ", "SUB": None}, [("rejected", None, "missing_key", None)]),
    "required": ({"LAST": " "}, [("rejected", "name", "required", None)]),
    "cut": ({"LAST": "Fairweather"}, [("truncated", "name", "max_length", "Fairweather")]),
    "cut after joining": ({"FIRST": "Amy"}, [("truncated", "name", "max_length", "Amy Ng")]),
    "aside": ({"DOB": "31/02/1960"}, [("set_aside", "born", "date", "31/02/1960")]),
    "the second source": ({"EDD": "00/00/1950"}, [("set_aside", "born", "date", "00/00/1950")]),
    "a warned cast is set aside": ({"DOD": "soon"}, [("set_aside", "died", "date", "soon")]),
    "reject": ({"AMOUNT": "abc"}, [("rejected", "amount", "money", "abc")]),
    "check after cast": ({"AMOUNT": "5-"}, [("rejected", "amount", "positive", "5-")]),
    "hold": ({"COUNT": "1e+"}, [("held", "count", "number", "1e+")]),
    "an integer has 32 bits": ({"COUNT": "2147483648"}, [("held", "count", "number", "2147483648")]),
    "unmapped": ({"SEX": "x"}, [("held", "sex", "unmapped_code", "x")]),
    "code too long": ({"SEX": "q"}, [("rejected", "sex", "max_length", "q")]),
    "warn": ({"EMAIL": "nowhere"}, [("warned", "email", "email", "nowhere")]),
    "a warning hides no refusal": ({"EMAIL": "x" * 21}, [("rejected", "email", "max_length", "x" * 21)]),
    "row rule": ({"OTHER": "1"}, [("rejected", None, "no_self", None)]),
    "row rule holds": ({"NOTE": "ASK"}, [("held", None, "ask", None)]),
    "row rule warns": ({"AMOUNT": "5000"}, [("warned", None, "odd", None)]),
    "row rule on nothing": ({"OTHER": None, "NOTE": None}, []),
    "excluded before all": (
        {"LAST": "ZZTEST", "AMOUNT": "abc", "DOB": "x", "COUNT": "x"}, [("excluded", None, "test_record", None)],
    ),
    "rejected before held": (
        {"COUNT": "x", "OTHER": "1"},
        [("rejected", None, "no_self", None), ("held", "count", "number", "x")],
    ),
    "the specs order among rejections": (
        {"AMOUNT": "x", "OTHER": "1", "DOB": "x"},
        [("rejected", "amount", "money", "x"), ("rejected", None, "no_self", None),
         ("set_aside", "born", "date", "x")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_each_fault_does_to_the_row(plan: Conversion, case: str) -> None:
    """The first entry that costs the row its place is its cause, and the only one marked so."""
    values, entries = CASES[case]
    made = _made(plan, _row(2), {**_row(), **values})
    found = made.quarantine.select("verdict", "column", "rule", "value")
    order = {"excluded": 0, "rejected": 1, "held": 2}
    assert sorted(found.iter_rows(), key=lambda e: order.get(e[0], 9)) == entries
    stays = bool(entries) and entries[0][0] in order
    first = made.quarantine.filter("first")
    assert list(first.select("verdict", "rule").iter_rows()) == ([(entries[0][0], entries[0][2])] if stays else [])
    assert made.clean.height == 2 - stays
    _balanced(made, rows=2)


def test_a_value_set_aside_is_null_and_a_cut_one_keeps_its_beginning(plan: Conversion) -> None:
    made = _made(plan, _row(LAST="Fairweather", DOB="x", DOD="x"))
    assert made.clean.select("name", "born", "died").row(0) == ("Fairw", None, None)


def test_a_row_keeps_the_other_source_rows_behind_it(plan: Conversion) -> None:
    raw = raw_rows([_row(AMOUNT="x"), _row(2)], COLUMNS).with_columns(
        pl.Series("_rest", [[7, 8], None], pl.List(pl.Int64))
    )
    made = convert(raw, plan)
    assert made.quarantine["_rest"].to_list() == [[7, 8]]
    assert made.clean["_rest"].to_list() == [None]


def test_rows_of_other_specs_are_not_this_specs_business(plan: Conversion) -> None:
    """Nor are those of which nobody can say."""
    made = _made(plan, _row(), _row(2, KIND="W"), _row(3, KIND=None))
    assert made.clean["_key"].to_list() == ["1|"]
    _balanced(made, rows=1)


def test_a_converted_column_may_have_its_sources_name(tmp_path: Path) -> None:
    """And its quarantine still shows the value as the source had it."""
    spec = """
    [table]
    system = "old"
    source = "PERSON"
    target = "people"
    key = ["index"]
    [columns.born]
    from = "born"
    on_fail = "null_and_report"
    [columns.name]
    from = ["first", "rule", "column", "verdict"]
    on_fail = "truncate_and_report"
    """
    columns = ("index", "born", "first", "rule", "column", "verdict")
    row = {"index": "1", "born": "never", "first": "a", "rule": "b", "column": "c", "verdict": "d"}
    made = convert(raw_rows([row], columns), _plan(tmp_path, spec))
    assert sorted(made.quarantine.select("column", "value").iter_rows()) == [
        ("born", "never"),
        ("name", "a b c d"),
    ]
    assert made.clean.select("born", "name").row(0) == (None, "a b c")


def test_a_part_sets_its_rows_keys_apart(tmp_path: Path) -> None:
    made = _made(_plan(tmp_path, SPEC.replace("where =", 'part = "mirror"\nwhere =')), _row())
    assert made.clean["_key"].to_list() == ["1|#mirror"]


def test_a_required_value_that_would_be_set_aside_costs_the_row(tmp_path: Path) -> None:
    for choice in ("null_and_report", "warn"):
        wanted = f'from = "AMOUNT"\nrequired = true\non_fail = "{choice}"'
        spec = SPEC.replace('from = "AMOUNT"\nchecks = ["positive"]', wanted)
        made = _made(_plan(tmp_path, spec), _row(AMOUNT="abc"))
        assert _entries(made) == [("rejected", "amount", "money", "abc", True)]


def test_keys_are_joined_stripped_and_null_when_all_parts_are() -> None:
    frame = pl.DataFrame({"a": [" 1 ", "1", None, "  "], "b": [2, None, None, None]})
    keys = frame.select(key_of(("a", "b"))).to_series().to_list()
    assert keys == ["1|2", "1|", None, None]


# Properties: whatever the text is.

TEXTS = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(
        ["", " ", "\t", "\0", "\r\n", "1", "01/01/1950", "31/02/1950", "12.50-", "M", "ZZTEST", "ASK", "P", "W",
         "Ω", "\U0001f600", "משה", "null", "NaN", "\\N", "|", "#"]
    ),
)  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXTS) | {"KIND": st.sampled_from("PPPW")}), max_size=24
)
QUICK = settings(max_examples=12)  # what costs is the batch, not its rows


@given(rows=ROWS)
@QUICK
def test_every_row_is_clean_or_left_behind_and_never_both(plan: Conversion, rows: list[Row]) -> None:
    _balanced(convert(raw_rows(rows, COLUMNS), plan), rows=sum(row["KIND"] == "P" for row in rows))


@given(rows=ROWS)
@QUICK
def test_a_rows_verdict_is_panderas_on_every_path(plan: Conversion, rows: list[Row]) -> None:
    """The rows that are passed over without asking pandera are those in which it would find nothing."""
    batch = with_values(source_rows(raw_rows(rows, COLUMNS), plan.spec), plan)
    asked, passed_over = held_against(batch, plan.rules, "people"), check_rows(batch, plan.rules, "people")
    assert_frame_equal(passed_over.sort("index", "rank"), asked.sort("index", "rank"))


@given(rows=ROWS, data=st.data())
@QUICK
def test_the_order_and_the_batches_of_rows_change_nothing(
    plan: Conversion, rows: list[Row], data: st.DataObject
) -> None:
    raw = raw_rows(rows, COLUMNS)
    whole = convert(raw, plan)
    order = data.draw(st.permutations(range(len(rows))))
    cut = data.draw(st.integers(0, len(rows)))
    pieces = [convert(part, plan) for part in (raw[list(order)][:cut], raw[list(order)][cut:])]
    for kind, keys in (("clean", ["_row"]), ("quarantine", ["_row", "verdict", "rule", "column"])):
        together = pl.concat([getattr(piece, kind) for piece in pieces])
        assert_frame_equal(together.sort(keys), getattr(whole, kind).sort(keys))
    assert pieces[0].tally + pieces[1].tally == whole.tally


@pytest.mark.parametrize("text", ["x" * 100_000, "Ω" * 100_000, "9" * 100_000, "\n" * 100_000, "\0\x01\x1f\x7f"])
def test_huge_and_strange_values_are_values(plan: Conversion, text: str) -> None:
    rows = [_row(), _row(2, **dict.fromkeys(COLUMNS[3:], text)), _row(3)]
    made = _made(plan, *rows)
    _balanced(made, rows=3)
    assert {1, 3} <= set(made.clean["_row"])


def test_a_batch_without_rows_has_the_shape_of_one_with_rows(plan: Conversion) -> None:
    none, one = _made(plan), _made(plan, _row())
    assert none.clean.schema == one.clean.schema
    assert none.quarantine.schema == one.quarantine.schema == QUARANTINE


def _balanced(made: Converted, rows: int) -> None:
    made.tally.balanced("here")
    left = made.quarantine.filter("first")
    assert left["_row"].is_unique().all()
    assert not set(left["_row"]) & set(made.clean["_row"])
    assert made.tally.read == made.clean.height + left.height == rows
    assert made.clean["_row"].is_unique().all()
    lost = made.quarantine.filter(pl.col("verdict").is_in(["rejected", "held", "excluded"]))
    assert set(lost["_row"]) == set(left["_row"])
    counts = dict(made.quarantine.group_by("verdict").len().iter_rows())
    assert made.tally.set_aside == counts.get("set_aside", 0) + counts.get("truncated", 0)
    assert made.tally.warned == counts.get("warned", 0)
