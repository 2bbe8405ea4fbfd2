"""Values that are given but cannot be read: read what can be, count the rest, never call a full column empty."""

from __future__ import annotations

from datetime import time

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, RegisterError, link
from casebridge.dedupe.linkage.comparisons.births import birth_comparison
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.dates import parse_date, read_dates
from casebridge.dedupe.linkage.register.reading import read_register

ROLES = {"forename": "first", "surname": "last", "birth_date": "dob", "sex": "sex", "nhs_number": "nhs"}
FIELDS = Fields(id="id", roles=ROLES)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return make_register(1500, PLAIN, seed=5).select("id", *ROLES.values())


@pytest.mark.parametrize(
    "text",
    ["05.04.61", "05/04/61", "5-Apr-61", "April 5, 1961", "5 April 1961", "5th April 1961", "05APR1961",
     "Apr 5 61", "1961-Apr-05", "61-04-05", "05041961", "19610405", "1961-04-05 00:00:00", "5/4/1961 00:00",
     "5ed Ebrill 1961", "5 o Ebrill 1961", "5 avril 1961", "5. April 1961", "5 de abril de 1961",
     "5 aprile 1961", "5 kwietnia 1961", "5-Abr-61", "5º de abril de 1961"],
)  # fmt: skip
def test_one_date_in_many_dresses(text):
    assert parse_date(text) == 19610405


@pytest.mark.parametrize(
    ("text", "month"),
    [("1af Ionawr 1990", 1), ("3 Chwe 1990", 2), ("3 o Fai 1990", 5), ("3 o Ragfyr 1990", 12), ("3 juin 1990", 6),
     ("3 juil. 1990", 7), ("3 août 1990", 8), ("3. März 1990", 3), ("3 okt 1990", 10), ("3 października 1990", 10),
     ("3 dic 1990", 12), ("1er déc. 1990", 12)],
)  # fmt: skip
def test_months_of_other_languages(text, month):
    assert parse_date(text) // 100 % 100 == month


@pytest.mark.parametrize(
    "text",
    ["3 jui 1990", "3 Monday 1990", "1961", "1961-04", "22375", "05/04/198", "soon", "Apr 1961", "", "?", "0000"],
)
def test_no_date(text):
    assert parse_date(text) == 0


@pytest.mark.parametrize(
    ("latest", "year"), [(2026, 2019), (2019, 2019), (2018, 1919), (1999, 1919), (2118, 2019), (2119, 2119)]
)
def test_century_of_two_digits(latest, year):
    assert parse_date("05/04/19", latest) == year * 10_000 + 405


def test_the_register_says_which_century():
    """Births up to 2012, but for a slip of the pen: 13 is 1913 there, and 2013 where nothing is known."""
    told = [f"{year}-0{1 + n}-17" for year in range(1920, 2013) for n in range(9)]
    many = read_dates(pl.Series([*told, "2091-01-02", "17/02/13", "17/02/12"]))
    assert [hex(d) for d in many.packed[-2:]] == ["0x19130217", "0x20120217"]
    few = read_dates(pl.Series(["1950-01-17", "17/02/13"]))
    assert hex(few.packed[-1]) == "0x20130217"
    assert not many.unread.any()


def test_what_counts_as_unread():
    dates = ["1961", "soon", "NK", "?", "", None, "01/01/1900", "1950-01-17", "00/00/0000"]
    assert read_dates(pl.Series(dates)).unread.tolist() == [True, True] + [False] * 7


def test_a_first_zero_that_a_workbook_dropped_is_put_back() -> None:
    """3121983 among dates of eight figures is 3 December; months that come first say so. Where the year comes
    first, or none has eight figures, seven are none."""
    days = read_dates(pl.Series(["17121983", "28111990", "25101975", "3121983"]))
    assert (days.packed.tolist()[-1], days.unread.any()) == (0x19831203, False)
    months = read_dates(pl.Series(["12171983", "11281990", "10251975", "3121983.0"]))
    assert (months.packed.tolist()[-1], months.unread.any()) == (0x19830312, False)
    for others in (["19831217", "19901128", "3121983"], ["3121983", "4121983"]):
        assert read_dates(pl.Series(others)).unread.tolist()[-1]


def test_unread_values_are_counted(frame):
    some = pl.when(pl.int_range(pl.len()) % 4 == 0).then(pl.lit("about 1950")).otherwise("dob").alias("dob")
    changed = frame.with_columns(some)
    given = (changed["dob"].drop_nulls() != "").sum()
    found = link(changed, FIELDS)
    note = f"birth_date: {-(-frame.height // 4):,} of {given:,} values are no date that can be read."
    assert note in found.model["warnings"]
    assert note in found.diagnostics["warnings"]
    assert "about 1950" not in str(found.model)


