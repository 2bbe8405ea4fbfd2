"""How a kept model divides large blocks: by what the records say, whatever else stands in the register.

Where training divides a block because it is too large for its own register, the kept model goes on dividing that
block, and no other. So whether two records meet depends on the two and the model. Only blocks that nothing
divides, or that have grown past all measure since, are paired by neighbours (`keys.WINDOW`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import (
    Blocks,
    blocks_of,
    finer,
    part_key,
    rows_key,
    rule_key,
)
from casebridge.dedupe.linkage.kind import Rule
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.runs import Key, runs

GROWN = 4  # times the size from which training divides a block: past it only neighbours are paired
Keys32 = NDArray[np.uint32]


@dataclass(frozen=True)
class Division:
    """How the blocks of a rule are divided. steps: a column, and the keys, in order, of the blocks that it
    divides; the next step divides what comes of that. neighbours: keys, in order, of blocks paired by neighbours
    only."""

    steps: tuple[tuple[str, Keys32], ...] = ()
    neighbours: Keys32 = field(default_factory=lambda: np.zeros(0, dtype=np.uint32))

    def key(self, register: Register, rule: Rule, rows: NDArray[np.integer] | None = None) -> Key:
        """The key of some rows, or of all, of a register that is read by a kept model."""
        key = rule_key(register, rule) if rows is None else rows_key(register, rule, rows, len(rows))
        rows = np.arange(register.size) if rows is None else rows
        for name, large in self.steps:
            at = np.flatnonzero(among(key, large))
            if len(at):
                key[at] = finer(key[at], part_key(register, name, rows[at]))
        return key

    def blocks(self, register: Register, rule: Rule, max_block: int) -> Blocks:
        """The blocks of a whole register that is read by a kept model."""
        key = self.key(register, rule)
        rows, lengths = runs(key)
        first = key[rows[np.cumsum(lengths) - lengths]]
        return blocks_of(rule, key, rows, lengths, self.by_neighbours(rule, first, lengths, max_block))

    def by_neighbours(self, rule: Rule, key: Key, held: NDArray[np.integer], max_block: int) -> NDArray[np.bool_]:
        """Of blocks, given by key and how many records they hold: which are paired by neighbours."""
        if not rule:
            return np.zeros(len(key), dtype=bool)
        return (held > GROWN * max_block) | among(key, self.neighbours)


def among(key: Key, some: Keys32) -> NDArray[np.bool_]:
    """Which keys are some of those, which are in order."""
    if not len(some):
        return np.zeros(len(key), dtype=bool)
    return np.asarray(some[np.minimum(np.searchsorted(some, key), len(some) - 1)] == key)


def divisions_of(register: Register, blocks: Sequence[Blocks]) -> tuple[Division, ...]:
    """How each rule's blocks were divided. register: one read as a kept model reads it, in which the rows of
    `Blocks.large` and `Blocks.neighbours` stand."""
    return tuple(_division(register, one) for one in blocks)


def _division(register: Register, blocks: Blocks) -> Division:
    found = Division()
    for name, rows in blocks.large:
        found = Division((*found.steps, (name, np.unique(found.key(register, blocks.rule, rows)))))
    return Division(found.steps, np.unique(found.key(register, blocks.rule, blocks.neighbours)))
