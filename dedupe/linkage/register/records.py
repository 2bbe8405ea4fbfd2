"""Records as rows of whole numbers that outlive a run: added to, taken from, and made a register again in part.

In a `Register` codes follow the order of the values' text, so that nothing depends on the order of the rows. Here
a value keeps its code while any record holds it, and a new value gets the next: to add a record changes no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.encoding import Lists, Register
from casebridge.dedupe.linkage.register.reading import canonical_order
from casebridge.dedupe.linkage.register.runs import spans
from casebridge.dedupe.linkage.register.values import MISSING, Values

Rows = NDArray[np.integer]
Dictionaries = dict[str, pl.Series]


@dataclass(frozen=True)
class Records:
    """Rows of a register. ids: theirs. columns, told: an array each, of what is compared and of what names say
    besides. source: the system of each row, if that counts. lists: several values a row. values: texts by code.
    coded: of the columns and lists that hold codes, the dictionary."""

    ids: pl.Series
    columns: dict[str, NDArray[Any]]
    told: dict[str, NDArray[Any]]
    source: pl.Series | None
    lists: dict[str, Lists]
    values: Dictionaries
    coded: dict[str, str]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, register: Register) -> Records:
        """The rows of a register as it was read."""
        source = None
        if register.source is not None:
            names = pl.Series(register.source_names, dtype=pl.String)
            source = names.gather(pl.Series(register.source.astype(np.uint32)))
        return cls(
            register.ids, dict(register.columns), {name: register.facts[name] for name in register.told}, source,
            dict(register.lists), {name: values.text for name, values in register.values.items()},
            register.coded(),
        )  # fmt: skip

    def register(self, rows: Rows, like: Register) -> tuple[Register, Rows]:
        """Some of the rows as a register, in the order that their ids decide, and the rows in this order. like: an
        empty register, for what holds of all."""
        ids = self.ids.gather(rows)
        rows = rows[canonical_order(ids)] if len(ids) else rows
        some = self.take(rows)
        columns, lists, values = _in_order_of_text(some)
        source, names = None, list[str]()
        if some.source is not None:
            names = some.source.unique().sort().to_list()
            source = (some.source.rank("dense") - 1).cast(pl.Int16).to_numpy()
        register = replace(
            like, size=len(rows), ids=some.ids, columns=columns, values=values, lists=lists, source=source,
            source_names=names, facts=dict(some.told), told=tuple(some.told), notes=[], marks={}, table=None,
        )  # fmt: skip
        return register, rows

    def take(self, rows: Rows) -> Records:
        """Some of the rows, with the same dictionaries."""
        return replace(
            self,
            ids=self.ids.gather(rows),
            columns={name: column[rows] for name, column in self.columns.items()},
            told={name: column[rows] for name, column in self.told.items()},
            source=None if self.source is None else self.source.gather(rows),
            lists={name: _taken(lists, rows) for name, lists in self.lists.items()},
        )

    def and_also(self, other: Records) -> Records:
        """These rows, then those of `other`, whose values keep the codes they have here."""
        columns, lists, values = _recoded(other, self.values)
        told = {*self.told, *other.told}
        source = None if self.source is None or other.source is None else pl.concat([self.source, other.source])
        return replace(
            self,
            ids=pl.concat([self.ids, other.ids]),
            columns={name: np.concatenate([column, columns[name]]) for name, column in self.columns.items()},
            told={name: np.concatenate([_marks(self, name), _marks(other, name)]) for name in sorted(told)},
            source=source,
            lists=_lists_together(self, replace(other, lists=lists)),
            values=values,
            coded=self.coded | other.coded,
        )

    def without_unused(self) -> Records:
        """The same rows; values that none of them holds are forgotten."""
        values, tables = dict(self.values), {}
        for name, text in self.values.items():
            used = np.zeros(len(text) + 1, dtype=bool)
            for codes in _codes_of(self, name):
                used[codes] = True
            if not used[:-1].all():
                values[name] = text.filter(pl.Series(used[:-1]))
                tables[name] = np.append(np.cumsum(used[:-1], dtype=np.int32) - 1, np.int32(MISSING))
        return replace(_mapped(self, tables), values=values) if tables else self


def _marks(records: Records, name: str) -> NDArray[Any]:
    return records.told[name] if name in records.told else np.zeros(len(records), dtype=np.int8)


def _codes_of(records: Records, dictionary: str) -> Sequence[NDArray[Any]]:
    """All codes of a dictionary that rows hold."""
    names = [name for name, of in records.coded.items() if of == dictionary]
    found = [records.columns[name] for name in names if name in records.columns]
    return [*found, *(records.lists[name].codes for name in names if name in records.lists)]


def _mapped(records: Records, tables: Mapping[str, NDArray[np.int32]]) -> Records:
    """The records with other codes; tables: the new code of each, by dictionary, and of MISSING last."""
    columns, lists = dict(records.columns), dict(records.lists)
    for name, dictionary in records.coded.items():
        if dictionary in tables and name in columns:
            columns[name] = tables[dictionary].take(columns[name], mode="wrap")
        if dictionary in tables and name in lists:
            lists[name] = replace(lists[name], codes=tables[dictionary].take(lists[name].codes))
    return replace(records, columns=columns, lists=lists)


def _in_order_of_text(records: Records) -> tuple[dict[str, NDArray[Any]], dict[str, Lists], dict[str, Values]]:
    """Columns, lists and dictionaries of the values that stand in them alone, coded in the order of their text."""
    tables, values = {}, {}
    for name, text in records.values.items():
        codes = np.unique(np.concatenate([np.zeros(0, np.int32), *_codes_of(records, name)]))
        codes = codes[codes >= 0]
        held = text.gather(pl.Series(codes.astype(np.uint32)))
        order = held.arg_sort().to_numpy()
        table = np.full(len(text) + 1, MISSING, dtype=np.int32)
        table[codes[order]] = np.arange(len(codes), dtype=np.int32)
        tables[name], values[name] = table, Values(held.gather(order))
    mapped = _mapped(records, tables)
    return mapped.columns, mapped.lists, values


def _recoded(
    other: Records, values: Dictionaries
) -> tuple[dict[str, NDArray[Any]], dict[str, Lists], Dictionaries]:
    """Columns and lists of `other` by the dictionaries `values`, and these with what is new in `other`."""
    tables, longer = {}, dict(values)
    for name, text in other.values.items():
        held = values.get(name, pl.Series([], dtype=pl.String)).rename("t").to_frame().with_row_index("code")
        found = text.rename("t").to_frame().join(held, on="t", how="left", maintain_order="left")["code"]
        codes = found.cast(pl.Int32).fill_null(MISSING).to_numpy().copy()
        new = np.flatnonzero(codes == MISSING)
        codes[new] = held.height + np.arange(len(new), dtype=np.int32)
        tables[name] = np.append(codes, np.int32(MISSING))
        longer[name] = pl.concat([held["t"], text.gather(new)])
    mapped = _mapped(other, tables)
    return mapped.columns, mapped.lists, longer


def _taken(lists: Lists, rows: Rows) -> Lists:
    many = np.diff(lists.starts)[rows]
    codes = lists.codes[spans(lists.starts[rows], many)]
    return replace(lists, starts=np.concatenate([[0], np.cumsum(many)]), codes=codes)


def _lists_together(one: Records, other: Records) -> dict[str, Lists]:
    found = {}
    for name in sorted({*one.lists, *other.lists}):
        like = one.lists[name] if name in one.lists else other.lists[name]
        a, b = (r.lists[name] if name in r.lists else _no_lists(len(r), like) for r in (one, other))
        starts = np.concatenate([a.starts, b.starts[1:] + a.starts[-1]])
        found[name] = replace(like, starts=starts, codes=np.concatenate([a.codes, b.codes]))
    return found


def _no_lists(size: int, like: Lists) -> Lists:
    return replace(like, starts=np.zeros(size + 1, dtype=np.int64), codes=like.codes[:0])
