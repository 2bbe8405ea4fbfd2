"""Strangers who share name and birth date, counted with dates moved."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from casebridge.dedupe.linkage import Fields, link
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.evaluation.measures import evaluate
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model.held_chance import HeldChance
from casebridge.dedupe.linkage.model.namesakes import Namesakes, count_coincidences
from casebridge.dedupe.linkage.model.patterns import Patterns
from casebridge.dedupe.linkage.register.reading import read_register

RULES = (("forename", "birth_date"), ("surname", "birth_date"))
FIELDS = Fields(id="id", roles={name: name for name in ("forename", "surname", "birth_date")})


def people(count: int, seed: int) -> pl.DataFrame:
    """Strangers of few names, born within ten years."""
    random = np.random.default_rng(seed)
    born = np.datetime64("1980-01-01") + random.integers(0, 3650, count)
    names = {role: [f"{role}{n}" for n in random.zipf(1.6, count) % 60] for role in ("forename", "surname")}
    return pl.DataFrame({"id": np.arange(count), "birth_date": born, "person": np.arange(count), **names})


def counted(frame: pl.DataFrame, rules: tuple[tuple[str, ...], ...] = RULES) -> Namesakes | None:
    register = read_register(frame, FIELDS, PERSON)
    return count_coincidences(register, comparisons_for(register), rules)


def sharing(frame: pl.DataFrame) -> int:
    held = frame.group_by("forename", "surname", "birth_date").len()["len"].cast(pl.Int64)
    return int((held * (held - 1) // 2).sum())


def test_the_count_is_near_to_what_strangers_share():
    frame = people(60_000, 4)
    count = counted(frame)
    assert count is not None
    assert count.pairs == pytest.approx(sharing(frame), rel=0.03)


def test_pairs_of_one_person_are_not_counted():
    frame = people(30_000, 4)
    count = counted(pl.concat([frame, frame.with_columns(pl.col("id") + 10**6)]))
    assert count is not None
    assert count.pairs == pytest.approx(4 * sharing(frame), rel=0.05)


def test_a_date_entered_far_more_often_is_left_out():
    frame = people(20_000, 4)
    default = frame.with_columns(
        birth_date=pl.when(pl.col("id") % 3 == 0).then(pl.date(1980, 3, 1)).otherwise("birth_date")
    )
    count = counted(default)
    assert count is not None
    assert count.pairs == pytest.approx(sharing(default.filter(pl.col("id") % 3 != 0)), rel=0.15)


def test_nothing_is_counted_where_nothing_can_be():
    frame = people(60_000, 4)
    assert counted(frame, (("surname",), ("postcode", "birth_date"))) is not None
    assert counted(frame, (("postcode", "birth_date"), ("rare_names",))) is None
    assert counted(frame.head(200)) is None
    one_day = frame.with_columns(
        birth_date=pl.when(pl.col("id") > 9).then(pl.date(1980, 1, 1)).otherwise("birth_date")
    )
    assert counted(one_day) is None


@pytest.mark.parametrize(
    "births",
    [
        pl.format("{}{}", pl.col("birth_date").dt.strftime("%Y%m"), pl.col("birth_date").dt.day() + 60),
        pl.date(1985, 1, 1) + pl.duration(days=pl.col("id") % 60),
    ],
)
def test_dates_of_no_calendar_and_of_one_season_are_not_counted(births):
    assert counted(people(60_000, 4).with_columns(birth_date=births)) is None


def test_chance_is_held_near_to_the_count():
    register = read_register(people(60_000, 4), FIELDS, PERSON)
    comparisons = comparisons_for(register)
    count = count_coincidences(register, comparisons, RULES)
    assert count is not None
    levels = np.array([[0 if c.name == "birth_date" else 2 for c in comparisons]], dtype=np.uint8)
    held = HeldChance.of(count, comparisons, Patterns(levels, np.array([1000.0])))
    tenth = HeldChance.of(count, comparisons, Patterns(levels, np.array([100.0]), 0.1))
    np.testing.assert_allclose(tenth.log_pairs, held.log_pairs)
    expected, off = count.log_expected(levels)
    expected -= np.log(1000)
    same, chance = np.array([True, False, False]), np.array([False, True, True])
    for fitted, told in ((0.0, expected + off), (-30.0, expected - off), (float(expected[0]), expected)):
        joint = np.array([[-3.0, fitted - np.log(2), fitted - np.log(2)]])
        held.hold(joint, same, chance, levels)
        np.testing.assert_allclose(np.logaddexp.reduce(joint[:, 1:], axis=1), told, atol=1e-9)
        assert joint[0, 0] == -3.0
    levels[0, [c.name for c in comparisons].index("birth_date")] = 3
    other = np.array([[-3.0, -1.0, -1.0]])
    held.hold(other, same, chance, levels)
    np.testing.assert_array_equal(other, [[-3.0, -1.0, -1.0]])


def test_namesakes_among_few_columns():
    """Names and date only: what is said of all pairs that share them is right in the sum, or too little: decisions
    hang on a belief, so that p is the mean of several fits and never above the own. Nothing is put forward."""
    frame = people(60_000, 4)
    again = frame.sample(6_000, seed=1).with_columns(pl.col("id") + 10**6)
    both = pl.concat([frame, again])
    found = link(both, FIELDS)
    assert found.model["namesakes"]["pairs"] == pytest.approx(1.21 * sharing(frame), rel=0.1)
    assert evaluate(found, both, FIELDS, "person")["true_pairs"] == 6_000
    assert 2_000 < found.pairs["p_same"].sum() < 9_000
    assert found.model["thresholds"]["propose"] == 1
