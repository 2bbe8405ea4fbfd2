"""Which record of a group survives and whose value each column keeps: by rules, and by what reviewers said.

The same functions choose in a run and in the preview that a reviewer sees, over the same texts: so a run does what
the preview showed. Marks of restriction are not chosen: of those the strictest wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SURVIVOR = "*"
"""The field of an override that names the survivor."""


@dataclass(frozen=True)
class Record:
    """A record of a group: its columns that hold something, as texts, and how many those are in all."""

    id: str
    values: Mapping[str, str]
    filled: int = 0


@dataclass(frozen=True)
class Rule:
    """One rule with what stands behind its colon: source_priority:old;new, most_recent:last_updated_on."""

    name: str
    arguments: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.name}:{';'.join(self.arguments)}" if self.arguments else self.name


@dataclass(frozen=True)
class Override:
    """A reviewer's word on a field of two records that become one: the value of `from_id`; empty: by the rules."""

    left_id: str
    right_id: str
    field: str
    from_id: str
    name: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Survivorship:
    """The rules for the survivor, for all columns, for some columns; and columns that are chosen together."""

    survivor: tuple[Rule, ...] = (Rule("most_complete"), Rule("oldest_key"))
    default: tuple[Rule, ...] = (Rule("survivor"),)
    columns: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    together: tuple[tuple[str, ...], ...] = ()

    def rules_of(self, column: str) -> tuple[Rule, ...]:
        """The rules of one column."""
        return self.columns.get(column, self.default)

    def field_of(self, column: str) -> str:
        """The field that a reviewer chooses this column by: the first of those that are chosen together."""
        return next((group[0] for group in self.together if column in group), column)


class Overrides:
    """Every word of the reviewers, oldest first; each group is told its own without a look at all the others."""

    def __init__(self, said: Iterable[Override] = ()) -> None:
        self._of: dict[str, list[tuple[int, Override]]] = {}
        for number, one in enumerate(said):
            self._of.setdefault(one.left_id, []).append((number, one))

    def inside(self, ids: Iterable[str]) -> dict[str, Override]:
        """The last word on each field that counts in a group of records."""
        group = set(ids)
        words = [pair for item in group for pair in self._of.get(item, ()) if pair[1].right_id in group]
        found = {one.field: one for _, one in sorted(words, key=lambda pair: pair[0])}
        return {name: one for name, one in found.items() if one.from_id in group}


def survivor_of(records: Sequence[Record], rules: Survivorship, said: Mapping[str, Override]) -> str:
    """The id of the record that survives."""
    if SURVIVOR in said:
        return said[SURVIVOR].from_id
    return _in_order(sorted(records, key=_age), rules.survivor, "", "")[0].id


def kept(
    records: Sequence[Record], survivor: str, rules: Survivorship, said: Mapping[str, Override]
) -> dict[str, str]:
    """Whose value each column keeps: columns that any record holds, to ids."""
    base = sorted(records, key=lambda one: (one.id != survivor, *_age(one)))
    found = {}
    for column in dict.fromkeys(name for one in base for name in one.values):
        having = [one for one in base if column in one.values]
        word = said.get(rules.field_of(column))
        chosen = next((one for one in having if word and one.id == word.from_id), None)
        found[column] = (chosen or _in_order(having, rules.rules_of(column), column, survivor)[0]).id
    return found


def _age(record: Record) -> tuple[int, str]:
    """An older key is a shorter one."""
    return len(record.id), record.id


@dataclass(frozen=True)
class _Asked:
    """What is ordered: by what stands behind the rule's name, for a column (none: for the survivor)."""

    arguments: Sequence[str]
    column: str
    survivor: str


Order = Callable[[Record, _Asked], Any]


def _in_order(records: Sequence[Record], rules: Sequence[Rule], column: str, survivor: str) -> list[Record]:
    """The best first; what the first rule leaves equal the next one decides, and at last the order of coming."""
    found = list(records)
    for rule in reversed(rules):
        order, largest = RULES[rule.name]
        asked = _Asked(rule.arguments, column, survivor)
        found = sorted(found, key=_keyed(order, asked), reverse=largest)
    return found


def _keyed(order: Order, asked: _Asked) -> Callable[[Record], Any]:
    return lambda record: order(record, asked)


def _by_source(record: Record, asked: _Asked) -> int:
    """The systems in the order that is given, then all others."""
    system, known = record.id.partition(":")[0], asked.arguments
    return known.index(system) if system in known else len(known)


def _by_day(record: Record, asked: _Asked) -> str:
    """The day in a column, the latest first; without one last."""
    return record.values.get(asked.arguments[0], "")


def _by_fullness(record: Record, asked: _Asked) -> int:
    """Of records how many columns hold something; of values the longest text."""
    return len(record.values[asked.column]) if asked.column else record.filled


def _by_age(record: Record, _: _Asked) -> tuple[int, str]:
    return _age(record)


def _is_survivor(record: Record, asked: _Asked) -> bool:
    return record.id == asked.survivor


# name → (what records are ordered by, whether the largest comes first)
RULES: Mapping[str, tuple[Order, bool]] = {
    "source_priority": (_by_source, False),
    "most_recent": (_by_day, True),
    "most_complete": (_by_fullness, True),
    "oldest_key": (_by_age, False),
    "survivor": (_is_survivor, True),
}

WORDS: Mapping[str, str] = {
    "source_priority": "the system that goes before the other",
    "most_recent": "the record that was changed last",
    "most_complete": "the fuller one",
    "oldest_key": "the older number",
    "survivor": "the record that stays",
}
"""The rules as a reviewer reads them."""
