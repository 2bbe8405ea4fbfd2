"""Registers as bad as they come: a clear answer or a clear error, never a silent wrong model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, LinkOptions, RegisterError, evaluate, link, parse_fields, read_fields
from tests.linkage.registers_for_tests import fields_of

FIELDS = Fields(id="id", roles={"forename": "first", "surname": "last", "birth_date": "dob"})


def register(rows: int = 40, **columns: object) -> pl.DataFrame:
    base = make_register(rows, PLAIN, seed=1).select("id", "first", "last", "dob").head(rows)
    return base.with_columns(**columns)


def test_no_rows():
    with pytest.raises(RegisterError, match="no rows"):
        link(register().head(0), FIELDS)


def test_one_row():
    found = link(register().head(1), FIELDS)
    assert found.pairs.height == 0
    assert found.clusters.height == 1


def test_two_rows_alike():
    twice = register().head(1)
    found = link(pl.concat([twice, twice.with_columns(id=pl.lit("b")), register().tail(5)]), FIELDS)
    assert found.clusters.height == 7
    assert any("Fewer than 30" in w for w in found.model["warnings"])


def test_of_a_register_without_duplicates_no_more_is_said() -> None:
    """No share of its true pairs that is lost, and no column that speaks against them: it has none."""
    alone = make_register(2500, replace(PLAIN, duplicates=0.0), seed=4)
    found = link(alone, fields_of(PLAIN))
    assert found.pairs.filter(pl.col("p_same") > 0.5).height == 0
    said = ("Fewer than 30", "No blocking rule", "weighs less")
    assert [any(words in one for one in found.model["warnings"]) for words in said] == [True, False, False]


def test_all_rows_the_same():
    same = pl.DataFrame({"id": [str(n) for n in range(3000)], "first": "ANN", "last": "LEE", "dob": "1950-02-03"})
    with pytest.raises(RegisterError, match="more than one value"):
        link(same, FIELDS)


def test_almost_all_rows_the_same():
    names = pl.when(pl.int_range(pl.len()) < 10).then(pl.lit("ZOE")).otherwise(pl.lit("ANN"))
    same = pl.DataFrame({"id": [str(n) for n in range(3000)], "first": "ANN", "last": "LEE", "dob": "1950-02-03"})
    found = link(same.with_columns(first=names), FIELDS)
    assert any("one value only" in w for w in found.model["warnings"])
    assert found.diagnostics["cascade"]["candidates"] < 300_000


def test_repeated_ids():
    with pytest.raises(RegisterError, match="stand more than once"):
        link(register(id=pl.lit("7")), FIELDS)


def test_ids_missing():
    with pytest.raises(RegisterError, match="have no id"):
        link(register(id=pl.lit(None, dtype=pl.String)), FIELDS)


def test_absent_column():
    with pytest.raises(RegisterError, match="no column dob"):
        link(register().drop("dob"), FIELDS)


def test_empty_columns_are_left_out_and_named():
    found = link(register(60, dob=pl.lit(None, dtype=pl.String)), FIELDS)
    assert "birth_date" not in found.pairs.columns
    assert any("birth_date is empty" in w for w in found.model["warnings"])


def test_nothing_to_link_on():
    nothing = register(first=pl.lit(""), last=pl.lit("unknown"), dob=pl.lit("01/01/1900"))
    with pytest.raises(RegisterError, match="nothing to link on"):
        link(nothing, FIELDS)


def test_ninety_percent_missing():
    frame = make_register(4000, PLAIN, seed=2)
    random = np.random.default_rng(1)
    gone = [pl.when(pl.Series(random.random(frame.height) > 0.9)).then(pl.col(c)).alias(c) for c in PLAIN.columns]
    found = link(frame.with_columns(gone), fields_of(PLAIN))
    assert found.pairs.filter(pl.col("p_same") > 0.5).height < 20
    assert any("do not separate" in warning for warning in found.model["warnings"])


def test_a_very_long_value():
    long = "A" * 100_000
    frame = register(500).with_columns(
        last=pl.when(pl.int_range(pl.len()) < 3).then(pl.lit(long)).otherwise("last")
    )
    assert link(frame, FIELDS).clusters.height == 500


def test_names_that_are_not_latin():
    names = ["Ольга", "王小明", "محمد", "José", "Zoë", "Ἑλένη", "ナオミ", "नेहा"]
    rows = [
        {
            "id": f"{n}",
            "first": names[n % 8],
            "last": names[(n // 8) % 8],
            "dob": f"19{50 + n // 2 % 40}-0{1 + n % 7}-11",
        }
        for n in range(400)
    ]
    again = [{**rows[n], "id": f"again {n}"} for n in range(80)]
    found = link(pl.DataFrame(rows + again), FIELDS)
    best = found.pairs.filter(
        pl.col("right_id").str.starts_with("again") | pl.col("left_id").str.starts_with("again")
    )
    assert best.height >= 60


def test_many_people_of_one_surname():
    frame = make_register(12_000, PLAIN, seed=3).with_columns(last=pl.lit("SINGH"))
    frame = frame.with_columns(last=pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("KAUR")).otherwise("last"))
    found = link(frame, fields_of(PLAIN))
    assert found.diagnostics["cascade"]["candidates"] < 60 * frame.height


def test_a_date_that_a_system_fills_in_is_missing():
    """Half of the records hold it: as a value it would make pairs of everybody and tell nobody apart."""
    frame = make_register(20_000, PLAIN, seed=4)
    default = pl.when(pl.int_range(pl.len()) % 2 == 0).then(pl.lit("1970-01-01")).otherwise("dob").alias("dob")
    found = link(frame.with_columns(default), fields_of(PLAIN))
    assert sum(rule["pairs"] for rule in found.model["blocking"]["rules"]) < 60 * frame.height
    assert any("are a date that far more records hold" in warning for warning in found.model["warnings"])
    assert evaluate(found, frame, fields_of(PLAIN), "person")["proposed"]["f1"] > 0.9


def test_dates_of_few_days_are_no_defaults():
    """Children of one month: each day is held by many, and none by far more than others."""
    frame = make_register(2_000, PLAIN, seed=4)
    day = pl.format("2020-03-{}", (pl.col("person") % 28 + 1).cast(pl.String).str.zfill(2))
    found = link(frame.with_columns(dob=day), fields_of(PLAIN))
    assert not any(warning.startswith("birth_date:") for warning in found.model["warnings"])


def test_whole_numbers_and_dates_as_columns():
    frame = make_register(1200, PLAIN, seed=6)
    typed = frame.with_columns(
        pl.col("dob").str.to_date(strict=False), pl.col("nhs").cast(pl.Int64), pl.col("phone").cast(pl.Int64)
    )
    typed = typed.with_columns(id=pl.int_range(pl.len()))
    plain = frame.with_columns(
        id=pl.int_range(pl.len()), dob=pl.col("dob").str.to_date(strict=False).cast(pl.String)
    )
    assert link(typed, fields_of(PLAIN)).pairs.equals(link(plain, fields_of(PLAIN)).pairs)


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        ("person", {"forename": "f", "surname": "s"}), ("address", {"line_1": "f", "street": "s"}),
        ("organisation", {"name": "f", "address": "s"}),
    ],
)  # fmt: skip
def test_bytes_that_are_no_text_are_refused_by_the_name_of_their_column(kind, roles):
    frame = pl.DataFrame(
        {"id": range(6), "f": ["Ann", "Bo", "Cy"] * 2, "s": [b"\xff" + bytes([n]) for n in range(6)]}
    )
    with pytest.raises(RegisterError, match="Column s holds bytes that are no UTF-8 text"):
        link(frame, Fields(id="id", roles=roles, kind=kind))


def test_link_only_needs_two_sources():
    fields = Fields(id="id", roles=FIELDS.roles, source="system", link_only=True)
    with pytest.raises(RegisterError, match="two sources"):
        link(register(system=pl.lit("A")), fields)


def test_rules_are_checked():
    with pytest.raises(RegisterError, match="No blocking key 'shoe_size'"):
        link(register(), FIELDS, LinkOptions(rules=(("shoe_size",),)))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"id": "id", "fields": {"forname": "first"}}, "did you mean 'forename'"),
        ({"id": "id", "fileds": {}}, "did you mean 'fields'"),
        ({"fields": {"forename": "first"}}, "id is missing"),
        ({"id": "id"}, "both empty"),
        ({"id": "id", "other": {"relation": "a"}}, "uses itself"),
        ({"id": "id", "fields": {"forename": 3}}, "must be the name of a column"),
        ({"id": "id", "fields": {"birth_date": ["y", 3, "d"]}}, "must be the name of a column"),
        (
            {"id": "id", "fields": {"birth_date": ["y", "m"]}},
            "names 2 columns: a role takes one, a date",
        ),
        ({"id": "id", "fields": {"birth_date": []}}, "names 0 columns"),
        ({"id": "id", "fields": {"birth_date": ["y", "m", "m"]}}, "m is named for birth_date and birth_date"),
        (
            {"id": "id", "fields": {"birth_date": ["y", "m", "d"]}, "other": {"day": "d"}},
            "d is named for birth_date and day",
        ),
        ({"id": "id", "fields": {"forename": ["a", "b", "c"]}}, "forename takes one column: only a date"),
        ({"id": "id", "other": {"born": ["y", "m", "d"]}}, "must be the name of a column"),
        ({"id": "id", "link_only": True, "fields": {"forename": "f"}}, "link_only needs source"),
    ],
)
def test_field_lists(raw, message):
    with pytest.raises(RegisterError, match=message):
        parse_fields(raw)


def test_fields_toml(tmp_path):
    path = tmp_path / "FIELDS.toml"
    path.write_text('id = "id"\nsource = "system"\n[fields]\nforename = "first"\n[other]\njob = "job"\n')
    assert read_fields(path) == Fields(id="id", roles={"forename": "first"}, other={"job": "job"}, source="system")
    path.write_text("id = ")
    with pytest.raises(RegisterError, match="not readable as TOML"):
        read_fields(path)


def test_errors_and_diagnostics_name_nobody():
    frame = make_register(2000, PLAIN, seed=9)
    found = link(frame, fields_of(PLAIN))
    told = str(found.model) + str(found.diagnostics)
    for column in ("nhs", "phone", "postcode"):
        assert not any(value in told for value in frame[column].drop_nulls().head(300))
