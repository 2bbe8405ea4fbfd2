"""What a kind may take for its own that has nothing special to say: free columns, pairs on record as two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.parts import value_part
from casebridge.dedupe.linkage.comparisons.levels import Comparison, Level
from casebridge.dedupe.linkage.comparisons.names import ALIKE_FORENAME
from casebridge.dedupe.linkage.comparisons.registry import (
    NUMBER_EXACT,
    NUMBER_REST,
    OTHER_EXACT,
    OTHER_REST,
    RELATED_LEVELS,
    FreeLevels,
    categorical_comparison,
    related_comparison,
)
from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.kind import (
    SAME,
    Attribute,
    Blocking,
    Chance,
    Compare,
    Guards,
    Kind,
    Part,
    Profile,
)
from casebridge.dedupe.linkage.register import readers
from casebridge.dedupe.linkage.register.codes import CODES
from casebridge.dedupe.linkage.register.column_reader import ColumnReader
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.pair_rows import Rows
from casebridge.dedupe.linkage.register.values import encode


def spread(one: Level, profiles: Sequence[Profile]) -> Level:
    """A level about people with its beliefs as another kind's: those of one person for one entity, of a household
    for all else."""
    household = one.start[4]
    return replace(one, start=tuple(one.start[0] if p.relation == SAME else household for p in profiles))


def free_columns(profiles: Sequence[Profile]) -> Callable[[Register, str], list[Comparison]]:
    """Comparisons of free columns for a kind with these profiles."""
    believed = FreeLevels(
        spread(OTHER_EXACT, profiles),
        tuple(spread(one, profiles) for one in OTHER_REST),
        spread(NUMBER_EXACT, profiles),
        tuple(spread(one, profiles) for one in NUMBER_REST),
    )
    return partial(categorical_comparison, believed=believed)


def recorded_as_two(profiles: Sequence[Profile]) -> Callable[[Register, NDArray[np.uint64]], Comparison]:
    """The comparison of pairs on record as two, for a kind with these profiles."""
    return partial(related_comparison, levels=tuple(spread(one, profiles) for one in RELATED_LEVELS))


def no_evidence(_register: Any, left: Rows, _right: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Nothing tells of two rows by themselves that they are plainly one."""
    nothing = np.zeros(len(left), dtype=bool)
    return nothing, nothing


def text_column(role: str, profiles: Sequence[Profile], names_one: bool = False) -> Attribute:
    """A column of text as an attribute: read as free text is, compared as the same, spelled closely, or different.
    names_one: its value is one entity's and no other's, so that two that share it are one but for mistakes."""

    def read(register: Register, reader: ColumnReader, fields: Fields) -> None:
        codes, values = encode([reader.column(fields.roles[role])])
        register.columns[role], register.values[role] = reader.arranged(codes[0]), values

    def compare(register: Register) -> list[Comparison]:
        return [replace(one, identifier=names_one or one.identifier) for one in free(register, role)]

    free = free_columns(profiles)
    return Attribute(role, (role,), read, compare, parts={role: value_part(role)}, names_one=names_one)


def believed_as(one: Attribute, places: Sequence[int], tags: Mapping[str, str] | None = None) -> Attribute:
    """An attribute of people as another kind has it. places: whose beliefs among people's profiles each profile of
    the kind takes over; tags: what hangs on levels there, by their label."""
    make, said = one.compare, tags or {}

    def as_here(old: Level) -> Level:
        label = old.label.removesuffix(f", {ALIKE_FORENAME}")
        if len(old.start) == len(places):  # no number, and so compared as this kind's free columns are
            return replace(old, tag=said.get(label))
        return replace(old, start=tuple(old.start[place] for place in places), tag=said.get(label, old.tag))

    def compare(register: Register) -> list[Comparison]:
        found: list[Comparison] = make(register) if make else []
        return [replace(each, levels=tuple(as_here(level) for level in each.levels)) for each in found]

    return replace(one, compare=compare if make else None)


def code_attribute(
    role: str, compare: Compare, parts: Mapping[str, Part] | None = None, names_one: bool = False
) -> Attribute:
    """A column of codes, cleaned and judged by the form that its role has (`register.codes`)."""
    code = CODES[role]
    return Attribute(
        role, (role,), readers.code_reader(role, code), compare, parts=parts or {}, names_one=names_one,
        reread=readers.cleaned_as(code.clean),
    )  # fmt: skip


def no_doubt(_comparisons: Sequence[Comparison], levels: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """No pattern is for a person to decide whatever its p."""
    return np.zeros(len(levels), dtype=bool)


def no_marks(_register: Register) -> dict[str, NDArray[np.integer]]:
    """Nothing keeps two records out of one cluster."""
    return {}


NO_GUARDS = Guards(no_doubt, no_marks, "for a person to decide")


def plain_kind(
    name: str, attributes: Sequence[Attribute], blocking: Blocking, profiles: Sequence[Profile], chance: Chance,
    guards: Guards = NO_GUARDS, many: str = "", same_kind: tuple[tuple[str, ...], ...] = (),
) -> Kind:  # fmt: skip
    """A kind with nothing special but what is given. name: in the singular, with _ for blanks; many: what several
    are called, if not so with an s. same_kind: see `Kind`. Raises RegisterError as that does."""
    said = name.replace("_", " ")
    one = f"an {said}" if said[0] in "aeiou" else f"a {said}"
    return Kind(
        name, one, many or f"{said}s", tuple(attributes), blocking, tuple(profiles), chance, guards,
        free=free_columns(profiles), related=recorded_as_two(profiles), told_by=(), alike=no_evidence,
        same_kind=same_kind,
    )  # fmt: skip
