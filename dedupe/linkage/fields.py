"""Which column of a register plays which part, and the options of a linkage. Parsed once, then frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.project.toml_file import TomlError, read_toml

ROLES = (
    "forename", "middle_name", "surname", "birth_date", "sex", "house", "street", "postcode",
    "nhs_number", "phone", "previous_surnames", "previous_postcodes", "death_date", "email", "upn", "nino",
)  # fmt: skip

OUTPUT = (
    "left_id", "right_id", "p_same", "relation", "weight", "address", "related", "names", "rare_names",
    "third_record", "told_apart", "zone", "guard",
)  # fmt: skip
NEEDS = {
    "previous_surnames": ("surname",), "previous_postcodes": ("postcode",), "house": ("street", "postcode"),
}  # fmt: skip
"""Roles that are compared only together with one of others."""
BACKGROUND, NAMESAKES, CALIBRATION, OWN_SHIFTS, THIRD_RECORDS, TWIN_CAP, NUMBER_CAP = SWITCHES = (
    "background", "namesakes", "calibration", "own shifts", "third records", "twin cap", "number cap",
)  # fmt: skip
"""Steps after the mixture is fitted that can be left out."""
SETTINGS = ("id", "source", "link_only", "fields", "other")


@dataclass(frozen=True)
class Fields:
    """Roles of a register's columns: `roles` maps a name in ROLES to a column, `other` a comparison's
    own name to a categorical column. With `link_only` only rows of different `source` are compared.

    A column under `other` whose name is a role that no column has takes that role: an e-mail address is read as
    one, wherever it is named."""

    id: str
    roles: Mapping[str, str]
    other: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    link_only: bool = False

    def __post_init__(self) -> None:
        free = {name: column for name, column in self.other.items() if name in ROLES and name not in self.roles}
        if free:
            object.__setattr__(self, "roles", {**self.roles, **free})
            object.__setattr__(self, "other", {n: c for n, c in self.other.items() if n not in free})
        problems = [_unknown(name, ROLES, "role") for name in self.roles if name not in ROLES]
        problems += [
            f"{role} is compared only with {' or '.join(needed)}, which has no column."
            for role, needed in NEEDS.items()
            if role in self.roles and not self.roles.keys() & set(needed)
        ]
        if not self.roles and not self.other:
            problems.append("No column has a part to play: [fields] and [other] are both empty.")
        if self.link_only and not self.source:
            problems.append("link_only needs source: the column that says where a row comes from.")
        taken = {*ROLES, *OUTPUT}
        problems += [f"[other] {name!r} is a name the engine uses itself." for name in self.other if name in taken]
        parts = [*self.roles.items(), *self.other.items()]
        for column in dict.fromkeys(column for _, column in parts):
            named = [name for name, to in parts if to == column]
            if len(named) > 1:
                problems.append(f"Column {column} is named for {' and '.join(named)}: it would count twice.")
        if problems:
            raise RegisterError(" ".join(problems), "See docs/linkage.md for the roles.")

    def columns(self) -> list[str]:
        """Every column the linkage reads, the id first, each once."""
        source = [self.source] if self.source else []
        return list(dict.fromkeys([self.id, *source, *self.roles.values(), *self.other.values()]))


@dataclass(frozen=True)
class LinkOptions:
    """How to link. Defaults suit a council register on two cores.

    seed: of every random choice. batch: pairs in one batch. threads: batches worked on at once.
    keep: pairs below this p_same are not kept. rules: blocking rules as tuples of key names (None: chosen
    from the columns). max_block: records
    sharing a key before the block is divided. training_pairs: size of the sample the model learns from.
    no_link: ids that take no part at all. not_pairs, same_pairs, different_pairs, related: pairs of ids
    that may not meet, were decided the same, decided different, are recorded as related.
    previous_model: dict of an earlier model.json, for drift. previous_clusters: id -> cluster of an earlier
    run, for stable names.  propose: the threshold, when it is not to be chosen by the model. without: steps of
    SWITCHES that are left out, to measure what each is worth (`benchmarks.ablation`); never for a register in use.

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
    previous_model: Mapping[str, Any] | None = None
    previous_clusters: Mapping[Any, str] | None = None
    propose: float | None = None
    without: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        unknown = [_unknown(name, SWITCHES, "step") for name in sorted(self.without) if name not in SWITCHES]
        if unknown:
            raise RegisterError(" ".join(unknown))


def read_fields(path: str | Path) -> Fields:
    """The Fields written in a TOML file. Raises RegisterError naming every unknown key at once."""
    try:
        raw = read_toml(Path(path))
    except TomlError as error:
        raise RegisterError(f"{Path(path).name}: {error}.") from error
    return parse_fields(raw)


def parse_fields(raw: Mapping[str, Any]) -> Fields:
    """The Fields in a parsed TOML document. Raises RegisterError naming every problem at once."""
    problems = [_unknown(name, SETTINGS, "setting") for name in raw if name not in SETTINGS]
    problems += [f"{name} must be text." for name in ("id", "source") if not isinstance(raw.get(name, ""), str)]
    if not raw.get("id"):
        problems.append("id is missing: the column that names a row.")
    if not isinstance(raw.get("link_only", False), bool):
        problems.append("link_only must be true or false.")
    for table in ("fields", "other"):
        problems += _table_problems(raw.get(table, {}), table)
    if problems:
        raise RegisterError(" ".join(problems))
    return Fields(
        id=raw["id"],
        roles=dict(raw.get("fields", {})),
        other=dict(raw.get("other", {})),
        source=raw.get("source"),
        link_only=raw.get("link_only", False),
    )


def _table_problems(table: object, name: str) -> list[str]:
    if not isinstance(table, Mapping):
        return [f"[{name}] must be a table of name = column."]
    return [
        f"[{name}] {key} must be the name of a column." for key, to in table.items() if not isinstance(to, str)
    ]


def _unknown(name: str, known: Iterable[str], what: str) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"Unknown {what} {name!r}" + (f" (did you mean {near[0]!r}?)." if near else ".")
