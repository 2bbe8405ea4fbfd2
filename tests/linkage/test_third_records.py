"""What a third record says of a pair."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN, VARIANTS
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import LinkOptions, link
from casebridge.dedupe.linkage.model.third_records import (
    BOTH,
    DIVIDED,
    LABELS,
    MOST_LINKS,
    NULL,
    ONE,
    START,
    Links,
    PairLookup,
    ThirdRecords,
    bound_pairs,
    fit_thirds,
    third_levels,
)
from tests.linkage.registers_for_tests import fields_of

MANY = replace(PLAIN, duplicates=0.4, more_copies=0.45)


def rows(*given: int):
    return np.array(given, dtype=np.int32)


def any_pair(left, _):
    return np.ones(len(left), dtype=bool)


def said_of(pairs: dict[tuple[int, int], float], left: int, right: int, allowed=any_pair) -> int:
    """What third records say of a pair, where `pairs` were kept with these p."""
    a, b, p = rows(*(k[0] for k in pairs)), rows(*(k[1] for k in pairs)), np.array(list(pairs.values()))
    links = Links.of(100, a[p >= 0.95], b[p >= 0.95])
    found = [third_levels(links, PairLookup.of(a, b, p), allowed, rows(*x), rows(*y)) for x, y in
             (((left,), (right,)), ((right,), (left,)))]  # fmt: skip
    assert found[0] == found[1]
    return int(found[0][0])


@pytest.mark.parametrize(
    ("pairs", "level"),
    [
        ({(0, 1): 0.5, (0, 2): 0.99, (1, 2): 0.96}, BOTH),
        ({(0, 1): 0.5, (0, 2): 0.99, (1, 2): 0.4}, NULL),
        ({(0, 1): 0.5, (0, 2): 0.99, (1, 2): 0.05}, ONE),
        ({(0, 1): 0.5, (0, 2): 0.99}, ONE),
        ({(0, 1): 0.5, (0, 2): 0.94}, NULL),
        ({(0, 1): 0.5}, NULL),
        ({(0, 1): 0.5, (0, 2): 0.99, (1, 2): 0.99, (0, 3): 0.99}, DIVIDED),
    ],
)
def test_what_a_third_record_says(pairs, level):
    assert said_of(pairs, 0, 1) == level


def test_a_pair_that_may_not_meet_says_nothing():
    assert said_of({(0, 1): 0.5, (0, 2): 0.99}, 0, 1, lambda a, b: np.minimum(a, b) != 1) == NULL


def test_a_record_like_many_others_says_nothing():
    alike = {(0, n): 0.99 for n in range(2, MOST_LINKS + 3)}
    assert said_of({(0, 1): 0.5, **alike}, 0, 1) == NULL


def test_bound_pairs_are_those_not_kept():
    links = Links.of(10, rows(0, 0, 0), rows(1, 2, 5))
    seen = PairLookup.of(rows(0, 0, 0, 1), rows(1, 2, 5, 2), np.array([0.99, 0.99, 0.99, 0.3]))
    left, right = bound_pairs(links, seen, any_pair)
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(1, 5), (2, 5)]
    assert not len(bound_pairs(links, seen, lambda a, _: np.zeros(len(a), dtype=bool))[0])


def test_chances_are_found_again():
    random = np.random.default_rng(3)
    p = random.beta(0.4, 0.6, 40_000)
    same = random.random(len(p)) < p
    truth = np.array([[0.7, 0.1, 0.2], [0.02, 0.03, 0.95]])
    level = np.where(same, random.choice(3, len(p), p=truth[0]), random.choice(3, len(p), p=truth[1]))
    fitted = fit_thirds(p, level.astype(np.uint8))
    np.testing.assert_allclose(fitted.chances, truth, atol=0.015)
    assert fitted.pairs == len(p)


def test_without_third_records_the_starting_beliefs_stand():
    fitted = fit_thirds(np.array([0.3]), np.array([NULL], dtype=np.uint8))
    np.testing.assert_allclose(fitted.chances, START)
    assert ThirdRecords(START, 0).shift(np.array([NULL], dtype=np.uint8))[0] == 0


def test_sure_links_are_never_taken_to_be_always_right():
    """Not one pair of two people was bound by a third record. Of two thousand that says little: two in a thousand
    may be, and more than nine bits the word of a third record never weighs."""
    p, level = np.repeat([0.02, 0.9], 2000), np.repeat([ONE, BOTH], 2000)
    fitted = fit_thirds(p, level.astype(np.uint8))
    assert fitted.chances[1, BOTH] > 0.0019
    assert fitted.shift(np.array([BOTH], dtype=np.uint8))[0] < 9 * np.log(2)


def test_a_register_never_takes_its_sure_links_to_be_always_right():
    """One in which third records bind no two people wrongly, as far as can be seen."""
    kind = replace(VARIANTS["postcode only"], duplicates=0.4, more_copies=0.45)
    told = link(make_register(5000, kind, seed=5), fields_of(kind)).model["third_record"]
    assert told["pairs"] > 300
    assert told["levels"][BOTH]["u"] > 0.0019
    assert told["levels"][BOTH]["bits"] < 9


@pytest.fixture(scope="module")
def frame():
    return make_register(8000, MANY, seed=5)


@pytest.fixture(scope="module")
def linkage(frame):
    return link(frame, fields_of(MANY))


def judged(frame: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    who = frame.select("id", "person")
    return pairs.join(who.rename({"id": "left_id", "person": "a"}), on="left_id").join(
        who.rename({"id": "right_id", "person": "b"}), on="right_id"
    )


def test_third_records_tell_the_truth(frame, linkage):
    """Of the pairs they speak of. How many of the pairs they speak against are one person hangs on how many pairs
    of two people are kept, and a better model keeps fewer: so each kind is looked at by itself."""
    told = judged(frame, linkage.pairs).filter(pl.col("third_record").is_not_null())
    told = told.with_columns(same=pl.col("a") == pl.col("b"))

    def share(label: str, same: bool) -> float:
        return (told.filter(pl.col("same") == same)["third_record"] == label).mean()

    assert share(LABELS[ONE], same=True) < 0.2 * share(LABELS[ONE], same=False)
    assert share(LABELS[BOTH], same=True) > 20 * share(LABELS[BOTH], same=False)
    against = told.filter(pl.col("third_record") == LABELS[ONE])
    assert against["same"].mean() == pytest.approx(against["p_same"].mean(), abs=0.08)


def test_a_third_record_against_a_pair_leaves_none_sure(linkage):
    """What is sure by itself is not asked."""
    against = linkage.pairs.filter(pl.col("third_record") == LABELS[ONE])
    assert len(against) > 100
    assert against["p_same"].max() < 0.95


def test_pairs_that_may_not_meet_are_not_bound(frame, linkage):
    bound = linkage.pairs.filter(pl.col("third_record") == LABELS[BOTH]).head(5)
    apart = list(bound.select("left_id", "right_id").iter_rows())
    assert apart
    again = link(frame, fields_of(MANY), LinkOptions(not_pairs=apart)).pairs
    assert not set(apart) & set(again.select("left_id", "right_id").iter_rows())


def test_a_decision_breaks_the_bond(frame, linkage):
    """Of a - c and c - b the first was decided different: c says nothing for a - b any more."""
    bound = linkage.pairs.filter(pl.col("third_record") == LABELS[BOTH]).row(0, named=True)
    sure = linkage.pairs.filter(pl.col("p_same") >= 0.95)
    near = [pair for pair in sure.select("left_id", "right_id").iter_rows() if bound["left_id"] in pair]
    again = link(frame, fields_of(MANY), LinkOptions(different_pairs=near)).pairs
    ends = {bound["left_id"], bound["right_id"]}
    now = [r["third_record"] for r in again.iter_rows(named=True) if {r["left_id"], r["right_id"]} == ends]
    assert LABELS[BOTH] not in now
