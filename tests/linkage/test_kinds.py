"""A kind of entity that is declared from outside, by the public names alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

import casebridge
from casebridge import Blocking, Chance, Fields, Guards, Profile, RegisterError, plain_kind, text_column

PROFILES = (Profile("one", "same", 0.1), Profile("fleet", "fleet", 0.1, carried_by=("owner",)))
VEHICLE = plain_kind(
    "vehicle",
    [
        text_column("plate", PROFILES, names_one=True),
        *(text_column(r, PROFILES) for r in ("model", "owner", "colour")),
    ],
    Blocking(ladders=(((("plate",),),), ((("owner",),), (("owner", "model"),)))),
    PROFILES,
    Chance(0.8, like="fleet"),
)
FIELDS = Fields(id="id", roles={"plate": "plate", "model": "model", "owner": "owner", "colour": "colour"})


@pytest.fixture(scope="module")
def vehicles() -> pl.DataFrame:
    """Fleets of ten and vehicles of one owner; one in three entered twice, one in four of these has no plate."""
    random = np.random.default_rng(4)
    rows = []
    for number in range(900):
        owner = f"Owner {number // 10 if number < 400 else number}"
        told = [f"AB{number:04}X", f"Model {random.integers(40)}", owner, f"Colour {random.integers(9)}"]
        rows.append((number, *told))
        if random.random() < 0.33:
            rows.append((number, *([None, *told[1:]] if random.random() < 0.25 else told)))
    frame = pl.DataFrame(rows, schema=["truth", "plate", "model", "owner", "colour"], orient="row")
    return frame.with_columns(id=pl.int_range(pl.len()).cast(pl.String))


@pytest.fixture(scope="module")
def linkage(vehicles: pl.DataFrame) -> casebridge.Linkage:
    return casebridge.link(vehicles, FIELDS, kind=VEHICLE)


def test_a_third_kind_is_linked_by_its_declaration_alone(vehicles, linkage):
    judged = casebridge.evaluate(linkage, vehicles, FIELDS, "truth")["proposed"]
    assert judged["precision"] > 0.98
    assert judged["recall"] > 0.74  # plates that agree are three in four of the copies
    assert {c["name"] for c in linkage.model["comparisons"]} == {"plate", "model", "owner", "colour"}
    assert {c["relation"] for c in linkage.model["components"]} == {"same", "fleet", "chance"}
    assert set(linkage.pairs["relation"].to_list()) <= {"same", "fleet", "chance"}


def test_its_guard_is_heard(vehicles):
    """Whatever is green is for a person."""

    def doubt(comparisons, levels):
        place = [one.name for one in comparisons].index("colour")
        return levels[:, place] < comparisons[place].null

    guards = Guards(doubt, lambda _register: {}, "green ones", {"wheels": "No wheels: nothing rolls."})
    found = casebridge.link(vehicles, FIELDS, kind=replace(VEHICLE, guards=guards))
    assert found.pairs.filter(pl.col("colour").is_not_null())["p_same"].max() < 0.95
    assert "No wheels: nothing rolls." in found.model["warnings"]


def test_roles_of_another_kind_are_refused(vehicles):
    with pytest.raises(RegisterError, match="Unknown role 'plate'"):
        casebridge.link(vehicles, FIELDS)
    with pytest.raises(RegisterError, match="Unknown role 'surname'"):
        casebridge.link(vehicles, replace(FIELDS, roles={"surname": "owner"}), kind=VEHICLE)


def test_a_declaration_that_is_wrong_is_refused():
    with pytest.raises(RegisterError, match="The first profile must be of one entity"):
        replace(VEHICLE, profiles=PROFILES[::-1])
    with pytest.raises(RegisterError, match="No attribute has the blocking part wheels"):
        replace(VEHICLE, blocking=replace(VEHICLE.blocking, further=(("wheels",),)))
