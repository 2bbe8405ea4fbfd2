"""Columns in a part they cannot play: numbers that name no person, and one column's content given twice."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN, ROLES
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, RegisterError, link, parse_fields
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.columns import check_columns
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.reading import read_register
from tests.linkage.registers_for_tests import proposed

PARTS = {ROLES[column]: column for column in PLAIN.columns}
HOME = pl.concat_str(pl.col("house", "street", "postcode").fill_null("")).hash(1)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    home = (HOME % 10**8 + 10**8).cast(pl.String)
    return make_register(6000, PLAIN, seed=5).with_columns(home=home)


def looked_over(frame: pl.DataFrame, fields: Fields) -> Register:
    register = read_register(frame, fields, PERSON)
    check_columns(register, fields)
    return register


def with_other(**other: str) -> Fields:
    return Fields(id="id", roles=PARTS, other=other)


def without(*roles: str, **other: str) -> Fields:
    return Fields(id="id", roles={r: c for r, c in PARTS.items() if r not in roles}, other=other)


def note_of(register: Register, name: str) -> str:
    return " ".join(note for note in register.notes if note.startswith(name))


def identifiers(register: Register, fields: Fields) -> set[str]:
    return {c.name for c in comparisons_for(register, tuple(fields.other)) if c.identifier}


def test_the_register_of_all_parts_has_no_notes(frame):
    register = looked_over(frame, with_other())
    told = [note for note in register.notes if "1 of" not in note]  # one postcode lost its figures to a slip
    assert told == []
    assert set(PARTS) <= {*register.columns}


@pytest.mark.parametrize("kind", [pl.String, pl.Int64])
def test_a_household_number_names_no_person(frame, kind):
    fields = with_other(home="home")
    register = looked_over(frame.with_columns(pl.col("home").cast(kind)), fields)
    assert "pairs of records that share a value differ in forename and birth_date" in note_of(register, "home:")
    assert identifiers(register, fields) == {"nhs_number"}


@pytest.mark.parametrize("roles", [("forename",), ("birth_date",), ("forename", "birth_date")])
def test_what_says_so(frame, roles):
    """Forename or birth date alone will do; without both nothing is known, and the number is believed."""
    fields = without(*roles, home="home")
    register = looked_over(frame, fields)
    assert ("home" in identifiers(register, fields)) == (len(roles) == 2)
    assert all(role not in note_of(register, "home:") for role in roles)


def test_a_number_of_a_person_stays_one(frame):
    fields = without("nhs_number", person_number="nhs")
    assert identifiers(looked_over(frame, fields), fields) == {"person_number"}


def test_a_household_number_does_no_harm(frame):
    frame = frame.filter(pl.col("person") < 3000)
    truth = frame.select("id", "person")
    true = truth.join(truth, on="person").filter(pl.col("id") < pl.col("id_right"))
    pairs = set(true.select("id", "id_right").iter_rows())

    def f1(fields: Fields) -> float:
        found = proposed(link(frame, fields))
        return 2 * len(found & pairs) / (len(found) + len(pairs))

    assert f1(with_other(home="home")) > f1(with_other()) - 0.01


@pytest.mark.parametrize("column", ["home", "phone"])
def test_nhs_numbers_that_name_no_person(frame, column):
    changed = frame.with_columns(nhs=pl.col(column), phone=pl.col("nhs"))
    with pytest.raises(
        RegisterError, match=r"nhs_number: [\d,]+ of [\d,]+ pairs .* does not name a person"
    ) as error:
        link(changed, with_other())
    assert "[other]" in error.value.hint


def test_one_fact_says_less_against_a_number_by_its_role(frame):
    """Of every person a second record, of a quarter under another forename: short forms and slips."""
    renamed = pl.when(pl.int_range(pl.len()) % 100 < 26).then(pl.col("first").reverse()).otherwise(pl.col("first"))
    again = frame.with_columns(pl.col("id").cast(pl.String) + "b", first=renamed)
    looked_over(pl.concat([frame.with_columns(pl.col("id").cast(pl.String)), again]), without("birth_date"))
    with pytest.raises(RegisterError, match="share a value differ in forename"):
        looked_over(frame.with_columns(nhs="home"), without("birth_date"))


def test_names_that_change_places_are_not_two_people(frame):
    """Of every person a second record, of three in ten with forename and surname changed over."""
    swapped = pl.int_range(pl.len()) % 10 < 3
    again = frame.with_columns(
        pl.col("id").cast(pl.String) + "b",
        first=pl.when(swapped).then("last").otherwise("first"),
        last=pl.when(swapped).then("first").otherwise("last"),
    )
    fields = without("birth_date", "nhs_number", number="nhs")
    register = looked_over(pl.concat([frame.with_columns(pl.col("id").cast(pl.String)), again]), fields)
    assert note_of(register, "number") == ""
    assert "number" in identifiers(register, fields)


def test_letters_before_the_household_number(frame):
    with pytest.raises(RegisterError, match="does not name a person"):
        link(frame.with_columns(nhs="H" + pl.col("home")), with_other())


@pytest.mark.parametrize("filler", ["4000000004", "7777777770"])
def test_one_filler_is_not_the_column(frame, filler):
    looked_over(frame.with_columns(pl.col("nhs").fill_null(filler)), with_other())


def test_few_shared_numbers_are_slips(frame):
    """Records of different people, 60 of them under a neighbour's number: no pair shares one by right."""
    alone = frame.unique("person", keep="first", maintain_order=True).drop_nulls("nhs")
    wrong = pl.int_range(pl.len()) % (alone.height // 60) == 1
    looked_over(alone.with_columns(nhs=pl.when(wrong).then(pl.col("nhs").shift(1)).otherwise("nhs")), with_other())


def test_few_pairs_show_nothing(frame):
    """Records of 20 homes, two of each, under one number a home: fewer pairs than can be judged by."""
    homes = frame.unique("person", keep="first").filter(pl.len().over("home") == 2)
    few = homes.sort("home", "id").head(40)
    looked_over(few.with_columns(nhs=pl.col("home")), with_other())


def test_check_digits_that_most_fail_are_counted(frame):
    other_number = frame.with_columns(nhs=(pl.col("nhs").cast(pl.Int64) // 10 + 5 * 10**11).cast(pl.String))
    given = frame["nhs"].drop_nulls().len()
    assert f"nhs_number: {given:,} of {given:,} values fail the check digit" in note_of(
        looked_over(other_number, with_other()), "nhs_number"
    )


@pytest.mark.parametrize(
    ("role", "copy"),
    [
        ("phone", pl.col("phone")),
        ("phone", "+44 " + pl.col("phone").str.slice(1)),
        ("nhs_number", pl.col("nhs").str.slice(0, 3) + "-" + pl.col("nhs").str.slice(3)),
        ("birth_date", pl.col("dob")),
        ("birth_date", pl.col("dob").str.to_date(strict=False).dt.strftime("%d/%m/%Y")),
        ("birth_date", pl.col("dob").str.to_date(strict=False)),
        ("surname", pl.col("last").str.to_lowercase()),
        ("postcode", pl.col("postcode").str.replace(" ", "")),
        ("street", pl.col("street").str.replace("ROAD$", "RD")),
        ("sex", pl.col("sex").replace({"M": "male", "F": "female"})),
    ],
)
def test_a_second_copy_of_a_column_is_left_out(frame, role, copy):
    register = looked_over(frame.with_columns(again=copy), with_other(again="again"))
    assert not register.has("again")
    assert register.has(role)
    note = note_of(register, "again")
    assert note.startswith(f"again says the same as {role} in ")
    assert note.endswith(" of 1,000 records looked at: not compared, it would count twice.")


def test_nearly_a_copy(frame):
    def other_in(one_in: int) -> Register:
        changed = pl.when(HOME % one_in == 0).then(pl.lit("ELSEWHERE")).otherwise("street")
        return looked_over(frame.with_columns(again=changed), with_other(again="again"))

    assert not other_in(20).has("again")
    assert other_in(5).has("again")


def test_of_two_free_columns_that_say_the_same_the_first_stays(frame):
    team = (pl.col("person") % 7).cast(pl.String)
    changed = frame.with_columns(one=team, two=team)
    register = looked_over(changed, with_other(one="one", two="two"))
    assert register.has("one")
    assert not register.has("two")


def test_two_flags_that_are_mostly_no_are_no_copies(frame):
    flags = [pl.when(pl.col("person") % n == 0).then(pl.lit("Y")).otherwise(pl.lit("N")) for n in (31, 37)]
    changed = frame.with_columns(carer=flags[0], deaf=flags[1])
    register = looked_over(changed, with_other(carer="carer", deaf="deaf"))
    assert register.has("carer")
    assert register.has("deaf")


def test_two_roles_that_say_the_same(frame):
    changed = frame.with_columns(middle=pl.col("first"), died=pl.col("dob"))
    fields = Fields(id="id", roles={**PARTS, "death_date": "died"})
    register = looked_over(changed, fields)
    assert not register.has("middle_name")
    assert not register.has("death_date")
    assert register.has("forename")
    assert register.has("birth_date")


def test_few_rows_show_nothing(frame):
    few = frame.head(90).with_columns(again=pl.col("last"))
    assert looked_over(few, with_other(again="again")).has("again")


def test_notes_reach_the_warnings_without_values(frame):
    changed = frame.with_columns(again=pl.col("last"))
    found = link(changed.filter(pl.col("person") < 1500), with_other(again="again", home="home"))
    assert sum(w.startswith(("again says", "home:")) for w in found.model["warnings"]) == 2
    names = set(frame["last"].drop_nulls())
    assert not any(name in warning for warning in found.model["warnings"] for name in names if len(name) > 3)
    assert "again" not in found.pairs.columns


@pytest.mark.parametrize(
    "raw",
    [
        {"id": "id", "fields": {"forename": "name", "surname": "name"}},
        {"id": "id", "fields": {"forename": "name"}, "other": {"again": "name"}},
        {"id": "id", "fields": {"forename": "first"}, "other": {"one": "name", "two": "name"}},
    ],
)
def test_one_column_named_twice(raw):
    with pytest.raises(RegisterError, match=r"Column name is named for \w+ and \w+: it would count twice"):
        parse_fields(raw)


def test_the_order_of_rows_changes_nothing(frame):
    fields = with_other(home="home")
    order = np.random.default_rng(4).permutation(frame.height)
    one, two = (looked_over(f, fields) for f in (frame, frame[order]))
    assert one.notes == two.notes


def test_rows_that_are_all_the_same():
    same = pl.DataFrame({"id": range(3000), "first": "ANN", "last": "LEE", "dob": None})
    fields = Fields(id="id", roles={"forename": "first", "surname": "last", "birth_date": "dob"})
    with pytest.raises(RegisterError, match="2 hold the same in every row, 1 nothing that can be read"):
        link(same, fields)
