"""Addresses as columns of a register: each distinct writing is taken apart once."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.column_reader import ColumnReader
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.folding import folded
from casebridge.dedupe.linkage.register.places import postcodes
from casebridge.dedupe.linkage.register.uk_address import read_uk_address
from casebridge.dedupe.linkage.register.uk_address_doors import UkAddress
from casebridge.dedupe.linkage.register.values import by_distinct, encode_cleaned, flagged_rows

LINES = ("line_1", "line_2", "line_3", "line_4", "line_5", "address")
ROLES = ("flat", "house", "building", "street", *LINES, "town", "postcode")
"""Roles of an address: parts that have columns of their own, and lines of any content."""
DOOR = "door"
PARTS = ("flat", "house", "building", "street", "town", "postcode")
BETWEEN = "\x1f"
RAISED = r"(\p{No})"
"""Halves, and figures above the line: no figures of the number before them."""
NOT_FIXED = r"(?i)\b(?:nfa|fixed (?:abode|address))\b"


def read_uk_addresses(register: Register, reader: ColumnReader, fields: Fields) -> None:
    """Fills the columns of PARTS, and DOOR: flat, house and building of each row together, divided by strokes."""
    roles = [role for role in ROLES if role in fields.roles]
    columns = [_given(reader.column(fields.roles[role])) for role in roles]
    joined = pl.select(pl.concat_str(columns, separator=BETWEEN)).to_series()
    rows, distinct = by_distinct(joined)
    found = [read_uk_address(_told(roles, text)) for text in folded(distinct).to_list()]
    for part in PARTS:
        _fill(register, reader, part, rows, [getattr(one, part) for one in found])
    _fill(register, reader, DOOR, rows, [door_of(one) for one in found])
    _tell(register, rows, distinct, found)


def _given(column: pl.Series) -> pl.Series:
    """Text of a column, "" where nothing is known; what says that there is no fixed address stays, to be told."""
    text = column.cast(pl.String).fill_null("").str.replace_all(BETWEEN, " ").str.replace_all(RAISED, " $1")
    nothing = fillers(text) & ~text.str.contains(NOT_FIXED)
    return (
        pl.DataFrame({"t": text, "f": nothing})
        .select(pl.when(~pl.col("f")).then("t").otherwise(pl.lit("")))
        .to_series()
    )


def _told(roles: list[str], text: str) -> dict[str, str]:
    return dict(zip(roles, text.split(BETWEEN), strict=True))


def door_of(address: UkAddress) -> str:
    """Flat, house and building of an address, divided by strokes; "" where none is told."""
    door = "|".join((address.flat, address.house, address.building))
    return "" if door == "||" else door


def _fill(register: Register, reader: ColumnReader, part: str, rows: NDArray[np.int64], texts: list[str]) -> None:
    said = pl.Series([text or None for text in texts], dtype=pl.String)
    if part == "postcode":
        said = postcodes(said)
    codes, values = encode_cleaned([(rows, said)])
    register.columns[part], register.values[part] = reader.arranged(codes[0]), values


def _tell(register: Register, rows: NDArray[np.int64], distinct: pl.Series, found: list[UkAddress]) -> None:
    """Notes of what says that there is no address, of what cannot be read, and of addresses without a door."""
    empty = (distinct.str.replace_all(BETWEEN, "").str.strip_chars() == "").to_numpy()
    nowhere = np.array([one.nowhere for one in found], dtype=bool)
    nothing = np.array([_says_nothing(one) for one in found], dtype=bool) & ~nowhere & ~empty
    doorless = np.array([not door_of(one) for one in found], dtype=bool) & ~nowhere & ~empty & ~nothing
    for flags, words in (
        (nowhere, "addresses say that there is none (no fixed abode, not known): not compared."),
        (nothing, "addresses cannot be read: not compared."),
        (doorless, "addresses name no flat, number or building: each pair of them is for a person to decide."),
    ):
        many = int(flagged_rows(flags, rows).sum())
        if many:
            register.notes.append(f"address: {many:,} of {len(rows):,} {words}")


def _says_nothing(one: UkAddress) -> bool:
    return not any(getattr(one, part) for part in PARTS)
