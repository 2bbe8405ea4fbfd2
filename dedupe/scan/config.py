"""`[scan]` of `linkage.toml`: which tables of the live register are read, and what linkage sees there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from casebridge.dedupe.config import NAME, NAME_HINT, not_one_column
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.kinds.registry import KINDS
from casebridge.project.batch import digest
from casebridge.project.errors import Problem, SpecError, did_you_mean
from casebridge.project.settings import NOT_RESTRICTED, texts_of
from casebridge.project.toml_file import TomlError, read_toml

FILE = "linkage.toml"
KNOWN: Mapping[str, frozenset[str]] = {
    "scan": frozenset(
        {
            "query",
            "related",
            "duplicates",
            "unborn",
            "merged",
            "teams",
            "flags",
            "not_restricted",
            "tables",
            "chores",
            "made_by",
            "lookups",
            "verified",
        }
    ),
    "scan.chores": frozenset({"words", "query", "tables", "of", "absent"}),
    "whole": frozenset({"columns", "people"}),
    "scan.tables": frozenset({"key", "person", "columns", "changed", "others"}),
}
"""The keys of `[scan]`, of its parts, and of a table that is read whole."""
_OF_PEOPLE = {"unborn", "not_restricted", "chores", "made_by", "lookups", "verified"}
"""The keys that only a register of people has."""
RESTRICTED = "restricted"
"""The column of the query that carries the mark of restriction."""


@dataclass(frozen=True)
class LiveTable:
    """A table or view of the live register: `key` names a row, `person` whose row it is, `others` further columns
    that hold somebody's key; `changed` is a day or time that moves whenever the row does, empty where none can be
    trusted. Nothing but `columns` is ever read."""

    name: str
    key: str
    person: str
    columns: tuple[str, ...]
    changed: str = ""
    others: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """The columns that hold somebody's key."""
        return (self.person, *self.others)

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        own = (self.key, *self.people, *([self.changed] if self.changed else []))
        return tuple(dict.fromkeys((*own, *self.columns)))


@dataclass(frozen=True)
class WholeTable:
    """A table or view of which these columns are read, of every row, each night. `people` are the columns that
    hold somebody's key: a row of somebody on a no-link list is let go. None where nothing says which do."""

    name: str
    columns: tuple[str, ...]
    people: tuple[str, ...] | None = None

    @property
    def wanted(self) -> tuple[str, ...]:
        """Every column that is read, each once."""
        return tuple({name.casefold(): name for name in (*(self.people or ()), *self.columns)}.values())


@dataclass(frozen=True)
class Chore:
    """A list for somebody's day: what it is in words, the query of keys (`id`), and the tables that it needs
    beside those of the scan. `of`: the table whose keys these are, where they are not people's; `absent`: what is
    said where a table or column is not there."""

    name: str
    words: str
    query: str
    tables: tuple[WholeTable, ...] = ()
    of: str = ""
    absent: str = ""


@dataclass(frozen=True)
class ScanConfig:
    """The tables, and queries over them (DuckDB, every column text): `query` has one row a person with `id`, the
    columns of `fields` and `restricted`; `related` and `duplicates` have pairs (`left_id`, `right_id`) that are on
    file as two people and as one, `unborn` pairs of an unborn record with a born child; `merged` has `gone` and
    `kept`; `teams` and `flags` what a reviewer is shown, `made_by` the team that made a record. `lookups` are
    further tables for these; `verified` is the column of `query` that says that
    an NHS number was traced. `kind` is what the register holds; `name` of a register
    that is not of people."""

    tables: tuple[LiveTable, ...]
    query: str
    fields: tuple[tuple[str, str], ...]
    other: tuple[tuple[str, str], ...] = ()
    related: str = ""
    duplicates: str = ""
    unborn: str = ""
    merged: str = ""
    teams: str = ""
    flags: str = ""
    made_by: str = ""
    lookups: tuple[WholeTable, ...] = ()
    verified: str = ""
    not_restricted: tuple[str, ...] = NOT_RESTRICTED
    chores: tuple[Chore, ...] = ()
    kind: str = PERSON.name
    name: str = ""

    @property
    def is_people(self) -> bool:
        """Whether its records are people."""
        return self.kind == PERSON.name

    def at(self, key: str) -> str:
        """Where a key stands in the file."""
        return f"registers.{self.name}.scan.{key}" if self.name else f"scan.{key}"

    def space(self, system: str) -> str:
        """What stands before the colon of its records' ids, as in a migration."""
        return system if self.is_people else f"{system}/{self.register.name.rpartition('.')[2]}"

    @property
    def register(self) -> LiveTable:
        """The table of the people: the first one whose rows are named by the person."""
        return next(table for table in self.tables if table.key == table.person)

    def asked(self, system: str) -> str:
        """A digest of all that decides what a person's row of the register says. system: of its keys."""
        return digest(system, self.query, columns_of(self), [vars(table) for table in self.tables])


