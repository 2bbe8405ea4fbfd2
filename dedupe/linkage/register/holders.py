"""How many records hold each value: counted in the register, or as a kept model has it (`known`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.content import text_keys
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.known import Keys, ValueTable
from casebridge.dedupe.linkage.register.values import Values, rareness

SCALE = 10_000
SOME = 4  # values for each one asked for, from which not all are worked out
FEW_AT_LEAST, FEW = 2.0, 3e-5  # records, and share of the records, up to which a spelling is hardly in use


@dataclass(frozen=True)
class Holders:
    """How many records hold each value of a column, by code, and how many hold any."""

    counts: NDArray[np.int64]
    total: int

    @property
    def share(self) -> NDArray[np.float64]:
        """Share of the records that have a value which hold each."""
        return self.counts / max(1, self.total)

    @property
    def steps(self) -> NDArray[np.uint8]:
        """Step of each value on the scale of rareness."""
        return rareness(self.share)

    @property
    def few(self) -> float:
        """So many records hold a spelling that is hardly in use."""
        return max(FEW_AT_LEAST, FEW * self.total)

    def telling(self) -> NDArray[np.integer]:
        """Codes of the values that are judged otherwise than one which a single record holds."""
        single = rareness(np.array([1 / max(1, self.total)]))
        return np.flatnonzero((self.counts > 1) & ((self.counts > self.few) | (self.steps != single)))


def value_keys(
    register: Register, dictionary: str, codes: NDArray[np.int32],
    of: Callable[[Values], pl.Series] = lambda values: values.text, name: str = "values",
) -> Keys:  # fmt: skip
    """The numbers of values of a dictionary by what they say, or by what is made `of` them, which has a name; 0
    for a code of -1. Of many at once all are worked out, and kept."""
    values, known = register.values[dictionary], f"content: {name} of {dictionary}"
    if known in register.facts or SOME * len(codes) > len(values):
        return register.fact(known, lambda: np.append(text_keys(of(values)), np.uint64(0))).take(codes)
    some, place = np.unique(codes, return_inverse=True)
    held = text_keys(of(Values(values.text.gather(pl.Series(np.maximum(some, 0).astype(np.uint32))))))
    return np.where(some >= 0, held, np.uint64(0))[place]


def alone_of(role: str) -> str:
    """The fact that says how many of SCALE records with a value hold one that counts as a single record's."""
    return f"alone: {role}"


def holders(register: Register, role: str, dictionary: str) -> Holders:
    """The holders of each value of a column of text."""
    column, values, name = register.columns[role], register.values[dictionary], f"holders: {role}"

    if register.known.frozen:
        total = register.known.fact(name, lambda: 0)
        keys = value_keys(register, dictionary, np.arange(len(values), dtype=np.int32))
        return Holders(register.known.tables[name].look_up(keys).astype(np.int64), total)
    counts = np.bincount(column[column >= 0], minlength=len(values))
    found = Holders(counts, int(counts.sum()))
    register.known.fact(name, lambda: found.total)
    codes = found.telling()
    register.known.fact(alone_of(role), lambda: SCALE - round(SCALE * counts[codes].sum() / max(1, found.total)))
    keys = value_keys(register, dictionary, codes.astype(np.int32))
    register.known.table(name, lambda: ValueTable.of(keys, counts[codes].astype(np.float64), 1.0))
    return found


def rows_of_many(
    register: Register, name: str, keys: Callable[[NDArray[np.integer] | slice], Keys],
    found: Callable[[], tuple[NDArray[np.bool_], NDArray[np.integer]]],
) -> NDArray[np.bool_]:  # fmt: skip
    """Rows that hold a value which many hold. keys: numbers of the values of some rows, by what they say, 0 for
    none. found: which rows these are in the register, and at least one of them for each such value."""
    if register.known.frozen:
        return register.known.tables[name].look_up(keys(slice(None))) > 0
    rows, some = found()
    register.known.table(name, lambda: ValueTable.of(keys(some), np.ones(len(some)), 0.0))
    return rows
