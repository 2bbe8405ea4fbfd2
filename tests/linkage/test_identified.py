"""Never silently wrong: what the columns cannot carry is not in the mixture, and what hangs on beliefs is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from casebridge.dedupe.linkage import Fields, LinkOptions, evaluate, link
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model import identified
from casebridge.dedupe.linkage.model.beliefs import met_before
from casebridge.dedupe.linkage.model.fitting import Belief, bounded_by
from casebridge.dedupe.linkage.model.kept import read_kept
from casebridge.dedupe.linkage.model.mixture import Component

LETTERS = "abcdefghijklmnopqrstuvwxyz"
SYLLABLES = [a + b for a in "bdfglmnprstvw" for b in ("a", "e", "i", "o", "u", "ar", "en", "il", "ow")]
THIN = {"forename": "forename", "surname": "surname", "birth_date": "dob"}


def word(random: np.random.Generator, parts: int) -> str:
    return "".join(random.choice(SYLLABLES) for _ in range(parts)).title()


def slipped(random: np.random.Generator, text: str) -> str:
    at = int(random.integers(len(text)))
    letter = random.choice(list("0123456789" if text[at].isdigit() else LETTERS))
    return text if text[at] in "-@." else text[:at] + str(letter) + text[at + 1 :]


def dirty_copies(people: int, copies: int, seed: int = 5) -> pl.DataFrame:
    """People with several copies each; of each value one in eight slipped, one in eight missing."""
    random = np.random.default_rng(seed)
    towns = [word(random, 2) for _ in range(25)]
    names = [word(random, 2) for _ in range(120)]
    rows = []
    for person in range(people):
        forename, surname = random.choice(names), word(random, 3)
        day = f"{random.integers(1940, 2015)}-{random.integers(1, 13):02}-{random.integers(1, 29):02}"
        mail = f"{forename}.{surname}{random.integers(100)}@mail.example".lower()
        for _ in range(1 + copies):
            held = [forename, surname, day, random.choice(towns[person % 25 :][:1]), mail]
            luck = random.random(5)
            rows.append(
                [f"r{len(rows)}", f"p{person}"]
                + [
                    None if x < 0.12 else slipped(random, v) if x < 0.24 else v
                    for v, x in zip(held, luck, strict=True)
                ]
            )
    columns = ["id", "person", "forename", "surname", "dob", "town", "email"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def few_names(people: int, doubles: int, seed: int = 6) -> pl.DataFrame:
    """Names of which 100 stand for everyone, and a slip in the date of one copy in three."""
    random = np.random.default_rng(seed)
    first, last = [word(random, 2) for _ in range(100)], [word(random, 3) for _ in range(100)]
    rows = []
    for person in range(people):
        name = (random.choice(first), random.choice(last))
        day = f"{random.integers(1930, 2020)}-{random.integers(1, 13):02}-{random.integers(1, 29):02}"
        rows.append((f"r{len(rows)}", f"p{person}", *name, day))
        if person < doubles:
            at = int(random.choice([3, 6, 9]))
            slip = day[:at] + str((int(day[at]) + 1) % (10 if at != 6 else 2)) + day[at + 1 :]
            rows.append((f"r{len(rows)}", f"p{person}", *name, slip if random.random() < 0.34 else day))
    return pl.DataFrame(rows, schema=["id", "person", "forename", "surname", "dob"], orient="row")


def judged(frame: pl.DataFrame, fields: Fields) -> tuple[dict, list[str]]:
    found = link(frame, fields)
    return evaluate(found, frame, fields, "person"), found.model["warnings"]


def told(warnings: list[str]) -> bool:
    return any("The columns do not tell" in w or "The columns are thin" in w for w in warnings)


@pytest.mark.parametrize("other", [{"town": "town", "email": "email"}, {"town": "town"}])
def test_without_an_address_duplicates_are_no_household(other):
    found, warnings = judged(dirty_copies(250, 3), Fields("id", THIN, other))
    own, best = found["proposed"], found["best"]
    assert own["f1"] >= best["f1"] - 0.01 or told(warnings)
    assert own["precision"] >= 0.95
    assert own["f1"] >= 0.75


def test_where_decisions_hang_on_a_belief_all_fits_are_heard(monkeypatch, tmp_path):
    frame, fields = dirty_copies(60, 3), Fields("id", THIN, {"town": "town"})
    assert not link(frame, fields).fitted.beside
    monkeypatch.setattr(identified, "UNLIKE", dict.fromkeys(identified.UNLIKE, -1.0))
    found = link(frame, fields)
    levels = found.patterns.levels
    p = found.fitted.relations(levels)
    others = [one.relations(levels)[:, 0] for one in found.fitted.beside]
    alone = replace(found.fitted, beside=()).relations(levels)[:, 0]
    assert len(others) == len(identified.UNLIKE)
    assert told(found.model["warnings"])
    assert np.allclose(p[:, 0], np.minimum(alone, np.mean([alone, *others], axis=0)))
    assert (p[:, 0] < alone).any()
    assert np.allclose(p.sum(axis=1), 1)
    assert np.allclose(found.fitted.log_odds(levels), np.log(p[:, 0] / (1 - p[:, 0])), atol=1e-6)
    found.kept.save(tmp_path)
    assert link(frame, fields, kept=read_kept(tmp_path)).pairs.equals(found.pairs)


def test_a_free_column_may_be_called_as_a_part_of_a_date_is():
    frame = dirty_copies(60, 3).with_columns(pl.col("dob").str.slice(0, 4).alias("year"))
    names = {role: column for role, column in THIN.items() if role != "birth_date"}
    free = Fields("id", names, {"birth_year": "year", "town": "town"})
    assert link(frame, free, LinkOptions(rules=[("names",), ("surname",)])).pairs.height


def test_slips_of_few_names_are_not_all_chance():
    found, warnings = judged(few_names(6000, 600), Fields("id", THIN))
    own, best = found["proposed"], found["best"]
    assert own["f1"] >= 0.97
    assert own["f1"] >= best["f1"] - 0.015 or told(warnings)
    assert own["precision"] >= 0.95


def test_relations_are_there_only_where_a_home_is_held():
    relations = {c["relation"] for c in link(few_names(1500, 200), Fields("id", THIN)).model["components"]}
    assert "household" not in relations
    assert {"same", "chance", "twin_or_sibling"} <= relations


def test_strangers_are_expected_once():
    """Whoever agrees on more was brought in by an earlier rule."""
    assert met_before(PERSON, ("forename", "birthday"), [("names",)]) == {"surname"}
    assert met_before(PERSON, ("surname", "birth_date"), [("forename", "birth_date")]) == {"forename"}
    assert met_before(PERSON, ("names",), [("birth_date",)]) == {"birth_date"}
    assert met_before(PERSON, ("forename", "birth_year"), [("rare_names",)]) == set()
    assert met_before(PERSON, ("postcode",), [("street", "house")]) == set()
    assert met_before(PERSON, ("names",), [()]) == set()


def test_what_profiles_have_at_least_leaves_room_for_the_others() -> None:
    """Whatever is believed, each has a share, and together these are the pairs that the background leaves."""
    start = (np.array([0.5, 0.5]),)
    made = [Component(name, name, 0.25, start, (1.0,)) for name in "abcd"]
    made[1:] = [replace(one, least=0.9) for one in made[1:]]
    shares = Belief(made, [(2,)]).shares(np.array([60.0, 1.0, 1.0, 1.0]), 100.0)
    assert (shares > 0).all()
    assert np.isclose(shares.sum(), 0.63)


def test_no_chance_passes_its_bound() -> None:
    """What a bound takes off one level goes to the others, in proportion to what they have."""
    chances = np.array([[0.9, 0.06, 0.04], [0.2, 0.3, 0.5]])
    bounded = bounded_by(chances, np.array([[0.1, 0.3, 1.0], [1.0, 1.0, 1.0]]))
    assert np.allclose(bounded, [[0.1, 0.3, 0.6], [0.2, 0.3, 0.5]])