def read_scan(folder: Path) -> ScanConfig:
    """What a project scans of people. SpecError lists all that is wrong, or that nothing is said of it."""
    return _people(_raw(folder))


def read_scans(folder: Path) -> tuple[ScanConfig, ...]:
    """What a project scans: people, and each further register that has a part `scan`. SpecError lists all that is
    wrong."""
    raw = _raw(folder)
    parts = {str(name): body for name, body in _part(raw, "registers").items() if "scan" in body}
    return (_people(raw), *(_further(name, body) for name, body in parts.items()))


def _raw(folder: Path) -> dict[str, Any]:
    try:
        return read_toml(folder / FILE)
    except (FileNotFoundError, TomlError) as error:
        what = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise SpecError([Problem(FILE, "", what)]) from error


def _further(name: str, raw: Mapping[str, Any]) -> ScanConfig:
    """A register that is not of people: nobody's mark of restriction, and no list for somebody's day."""
    where, problems, kind = f"registers.{name}", list[Problem](), str(raw.get("kind", ""))
    if not NAME.fullmatch(name):
        raise SpecError([Problem(FILE, "registers", "holds a name that cannot be one", NAME_HINT)])
    body, known = _part(raw, "scan"), KNOWN["scan"] - _OF_PEOPLE
    for key in sorted(body.keys() - known):
        problems.append(Problem(FILE, f"{where}.scan.{key}", "unknown key", did_you_mean(key, known)))
    if kind == PERSON.name or kind not in KINDS:
        hint = did_you_mean(kind, KINDS.keys() - {PERSON.name})
        problems.append(Problem(FILE, f"{where}.kind", "must be the kind of a further register", hint))
    roles = KINDS[kind].roles if kind in KINDS else ()
    for role in (role for role in _part(raw, "fields") if roles and role not in roles):
        problems.append(Problem(FILE, f"{where}.fields.{role}", "unknown role", did_you_mean(role, roles)))
    read = _part(body, "tables").items()
    tables = tuple(_table(table, said, problems, f"{where}.scan.tables.{table}") for table, said in read)
    if all(table.key != table.person for table in tables):
        what = "has no table of the records: one whose `key` is its `person`"
        problems.append(Problem(FILE, f"{where}.scan.tables", what))
    problems += not_one_column(f"{where}.fields", _part(raw, "fields"))
    for part, key in ((_part(raw, "fields"), "fields"), (str(body.get("query", "")).strip(), "scan.query")):
        if not part:
            problems.append(Problem(FILE, f"{where}.{key}", "is missing"))
    if problems:
        raise SpecError(problems)
    queries = {query: str(body.get(query, "")) for query in ("query", *QUERIES)}
    return ScanConfig(
        tables=tables, fields=_texts(raw, "fields"), other=_texts(raw, "other"), not_restricted=NOT_RESTRICTED,
        lookups=(), chores=(), kind=kind, name=name, **queries,
    )  # fmt: skip


def _people(raw: Mapping[str, Any]) -> ScanConfig:
    body, problems = raw.get("scan"), list[Problem]()
    if not isinstance(body, dict):
        hint = "`casebridge init DIR --scan URL` writes a first draft; docs/specs.md has the keys"
        raise SpecError(
            [Problem(FILE, "scan", "is missing: nothing says what the live register looks like", hint)]
        )
    _unknown("scan", body, "scan", problems)
    tables = tuple(_table(name, table, problems, f"scan.tables.{name}")
                   for name, table in _part(body, "tables").items())  # fmt: skip
    for role in _part(raw, "fields"):
        if role not in PERSON.roles:
            problems.append(Problem(FILE, f"fields.{role}", "unknown role", did_you_mean(role, PERSON.roles)))
    if not tables or all(table.key != table.person for table in tables):
        what = "has no table of the people: one whose `key` is its `person`"
        problems.append(Problem(FILE, "scan.tables", what))
    problems += not_one_column("fields", _part(raw, "fields"))
    for part, where in ((_part(raw, "fields"), "fields"), (str(body.get("query", "")).strip(), "scan.query")):
        if not part:
            problems.append(Problem(FILE, where, "is missing"))
    chores = tuple(_chore(name, chore, tables, problems) for name, chore in _part(body, "chores").items())
    is_open = texts_of(FILE, "scan", body, "not_restricted", problems)
    lookups = _whole_tables(body, "lookups", "scan.lookups", tables, problems)
    if problems:
        raise SpecError(problems)
    queries = {name: str(body.get(name, "")) for name in ("query", *QUERIES)}
    return ScanConfig(
        tables=tables, fields=_texts(raw, "fields"), other=_texts(raw, "other"),
        not_restricted=NOT_RESTRICTED if is_open is None else is_open, chores=chores, lookups=lookups,
        verified=str(body.get("verified", "")), **queries,
    )  # fmt: skip


