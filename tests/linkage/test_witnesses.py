"""A number that names a person bears witness to how far the other evidence may be believed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import link
from casebridge.dedupe.linkage.comparisons.levels import per_group
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model.calibration import KNOTS, Number, fit_curve
from casebridge.dedupe.linkage.register.nametable import alike_forenames
from casebridge.dedupe.linkage.register.reading import read_register
from tests.linkage.registers_for_tests import fields_of

NUMBER = Number(place=2, same=0, differs=3, missing=5)


def spoken(log_odds, truth, pairs, right=0.99, wrong=0.001):
    """Expected counts of pairs that agree and differ where the true log odds are `truth`."""
    p = 1 / (1 + np.exp(-truth))
    same = pairs * (right * p + wrong * (1 - p))
    return fit_curve(NUMBER, log_odds, same, pairs - same, (right, wrong))


def test_curve_finds_the_shift():
    log_odds = np.linspace(-4, 9, 200)
    curve = spoken(log_odds, log_odds - 0.8, np.full(200, 5000.0))
    np.testing.assert_allclose(curve.at(np.linspace(-3, 3, 7)), -0.8, atol=0.05)


@pytest.mark.parametrize("pairs", [0.0, 0.02])
def test_few_witnesses_move_little(pairs):
    log_odds = np.linspace(-4, 9, 200)
    assert np.abs(spoken(log_odds, log_odds - 0.8, np.full(200, pairs)).shift).max() < 0.1


def test_a_sound_model_stands():
    log_odds = np.linspace(-4, 9, 200)
    assert np.abs(spoken(log_odds, log_odds, np.full(200, 5000.0)).at(np.linspace(-4, 4, 9))).max() < 0.05


def test_shift_is_even_between_knots():
    curve = spoken(np.linspace(-4, 9, 50), np.linspace(-5, 8, 50), np.full(50, 900.0))
    np.testing.assert_allclose(curve.at(KNOTS), curve.shift[0])


def test_two_kinds_of_pattern_have_each_their_shift():
    log_odds, kind = np.repeat(np.linspace(-4, 9, 100), 2), np.tile([False, True], 100)
    p = 1 / (1 + np.exp(-(log_odds + np.where(kind, 0.6, -0.8))))
    same = 5000.0 * (0.99 * p + 0.001 * (1 - p))
    curve = fit_curve(NUMBER, log_odds, same, 5000.0 - same, (0.99, 0.001), kind)
    np.testing.assert_allclose(curve.at(np.linspace(-3, 3, 7)), -0.8, atol=0.05)
    np.testing.assert_allclose(curve.at(np.linspace(-3, 3, 7), True), 0.6, atol=0.05)


def test_patterns_without_the_number():
    levels = np.array([[1, 0, 3], [0, 2, 0]], dtype=np.uint8)
    np.testing.assert_array_equal(NUMBER.without(levels), [[1, 0, 5], [0, 2, 5]])


def test_no_number_no_curve():
    variant = replace(PLAIN, columns=tuple(c for c in PLAIN.columns if c != "nhs"))
    assert link(make_register(3000, variant, seed=4), fields_of(variant)).model["calibration"] is None


def test_p_and_weight_say_the_same():
    linkage = link(make_register(6000, PLAIN, seed=4), fields_of(PLAIN))
    assert linkage.model["calibration"]["witnesses"] > 100
    told = linkage.pairs.filter(pl.col("p_same").is_between(0.02, 0.94))
    p = 1 / (1 + np.exp2(-told["weight"].to_numpy()))
    np.testing.assert_allclose(p, told["p_same"].to_numpy(), atol=1e-9)


def test_groups_are_chances_of_their_own():
    np.testing.assert_allclose(per_group(np.array([1.0, 3.0, 8.0, 0.0]), (2, 2)), [0.25, 0.75, 1.0, 0.0])


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [("MARY", "MARY", True), ("JOHN", "JOHM", True), ("ROBERT", "BOB", True), ("MARY", "PETER", False)],
)
def test_alike_forenames(one, other, alike):
    frame = pl.DataFrame({"id": [1, 2, 3], "first": [one, other, "UMA"], "last": ["DALE", "HILL", "DALE"]})
    variant = replace(PLAIN, columns=("first", "last"))
    register = read_register(frame, fields_of(variant), PERSON)
    says = alike_forenames(register)
    assert says is not None
    left, right = register.rows_of([1, 2]).astype(np.int32)
    assert says(*register.sides(np.array([left]), np.array([right])))[0] == alike
