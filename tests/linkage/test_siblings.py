"""Brothers and sisters tell how many twins there are, where nothing else tells a twin from one person."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from benchmarks.thin import COLUMNS, TROUBLE, thin_register
from casebridge.dedupe.linkage import Fields, link
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.kinds.siblings import twins_expected
from casebridge.dedupe.linkage.register.reading import read_register

ROLES = {"forename": "forename", "surname": "surname", "birth_date": "born"}


def families(count: int, apart: int, named: str = "forename{0}") -> pl.DataFrame:
    """Two children a family, the second `apart` days after the first; families have their surnames for
    themselves."""
    born = np.datetime64("1950-01-01") + np.random.default_rng(3).integers(0, 20_000, count)
    rows = [
        (f"{family}-{child}", named.format(chr(97 + child) * 3), f"family{family}", str(day + child * apart))
        for family, day in enumerate(born)
        for child in range(2)
    ]
    return pl.DataFrame(rows, schema=["id", *ROLES.values()], orient="row")


def expected(frame: pl.DataFrame, *without: str) -> float:
    roles = {role: column for role, column in ROLES.items() if role not in without}
    return twins_expected(read_register(frame, Fields("id", roles), PERSON))


def test_for_twenty_pairs_of_siblings_a_pair_of_twins():
    assert expected(families(400, 1000)) == pytest.approx(20, abs=0.5)


@pytest.mark.parametrize("apart", [0, 5, 200, 5000])
def test_who_is_no_sibling_tells_nothing(apart):
    assert expected(families(400, apart)) == 0


def test_records_of_one_name_are_no_siblings():
    assert expected(families(400, 1000, "forename")) == 0


@pytest.mark.parametrize("role", list(ROLES))
def test_without_names_and_dates_nothing_is_told(role):
    assert expected(families(50, 1000), role) == 0


def test_one_row_has_no_siblings():
    assert expected(families(400, 1000).head(1)) == 0


@pytest.mark.parametrize("columns", ["names, date", "names, date, town"])
def test_twins_are_not_put_forward_where_little_else_is_held(columns):
    frame, fields = thin_register(COLUMNS[columns], 1000, TROUBLE["plain"], 5)
    found = link(frame, fields)
    put = found.pairs.filter(pl.col("p_same") >= found.model["thresholds"]["propose"])
    alike = put.filter(pl.col("birth_date").cast(pl.String).str.contains("^same birth date"))
    unlike = alike.filter(pl.col("forename").cast(pl.String) == "forename differs")
    assert put.height > 100
    assert unlike.height <= 1
