"""Strangers of one name whose dates are a slip apart, counted with dates dealt anew; what pairs show beyond."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model.held_chance import HeldChance
from casebridge.dedupe.linkage.model.namesakes import Namesakes, count_coincidences
from casebridge.dedupe.linkage.model.near_dates import FEWEST, counted_levels, near_dates
from casebridge.dedupe.linkage.model.patterns import Patterns, Radix, count_patterns
from casebridge.dedupe.linkage.register.dates import day_numbers
from casebridge.dedupe.linkage.register.reading import read_register

NAMES = ["forename", "surname"]
FIELDS = Fields(id="id", roles={name: name for name in (*NAMES, "birth_date")})


def strangers(
    count: int, seed: int, names: int = 25, fashion: bool = False, born_on_the_first: int = 0
) -> pl.DataFrame:
    """People of few names, nobody twice. fashion: forenames go with times; so many forenames, and the surnames
    that go with them, are of people all entered on the first of a month."""
    random = np.random.default_rng(seed)
    first, last = random.integers(0, names, (2, count))
    last = np.where(first < born_on_the_first, last % max(born_on_the_first, 1), last)
    year = 1930 + (3 * first + random.integers(0, 10, count) if fashion else random.integers(0, 85, count))
    month, day = random.integers(1, 13, count), random.integers(1, 29, count)
    day = np.where(first < born_on_the_first, 1, day)
    born = [f"{y}-{m:02}-{d:02}" for y, m, d in zip(year, month, day, strict=True)]
    named = {"forename": [f"Fo{n}" for n in first], "surname": [f"Su{n}" for n in last]}
    return pl.DataFrame({"id": range(count), **named, "birth_date": born, "person": range(count)})


def one_slip_a_copy(people: int, copies: int, seed: int) -> pl.DataFrame:
    """Each copy has one slip, in the forename, the surname or the date, and never two."""
    random = np.random.default_rng(seed)
    frame = strangers(people, seed, names=100)
    again = frame.head(copies).to_dicts()
    for row in again:
        place = random.integers(3)
        row["id"] += people
        if place < 2:
            row[NAMES[place]] += random.choice(["x", "y", "z"])
        else:
            year, month, day = row["birth_date"].split("-")
            row["birth_date"] = f"{year}-{month}-{(int(day) + 3) % 28 + 1:02}"
    return pl.concat([frame, pl.DataFrame(again, schema=frame.schema)])


def levels_of_one_name(frame: pl.DataFrame) -> np.ndarray:
    """How many pairs of one name stand at each level of the date."""
    register = read_register(frame, FIELDS, PERSON)
    dates = next(c for c in comparisons_for(register) if c.name == "birth_date")
    codes = [register.columns[name] for name in NAMES]
    left, right = np.triu_indices(register.size, 1)
    one = np.all([(code[left] == code[right]) & (code[left] >= 0) for code in codes], axis=0)
    found = dates.full(*register.sides(left[one], right[one]))
    return np.bincount(found, minlength=dates.radix)


def expected(frame: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """How many are expected at each level at which strangers are counted, and which these are."""
    register = read_register(frame, FIELDS, PERSON)
    dates = next(c for c in comparisons_for(register) if c.name == "birth_date")
    found = near_dates(register, dates, NAMES, day_numbers(register.columns["birth_date"]))
    assert found is not None
    return found.expected / found.rate, counted_levels(dates)


@pytest.mark.parametrize(("kind", "off"), [({}, 0.25), ({"fashion": True}, 0.25), ({"born_on_the_first": 6}, 0.5)])
def test_as_many_are_expected_as_there_are(kind, off):
    """Of people entered on few days about: what one forename shows is that of all who share it."""
    frame = strangers(4_000, 3, names=14, **kind)
    found, counted = expected(frame)
    there = levels_of_one_name(frame)
    assert counted.sum() == 6
    for level in np.flatnonzero(counted & (there >= 30)):
        assert found[level] == pytest.approx(there[level], rel=2 * off)
    assert found[counted].sum() == pytest.approx(there[counted].sum(), rel=off)


def test_people_of_one_name_who_are_born_in_one_year_are_near_by_chance():
    random = np.random.default_rng(5)
    frame = strangers(3_000, 5)
    born = [f"2024-{random.integers(1, 13):02}-{random.integers(1, 29):02}" for _ in range(100)]
    babies = pl.DataFrame({"id": range(5_000, 5_100), "forename": "Olive", "surname": "Tree", "birth_date": born,
                           "person": range(5_000, 5_100)})  # fmt: skip
    both = pl.concat([frame, babies])
    found, counted = expected(both)
    there = levels_of_one_name(both)
    assert there[counted].sum() > 3 * levels_of_one_name(frame)[counted].sum()
    assert found[counted].sum() > 0.5 * there[counted].sum()


def test_too_few_of_one_name_tell_nothing():
    frame = strangers(100, 3, names=60)
    register = read_register(frame, FIELDS, PERSON)
    dates = next(c for c in comparisons_for(register) if c.name == "birth_date")
    assert levels_of_one_name(frame).sum() < FEWEST
    assert near_dates(register, dates, NAMES, day_numbers(register.columns["birth_date"])) is None


def counted(frame: pl.DataFrame, rules: tuple[tuple[str, ...], ...]) -> Namesakes | None:
    register = read_register(frame, FIELDS, PERSON)
    return count_coincidences(register, comparisons_for(register), rules)


def test_near_dates_are_counted_where_a_rule_makes_all_pairs_of_one_name():
    frame = strangers(3_000, 4)
    found = counted(frame, (("names",),))
    assert found is not None
    assert found.pairs is None  # too few some weeks apart
    assert found.agree[found.date].sum() == 6
    assert counted(frame, (("names", "birth_date"),)) is None


def test_what_is_more_than_strangers_explain_is_one_person():
    frame = strangers(3_000, 4)
    register = read_register(frame, FIELDS, PERSON)
    comparisons = comparisons_for(register)
    count = count_coincidences(register, comparisons, (("names",),))
    assert count is not None
    radix, date = Radix.of(comparisons), [c.name for c in comparisons].index("birth_date")
    slip = np.array([3 if c.name == "birth_date" else 1 for c in comparisons], dtype=np.uint8)
    other = np.where(np.arange(len(slip)) == date, comparisons[date].null - 1, slip).astype(np.uint8)
    codes = np.repeat(radix.encode([np.array([a, b]) for a, b in zip(slip, other, strict=True)]), [100, 900])
    patterns = count_patterns(radix, codes, np.ones(len(codes)))
    held = HeldChance.of(count, comparisons, patterns)
    same, chance = np.array([True, False]), np.array([False, True])

    def said(levels: np.ndarray) -> np.ndarray:  # a hundredth of what is there
        return np.tile(np.log([[0.001, 0.5]]), (len(levels), 1))

    more = held.beyond(said, same, chance, patterns)
    joint = said(slip[None])
    more.hold(joint, same, chance, slip[None])
    pairs = 1000 * np.exp(joint[0])
    strangers_most = np.exp(np.add(*count.log_expected(slip[None])))[0]
    assert pairs[1] == pytest.approx(strangers_most)
    assert 100 - pairs[1] - 5 < pairs[0] < 100 - pairs[1] + 1
    none = Patterns(other[None], np.array([900.0]))
    assert held.beyond(said, same, chance, none) is held


@pytest.mark.parametrize("seed", [1, 2])
def test_slips_of_few_names_are_found_without_a_warning(seed):
    frame = one_slip_a_copy(6_000, 700, seed)
    found = link(frame, FIELDS)
    told = evaluate(found, frame, FIELDS, "person")
    assert not [w for w in found.model["warnings"] if "do not tell" in w or "are thin" in w]
    assert told["proposed"]["f1"] >= told["best"]["f1"] - 0.01
    assert told["proposed"]["precision"] >= 0.95


def test_strangers_alone_are_not_put_forward():
    frame = strangers(4_000, 8)
    assert not (link(frame, FIELDS).pairs["p_same"] >= 0.5).any()
