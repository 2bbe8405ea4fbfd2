"""Professionals: one declaration made of what is there; namesakes stay two; the figures."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.professionals import ROLES, make_professionals
from casebridge.dedupe.linkage import Fields, evaluate, link

FIELDS = Fields(id="id", roles=ROLES, kind="professional")
KIT = {
    "first": "Kit", "last": "Quillfeather", "title": "Social Worker", "team": "Adoption East",
    "organisation": "Tarnshire Council", "email": "kit.quillfeather@tarnshire.example", "phone": "01555 909090",
    "registration": "SW90909", "login": "KQUILL909",
}  # fmt: skip
OTHER = {"team": "Fostering West", "email": None, "phone": None, "registration": None, "login": None}
BO = {"first": "Bo", "last": "Vandersloot", "registration": None, "login": None}
CASES = {
    "again": {"login": "KQUILL910", "registration": "sw 90909", "first": "KIT"},
    "another team": {"team": "Fostering West", "login": None, "registration": None},
    "namesake": OTHER,
    "two registrations": {"registration": "SW80808"},
    "colleague of one line": {**BO, "email": None},
    "one mailbox": {**BO, "phone": None},
    "married": {"last": "Vandersloot", "login": None},
}  # fmt: skip
ONE = {"again", "another team"}


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    return make_professionals(1500, seed=1)


@pytest.mark.parametrize("case", CASES)
def test_two_of_one_name_are_one_only_by_what_is_their_own(made: pl.DataFrame, case: str) -> None:
    pair = [{"id": "a", "person": -1, **KIT}, {"id": "b", "person": -1, **KIT, **CASES[case]}]
    clusters = link(pl.concat([made.head(400), pl.DataFrame(pair, schema=made.schema)]), FIELDS).clusters
    whose = dict(clusters.iter_rows())
    assert (whose["a"] == whose["b"]) == (case in ONE)


def test_doubles_are_found_and_nothing_wrong_is_taken_for_sure(made: pl.DataFrame) -> None:
    judged = evaluate(link(made, FIELDS), made, FIELDS, "person")
    assert judged["proposed"]["f1"] > 0.96
    assert judged["same"]["precision"] > 0.995
