"""Comparing the doors of addresses: flats, and numbers and names of buildings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import AGREES, SLIP, UNLIKE, Comparison, Level, Levels
from casebridge.dedupe.linkage.register.encoding import Register, ranked
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.similarity import Codes, edits, per_distinct_pair
from casebridge.dedupe.linkage.register.uk_address_columns import DOOR
from casebridge.dedupe.linkage.register.uk_address_words import PARTS_OF_BUILDINGS, WHOLE_BUILDINGS
from casebridge.dedupe.linkage.register.values import Values

NOT_KNOWN = -1
TWO_FLATS = "two flats"
"""Tag of the level of two different flats of one building."""
PERHAPS_TWO = "perhaps two"
"""Tag of levels that a door and a part of it would show: one number beside which not the same name is told (a
coach house, a basement), a range and one of its numbers."""
ONE_TELLS = "one tells the name"
"""Tag of the level of one number where one record also tells what the whole building is called."""


def level(label: str, same: float, building: float, street: float, tag: str | None = None) -> Level:
    """A Level of addresses from its starting beliefs."""
    return Level(label, (same, building, street), tag=tag)


SAME_FLAT, NO_FLAT, IN_NUMBER, OTHER_WORD, ONE_ONLY, OTHER_FLAT = range(6)
FLAT_LEVELS = (
    level("same flat", 0.22, 0.0005, 0.01, tag=AGREES),
    level("neither names a flat", 0.66, 0.001, 0.85, tag=AGREES),
    level("the flat of one stands in the number of the other", 0.03, 0.01, 0.01),
    level("one number, two words for it (Unit 3, Flat 3)", 0.02, 0.0002, 0.002),
    level("one names a flat, the other does not", 0.065, 0.16, 0.05),
    level("two different flats", 0.005, 0.8283, 0.078, tag=TWO_FLATS),
)
(
    NUMBER, NAME, OTHER_NAME, WHOLE_NAME, ONE_NAME, NAME_CLOSE, RANGE, NUMBER_OR_NAME, LETTER, NUMBER_SLIP,
    NUMBERS, NAMES,
) = range(12)  # fmt: skip
HOUSE_LEVELS = (
    level("same number", 0.62, 0.64, 0.0002, tag=AGREES),
    level("same building by name", 0.19, 0.19, 0.0002, tag=AGREES),
    level("same number, two names of the building", 0.02, 0.02, 0.0006, tag=PERHAPS_TWO),
    level("same number, one tells what the building is called", 0.03, 0.05, 0.0002, tag=ONE_TELLS),
    level(
        "same number, one names what may be a part, or says more of the name", 0.01, 0.03, 0.0002, tag=PERHAPS_TWO
    ),
    level("name of the building spelled closely", 0.03, 0.005, 0.0004, tag=SLIP),
    level("the number of one is in the range of the other", 0.02, 0.02, 0.01, tag=PERHAPS_TWO),
    level("one has a number, the other a name", 0.05, 0.03, 0.06),
    level("one number with two letters, or one without", 0.01, 0.008, 0.03, tag=UNLIKE),
    level("number one figure or one swap away", 0.01, 0.003, 0.13, tag=UNLIKE),
    level("numbers differ", 0.005, 0.002, 0.6286, tag=UNLIKE),
    level("names of the buildings differ", 0.005, 0.002, 0.14, tag=UNLIKE),
)


@dataclass(frozen=True)
class Doors:
    """What the doors of a register say, an array each by the code of the door, and one place more for none (code
    -1). flat, number, name: a number for each that is written so, NOT_KNOWN for none; `names` holds the names by
    it. whole: which names are of a whole building. first, last: of a range of house numbers, NOT_KNOWN for what is
    no number; letter: behind it, 0 for none."""

    flat: NDArray[np.int64]
    number: NDArray[np.int64]
    name: NDArray[np.int64]
    whole: NDArray[np.bool_]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    letter: NDArray[np.int64]
    names: Values

    @classmethod
    def of(cls, register: Register) -> Doors:
        """The doors of a register."""
        texts = register.values[DOOR].all()
        parts = [text.split("|") for text in texts]
        flats, numbers, names = (pl.Series([one[at] or None for one in parts], dtype=pl.String) for at in range(3))
        held = Values(names.drop_nulls().unique().sort())
        figures = [NUMBERED.match(number or "") for number in numbers.to_list()]
        return cls(
            flat=_numbered(flats), number=_numbered(numbers), name=_places(names, held),
            whole=np.array([*(of_whole_building(name or "") for name in names.to_list()), False], dtype=bool),
            first=_array([int(one[1]) if one else NOT_KNOWN for one in figures]),
            last=_array([int(one[3] or one[1]) if one else NOT_KNOWN for one in figures]),
            letter=_array([ord(one[2]) if one and one[2] else 0 for one in figures]), names=held,
        )  # fmt: skip


def of_whole_building(name: str) -> bool:
    """Whether a name tells what all of a building is called, and not one door of it or beside it.

    >>> [of_whole_building(one) for one in ("MOOR COURT", "OLD COACH HOUSE", "ROSE COTTAGE", "EAST COURT")]
    [True, False, False, False]
    """
    words = name.split()
    return (
        words[-1:] != []
        and words[-1] in WHOLE_BUILDINGS
        and not {*words} & PARTS_OF_BUILDINGS
        and not re.search(r"\d|\b[A-Z]\b", name)
    )


NUMBERED = re.compile(r"^(\d+)([A-Z]?)(?:-(\d+)([A-Z]?))?$")


def _array(values: Sequence[int]) -> NDArray[np.int64]:
    return np.array([*values, NOT_KNOWN], dtype=np.int64)


def _numbered(texts: pl.Series) -> NDArray[np.int64]:
    return np.append(texts.rank("dense").cast(pl.Int64).fill_null(NOT_KNOWN).to_numpy(), NOT_KNOWN)


def _places(texts: pl.Series, held: Values) -> NDArray[np.int64]:
    place = {text: at for at, text in enumerate(held.all())}
    return _array([place.get(text, NOT_KNOWN) if text else NOT_KNOWN for text in texts.to_list()])


def flat_comparison(register: Register, doors: Doors) -> Comparison:
    """Flats, floors and rooms. A record that names no flat is another door than one that does."""
    moved = _elsewhere(register.values[DOOR].all())
    bare = _without_word(register.values[DOOR].text)

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of(DOOR), right.of(DOOR)
        one, other = doors.flat.take(a), doors.flat.take(b)
        found = np.full(len(a), OTHER_FLAT, dtype=np.uint8)
        found[(bare.take(a) == bare.take(b)) & (bare.take(a) > 0)] = OTHER_WORD
        found[one == other] = SAME_FLAT
        found[(one < 0) != (other < 0)] = ONE_ONLY
        found[(one < 0) & (other < 0)] = NO_FLAT
        found[((one < 0) != (other < 0)) & (moved.take(a) == moved.take(b)) & (moved.take(a) > 0)] = IN_NUMBER
        found[(a | b) < 0] = len(FLAT_LEVELS)
        return found

    return Comparison("flat", FLAT_LEVELS, quick)


def _without_word(doors: pl.Series) -> NDArray[np.int64]:
    """A number for what a flat is called without the word for it; 0 where nothing is left."""
    flats = doors.str.extract(r"^([^|]*)").str.replace(r"^(?:UNIT|MAISONETTE|STUDIO|BEDSIT|SUITE) ", "")
    found = np.where((flats == "").to_numpy(), 0, ranked(flats))
    return np.append(found.astype(np.int64), 0)


def _elsewhere(doors: Sequence[str]) -> NDArray[np.int64]:
    """The same number for doors that are one if a flat stands in the house number: Flat A of 1, and 1A; Flat 12 of
    Moor Court, and 12 Moor Court."""
    written = []
    for door in doors:
        flat, number, name = door.split("|")
        plain = re.fullmatch(r"[A-Z]|\d+", flat)
        written.append(
            f"{number}{flat}|"
            if plain and number
            else f"{flat}|{name}"
            if plain
            else f"{number}|{name * (not number)}"
            if not flat
            else door
        )
    return np.append(ranked(pl.Series(written, dtype=pl.String)).astype(np.int64), 0)


def house_comparison(doors: Doors) -> Comparison:
    """Numbers and names of buildings. Names are asked where one of the two has no number; beside the same number
    a name that one tells in more words, or that only one tells, is no agreement where it may be that of a part."""
    null = len(HOUSE_LEVELS)

    def quick(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of(DOOR), right.of(DOOR)
        known = (doors.number.take(a) >= 0) & (doors.number.take(b) >= 0)
        named = (doors.name.take(a) >= 0) & (doors.name.take(b) >= 0)
        same_name = doors.name.take(a) == doors.name.take(b)
        found = np.full(len(a), null, dtype=np.uint8)
        told = [(doors.number.take(one) >= 0) | (doors.name.take(one) >= 0) for one in (a, b)]
        found[told[0] & told[1]] = NUMBER_OR_NAME
        found[named & ~known & same_name] = NAME
        found[named & ~known & ~same_name] = null + 1
        found[known] = _numbers(doors, a[known], b[known])
        one_tells = (found == NUMBER) & ~same_name
        whole = doors.whole.take(a) | doors.whole.take(b)
        found[one_tells] = np.where(named, null + 2, np.where(whole, WHOLE_NAME, ONE_NAME))[one_tells]
        return found

    def settle(left: PairSide, right: PairSide) -> Levels:
        a, b = left.of(DOOR), right.of(DOOR)
        found = per_distinct_pair(doors.name.take(a), doors.name.take(b), judge)
        numbered = doors.number.take(a) == doors.number.take(b)
        numbered &= doors.number.take(a) >= 0
        beside = np.array(
            [{NAMES: OTHER_NAME, NAME_CLOSE: NUMBER, NAME: NUMBER}.get(n, n) for n in range(null)], dtype=np.uint8
        )
        alone = np.array([NAMES if n == ONE_NAME else n for n in range(null)], dtype=np.uint8)
        return np.where(numbered, beside[found], alone[found])

    def judge(a: Codes, b: Codes) -> Levels:
        found = np.where(_within(doors.names, a, b), np.uint8(ONE_NAME), np.uint8(NAMES))
        apart = _apart(doors.names, a, b)
        found[apart == 1] = NAME_CLOSE
        found[apart == 0] = NAME
        return found

    return Comparison(
        "house", HOUSE_LEVELS, quick, settle, ((NAME, NAME_CLOSE, NAMES), (NUMBER, OTHER_NAME, ONE_NAME))
    )


def _numbers(doors: Doors, a: Codes, b: Codes) -> Levels:
    """Levels of pairs of doors that both have a number."""
    one, other = doors.first.take(a), doors.first.take(b)
    figures = (one >= 0) & (other >= 0)
    within = (one <= doors.last.take(b)) & (other <= doors.last.take(a)) & figures
    found = np.full(len(a), NUMBERS, dtype=np.uint8)
    found[figures & _slip_of_figures(one, other)] = NUMBER_SLIP
    found[within] = RANGE
    found[figures & (one == other) & (doors.letter.take(a) != doors.letter.take(b))] = LETTER
    found[doors.number.take(a) == doors.number.take(b)] = NUMBER
    return found


def _slip_of_figures(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether two whole numbers are a figure or a swap of neighbours apart."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    found = np.zeros(len(a), dtype=bool)
    for unit in (1, 10, 100, 1000, 10000):
        above, rest = high // (unit * 10), high % unit
        found |= above * unit + rest == low
        found |= (low // (unit * 10) == above) & (low % unit == rest)
        tens, ones = high // (unit * 10) % 10, high // unit % 10
        found |= high - tens * unit * 10 - ones * unit + ones * unit * 10 + tens * unit == low
    return found & (a != b)


def figures_in(names: pl.Series) -> pl.Series:
    """The figures and single letters of names, in which no slip of the pen is taken for one.

    >>> figures_in(pl.Series(["4TH AVENUE", "BLOCK A", "MOOR HOUSE"])).to_list()
    ['4', 'A', '']
    """
    return names.str.extract_all(r"\d+|\b[A-Z]\b").list.join(" ")


def _within(values: Values, a: Codes, b: Codes) -> NDArray[np.bool_]:
    """Whether all words of one name are words of the other."""
    words = [frozenset(name.split()) for name in values.all()]
    return np.array(
        [words[i] <= words[j] or words[j] <= words[i] for i, j in zip(a.tolist(), b.tolist(), strict=True)],
        dtype=bool,
    )


def _apart(values: Values, a: Codes, b: Codes) -> NDArray[np.int64]:
    """How far two names of buildings are from one spelling: 0 joined or written apart, 1 a slip in eight letters
    and more, 2 farther. Figures and single letters are as they are: Block A is not Block B."""
    bare = Values(values.text.str.replace_all(" ", ""))
    marks = ranked(figures_in(values.text))
    size = bare.text.str.len_chars().to_numpy()
    found = edits(bare, a, b, most=1).astype(np.int64)
    found[(marks[a] != marks[b]) | (found == 1) & (np.minimum(size[a], size[b]) < 8)] = 2
    return found
