"""The dictionaries of a register: every distinct value once, cleaned, in order, with how often it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.folding import folded

MISSING = -1
LONGEST = 60
LEAST_NUMBERS, MOST_HOLDERS = 300, 8.0
RARENESS = (1e-2, 10**-2.5, 1e-3, 10**-3.5, 1e-4, 10**-4.5)


@dataclass(frozen=True)
class Values:
    """Distinct values in sorted order (so that codes do not depend on the order of rows)."""

    text: pl.Series

    def __len__(self) -> int:
        return len(self.text)

    def strings(self, codes: NDArray[np.integer]) -> list[str]:
        """The values behind codes, none of which may be missing."""
        return self.text.gather(pl.Series(codes.astype(np.uint32))).to_list()

    def all(self) -> list[str]:
        return self.text.to_list()


def encode(
    columns: Sequence[pl.Series], clean: Callable[[pl.Series], pl.Series] | None = None
) -> tuple[list[NDArray[np.int32]], Values]:
    """Text columns as codes of one shared dictionary. Raw text is cleaned once per distinct value.

    Returns one int32 array a column (MISSING where nothing is known) and the dictionary.
    """
    raw = [by_distinct(column) for column in columns]
    return encode_cleaned([(rows, (clean or clean_text)(distinct)) for rows, distinct in raw])


def encode_cleaned(
    columns: Sequence[tuple[NDArray[np.int64], pl.Series]],
) -> tuple[list[NDArray[np.int32]], Values]:
    """As `encode`, of columns given as `by_distinct` has them, with their distinct values cleaned."""
    cleaned = [tidy.rename("t") for _, tidy in columns]
    text = pl.concat(cleaned).drop_nulls().unique().sort() if cleaned else pl.Series([], dtype=pl.String)
    return [_codes(rows, tidy, text) for (rows, _), tidy in zip(columns, cleaned, strict=True)], Values(text)


def by_distinct(column: pl.Series) -> tuple[NDArray[np.int64], pl.Series]:
    """Each row's place in a list of distinct values (MISSING for null), and that list."""
    physical = column.cast(pl.String).cast(pl.Categorical(pl.Categories.random())).rename("v")
    rows = physical.to_physical().cast(pl.Int64).fill_null(MISSING).to_numpy()
    places = pl.Series("t", np.arange(int(rows.max(initial=MISSING)) + 1, dtype=np.uint32))
    return rows, places.cat.to(physical.dtype).cast(pl.String)


def flagged_rows(flags: NDArray[np.bool_], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows hold one of the distinct values flagged; rows as `by_distinct` has them."""
    if not flags.any():
        return np.zeros(len(rows), dtype=bool)
    return np.append(flags, False).take(rows, mode="wrap")


def _codes(rows: NDArray[np.int64], clean: pl.Series, text: pl.Series) -> NDArray[np.int32]:
    found = clean.to_frame("t").join(
        text.to_frame("t").with_row_index("code"), on="t", how="left", maintain_order="left"
    )
    table = found["code"].cast(pl.Int32).fill_null(MISSING).to_numpy()
    return np.append(table, np.int32(MISSING))[rows]


def clean_text(text: pl.Series) -> pl.Series:
    """Capitals A to Z whatever the writing, one blank between words; null where nothing is known (`fillers`) and
    for text without a letter or digit.

    >>> clean_text(pl.Series([" o''Brien ", "José  María", "Łuczak", "n/k", "--"])).to_list()
    ["O'BRIEN", 'JOSE MARIA', 'LUCZAK', None, None]
    """
    short = text.cast(pl.String).str.slice(0, LONGEST)
    t = pl.col("t").str.to_uppercase()
    t = t.str.replace_all("[`\u2018\u2019\u00b4]", "'").str.replace_all("''+", "'")
    t = t.str.replace_all(r"[^\p{L}\p{N}'/?-]+", " ").str.strip_chars(" '-/.")
    given = ~pl.col("filler") & t.str.contains(r"[\p{L}\p{N}]")
    return pl.DataFrame({"t": folded(short), "filler": fillers(short)}).select(pl.when(given).then(t)).to_series()


def rareness(share: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Step of a value on the scale of RARENESS: 0 is held by one in a hundred or more."""
    return np.searchsorted(-np.array(RARENESS), -share, side="left").astype(np.uint8)


def usual_holders(codes: NDArray[np.int32], size: int) -> float:
    """How many rows hold the value of a row drawn at random: one or two for a number that names a person."""
    counts = np.bincount(codes[codes >= 0], minlength=size).astype(np.float64)
    return float((counts * counts).sum() / max(1.0, counts.sum()))


def names_a_person(codes: NDArray[np.int32], values: Values) -> bool:
    """True for a column of numbers (at most three letters, four digits or more) each held by few rows.

    Too few values show nothing: a short list of anything is held by few.
    """
    if len(values) < LEAST_NUMBERS or usual_holders(codes, len(values)) > MOST_HOLDERS:
        return False
    text = values.text
    numeric = (text.str.count_matches(r"\d") >= 4) & (text.str.count_matches(r"\p{L}") <= 3)
    return int(numeric.sum()) > 0.9 * len(text)
