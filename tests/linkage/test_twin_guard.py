"""What no model may decide: a truth table of pairs that could be twins, and the marks that keep people apart."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from casebridge.dedupe.linkage import Fields
from casebridge.dedupe.linkage.comparisons.levels import (
    AGREES,
    DEFAULT,
    GENERATION,
    MET,
    SLIP,
    SWAP,
    TWO,
    UNLIKE,
    Comparison,
    Level,
)
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.comparisons.said import Said, for_a_person
from casebridge.dedupe.linkage.fields import NUMBER_CAP, TWIN_CAP
from casebridge.dedupe.linkage.kinds.guards import could_be_twins, marks_of_people
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.reading import read_register

ROLES = {"forename": "first", "middle_name": "middle", "surname": "last", "birth_date": "dob", "sex": "sex",
         "nhs_number": "nhs", "postcode": "pc", "house": "house", "phone": "phone", "email": "mail"}  # fmt: skip
OTHERWISE, MISSING = "otherwise", "missing"

DOUBT: list[tuple[str, str, str, str, str, bool]] = [
    # forename, birth date, sex, middle name, NHS number; for a person to decide?
    (AGREES, AGREES, AGREES, AGREES, AGREES, False),
    (AGREES, AGREES, AGREES, AGREES, MISSING, False),
    (SWAP, AGREES, AGREES, AGREES, MISSING, False),
    # A forename that is missing, or differs by more than a slip, though the number agrees.
    (OTHERWISE, AGREES, AGREES, AGREES, AGREES, True),
    (MISSING, AGREES, AGREES, AGREES, AGREES, True),
    (OTHERWISE, SLIP, AGREES, AGREES, AGREES, True),
    (OTHERWISE, DEFAULT, AGREES, AGREES, AGREES, True),
    (OTHERWISE, MISSING, AGREES, AGREES, AGREES, True),
    (OTHERWISE, OTHERWISE, AGREES, AGREES, AGREES, True),
    (MISSING, OTHERWISE, AGREES, AGREES, MISSING, True),
    # A slip: by itself where no number agrees, else with another sex or middle name.
    (SLIP, AGREES, AGREES, AGREES, AGREES, False),
    (SLIP, AGREES, AGREES, AGREES, MISSING, True),
    (SLIP, AGREES, UNLIKE, AGREES, AGREES, True),
    (SLIP, AGREES, AGREES, UNLIKE, AGREES, True),
    (SLIP, AGREES, MISSING, MISSING, AGREES, False),
    (SLIP, OTHERWISE, UNLIKE, UNLIKE, MISSING, True),
    # Another sex or middle name: by itself where no number agrees.
    (AGREES, AGREES, UNLIKE, AGREES, AGREES, False),
    (AGREES, AGREES, AGREES, UNLIKE, AGREES, False),
    (AGREES, AGREES, UNLIKE, AGREES, MISSING, True),
    (SWAP, SLIP, AGREES, UNLIKE, MISSING, True),
    (AGREES, OTHERWISE, UNLIKE, UNLIKE, MISSING, True),
    (AGREES, OTHERWISE, AGREES, AGREES, MISSING, False),
    # Birth dates that no slip explains: cousins of one name, parent and child.
    (AGREES, UNLIKE, AGREES, AGREES, MISSING, True),
    (AGREES, UNLIKE, AGREES, AGREES, AGREES, False),
    (AGREES, GENERATION, AGREES, AGREES, MISSING, True),
    (AGREES, GENERATION, AGREES, AGREES, AGREES, False),
    # No birth date on one side: parents and children share name and home.
    (AGREES, MISSING, AGREES, AGREES, MISSING, True),
    (AGREES, MISSING, AGREES, AGREES, AGREES, False),
    # Two numbers.
    (AGREES, AGREES, AGREES, AGREES, TWO, True),
    (AGREES, OTHERWISE, AGREES, AGREES, TWO, True),
]


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    one = {
        "id": "a",
        "first": "ANN",
        "middle": "MAY",
        "last": "NG",
        "dob": "1990-01-02",
        "sex": "F",
        "pc": "LS1 1AA",
        "house": "1",
        "phone": "07700900001",
        "mail": "ann@one.example",
    }
    other = {
        "id": "b",
        "first": "BO",
        "middle": "JO",
        "last": "LI",
        "dob": "1980-11-12",
        "sex": "M",
        "pc": "LS2 2BB",
        "house": "2",
        "phone": "07700900002",
        "mail": "bo@two.example",
    }
    people = pl.DataFrame([{**one, "nhs": "9434765919"}, {**other, "nhs": "9434765870"}])
    return list(comparisons_for(read_register(people, Fields(id="id", roles=ROLES), PERSON)))


def _level(comparison: Comparison, tag: str) -> int:
    """The number of a level with this tag."""
    if tag == MISSING:
        return comparison.null
    tags = [level.tag for level in comparison.levels]
    return 0 if tag == AGREES else tags.index(None if tag == OTHERWISE else tag)


def _doubt(comparisons: list[Comparison], without: frozenset[str] = frozenset()) -> list[bool]:
    """Of each line of the table, with these comparisons alone."""
    names = ("forename", "birth_date", "sex", "middle_name", "nhs_number")
    lines = [dict(zip(names, line[:5], strict=True)) for line in DOUBT]
    levels = [[_level(c, line[c.name]) if c.name in line else 0 for c in comparisons] for line in lines]
    return for_a_person(could_be_twins, comparisons, np.array(levels, dtype=np.uint8), without).tolist()


def test_what_a_twin_could_show_is_for_a_person(comparisons: list[Comparison]) -> None:
    found = _doubt(comparisons)
    assert [line for line, doubt in zip(DOUBT, found, strict=True) if doubt != line[5]] == []
    assert _doubt(comparisons[::-1]) == found


def test_each_cap_can_be_left_out(comparisons: list[Comparison]) -> None:
    two = [line[4] == TWO for line in DOUBT]
    assert _doubt(comparisons, frozenset({TWIN_CAP})) == two
    assert _doubt(comparisons, frozenset({TWIN_CAP, NUMBER_CAP})) == [False] * len(DOUBT)
    by_twins = [line[5] and line[4] != TWO for line in DOUBT]
    assert _doubt(comparisons, frozenset({NUMBER_CAP})) == by_twins


def test_any_number_counts_or_only_those_that_name_a_person() -> None:
    levels = (Level("same", (0.5,), tag=AGREES), Level("two", (0.5,), tag=TWO))
    plain, number = (
        Comparison("n", levels, lambda *_: np.zeros(1, np.uint8), identifier=one) for one in (False, True)
    )
    patterns = np.array([[0, 0], [1, 0], [0, 1], [2, 2]], dtype=np.uint8)
    said = Said((plain, number), patterns)
    assert said.any_tagged(TWO).tolist() == [False, True, True, False]
    assert said.any_tagged(TWO, identifiers=True).tolist() == [False, False, True, False]


@pytest.mark.parametrize("name", ["forename", "birth_date", "sex", "middle_name", "nhs_number"])
def test_what_a_register_does_not_have_is_missing_everywhere(comparisons: list[Comparison], name: str) -> None:
    place = next(n for n, comparison in enumerate(comparisons) if comparison.name == name)
    names = ("forename", "birth_date", "sex", "middle_name", "nhs_number")
    lines = [dict(zip(names, line[:5], strict=True)) | {name: MISSING} for line in DOUBT]
    levels = [[_level(c, line[c.name]) if c.name in line else 0 for c in comparisons] for line in lines]
    whole = for_a_person(could_be_twins, comparisons, np.array(levels, dtype=np.uint8)).tolist()
    assert _doubt(comparisons[:place] + comparisons[place + 1 :]) == whole


STRANGERS = [
    # surname, NHS number, what agrees beside; for a person to decide?
    (UNLIKE, MISSING, None, True),
    (UNLIKE, MISSING, "address", False),
    (UNLIKE, MISSING, "phone", False),
    (UNLIKE, MISSING, "email", False),
    (UNLIKE, AGREES, None, False),
    (OTHERWISE, MISSING, None, False),
    (MISSING, MISSING, None, False),
]


@pytest.mark.parametrize(("surname", "number", "shared", "doubt"), STRANGERS)
def test_two_surnames_need_a_home_a_line_or_a_number(
    comparisons: list[Comparison], surname: str, number: str, shared: str | None, doubt: bool
) -> None:
    said = {"surname": surname, "nhs_number": number}
    places = {c.name: _level(c, said.get(c.name, AGREES)) for c in comparisons}
    for name in ("address", "phone", "email"):
        places[name] = 0 if name == shared else next(c for c in comparisons if c.name == name).null
    assert next(c for c in comparisons if c.name == "address").levels[0].tag == MET
    pattern = np.array([[places[c.name] for c in comparisons]], dtype=np.uint8)
    assert for_a_person(could_be_twins, comparisons, pattern).tolist() == [doubt]


def test_marks_that_keep_people_apart() -> None:
    """A valid NHS number of one's own; who holds two is kept apart from nobody by one of them. The numbers of
    children of one birth, and generations."""
    people = pl.DataFrame(
        {"id": list("abcdefgh"), "first": ["Ann", "Ann", "Ann", "Ann", "Twin 1", "Twin 2", None, "Bo"],
         "last": ["Ng", "Ng", "Ng", "Ng", "Ng", "Ng", "Ng Snr", "Ng"],
         "nhs": ["9434765919", "9434765870", "9434765919 / 9434765870", "9434765918", None, None, None,
                 "943 476 5919"]}
    )  # fmt: skip
    roles = {"forename": "first", "surname": "last", "nhs_number": "nhs"}
    register = read_register(people, Fields(id="id", roles=roles), PERSON)
    marks = marks_of_people(register)
    assert set(marks) == {
        "two different valid NHS numbers",
        "numbered as two children",
        "styled as two generations",
    }
    shown = {guard: dict(zip(register.ids, mark.tolist(), strict=True)) for guard, mark in marks.items()}
    number = shown["two different valid NHS numbers"]
    assert 0 < number["a"] == number["h"] != number["b"] > 0
    assert number["a"] < 1 << 60
    assert [number[item] for item in "cdefg"] == [0] * 5
    births = shown["numbered as two children"]
    assert births["e"] != births["f"]
    assert [bool(births[item]) for item in "abcdefgh"] == [False] * 4 + [True, True, False, False]
    generations = shown["styled as two generations"]
    assert [bool(generations[item]) for item in "abcdefgh"] == [False] * 6 + [True, False]


def test_a_register_without_numbers_has_no_marks_of_them() -> None:
    people = pl.DataFrame({"id": ["a", "b"], "last": ["Ng", "Li"]})
    register = read_register(people, Fields(id="id", roles={"surname": "last"}), PERSON)
    assert "two different valid NHS numbers" not in marks_of_people(register)
    one = pl.DataFrame({"id": ["a", "b"], "last": ["Ng", "Li"], "nhs": ["9434765919", None]})
    register = read_register(one, Fields(id="id", roles={"surname": "last", "nhs_number": "nhs"}), PERSON)
    (number,) = (mark for guard, mark in marks_of_people(register).items() if "NHS" in guard)
    assert dict(zip(register.ids, (number > 0).tolist(), strict=True)) == {"a": True, "b": False}
