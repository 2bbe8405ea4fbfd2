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
FEW = ["Abdi", "Ahmed", "Amina", "Fadumo", "Hassan", "Hodan", "Ibrahim", "Khadija", "Maryan", "Mohamed", "Sagal"]
SURNAMES = ["Ali", "Dirie", "Elmi", "Farah", "Guled", "Hussein", "Jama", "Nur", "Omar", "Osman", "Roble"]


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


def people_by_postcode(seed: int) -> tuple[pl.DataFrame, set[frozenset[str]]]:
    """Mothers with two children each, 1 birth in 50 of twins; a dozen forenames and surnames in use, and ten homes
    share a postcode. One record in five has a copy, some with a gap, a slip in the surname, another postcode, or
    forename and surname changed about. And the ids of twins."""
    random = np.random.default_rng(seed)
    people: list[tuple[str, str, str, str]] = []
    twins: set[frozenset[str]] = set()
    for _ in range(1000):
        surname, postcode = (
            random.choice(SURNAMES),
            f"TN1 {random.integers(10)}A{'BDEFGHJLNP'[random.integers(10)]}",
        )
        born = np.datetime64("1985-01-01") + int(random.integers(12_000))
        later = 0 if random.random() < 0.02 else int(random.integers(300, 3000))
        names = random.choice(FEW, 3, replace=False).tolist()
        days = (born - int(random.integers(7_000, 13_000)), born, born + later)
        people += [(name, surname, str(day), postcode) for name, day in zip(names, days, strict=True)]
        if not later:
            twins.add(frozenset((str(len(people) - 2), str(len(people) - 1))))
    rows = [(str(n), *person) for n, person in enumerate(people)]
    for n, (forename, surname, day, postcode) in enumerate(people):
        if random.random() < 0.2:
            home = postcode if random.random() < 0.7 else f"WH1 {random.integers(10)}XY"
            first, last = (surname, forename) if random.random() < 0.02 else (forename, surname)
            last = last[:-1] if random.random() < 0.04 else last
            rows.append((f"{n}-copy", first, last, day if random.random() < 0.95 else None, home))
    return pl.DataFrame(rows, schema=["id", "forename", "surname", "born", "postcode"], orient="row"), twins


def test_twins_who_share_a_postcode_are_not_put_forward() -> None:
    """Where no house is held a shared postcode is all that shows a home."""
    frame, twins = people_by_postcode(3)
    found = link(frame, Fields("id", {**ROLES, "postcode": "postcode"}))
    put_forward = found.pairs.filter(pl.col("p_same") >= found.model["thresholds"]["propose"])
    of_twins = [pair for pair in put_forward.select("left_id", "right_id").rows() if frozenset(pair) in twins]
    assert put_forward.height > 300
    assert len(of_twins) <= 0.1 * len(twins)