def test_a_full_column_is_never_called_empty(frame):
    unreadable = frame.with_columns(
        dob=pl.col("dob").str.slice(0, 4), sex=pl.col("sex") == "F", nhs=pl.lit("9" * 40) + pl.col("nhs")
    )
    notes = link(unreadable, FIELDS).model["warnings"]
    for role in ("birth_date", "sex", "nhs_number"):
        assert f"{role} holds nothing that can be read: not compared." in notes
        assert f"{role} is empty: not compared." not in notes


def test_even_a_few_unread_values_are_told(frame):
    few = pl.when(pl.int_range(pl.len()) < 5).then(pl.lit("soon")).otherwise("dob").alias("dob")
    notes = link(frame.with_columns(few), FIELDS).model["warnings"]
    assert any(note.startswith("birth_date: 5 of ") and note.endswith("can be read.") for note in notes)


def test_a_column_of_years_is_told_where_it_belongs(frame):
    years = frame.with_columns(dob=pl.col("dob").str.slice(0, 4)).head(200)
    with_years = link(years, FIELDS).model["warnings"]
    assert any(note.startswith("birth_date holds years: they are compared if") for note in with_years)
    assert not any("holds years" in note for note in link(frame.head(200), FIELDS).model["warnings"])


@pytest.mark.parametrize("ids", [["a", "", "c"], [1.0, float("nan"), 3.0], ["a", None, "c"]])
def test_an_id_that_says_nothing_is_none(ids):
    with pytest.raises(RegisterError, match="1 rows have no id"):
        link(pl.DataFrame({"id": ids, "s": ["Lee", "Ng", "Roe"]}), Fields(id="id", roles={"surname": "s"}))


def test_two_digit_years_link_as_well(frame):
    short = frame.with_columns(pl.col("dob").str.to_date(strict=False).dt.strftime("%d/%m/%y"))
    full = frame.with_columns(pl.col("dob").str.to_date(strict=False).dt.strftime("%d/%m/%Y"))
    found = [link(one, FIELDS).pairs.filter(pl.col("p_same") >= 0.9).height for one in (short, full)]
    assert found[0] == pytest.approx(found[1], rel=0.02)


@pytest.mark.parametrize(
    ("column", "made", "message"),
    [
        ("id", pl.concat_list("id"), r"Column id holds List\(String\)"),
        ("first", pl.struct("first", "last"), "Column first holds Struct"),
        ("dob", pl.lit(time(10, 30)), "Column dob holds Time"),
        ("dob", pl.duration(days=3), "Column dob holds Duration"),
    ],
)
def test_columns_of_another_kind(frame, column, made, message):
    with pytest.raises(RegisterError, match=message):
        link(frame.with_columns(made.alias(column)), FIELDS)


def test_a_name_that_a_clerk_fills_in_is_missing(frame):
    """Half of the records called TESTNAME are as good as nameless. A name that is only common is a name."""
    half = pl.int_range(pl.len()) % 2 == 0
    filled = frame.with_columns(first=pl.when(half).then(pl.lit("Testname")).otherwise("first"))
    blank = frame.with_columns(first=pl.when(half).then(None).otherwise("first"))
    found, without = (link(one, FIELDS) for one in (filled, blank))
    one, other = ({*pairs.select("left_id", "right_id").iter_rows()} for pairs in (found.pairs, without.pairs))
    assert len(one ^ other) <= 0.01 * len(one | other)
    told = next(note for note in found.model["warnings"] if "filled in" in note)
    assert told.startswith(f"forename: {(frame.height + 1) // 2:,} values are one name")
    often = pl.int_range(pl.len()) % 5 == 0
    common = frame.with_columns(first=pl.when(often).then(pl.lit("Mohammed")).otherwise("first"))
    assert not any("filled in" in note for note in link(common, FIELDS).model["warnings"])


def test_records_that_are_alike_in_everything_are_told(frame):
    """More copies of one record than a block holds are compared with neighbours only, and that is said."""
    one = frame.drop_nulls().head(1)
    many = pl.concat([frame, *[one] * 420]).with_columns(id=pl.int_range(frame.height + 420).cast(pl.String))
    told = link(many, FIELDS).model["warnings"]
    assert any("compared with its neighbours only" in note for note in told)
    assert not any("neighbours only" in note for note in link(frame, FIELDS).model["warnings"])


