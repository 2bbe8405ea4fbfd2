"""The merged person before a run: whose record stays, which value each field keeps, and what moves.

Chosen by the same functions over the same texts as in a run. What evidence does not hold is named, never guessed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from casebridge.dedupe.review.evidence_file import Person
from casebridge.dedupe.review.fold_notes import FoldNotes
from casebridge.dedupe.review.value_rules import (
    SURVIVOR,
    WORDS,
    Override,
    Overrides,
    Record,
    Rule,
    kept,
    survivor_of,
)
from casebridge.project.restriction import rank
from casebridge.project.target import Marks

_STRICTEST = "the strictest of all"
_GONE = "only in the old system's archive"


@dataclass(frozen=True)
class FieldPreview:
    """A column of the merged person: each record's value by its id, whose is kept and why, where the others stay.
    `field` is what a reviewer chooses it by; empty where nobody may choose."""

    column: str
    field: str
    values: Mapping[str, str]
    kept_id: str
    why: str
    others: str
    chosen_by: str = ""

    @property
    def value(self) -> str:
        """What the merged person has."""
        return self.values.get(self.kept_id, "")

    @property
    def differs(self) -> bool:
        """Whether the records hold different values."""
        return len(set(self.values.values())) > 1


@dataclass(frozen=True)
class Moved:
    """Rows of one table: how many each record has, and how many the merged person will have; None where evidence
    does not hold enough to say, since rows that say the same are kept once."""

    table: str
    counts: Mapping[str, int]
    after: int | None


@dataclass(frozen=True)
class MergePreview:
    """The person that a group of records would become. `unshown`: columns that hold something and are not shown
    here; `related`: tables of relationships, whose rows move too and are not counted here."""

    ids: tuple[str, ...]
    survivor: str
    survivor_why: str
    fields: tuple[FieldPreview, ...]
    moved: tuple[Moved, ...]
    names: Mapping[str, int]
    unshown: tuple[str, ...]
    related: tuple[str, ...]

    @property
    def values(self) -> dict[str, str]:
        """The merged person, column by column."""
        return {one.column: one.value for one in self.fields if one.value}


def preview(people: Sequence[Person], notes: FoldNotes, overrides: Sequence[Override]) -> MergePreview:
    """The person that these records become, by the rules and by what reviewers said."""
    said = Overrides(overrides).inside(person.id for person in people)
    records = [Record(person.id, person.fields, person.filled) for person in people]
    survivor = survivor_of(records, notes.rules, said)
    whose = kept(records, survivor, notes.rules, said)
    order = sorted(people, key=lambda person: person.id != survivor)
    columns = dict.fromkeys(name for person in order for name in person.fields)
    marks = {item.column: item for item in notes.marks}
    fields = tuple(
        _marked(name, people, marks[name]) if name in marks else _field(name, people, notes, whose[name], said)
        for name in columns
    )
    own = next(person for person in people if person.id == survivor)
    return MergePreview(
        tuple(person.id for person in people), survivor, _survivor_why(notes.rules.survivor, said), fields,
        tuple(_moved(table, people, survivor, notes) for table in _tables(people)),
        {table: _names(columns, people, own, fields) for table, columns in notes.names.items()},
        tuple(sorted({name for person in people for name in person.unshown})), notes.related,
    )  # fmt: skip


def _survivor_why(rules: Sequence[Rule], said: Mapping[str, Override]) -> str:
    return f"chosen by {said[SURVIVOR].name}" if SURVIVOR in said else _why(rules)


def _why(rules: Sequence[Rule]) -> str:
    return ", then ".join(WORDS[rule.name] for rule in rules)


def _field(
    column: str, people: Sequence[Person], notes: FoldNotes, kept_id: str, said: Mapping[str, Override]
) -> FieldPreview:
    name = notes.rules.field_of(column)
    word = said.get(name)
    by = word.name if word and word.from_id == kept_id else ""
    values = {person.id: person.fields[column] for person in people if column in person.fields}
    why = f"chosen by {by}" if by else _why(notes.rules.rules_of(column))
    others = notes.stays.get(column, _GONE) if len(set(values.values())) > 1 else ""
    return FieldPreview(column, name, values, kept_id, why, others, by)


def _marked(column: str, people: Sequence[Person], marks: Marks) -> FieldPreview:
    """A mark of restriction: nobody chooses, the strictest wins."""
    values = {person.id: person.fields[column] for person in people if column in person.fields}
    ids = list(values)
    frame = pl.DataFrame({"id": ids, "mark": [values[item] for item in ids]})
    best = frame.sort(rank(marks, pl.col("mark")), descending=True, maintain_order=True).get_column("id")[0]
    return FieldPreview(column, "", values, str(best), _STRICTEST, "")


def _tables(people: Sequence[Person]) -> list[str]:
    return sorted({held.table for person in people for held in person.held})


def _moved(table: str, people: Sequence[Person], survivor: str, notes: FoldNotes) -> Moved:
    held = {person.id: one for person in people for one in person.held if one.table == table}
    counts = {person.id: held[person.id].count if person.id in held else 0 for person in people}
    once, total = notes.once.get(table), sum(counts.values())
    if once is None:
        return Moved(table, counts, total)
    if any(one.count > len(one.rows) for one in held.values()):
        return Moved(table, counts, None)
    groups = defaultdict[tuple[str, ...], list[str]](list)
    for item, one in held.items():
        for row in one.rows:
            groups[tuple(row.get(name, "") for name in once)].append(item)
    touched = (ids for ids in groups.values() if set(ids) - {survivor})
    return Moved(table, counts, total - sum(len(ids) - 1 for ids in touched))


def _names(columns: Sequence[str], people: Sequence[Person], own: Person, fields: Sequence[FieldPreview]) -> int:
    """How many names are kept as other names: those of the records that go, and the survivor's own where it gave
    way to another."""
    now = {one.column: one.value for one in fields}
    gave_way = any(own.fields.get(name) and own.fields[name] != now.get(name, "") for name in columns)
    return len(people) - 1 + gave_way
