"""Quality that can be stated: samples without bias, intervals that hold the truth, budgets that are refused."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebridge.dedupe.quality.agreement import agreement
from casebridge.dedupe.quality.estimates import Seen, found_share, share_of
from casebridge.dedupe.quality.sampling import Share, draw, plan_for
from casebridge.dedupe.quality.strata import APART, MERGED, Candidate, strata_of
from casebridge.project.errors import CasebridgeError
from tests.dedupe.councils_for_quality import made_up_council, stated


def test_the_stated_intervals_hold_the_truth_in_93_of_100_made_up_councils() -> None:
    right = found = 0
    for seed in range(100):
        council = made_up_council(seed)
        precision, recall, _ = stated(council, seed)
        right += precision.low <= council.precision <= precision.high
        found += recall.low <= council.recall <= recall.high
        assert precision.high - precision.low <= 0.02, "what the plan promised"
    assert (right >= 93, found >= 93) == (True, True), (right, found)


def test_an_estimate_over_all_draws_is_the_truth() -> None:
    """Every draw of 2 of 4 and 3 of 6: the mean of the estimates is the share itself, though the draw is
    uneven."""
    small, large = (True, False, False, False), (True, True, True, False, True, True)
    estimates = [
        share_of([Seen("a", 4, 2, sum(one)), Seen("b", 6, 3, sum(other))])
        for one in combinations(small, 2) for other in combinations(large, 3)
    ]  # fmt: skip
    mean = sum(one.share for one in estimates if one) / len(estimates)
    assert mean == pytest.approx(6 / 10)


def pairs(count: int, outcome: str = MERGED, p: float | None = 0.97, level: str | None = None) -> list[Candidate]:
    return [Candidate(f"l{outcome}{n}{p}{level}", f"r{n}", outcome, p, level) for n in range(count)]


def test_every_pair_is_in_one_stratum_and_what_is_missing_is_one_of_its_own() -> None:
    everything = [*pairs(100), *pairs(50, level="same NHS number"), *pairs(40, p=None), *pairs(3, p=0.6)]
    strata = strata_of(everything)
    assert sum(one.size for one in strata) == len(everything)
    assert len({(p.left_id, p.right_id) for one in strata for p in one.pairs}) == len(everything)
    names = " | ".join(one.name for one in strata)
    assert "NHS number missing" in names
    assert "no score" in names
    assert "merged: p 0.9 to 0.99, NHS number missing" in names
    assert all(one.size >= 30 for one in strata)
    apart = strata_of([*pairs(40), *pairs(40, APART, 0.2), *pairs(1, APART, 0.3, "same NHS number")])
    assert [one.outcome for one in apart] == [APART, MERGED]


def test_a_budget_that_cannot_give_the_margin_is_refused_and_the_smallest_is_named() -> None:
    strata = strata_of(pairs(5_000))
    plan = plan_for(strata, 0.01)
    assert plan.margin <= 0.01
    assert 500 < plan.total < 1_000  # 1.96² · 0.02 · 0.98 / 0.01² = 753 of an endless register, 97 in 100 expected
    with pytest.raises(CasebridgeError, match="cannot say it to 1 points") as refused:
        plan_for(strata, 0.01, budget=plan.total - 1)
    assert f"{plan.total:,}" in str(refused.value.hint)
    assert plan_for(strata, 0.01, budget=plan.total).total == plan.total
    with pytest.raises(CasebridgeError, match="no pairs"):
        plan_for([], 0.01)


@given(st.permutations(pairs(60)), st.integers(1, 60))
def test_a_draw_is_the_same_whatever_the_order_and_a_larger_one_holds_it(
    rows: list[Candidate], count: int
) -> None:
    (one,), (other,) = strata_of(rows), strata_of(pairs(60))
    drawn = draw(Share(one, count), "seed")
    assert drawn == draw(Share(other, count), "seed")
    assert set(drawn) <= set(draw(Share(one, 60), "seed"))
    assert len(set(drawn)) == count


@pytest.mark.parametrize(
    ("seen", "share", "low", "high"),
    [
        ([Seen("a", 10_000, 300, 300)], 1.0, 0.985, 1.0),
        ([Seen("a", 10_000, 1000, 996)], 0.996, 0.988, 0.999),
        ([Seen("a", 50, 50, 49)], 0.98, 0.98, 0.98),
        ([Seen("a", 900, 100, 100), Seen("b", 100, 50, 0)], 0.9, 0.845, 0.94),
    ],
)  # fmt: skip
def test_shares_and_their_intervals(seen: list[Seen], share: float, low: float, high: float) -> None:
    found = share_of(seen)
    assert found is not None
    assert found.share == pytest.approx(share)
    assert low - 0.005 <= found.low <= found.share <= found.high <= high + 0.005


def test_nothing_is_said_of_what_nobody_looked_at() -> None:
    assert share_of([Seen("a", 10, 5, 5), Seen("b", 10, 0, 0)]) is None
    assert share_of([]) is None
    assert found_share([Seen("a", 10, 10, 10)], [Seen("b", 10, 0, 0)]) is None
    whole = found_share([Seen("a", 90, 90, 90)], [Seen("b", 100, 100, 5)], missed=5)
    assert whole is not None
    assert str(whole) == "90.0 % (90.0 to 90.0)"


def test_kappa_is_what_is_left_when_chance_is_taken_off() -> None:
    """Fleiss' worked case of two raters: 40 of 50 agree, half of each kind: 0.8 seen, 0.5 by chance, 0.6 of the
    rest."""
    twice = [("same", "same")] * 20 + [("different", "different")] * 20 + [("same", "different")] * 10
    found = agreement(twice)
    assert found is not None
    assert found.kappa == pytest.approx(0.6)
    assert found.by_verdict == (("different", 30, pytest.approx(2 / 3)), ("same", 30, pytest.approx(2 / 3)))
    always = agreement([("same", "same")] * 9)
    assert always is not None
    assert (always.share, always.kappa) == (1.0, None)
    assert agreement([]) is None
