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
    add_flat_number,
    number_at,
    starts_a_unit,
    take_number,
    take_units,
)
from casebridge.dedupe.linkage.register.uk_address_words import (
    ARTICLES,
    BUILDINGS,
    CARE_OF,
    COUNTRIES,
    COUNTY,
    DISTRICT,
    ENDINGS,
    FIRST_WORDS,
    LIKELY,
    NO_PLACE,
    SURE,
    WHOLE_BUILDINGS,
    street_words,
)

LONGEST = 300
BOX = re.compile(r"\bP ?O ?BOX (?:NO )?([A-Z]?\d+)\b")
FORCES = re.compile(r"\bBFPO ?(\d{1,4})\b")
_ORDINAL = rf"\d(?:ST|ND|RD|TH) (?:FLOOR|FLR|FLAT|{'|'.join(sorted({*ENDINGS, *SURE}))})\b"
POSTCODE = re.compile(rf"(?:^| )([A-Z]{{1,2}}\d[A-Z\d]?) ?(?!{_ORDINAL})(\d[A-Z]{{2}})(?= |$)")
"""A postcode; not Flat A1 2nd Floor."""
WHOLE_NUMBER = re.compile(r"^\s*(\d+)\.0+\s*$")  # a spreadsheet's


def read_uk_address(told: Mapping[str, str]) -> UkAddress:
    """An address from what columns tell, by role: `flat`, `house`, `building`, `street`, `town`, `postcode`, and
    lines of any content (every other role, in their order). Text in letters A to Z; of one that is longer than
    LONGEST nothing is read.

    >>> read_uk_address({"address": "Flat 2, Moor House, 14a High St., Tarnton, LS1 4AB"}).flat
    '2'
    >>> one = read_uk_address({"address": "2/1, 14 St. Mary's Rd, Leith, Midlothian EH6 5AB"})
    >>> one.flat, one.house, one.street, one.town, one.postcode
    ('2/1', '14', 'SAINT MARYS ROAD', 'LEITH|MIDLOTHIAN', 'EH6 5AB')
    """
    found = UkAddress()
    if any(len(text) > LONGEST for text in told.values()):
        return found
    parts = {role: _parts(text, found) for role, text in told.items()}
    if any(NO_PLACE.match(part) for some in parts.values() for part in some):
        return UkAddress(nowhere=True)
    for role, read in COLUMNS.items():
        for part in parts.pop(role, ()):
            read(found, part)
    _read_lines(found, [kept for some in parts.values() for part in some if (kept := _in_care(part))])
    return found


def plain(text: str) -> str:
    """Capitals, figures, strokes, hyphens and points between figures, one blank between words.

    >>> plain("12 - 14  St. Mary's Rd."), plain("c/o Mrs Lee"), plain("Flat 1.11 (rear), No.5")
    ('12-14 ST MARYS RD', 'C/O MRS LEE', 'FLAT 1.11 REAR NO 5')
    """
    told = re.sub(r"(?<=[A-Z])\.(?=\d)|(?<=\d)\.(?=[A-Z])", " ", text.upper())
    kept = re.sub(r"[^A-Z0-9/&.-]+", " ", re.sub(r"['`.](?!\d)|(?<!\d)['`.]", "", told))
    kept = re.sub(r"(?<=[A-Z])(?<!\d[A-Z])-|-(?=[A-Z])", " ", re.sub(r" ?- ?", "-", kept))
    return " ".join(kept.replace("&", " & ").split())


def _parts(text: str, found: UkAddress) -> list[str]:
    """The parts of a text between commas and line ends, in plain words; a postcode in it is taken out."""
    made = []
    for part in re.split(r"[,;|\n\r\t()]+", WHOLE_NUMBER.sub(r"\1", text)):
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
            found.add_number(f"BOX {box[1]}")
            words = BOX.sub("", words).strip()
        if words and words != "-" and words.replace(" ", "") not in COUNTRIES and not COUNTY.fullmatch(words):
            made.append(words)
    return made


def _is_street(part: str, sure: bool) -> bool:
    """Whether a part has a word that streets are called by, behind another or, in Welsh and French, first."""
    if _foreign(part):
        return True
    known, told = SURE if sure else LIKELY, number_at(part)
    words = (told[1] if told else part).split()
    return any(ENDINGS.get(word, word) in known for word in words[1:])


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


def _in_care(part: str) -> str:
    """What a part tells of a place: behind "care of" a name is left out, and a door is not."""
    if not CARE_OF.match(part):
        return part
    words = CARE_OF.sub("", part).split()
    behind = [" ".join(words[at:]) for at in range(len(words))]
    doors = [rest for rest in behind if re.match(r"[A-Z]*\d", rest) or starts_a_unit(rest)]
    return doors[0] if doors else behind[0] if _a_building(part) else ""


