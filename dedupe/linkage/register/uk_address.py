"""Addresses of the United Kingdom taken apart: flat, number, building, street, town, postcode.

Own reading: libpostal needs a model of two gigabytes, and usaddress knows American addresses. The forms are those
of Royal Mail's guide to addressing, of BS 7666 (secondary and primary addressable objects) and of tenements as the
Scottish councils write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from casebridge.dedupe.linkage.register.uk_address_doors import (
    NUMBER,
    ONLY_NUMBER,
    SLASHED,
    UkAddress,
    take_number,
    take_units,
)
from casebridge.dedupe.linkage.register.uk_address_words import (
    ARTICLES,
    BUILDINGS,
    CARE_OF,
    COUNTRIES,
    COUNTY,
    ENDINGS,
    FIRST_WORDS,
    LIKELY,
    NO_PLACE,
    SURE,
    street_words,
)

LONGEST = 300
BOX = re.compile(r"\bP ?O ?BOX (?:NO )?([A-Z]?\d+)\b")
FORCES = re.compile(r"\bBFPO ?(\d{1,4})\b")
POSTCODE = re.compile(r"(?:^| )([A-Z]{1,2}\d[A-Z\d]?) ?(\d[A-Z]{2})(?= |$)")
WHOLE_NUMBER = re.compile(r"^\s*(\d+)\.0+\s*$")  # a spreadsheet's


def read_uk_address(told: Mapping[str, str]) -> UkAddress:
    """An address from what columns tell, by role: `flat`, `house`, `building`, `street`, `town`, `postcode`, and
    lines of any content (every other role, in their order). Text in letters A to Z.

    >>> read_uk_address({"address": "Flat 2, Moor House, 14a High St., Tarnton, LS1 4AB"}).flat
    '2'
    >>> one = read_uk_address({"address": "2/1, 14 St. Mary's Rd, Leith, Midlothian EH6 5AB"})
    >>> one.flat, one.house, one.street, one.town, one.postcode
    ('2/1', '14', 'SAINT MARYS ROAD', 'LEITH|MIDLOTHIAN', 'EH6 5AB')
    """
    found = UkAddress()
    parts = {role: _parts(text, found) for role, text in told.items()}
    if any(NO_PLACE.match(part) for some in parts.values() for part in some):
        return UkAddress(nowhere=True)
    for role, read in COLUMNS.items():
        for part in parts.pop(role, ()):
            read(found, part)
    _read_lines(found, [part for some in parts.values() for part in some if not CARE_OF.match(part)])
    return found


def plain(text: str) -> str:
    """Capitals, figures, strokes and hyphens between them, one blank between words.

    >>> plain("12 - 14  St. Mary's Rd."), plain("c/o Mrs Lee"), plain("Flat 2 (rear)")
    ("12-14 ST MARYS RD", 'C/O MRS LEE', 'FLAT 2 REAR')
    """
    kept = re.sub(r"[^A-Z0-9/&-]+", " ", re.sub(r"['`.]", "", text.upper()))
    kept = re.sub(r"(?<=[A-Z])-|-(?=[A-Z])", " ", re.sub(r" ?- ?", "-", kept))
    return " ".join(kept.replace("&", " & ").split())


def _parts(text: str, found: UkAddress) -> list[str]:
    """The parts of a text between commas and line ends, in plain words; a postcode in it is taken out."""
    made = []
    for part in re.split(r"[,;|\n\r\t()]+", WHOLE_NUMBER.sub(r"\1", text[:LONGEST])):
        words = plain(part)
        for code in POSTCODE.finditer(words):
            found.postcode = found.postcode or f"{code[1]} {code[2]}"
        words = POSTCODE.sub("", words).strip()
        forces = FORCES.search(words)
        if forces:
            found.postcode = found.postcode or f"BFPO {forces[1]}"
            words = FORCES.sub("", words).strip()
        box = BOX.search(words)
        if box:
            found.house = found.house or f"BOX {box[1]}"
            words = BOX.sub("", words).strip()
        if words and words != "-" and words.replace(" ", "") not in COUNTRIES and not COUNTY.fullmatch(words):
            made.append(words)
    return made


def _is_street(part: str, sure: bool) -> bool:
    """Whether a part has a word that streets are called by, behind another or, in Welsh and French, first."""
    if _foreign(part):
        return True
    known = SURE if sure else LIKELY
    return any(ENDINGS.get(word, word) in known for word in part.split()[1:])


def _foreign(part: str) -> bool:
    """Whether a street is called by its first word, an article aside: Heol y Bont, La Grande Route."""
    return any(word in FIRST_WORDS for word in [word for word in part.split() if word not in ARTICLES][:2])


def _cut(part: str) -> tuple[str, str]:
    """A street, and what stands behind it without a comma."""
    words = part.split()
    for known in (SURE, LIKELY):
        ends = [at + 1 for at, word in enumerate(words) if at and ENDINGS.get(word, word) in known]
        if ends and not _foreign(part) and not _a_building(part):
            end = ends[-1]
            behind = words[end : end + 1]
            end += behind != [] and behind[0] in ("NORTH", "SOUTH", "EAST", "WEST", "N", "S", "E", "W")
            return " ".join(words[:end]), " ".join(words[end:])
    return part, ""


def _read_lines(found: UkAddress, parts: list[str]) -> None:
    """Flat, number, building, street and town from parts of any order."""
    rest = [left for left in (take_units(found, part) for part in parts) if left]
    joined: list[str] = []
    for part in rest:
        if joined and ONLY_NUMBER.match(joined[-1]):
            joined[-1] = f"{joined[-1]} {part}"
        else:
            joined.append(part)
    at = None if found.street else _street_at(joined)
    if at is not None:
        street, town = _cut(take_number(found, joined[at]))
        if ONLY_NUMBER.match(town):
            town = take_number(found, town)
        found.street = street_words(street)
        before, after = joined[:at], [*filter(None, [town]), *joined[at + 1 :]]
    else:
        before, after = (joined, []) if found.street else (joined[:1], joined[1:])
        before, after = (
            ([], before) if not found.street and not _door(before) and len(joined) == 1 else (before, after)
        )
    _buildings(found, [*before, *(part for part in after if _a_building(part))])
    if not found.town:
        found.town = "|".join(part for part in after if not _a_building(part))


def _street_at(parts: list[str]) -> int | None:
    """Which part is the street: one with a number and a word of streets, then one with the word, then one with a
    number; the second of three and more."""
    numbered = [at for at, part in enumerate(parts) if NUMBER.match(part) or SLASHED.match(part)]
    sure = [at for at, part in enumerate(parts) if _is_street(part, sure=True)]
    likely = [at for at, part in enumerate(parts) if _is_street(part, sure=False) and not _a_building(part)]
    told = [at for at in numbered if at in sure] or sure[-1:] or [at for at in numbered if at in likely]
    told = told or [at for at in numbered if not _a_building(parts[at])] or likely[:1]
    if told:
        return told[0]
    return 1 if len(parts) > 2 else None


def _a_building(part: str) -> bool:
    words = part.split()
    return bool(words) and ENDINGS.get(words[-1], words[-1]) in BUILDINGS


def _door(parts: list[str]) -> bool:
    """Whether the only part names a door, and not a place."""
    return bool(parts) and (_a_building(parts[0]) or bool(NUMBER.match(parts[0])))


def _buildings(found: UkAddress, parts: Iterable[str]) -> None:
    """The name of the building; a number before it is a flat of it where the building has a number of its own, or
    stands in a street."""
    for part in parts:
        match = NUMBER.match(part)
        name = part
        if match:
            name = part[match.end() :].strip()
            number = match[1].lstrip("0") + (match[2] or "")
            if found.street and name and not found.flat:
                found.flat = number
            elif not found.house:
                found.house = number
        tidy = re.sub(r"^THE (?=\w)", "", street_words(name))
        if tidy and tidy not in found.building:
            found.building = f"{found.building} {tidy}".strip()


def _read_flat(found: UkAddress, part: str) -> None:
    left = take_units(found, part)
    found.flat = " ".join(filter(None, (found.flat, left.lstrip("0"))))


def _read_house(found: UkAddress, part: str) -> None:
    left = take_number(found, take_units(found, part))
    if left:
        _buildings(found, [left])


def _read_building(found: UkAddress, part: str) -> None:
    left = take_units(found, part)
    if ONLY_NUMBER.match(left):
        take_number(found, left)
    elif left:
        match = NUMBER.match(left)
        if match and not found.flat:
            found.flat, left = match[1].lstrip("0") + (match[2] or ""), left[match.end() :].strip()
        _buildings(found, [left])


def _read_street(found: UkAddress, part: str) -> None:
    left = take_units(found, part)
    numbered = NUMBER.match(left) or SLASHED.match(left)
    left = take_number(found, left) if numbered else left
    if not left:
        return
    if found.street and not found.town:
        found.town = left
    found.street = found.street or street_words(left)


def _read_town(found: UkAddress, part: str) -> None:
    found.town = f"{found.town}|{part}".strip("|")


def _read_postcode(found: UkAddress, part: str) -> None:
    """What is no postcode by its form, as it stands: it may be a slip away from one."""
    found.postcode = found.postcode or part


COLUMNS = {
    "flat": _read_flat, "house": _read_house, "building": _read_building, "street": _read_street,
    "town": _read_town, "postcode": _read_postcode,
}  # fmt: skip
"""How the columns that hold one part each are read."""
