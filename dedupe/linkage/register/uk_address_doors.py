"""The door in a part of an address: flats, floors and rooms, house numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from casebridge.dedupe.linkage.register.uk_address_words import FLOORS, INITIALS_OF_FLOORS, KINDS_OF_UNIT

_ID = r"(?:\d+[A-Z]?/\d*[A-Z]?\d+|[A-Z]?\d+[A-Z]?(?:-\d+)?|\dF\d|[GPB]F\d|[A-Z]\d*)"
UNIT = re.compile(
    rf"^({'|'.join(sorted(KINDS_OF_UNIT, key=len, reverse=True))})S?(?: NO| NUMBER)? ?({_ID})(?: |$)"
)
UNIT_BEHIND = re.compile(rf"^(.+) (FLAT|APARTMENT|APT|UNIT)(?: NO)? ({_ID})$")
_FLOOR = (
    r"(?:(LOWER |UPPER )?(GROUND|FIRST|SECOND|THIRD|FOURTH|FIFTH|TOP|BASEMENT|ATTIC|GRD|GND|\d(?:ST|ND|RD|TH)))"
)
FLOOR = re.compile(rf"^(?:FLAT )?{_FLOOR} (?:FLOOR|FLR|FLAT)(?: (LEFT|RIGHT|FRONT|REAR|L|R))?(?: FLAT)?(?: |$)")
FLAT_SIDE = re.compile(
    r"^(GARDEN|BASEMENT|ATTIC|REAR|FRONT|TOP|UPPER|LOWER|LEFT|RIGHT|GRANNY) (?:FLAT|MAISONETTE)(?: |$)"
)
NAMED_UNIT = re.compile(r"^(?:THE )?((?:FLAT|STUDIO|MAISONETTE|BEDSIT|APARTMENT)\b(?: [A-Z]+)*?)(?= \d|$)")
INITIALS = re.compile(rf"^({'|'.join(INITIALS_OF_FLOORS)})(?: |$)")
APART = re.compile(r"^(?:THE )?(ANNEXE?|PENTHOUSE|REAR OF|LAND AT)(?: |$)")
TENEMENT = re.compile(r"^((?:\d|[GPB])/\d+|\d+F\d+|[GPB]F\d+)(?: (?=\d)|$)")
SLASHED = re.compile(r"^(\d+[A-Z]?)/(\d+[A-Z]?|\dF\d|[GPB]F\d)(?: |$)")
NUMBER = re.compile(
    r"^(?:NO |NUMBER )?(\d{1,5}) ?((?:[A-Z](?= |$|-))?)(?: ?(?:-|&|TO|AND) ?(\d{1,5})[A-Z]?)?(?: |$)(?!FLOOR)"
)
BARE_NUMBER = re.compile(r"^(\d{1,5})()() ")
WELSH_THE = re.compile(r"^\d+ Y ")
ONLY_NUMBER = re.compile(r"^\d+ ?[A-Z]?(?: ?(?:-|&|TO) ?\d+[A-Z]?)?$")


@dataclass
class UkAddress:
    """An address taken apart; "" for what is not there. flat: of a building. house: its number, or a box.
    building: its name. town: all that stands behind the street, the parts divided by strokes. nowhere: the text
    says that there is no address, or does not tell it."""

    flat: str = ""
    house: str = ""
    building: str = ""
    street: str = ""
    town: str = ""
    postcode: str = ""
    nowhere: bool = False


def take_units(found: UkAddress, part: str) -> str:
    """What is left of a part without flats, floors and rooms at its beginning or end."""
    units = [found.flat] if found.flat else []
    while part:
        unit, part, more = _unit(part)
        if not more:
            break
        units.append(unit)
    behind = UNIT_BEHIND.match(part)
    if behind:
        units, part = [*units, f"{KINDS_OF_UNIT[behind[2]]} {behind[3]}".strip()], behind[1]
    found.flat = " ".join(dict.fromkeys(sorted(units)))
    return part


def _unit(part: str) -> tuple[str, str, bool]:
    """A flat, floor or room at the beginning of a part, what is left of it, and whether there is one."""
    for shape in (UNIT, FLOOR, FLAT_SIDE, APART, TENEMENT, INITIALS, NAMED_UNIT):
        match = shape.match(part)
        if match:
            rest = part[match.end() :].strip()
            return _called(match), rest, True
    return "", part, False


def _called(match: re.Match[str]) -> str:
    """What a flat is called, whatever way it is written."""
    if match.re is UNIT:
        kind = KINDS_OF_UNIT[match[1]]
        ident = match[2].lstrip("0") or "0"
        return f"{kind} {ident}".strip()
    if match.re is INITIALS:
        return INITIALS_OF_FLOORS[match[1]]
    words = [FLOORS.get(word, word) for group in match.groups() if group for word in group.split()]
    sides = {"L": "LEFT", "R": "RIGHT", "ANNEX": "ANNEXE"}
    return " ".join(sides.get(word, word) for word in words)


def take_number(found: UkAddress, part: str) -> str:
    """What is left of a part without a number at its beginning."""
    slashed = SLASHED.match(part)
    if slashed:
        first, second = slashed[1], slashed[2]
        a_range = first.isdigit() and second.isdigit() and int(second) > int(first)
        if not found.house:
            found.house = f"{first}-{second}" if a_range else first
            found.flat = found.flat or ("" if a_range else second)
        return part[slashed.end() :].strip()
    match = NUMBER.match(part)
    if WELSH_THE.match(part):
        match = BARE_NUMBER.match(part)
    if not match or found.house:
        return part if not match else part[match.end() :].strip()
    number = str(int(match[1])) + (match[2] or "")
    last = match[3]
    found.house = f"{number}-{int(last)}" if last and int(last) > int(match[1]) else number
    return part[match.end() :].strip()
