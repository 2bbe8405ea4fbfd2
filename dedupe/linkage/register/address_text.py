"""Addresses written as one text: flat, number or name of the building, street, town, postcode."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.register.column_reader import (
    ColumnReader,
    as_lists,
    exploded_items,
    tell_unread,
)
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.fillers import fillers
from casebridge.dedupe.linkage.register.folding import folded
from casebridge.dedupe.linkage.register.places import STREET_WORDS, houses, postcodes, streets
from casebridge.dedupe.linkage.register.readers import Clean, read_text
from casebridge.dedupe.linkage.register.values import by_distinct, flagged_rows

LONGEST = 200
POSTCODE = re.compile(r"\b([A-Z]{1,2}\d[A-Z\d]?) ?(\d[A-Z]{2})\b")
_STREETS = """
ROAD STREET AVENUE LANE DRIVE CLOSE CRESCENT COURT GARDENS PLACE SQUARE TERRACE WAY GROVE HILL ROW WALK PARADE
GREEN
VIEW RISE PARK MEWS YARD BANK FOLD GATE WHARF QUAY BROW CIRCUS ESPLANADE PROMENADE BYPASS
"""
STREETS = frozenset([*_STREETS.split(), *STREET_WORDS])
_FIRST = """
HEOL FFORDD STRYD RHODFA LON CLOS CILGANT RHES RUE CHEMIN ALLEE IMPASSE ROUTE CALLE AVENIDA PASEO CARRER VIA VIALE
PIAZZA CORSO RUA TRAVESSA UL ULICA STRADA BULEVARDUL
"""
FIRST_WORDS = frozenset(_FIRST.split())
"""Words that stand first in Welsh streets (Heol y Bont), and in French, Spanish, Italian, Portuguese, Polish and
Romanian ones."""
ENDINGS = re.compile(
    r"[A-Z]{3}(?:STRASSE|STR|GASSE|WEG|PLATZ|ALLEE|DAMM|STRAAT|LAAN|PLEIN|GRACHT|GATAN|VAGEN|VEJ)$"
)
"""How a word for a street ends in German, Dutch and Nordic: Hauptstrasse."""
ABROAD = re.compile(
    r"^(?:[A-Z]{1,2}-)?(\d{5}|\d{4} ?[A-Z]{2}|\d{2}-\d{3}|\d{4}-\d{3}|\d{4})(?: (\D*))?$"
    r"|^[A-Z]{2} (\d{5})(?:-\d{4})?$"
)
"""A postcode of another country before its town (10115 Berlin, 1011 AB Amsterdam, 00-950 Warszawa), or behind a
state (GA 30305)."""
FLAT = re.compile(r"^(?:FLAT|UNIT|APARTMENT|APT|SUITE|ROOM|BLOCK|OFFICE)S? ?([A-Z]?\d+[A-Z]?|[A-Z])\b[ ,]*(.*)$")
NUMBER = re.compile(r"(?:^|\s)(\d+[A-Z]?)(?: ?[-/&] ?(\d+[A-Z]?))?[ ,]+(.*)$")
NUMBER_LAST = re.compile(r"^(\D{3,}?)(?<!BOX) (\d+ ?[A-Z]?)(?: ?[-/] ?\w+)?$")
_ABBREVIATED = re.compile(r"\.(?=[\s,]|$)")
WHEREABOUTS = re.compile(
    r"\s\(?(?:NEAR|NR|BETWEEN|OPP|OPPOSITE|OFF|BEHIND|CNR|CORNER OF|NEXT TO|ADJ|ADJACENT|AT|BY)\b.*$"
)
"""What tells where in the street a house stands: 12 High St opp church."""
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
    >>> read_address_line("Hauptstrasse 12, 10115 Berlin")
    AddressLine(house='12', street='HAUPTSTRASSE', postcode='10115')
    >>> read_address_line("Heol y Bont, Llanelli")
    AddressLine(house='', street='HEOL Y BONT', postcode='')
    >>> read_address_line("12 Fell Ln. near Mill Rd., Tarnton")
    AddressLine(house='12', street='FELL LN', postcode='')
    """
    upper = _ABBREVIATED.sub("", text.upper())
    found = POSTCODE.search(upper)
    postcode = f"{found[1]} {found[2]}" if found else ""
    parts = [part.strip(" .") for part in re.split(r"[,\n\r;|]+", POSTCODE.sub(" ", upper)) if part.strip(" .")]
    if not postcode:
        postcode, parts = _abroad(parts)
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
        if joined and ONLY_NUMBER.match(part) and _begins(joined[-1][1]) and not NUMBER_LAST.match(joined[-1][1]):
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {part}")  # Via Roma, 10
        elif joined and ONLY_NUMBER.match(joined[-1][1]):
            joined[-1] = (joined[-1][0], f"{joined[-1][1]} {part}")
        else:
            joined.append((at, part))
    split = [(at, NUMBER.search(part), part) for at, part in joined]
    numbered = [one for one in split if one[1]]
    named = [one for one in split if _ends(one[2]) or _begins(one[2])]
    both = [one for one in numbered if one in named]
    for found in (*both[:1], *named[-1:], *numbered[:1]):
        at, number, part = found
        if not number and _begins(part) and (last := NUMBER_LAST.match(part)):
            return at, last[2].replace(" ", ""), last[1]
        return (at, number[1], _cut(number[3])) if number else (at, "", _cut(part))
    return (1, "", parts[1]) if len(parts) > 1 else (0, *_number_last(parts[0] if parts else ""))


