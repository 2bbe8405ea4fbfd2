"""Columns that name rows, and columns that hold other tables' keys, by what they hold and what they are called."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from casebridge.migrate.profiling.columns import NEARLY, Column

_KEY_WORDS = frozenset(
    {"id", "no", "num", "nr", "number", "key", "code", "ref", "pk", "fk", "guid", "uuid", "seq"}
)
_FIRST_OF_A_KEY = frozenset({"rhif", "cyfeirnod", "cod"})
"""The same in Welsh, which puts it first: Rhif Cleient."""
LONGEST_KEY = 60
_FEW = 32
_SEEMS, _INCLUDED = 0.9, 0.9
_SMALL = 4
"""Digits up to which a whole number says little: the first thousands are in every table's keys."""
_SEVERAL = 30
_AT_ONCE = 1 << 20
"""Different values that are looked up at once."""
JOINED = " + "


@dataclass(frozen=True)
class Reference:
    """A column whose values are keys of a table, and the rows whose value is none of them (orphans). `alike`: it
    is called like that key; `declared`: the database says so, and nothing is guessed."""

    table: str
    column: str
    to_table: str
    to_column: str
    distinct: int
    orphans: int
    orphan_rows: int
    alike: bool
    declared: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """As a profile has it."""
        return dict(self.__dict__)


@functools.cache
def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's or a table's name, in small letters: PersonId and PERSON_ID are two words each."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+", name)
    return tuple(part.lower() for part in parts)


def like_a_key(name: str) -> bool:
    """Whether a column is called like one that names rows."""
    words = words_of(name)
    return bool(words) and (words[-1] in _KEY_WORDS or words[0] in _FIRST_OF_A_KEY)


def key_of(columns: Sequence[Column], composites: Sequence[Column]) -> tuple[str, ...]:
    """The columns that name a table's rows; none where nothing does. What is called like a key goes before what
    only happens to be unique; days and amounts name nothing."""
    short = [column for column in columns if column.facts["length"]["greatest"] <= LONGEST_KEY]
    able = [column for column in short if column.facts["kind"] in {"integer", "text"}]
    called = [column for column in able if like_a_key(column.name)]
    of_keys = [column for column in composites if all(map(like_a_key, column.name.split(JOINED)))]
    order = [
        *(column for column in called if column.unique),
        *(column for column in called if column.nearly_unique),
        *(column for column in of_keys if column.unique),
        *(column for column in able if column.unique),
        *(column for column in composites if column.unique),
        *(column for column in composites if column.nearly_unique),
    ]
    return tuple(order[0].name.split(JOINED)) if order else ()


