"""What a register says of its values as a whole: which are common, how its columns are written, what it holds.

Training finds it, and a kept model carries it: a register to which the model is applied is read and compared by
it, so that what is said of a pair depends on the two records and the model, and on no third record.

No value stands here, only its number (`text_keys`), and only of values that several records hold. A value that is
not among them counts as one that a single record holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.uint64]
Fact = bool | int | str | tuple[str, ...] | tuple[bool, ...]
F = TypeVar("F", bool, int, str, tuple[str, ...], tuple[bool, ...])


@dataclass(frozen=True)
class ValueTable:
    """A number for each of some values. keys: theirs, in order. otherwise: the number of all other values."""

    keys: Keys
    numbers: NDArray[np.float64]
    otherwise: float

    @classmethod
    def of(cls, keys: Keys, numbers: NDArray[np.float64], otherwise: float) -> ValueTable:
        ordered, first = np.unique(keys, return_index=True)
        return cls(ordered, numbers[first].astype(np.float64), otherwise)

    def look_up(self, keys: Keys) -> NDArray[np.float64]:
        """The number of each value."""
        if not len(self.keys):
            return np.full(len(keys), self.otherwise)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.numbers[at], self.otherwise)


@dataclass
class Known:
    """What is known of a register's values as a whole. tables: numbers of values, by what they say. facts: what
    holds of whole columns. frozen: it comes with a kept model, and nothing of the register at hand is added."""

    tables: dict[str, ValueTable] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    frozen: bool = False

    def as_kept(self) -> Known:
        """The same, frozen, in the order of names: columns are read on two threads, and come as they come."""
        return Known(dict(sorted(self.tables.items())), dict(sorted(self.facts.items())), frozen=True)

    def fact(self, name: str, find: Callable[[], F]) -> F:
        """A fact of a whole column: found in the register, or as the model has it."""
        if not self.frozen:
            self.facts[name] = find()
        return self.facts[name]  # type: ignore[return-value]

    def names(self, fact: str) -> tuple[str, ...]:
        """A fact that is a list of names."""
        return tuple(str(name) for name in self.facts[fact])  # type: ignore[union-attr]

    def table(self, name: str, make: Callable[[], ValueTable]) -> ValueTable:
        """Numbers of values: counted in the register, or as the model has them."""
        if not self.frozen:
            self.tables[name] = make()
        return self.tables[name]
