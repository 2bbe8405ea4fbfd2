"""What a reviewer is shown of two values: which letters differ, and nothing of a value that is hidden."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebridge.dedupe.review.masking import SENSITIVE, mask
from casebridge.dedupe.review.words import Piece, pieces


def _marked(found: list[Piece]) -> str:
    return "".join(f"[{piece.text}]" if piece.differs else piece.text for piece in found)


@pytest.mark.parametrize(
    ("one", "other", "left", "right"),
    [
        ("Robert", "Robart", "Rob[e]rt", "Rob[a]rt"),
        ("GEORGE", "Gaorge", "G[E]ORGE", "G[a]orge"),
        ("Ann", "Anne", "Ann", "Ann[e]"),
        ("2009-10-02", "2009-02-10", "2009-10[-02]", "2009-[02-]10"),
        ("İlker", "ilker", "[İ]lker", "[i]lker"),
        ("Smith", "Okonkwo", "[Smith]", "[Okonkwo]"),
        ("Ann", "", "[Ann]", ""),
    ],
)
def test_the_letters_that_differ_are_marked(one: str, other: str, left: str, right: str) -> None:
    """Capitals make no difference: legacy systems shout. Of values that share little, all of both is marked."""
    assert [_marked(side) for side in pieces(one, other)] == [left, right]


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_letter_is_lost_or_changed(one: str, other: str) -> None:
    assert ["".join(piece.text for piece in side) for side in pieces(one, other)] == [one, other]


@given(st.text(alphabet="ab1Ž٣- /", max_size=30))
def test_a_masked_value_shows_its_shape_only(value: str) -> None:
    shown = mask(value)
    assert not any(letter.isalnum() for letter in shown)
    assert shown == mask(value.translate(str.maketrans("ab1Ž٣", "bazo7")))


@pytest.mark.parametrize(
    ("column", "masked"),
    [
        ("line_1", True), ("LINE5", True), ("address_line_2", True), ("house_name", True), ("road", True),
        ("flat", True), ("nhs_id", True),
        ("NHSNo", True), ("tel_no", True), ("home_phone", True), ("e_mail", True), ("unique_id", True),
        ("sort_code", True), ("household_type", False), ("deadline_1", False), ("broad_need", False),
        ("start_date", False), ("last_name", False), ("postcode", False), ("inflated", False),
    ],
)  # fmt: skip
def test_columns_that_are_masked(column: str, masked: bool) -> None:
    """Where somebody lives and how he is reached; the postcode is shown, as what linkage compares is."""
    assert bool(SENSITIVE.search(column)) is masked
