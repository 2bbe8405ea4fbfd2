"""What a kind of entity is to the engine: its roles, how they are read, compared and blocked, what is believed.

A kind is one declaration (`kinds`): to add a field is to add an `Attribute`, to add a kind is to write another
`Kind`. Whatever the engine knows of people, or of organisations, stands in there and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import OUTPUT, Fields, unknown

Rule = tuple[str, ...]
Ladder = tuple[tuple[Rule, ...], ...]
Rows = NDArray[np.int32]
SAME, CHANCE = "same", "chance"
"""Relations that every kind has: one entity, and strangers."""

# What stands above in the engine is Any here: a Register, its ColumnReader, a Comparison.
Read = Callable[[Any, Any, Fields], None]
"""Fills a Register from the columns that a ColumnReader gives."""
Reread = Callable[[Any, str, pl.Series], pl.Series]
"""Register, role and text to what the column of the role would hold."""
Make = Callable[[Any, Any], NDArray[np.uint64]]
"""Register and rows to a number a row."""
Compare = Callable[[Any], list[Any]]
"""Register to the comparisons that its columns allow."""
Alike = Callable[[Any, Rows, Rows], tuple[NDArray[np.bool_], NDArray[np.bool_]]]
"""Register and pairs of rows to whether they are known, and alike."""
Doubt = Callable[[Sequence[Any], NDArray[np.uint8]], NDArray[np.bool_]]
"""Comparisons and patterns to whether a person must decide."""
Count = Callable[[Any], float]
"""Register to how many pairs of a profile it holds."""
Marks = Callable[[Any], dict[str, NDArray[np.integer]]]
"""Register to a number a row, by the name of the guard."""


@dataclass(frozen=True)
class Part:
    """A part of blocking rules: a number a record, 0 where it is not known.

    needs: roles it is made of. make: its numbers, of some rows. shows: comparisons by which it picks out pairs.
    implies: parts on which two records agree that agree on it, itself among them. both: parts that together say
    the same."""

    needs: tuple[str, ...]
    make: Make
    shows: tuple[str, ...]
    implies: tuple[str, ...] = ()
    both: tuple[str, ...] = ()


@dataclass(frozen=True)
class Attribute:
    """Columns that are read and compared together: the one entry of a field.

    read: fills the register from the columns; compare: the comparisons made of them (`comparisons.levels`).
    made: columns that reading makes beside those of the roles. parts: what blocking makes of them, by name; a
    column without one blocks by its value where that is selective. needs: roles that count only together with one
    of others. dates, listed: roles that hold dates, or several values a row. names_one: the value is one entity's
    and no other's. reread: how text would be read as the column of a role, to see whether another column says the
    same. dictionary: whose values it shares, if not its own.
    """

    name: str
    roles: tuple[str, ...]
    read: Read | None
    compare: Compare | None
    made: tuple[str, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    dates: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    names_one: bool = False
    reread: Reread | None = None
    dictionary: str | None = None


@dataclass(frozen=True)
class Blocking:
    """Rules by which records meet, as names of parts.

    ladders: of each the loosest step is taken that a register can afford. lacking: more ladders where a role has
    no column. further: rules that may be added where those lose much. loose: keys that together meet nearly all.
    beside: parts that free columns are tried with. refinements: columns that divide large blocks, in this order.
    weak: columns that tell too little to stand alone, and that rules do without where they are lacking.
    """

    ladders: tuple[Ladder, ...]
    lacking: Mapping[str, tuple[Ladder, ...]] = field(default_factory=dict)
    further: tuple[Rule, ...] = ()
    loose: tuple[Rule, ...] = ()
    beside: tuple[str, ...] = ()
    refinements: tuple[str, ...] = ()
    weak: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """A relation of two records as it is believed to be before any data are seen. Levels have their starting
    chances in the order of a kind's profiles.

    share: of the candidate pairs. carried_by: comparisons of which one at least must be there, or the profile
    is left out; carried_where_blind: others that do where the register is blind (`Kind.blind`). by_luck:
    agreement on what is `lucky` is as chance has it. by_definition: comparisons that data cannot move. as_one:
    comparisons on which its two records differ as often as two of one entity. ceilings: the most that levels
    may stand for, by comparison and tag; where_blind: the same where a register lacks what tells relations
    apart (`Kind.blind`). most_a_row: the most pairs of it a record; first_a_row: in a first fit, from which the
    register may lead on. expected: register to how many pairs of it another count tells of: fewer are not
    believed.
    among: profiles of others who live together as its pairs do: where these have hardly a pair, it has none
    (`model.identified.nobody_among`); kin: comparisons on which they agree who may be such others, whatever else.
    doubted: the name of the belief that this profile is there at all, where decisions may hang on it.
    named_apart: comparisons of names that its two records have in common hardly oftener than chance has it
    (`model.beliefs.NAMED_ALIKE`).
    told_only_by: comparisons by which alone it is told from one entity, with the tags of the levels that both may
    show: there it agrees no oftener than chance has it, and of one entity no more than is believed stand at these
    levels where the register does not tell (`model.identified`).
    a_row, lacking: pairs of it a record, as is believed where that is lacking; and the name of this belief.
    shown_by, unshown: a comparison that shows some of its pairs where `told_only_by` is lacking, and how many it
    does not show for each that it does; unseen: register to how many may be there where nothing shows any.
    told_by: the comparison by which it is told from one entity; in a register without that, `untold_a_row` pairs
    of it a record are taken to be there, since no data can say.
    """

    name: str
    relation: str
    share: float
    carried_by: tuple[str, ...] = ()
    carried_where_blind: tuple[str, ...] = ()
    by_luck: bool = False
    by_definition: tuple[str, ...] = ()
    as_one: tuple[str, ...] = ()
    ceilings: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    where_blind: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    most_a_row: float | None = None
    first_a_row: float | None = None
    expected: Count | None = None
    among: tuple[str, ...] = ()
    kin: tuple[str, ...] = ()
    doubted: str = ""
    told_by: str = ""
    untold_a_row: float = 0.0
    named_apart: tuple[str, ...] = ()
    told_only_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    a_row: float = 0.0
    lacking: str = ""
    shown_by: str = ""
    unshown: float = 0.0
    unseen: Count | None = None

    def hides(self, compared: Sequence[str]) -> bool:
        """Whether a comparison alone tells its pairs from one entity, and neither that nor what shows some of them
        is there: how many hide nobody knows."""
        return bool(self.told_only_by) and not {*self.told_only_by, self.shown_by} & {*compared}

    def untold(self, compared: Sequence[str]) -> bool:
        """Whether nothing that is compared tells it from one entity."""
        return bool(self.told_by) and self.told_by not in compared


@dataclass(frozen=True)
class Chance:
    """What is believed of strangers. share: of the candidate pairs. like: the profile whose beliefs fill in
    what random pairs do not show. gathered: comparisons on which strangers of one rule agree more than random
    pairs do, without bound, since like lives near like; cohorts: by how much more others may agree, 2 where
    nothing is said. whole: comparisons that a part of a rule settles wholly, so that what one rule brings in
    is not expected again from the next. main_parts: the part that says most of a comparison, if not that of
    its name ("" for none). coincidences: the date and the names by which chance agreement can be counted
    (`model.namesakes`)."""

    share: float
    like: str
    gathered: tuple[str, ...] = ()
    cohorts: Mapping[str, float] = field(default_factory=dict)
    whole: tuple[str, ...] = ()
    main_parts: Mapping[str, str] = field(default_factory=dict)
    coincidences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guards:
    """What no model may decide. doubt: patterns that are for a person to decide, however strong the rest; with two
    different numbers that name one entity every kind's are.
    marks: by the name of the guard a number a row of which no cluster may hold two. cut: the guard that keeps
    doubtful pairs apart in clusters. lacking: the warning where a comparison is lacking, by its name."""

    doubt: Doubt
    marks: Marks
    cut: str
    lacking: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """A kind of entity that a register may hold. one, many: what it is called. free, related: comparisons of
    free columns, and of pairs on record as two. told_by, alike: roles by which two records are plainly one
    entity, and whether pairs of rows know and agree on any. same_kind: roles that may be given one column's
    content twice.

    Raises RegisterError where a role has no reader or no comparison, or two attributes have one role.
    """

    name: str
    one: str
    many: str
    attributes: tuple[Attribute, ...]
    blocking: Blocking
    profiles: tuple[Profile, ...]
    chance: Chance
    guards: Guards
    free: Callable[[Any, str], list[Any]]
    related: Callable[[Any, NDArray[np.uint64]], Any]
    told_by: tuple[str, ...]
    alike: Alike
    same_kind: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self) -> None:
        read = [role for entry in self.attributes if entry.read for role in entry.roles]
        compared = {role for entry in self.attributes if entry.compare for role in entry.roles}
        problems = [f"Nothing reads the role {role}." for role in self.roles if role not in read]
        problems += [f"Nothing compares the role {role}." for role in self.roles if role not in compared]
        problems += [f"The role {role} is read twice." for role in self.roles if read.count(role) > 1]
        if self.profiles[0].relation != SAME:
            problems.append("The first profile must be of one entity.")
        unknown = {name for rule in self._rules() for name in rule} - self.parts.keys() - set(self.roles)
        problems += [f"No attribute has the blocking part {name}." for name in sorted(unknown)]
        if problems:
            raise RegisterError(" ".join(problems), "See docs/linkage.md for how a kind is declared.")

    def _rules(self) -> list[Rule]:
        ladders = [*self.blocking.ladders, *chain(*self.blocking.lacking.values())]
        stepped = [rule for ladder in ladders for step in ladder for rule in step]
        return [*stepped, *self.blocking.further, *self.blocking.loose, self.blocking.beside]

    @property
    def same(self) -> str:
        """What the two records of a pair are that is put forward: "the same person"."""
        return f"the same {self.name.replace('_', ' ')}"

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Every role, each once."""
        return tuple(dict.fromkeys(role for entry in self.attributes for role in entry.roles))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column that a register of this kind may have, the free ones aside."""
        return (*self.roles, *(name for entry in self.attributes for name in entry.made))

    @cached_property
    def parts(self) -> dict[str, Part]:
        """Parts of blocking rules by name."""
        return {name: part for entry in self.attributes for name, part in entry.parts.items()}

    @cached_property
    def relations(self) -> tuple[str, ...]:
        """What a pair may be, one entity first and strangers last."""
        return (*dict.fromkeys(profile.relation for profile in self.profiles), CHANCE)

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Roles of numbers that name one entity."""
        return tuple(role for entry in self.attributes if entry.names_one for role in entry.roles)

    def blind(self, compared: Sequence[str]) -> bool:
        """Whether a comparison is missing without which relations cannot be told apart."""
        return not self.guards.lacking.keys() <= {*compared}

    @cached_property
    def careful(self) -> set[str]:
        """Names of the beliefs of which the careful side is taken where decisions hang on them."""
        return {one.doubted for one in self.profiles if one.told_only_by}

    def holds_homes(self, compared: Sequence[str]) -> bool:
        """Whether that is compared which two others have in common by definition: people of one home, its
        address."""
        return any(name in compared for profile in self.profiles for name in profile.by_definition)

    def tells_no_families(self, compared: Sequence[str]) -> bool:
        """Whether homes are compared, and nothing of what tells the people of one home apart: what a pair of them
        shares is then what one entity's records share, and how the rest differs nobody knows beforehand."""
        return bool(self.told_by) and not {*self.told_by} & {*compared} and self.holds_homes(compared)

    def expecting_none(self) -> Kind:
        """The kind with no count of how many pairs of a relation there are beside the fit."""
        return replace(self, profiles=tuple(replace(one, expected=None) for one in self.profiles))

    def place(self, profile: str) -> int:
        """Where a profile's chances stand in `Level.start`."""
        return [one.name for one in self.profiles].index(profile)

    def attribute(self, role: str) -> Attribute | None:
        """Whose role it is; None for a free column."""
        return next((entry for entry in self.attributes if entry.read and role in entry.roles), None)

    def shows(self, part: str) -> tuple[str, ...]:
        """The comparisons by which a part of a rule picks out pairs; a free column is compared under its
        name."""
        return self.parts[part].shows if part in self.parts else (part,)

    def implied(self, rule: Rule) -> set[str]:
        """All parts on which two records agree that meet a rule's demands."""
        known = self.parts
        return {one for name in rule for one in (known[name].implies if name in known else ()) or (name,)}

    def placed(self, fields: Fields) -> Fields:
        """The fields with free columns in the role that their name says, where no column has it.

        Raises RegisterError naming every role that is unknown, or lacks what it needs, and every free column
        with a name that the engine uses itself.
        """
        free = {n: c for n, c in fields.other.items() if n in self.roles and n not in fields.roles}
        other = {name: column for name, column in fields.other.items() if name not in free}
        found = replace(fields, roles={**fields.roles, **free}, other=other) if free else fields
        problems = [unknown(role, self.roles, "role") for role in found.roles if role not in self.roles]
        needs = {role: needed for entry in self.attributes for role, needed in entry.needs.items()}
        problems += [
            f"{role} is compared only with {' or '.join(needed)}, which has no column."
            for role, needed in needs.items()
            if role in found.roles and not found.roles.keys() & set(needed)
        ]
        dates = [role for entry in self.attributes for role in entry.dates]
        problems += [
            f"{role} takes one column: only a date may name three."
            for role, column in found.roles.items()
            if column in found.joined and role in self.roles and role not in dates
        ]
        taken = {*self.columns, *OUTPUT, *(entry.name for entry in self.attributes)}
        taken |= {name for name, part in self.parts.items() if len(part.needs) > 1}
        problems += [
            f"[other] {name!r} is a name the engine uses itself." for name in found.other if name in taken
        ]
        if problems:
            raise RegisterError(" ".join(problems), "See docs/linkage.md for the roles.")
        return found
