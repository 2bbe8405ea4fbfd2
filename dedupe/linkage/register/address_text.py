"""Addresses written as one text: flat, number or name of the building, street, town, postcode."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.column_reader import ColumnReader, tell_unread
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.folding import folded
from casebridge.dedupe.linkage.register.places import STREET_WORDS, houses, postcodes, streets
from casebridge.dedupe.linkage.register.readers import read_text
from casebridge.dedupe.linkage.register.values import by_distinct, encode_cleaned, flagged_rows

LONGEST = 200
POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?) ?(\d[A-Z]{2})\b")
_STREETS = """
ROAD STREET AVENUE LANE DRIVE CLOSE CRESCENT COURT GARDENS PLACE SQUARE TERRACE WAY GROVE HILL ROW WALK PARADE
GREEN
VIEW RISE PARK MEWS YARD BANK FOLD GATE WHARF QUAY BROW CIRCUS ESPLANADE PROMENADE BYPASS
"""
STREETS = frozenset([*_STREETS.split(), *STREET_WORDS])
FLAT = re.compile(r"^(?:FLAT|UNIT|APARTMENT|APT|SUITE|ROOM|BLOCK|OFFICE)S? ?([A-Z]?\d+[A-Z]?|[A-Z])\b[ ,]*(.*)$")
NUMBER = re.compile(r"(?:^|\s)(\d+[A-Z]?)(?: ?[-/&] ?(\d+[A-Z]?))?[ ,]+(.*)$")
ONLY_NUMBER = re.compile(r"^\d+[A-Z]?(?: ?[-/&] ?\d+[A-Z]?)?$")


@dataclass(frozen=True)
class AddressLine:
    """An address taken apart; "" for what is not there."""

    house: str = ""
    street: str = ""
    postcode: str = ""


def read_address_line(text: str) -> AddressLine:
    """House, street and postcode of an address in plain letters. A flat or unit stands before the number; a
    building goes by its name where it has no number.

    >>> read_address_line("Unit 4, Moor House, 12 High St, Tarnton, LS1 4AB")
    AddressLine(house='4 12', street='HIGH ST', postcode='LS1 4AB')
    >>> read_address_line("Holly Bank, Fell Lane, Tarnton")
    AddressLine(house='HOLLY BANK', street='FELL LANE', postcode='')
    >>> read_address_line("12-14 Fell Lane")
    AddressLine(house='12', street='FELL LANE', postcode='')
    """
    upper = text.upper()
    found = POSTCODE.search(upper)
    postcode = f"{found[1]} {found[2]}" if found else ""
    parts = [part.strip(" .") for part in re.split(r"[,\n\r;|]+", POSTCODE.sub(" ", upper)) if part.strip(" .")]
    flat, rest = "", []
    for part in parts:
        inside = FLAT.match(part)
        new = inside is not None and not flat
        flat = inside[1] if inside and new else flat
        left = inside[2].strip() if inside and new else part
        if left:
            rest.append(left)
    at, house, street = _street(rest)
    if not house and at:
        house = rest[at - 1]
    house = " ".join(filter(None, (flat, house)))
    return AddressLine(house, street, postcode)


def _street(parts: list[str]) -> tuple[int, str, str]:
    """Which part is the street, its house number, and its name. A number may stand in a part of its own."""
    joined: list[tuple[int, str]] = []
    for at, part in enumerate(parts):
        if joined and ONLY_NUMBER.match(joined[-1][1]):
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {part}")
        else:
            joined.append((at, part))
    split = [(at, NUMBER.search(part), part) for at, part in joined]
    numbered = [one for one in split if one[1]]
    named = [one for one in split if _ends(one[2])]
    both = [one for one in numbered if one in named]
    for found in (*both[:1], *named[-1:], *numbered[:1]):
        at, number, part = found
        return (at, number[1], _cut(number[3])) if number else (at, "", _cut(part))
    return (1, "", parts[1]) if len(parts) > 1 else (0, parts[0] if parts else "", "")


def _ends(part: str) -> int:
    """How many words there are up to the last that streets are called by; 0 where there is none."""
    words = part.split()
    return max((n + 1 for n, word in enumerate(words) if n and word in STREETS), default=0)


def _cut(street: str) -> str:
    """A street without the town that stands behind it."""
    return " ".join(street.split()[: _ends(street) or None])


def read_written_address(register: Register, reader: ColumnReader, fields: Fields) -> None:
    """Fills `house`, `street` and `postcode`: from columns of their own where there are any, else from
    `address`."""
    given = {
        role: fields.roles[role] for role in ("address", "house", "street", "postcode") if role in fields.roles
    }
    own = {"house": houses, "street": streets, "postcode": postcodes}
    for role, clean in own.items():
        if role in given:
            read_text(register, reader, role, [reader.column(given[role])], clean, role)
    if "address" not in given:
        return
    column = reader.column(given["address"])
    rows, distinct = by_distinct(column)
    known = (~fillers(distinct)).to_numpy()
    plain = folded(distinct.str.slice(0, LONGEST)).to_list()
    lines = [read_address_line(one) if k else AddressLine() for one, k in zip(plain, known, strict=True)]
    nothing = np.array([line == AddressLine() for line in lines], dtype=bool)
    tell_unread(register, "address", "address", column, flagged_rows(nothing & known, rows))
    for role, clean in own.items():
        if role not in given:
            said = pl.Series([getattr(line, role) or None for line in lines], dtype=pl.String)
            codes, values = encode_cleaned([(rows, clean(said))])
            register.columns[role], register.values[role] = reader.arranged(codes[0]), values
