"""Registers full of twins and triplets: brothers and sisters of one birth are not taken for one person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from benchmarks import names_in_use as names
from benchmarks.kinds import PLAIN, ROLES
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Fields, evaluate, link
from casebridge.dedupe.linkage.comparisons.levels import AGREES, UNLIKE, Comparison
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model.identified import Unseen, told, unseen
from casebridge.dedupe.linkage.model.patterns import Patterns
from casebridge.dedupe.linkage.register.reading import read_register

ROOTS = ("Gur", "Har", "Jas", "Man", "Sukh", "Bal", "Kul", "Par", "Raj", "Sat", "Dal", "Jag", "Kam", "Lakh", "Nav")
TAILS = ("preet", "deep", "jit", "inder", "want", "vir", "pal", "meet", "leen", "bir")
BRITISH = [*names.BRITISH_WOMEN, *names.BRITISH_MEN]
BY_LETTER = {letter: [name for name in BRITISH if name[0] == letter] for letter in "AJM"}
FIELDS = Fields("id", {"forename": "forename", "surname": "surname", "birth_date": "born"})


class Judge:
    """A model that takes all pairs for one person."""

    comparisons = ("forename", "surname")

    def relations(self, levels: np.ndarray) -> np.ndarray:
        return np.ones((len(levels), 1))

    def profile(self, _name: str, levels: np.ndarray) -> np.ndarray:
        return np.zeros(len(levels))


def called(random: np.random.Generator, alike: str, many: int) -> list[str]:
    """Names of the children of one birth: with one tail, or of one letter."""
    if alike == "tail":
        tail = random.choice(TAILS)
        return [root + tail for root in random.choice(ROOTS, many, replace=False)]
    return random.choice(BY_LETTER[random.choice([*BY_LETTER])], many, replace=False).tolist()


def births(many: int, alike: str, seed: int = 3) -> pl.DataFrame:
    """Twins and triplets of half of all people; a fifth of the people stand twice, some with a slip in the name,
    and a few dates are wrong."""
    random, rows = np.random.default_rng(seed), []
    for birth in range(many):
        day, surname = (
            np.datetime64("1990-01-01") + int(random.integers(10_000)),
            f"{random.choice(ROOTS)}{birth}x",
        )
        children = called(random, alike, int(random.integers(2, 4)))
        alone = [random.choice(BRITISH) for _ in children]
        people = [(name, surname, day) for name in children]
        people += [(name, f"{surname}o{n}", day - 900 * n) for n, name in enumerate(alone, 1)]
        for name, last, born in people:
            for _ in range(1 + (random.random() < 0.2)):
                slip = name[:2] + name[3:] if random.random() < 0.06 else name
                wrong = born + int(random.integers(1, 9)) if random.random() < 0.04 else born
                rows.append((slip, last, str(wrong), f"{birth}-{last}-{name}"))
    frame = pl.DataFrame(rows, ["forename", "surname", "born", "person"], orient="row")
    return frame.with_row_index("id").cast({"id": pl.String})


@pytest.mark.parametrize("alike", ["tail", "letter"])
def test_children_of_one_birth_are_not_put_forward(alike):
    made = births(240, alike)
    found = link(made, FIELDS)
    measured = evaluate(found, made, FIELDS, "person")
    assert measured["proposed"]["precision"] >= 0.95
    assert measured["proposed"]["recall"] >= 0.8
    assert measured["same"]["precision"] >= 0.99


def test_twins_dates_are_wrong_as_often_as_one_persons():
    model = link(births(100, "letter"), FIELDS).fitted
    place = model.comparisons.index("birth_date")
    twin, one = (next(n for n, c in enumerate(model.components) if c.name == name) for name in ("twin", "settled"))
    slip = model.labels[place].index("one digit of the day or month differs")
    chances = np.exp(model.log_chances[place])
    assert chances[twin, slip] == pytest.approx(chances[one, slip], rel=0.05)
    assert chances[one, slip] > 0.005


class Fit:
    """A model of two patterns: of pairs that it takes for one person with a chance, and of strangers. better: by
    how much it explains a pair of each better than another does, natural log."""

    def __init__(self, better: tuple[float, float], chance: float) -> None:
        self.better, self.chance = np.array(better), chance

    def log_evidence(self, _levels: np.ndarray) -> np.ndarray:
        return self.better

    def relations(self, _levels: np.ndarray) -> np.ndarray:
        return np.array([[self.chance], [0.0]])


@pytest.mark.parametrize(
    ("pairs", "better", "taken"),
    [(300, (0.21, 0), True), (200, (0.21, 0), False), (1000, (0.14, 0), False), (1000, (0.14, 1), False)],
)
def test_the_freer_fit_is_taken_only_where_it_is_better_beyond_doubt(
    pairs: float, better: tuple[float, float], taken: bool
) -> None:
    """In all, and each pair in question: of 200,000 people a wrong fit was better by 927, 139 of these among the
    988 pairs that it took for one person."""
    patterns = Patterns(np.zeros((2, 1), dtype=np.uint8), np.full(2, pairs))
    assert told(Fit(better, 1), Fit((0, 0), 0), patterns) == taken  # type: ignore[arg-type]


def test_only_a_profile_told_by_one_thing_is_weighed():
    assert [profile.name for profile in PERSON.profiles if profile.told_only_by] == ["twin"]


def test_newborns_without_forenames_are_not_taken_for_one_person():
    """A fifth of the births are of two, a tenth of the children stand twice, seven in ten have no forename yet."""
    random, rows = np.random.default_rng(5), []
    for birth in range(400):
        born = np.datetime64("2021-01-01") + int(random.integers(700))
        surname, postcode = f"{random.choice(ROOTS)}{random.integers(60)}x", f"LS{birth % 90} {birth % 9}AB"
        for child in range(1 + (random.random() < 0.2)):
            name = random.choice(BRITISH)
            for _ in range(1 + (random.random() < 0.1)):
                told = name if random.random() < 0.3 else None
                rows.append((told, surname, str(born), postcode, f"{birth}-{child}"))
    made = pl.DataFrame(rows, ["forename", "surname", "born", "postcode", "person"], orient="row")
    made = made.with_row_index("id").cast({"id": pl.String})
    fields = Fields("id", {**FIELDS.roles, "postcode": "postcode"})
    found = link(made, fields)
    assert evaluate(found, made, fields, "person")["proposed"]["false"] <= 2
    assert any("are thin" in one or "lack a forename" in one for one in found.model["warnings"])


@pytest.mark.parametrize(("share", "right"), [(0.2, 0), (0.0, 60)])
def test_without_forenames_twins_of_two_sexes_tell_how_many_are_of_one(share: float, right: int) -> None:
    """No forename is held at all: surname, birth date, sex and postcode are the same of twins of one sex. A
    tenth of the children stand twice."""
    random, rows = np.random.default_rng(7), []
    for birth in range(800):
        born = np.datetime64("2021-01-01") + int(random.integers(700))
        surname, postcode = f"{random.choice(ROOTS)}{random.integers(60)}x", f"LS{birth % 90} {birth % 9}AB"
        sexes = random.choice(["MM", "FF", "MF"]) if random.random() < share else random.choice(["M", "F"])
        for child, sex in enumerate(sexes):
            rows += [(surname, str(born), sex, postcode, f"{birth}-{child}")] * (1 + (random.random() < 0.1))
    made = pl.DataFrame(rows, ["surname", "born", "sex", "postcode", "person"], orient="row")
    made = made.with_row_index("id").cast({"id": pl.String})
    fields = Fields("id", {"surname": "surname", "birth_date": "born", "sex": "sex", "postcode": "postcode"})
    told = evaluate(link(made, fields), made, fields, "person")
    assert told["proposed"]["false"] <= 2
    assert told["true_pairs"] - told["proposed"]["missed"] >= right


def test_without_forenames_of_most_registers_most_is_put_forward() -> None:
    """Strangers and couples of two sexes are no twins, and one person's sex is written wrong: of 331 pairs none
    was put forward, for 15 were to be twins of one sex."""
    columns = ("last", "dob", "sex", "postcode")
    made = make_register(2000, replace(PLAIN, columns=columns), seed=1)
    fields = Fields("id", {ROLES[column]: column for column in columns})
    own = evaluate(link(made, fields), made, fields, "person")["proposed"]
    assert own["f1"] > 0.92
    assert own["precision"] >= 0.95


def test_brothers_and_sisters_of_other_dates_are_no_twins_among_those_who_lack_a_forename() -> None:
    """One forename in four is lacking. 786 pairs were looked at for twins, 450 of siblings among them, whose
    forenames differ: half of all pairs that lack one were taken for twins (own F1 0.72, best 0.96)."""
    columns = ("first", "last", "dob", "house", "street", "postcode")
    made = make_register(2000, replace(PLAIN, columns=columns), seed=1)
    lacks = pl.Series(np.random.default_rng(6).random(made.height) < 0.25)
    made = made.with_columns(first=pl.when(~lacks).then("first"))
    fields = Fields("id", {ROLES[column]: column for column in columns})
    found = evaluate(link(made, fields), made, fields, "person")
    assert found["proposed"]["f1"] > max(0.94, found["best"]["f1"] - 0.015)


@pytest.mark.parametrize("again", [0.1, 0.6])
def test_of_newborns_without_forename_and_sex_nothing_is_put_forward(again: float) -> None:
    """Surname, birth date and postcode are the same of twins, and of a child who stands twice."""
    random, rows = np.random.default_rng(11), []
    for birth in range(500):
        born = np.datetime64("2021-01-01") + int(random.integers(700))
        surname, postcode = f"{random.choice(ROOTS)}{random.integers(60)}x", f"LS{birth % 90} {birth % 9}AB"
        for child in range(1 + (random.random() < 0.2)):
            rows += [(surname, str(born), postcode, f"{birth}-{child}")] * (1 + (random.random() < again))
    made = pl.DataFrame(rows, ["surname", "born", "postcode", "person"], orient="row")
    made = made.with_row_index("id").cast({"id": pl.String})
    fields = Fields("id", {"surname": "surname", "birth_date": "born", "postcode": "postcode"})
    found = link(made, fields)
    assert found.model["thresholds"]["propose"] == 1
    assert found.pairs["p_same"].max() < 1  # type: ignore[operator]
    assert any("No forename" in one for one in found.model["warnings"])


@pytest.mark.parametrize(("shown", "apart", "known"), [(200, 0.005, True), (20, 0.05, False), (600, 0.3, False)])
def test_where_many_who_lack_a_forename_are_twins_nothing_tells_which(
    shown: float, apart: float, known: bool
) -> None:
    """However well their share is known: with 30 in 100, 0.83 of what was put forward were right, unsaid."""
    assert Unseen(2 * shown, 0.5, shown, apart).known == known


@pytest.mark.parametrize(("surnames", "twins"), [(0.0, 0.35), (0.3, 0.05)])
def test_where_surnames_are_other_ones_too_names_are_written_badly(surnames: float, twins: float) -> None:
    """Of 1,000 pairs that have both forenames 400 differ in them: twins, where they share the surname; one person,
    where surnames differ as well."""
    register = read_register(births(20, "letter"), FIELDS, PERSON)
    compared = comparisons_for(register)
    forename, surname = (next(c for c in compared if c.name == name) for name in ("forename", "surname"))

    def level(comparison: Comparison, tag: str) -> int:
        return int(np.flatnonzero(comparison.tagged(tag))[0])

    levels = np.array(
        [[level(forename, f), level(surname, s)] for f in (AGREES, UNLIKE) for s in (AGREES, UNLIKE)],
        dtype=np.uint8,
    )
    weight = np.outer((600, 400), (1 - surnames, surnames)).ravel()
    (twin,) = (profile for profile in PERSON.profiles if profile.told_only_by)
    found = unseen(Judge(), (forename, surname), twin, Patterns(levels, weight), 0.0)  # type: ignore[arg-type]
    assert found.apart == pytest.approx(twins, abs=0.05)


def test_twins_of_a_large_register_stay_two():
    """Names, date and address of 200,000 people, many sons named as their fathers: the profile of twins
    went over to strangers born on one day, and the twins to one person (p 0.60)."""
    columns = ("first", "last", "dob", "house", "street", "postcode")
    frame = make_register(200_000, replace(PLAIN, namesakes=0.25, columns=columns), seed=7)
    pairs = link(frame, Fields("id", {ROLES[column]: column for column in columns})).pairs
    twins = pairs.filter(
        pl.col("birth_date") == "same birth date", pl.col("forename") == "forename differs",
        pl.col("surname").cast(pl.String).str.starts_with("same surname"), pl.col("address") == "same home",
    )  # fmt: skip
    assert twins.height > 500
    assert float(np.mean(twins["p_same"].to_numpy())) < 0.1
