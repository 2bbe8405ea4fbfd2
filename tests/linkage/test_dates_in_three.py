"""A birth date in three columns: read as one date, guessed by headings and values, kept in a model."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from benchmarks.kinds import VARIANTS
from benchmarks.registers import make_register
from casebridge import LinkedRegister, RegisterError, evaluate, link, link_affected, read_kept
from casebridge.dedupe.linkage import PERSON, Fields, parse_fields, read_fields
from casebridge.dedupe.linkage.register.reading import read_register
from casebridge.dedupe.scan.config import read_scans
from casebridge.migrate.drafting.fields import fields_text, guess_fields
from casebridge.project.errors import CasebridgeError, SpecError

PARTS = ("by", "bm", "bd")
NAMES = {"forename": "first", "surname": "last", "postcode": "postcode"}
WHOLE = Fields("id", {**NAMES, "birth_date": "dob"})
THREE = parse_fields({"id": "id", "fields": {**NAMES, "birth_date": ["by", "bm", "bd"]}})
MONTHS = dict(enumerate("Jan Feb Mawrth avril Mai Juni JULI Aug. septembre paź Nov Dec".split(), 1))  # noqa: SIM905


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    made = make_register(700, VARIANTS["plain"], seed=8).cast({"person": pl.String})
    parts = pl.col("dob").str.extract_groups(r"^(?<by>\d{4})-(?<bm>\d\d)-(?<bd>\d\d)$").struct
    return made.with_columns(parts.unnest())


def test_it_is_linked_and_judged_as_the_date_in_one_column_is(people: pl.DataFrame, tmp_path: Path) -> None:
    """However its parts are written; slips of a part are slips of the date. A model of it is kept and applied."""
    month = pl.col("bm").cast(pl.Int64)
    words = month.replace_strict(MONTHS, default=month.cast(pl.String))
    odd = people.with_columns(
        by=pl.col("by") + ".0",
        bm=pl.when(pl.int_range(pl.len()) % 2 == 0).then(words).otherwise(month.cast(pl.String) + ".0"),
        bd=pl.col("bd").cast(pl.Int64),
    )
    assert people["dob"].count() == people["by"].count()
    assert people["bm"].cast(pl.Int64).max() > 12  # type: ignore[operator]
    one, three = link(people, WHOLE), link(odd, THREE)
    assert three.pairs.equals(one.pairs)
    assert evaluate(three, odd, THREE, "person")["by_group"] == evaluate(one, people, WHOLE, "person")["by_group"]
    assert three.kept
    three.kept.save(tmp_path)
    assert link(odd, THREE, kept=read_kept(tmp_path)).pairs.equals(three.pairs)
    LinkedRegister.of(odd, THREE, three.kept).save(tmp_path / "linked")
    linked = LinkedRegister.read(tmp_path / "linked")
    changed = odd.head(30).with_columns(bd=pl.lit(28, pl.Int64))
    after = link_affected(linked, changed).linked
    now = pl.concat([odd.slice(30), changed])
    assert after.pairs().equals(link(now, THREE, kept=three.kept).pairs)


@pytest.mark.parametrize(
    ("parts", "packed"),
    [
        (("1983", "12", "3"), 0x19831203),
        (("1983.0", "12.0", "3.0"), 0x19831203),
        (("83", "Rhagfyr", "03"), 0x19831203),
        (("05", "3", "11"), 0x20050311),
        (("1983", "13", "3"), 0x19831303),
        (("1983", "12", "41"), 0x19831241),
        (("1983", "0.0", "3"), 0x19830003),
        (("1900", "1", "1"), 0),
        (("0", "00", None), 0),
        (("9999", "99", "NK"), 0),
    ],
)
def test_a_row_of_parts_is_a_date_a_slip_of_one_or_missing(parts: tuple[str | None, ...], packed: int) -> None:
    found, notes = _read(parts)
    assert found == packed
    assert not notes


@pytest.mark.parametrize(
    "parts",
    [
        ("1983", None, None), ("1983", "0", "00"), ("1983", "99", "3"), ("", "12", "3"), ("1983", "Monday", "3"),
        ("1983", "12", "123"), ("198", "12", "3"), ("5", "12", "3"), ("1983", "5-6 x", "3"),
        ("01/02/1983", "", ""),
    ],
)  # fmt: skip
def test_what_lacks_a_part_or_has_a_bad_one_is_missing_and_counted(parts: tuple[str | None, ...]) -> None:
    found, notes = _read(parts)
    assert found == 0
    assert notes == ["birth_date: 1 of 4 values are no date that can be read."]


def _read(parts: tuple[str | None, ...]) -> tuple[int, list[str]]:
    """The row as its date is read, beside three others, and the notes."""
    rows = [("r", *parts), ("a", "1983", "5", "17"), ("b", "1990", "6", "18"), ("c", "2005", "7", "19")]
    frame = pl.DataFrame(rows, ("id", "by", "bm", "bd"), orient="row").with_columns(first=pl.col("id"))
    fields = parse_fields({"id": "id", "fields": {"forename": "first", "birth_date": ["by", "bm", "bd"]}})
    register = read_register(frame, fields, PERSON)
    return int(register.columns["birth_date"][register.ids.to_list().index("r")]), register.notes


def test_columns_that_are_not_there_or_hold_dates_are_named(people: pl.DataFrame) -> None:
    with pytest.raises(RegisterError, match="no column bd"):
        link(people.drop("bd"), THREE)
    with pytest.raises(RegisterError, match="Column by holds Date"):
        link(people.with_columns(by=pl.lit("1983-05-17").str.to_date()), THREE)
    with pytest.raises(RegisterError, match="birth_date must be the name of a column"):
        Fields("id", {"birth_date": ["by", "bm", "bd"]})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("names", "role"),
    [
        (("by", "bm", "bd"), "birth_date"),
        (("DOB_YEAR", "DOB_MON", "DOB_DAY"), "birth_date"),
        (("birth_year", "birth_month", "birth_day"), "birth_date"),
        (("YOB", "MOB", "DOB"), "birth_date"),
        (("year of birth", "MonthOfBirth", "day_of_birth"), "birth_date"),
        (("geburtsjahr", "geburtsmonat", "geburtstag"), "birth_date"),
        (("année_naissance", "mois_naissance", "jour_naissance"), "birth_date"),
        (("year", "month", "day"), "birth_date"),
        (("death_year", "death_month", "death_day"), "death_date"),
    ],
)
def test_three_columns_are_guessed_and_written(
    people: pl.DataFrame, names: tuple[str, ...], role: str, tmp_path: Path
) -> None:
    frame = people.select("id", "last", *(pl.col(old).alias(new) for old, new in zip(PARTS, names, strict=True)))
    fields = guess_fields(frame, frame.columns)
    held = {name: fields.joined.get(to, to) for name, to in fields.roles.items()}
    assert held == {"surname": "last", role: names}
    assert fields.id == "id"
    (tmp_path / "fields.toml").write_text(fields_text(fields, frame.columns), encoding="utf-8")
    assert read_fields(tmp_path / "fields.toml") == fields


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("admission_year", "admission_month", "admission_day"), {}),
        (("visit_y", "visit_m", "visit_d"), {}),
        (("by", "dob_m", "birth_day"), {"birth_date": "birth_day"}),  # no common word
        (("bd", "bm", "by"), {}),  # days under the heading of years
        (("birth_year", "birth_month", "birth_day", "dob"), {"birth_date": "dob"}),
    ],
)
def test_three_columns_of_another_date_or_beside_a_whole_one_are_not(
    people: pl.DataFrame, names: tuple[str, ...], kept: dict[str, str]
) -> None:
    held = zip((*PARTS, "dob"), names, strict=False)
    frame = people.select("id", "last", *(pl.col(old).alias(new) for old, new in held))
    assert guess_fields(frame, frame.columns).roles == {"surname": "last", **kept}


def test_years_of_a_service_are_no_births(people: pl.DataFrame) -> None:
    frame = people.select("id", "last", year=pl.col("by").cast(pl.Int64) % 10 + 2010, month="bm", day="bd")
    assert guess_fields(frame, frame.columns).roles == {"surname": "last"}
    with pytest.raises(CasebridgeError, match="no column looks like"):
        guess_fields(frame.drop("last"), frame.drop("last").columns)


def test_the_nightly_scan_asks_for_one_column(tmp_path: Path) -> None:
    table = '[scan.tables.p]\nkey = "id"\nperson = "id"\ncolumns = ["last"]\n'
    people = f'[fields]\nbirth_date = ["by", "bm", "bd"]\n[scan]\nquery = "SELECT 1"\n{table}'
    (tmp_path / "linkage.toml").write_text(people, encoding="utf-8")
    with pytest.raises(SpecError, match=r"fields\.birth_date: must name one column of the query"):
        read_scans(tmp_path)
    further = '[registers.staff]\nkind = "professional"\n[registers.staff.fields]\nlogin = ["a", "b"]\n'
    further += table.replace("[scan.", "[registers.staff.scan.")
    text = people.replace('["by", "bm", "bd"]', '"born"') + further
    (tmp_path / "linkage.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SpecError, match=r"registers\.staff\.fields\.login: must name one column of the query"):
        read_scans(tmp_path)
