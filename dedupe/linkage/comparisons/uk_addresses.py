"""Comparing addresses as records of their own: which door of which building, in which street and place.

Starting beliefs stand in the order of the profiles of `kinds.address`: one address, two doors of one building, two
buildings of one street.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.comparisons.codes import code_comparison, code_levels
from casebridge.dedupe.linkage.comparisons.equality import value_comparison
from casebridge.dedupe.linkage.comparisons.levels import (
    AGREES,
    SLIP,
    TWO,
    UNLIKE,
    Comparison,
    Levels,
    believed,
    split_by_rareness,
)
from casebridge.dedupe.linkage.comparisons.namepairs import rare_spelling
from casebridge.dedupe.linkage.comparisons.uk_doors import (
    Doors,
    figures_in,
    flat_comparison,
    house_comparison,
    level,
)
from casebridge.dedupe.linkage.register.encoding import Register, ranked
from casebridge.dedupe.linkage.register.holders import holders
from casebridge.dedupe.linkage.register.places import postcode_parts
from casebridge.dedupe.linkage.register.similarity import Codes, edits, jaro_winkler
from casebridge.dedupe.linkage.register.uk_address_columns import DOOR
from casebridge.dedupe.linkage.register.uk_address_words import FIRST_WORDS, LIKELY, SURE

CLOSE = 0.92
"""Likeness (Jaro-Winkler) from which streets are spelled closely: belief. Little hangs on it
(docs/linkage-figures.md)."""
ELSEWHERE = "elsewhere"
"""Tag of levels: a place that is not the other's."""


STREET_EXACT = level("same street", 0.80, 0.86, 0.90)
JOINED, NO_ENDING, STREET_SLIP, SLIP_IN_USE, CLOSELY, ENDING, OTHER_STREET = range(7)
STREET_REST = (
    level("the same street, written apart or joined", 0.02, 0.01, 0.01, tag=AGREES),
    level("one street lacks its last word (High, High Street)", 0.03, 0.02, 0.01, tag=SLIP),
    level("street one slip away, one spelling rare", 0.06, 0.03, 0.02, tag=SLIP),
    level("street one slip away, both in use", 0.01, 0.01, 0.005, tag=UNLIKE),
    level("street spelled closely", 0.03, 0.02, 0.005),
    level("one name, two sorts of street (Mill Road, Mill Lane)", 0.01, 0.005, 0.01, tag=UNLIKE),
    level("street differs", 0.04, 0.045, 0.04, tag=UNLIKE),
)
TOWN_LEVELS = (
    level("same town", 0.84, 0.89, 0.90, tag=AGREES),
    level("the town of one is among the places of the other", 0.04, 0.04, 0.04),
    level("town spelled closely", 0.04, 0.02, 0.02, tag=SLIP),
    level("towns differ", 0.08, 0.05, 0.04, tag=ELSEWHERE),
)
POSTCODE_LEVELS = (
    level("same postcode", 0.86, 0.93, 0.70, tag=AGREES),
    level("postcode one sign or one swap away", 0.08, 0.03, 0.12, tag=SLIP),
    level("same postcode sector", 0.02, 0.015, 0.12, tag=ELSEWHERE),
    level("same postcode district", 0.01, 0.01, 0.03, tag=ELSEWHERE),
    level("postcodes differ", 0.03, 0.015, 0.03, tag=ELSEWHERE),
)
UPRN_LEVELS = believed(
    code_levels("UPRN"),
    [(0.93, 0.03, 0.001), (0.01, 0.002, 0.001), (0.02, 0.10, 0.10), (0.02, 0.848, 0.878), (0.02, 0.02, 0.02)],
    {0: AGREES, 2: TWO, 3: TWO, 4: TWO},
)
"""One figure off is another property as often as a slip: neighbours have numbers in a row."""