def _read_lines(found: UkAddress, parts: list[str]) -> None:
    """Flat, number, building, street and town from parts of any order."""
    joined = _joined(found, [left for left in (take_units(found, part) for part in parts) if left])
    at = None if found.street else _street_at(joined)
    if at is not None:
        street, behind = _cut(take_number(found, joined[at]))
        found.street = street_words(street)
        behind = take_number(found, take_units(found, behind))
        before, after = joined[:at], [*filter(None, [behind]), *joined[at + 1 :]]
    else:
        before, after = (joined, []) if found.street else (joined[:1], joined[1:])
        before, after = (
            ([], before) if not found.street and not _door(before) and len(joined) == 1 else (before, after)
        )
    _buildings(found, [*before, *(part for part in after if _a_building(part, behind=True))])
    places = [_place(found, part) for part in after if not _a_building(part, behind=True)]
    found.town = found.town or "|".join(filter(None, places))


def _joined(found: UkAddress, parts: list[str]) -> list[str]:
    """The parts, a number by itself together with what it is the number of. Before a part that has a number of its
    own it is a flat's."""
    joined: list[str] = []
    for part in parts:
        if joined and ONLY_NUMBER.match(joined[-1]):
            alone = joined.pop()
            if number_at(part) or SLASHED.match(part):
                add_flat_number(found, alone)
                alone = ""
            joined.append(f"{alone} {part}".strip())
        else:
            joined.append(part)
    return joined


def _place(found: UkAddress, part: str) -> str:
    """What is left of a part behind the street, which is a place: what has a figure is a door, whatever it is
    called, but for the districts of some cities."""
    told = number_at(part)
    if told and not found.house:
        found.house, part = told
    if not re.search(r"\d", part) or DISTRICT.fullmatch(part):
        return part
    found.add_unit("", part)
    return ""


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


def _a_building(part: str, behind: bool = False) -> bool:
    """Whether a part is called as buildings are. behind: it stands behind the street, so a court is none."""
    last = part.split()[-1:]
    return bool(last) and ENDINGS.get(last[0], last[0]) in (WHOLE_BUILDINGS | BUILDINGS if behind else BUILDINGS)


def _door(parts: list[str]) -> bool:
    """Whether the only part names a door, and not a place."""
    return bool(parts) and (_a_building(parts[0]) or bool(NUMBER.match(parts[0])))


def _buildings(found: UkAddress, parts: Iterable[str]) -> None:
    """The name of the building; a number before it is a flat of it where the building has a number of its own, or
    stands in a street."""
    for part in parts:
        number, name = number_at(part) or ("", part)
        inside = bool(found.street and name and not found.units) or found.house not in ("", number)
        if number and inside:
            found.add_unit("FLAT", number)
        elif number:
            found.house = number
        tidy = re.sub(r"^THE (?=\w)", "", street_words(name))
        if tidy and f" {tidy} " not in f" {found.building} ":
            found.building = f"{found.building} {tidy}".strip()


def _read_flat(found: UkAddress, part: str) -> None:
    left = take_units(found, part)
    if left:
        found.add_unit("FLAT", left.lstrip("0") or "0")


def _read_house(found: UkAddress, part: str) -> None:
    left = take_number(found, take_units(found, part))
    if left:
        _buildings(found, [left])


def _read_building(found: UkAddress, part: str) -> None:
    left = take_units(found, part)
    told = number_at(left)
    if told and (told[1] or found.house):
        found.add_unit("FLAT", told[0])
        left = told[1]
    _buildings(found, [left])


def _read_street(found: UkAddress, part: str) -> None:
    left = take_number(found, take_units(found, part))
    street, behind = _cut(left)
    left = f"{street} {take_units(found, behind)}".strip()
    if found.street and left:
        _read_town(found, left)
    found.street = found.street or street_words(left)


def _read_town(found: UkAddress, part: str) -> None:
    found.town = f"{found.town}|{_place(found, take_units(found, part))}".strip("|")


def _read_postcode(found: UkAddress, part: str) -> None:
    """What is no postcode by its form, as it stands: it may be a slip away from one."""
    found.postcode = found.postcode or part


COLUMNS = {
    "flat": _read_flat, "house": _read_house, "building": _read_building, "street": _read_street,
    "town": _read_town, "postcode": _read_postcode,
}  # fmt: skip
"""How the columns that hold one part each are read."""
