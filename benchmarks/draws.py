"""What registers are drawn from: names by rank, NHS numbers, streets, postcodes, and the slips of a clerk."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks import names_in_use as names

Ints = NDArray[np.int64]
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def zipf(size: int, skew: float) -> NDArray[np.float64]:
    weight = 1.0 / (np.arange(size) + 3.0) ** skew
    return weight / weight.sum()


def draw(random: np.random.Generator, size: int, skew: float, count: int) -> Ints:
    return np.searchsorted(np.cumsum(zipf(size, skew)), random.random(count)).clip(0, size - 1)


def nhs_numbers(random: np.random.Generator, count: int) -> Ints:
    """Valid, distinct NHS numbers."""
    digits = np.zeros(0, dtype=np.int64)
    while len(digits) < count:
        digits = np.unique(
            np.concatenate([digits, random.integers(400_000_000, 800_000_000, int(count * 1.3) + 50)])
        )
        total = sum((digits // 10 ** (8 - k) % 10) * (10 - k) for k in range(9))
        check = (11 - total % 11) % 11
        digits = digits[check < 10]
    digits = random.permutation(digits)[:count]
    total = sum((digits // 10 ** (8 - k) % 10) * (10 - k) for k in range(9))
    return digits * 10 + (11 - total % 11) % 11


def street_name(number: int) -> str:
    made_up = names.HEADS[number % 97] + names.TAILS[number % 43]
    word = made_up if number % 3 else names.STREETS[number % 31]
    return f"{word} {names.WAYS[number * 7 % 12]}"


def postcodes(last: Ints) -> pl.Series:
    """Postcodes for areas 0 … max; neighbours share a sector."""
    number = np.arange(int(last.max()) + 1)
    areas = np.array(["LS", "BD", "HX", "WF", "HD", "S", "YO", "DN"])
    unit, sector, district = number % 400, number // 400 % 9 + 1, number // 3600 % 28 + 1
    area = areas[number // 100_800 % 8]
    good = "ABDEFGHJLNPQRSTUWXYZ"
    two = np.array([a + b for a in good for b in good])
    return (
        pl.Series(area)
        + pl.Series(district).cast(pl.String)
        + " "
        + pl.Series(sector).cast(pl.String)
        + pl.Series(two[unit])
    )


def choose(mask: NDArray[np.bool_], yes: pl.Series, no: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.Series(mask)).then(yes).otherwise(no)).to_series()


def slip(random: np.random.Generator, text: str) -> str:
    """One typing slip: a letter changed, left out, added, duplicates, or two changed about."""
    if len(text) < 2:
        return text
    at, kind = int(random.integers(0, len(text))), int(random.integers(0, 5))
    other = LETTERS[int(random.integers(0, 26))]
    if kind == 0:
        return text[:at] + other + text[at + 1 :]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + other + text[at:]
    if kind == 3:
        return text[:at] + text[at] + text[at:]
    at = min(at, len(text) - 2)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def digit_slip(random: np.random.Generator, text: str) -> str:
    at = int(random.integers(0, len(text)))
    if random.random() < 0.3 and len(text) > 1:
        at = min(at, len(text) - 2)
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + str(int(random.integers(0, 10))) + text[at + 1 :]