def place_comparisons(register: Register) -> list[Comparison]:
    """Flat, house, street, town and postcode, of those that the register holds."""
    found: list[Comparison] = []
    if register.has(DOOR):
        doors = Doors.of(register)
        found += [flat_comparison(register, doors), house_comparison(doors)]
    for role, make in (("street", _streets), ("town", _towns), ("postcode", _postcodes)):
        found += [make(register)] if register.has(role) else []
    return found


def uprn_comparison(register: Register) -> list[Comparison]:
    """Unique property reference numbers, by their form: they have no check digit."""
    return code_comparison(register, "uprn", UPRN_LEVELS)


def _streets(register: Register) -> Comparison:
    """Streets, split by how many records hold the name. Other figures are another street: 4th Avenue, 5th."""
    values, held = register.values["street"], holders(register, "street", "street")
    levels = (*split_by_rareness(STREET_EXACT, held.share, held.steps), *STREET_REST)
    base, rare = len(levels) - len(STREET_REST), rare_spelling(held)
    stem, ending = (ranked(column) for column in _stems(values.text))
    figures = ranked(values.text.str.extract_all(r"\d+|^[A-Z]\b|\b[A-Z]$").list.join(" "))

    def judge(a: Codes, b: Codes) -> Levels:
        apart = edits(values, a, b, most=1)
        found = np.where(jaro_winkler(values, a, b) >= CLOSE, CLOSELY, OTHER_STREET)
        found[apart <= 1] = np.where(rare(a, b), STREET_SLIP, SLIP_IN_USE)[apart <= 1]
        same = stem[a] == stem[b]
        found[same] = ENDING
        found[same & ((ending[a] == 1) | (ending[b] == 1))] = NO_ENDING
        found[same & (ending[a] == ending[b])] = JOINED
        found[figures[a] != figures[b]] = OTHER_STREET
        return found.astype(np.uint8) + np.uint8(base)

    return value_comparison("street", levels, held.steps, judge, base)


def _stems(streets: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Of each street what it is called without blanks and without its last word, and that word; "" where the last
    is no word for a street. The first stands for "" in the order of texts."""
    stems, endings = [], []
    for street in streets.to_list():
        words = street.removeprefix("THE ").split()
        last = len(words) > 1 and words[-1] in SURE | LIKELY and words[0] not in FIRST_WORDS
        stems.append("".join(words[:-1] if last else words))
        endings.append(words[-1] if last else "")
    return pl.Series([*stems], dtype=pl.String), pl.Series([*endings], dtype=pl.String)


def _towns(register: Register) -> Comparison:
    """Towns, and villages before them. One place of several is not enough: Acton and Barnet, both of London, are
    two."""
    values = register.values["town"]
    figures = ranked(figures_in(values.text))
    parts = [set(town.split("|")) for town in values.all()]

    def judge(a: Codes, b: Codes) -> Levels:
        slip = (edits(values, a, b, most=1) <= 1) & (figures[a] == figures[b])
        found = np.where(slip, np.uint8(2), np.uint8(3))
        within = [
            parts[i] <= parts[j] or parts[j] <= parts[i] for i, j in zip(a.tolist(), b.tolist(), strict=True)
        ]
        found[np.array(within, dtype=bool)] = 1
        found[[parts[i] == parts[j] for i, j in zip(a.tolist(), b.tolist(), strict=True)]] = 0
        return found

    return value_comparison("town", TOWN_LEVELS, np.zeros(len(values), np.uint8), judge, 0)


def _postcodes(register: Register) -> Comparison:
    """Postcodes, and how near two are."""
    values = register.values["postcode"]
    sector, district = postcode_parts(values)

    def judge(a: Codes, b: Codes) -> Levels:
        found = np.full(len(a), 4, dtype=np.uint8)
        found[district[a] == district[b]] = 3
        found[sector[a] == sector[b]] = 2
        found[edits(values, a, b, most=1) <= 1] = 1
        return found

    return value_comparison("postcode", POSTCODE_LEVELS, np.zeros(len(values), np.uint8), judge, 1)
