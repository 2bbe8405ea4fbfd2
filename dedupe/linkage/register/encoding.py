"""A register as integers: every compared value encoded once, rows in an order that only their ids decide."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import jellyfish
import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.register.known import Known
from casebridge.dedupe.linkage.register.pair_rows import PairSide, RowTable
from casebridge.dedupe.linkage.register.values import MISSING, Values

NAME_ROLES = ("forename", "middle_name", "surname")
BIRTH_NUMBER, GENERATION, TEMPORARY = "birth number", "generation", "temporary name"
"""Facts about rows that name columns tell: Twin 2, Snr, and that the forename is a newborn's."""


@dataclass(frozen=True)
class Lists:
    """Several codes a row: those of row i are codes[starts[i]:starts[i + 1]]. dictionary: whose codes they are;
    none for packed digits."""

    starts: NDArray[np.int64]
    codes: NDArray[Any]
    dictionary: str | None = None


@dataclass
class Register:
    """Rows as arrays of length `size`, in the order of a hash of their ids, so that no result depends
    on the order of the file. `kind` says what they are. `columns` holds codes or packed digits, `values` the
    dictionaries; `shared` names columns of numbers that records of several people share; `marks` says
    more of each row, for the comparisons; `known` what holds of the values as a
    whole; `told` names the facts that were read with the columns, one a row."""

    size: int
    ids: pl.Series
    kind: Kind
    columns: dict[str, NDArray[Any]]
    values: dict[str, Values]
    lists: dict[str, Lists] = field(default_factory=dict)
    source: NDArray[np.int16] | None = None
    source_names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, NDArray[Any]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)
    marks: dict[str, NDArray[Any]] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    told: tuple[str, ...] = ()
    table: RowTable | None = None

    def fact(self, name: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """Something derived from the values, made when first asked for."""
        if name not in self.facts:
            self.facts[name] = make()
        return self.facts[name]

    def mark(self, name: str, make: Callable[[], NDArray[Any]]) -> str:
        """Something that comparisons ask of every row, made once; returns its name for `PairSide.of`."""
        known = f"mark: {name}"
        if known not in self.marks:
            self.marks[known] = make()
        return known

    def build_row_table(self) -> None:
        """Lay columns and marks out, so that comparing is quick: from here on they stay as they are."""
        self.table = RowTable(self.columns | self.marks)

    def keep_columns_in_table(self) -> None:
        """Build the row table. From here on columns are looked up in it, and held once; whoever is reading one
        meanwhile has what stands in either."""
        self.build_row_table()
        if self.table is not None:
            self.columns = {name: self.table.column(name) for name in self.columns}
            self.marks = {name: self.table.column(name) for name in self.marks}

    def sides(self, left: NDArray[Any], right: NDArray[Any]) -> tuple[PairSide, PairSide]:
        """The two sides of pairs of rows."""
        held = self.columns | self.marks
        return PairSide(held, self.table, left), PairSide(held, self.table, right)

    def as_kept(self) -> Register:
        """The same register as a kept model reads it: values count by what they say, not by their code."""
        return replace(self, known=self.known.as_kept())

    def dictionary(self, role: str) -> str | None:
        """Whose codes a column holds; None where it holds packed digits, or the codes of a sex."""
        entry = self.kind.attribute(role)
        name = (entry.dictionary if entry else None) or role
        return name if name in self.values and self.columns[role].dtype == np.int32 else None

    def coded(self) -> dict[str, str]:
        """The dictionary of each column and list that holds codes."""
        columns = {role: self.dictionary(role) for role in self.columns}
        lists = {role: held.dictionary for role, held in self.lists.items()}
        return {role: name for role, name in (columns | lists).items() if name is not None}

    def has(self, role: str) -> bool:
        return role in self.columns

    def rows_of(self, ids: Iterable[Any]) -> NDArray[np.int64]:
        """Row of each id; -1 for an id the register does not hold."""
        wanted = pl.Series("id", list(ids), dtype=self.ids.dtype, strict=False)
        rows = pl.DataFrame({"id": self.ids}).with_row_index("row")
        found = wanted.to_frame().join(rows, on="id", how="left", maintain_order="left")
        return found["row"].cast(pl.Int64).fill_null(MISSING).to_numpy()

    def pair_keys(self, pairs: Iterable[tuple[Any, Any]]) -> NDArray[np.uint64]:
        """Sorted pair keys (smaller row in the high half) of those pairs whose two ids are both held."""
        pairs = list(pairs)
        if not pairs:
            return np.zeros(0, dtype=np.uint64)
        left = self.rows_of(a for a, _ in pairs)
        right = self.rows_of(b for _, b in pairs)
        held = (left >= 0) & (right >= 0) & (left != right)
        return np.unique(pair_key(left[held], right[held]))


def pair_key(left: NDArray[Any], right: NDArray[Any]) -> NDArray[np.uint64]:
    """One number for a pair of rows, the same whichever is named first."""
    low = np.minimum(left, right).astype(np.uint64)
    high = np.maximum(left, right).astype(np.uint64)
    return low << np.uint64(32) | high


def ends(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The two rows of each pair key."""
    return (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def sounds(values: Values) -> pl.Series:
    """Phonetic code (soundex, jellyfish) of each distinct name; the name itself where soundex does not apply."""
    codes = [jellyfish.soundex(_letters(text)) if text.isascii() else text for text in values.all()]
    return pl.Series(codes, dtype=pl.String)


def ranked(series: pl.Series) -> NDArray[np.int32]:
    """A number for each text, from 1, in their order."""
    return series.rank("dense").cast(pl.Int32).to_numpy() if len(series) else np.zeros(0, dtype=np.int32)


def _letters(text: str) -> str:
    return re.sub(r"[^A-Z]", "", text) or "0"
