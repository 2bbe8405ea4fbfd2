"""The fields of a register that nobody has described: what its columns are called, in which order and language."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pytest

from casebridge.dedupe.linkage import KINDS, Fields, parse_fields
from casebridge.migrate.drafting.fields import fields_text, guess_fields, not_compared
from casebridge.migrate.profiling.headings import AGES, NUMBERS, PLACES
from casebridge.project.toml_file import parse_toml

HEADINGS: list[tuple[str, str, Mapping[str, str]]] = [
    (
        "RECORD_ID PRIMARY_NAME_LAST PRIMARY_NAME_FIRST DATE_OF_BIRTH ADDR_LINE1 ADDR_POSTAL_CODE MOTHER_NAME",
        "MOTHER_NAME",
        {"surname": "PRIMARY_NAME_LAST", "forename": "PRIMARY_NAME_FIRST", "street": "ADDR_LINE1",
         "birth_date": "DATE_OF_BIRTH", "postcode": "ADDR_POSTAL_CODE"},
    ),
    (
        "id nameFirst nameLast birthDate addressStreet1 addressZip addressType",
        "addressType",
        {"forename": "nameFirst", "surname": "nameLast", "birth_date": "birthDate", "street": "addressStreet1",
         "postcode": "addressZip"},
    ),
    (
        "id|First Name (legal)|Sur-Name|M/F|DOB (dd/mm/yyyy)|Tel. No.|Colour",
        "Colour",
        {"forename": "First Name (legal)", "surname": "Sur-Name", "sex": "M/F",
         "birth_date": "DOB (dd/mm/yyyy)", "phone": "Tel. No."},
    ),
    (
        "id|Ad|Soyad|Cinsiyet|Doğum Tarihi|Adres|Posta Kodu|E-posta|Renk",
        "Renk",
        {"forename": "Ad", "surname": "Soyad", "sex": "Cinsiyet", "birth_date": "Doğum Tarihi", "street": "Adres",
         "postcode": "Posta Kodu", "email": "E-posta"},
    ),
]  # fmt: skip


def _guessed(columns: list[str], kind: str = "person") -> Fields:
    return guess_fields(pl.DataFrame({name: ["1", "2"] for name in columns}), columns, kind)


@pytest.mark.parametrize(("headings", "left", "roles"), HEADINGS)
def test_roles_are_seen_in_any_order_of_words_and_what_is_not_read_is_told(
    headings: str, left: str, roles: Mapping[str, str]
) -> None:
    columns = headings.split("|") if "|" in headings else headings.split()
    fields = _guessed(columns)
    assert fields.roles == roles
    assert not_compared(fields, columns) == [left]


@pytest.mark.parametrize(
    ("columns", "names"),
    [
        ("id gname fname dob", {"forename": "gname", "surname": "fname"}),
        ("id fname lname dob", {"forename": "fname", "surname": "lname"}),
        ("id lname fname dob", {"forename": "fname", "surname": "lname"}),
    ],
)
def test_a_heading_of_two_meanings_is_read_by_its_neighbours(columns: str, names: Mapping[str, str]) -> None:
    assert _guessed(columns.split()).roles == {**names, "birth_date": "dob"}


def test_a_short_form_gives_way_to_a_column_that_is_called_by_the_role() -> None:
    assert _guessed(["id", "sname", "surname", "dob"]).roles["surname"] == "surname"
    assert _guessed(["id", "fname1", "fname2", "sname", "dob"]).roles == {
        "forename": "fname1", "middle_name": "fname2", "surname": "sname", "birth_date": "dob"}  # fmt: skip


def _people() -> pl.DataFrame:
    """Forty people, of whom only the names stand in columns that are called so."""
    numbers = [n for n in range(943_476_500, 943_477_000) if _check_digit(n) < 10][:40]
    return pl.DataFrame({
        "id": [str(n) for n in range(40)],
        "forename": [f"Ann{n}" for n in range(40)],
        "surname": [f"Bell{n}" for n in range(40)],
        "x1": [f"{1 + n % 28:02}/05/{1930 + 2 * n}" for n in range(40)],
        "since": [f"{1 + n % 28:02}/05/{2000 + n % 20}" for n in range(40)],
        "enumpc": [f"LS{1 + n % 9}{n % 10}AB" for n in range(40)],
        "gp_postcode": [f"LS{1 + n % 9} {n % 10}CD" for n in range(40)],
        "number": [f"{n}{_check_digit(n)}" for n in numbers],
        "contact": [f"a{n}@b.example" if n % 8 else None for n in range(40)],
        "mother_dob": [f"{1 + n % 28:02}/06/{1900 + 2 * n}" for n in range(40)],
    })  # fmt: skip


def _check_digit(nine: int) -> int:
    return (11 - sum(int(digit) * (10 - place) for place, digit in enumerate(str(nine))) % 11) % 11


def test_what_a_column_holds_says_its_role_where_none_is_called_so() -> None:
    people = _people()
    held = {"postcode": "enumpc", "email": "contact", "nhs_number": "number", "birth_date": "x1"}
    assert guess_fields(people, people.columns).roles == {"forename": "forename", "surname": "surname", **held}


@pytest.mark.parametrize(
    "values",
    [[str(12_000 + 800 * n) for n in range(40)], [12_000 + 800 * n for n in range(40)], [[n] for n in range(40)],
     [b"\xff"] * 40, [n % 2 == 0 for n in range(40)], ["\u0669" * 10] * 40],
    ids=["incomes", "numbers", "lists", "bytes", "booleans", "Arabic figures"],
)  # fmt: skip
def test_what_may_be_anything_and_what_is_no_text_has_no_role(values: list[object]) -> None:
    """Incomes are in the range of a workbook's days, 1932 to 2018."""
    people = _people().select("id", "forename", "surname", x=pl.Series(values))
    assert guess_fields(people, people.columns).roles == {"forename": "forename", "surname": "surname"}


