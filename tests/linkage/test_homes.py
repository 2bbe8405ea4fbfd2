"""Who shares a home, an e-mail provider or a birth is not one person, and who stands twice is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks import names_in_use as names
from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.evaluation.diagnosis import m_and_u
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.reading import read_register
from tests.linkage.registers_for_tests import fields_of

FORENAMES = [*names.BRITISH_WOMEN, *names.BRITISH_MEN]


def homes(many: int, seed: int) -> pl.DataFrame:
    """Families of one surname, postcode and phone, forenames all different; one in ten stands twice."""
    random, rows = np.random.default_rng(seed), []
    for home in range(many):
        called = random.choice(FORENAMES, size=int(random.integers(2, 5)), replace=False).tolist()
        surname, postcode = str(random.choice(names.BRITISH_SURNAMES)), f"TN{home % 30} {home // 30}QQ"
        rows += [(name, surname, postcode, f"07{home * 7_919_317 % 10**9:09}") for name in called]
    again = random.choice(len(rows), size=len(rows) // 10, replace=False).tolist()
    made = pl.DataFrame(
        [*rows, *(rows[n] for n in again)], ["forename", "surname", "postcode", "phone"], orient="row"
    )
    return made.with_columns(
        id=pl.int_range(made.height).cast(pl.String), person=pl.Series([*range(len(rows)), *again])
    )


@pytest.mark.parametrize("shared", ["postcode", "phone"])
def test_who_stands_twice_is_found_where_nothing_but_names_and_a_home_is_held(shared):
    """A home's people share all but the forename; who shares it too is no household."""
    made, fields = homes(300, seed=3), Fields("id", {name: name for name in ("forename", "surname", shared)})
    found = evaluate(link(made, fields), made, fields, "person")
    assert found["best"]["f1"] > 0.95
    assert found["proposed"]["precision"] >= 0.95


def test_two_numbers_of_one_person_are_a_mistake():
    """A register full of twins does not teach the model that one person has two NHS numbers."""
    variant = replace(PLAIN, twins=0.3)
    made = make_register(1500, variant, seed=4)
    called = made.select(twin="person", of_twin="first").unique("twin", keep="first", maintain_order=True)
    alike = pl.col("of_twin").str.head(-1) + "x"
    made = made.join(called, "twin", "left").with_columns(first=alike.fill_null(pl.col("first"))).drop("of_twin")
    model = link(made, fields_of(variant)).fitted
    place = model.comparisons.index("nhs_number")
    two = model.labels[place].index("two different valid NHS numbers")
    assert m_and_u(model, place)[0][two] < 0.1


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("ann.lee12@post.example", "ann.lee12@post.example", "same e-mail address"),
        ("ann.lee12@post.example", "ann.lee12@web.example", "same name before the @"),
        ("ann.lee12@post.example", "an.lee12@pots.example", "e-mail address spelled closely"),
        ("ann.lee12@post.example", "ann.lee47@post.example", "e-mail addresses differ"),
        ("christopher.hughes6@mail.example", "christopher.blackwood6@mail.example", "e-mail addresses differ"),
    ],
)  # fmt: skip
def test_e_mail_addresses_of_one_provider(one, other, said):
    """What is alike in them beyond slips is names and the provider."""
    emails = [one, other, "zoe@web.example"]
    rows = pl.DataFrame({"id": ["a", "b", "c"], "forename": ["Ann", "Anne", "Zoe"], "email": emails})
    register = read_register(rows, Fields("id", {"forename": "forename", "email": "email"}), PERSON)
    email = next(c for c in comparisons_for(register) if c.name == "email")
    left, right = (register.rows_of([one]).astype(np.int32) for one in ("a", "b"))
    level = email.full(*register.sides(left, right))
    assert email.labels()[int(level[0])] == f"{said}, forenames alike"


@pytest.mark.parametrize(
    ("other", "said"),
    [("James", "sex differs, forename the same"), ("Janice", "sex differs"), ("Zoe", "sex differs")],
)
def test_a_forename_tells_the_sex_only_where_it_is_the_same(other, said):
    rows = pl.DataFrame({"id": ["a", "b"], "forename": ["James", other], "sex": ["M", "F"]}).vstack(
        pl.DataFrame({"id": ["c"], "forename": ["Ann"], "sex": ["F"]})
    )
    register = read_register(rows, Fields("id", {"forename": "forename", "sex": "sex"}), PERSON)
    sex = next(c for c in comparisons_for(register) if c.name == "sex")
    left, right = (register.rows_of([one]).astype(np.int32) for one in ("a", "b"))
    assert sex.labels()[int(sex.full(*register.sides(left, right))[0])] == said