def _number_last(part: str) -> tuple[str, str]:
    """House and street of a part that no word tells to be a street: its number may stand behind (Kerkstraat 12),
    as on the Continent; without one it is the name of a building."""
    found = NUMBER_LAST.match(part)
    return (found[2].replace(" ", ""), found[1]) if found else (part, "")


def _abroad(parts: list[str]) -> tuple[str, list[str]]:
    """A postcode of another country, and the parts without it. It stands behind the street, by its town."""
    for at, part in enumerate(parts):
        found = ABROAD.match(part)
        if at and found and not _ends(part):
            left = (found[2] or "").strip()
            return found[1] or found[3], [*parts[:at], *([left] if left else []), *parts[at + 1 :]]
    return "", parts


def _begins(part: str) -> bool:
    """Whether a part is a street by its first word, or by how a word of it ends."""
    words = part.lstrip("0123456789 ").split()
    return bool(words) and (words[0] in FIRST_WORDS or any(ENDINGS.search(word) for word in words))


def _ends(part: str) -> int:
    """How many words there are up to the last that streets are called by; 0 where there is none."""
    words = part.split()
    return max((n + 1 for n, word in enumerate(words) if n and word in STREETS), default=0)


def _cut(street: str) -> str:
    """A street without the town that stands behind it, and without what tells where in it a house stands."""
    short = WHEREABOUTS.sub("", street)
    street = short if _ends(short) else street
    return " ".join(street.split()[: _ends(street) or None])


def read_written_address(register: Register, reader: ColumnReader, fields: Fields) -> None:
    """Fills `house`, `street` and `postcode` from columns of their own; what these lack, from `address`, or from
    the street where that is written as an address line ("12 High Street")."""
    line = _line_of(register, reader, fields)
    for role, clean in PARTS.items():
        own = role in fields.roles and not (line and role == line.role)
        columns = [reader.column(fields.roles[role])] if own else []
        said = [line.part(role, clean)] if line else []
        seldom = all(part[1].count() < SELDOM * len(part[1]) for part in said)
        if not own and (not said or (seldom and not register.known.frozen)):
            continue
        rows, earlier = _earlier(reader, fields, role)
        codes = read_text(register, reader, role, [*columns, *earlier], clean, role, said)
        if own and said:
            register.columns[role] = reader.arranged(np.where(codes[0] >= 0, codes[0], codes[-1]))
        if earlier:
            listed = as_lists(rows, codes[len(columns)], reader.order, role)
            register.lists[f"previous_{role}s"] = listed


def _earlier(reader: ColumnReader, fields: Fields, role: str) -> tuple[NDArray[np.int64], list[pl.Series]]:
    """What stands in the list of earlier ones, and in which rows."""
    if f"previous_{role}s" not in fields.roles:
        return np.zeros(0, dtype=np.int64), []
    rows, items = exploded_items(reader.column(fields.roles[f"previous_{role}s"]))
    return rows, [items]


PARTS = {"house": houses, "street": streets, "postcode": postcodes}
NUMBERED = SELDOM = 0.2
"""Share of a column's streets with a house number from which it is one of address lines; share of address lines
from which a part without a column of its own is read out of them: blocking leans on a postcode that is there."""


@dataclass(frozen=True)
class _Lines:
    """A column of address lines: the role it has, each row's place among its distinct texts, and these."""

    role: str
    rows: NDArray[np.int64]
    texts: list[AddressLine]

    def part(self, role: str, clean: Clean) -> tuple[NDArray[np.int64], pl.Series]:
        said = pl.Series([getattr(line, role) or None for line in self.texts], dtype=pl.String)
        return self.rows, clean(said)


def _line_of(register: Register, reader: ColumnReader, fields: Fields) -> _Lines | None:
    """The column that is written as address lines: `address`, or else the street."""
    role = next((one for one in ("address", "street") if one in fields.roles), None)
    if role is None:
        return None
    column = reader.column(fields.roles[role])
    rows, distinct = by_distinct(column)
    known = (~fillers(distinct)).to_numpy()
    if role == "street" and not register.known.fact("street: numbered", lambda: _numbered(distinct, known)):
        return None
    plain = folded(distinct.str.slice(0, LONGEST)).to_list()
    lines = [read_address_line(one) if k else AddressLine() for one, k in zip(plain, known, strict=True)]
    lines = [_of_street(line) for line in lines] if role == "street" else lines
    nothing = np.array([line == AddressLine() for line in lines], dtype=bool)
    tell_unread(register, role, role, column, flagged_rows(nothing & known, rows))
    return _Lines(role, rows, lines)


def _of_street(line: AddressLine) -> AddressLine:
    """In a column of streets a name by itself is a street's (Broadway), not a building's: the house may stand in a
    column of its own."""
    alone = not line.street and not any(letter.isdigit() for letter in line.house)
    return AddressLine("", line.house, line.postcode) if alone else line


def _numbered(streets: pl.Series, known: NDArray[np.bool_]) -> bool:
    """Whether a column of streets holds house numbers: as the first word, the last, or behind a flat or house."""
    text = streets.str.strip_chars(" .,").str.to_uppercase()
    at = (
        text.str.contains(r"^\d+[A-Z]?\b|[, ]\d+[A-Z]? +\p{L}|[, ]\d+ ?[A-Z]?(?:[-/]\w+)?$")
        .fill_null(False)
        .to_numpy()
    )
    return bool(known.any()) and float(np.mean(at[known])) >= NUMBERED