def test_a_number_of_the_nhs_may_have_been_a_decimal() -> None:
    people = _people().select("id", "surname", x=pl.col("number") + ".0")
    assert guess_fields(people, people.columns).roles == {"surname": "surname", "nhs_number": "x"}


def test_of_two_columns_that_hold_the_same_neither_is_taken_nor_one_beside_a_role_that_is_named() -> None:
    people = _people().with_columns(pc2=pl.col("enumpc"), dob=pl.col("x1"))
    roles = guess_fields(people, people.columns).roles
    assert "postcode" not in roles
    assert roles["birth_date"] == "dob"


def test_places_and_numbers_without_a_role_are_compared_as_they_stand() -> None:
    columns = ["id", "surname", "dob", "Town/City", "SSN", "address_city", "City", "created"]
    fields = _guessed(columns)
    assert set(fields.other.values()) == {"Town/City", "SSN", "address_city", "City"}
    text = fields_text(fields, columns)
    assert parse_fields(parse_toml(text.encode())) == fields
    assert "created" in text.partition("# not compared")[2]


def test_a_year_of_birth_or_an_age_stands_for_a_date_that_is_not_there() -> None:
    assert _guessed(["id", "surname", "Year of Birth", "age"]).other == {
        "year_of_birth": "Year of Birth",
        "age": "age",
    }
    assert _guessed(["id", "surname", "age", "DOB"]).other == {}


def test_no_word_of_a_free_column_is_a_name_that_the_engine_uses() -> None:
    for name in PLACES | NUMBERS | AGES:
        KINDS["person"].placed(Fields("id", {"surname": "surname"}, {name: name}))


def test_of_two_columns_for_a_role_the_one_in_use_is_read() -> None:
    held = {"surname": ["A", "B", "C"], "full_address": [None, None, "x"], "address": ["x", "y", None]}
    register = pl.DataFrame({"id": ["1", "2", "3"], **held})
    assert guess_fields(register, register.columns).roles["street"] == "address"


def test_other_kinds_are_guessed_where_they_are_said() -> None:
    columns = ["id", "Site name", "Address", "Zip", "Phone", "Fax"]
    fields = _guessed(columns, "organisation")
    assert fields.kind == "organisation"
    assert fields.roles == {"name": "Site name", "address": "Address", "postcode": "Zip", "phone": "Phone"}
    assert parse_fields(parse_toml(fields_text(fields, columns).encode())) == fields


def test_places_that_the_postcode_or_a_town_implies_are_no_further_facts() -> None:
    """Neither is compared. A place apart from the postcode is, and so is the town where no postcode is
    held."""
    rows = range(600)
    parts = {"postcode": 60, "town": 12, "county": 3}
    held = {name: [f"{name}{n % 60 % many}" for n in rows] for name, many in parts.items()}
    named = {name: [f"{name}{n}" for n in rows] for name in ("id", "forename", "surname")}
    people = pl.DataFrame({**named, **held, "suburb": [f"u{n * 7919 % 23}" for n in rows]})
    assert set(guess_fields(people, people.columns).other) == {"suburb"}
    without = people.drop("postcode")
    assert set(guess_fields(without, without.columns).other) == {"town", "suburb"}
