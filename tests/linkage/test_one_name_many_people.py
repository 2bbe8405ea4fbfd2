"""Namesakes who live near one another are strangers: a community of few names in one street."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.dedupe.linkage.kinds.person import PERSON
from tests.linkage.registers_for_tests import fields_of


@pytest.mark.parametrize(("first", "last", "sex"), [("Shabnam", "Bibi", "F"), ("Tomos", "Prydderch", "M")])
def test_namesakes_of_one_street_are_not_put_forward(first: str, last: str, sex: str) -> None:
    base = make_register(2_500, PLAIN, seed=61).select("id", "person", *PLAIN.columns).cast(pl.String)
    rows = [
        {
            "id": f"street/{n}", "person": f"street/{n}", "first": first, "last": last, "sex": sex,
            "dob": f"{1979 + n % 7}-{1 + n * 5 % 12:02}-{1 + n * 11 % 28:02}", "house": str(n + 1),
            "street": "Tannery Row", "postcode": f"SK4 {n % 9}QD", "phone": f"0774{n:03}{(n * 7919) % 10000:04}",
        }
        for n in range(50)
    ]  # fmt: skip
    added = pl.DataFrame(
        [{name: row.get(name) for name in base.columns} for row in rows], schema=base.schema, strict=False
    )
    found = link(pl.concat([base, added]), fields_of(PLAIN))
    street = found.pairs.filter(
        pl.col("left_id").str.starts_with("street/") & pl.col("right_id").str.starts_with("street/")
    )
    threshold = found.model["thresholds"]["propose"]
    assert street.filter(pl.col("p_same") >= threshold).height <= 10  # of 1,225
    clusters = found.clusters.filter(pl.col("id").str.starts_with("street/"))
    assert clusters["cluster"].n_unique() >= 45


def test_a_role_named_as_a_free_column_is_read_as_the_role() -> None:
    """E-mail was a free column before it was a role; files that name it so say what they said."""
    frame = make_register(600, PLAIN, seed=4).with_columns(
        email=pl.concat_str(pl.col("first").str.to_lowercase(), pl.lit("."), "person", pl.lit("@mail.example"))
    )
    free = Fields(id="id", roles={"surname": "last", "birth_date": "dob"}, other={"email": "email"})
    role = Fields(id="id", roles={"surname": "last", "birth_date": "dob", "email": "email"})
    assert PERSON.placed(free) == role
    assert evaluate(link(frame, free), frame, free, "person") == evaluate(link(frame, role), frame, role, "person")
