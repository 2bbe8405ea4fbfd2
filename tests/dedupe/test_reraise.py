"""A pair decided *different* comes back when its evidence changed materially, and for nothing less."""

from __future__ import annotations

import math

import pytest

from casebridge.dedupe.linkage.comparisons.births import BIRTH_LEVELS
from casebridge.dedupe.linkage.comparisons.levels import Level
from casebridge.dedupe.linkage.comparisons.names import (
    FORENAME_EXACT,
    FORENAME_REST,
    MIDDLE_EXACT,
    MIDDLE_REST,
    SAME_INITIAL,
)
from casebridge.dedupe.linkage.comparisons.registry import NHS_LEVELS, NUMBER_LEVELS
from casebridge.dedupe.linkage.comparisons.surnames import SURNAME_EXACT, SURNAME_REST
from casebridge.dedupe.review.reraise import Basis, comes_back, material_changes, side
from tests.desks import World, at_desk, open_desk
from tests.kin import Kin, Row, make_kin, person

ALIKE = Basis({"nhs_number": "same NHS number", "surname": "same surname, held by 1 in 100 or more"}, 12.0)


@pytest.mark.parametrize(
    "one",
    [*NHS_LEVELS, *NUMBER_LEVELS, *BIRTH_LEVELS, FORENAME_EXACT, SAME_INITIAL, *FORENAME_REST, MIDDLE_EXACT,
     *MIDDLE_REST, SURNAME_EXACT, *SURNAME_REST],
    ids=lambda one: one.label,
)  # fmt: skip
def test_a_levels_words_tell_the_side_that_linkage_takes_it_for(one: Level) -> None:
    """By how often linkage expects the level in one person's records, and in those of two who share a household.
    Where both are within a factor of two it says little, and either word will do."""
    same, household = one.start[0] or 1e-9, one.start[4] or 1e-9
    if abs(math.log2(same / household)) >= 1:
        assert side(one.label) == ("for" if same > household else "against")


@pytest.mark.parametrize(
    ("levels", "weight", "said"),
    [
        ({}, 12.0, ()),
        ({"surname": "same surname, held by about 1 in 300"}, 12.0, ()),
        ({"phone": "phone numbers differ", "sex": "sex differs"}, 9.1, ()),
        ({"nhs_number": "two different valid NHS numbers"}, 11.0, ("NHS number",)),
        ({"nhs_number": ""}, 10.0, ("NHS number",)),
        ({"birth_date": "same birth date"}, 14.0, ("date of birth",)),
        ({"surname": "surname differs", "birth_date": "same birth date"}, 12.0, ("date of birth", "last name")),
        ({}, 15.0, ("the weight of the evidence rose by 3.0 bits",)),
        ({}, 9.0, ("the weight of the evidence fell by 3.0 bits",)),
    ],
)  # fmt: skip
def test_what_is_material(levels: dict[str, str], weight: float, said: tuple[str, ...]) -> None:
    now = Basis({name: level for name, level in {**ALIKE.levels, **levels}.items() if level}, weight)
    found = material_changes(ALIKE, now)
    assert [words.split(":")[0] for words in found] == list(said)


def test_what_only_weakened_and_is_put_forward_no_more_does_not_come_back() -> None:
    weaker = Basis({"nhs_number": "two different valid NHS numbers"}, 2.0)
    assert comes_back(ALIKE, weaker, put_forward=True)
    assert not comes_back(ALIKE, weaker, put_forward=False)
    assert comes_back(weaker, ALIKE, put_forward=False)


def _nhs_numbers(count: int) -> list[str]:
    """Numbers with a right check digit (modulus 11)."""
    made: list[str] = []
    for body in range(400_000_000, 401_000_000, 37):
        digits = f"{body:09d}"
        check = -sum(int(digit) * (10 - place) for place, digit in enumerate(digits)) % 11
        made += [f"{digits}{check}"] if check < 10 else []
        if len(made) == count:
            break
    return made


NUMBERS = _nhs_numbers(60)
OTHERS = [person(n, f"Na{chr(97 + n % 16)}{chr(98 + n // 16)}o", NUMBERS[n % 50]) for n in range(10, 72)]


@pytest.fixture(scope="module")
def kin(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    """Two people of one name who were decided different, in a sheet; a run has taken it up."""
    made = make_kin(tmp_path_factory.mktemp("kin"), [*OTHERS, *_two(NUMBERS[50], NUMBERS[51])])
    linkage = made.folder / "linkage.toml"
    linkage.write_text(linkage.read_text(encoding="utf-8").replace('phone = "phone"', 'nhs_number = "phone"'))
    assert made.cli("pairs", "--ask-for", "1", "2", "--by", "H", "--why", "one name").returncode == 0
    made.run()
    made.decide((1, 2), ruling="different")
    made.run()
    return made


def _two(one: str, other: str) -> list[Row]:
    return [person(1, "Ngata", one), person(2, "Ngata", other)]


def _listed(kin: Kin) -> list[str]:
    return [line for line in kin.cli("pairs").stdout.splitlines()[1:] if line.startswith("old:1,old:2")]


def test_a_pair_comes_back_with_what_changed_and_leaves_with_the_next_decision(kin: Kin) -> None:
    """Another number of another person raises nothing; one number for both does."""
    kin.dump([*OTHERS, *_two(NUMBERS[50], NUMBERS[52])])
    kin.run()
    assert _listed(kin) == []
    kin.dump([*OTHERS, *_two(NUMBERS[50], NUMBERS[50])])
    kin.run()
    assert len(_listed(kin)) == 1
    with open_desk(World(kin.folder)) as house:
        jo = at_desk(house, "jo")
        seen = house.desk.pairs(house.accounts.find("jo").viewer)  # type: ignore[union-attr]
        one = next(one for one in seen if one.pair.left_id == "old:1")
        jo.get(f"/pair/{one.pair.item}")
        assert "Here again." in jo.page
        assert "NHS number: was" in jo.page
        jo.say(one.pair.item, "different")
        assert [str(d.verdict) for d in house.desk.decisions.standing()] == ["different"]
    assert _listed(kin) == []
    kin.run()
    assert _listed(kin) == []
