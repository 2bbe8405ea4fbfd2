"""Streets and postcodes: cleaned, and a postcode's wider neighbourhoods."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.fillers import fillers, only
from casebridge.dedupe.linkage.register.values import Values, clean_text

STREET_WORDS = {
    "RD": "ROAD", "ST": "STREET", "AVE": "AVENUE", "AV": "AVENUE", "LN": "LANE", "DR": "DRIVE", "CL": "CLOSE",
    "CRES": "CRESCENT", "CT": "COURT", "GDNS": "GARDENS", "PL": "PLACE", "SQ": "SQUARE", "TER": "TERRACE",
}  # fmt: skip
ORDINALS = {
    "FIRST": "1ST", "SECOND": "2ND", "THIRD": "3RD", "FOURTH": "4TH", "FIFTH": "5TH", "SIXTH": "6TH",
    "SEVENTH": "7TH", "EIGHTH": "8TH", "NINTH": "9TH", "TENTH": "10TH", "ELEVENTH": "11TH", "TWELFTH": "12TH",
}  # fmt: skip
"""Streets that are counted: Third Avenue and 3rd Avenue."""
_COUNTED = rf"^(?:{'|'.join(ORDINALS)}) "
UK_POSTCODE = r"^([A-Z]{1,2}[0-9][A-Z0-9]?)([0-9])([A-Z]{2})$"


def streets(text: pl.Series) -> pl.Series:
    """Street text cleaned, its last word spelled out (RD: ROAD), a first one that counts in figures.

    >>> streets(pl.Series(["High St.", "Third Ave", "3rd Avenue", "Church"])).to_list()
    ['HIGH STREET', '3RD AVENUE', '3RD AVENUE', 'CHURCH']
    """
    last = pl.col("t").str.extract(r" (\w+)$")
    whole = last.replace_strict(STREET_WORDS, default=None, return_dtype=pl.String)
    head = pl.col("t").str.replace(r"\w+$", "")
    cleaned = clean_text(text).to_frame("t")
    spelled = cleaned.select(t=pl.when(whole.is_null()).then("t").otherwise(head + whole)).to_series()
    counted = spelled.str.contains(_COUNTED).fill_null(False).arg_true()
    if not len(counted):
        return spelled
    first, rest = (spelled.gather(counted).str.extract(r"^(\w+) (.*)$", part) for part in (1, 2))
    return spelled.scatter(counted, first.replace(ORDINALS) + " " + rest)


def houses(text: pl.Series) -> pl.Series:
    """House numbers and names cleaned as streets are; 12.0 is 12."""
    return streets(text.str.replace(r"^\s*(\d+)\.0+\s*$", "$1"))


def postcodes(text: pl.Series) -> pl.Series:
    """Postcodes without blanks. Missing are those that mean "no fixed abode" (ZZ99), zeros or nines only, a
    single sign, and words: every country's codes hold a figure."""
    bare = text.str.slice(0, 20).str.to_uppercase().str.replace_all(r"[^A-Z0-9]", "")
    real = bare.str.contains(r"\d") & (bare.str.len_chars() > 1) & ~fillers(text)
    return only(bare, real & ~bare.str.contains(r"^(?:ZZ99.*|0+|9+)$"))


def postcode_parts(values: Values) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Sector and district of each distinct postcode as codes, shape (len(values),) each."""
    parts = sectors_and_districts(values)
    return tuple(parts[c].rank("dense").cast(pl.Int32).to_numpy() for c in ("s", "d"))  # type: ignore[return-value]


def sectors_and_districts(values: Values) -> pl.DataFrame:
    """Sector (s) and district (d) of each distinct postcode.

    A UK postcode "LS6 3HN" has sector "LS6 3", district "LS6". Any other scheme is cut by length: all but
    the last character, all but the last two.
    """
    text = values.text.to_frame("t")
    british = pl.col("t").str.contains(UK_POSTCODE)
    cut = pl.col("t").str.len_chars().cast(pl.Int64)
    sector = pl.when(british).then(pl.col("t").str.head(-2)).otherwise(_first(cut - 1))
    district = pl.when(british).then(pl.col("t").str.head(-3)).otherwise(_first(cut - 2))
    return text.select(sector.alias("s"), district.alias("d"))


def _first(signs: pl.Expr) -> pl.Expr:
    """The first so many signs; at least one, where a code is shorter."""
    return pl.col("t").str.slice(0, signs.clip(1))
