"""Which pairs are looked at. Every rule becomes one 32-bit key a record; a pair is a pair of equal keys.

A rule leaves out the pairs of the rules before it by comparing their keys, so no pair comes twice and no
list of pairs is ever stored. Two different values may share a key by accident (about n² / 2³³ pairs a
rule): such a pair is scored like any other, and falls away like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.parts import Rows, values_of
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.register.content import SEED, mix
from casebridge.dedupe.linkage.register.encoding import Register, pair_key
from casebridge.dedupe.linkage.register.runs import Key, runs

Pairs = tuple[NDArray[np.int32], NDArray[np.int32]]

WINDOW = 20
CHUNK = 1 << 15  # rows whose keys are made at a time: so many stay in the processor's cache


@dataclass(frozen=True)
class Blocks:
    """One rule's blocks. `key` is a number a record (0: takes no part); `order` the rows of blocks of two
    and more, block by block; `reach[p]` how many rows after position p it is paired with.
    `place` is each row's position, kept only where a block had to be cut to a window. `large`: the columns that
    divided blocks, with a row of each block they divided; `neighbours`: a row of each block cut to a window."""

    rule: Rule
    key: Key
    order: NDArray[np.int32]
    reach: NDArray[np.integer]
    largest: int
    divided: int
    windowed: int
    place: NDArray[np.int32] | None = None
    large: tuple[tuple[str, NDArray[np.int32]], ...] = ()
    neighbours: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    @property
    def raw_pairs(self) -> int:
        return int(self.reach.sum(dtype=np.int64))

    def meets(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which pairs of rows the rule makes."""
        mine = self.key.take(left)
        same = (mine == self.key.take(right)) & (mine != 0)
        if self.place is not None:
            a, b = self.place.take(left), self.place.take(right)
            first = np.minimum(a, b)
            same &= (first >= 0) & (np.abs(a - b) <= self.reach.take(np.maximum(first, 0)))
        return same

    def edge(self, keys: Key, after: bool = False) -> NDArray[np.int64]:
        """Where in `order` the rows of each key begin, or have ended; found by halving, since keys stand in order
        there."""
        low = np.zeros(len(keys), dtype=np.int64)
        high = np.full(len(keys), len(self.order), dtype=np.int64)
        while (searched := low < high).any():
            middle = (low + high) >> 1
            there = self.key.take(self.order.take(middle, mode="clip"))
            beyond = searched & ((there <= keys) if after else (there < keys))
            low, high = np.where(beyond, middle + 1, low), np.where(searched & ~beyond, middle, high)
        return low


def part_key(register: Register, name: str, rows: Rows) -> NDArray[np.uint64]:
    """One part of a rule as a number a record, of some rows; 0 is missing. A free column may be called as a part
    is (`birth_year`): it counts where what the part is made of is not held."""
    part = register.kind.parts.get(name)
    made = part is not None and all(register.has(role) for role in part.needs)
    return part.make(register, rows) if part and made else values_of(name)(register, rows)


def rule_key(register: Register, rule: Rule, rows: int | None = None) -> Key:
    """The rule's key of the first `rows` rows: a 32-bit hash of its parts, 0 where one is missing."""
    size = register.size if rows is None else rows
    key = np.empty(size, dtype=np.uint32)
    for first in range(0, size, CHUNK):
        some = slice(first, min(first + CHUNK, size))
        key[some] = rows_key(register, rule, some, some.stop - first)
    return key


def rows_key(register: Register, rule: Rule, rows: Rows, size: int) -> Key:
    """As `rule_key`, of any `size` rows."""
    return key_of([part_key(register, name, rows) for name in rule], size)


def key_of(parts: Sequence[NDArray[np.uint64]], size: int | None = None) -> Key:
    """A key made of its parts, which `size` rows have; 0 where one of them is missing."""
    size = len(parts[0]) if size is None else size
    mixed, present = np.full(size, SEED), np.ones(size, dtype=bool)
    for part in parts:
        present &= part != 0
        mixed = mix(mixed, part)
    key = np.maximum((mixed >> np.uint64(32)).astype(np.uint32), np.uint32(1))
    key[~present] = 0
    return key


def finer(key: Key, part: NDArray[np.uint64]) -> Key:
    """Keys of rows of a large block, divided by one more part."""
    return np.maximum(mix(key.astype(np.uint64), part) >> np.uint64(32), 1).astype(np.uint32)


def build_blocks(register: Register, rule: Rule, max_block: int) -> Blocks:
    """Sort the records by the rule's key into blocks. Blocks above `max_block` are divided by further
    columns; what still is larger (records alike in everything) is paired with its neighbours only."""
    key = rule_key(register, rule)
    if not rule:
        max_block = register.size
    rows, lengths = runs(key)
    largest, divided, large = int(lengths.max(initial=0)), 0, []
    for name in register.kind.blocking.refinements:
        if lengths.max(initial=0) <= max_block:
            break
        if name in rule or not register.has(name):
            continue
        oversize = rows[np.repeat(lengths > max_block, lengths)]
        divided = max(divided, int((lengths > max_block).sum()))
        large.append((name, _firsts(rows, lengths)[lengths > max_block]))
        key[oversize] = finer(key[oversize], part_key(register, name, oversize))
        rows, lengths = runs(key)
    found = blocks_of(rule, key, rows, lengths, lengths > max_block)
    return replace(found, largest=largest, divided=divided, large=tuple(large))


