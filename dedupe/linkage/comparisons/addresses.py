"""Comparing addresses: house, street and postcode together, so that one address is counted once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import MET, Comparison, Level, Levels, level
from casebridge.dedupe.linkage.comparisons.namepairs import either_listed
from casebridge.dedupe.linkage.register.content import mix
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.holders import rows_of_many, value_keys
from casebridge.dedupe.linkage.register.pair_rows import PairSide
from casebridge.dedupe.linkage.register.places import postcode_parts
from casebridge.dedupe.linkage.register.runs import held_by_many
from casebridge.dedupe.linkage.register.similarity import Codes, edits, jaro_winkler, per_distinct_pair
from casebridge.dedupe.linkage.register.values import Values

NAME = "address"
CROWD, SHARED = 10, "crowded"
UNSEEN = 1e-3
"""What is left of the belief about a level that no pair of the register can have: no chance is 0."""
STREET_LIKE = 0.9

(
    HOME,
    CROWDED,
    SAME_HOUSE,
    HOUSE_AND_NEAR,
    UNIT_UNKNOWN,
    OTHER_HOUSE,
    STREET,
    NEAR,
    EARLIER,
    SECTOR,
    DISTRICT,
    AWAY,
) = range(12)
LEVELS = (
    level("same home", 0.62, 0.85, 0.78, 0.72, moved=0.01, namesake=0.80, tag=MET),
    level("same address, one that many people share", 0.03, 0.03, 0.03, 0.06, moved=0.003),
    level("same house and street, another postcode", 0.04, 0.03, 0.03, 0.02, moved=0.002),
    level("same house, postcode one character off", 0.06, 0.02, 0.02, 0.02, moved=0.001),
    level("same postcode, house not known", 0.10, 0.03, 0.03, 0.05, moved=0.004),
    level("same postcode, another house", 0.06, 0.01, 0.03, 0.06, moved=0.02),
    level("same street, no more agrees", 0.03, 0.005, 0.01, 0.01, moved=0.02),
    level("postcode one character off", 0.02, 0.003, 0.005, 0.005, moved=0.005),
    level("an earlier address of one is the address of the other", 0.01, 0.005, 0.01, 0.01, moved=0.15),
    level("same neighbourhood (postcode sector)", 0.01, 0.005, 0.015, 0.01, moved=0.08),
    level("same postcode district", 0.01, 0.005, 0.02, 0.01, moved=0.15),
    level("a different address", 0.01, 0.007, 0.03, 0.025, moved=0.555, namesake=0.03),
)
NULL = len(LEVELS)
OPEN_SAME_HOUSE, OPEN_ELSEWHERE, OPEN_NO_POSTCODE = NULL + 1, NULL + 2, NULL + 3
OPENS = (
    (SAME_HOUSE, HOUSE_AND_NEAR, NEAR, EARLIER, SECTOR, DISTRICT, AWAY, STREET),
    (STREET, NEAR, EARLIER, SECTOR, DISTRICT, AWAY),
    (HOME, STREET, AWAY, EARLIER),
)
UNKNOWN, SAME, OTHER = 0, 1, 2


def _outcomes() -> NDArray[np.uint8]:
    """Level by (postcode, house, street), each UNKNOWN, SAME or OTHER; shape (27,)."""
    table = np.full((3, 3, 3), NULL, dtype=np.uint8)
    table[SAME, SAME], table[SAME, OTHER], table[SAME, UNKNOWN] = HOME, OTHER_HOUSE, UNIT_UNKNOWN
    table[UNKNOWN, SAME, SAME], table[UNKNOWN, OTHER, SAME], table[UNKNOWN, UNKNOWN, SAME] = (
        HOME,
        STREET,
        STREET,
    )
    table[UNKNOWN, :, OTHER] = OPEN_NO_POSTCODE
    table[OTHER] = OPEN_ELSEWHERE
    table[OTHER, SAME] = OPEN_SAME_HOUSE
    table[OTHER, SAME, SAME] = SAME_HOUSE
    return table.reshape(-1)


OUTCOMES = _outcomes()


def address_comparison(register: Register, levels: tuple[Level, ...] = LEVELS) -> list[Comparison]:
    """The address comparison, from whichever of postcode, house and street the register holds. levels: those of
    LEVELS, with what another kind believes of them."""
    if not (register.has("postcode") or register.has("street")):
        return []
    levels = _as_held(register, levels)
    crowded = register.mark(SHARED, lambda: _of_a_crowd(register))

    def quick(left: PairSide, right: PairSide) -> Levels:
        places = np.zeros(len(left), dtype=np.uint8)
        for role, unit in (("postcode", 9), ("house", 3), ("street", 1)):
            if register.has(role):
                places += _agreement(role, left, right) * np.uint8(unit)
        found = OUTCOMES.take(places)
        shared = np.flatnonzero(found == HOME)
        found[shared[left.of(crowded)[shared] | right.of(crowded)[shared]]] = CROWDED
        if postcodes and "previous_postcodes" not in register.lists:
            at = np.flatnonzero(found == OPEN_ELSEWHERE)
            found[at] = postcodes.cheap(left.take(at), right.take(at), streets.take(places[at]))
        return found

    def settle(left: PairSide, right: PairSide) -> Levels:
        return _settle(register, postcodes, left, right)

    postcodes = _Postcodes(register) if register.has("postcode") else None
    streets = np.arange(27) % 3 == SAME
    return [Comparison(NAME, levels, quick, settle, OPENS, moves=True)]


def _as_held(register: Register, levels: tuple[Level, ...]) -> tuple[Level, ...]:
    """The levels with the beliefs about those that the register's columns cannot show put to the level that such
    pairs are seen at. Where no house is held, twins share a postcode, and no more is known of their home: were
    that believed to be as rare as where houses are held, twins would be taken for one person. A relation that is a
    shared home by definition (parent and child of one name) stays as it is: of a postcode others share it too."""
    place = UNIT_UNKNOWN if register.has("postcode") else STREET
    seen_at: dict[int, int] = {}
    if not register.has("postcode"):
        seen_at |= {UNIT_UNKNOWN: STREET, OTHER_HOUSE: STREET}
    if not register.has("house"):
        apart = STREET if register.has("street") else AWAY
        seen_at |= {HOME: place, CROWDED: place, OTHER_HOUSE: place, SAME_HOUSE: apart, HOUSE_AND_NEAR: NEAR}
    starts = np.array([one.start for one in levels])
    moved = np.array([NAME not in profile.by_definition for profile in register.kind.profiles])
    for unseen, seen in seen_at.items():
        starts[seen] += np.where(moved, (1 - UNSEEN) * starts[unseen], 0.0)
        starts[unseen] *= np.where(moved, UNSEEN, 1.0)
    return tuple(replace(one, start=tuple(start)) for one, start in zip(levels, starts.tolist(), strict=True))


def _agreement(role: str, left: PairSide, right: PairSide) -> NDArray[np.uint8]:
    a, b = left.of(role), right.of(role)
    found = np.where(a == b, np.uint8(SAME), np.uint8(OTHER))
    found[(a | b) < 0] = UNKNOWN
    return found


def _of_a_crowd(register: Register) -> NDArray[np.bool_]:
    """True for rows whose address (house with postcode, or with street) more than CROWD rows hold."""
    where = "postcode" if register.has("postcode") else "street"
    if not register.has("house"):
        return np.zeros(register.size, dtype=bool)
    house, place = register.columns["house"], register.columns[where]

    def address(rows: NDArray[np.integer] | slice) -> NDArray[np.uint64]:
        a, b = (value_keys(register, role, register.columns[role][rows]) for role in ("house", where))
        return np.where((a > 0) & (b > 0), mix(a, b), np.uint64(0))

    return rows_of_many(register, SHARED, address, lambda: _crowded(house, place))


def _crowded(house: NDArray[np.int32], place: NDArray[np.int32]) -> tuple[NDArray[np.bool_], NDArray[np.int32]]:
    """The rows of addresses that more than CROWD rows hold, and one row of each."""
    both = (place + 1).astype(np.uint64) << np.uint64(32) | (house + 1).astype(np.uint64)
    return held_by_many(np.where((house >= 0) & (place >= 0), both, np.uint64(0)), CROWD)


class _Postcodes:
    """How near two different postcodes are: one character off, same sector, same district, or none."""

    def __init__(self, register: Register) -> None:
        self.values = register.values["postcode"]
        self.sector, self.district = postcode_parts(self.values)
        self.packed, self.long = _packed(self.values)

    def cheap(self, left: PairSide, right: PairSide, same_street: NDArray[np.bool_]) -> Levels:
        """Levels of pairs whose postcodes differ and whose house is not the same, from whole numbers alone;
        OPEN_ELSEWHERE for codes that are no postcodes: over eight characters."""
        a, b = left.of("postcode"), right.of("postcode")
        found = np.full(len(a), AWAY, dtype=np.uint8)
        found[self.district.take(a) == self.district.take(b)] = DISTRICT
        found[self.sector.take(a) == self.sector.take(b)] = SECTOR
        found[same_street] = STREET
        found[one_character_off(self.packed.take(a), self.packed.take(b))] = NEAR
        found[self.long.take(a) | self.long.take(b)] = OPEN_ELSEWHERE
        return found

    def judge(self, a: Codes, b: Codes) -> Levels:
        found = np.full(len(a), AWAY, dtype=np.uint8)
        found[self.district[a] == self.district[b]] = DISTRICT
        found[self.sector[a] == self.sector[b]] = SECTOR
        found[edits(self.values, a, b, most=1) == 1] = NEAR
        return found

    def levels(self, left: PairSide, right: PairSide) -> Levels:
        a, b = left.of("postcode"), right.of("postcode")
        found = np.full(len(left), AWAY, dtype=np.uint8)
        both = np.flatnonzero((a >= 0) & (b >= 0))
        found[both] = per_distinct_pair(a[both], b[both], self.judge)
        return found


def _packed(values: Values) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """Postcodes of up to eight characters as bytes of one number, the first lowest; and which are longer."""
    text, size = values.text, values.text.str.len_bytes()
    words = (text + "\0" * 8).cast(pl.Binary).bin.slice(0, 8).bin.reinterpret(dtype=pl.UInt64, endianness="little")
    return words.to_numpy(), ((size > 8) | (size != text.str.len_chars())).to_numpy()


def one_character_off(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """True where one character changed, left out or added, or two neighbours changed about, make one packed
    code the other: optimal string alignment distance 1."""
    apart = a ^ b
    first = np.bitwise_count((apart & (~apart + np.uint64(1))) - np.uint64(1)) // np.uint8(8) * np.uint8(8)
    here = first.astype(np.uint64)
    next_ = np.minimum(here + np.uint64(8), np.uint64(63))
    rest_a, rest_b = a >> here, b >> here
    after_a, after_b = (
        np.where(here < 56, a >> next_, np.uint64(0)),
        np.where(here < 56, b >> next_, np.uint64(0)),
    )
    byte = np.uint64(0xFF)
    turned = (
        (rest_a & byte == after_b & byte)
        & (after_a & byte == rest_b & byte)
        & (after_a >> np.uint64(8) == after_b >> np.uint64(8))
    )
    return (apart != 0) & ((after_a == after_b) | (after_a == rest_b) | (rest_a == after_b) | turned)


def _settle(register: Register, postcodes: _Postcodes | None, left: PairSide, right: PairSide) -> Levels:
    found = postcodes.levels(left, right) if postcodes else np.full(len(left), AWAY, dtype=np.uint8)
    house = np.zeros(len(left), dtype=np.uint8)
    if register.has("house"):
        house = _agreement("house", left, right)
    street = _street(register, left, right, house)
    split = _postcodes_known(register, left, right)
    found[~split & (street == SAME)] = STREET
    found[~split & (street == SAME) & (house == SAME)] = HOME
    found[split & (house == SAME) & (found == NEAR)] = HOUSE_AND_NEAR
    found[split & (house == SAME) & (street == SAME)] = SAME_HOUSE
    found[split & (house != SAME) & (street == SAME) & (found != NEAR)] = STREET
    if "previous_postcodes" in register.lists and register.has("postcode"):
        earlier = either_listed(register.lists["previous_postcodes"], "postcode", left, right)
        found[earlier & (found > NEAR)] = EARLIER
    return found


def _postcodes_known(register: Register, left: PairSide, right: PairSide) -> NDArray[np.bool_]:
    if not register.has("postcode"):
        return np.zeros(len(left), dtype=bool)
    return (left.of("postcode") >= 0) & (right.of("postcode") >= 0)


def _street(register: Register, left: PairSide, right: PairSide, house: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Streets as SAME (also when spelled closely, at the same house), OTHER or UNKNOWN."""
    if not register.has("street"):
        return np.zeros(len(left), dtype=np.uint8)
    values = register.values["street"]
    found = _agreement("street", left, right)
    other = np.flatnonzero((found == OTHER) & (house == SAME))

    def judge(a: Codes, b: Codes) -> Levels:
        return np.where(jaro_winkler(values, a, b) >= STREET_LIKE, np.uint8(SAME), np.uint8(OTHER))

    found[other] = per_distinct_pair(left.of("street")[other], right.of("street")[other], judge)
    return found