LINES = {
    "12 High St": ("12", "HIGH STREET"),
    "Flat 2, 14a Mill Road, Leeds": ("2 14A", "MILL ROAD"),
    "Rose Cottage, Fell Lane": ("ROSE COTTAGE", "FELL LANE"),
    "Kerkstraat 12": ("12", "KERKSTRAAT"),
    "63 Hardin Cir": ("63", "HARDIN CIR"),
    "PO Box 12": ("PO BOX 12", None),
    "14 Third Ave": ("14", "3RD AVENUE"),
    "14 3rd Avenue": ("14", "3RD AVENUE"),
}


def _places(columns: dict[str, list[str | None]], **roles: str) -> list[tuple[str | None, ...]]:
    """House, street and postcode of each row, in the order given; without those that no column holds."""
    frame = pl.DataFrame({"id": [f"{n}" for n in range(len(next(iter(columns.values()))))], **columns})
    register = read_register(frame, Fields(id="id", roles=roles), PERSON)
    held = [role for role in ("house", "street", "postcode") if role in register.columns]
    said = [[*register.values[role].text, None] for role in held]
    rows = zip(register.ids, *(register.columns[role].tolist() for role in held), strict=True)
    assert register.notes == []
    return [tuple(t[k] for t, k in zip(said, codes, strict=True)) for _, *codes in sorted(rows)]


@pytest.mark.parametrize("role", ["street", "address"])
def test_a_house_number_within_the_street_is_read(role: str) -> None:
    assert _places({"line": [*LINES]}, **{role: "line"}) == [*LINES.values()]


def test_what_a_column_of_its_own_lacks_is_read_from_the_line() -> None:
    lines = ["12 High St, LS1 4AB", "14 Mill Road LS2 1AA"]
    found = _places({"line": [*lines], "no": ["7", None], "pc": [None, "LS9 9AA"]}, street="line", house="no",
                    postcode="pc")  # fmt: skip
    assert found == [("7", "HIGH STREET", "LS14AB"), ("14", "MILL ROAD", "LS99AA")]


def test_a_street_without_a_number_is_no_building_among_numbered_ones() -> None:
    lines = ["12 High St", "Broadway", "14 Mill Road"]
    found = _places({"line": [*lines], "no": [None, "7", None]}, street="line", house="no")
    assert found == [("12", "HIGH STREET"), ("7", "BROADWAY"), ("14", "MILL ROAD")]


def test_a_column_of_streets_alone_is_read_as_it_stands() -> None:
    streets = ["Church Road West", "Third Avenue", "High St", "Mill Lane", "42nd Street", "Fell Row"]
    assert _places({"line": [*streets]}, street="line")[0] == ("CHURCH ROAD WEST",)


def _dates(*days: str) -> pl.DataFrame:
    return pl.DataFrame(
        {"id": [str(n) for n in range(len(days))], "dob": days, "first": [f"N{n}" for n in range(len(days))]}
    )


def test_first_of_january_of_many_years_is_no_filler() -> None:
    """Refugees of whom the year alone is known; a system's one or two days are still missing."""
    others = [f"19{n % 90 + 10}-{n % 9 + 2:02}-{n % 25 + 2:02}" for n in range(900)]
    years = [f"{year}-01-01" for year in range(1980, 1990) for _ in range(60)]
    kept = read_register(_dates(*others, *years), Fields(id="id", roles={"birth_date": "dob"}), PERSON)
    assert (kept.columns["birth_date"] > 0).all()
    assert kept.notes == []
    filled = ["1970-01-01"] * 300 + ["1980-01-01"] * 300
    lost = read_register(_dates(*others, *filled), Fields(id="id", roles={"birth_date": "dob"}), PERSON)
    assert np.count_nonzero(lost.columns["birth_date"] == 0) == 600


@pytest.mark.parametrize(
    ("one", "other", "label"),
    [("1983-01-01", "1985-01-01", "birth dates up to 3 years apart"),
     ("1960-01-01", "1990-01-01", "birth dates over 15 years apart"),
     ("1983-01-01", "1983-01-01", "same birth date"),
     ("1983-01-01", "1983-05-12", "same year, and one of the two is 1 January"),
     ("1983-05-12", "1985-05-12", "one digit of the year differs")],
)  # fmt: skip
def test_two_first_of_january_are_compared_by_year(one: str, other: str, label: str) -> None:
    frame = _dates(one, other, "1901-02-03")
    register = read_register(frame, Fields(id="id", roles={"birth_date": "dob", "forename": "first"}), PERSON)
    births, ids = birth_comparison(register)[0], register.ids.to_list()
    left, right = np.array([ids.index("0")]), np.array([ids.index("1")])
    assert births.labels()[births.full(*register.sides(left, right))[0]] == label
