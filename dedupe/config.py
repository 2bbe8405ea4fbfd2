"""`linkage.toml`: what linkage sees of a person, and which table holds the people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.spec import TableSpec
from casebridge.project.toml_file import TomlError, read_toml

FILE = "linkage.toml"
_KNOWN = {
    "": {"register", "fields", "other", "related", "evidence", "scan"},
    "register": {"query", "tables"},
    "related": {"query"},
    "evidence": {"teams", "flags"},
}


@dataclass(frozen=True)
class LinkageConfig:
    """The register query over the transformed tables, the roles of its columns, and the specs (`tables`)
    whose rows are the people. `related` gives pairs that are on file as two people; `evidence` has queries of what
    a reviewer is shown: `id`, and the team that works with the person, or a flag that calls for care."""

    query: str
    tables: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    other: tuple[tuple[str, str], ...] = ()
    related: str | None = None
    evidence: tuple[tuple[str, str], ...] = ()


def read_linkage(folder: Path, specs: Sequence[TableSpec]) -> LinkageConfig | None:
    """The linkage of a project, or None when it links nothing. SpecError lists all its problems."""
    path = folder / FILE
    if not path.is_file():
        return None
    try:
        raw = read_toml(path)
    except TomlError as error:
        raise SpecError([Problem(FILE, "", str(error))]) from error
    problems: list[Problem] = []
    for part, known in _KNOWN.items():
        body = raw if part == "" else raw.get(part, {})
        for key in body.keys() - known:
            problems.append(Problem(FILE, f"{part}.{key}".lstrip("."), "unknown key", did_you_mean(key, known)))
    register = raw.get("register", {})
    tables = register.get("tables", [])
    names = [spec.name for spec in specs]
    for name in tables:
        if name not in names:
            problems.append(Problem(FILE, "register.tables", f"no spec `{name}`", did_you_mean(name, names)))
    for key in ("query", "tables"):
        if not register.get(key):
            problems.append(Problem(FILE, f"register.{key}", "is missing"))
    for role in raw.get("fields", {}):
        if role not in PERSON.roles:
            problems.append(Problem(FILE, f"fields.{role}", "unknown role", did_you_mean(role, PERSON.roles)))
    if not raw.get("fields"):
        problems.append(Problem(FILE, "fields", "is missing: role = column of the query"))
    if problems:
        raise SpecError(problems)
    return LinkageConfig(
        query=register["query"],
        tables=tuple(tables),
        fields=_pairs(raw.get("fields", {})),
        other=_pairs(raw.get("other", {})),
        related=raw.get("related", {}).get("query"),
        evidence=_pairs(raw.get("evidence", {})),
    )


def _pairs(body: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(column)) for name, column in body.items())
