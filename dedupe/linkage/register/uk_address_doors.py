"""The door in a part of an address: flats, floors and rooms, house numbers. No number that is told is left out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from casebridge.dedupe.linkage.register.uk_address_words import (
    COUNTED,
    FLOORS,
    INITIALS_OF_FLOORS,
    KINDS_OF_UNIT,
    SIDES,
)

_ID = (
    r"(?:\d+[A-Z]?/\d*[A-Z]?\d+|\d+\.\d+|[A-Z]?\d+[A-Z]?(?:-\d+)?|\dF\d|[GPB]F\d|[A-Z]\d*"
    rf"|{'|'.join(COUNTED)})"
)
_UNIT = rf"({'|'.join(sorted(KINDS_OF_UNIT, key=len, reverse=True))})S?(?: NO| NUMBER)? ?({_ID})"
UNIT = re.compile(rf"^{_UNIT}(?: |$)")
UNIT_BEHIND = re.compile(rf"^(.+) {_UNIT}$")
_FLOOR = (
    r"(?:(LOWER |UPPER )?(GROUND|FIRST|SECOND|THIRD|FOURTH|FIFTH|SIXTH|SEVENTH|EIGHTH|NINTH|TENTH|TOP|BASEMENT"
    r"|ATTIC|GRD|GND|\d\d?(?:ST|ND|RD|TH)))"
)
FLOOR = re.compile(
    rf"^(?:FLAT )?{_FLOOR} (?:FLOOR|FLR|FLAT)(?: (LEFT|RIGHT|FRONT|REAR|L|R))?(?: FLAT(?! {_ID}(?: \d|$)))?(?: |$)"
)
FLAT_SIDE = re.compile(
    r"^(GARDEN|BASEMENT|ATTIC|REAR|FRONT|TOP|UPPER|LOWER|LEFT|RIGHT|GRANNY) (?:FLAT|MAISONETTE)(?: |$)"
)
SIDE = re.compile(rf"^(?:THE )?({'|'.join(SIDES)})(?= \d|$)")
SIDE_BEHIND = re.compile(rf"^((?:.* )?\d+[A-Z]?) ({'|'.join(SIDES)})$")
NAMED_UNIT = re.compile(r"^(?:THE )?((?:FLAT|STUDIO|MAISONETTE|BEDSIT|APARTMENT)\b(?: [A-Z]+)*?)(?= \d|$)")
INITIALS = re.compile(rf"^({'|'.join(INITIALS_OF_FLOORS)})(?: |$)")
APART = re.compile(r"^(?:THE )?(ANNEXE?|PENTHOUSE|REAR OF|LAND AT)(?: |$)")
TENEMENT = re.compile(r"^((?:\d|[GPB])/\d+|\d+F\d+|[GPB]F\d+)(?: (?=\d)|$)")
SLASHED = re.compile(r"^(\d+[A-Z]?)/(\d+[A-Z]?|\dF\d|[GPB]F\d)(?: |$)")
NUMBER = re.compile(
    r"^(?:NO |NUMBER )?(\d{1,5}) ?((?:[A-Z](?:/[A-Z])*(?= |$|-))?)"
    r"(?: ?(?:-|&|TO|AND) ?(\d{1,5})([A-Z]?))?(?: |$)(?!FLOOR)"
)
BARE_NUMBER = re.compile(r"^(\d{1,5})()()() ")
WELSH_THE = re.compile(r"^\d+ Y ")
ONLY_NUMBER = re.compile(r"^\d+ ?[A-Z]?(?: ?(?:-|&|TO) ?\d+[A-Z]?)?$")
Unit = tuple[str, str]
"""What a part of a building is called, and which it is: FLAT, 2; without a kind for what has a name only."""


@dataclass
class UkAddress:
    """An address taken apart; "" for what is not there. units: the parts of a building, in the order in which they
    are told. house: its number, or a box. building: its name. town: all that stands behind the street, the parts
    divided by strokes. nowhere: the text says that there is no address, or does not tell it."""

    units: list[Unit] = field(default_factory=list)
    house: str = ""
    building: str = ""
    street: str = ""
    town: str = ""
    postcode: str = ""
    nowhere: bool = False

    @property
    def flat(self) -> str:
        """The units as one text, in one order: rooms of a flat behind the flat, two flats as they were told."""
        told = sorted(self.units, key=lambda unit: (unit[0], "" if unit[0] else unit[1]))
        return " ".join(f"{kind} {which}".removeprefix("FLAT ").strip() for kind, which in told)

    def add_unit(self, kind: str, which: str) -> None:
        """One more part of the building; the same once more says nothing."""
        if (kind, which) not in self.units:
            self.units.append((kind, which))

    def add_number(self, number: str) -> None:
        """The number before a street. One that was told before it is a flat's of this house."""
        if self.house and self.house != number:
            self.add_unit("FLAT", self.house)
        self.house = number


