"""Which column of a register plays which part, and the options of a linkage. Parsed once, then frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from casebridge.dedupe.linkage.errors import RegisterError

OUTPUT = ("left_id", "right_id", "p_same", "relation", "weight", "related", "third_record", "zone", "guard")
EXPECTED, BACKGROUND, NAMESAKES, CALIBRATION, THIRD_RECORDS, TWIN_CAP, NUMBER_CAP = SWITCHES = (
    "expected pairs", "background", "namesakes", "calibration", "third records", "twin cap", "number cap",
)  # fmt: skip
"""Steps beside the fit of the mixture that can be left out; the first: that a relation has as many pairs as
something else tells of (`Profile.expected`)."""

PART_NAMES = ("year", "month", "day")
"""The parts of a date that stands in three columns, in the order in which these are named."""
PARTS = ", ".join(PART_NAMES)


@dataclass(frozen=True)
class Fields:
    """Roles of a register's columns: `roles` maps a role to a column, `other` a comparison's own name to a
    categorical column. `kind` is what the register holds, and says which roles there are (`kinds`). With
    `link_only` only rows of different `source` are compared.

    A column under `other` whose name is a role that no column has takes that role: an e-mail address is read as
    one, wherever it is named. Whether the kind has the roles is seen when the register is linked.

    `joined` maps a column that a role names and the register does not hold to the three that it is made of: the
    year, the month and the day of a date (`named_apart`)."""

    id: str
    roles: Mapping[str, str]
    other: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    link_only: bool = False
    kind: str = "person"
    joined: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        held = [*self.roles.items(), *self.other.items()]
        problems = [f"{name} must be the name of a column." for name, to in held if not isinstance(to, str)]
        if problems:
            raise RegisterError(" ".join(problems), "A date in three columns is named with parse_fields.")
        if not self.roles and not self.other:
            problems.append("No column has a part to play: [fields] and [other] are both empty.")
        if self.link_only and not self.source:
            problems.append("link_only needs source: the column that says where a row comes from.")
        problems += self._joins() + self._twice()
        if problems:
            raise RegisterError(" ".join(problems), "See docs/linkage.md for the roles.")

    def _joins(self) -> list[str]:
        return [
            f"{role} names {len(self.joined[column])} columns: a role takes one, a date one or three: {PARTS}."
            for role, column in self.roles.items()
            if column in self.joined and len(self.joined[column]) != len(PART_NAMES)
        ]

    def _twice(self) -> list[str]:
        held = [*self.roles.items(), *self.other.items()]
        parts = [(name, column) for name, to in held for column in self.joined.get(to, (to,))]
        problems = []
        for column in dict.fromkeys(column for _, column in parts):
            named = [name for name, to in parts if to == column]
            if len(named) > 1:
                problems.append(f"Column {column} is named for {' and '.join(named)}: it would count twice.")
        return problems

    def columns(self) -> list[str]:
        """Every column of the register that the linkage reads, the id first, each once."""
        source = [self.source] if self.source else []
        named = [*self.roles.values(), *self.other.values()]
        held = [column for name in named for column in self.joined.get(name, (name,))]
        return list(dict.fromkeys([self.id, *source, *held]))


def named_apart(
    named: Mapping[str, str | Sequence[str]],
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Roles with one column each, and what the columns are made of that are given as several (`Fields.joined`).

    >>> named_apart({"surname": "lname", "birth_date": ["by", "bm", "bd"]})
    ({'surname': 'lname', 'birth_date': 'by, bm, bd'}, {'by, bm, bd': ('by', 'bm', 'bd')})
    """
    several = {role: tuple(to) for role, to in named.items() if not isinstance(to, str)}
    roles = {role: to if isinstance(to, str) else ", ".join(to) for role, to in named.items()}
    return roles, {roles[role]: columns for role, columns in several.items()}


@dataclass(frozen=True)
class LinkOptions:
    """How to link. Defaults suit a council register on two cores.

    seed: of every random choice. batch: pairs in one batch. threads: batches worked on at once.
    keep: pairs below this p_same are not kept. rules: blocking rules as tuples of key names (None: chosen
    from the columns). max_block: records sharing a key before the block is divided. training_pairs: size of the
    sample the model learns from. no_link: ids that take no part at all. not_pairs, same_pairs, different_pairs,
    related: pairs of ids that may not meet, were decided the same, decided different, are recorded as related.
    previous_clusters: id -> cluster of an earlier run, for stable names. propose: the threshold, when it is not
    to be chosen by the model. without: steps of SWITCHES that are left out, to measure what each is worth
    (`benchmarks.ablation`); never for a register in use.

    Raises RegisterError for a step that is no switch.
    """

    seed: int = 20
    batch: int = 1 << 18
    threads: int = 2
    keep: float = 0.01
    rules: tuple[tuple[str, ...], ...] | None = None
    max_block: int = 400
    training_pairs: int = 400_000
    no_link: Iterable[Any] = ()
    not_pairs: Iterable[tuple[Any, Any]] = ()
    same_pairs: Iterable[tuple[Any, Any]] = ()
    different_pairs: Iterable[tuple[Any, Any]] = ()
    related: Iterable[tuple[Any, Any]] = ()
    previous_clusters: Mapping[Any, str] | None = None
    propose: float | None = None
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        problems = [unknown(name, SWITCHES, "step") for name in sorted(self.without) if name not in SWITCHES]
        if problems:
            raise RegisterError(" ".join(problems))


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """A sentence for a name that is not known, with the nearest that is."""
    near = get_close_matches(name, list(known), n=1)
    return f"Unknown {what} {name!r}" + (f" (did you mean {near[0]!r}?)." if near else ".")