def unique_key(columns: Sequence[Column], unique: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Of the sets of columns that a database holds unique, the one that names a table's rows: none of it is empty,
    it is called like a key, it is small. None where a column that is called like a key does it alone, and no set
    is."""
    places = {column.name: place for place, column in enumerate(columns) if not column.facts["nulls"]}
    able = [names for names in unique if places.keys() >= set(names)]
    called = [names for names in able if all(map(like_a_key, names))]
    if not called and any(column.unique and like_a_key(column.name) for column in columns):
        return ()
    ordered = sorted(called or able, key=lambda names: (len(names), [places[name] for name in names]))
    return tuple(ordered[0]) if ordered else ()


def nearly_keys(columns: Sequence[Column]) -> list[str]:
    """Columns that look like keys and are none: some of their values name several rows."""
    return [
        column.name
        for column in columns
        if like_a_key(column.name)
        and not column.unique
        and column.facts["nulls"] * 10 <= column.facts["rows"]
        and column.filled
        and column.facts["distinct"] >= _SEEMS * column.filled
        and column.facts["doubled"]["values"]
    ]


@dataclass(frozen=True)
class _Key:
    table: str
    column: Column


def references(
    tables: Mapping[str, Sequence[Column]],
    keys: Mapping[str, tuple[str, ...]],
    declared: Mapping[tuple[str, str], str] | None = None,
) -> list[Reference]:
    """Which columns hold which table's keys. A column refers to one table at most: the one that the database
    declares (`declared`, by table and column), else the likeliest."""
    said = declared or {}
    alone = {table: _Key(table, column) for table, columns in tables.items() for column in columns
             if keys[table] == (column.name,)}  # fmt: skip
    named = {table: _Key(table, column) for table, columns in tables.items() for column in columns
             if _names_rows(column, keys[table])}  # fmt: skip
    asked = [(table, column) for table, columns in tables.items() for column in columns
             if (table, column.name) in said
             or (_may_refer(column) and (table, (column.name,)) not in keys.items())]  # fmt: skip
    likely = _likely(asked, [key for key in named.values() if _may_refer(key.column)])
    made = []
    for (table, column), candidates in zip(asked, likely, strict=True):
        there = alone.get(said.get((table, column.name), ""))
        found = [_counted(table, column, there, alike=True, declared=True)] if there else []
        if (table, column.name) not in said:
            found = [ref for key in candidates for ref in _reference(table, column, key)]
        if found:
            made.append(min(found, key=lambda ref: (not ref.alike, ref.orphan_rows, ref.distinct)))
    return made


def _names_rows(column: Column, key: tuple[str, ...]) -> bool:
    """Whether it is its table's key: what else is unique, such as an address, is nobody's reference."""
    return bool(column.facts["distinct"] > 1 and key == (column.name,))


def _may_refer(column: Column) -> bool:
    facts = column.facts
    return (
        facts["distinct"] > 0
        and facts["kind"] in {"integer", "text"}
        and 0 < facts["length"]["greatest"] <= LONGEST_KEY
    )


def _likely(asked: Sequence[tuple[str, Column]], named: Sequence[_Key]) -> list[list[_Key]]:
    """For each column the keys that hold most of a few of its values. All are looked up in a key at once."""
    samples = [_sample(column) for _, column in asked]
    whose = np.repeat(np.arange(len(asked)), [sample.size for sample in samples])
    sizes = np.maximum(np.bincount(whose, minlength=len(asked)), 1) if whose.size else np.ones(len(asked))
    everything = np.concatenate([np.zeros(0, np.uint64), *samples])
    found: list[list[_Key]] = [[] for _ in asked]
    for key in named:
        hits = np.bincount(whose, _within(everything, key.column.values), len(asked))
        for place in np.flatnonzero(hits / sizes >= 0.6).tolist():
            table, column = asked[place]
            if not (table == key.table and column.name == key.column.name):
                found[place].append(key)
    return found


def _sample(column: Column) -> npt.NDArray[np.uint64]:
    values = column.values
    return np.asarray(values[:: max(1, values.size // _FEW)][:_FEW])


def _within(values: npt.NDArray[np.uint64], known: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    if not known.size:
        return np.zeros(values.size, np.bool_)
    places = np.minimum(np.searchsorted(known, values), known.size - 1)
    return np.asarray(known[places] == values)


def _reference(table: str, column: Column, key: _Key) -> Iterator[Reference]:
    alike = names_alike(column.name, key.table, key.column.name)
    if not (alike or _tells(column)) or (table == key.table and _another_key(column, key)):
        return
    found = _counted(table, column, key, alike=alike)
    included = 1 - found.orphans / max(found.distinct, 1)
    if included >= (_INCLUDED if alike else 0.98) and found.orphan_rows <= (1 - _INCLUDED) * column.filled:
        yield found


def _another_key(column: Column, key: _Key) -> bool:
    """Whether a column is its table's key once more, not its parent's: most of its keys, each of them once."""
    distinct = int(column.facts["distinct"])
    return distinct >= NEARLY * column.filled and 2 * distinct > int(key.column.facts["distinct"])


def _counted(table: str, column: Column, key: _Key, *, alike: bool, declared: bool = False) -> Reference:
    orphans = rows = 0
    for first in range(0, column.values.size, _AT_ONCE):
        some = slice(first, first + _AT_ONCE)
        gone = ~_within(np.asarray(column.values[some]), key.column.values)
        orphans, rows = orphans + int(gone.sum()), rows + int(column.counts[some][gone].sum())
    return Reference(
        table, column.name, key.table, key.column.name, column.values.size, orphans, rows, alike, declared
    )


def _tells(column: Column) -> bool:
    """Whether it says something that all of a column's values are keys: not of the first few numbers."""
    facts = column.facts
    small = facts["kind"] == "integer" and facts["digits"] <= _SMALL
    return facts["distinct"] >= _SEVERAL and not small


def names_alike(column: str, table: str, key: str) -> bool:
    """Whether a column is called like a table's key, or like the table: PI_NO and PI_NO, ARTIST_ID and Id. The
    duration of a rental (RENTAL_DURATION) is no key of it."""
    own, other = _meaning(column), _meaning(key)
    if other:
        words = words_of(column)
        return other <= own and (words[-1] in other or not _KEY_WORDS.isdisjoint(words))
    if column.casefold() == key.casefold():
        return words_of(column) not in {("id",), ("key",), ("no",), ("code",)}
    return not _singular(column).isdisjoint(_singular(table))


@functools.cache
def _meaning(name: str) -> frozenset[str]:
    """The words of a name that say what it is of: not those that every key has."""
    return frozenset(words_of(name)) - _KEY_WORDS


@functools.cache
def _singular(name: str) -> frozenset[str]:
    return frozenset(word.rstrip("s") for word in _meaning(name))
