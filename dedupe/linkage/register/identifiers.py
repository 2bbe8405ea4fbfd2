"""Numbers that name a person or a line: NHS numbers, phone numbers. Packed one digit a nibble."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.dates import digits_packed

VALID = np.uint64(1) << np.uint64(60)
DIGITS = VALID - np.uint64(1)
PRETEND = frozenset({1234567890, 123456789, 12345678, 1234567891, 987654321, 9876543210})


def packed_numbers(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Numbers one digit a nibble; those that only fill a field (9999999999, 1234567890) as missing."""
    packed = digits_packed(values)
    one_digit_only = np.bitwise_count(_unequal_places(packed ^ packed >> np.uint64(4))) <= 1
    pretend = pl.Series(values).is_in(sorted(PRETEND)).to_numpy()
    packed[one_digit_only | pretend] = 0
    return packed


def with_check(packed: NDArray[np.uint64], checked: bool | None = None) -> NDArray[np.uint64]:
    """NHS numbers with the VALID bit set where the check digit is right (modulus 11, NHS Data Dictionary); no bit
    where the column is not `checked`, that is, where most fail."""
    checked = most_pass(packed) if checked is None else checked
    return packed | np.where(passes_check(packed), VALID, np.uint64(0)) if checked else packed


def most_pass(packed: NDArray[np.uint64]) -> bool:
    """Whether a column of numbers has the check digits of NHS numbers. Where most fail, it holds some other
    number: a check that nearly everything fails says nothing about a pair."""
    return bool(passes_check(packed).sum() >= 0.5 * np.count_nonzero(packed))


def passes_check(packed: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True for numbers of nine or ten digits whose last is the check digit of the others."""
    total = np.zeros(len(packed), dtype=np.uint16)
    for place in range(1, 10):
        total += (packed >> np.uint64(4 * place) & np.uint64(15)).astype(np.uint16) * np.uint16(place + 1)
    check = (11 - total % 11) % 11
    given = packed > 0
    valid = given & (check == (packed & np.uint64(15)).astype(np.uint16)) & (packed >> np.uint64(40) == 0)
    valid &= packed >> np.uint64(32) > 0
    return valid


def digits_apart(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """How many digits differ between packed numbers, place by place."""
    return np.bitwise_count(_unequal_places(left ^ right))


def _unequal_places(apart: NDArray[np.uint64]) -> NDArray[np.uint64]:
    folded = apart | apart >> np.uint64(1)
    folded |= folded >> np.uint64(2)
    return folded & np.uint64(0x1111111111111111)


def neighbours_swapped(left: NDArray[np.uint64], right: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True where two neighbouring digits changed places and nothing else differs."""
    apart = left ^ right
    places = _unequal_places(apart)
    adjacent = (np.bitwise_count(places) == 2) & (np.bitwise_count(places & places >> np.uint64(4)) == 1)
    lowest = places & (~places + np.uint64(1))
    low_digit = left & lowest * np.uint64(15)
    moved = right >> np.uint64(4) & lowest * np.uint64(15)
    high_digit = left >> np.uint64(4) & lowest * np.uint64(15)
    return adjacent & (low_digit == moved) & (high_digit == (right & lowest * np.uint64(15)))