def take_units(found: UkAddress, part: str) -> str:
    """What is left of a part without flats, floors and rooms at its beginning or end."""
    unit, part = _unit(part)
    while unit:
        found.add_unit(*unit)
        unit, part = _unit(part)
    behind = []
    while match := UNIT_BEHIND.match(part) or SIDE_BEHIND.match(part):
        behind.append(_called(match.re, match.groups()[1:]))
        part = match[1]
    for one in reversed(behind):
        found.add_unit(*one)
    return part


def starts_a_unit(part: str) -> bool:
    """Whether a flat, floor or room stands at the beginning of a part."""
    return _unit(part)[0] is not None


def _unit(part: str) -> tuple[Unit | None, str]:
    """A flat, floor or room at the beginning of a part, and what is left of it."""
    for shape in (UNIT, FLOOR, FLAT_SIDE, SIDE, APART, TENEMENT, INITIALS, NAMED_UNIT):
        match = shape.match(part)
        if match:
            return _called(shape, match.groups()), part[match.end() :].strip()
    return None, part


def _called(shape: re.Pattern[str], groups: tuple[str | None, ...]) -> Unit:
    """What a flat is called, whatever way it is written."""
    if shape in (UNIT, UNIT_BEHIND):
        which = (groups[1] or "").lstrip("0") or "0"
        return KINDS_OF_UNIT[groups[0] or ""], str(COUNTED.index(which) + 1) if which in COUNTED else which
    if shape is INITIALS:
        return "", INITIALS_OF_FLOORS[groups[0] or ""]
    words = " ".join(FLOORS.get(word, word) for group in groups if group for word in group.split())
    return ("FLAT" if shape is TENEMENT else "", words)


def number_at(part: str) -> tuple[str, str] | None:
    """The number, with its letter and of a range both ends, at the beginning of a part, and what is left of it."""
    match = (BARE_NUMBER if WELSH_THE.match(part) else NUMBER).match(part)
    if not match:
        return None
    first = f"{int(match[1])}{match[2]}"
    last = f"{int(match[3])}{match[4]}" if match[3] else first
    return first if first == last else f"{first}-{last}", part[match.end() :].strip()


def take_number(found: UkAddress, part: str) -> str:
    """What is left of a part without the numbers at its beginning: the last is the house's."""
    slashed = SLASHED.match(part)
    if slashed:
        first, second = slashed[1], slashed[2]
        a_range = first.isdigit() and second.isdigit() and int(second) > int(first)
        found.add_number(f"{first}-{second}" if a_range else first)
        if not a_range:
            found.add_unit("FLAT", second)
        return part[slashed.end() :].strip()
    told = number_at(part)
    if not told:
        return part
    found.add_number(told[0])
    return take_number(found, told[1])


def add_flat_number(found: UkAddress, number: str) -> None:
    """A number that stands by itself before a house."""
    told = number_at(number)
    found.add_unit("FLAT", told[0] if told else number)
