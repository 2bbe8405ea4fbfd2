"""The kinds that the engine knows by name, and the file that says what a register holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields, named_apart, unknown
from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.kinds.address import ADDRESS
from casebridge.dedupe.linkage.kinds.organisation import ORGANISATION
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.kinds.professional import PROFESSIONAL
from casebridge.project.toml_file import TomlError, read_toml

SETTINGS = ("id", "kind", "source", "link_only", "fields", "other")
_HINT = (
    'A fields file has a line id = "COLUMN", a table [fields] of role = "COLUMN", and for further categories '
    "a table [other]; see docs/linkage.md for the roles."
)


def kind_of(fields: Fields) -> Kind:
    """The kind that the fields name. Raises RegisterError for one that is not known."""
    if fields.kind not in KINDS:
        raise RegisterError(unknown(fields.kind, KINDS, "kind"), f"Kinds are {', '.join(KINDS)}.")
    return KINDS[fields.kind]


def read_fields(path: str | Path, kind: str | None = None) -> Fields:
    """The Fields written in a TOML file; kind: that of the register, if the file does not say it or says another.
    Raises RegisterError naming every problem."""
    try:
        raw = read_toml(Path(path))
    except TomlError as error:
        raise RegisterError(f"{Path(path).name}: {error}.") from error
    return parse_fields(raw if kind is None else {**raw, "kind": kind})


def parse_fields(raw: Mapping[str, Any]) -> Fields:
    """The Fields in a parsed TOML document. Raises RegisterError naming every problem: those of the document
    at once, then those of the roles."""
    problems = [unknown(name, SETTINGS, "setting") for name in raw if name not in SETTINGS]
    problems += [
        f"{name} must be text." for name in ("id", "source", "kind") if not isinstance(raw.get(name, ""), str)
    ]
    if not raw.get("id"):
        problems.append("id is missing: the column that names a row.")
    if not isinstance(raw.get("link_only", False), bool):
        problems.append("link_only must be true or false.")
    for table in ("fields", "other"):
        problems += _table_problems(raw.get(table, {}), table)
    if problems:
        raise RegisterError(" ".join(problems), _HINT)
    roles, joined = named_apart(raw.get("fields", {}))
    found = Fields(
        id=raw["id"],
        roles=roles,
        other=dict(raw.get("other", {})),
        source=raw.get("source"),
        link_only=raw.get("link_only", False),
        kind=raw.get("kind", "person"),
        joined=joined,
    )
    return kind_of(found).placed(found)


def _table_problems(table: object, name: str) -> list[str]:
    if not isinstance(table, Mapping):
        return [f"[{name}] must be a table of name = column."]
    listed = name == "fields"  # a date may stand in three columns
    return [
        f"[{name}] {key} must be the name of a column."
        for key, to in table.items()
        if not isinstance(to, str) and not (listed and _texts(to))
    ]


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


KINDS: dict[str, Kind] = {kind.name: kind for kind in (PERSON, ORGANISATION, ADDRESS, PROFESSIONAL)}