QUERIES = ("related", "duplicates", "unborn", "merged", "teams", "flags", "made_by")
"""The queries that a register may leave out."""


def _table(name: str, body: Any, problems: list[Problem], where: str) -> LiveTable:
    _unknown("scan.tables", body, where, problems)
    body = body if isinstance(body, dict) else {}
    for key in ("person", "columns"):
        if not body.get(key):
            problems.append(Problem(FILE, f"{where}.{key}", "is missing"))
    person, columns = str(body.get("person", "")), texts_of(FILE, where, body, "columns", problems) or ()
    others = texts_of(FILE, where, body, "others", problems) or ()
    return LiveTable(name, str(body.get("key", person)), person, columns, str(body.get("changed", "")), others)


def _chore(name: str, body: Any, known: Sequence[LiveTable], problems: list[Problem]) -> Chore:
    where = f"scan.chores.{name}"
    _unknown("scan.chores", body, where, problems)
    body = body if isinstance(body, dict) else {}
    if not str(body.get("query", "")).strip():
        problems.append(Problem(FILE, f"{where}.query", "is missing"))
    needed = _whole_tables(body, "tables", f"{where}.tables", known, problems)
    words, query = str(body.get("words", name.replace("_", " "))), str(body.get("query", ""))
    return Chore(name, words, query, needed, str(body.get("of", "")), str(body.get("absent", "")))


def _whole_tables(
    body: Mapping[str, Any], name: str, where: str, known: Sequence[LiveTable], problems: list[Problem]
) -> tuple[WholeTable, ...]:
    """Tables as a list of columns, or as `columns` with `people`. known: the tables of the scan."""
    found = list[WholeTable]()
    for table, said in _part(body, name).items():
        here, told = f"{where}.{table}", said if isinstance(said, dict) else {"columns": said}
        _unknown("whole", told, here, problems)
        columns = texts_of(FILE, here, told, "columns", problems)
        if not columns:
            problems.append(Problem(FILE, here, "must name the columns that are read"))
        people = texts_of(FILE, here, told, "people", problems)
        found.append(_with_people(WholeTable(table, columns or (), people), known))
    return tuple(found)


def _with_people(table: WholeTable, known: Sequence[LiveTable]) -> WholeTable:
    """The table with what the scan's own tables say of whose rows it has: one of the same name, and where nothing
    is said, columns that are called as those that hold somebody's key elsewhere."""
    same = {name for one in known if one.name.casefold() == table.name.casefold() for name in one.people}
    if same:
        return replace(table, people=tuple(sorted({*same, *(table.people or ())})))
    if table.people is not None:
        return table
    elsewhere = {name.casefold() for one in known for name in one.people if name != one.key}
    return replace(table, people=tuple(name for name in table.columns if name.casefold() in elsewhere) or None)


def _unknown(part: str, body: Any, where: str, problems: list[Problem]) -> None:
    if not isinstance(body, dict):
        problems.append(Problem(FILE, where, "must be a TOML table"))
        return
    for key in sorted(body.keys() - KNOWN[part]):
        problems.append(Problem(FILE, f"{where}.{key}", "unknown key", did_you_mean(key, KNOWN[part])))


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = body.get(name, {})
    return found if isinstance(found, dict) else {}


def _texts(raw: Mapping[str, Any], name: str) -> tuple[tuple[str, str], ...]:
    return tuple((str(role), str(column)) for role, column in _part(raw, name).items())


def columns_of(config: ScanConfig) -> Sequence[str]:
    """The columns that the query must give."""
    named = [column for _, column in (*config.fields, *config.other)]
    named += [config.verified] if config.verified else []
    return list(dict.fromkeys(["id", *([RESTRICTED] if config.is_people else []), *named]))