def blocks_of(
    rule: Rule, key: Key, rows: NDArray[np.int32], lengths: NDArray[np.int64], windowed: NDArray[np.bool_]
) -> Blocks:
    """Blocks of rows in order, with their lengths, and which of them are cut to a window."""
    place = None
    if windowed.any():
        place = np.full(len(key), -1, dtype=np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
    reach, largest = _reach(lengths, windowed), int(lengths.max(initial=0))
    neighbours = _firsts(rows, lengths)[windowed]
    return Blocks(rule, key, rows, reach, largest, 0, int(windowed.sum()), place, (), neighbours)


def _firsts(rows: NDArray[np.int32], lengths: NDArray[np.int64]) -> NDArray[np.int32]:
    """The first row of each block."""
    return rows[np.cumsum(lengths) - lengths]


def _reach(lengths: NDArray[np.int64], windowed: NDArray[np.bool_]) -> NDArray[np.integer]:
    total = int(lengths.sum())
    reach = np.repeat(np.cumsum(lengths, dtype=np.int32), lengths)
    reach -= np.arange(1, total + 1, dtype=np.int32)
    if windowed.any():
        oversize = np.repeat(windowed, lengths)
        reach[oversize] = np.minimum(reach[oversize], WINDOW)
    few = reach.max(initial=0) <= np.iinfo(np.uint16).max
    return reach.astype(np.uint16) if few else reach


@dataclass(frozen=True)
class BlockedPairs:
    """All candidate pairs of a register, made batch by batch and never stored.

    No pair stands in two batches; none of `forbidden` (sorted pair keys) in any.
    """

    blocks: tuple[Blocks, ...]
    source: NDArray[np.int16] | None = None
    forbidden: NDArray[np.uint64] | None = None

    def largest_first(self) -> BlockedPairs:
        """The same pairs, the largest rules first: what a small rule makes, a large one has often made, and is
        found out at its first key."""
        return replace(self, blocks=tuple(sorted(self.blocks, key=lambda b: -b.raw_pairs)))

    def slices(self, batch: int) -> list[tuple[int, int, int]]:
        """(rule, first position, last position + 1) of batches of about `batch` raw pairs."""
        found = []
        for number, blocks in enumerate(self.blocks):
            totals = np.cumsum(blocks.reach, dtype=np.int64)
            if len(totals) == 0 or totals[-1] == 0:
                continue
            marks = np.searchsorted(totals, np.arange(batch, totals[-1], batch)) + 1
            edges = np.unique(np.concatenate([[0], marks, [len(totals)]]))
            found += [(number, int(a), int(b)) for a, b in pairwise(edges)]
        return found

    def pairs(self, piece: tuple[int, int, int]) -> Pairs:
        """The new pairs of one slice: those no earlier rule has made."""
        number, first, last = piece
        return self._new(number, np.arange(first, last, dtype=np.int32))

    def sample(self, number: int, rate: float) -> Pairs:
        """The new pairs of a rule within a share `rate` of its blocks: those of the lowest keys, which are
        hashes."""
        blocks = self.blocks[number]
        end = len(blocks.order)
        if rate < 1.0 and blocks.rule:
            end = int(blocks.edge(np.array([rate * (2**32 - 1)]).astype(np.uint32))[0])
        return self._new(number, np.arange(end, dtype=np.int32))

    def _new(self, number: int, positions: NDArray[np.int32]) -> Pairs:
        left, right = _expand(self.blocks[number], positions)
        for earlier in self.blocks[:number]:
            new = np.flatnonzero(~earlier.meets(left, right))
            if len(new) < len(left):
                left, right = left.take(new), right.take(new)
        allowed = self.allowed(left, right)
        return left[allowed], right[allowed]

    def allowed(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Pairs that may meet at all."""
        may = np.ones(len(left), dtype=bool)
        if self.source is not None:
            may &= self.source.take(left) != self.source.take(right)
        if self.forbidden is not None and len(self.forbidden):
            may &= ~np.isin(pair_key(left, right), self.forbidden)
        return may

    def captures(self, left: NDArray[np.int32], right: NDArray[np.int32]) -> NDArray[np.uint8]:
        """How many rules make each pair."""
        count = np.zeros(len(left), dtype=np.uint8)
        for blocks in self.blocks:
            count += blocks.meets(left, right)
        return count


def _expand(blocks: Blocks, positions: NDArray[np.int32]) -> Pairs:
    reach = blocks.reach.take(positions)
    total = int(reach.sum(dtype=np.int64))
    ends = np.cumsum(reach, dtype=np.int64)
    left = np.repeat(positions, reach)
    right = np.arange(1, total + 1, dtype=np.int64) - np.repeat(ends - reach, reach) + left
    rows = blocks.order
    a, b = rows.take(left), rows.take(right)
    return np.minimum(a, b), np.maximum(a, b)
