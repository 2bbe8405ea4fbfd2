"""Doubtful pairs of two records: two people, or one? Whoever is there twice tells."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from benchmarks import names_in_use as names
from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model.doubles import LEAST, Sampled, doubtful
from casebridge.dedupe.linkage.model.patterns import Radix

FIELDS = Fields("id", {"forename": "forename", "surname": "surname", "birth_date": "born"})
SYLLABLES = [a + b for a in "bdfgklmnrs" for b in ("an", "or")]
SURE, DOUBT = 0, 1
POOL = [*names.BRITISH_WOMEN, *names.BRITISH_MEN]


class Judge:
    """A model that knows three patterns."""

    def relations(self, levels: np.ndarray) -> np.ndarray:
        return (levels == SURE).astype(float)

    def profile(self, _: str, levels: np.ndarray) -> np.ndarray:
        return (levels[:, 0] == DOUBT).astype(float)


def share(pairs: list[tuple[int, int, int]], rows: int) -> tuple[float, float] | None:
    left, right, codes = (np.array(column) for column in zip(*pairs, strict=True))
    sampled = Sampled(left, right, codes, np.ones(len(codes)))
    found = doubtful(Judge(), "twin", sampled, Radix((3,)), np.zeros(rows, dtype=np.int64))  # type: ignore[arg-type]
    return found and (found.least, found.most)


def people(many: int, twins: bool) -> tuple[list[tuple[int, int, int]], int]:
    """Pairs of people every second of whom is there twice, and 40 doubtful ones: of two twins, or of one person
    with two names."""
    random, pairs, row = np.random.default_rng(1), [], 0
    for number in range(many):
        held = [1 + int(random.integers(2)), 1 + int(random.integers(2))] if twins else [1, 1]
        if number >= 40:
            held = held[:1] if twins else [1 + int(random.integers(2))]
        first = row
        for copies in held:
            pairs += [(row, row + 1, SURE)] if copies == 2 else []
            row += copies
        if len(held) == 2:
            pairs += [(a, b, DOUBT) for a in range(first, first + held[0]) for b in range(first + held[0], row)]
    return pairs, row


def test_two_people_have_doubles_of_their_own():
    assert share(*people(400, twins=True))[1] < 0.5
    assert share(*people(400, twins=False))[0] > 0.5


@pytest.mark.parametrize("twins", [True, False])
def test_two_people_of_many_records_have_no_double_in_common(twins: bool) -> None:
    """Each of 200 people is there four times. Doubtful are pairs of forty twins, or one pair of forty people."""
    pairs = []
    for row in range(0, 800, 4):
        own = [(a, b) for a in range(row, row + 4) for b in range(a + 1, row + 4)]
        pairs += [(a, b, DOUBT if not twins and row < 160 and (a, b) == own[0] else SURE) for a, b in own]
    if twins:
        pairs += [
            (a, b, DOUBT) for row in range(0, 320, 8) for a in range(row, row + 4) for b in range(row + 4, row + 8)
        ]
    least, most = share(pairs, 800)
    assert most < 0.1 if twins else least > 0.9


def test_few_pairs_tell_nothing():
    pairs, rows = people(400, twins=False)
    few = [one for one in pairs if one[2] == SURE] + [one for one in pairs if one[2] == DOUBT][: LEAST - 1]
    assert share(few, rows) is None
    assert share([one for one in pairs if one[2] == DOUBT], rows) is None


def test_no_more_than_all_are_one_person():
    """Half of the sure pairs are of triples, and no doubtful record has another double: a model that took fewer
    than none for twins had no likelihood, and put nothing forward."""
    pairs = [(row, row + 1, SURE) for row in range(0, 60, 2)]
    for row in range(60, 90, 3):
        pairs += [(row, row + 1, SURE), (row, row + 2, SURE), (row + 1, row + 2, SURE)]
    pairs += [(row, row + 1, DOUBT) for row in range(90, 170, 2)]
    least, most = share(pairs, 170)
    assert 0.5 < least < 1.0 == most


def surname_of(family: int) -> str:
    return "".join(SYLLABLES[family // 20**place % 20] for place in range(3)).title()


def day(random: np.random.Generator) -> str:
    return str(np.datetime64("1940-01-01") + int(random.integers(25_000)))


def changed_forenames(people: int) -> pl.DataFrame:
    """Brothers and sisters, hardly a twin; two of five stand twice, one in seven of these renamed."""
    random, rows = np.random.default_rng(4), []
    for number in range(people):
        surname, born = surname_of(number // 3), day(random)
        forename = str(random.choice(POOL))
        for copy in range(1 + (random.random() < 0.4)):
            called = str(random.choice(POOL)) if copy and random.random() < 0.14 else forename
            rows.append((f"r{len(rows)}", called, surname, born, f"p{number}"))
    return pl.DataFrame(rows, ["id", "forename", "surname", "born", "person"], orient="row")


def test_changed_forenames_are_not_taken_for_twins():
    made = changed_forenames(900)
    found = link(made, FIELDS)
    own = evaluate(found, made, FIELDS, "person")["proposed"]
    assert own["f1"] >= 0.97
    assert not any("do not tell" in warning for warning in found.model["warnings"])


def test_only_who_lives_with_others_has_nobody_among_them():
    assert {profile.name: profile.among for profile in PERSON.profiles if profile.among} == {
        "namesake": ("sibling", "household")
    }


@pytest.mark.parametrize(
    ("alone", "named", "there"), [(True, 1, False), (False, 1, True), (False, 12, True), (True, 12, True)]
)
def test_a_parent_of_one_name_lives_in_a_register_with_homes(alone, named, there):
    """Copies whose dates are years apart, at one home: one person's where nobody lives with anybody. Whose surname
    is not known, in all homes but one of `named`, shows no kin; a few who live alone do not show that all do."""
    random, rows = np.random.default_rng(2), []
    for number in range(400):
        home = (str(1 + number % 40), f"LS{number // 40} {1 + number % 9}AB")
        for member in range(1 if alone else 3):
            forename, born = str(random.choice(POOL)), day(random)
            for copy in range(1 + (member == 0 and number % 2)):
                held = day(random) if copy and number % 20 == 1 else born
                surname = None if number % named else surname_of(number)
                rows.append((f"r{len(rows)}", forename, surname, held, *home))
    made = pl.DataFrame(rows, ["id", "forename", "surname", "born", "house", "postcode"], orient="row")
    fields = Fields("id", {**FIELDS.roles, "house": "house", "postcode": "postcode"})
    components = {one["name"] for one in link(made, fields).model["components"]}
    assert ("namesake" in components) is there
