"""What no model may decide of organisations, professionals and addresses: every pattern, by the rule in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np
import polars as pl
import pytest

from casebridge.dedupe.linkage import Fields
from casebridge.dedupe.linkage.comparisons.levels import AGREES, SLIP, SWAP, TWO, UNLIKE, Comparison, Level
from casebridge.dedupe.linkage.comparisons.organisations import ALSO, LONGER
from casebridge.dedupe.linkage.comparisons.said import for_a_person
from casebridge.dedupe.linkage.comparisons.uk_addresses import ELSEWHERE
from casebridge.dedupe.linkage.comparisons.uk_doors import ONE_TELLS, PERHAPS_TWO
from casebridge.dedupe.linkage.fields import NUMBER_CAP, TWIN_CAP
from casebridge.dedupe.linkage.kinds.address import (
    FLATS,
    HOUSES,
    NAMES,
    TWO_UPRNS,
    but_for_slips,
    could_be_two_doors,
    marks_of_addresses,
)
from casebridge.dedupe.linkage.kinds.organisation import TWO_CODES, could_be_branches, marks_of_organisations
from casebridge.dedupe.linkage.kinds.professional import (
    TWO_AT_PAYROLL,
    TWO_NUMBERS,
    could_be_namesakes,
    marks_of_professionals,
)
from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.reading import read_register

OTHERWISE, MISSING, ABSENT = "otherwise", "missing", "absent"
"""Of a comparison: none of its tags; a value that is not there; a column that the register does not have."""
Said = Mapping[str, str]
Tables = Mapping[str, Sequence[str]]

NAMES_OF_BODIES = (AGREES, OTHERWISE, ALSO, SLIP, LONGER)
YES_OR_NO = (AGREES, OTHERWISE)
ORGANISATION: Tables = {
    "name": NAMES_OF_BODIES, "address": YES_OR_NO, "phone": YES_OR_NO, "email": YES_OR_NO,
    "supplier_number": YES_OR_NO, "branch": (AGREES, UNLIKE), "ods_code": (AGREES, OTHERWISE, TWO),
}  # fmt: skip


def _branches(said: Said) -> bool:
    one_name = said["name"] in {AGREES, ALSO, SLIP, LONGER}
    line = AGREES in (said["phone"], said["email"], said["supplier_number"])
    weak = said["address"] != AGREES or not one_name or (said["name"] == LONGER and not line)
    two_names = said["name"] not in {MISSING, ABSENT} and not one_name
    return (weak and said["ods_code"] != AGREES) or two_names or said["branch"] == UNLIKE


PROFESSIONAL: Tables = {
    "forename": (AGREES, SLIP, SWAP, OTHERWISE), "surname": (AGREES, SLIP, SWAP, OTHERWISE), "login": YES_OR_NO,
    "email": YES_OR_NO, "staff_number": (AGREES, OTHERWISE, UNLIKE),
    "registration_number": (AGREES, OTHERWISE, TWO),
}  # fmt: skip


def _namesakes(said: Said) -> bool:
    one_name = {said["forename"], said["surname"]} <= {AGREES, SLIP, SWAP}
    mailbox = AGREES in (said["login"], said["email"]) and said["staff_number"] != UNLIKE
    return not (one_name and (mailbox or AGREES in (said["staff_number"], said["registration_number"])))


NO_FLAT = "neither has a flat"
ADDRESS: Tables = {
    "house": (AGREES, ONE_TELLS, PERHAPS_TWO, UNLIKE, OTHERWISE), "flat": (AGREES, NO_FLAT, OTHERWISE),
    "street": (AGREES, SLIP, UNLIKE, OTHERWISE), "town": (AGREES, ELSEWHERE, OTHERWISE),
    "postcode": (AGREES, SLIP, ELSEWHERE, OTHERWISE), "uprn": (AGREES, OTHERWISE, TWO),
}  # fmt: skip


def _two_doors(said: Said) -> bool:
    house, flat, street, town, postcode = (said[name] for name in ("house", "flat", "street", "town", "postcode"))
    whole = house == ONE_TELLS and flat == AGREES
    one_door = (house == AGREES or whole) and flat in {AGREES, NO_FLAT}
    by_code = postcode == AGREES and street in {AGREES, SLIP, MISSING, ABSENT}
    by_town = street == AGREES and town == AGREES and postcode in {SLIP, MISSING, ABSENT}
    two_doors = house in {UNLIKE, PERHAPS_TWO} or (house == ONE_TELLS and not whole)
    two_doors = two_doors or flat not in {AGREES, NO_FLAT, ABSENT}
    two_places = street == UNLIKE or postcode == ELSEWHERE or (town == ELSEWHERE and postcode != AGREES)
    return (not (one_door and (by_code or by_town)) and said["uprn"] != AGREES) or two_doors or two_places


Guard = Callable[..., np.ndarray]
GUARDS: list[tuple[Guard, Tables, str, Callable[[Said], bool]]] = [
    (could_be_branches, ORGANISATION, "ods_code", _branches),
    (could_be_namesakes, PROFESSIONAL, "registration_number", _namesakes),
    (could_be_two_doors, ADDRESS, "uprn", _two_doors),
]


def _comparisons(tables: Tables, number: str) -> list[Comparison]:
    def tag(said: str) -> str | None:
        return None if said == OTHERWISE else AGREES if said == NO_FLAT else said

    def comparison(name: str, tags: Sequence[str]) -> Comparison:
        levels = tuple(Level(said, (0.5,), tag=tag(said)) for said in tags)
        return Comparison(name, levels, lambda *_: np.zeros(1, np.uint8), identifier=name == number)

    return [comparison(name, tags) for name, tags in tables.items()]


def _every(tables: Tables) -> tuple[list[dict[str, str]], np.ndarray]:
    """Every pattern, as words and as numbers of levels."""
    said = [
        dict(zip(tables, words, strict=True)) for words in product(*((*tags, MISSING) for tags in tables.values()))
    ]
    numbers = list(product(*(range(len(tags) + 1) for tags in tables.values())))
    return said, np.array(numbers, dtype=np.uint8)


@pytest.mark.parametrize(
    ("guard", "tables", "number", "rule"), GUARDS, ids=["organisations", "staff", "addresses"]
)
def test_every_pattern_is_judged_by_the_rule(
    guard: Guard, tables: Tables, number: str, rule: Callable[[Said], bool]
) -> None:
    """Also where the register lacks a column; each of the two caps may be left out."""
    said, levels = _every(tables)
    for lacking in (None, *tables):
        left = {name: tags for name, tags in tables.items() if name != lacking}
        here, rows = [name != lacking for name in tables], slice(None)
        patterns = levels[rows][:, here]
        doubt = np.array([rule({**one, lacking: ABSENT} if lacking else one) for one in said])
        two = np.array([one[number] == TWO and number != lacking for one in said])
        comparisons = _comparisons(left, number)
        for without, expected in (
            ((), doubt | two), ({NUMBER_CAP}, doubt), ({TWIN_CAP}, two), ({NUMBER_CAP, TWIN_CAP}, doubt & False)
        ):  # fmt: skip
            found = for_a_person(guard, comparisons, patterns, frozenset(without))
            wrong = np.flatnonzero(found != expected)
            assert [said[at] for at in wrong[:3]] == [], (lacking, without)


def _marks(
    kind: str, marks: Callable[[Register], dict[str, np.ndarray]], **columns: list[str | None]
) -> dict[str, list[int]]:
    """The marks of records a, b … by guard."""
    size = len(next(iter(columns.values())))
    frame = pl.DataFrame({"id": list("abcdefgh")[:size], **columns})
    register = read_register(
        frame, Fields(id="id", roles={name: name for name in columns}, kind=kind), KINDS[kind]
    )
    order = np.argsort(np.array(register.ids))
    found = marks(register)
    assert all(np.issubdtype(mark.dtype, np.integer) for mark in found.values())
    return {guard: [int(one) for one in mark[order]] for guard, mark in found.items()}


def _alike(marks: list[int]) -> list[int]:
    """Marks by when each is first seen, 0 for none: which are the same."""
    seen = {0: 0}
    return [seen.setdefault(mark, len(seen)) for mark in marks]


def test_codes_that_keep_organisations_apart() -> None:
    names = ["Elm Care", "Elm Care", "Oak Care", "Ash Care"]
    found = _marks(
        "organisation", marks_of_organisations, name=names, ods_code=["A81001", "A81002", "a81001", "?!"]
    )
    assert {guard: _alike(mark) for guard, mark in found.items()} == {TWO_CODES: [1, 2, 1, 0]}
    some = _marks(
        "organisation", marks_of_organisations, name=names, ods_code=["A81001", None, "A81003", "A81001"]
    )
    assert _alike(some[TWO_CODES]) == [1, 0, 2, 1]
    assert _marks("organisation", marks_of_organisations, name=names) == {}


def test_numbers_that_keep_staff_apart() -> None:
    """Who is registered once and has two staff numbers is kept apart by none of these."""
    found = _marks(
        "professional", marks_of_professionals, surname=["Ng", "Ng", "Ng", "Li", "Li", "Wu", "Wu"],
        registration_number=["SW12346", "SW12346", "SW98761", "98A1234", None, "SW45678", "SW45678"],
        staff_number=["1001", "1002", "1003", "1004", "1005", None, "1006"],
    )  # fmt: skip
    assert {guard: _alike(mark) for guard, mark in found.items()} == {
        TWO_NUMBERS: [1, 1, 2, 0, 0, 3, 3], TWO_AT_PAYROLL: [0, 0, 1, 2, 3, 0, 4],
    }  # fmt: skip
    alone = _marks(
        "professional", marks_of_professionals, surname=["Ng", "Ng", "Ng"], staff_number=["1001", "1002", None]
    )
    assert {guard: _alike(mark) for guard, mark in alone.items()} == {TWO_AT_PAYROLL: [1, 2, 0]}
    assert _marks("professional", marks_of_professionals, surname=["Ng", "Li"]) == {}


def test_what_keeps_two_addresses_apart() -> None:
    found = _marks(
        "address", marks_of_addresses, flat=["1", "2", None, "1"], house=["7", "7", "8", None],
        street=["HIGH STREET"] * 4, postcode=["LE1 1AA"] * 4,
        building=["ROSE COTTAGE", "ROSECOTAGE", "HILL HOUSE", None], uprn=["100", "0100", "1234567890123", None],
    )  # fmt: skip
    assert {guard: _alike(mark) for guard, mark in found.items()} == {
        TWO_UPRNS: [1, 1, 0, 0], FLATS: [1, 2, 0, 1], HOUSES: [1, 1, 2, 0], NAMES: [1, 1, 2, 0],
    }  # fmt: skip
    assert _marks("address", marks_of_addresses, street=["A ROAD", "B ROAD"]) == {}


def test_names_of_buildings_but_for_slips() -> None:
    names = ["ROSE COTTAGE", "ROSECOTAGE", "HILL HOUSE", "MILL HOUSE", "BLOCK 2", "BLOCK 3", "", "A"]
    said = but_for_slips(pl.Series(names)).to_list()
    assert said == ["R2232 ", "R2232 ", "H42 ", "M42 ", "B42 2", "B42 3", " ", "A A"]
