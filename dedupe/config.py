"""`linkage.toml`: the registers of a project, the kind of each, what linkage sees of it, and its tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import Fields
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.dedupe.review.decisions import register_of
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.spec import TableSpec
from casebridge.project.toml_file import TomlError, read_toml

FILE = "linkage.toml"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
"""What a further register may be called: its files are named after it."""
NAME_HINT = "a letter, then letters, digits, _ and -, 40 at most"
LONGEST_SPACE = 40
"""Characters of what stands before a key: as many as the target's crosswalk has room for."""
_PARTS = {"fields", "other", "related", "evidence"}
_KNOWN = {
    "register": {"kind", "query", "tables"},
    "related": {"query"},
    "evidence": {"teams", "flags"},
}


@dataclass(frozen=True)
class LinkageConfig:
    """One register: its kind, its query over the transformed tables, the roles of its columns, the specs
    (`tables`) whose rows its records are, and the table of the target (`target`) that takes them.

    `related` gives pairs that are on file as two; `evidence` has queries of what a reviewer is shown: `id`, and
    the team that works with the person, or a flag that calls for care. `where`: how the file names this register.
    """

    query: str
    tables: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    other: tuple[tuple[str, str], ...] = ()
    related: str | None = None
    evidence: tuple[tuple[str, str], ...] = ()
    kind: str = PERSON.name
    target: str = ""
    where: str = ""

    @property
    def is_people(self) -> bool:
        """Whether its records are people."""
        return self.kind == PERSON.name

    def at(self, key: str) -> str:
        """Where a key of this register stands in the file: `register.query`, `registers.suppliers.query`."""
        return f"{self.where}.{key}" if self.where else f"register.{key}" if key in _KNOWN["register"] else key

    def space(self, system: str) -> str:
        """What stands before the colon of a record's id. A person's number and an organisation's may be the same:
        only people's stand behind the system's name alone."""
        return system if self.is_people else f"{system}/{self.target}"

    def owns(self, item: str) -> bool:
        """Whether an id (`space:key`) is of this register."""
        return register_of(item) == ("" if self.is_people else self.target)


def read_registers(folder: Path, specs: Sequence[TableSpec]) -> tuple[LinkageConfig, ...]:
    """The registers of a project, people first; none when it links nothing. SpecError lists all problems."""
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        raw = read_toml(path)
    except TomlError as error:
        raise SpecError([Problem(FILE, "", str(error))]) from error
    reader = _Reader(specs)
    found = reader.registers(raw)
    if reader.problems:
        raise SpecError(reader.problems)
    return tuple(sorted(found, key=lambda one: not one.is_people))


def people_of(registers: Iterable[LinkageConfig]) -> LinkageConfig | None:
    """The register of people."""
    return next((one for one in registers if one.is_people), None)


def read_people(folder: Path, specs: Sequence[TableSpec]) -> LinkageConfig | None:
    """The register of people of a project, or None when it links none. SpecError lists all problems of the
    file."""
    return people_of(read_registers(folder, specs))


def spaces(registers: Iterable[LinkageConfig], specs: Iterable[TableSpec]) -> dict[str, str]:
    """For each spec of a register what stands before the colon of its records' ids."""
    of = {name: one for one in registers for name in one.tables}
    return {spec.name: of[spec.name].space(spec.system) for spec in specs if spec.name in of}


def same_space(registers: Iterable[LinkageConfig], left: str, right: str) -> bool:
    """Whether two ids are of one register."""
    return any(one.owns(left) and one.owns(right) for one in registers)


