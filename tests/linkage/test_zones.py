"""Three zones: clusters join what is the same; what a person must look at is never joined."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import LinkOptions, RegisterError, evaluate, link
from casebridge.dedupe.linkage.clusters import Edges, build_clusters
from casebridge.dedupe.linkage.comparisons.levels import SURE
from casebridge.dedupe.linkage.fields import SWITCHES
from casebridge.dedupe.linkage.kinds.guards import TWINS
from casebridge.dedupe.linkage.scoring.zones import with_zones, zones
from tests.linkage.registers_for_tests import fields_of

FIELDS = fields_of(PLAIN)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return make_register(4000, replace(PLAIN, twins=0.03), seed=21)


@pytest.fixture(scope="module")
def plain(frame):
    return link(frame, FIELDS)


def test_each_step_can_be_left_out_to_be_measured():
    frame = make_register(1200, replace(PLAIN, twins=0.05), seed=21)
    bare = link(frame, FIELDS, LinkOptions(without=frozenset(SWITCHES)))
    assert bare.model["namesakes"] is bare.model["calibration"] is None
    assert all(component.least == 0 for component in bare.fitted.components)
    nothing_known = np.array([[len(labels) for labels in bare.fitted.labels]], dtype=np.uint8)
    assert bare.fitted.background.log_joint(nothing_known) < -1e6
    assert bare.model["third_record"]["pairs"] == 0
    assert (bare.pairs.filter(pl.col("zone") == "review")["p_same"] >= bare.model["thresholds"]["propose"]).all()
    with pytest.raises(RegisterError, match="Unknown step 'twin cups'"):
        LinkOptions(without=frozenset({"twin cups"}))


def test_zone_of_each_pair():
    p, doubt = np.array([0.99, 0.949, 0.949, 0.3, 0.02, 0.99]), np.array([False, True, False, False, True, True])
    none = np.zeros(6, dtype=bool)
    assert zones(p, doubt, 0.5, none, none).tolist() == [0, 1, 1, 2, 1, 1]
    assert zones(p, doubt, 0.98, none, none).tolist() == [0, 1, 2, 2, 1, 1]
    assert zones(p, doubt, 1.0, none, none).tolist() == [2, 1, 2, 2, 1, 1]
    last = np.arange(6) == 5
    assert zones(p, doubt, 0.5, last, none)[5] == 0
    assert zones(p, doubt, 0.5, none, last)[5] == 2


def test_clusters_join_the_same_only(plain):
    of = dict(plain.clusters.iter_rows())
    apart = plain.pairs.filter(pl.col("zone") == "same", pl.col("guard").is_null())
    assert all(of[a] == of[b] for a, b in apart.select("left_id", "right_id").iter_rows())
    joined = plain.pairs.filter(pl.col("zone") == "same").select("left_id", "right_id").iter_rows()
    bound: dict[str, set[str]] = {}
    for a, b in joined:
        bound.setdefault(a, set()).add(b)
        bound.setdefault(b, set()).add(a)
    several = plain.clusters.filter(pl.len().over("cluster") > 1)["id"]
    assert len(several) > 100
    assert all(person in bound for person in several)


def test_twins_are_for_a_person_to_decide(frame, plain):
    person = {i: (p, t) for i, p, t in frame.select("id", "person", "twin").iter_rows()}
    of = dict(plain.clusters.iter_rows())
    twins = [
        (a, b, p, zone)
        for a, b, p, zone in plain.pairs.select("left_id", "right_id", "p_same", "zone").iter_rows()
        if person[a][1] == person[b][0] or person[b][1] == person[a][0]
    ]
    assert twins
    assert all(of[a] != of[b] for a, b, _, _ in twins)
    assert all(zone != "same" for _, _, _, zone in twins)
    review = plain.pairs.filter(pl.col("zone") == "review")
    assert review.height
    assert review["p_same"].max() < SURE


def test_what_was_decided_has_its_zone(frame, plain):
    same = plain.pairs.filter(pl.col("zone") == "same").select("left_id", "right_id").head(5).rows()
    review = plain.pairs.filter(pl.col("zone") == "review").select("left_id", "right_id").head(5).rows()
    again = link(frame, FIELDS, LinkOptions(same_pairs=review, different_pairs=same))
    zone = {(a, b): z for a, b, z in again.pairs.select("left_id", "right_id", "zone").iter_rows()}
    assert {zone[pair] for pair in review} == {"same"}
    assert {zone[pair] for pair in same} == {"apart"}


def test_evaluation_says_what_it_counts(frame, plain):
    found = evaluate(plain, frame, FIELDS, "person")
    assert found["same"]["counts"] == "pairs in the zone same"
    assert "review" in found["proposed"]["counts"]
    assert found["same"]["precision"] >= found["proposed"]["precision"] - 0.01
    assert found["same"]["recall"] <= found["proposed"]["recall"]


def test_a_pair_that_a_guard_cut_is_for_a_person():
    pairs = pl.DataFrame({"left_id": ["a", "b", "c"], "right_id": ["b", "c", "d"]})
    cut = pl.DataFrame({"left_id": ["c"], "right_id": ["b"], "guard": [TWINS]})
    found = with_zones(pairs, np.array([0, 0, 2], dtype=np.uint8), cut)
    assert found["zone"].to_list() == ["same", "review", "apart"]
    assert found["guard"].to_list() == [None, TWINS, None]


def test_numbers_that_a_person_saw_keep_nobody_apart():
    """A = B = C with different numbers of A and C: cut, unless somebody decided A = C."""
    numbers = np.array([11, 0, 22], dtype=np.uint64)

    def of(*pairs: tuple[int, int]) -> list[int]:
        left, right = (np.array(side) for side in zip(*pairs, strict=True))
        return build_clusters(
            3, Edges(left, right, np.full(len(pairs), 2.0)), {}, {"numbers": numbers}
        ).of.tolist()

    assert of((0, 1), (1, 2)) == [0, 0, 2]
    assert of((0, 2)) == [0, 1, 0]
    assert of((0, 1), (0, 2), (1, 2)) == [0, 0, 0]
