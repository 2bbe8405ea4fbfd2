"""What a twin could show is for a person to decide, however strong the rest of the evidence is."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Linkage, link
from tests.linkage.registers_for_tests import fields_of

SURE = 0.95
FIRST = 7_000
"""Each pair below has a family, a home and a number of its own, from this number on."""

COULD_BE_TWINS = {
    "an initial": ("J", "JACK"),
    "an initial, the other way round": ("JACK", "J"),
    "no forename on one side": (None, "MARGARET"),
    "no forename at all": (None, None),
    "a short form": ("ROBERT", "BOB"),
    "one of several forenames": ("MARY JANE", "MARY"),
    "somewhat alike": ("MARTHA", "MARCIA"),
    "only the first letter": ("KAREN", "KERRY"),
    "nothing in common": ("ANWEN", "ZOE"),
}
"""Forenames of two records of one family name, birth date, home and NHS number."""

SAME = {"the same forename": ("ANWEN", "ANWEN"), "a slip of the pen": ("BARTHOLOMEW", "BARTHOLOMAW")}


def _record(number: int, copy: int, forename: str | None, **values: str | None) -> dict[str, str | None]:
    return {
        "id": f"{number}-{copy}", "first": forename, "middle": None, "last": f"Q{_word(number)}",
        "dob": "1987-03-14", "sex": "F", "nhs": _nhs(number), "phone": f"0113496{number}",
        "house": str(number), "street": f"{_word(number)} LANE", "postcode": "LS6 3HN",
        **values,
    }  # fmt: skip


def _word(number: int) -> str:
    """A name of its own for each number."""
    return "".join(chr(ord("A") + int(digit)) for digit in str(number)) + "SON"


def _nhs(number: int) -> str:
    """A number that the check digit allows."""
    for nine in range(900_000_000 + number * 10, 900_000_000 + number * 10 + 10):
        check = (11 - sum(int(d) * w for d, w in zip(str(nine), range(10, 1, -1), strict=True)) % 11) % 11
        if check < 10:
            return f"{nine}{check}"
    raise AssertionError(number)


CASES = {**COULD_BE_TWINS, **SAME}
NUMBERS = {name: FIRST + place for place, name in enumerate([*CASES, "sexes differ", "a date one digit off"])}


@pytest.fixture(scope="module")
def linked() -> Linkage:
    frame = make_register(4000, PLAIN, seed=3)
    rows = [_record(NUMBERS[name], copy, both[copy]) for name, both in CASES.items() for copy in (0, 1)]
    slip = SAME["a slip of the pen"]
    rows += [_record(NUMBERS["sexes differ"], copy, slip[copy], sex="MF"[copy]) for copy in (0, 1)]
    dates = ("1987-03-14", "1987-03-15")
    rows += [
        _record(NUMBERS["a date one digit off"], copy, "JACK"[: 1 + 3 * copy], dob=dates[copy]) for copy in (0, 1)
    ]
    more = pl.DataFrame(rows, schema_overrides={"first": pl.String, "middle": pl.String})
    kept = [name for name in frame.columns if name in more.columns]
    return link(
        pl.concat([frame.select(kept).cast(pl.String), more.select(kept).cast(pl.String)]), fields_of(PLAIN)
    )


def _p(linked: Linkage, name: str) -> float:
    ends = [f"{NUMBERS[name]}-0", f"{NUMBERS[name]}-1"]
    pair = linked.pairs.filter(pl.col("left_id").is_in(ends) & pl.col("right_id").is_in(ends))
    return float(pair.get_column("p_same").item())


@pytest.mark.parametrize("name", [*COULD_BE_TWINS, "sexes differ", "a date one digit off"])
def test_what_a_twin_could_show_is_never_sure(linked: Linkage, name: str) -> None:
    assert _p(linked, name) < SURE


@pytest.mark.parametrize("name", list(SAME))
def test_the_rest_of_the_evidence_is_strong(linked: Linkage, name: str) -> None:
    """The same family, home and number: only the forename holds the pairs above back."""
    assert _p(linked, name) >= SURE


@pytest.mark.parametrize("name", list(COULD_BE_TWINS))
def test_what_a_twin_could_show_is_put_to_a_person(linked: Linkage, name: str) -> None:
    assert _p(linked, name) >= linked.model["thresholds"]["propose"]