class _Reader:
    """Reads the registers of the file, and gathers what is wrong with them."""

    def __init__(self, specs: Sequence[TableSpec]) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self.problems: list[Problem] = []

    def registers(self, raw: Mapping[str, Any]) -> list[LinkageConfig]:
        self._unknown("", raw, {"register", "registers", "scan", *_PARTS})
        more = self._table("registers", raw)
        found = []
        if "register" in raw or not more or raw.keys() & _PARTS:
            top = {name: raw[name] for name in _PARTS if name in raw}
            self._unknown("register", self._table("register", raw), _KNOWN["register"])
            found.append(self._register("", {**self._table("register", raw), **top}))
        for name in more:
            if not NAME.fullmatch(name):
                self._wrong("registers", "holds a name that cannot be one", NAME_HINT)
                continue
            body = self._table(f"registers.{name}", more, name)
            self._unknown(f"registers.{name}", body, {"scan"} | _KNOWN["register"] | _PARTS)
            found.append(self._register(f"registers.{name}", body))
        self._apart(found)
        return found

    def _register(self, where: str, body: Mapping[str, Any]) -> LinkageConfig:
        front = f"{where}." if where else ""
        parts = {name: self._table(f"{front}{name}", body, name) for name in _PARTS}
        for name in parts.keys() & _KNOWN.keys():
            self._unknown(f"{front}{name}", parts[name], _KNOWN[name])
        listed = body.get("tables") or []
        tables = tuple(str(name) for name in (listed if isinstance(listed, list) else [listed]))
        made = LinkageConfig(
            query=str(body.get("query") or ""), tables=tables, fields=_pairs(parts["fields"]),
            other=_pairs(parts["other"]), related=parts["related"].get("query"),
            evidence=_pairs(parts["evidence"]), kind=str(body.get("kind", PERSON.name)),
            target=self._target(tables), where=where,
        )  # fmt: skip
        for key in ("query", "tables"):
            if not body.get(key):
                self._wrong(made.at(key), "is missing")
        for name in tables:
            if name not in self._specs:
                self._wrong(made.at("tables"), f"no spec `{name}`", did_you_mean(name, self._specs))
        self._roles(made, front, parts["fields"])
        return made

    def _target(self, tables: Sequence[str]) -> str:
        return next((self._specs[name].target for name in tables if name in self._specs), "")

    def _roles(self, made: LinkageConfig, front: str, said: Mapping[str, Any]) -> None:
        """A kind that is known, and fields that it can place."""
        if made.kind not in KINDS:
            hint = did_you_mean(made.kind, KINDS) or f"kinds are {', '.join(KINDS)}"
            self._wrong(made.at("kind"), f"no kind `{made.kind}`", hint)
            return
        kind, before = KINDS[made.kind], len(self.problems)
        self.problems += not_one_column(f"{front}fields", said)
        for role, _ in made.fields:
            if role not in kind.roles:
                self._wrong(
                    f"{front}fields.{role}", f"{kind.one} has no such role", did_you_mean(role, kind.roles)
                )
        if not made.fields:
            self._wrong(f"{front}fields", "is missing: role = column of the query")
        if len(self.problems) == before:
            try:
                kind.placed(Fields(id="id", roles=dict(made.fields), other=dict(made.other), kind=made.kind))
            except RegisterError as error:
                self._wrong(f"{front}fields", error.what, error.hint)

    def _apart(self, found: Sequence[LinkageConfig]) -> None:
        """One register of people, and no table in two registers: an id would mean two records."""
        people = [one for one in found if one.is_people]
        for one in people[1:]:
            self._wrong(one.at("kind"), "is a second register of people", "a project has one; write its kind")
        owner: dict[str, LinkageConfig] = {}
        for one in found:
            targets = {self._specs[name].target for name in one.tables if name in self._specs}
            if len(targets) > 1 and not one.is_people:
                self._wrong(one.at("tables"), f"fill {len(targets)} tables of the target", "a register fills one")
            for target in sorted(targets):
                if owner.setdefault(target, one) is not one:
                    self._wrong(one.at("tables"), f"`{target}` is of another register too", "a table is of one")
            if not one.is_people and re.search("[:/]", one.target):
                self._wrong(one.at("tables"), "fill a table with a colon or a stroke in its name", "rename it")
            systems = {self._specs[name].system for name in one.tables if name in self._specs}
            if any(len(one.space(system)) > LONGEST_SPACE for system in systems):
                what = f"system and table of the target together have more than {LONGEST_SPACE - 1} characters"
                self._wrong(one.at("tables"), what, "shorten one of the two: they stand before every key")

    def _table(self, where: str, raw: Mapping[str, Any], name: str | None = None) -> Mapping[str, Any]:
        body = raw.get(where if name is None else name, {})
        if isinstance(body, dict):
            return body
        self._wrong(where, "must be a TOML table")
        return {}

    def _unknown(self, where: str, body: Mapping[str, Any], known: set[str]) -> None:
        for key in sorted(body.keys() - known):
            self._wrong(f"{where}.{key}".lstrip("."), "unknown key", did_you_mean(key, known))

    def _wrong(self, where: str, what: str, hint: str | None = "") -> None:
        self.problems.append(Problem(FILE, where, what, hint or ""))


def _pairs(body: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((str(name), str(column)) for name, column in body.items())


def not_one_column(where: str, fields: Mapping[str, Any]) -> list[Problem]:
    """A problem for each role that does not name one column. A query joins what stands in several, so that whoever
    decides, and who may not see whom, goes by one date that can be read."""
    hint = "join a date's year, month and day in the query, as TRY_CAST(concat_ws('-', y, m, d) AS DATE)"
    return [
        Problem(FILE, f"{where}.{role}", "must name one column of the query", hint if isinstance(to, list) else "")
        for role, to in fields.items()
        if not isinstance(to, str)
    ]
