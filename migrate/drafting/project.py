"""A drafted project in a folder: settings, specs, code lists, target, linkage."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from casebridge.migrate.drafting.code_lists import Codes, code_list_text
from casebridge.migrate.drafting.drafted import DraftTable
from casebridge.migrate.drafting.guesses import UNMATCHED, guesses
from casebridge.migrate.drafting.names import quoted, title_of
from casebridge.migrate.drafting.people import Roles, people
from casebridge.migrate.drafting.real_target import reflect
from casebridge.migrate.drafting.reflected import as_they_stand, onto_target, real_target_text
from casebridge.migrate.drafting.registers import DraftRegister, further_registers
from casebridge.migrate.drafting.specs import (
    guess,
    linkage_text,
    listed,
    register_text,
    spec_text,
    target_text,
)
from casebridge.migrate.drafting.tables import draft_tables
from casebridge.migrate.drafting.together import together
from casebridge.migrate.multi_source import check_names
from casebridge.migrate.profiling import Profile, profile_dump
from casebridge.migrate.projects import NO_LINK, dump_below, no_link_line, refuse_folder
from casebridge.project.batch import write_text
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Reporter
from casebridge.project.urls import FILE, absolute

_SYSTEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Drafted:
    """What was drafted: the settings file, how many tables, columns, code lists and guesses; the tables of people;
    files that were not read; tables that no table of the target is like, whose specs lie in UNMATCHED."""

    settings: Path
    tables: int
    columns: int
    code_lists: int
    guesses: int
    people: str
    unread: tuple[str, ...]
    unmatched: tuple[str, ...] = ()


def draft_project(
    folder: Path,
    dump: str | Path | Mapping[str, str | Path],
    target: str | None = None,
    *,
    system: str = "legacy",
    report: Reporter | None = None,
    schemas: Sequence[str] = (),
) -> Drafted:
    """Make a project in `folder` from the headers and the data of a dump, or of the dumps of several systems, by
    the systems' names. `schemas`: where tables of databases stand, else their default schema, else all.

    SourceError when a dump cannot be read, CasebridgeError when there is a project already.
    """
    dumps = dict(dump) if isinstance(dump, Mapping) else {system: dump}
    refuse_folder(folder, list(dumps.values()))
    _refuse(dumps, target)
    open_database(target or "sqlite:///target.db").dispose()
    profiles = {
        name: _profiled(one, name, report, schemas if "://" in str(one) or len(dumps) == 1 else ())
        for name, one in dumps.items()
    }
    drafted = {name: draft_tables(profile) for name, profile in profiles.items()}
    # Whatever becomes of the columns: marks that nothing keeps must stop a project, not be dropped.
    marks = {name: {table.profile.name: marks_of(table) for table in own} for name, (own, _) in drafted.items()}
    made = _of_several(drafted) if len(dumps) > 1 else _of_one(*drafted.popitem(), target)
    folder.mkdir(parents=True, exist_ok=True)
    for name, own in made.tables.items():
        defaults = _defaults(profiles[name])
        for table in own:
            write_text(folder / "tables" / f"{table.name}.toml", spec_text(table, name, defaults))
        for table in made.homeless:
            write_text(folder / UNMATCHED / f"{table.name}.toml", spec_text(table, name, defaults))
    for codes in made.lists:
        write_text(folder / "codes" / f"{codes.name}.csv", code_list_text(codes))
    write_text(folder / "target.toml", made.target)
    if made.people:
        more = "".join(map(register_text, made.further))
        write_text(folder / "linkage.toml", linkage_text(made.people) + more)
    named = {
        name: [c for table in own for c in marks[name][table.profile.name]] for name, own in made.tables.items()
    }
    said = any(named.values())
    systems = [
        _system(folder, dumps[name], name, _defaults(profiles[name]), columns if said else None)
        for name, columns in named.items()
    ]
    write_text(folder / FILE, _settings(folder, target, systems))
    every = [table for own in made.tables.values() for table in own]
    columns = sum(len(table.profile.columns) for table in [*every, *made.homeless])
    unread = tuple(f"{item.file}: {item.why}" for profile in profiles.values() for item in profile.unread)
    registers = ", ".join(name for _, name, _ in made.people)
    unmatched = tuple(table.profile.name for table in made.homeless)
    return Drafted(
        folder / FILE, len(every), columns, len(made.lists), len(guesses(folder)), registers, unread, unmatched
    )


@dataclass(frozen=True)
class _Draft:
    """A draft before it is text: tables by system, target.toml, each table of people with its system (empty where
    there is one) and its columns by role; further registers of one system."""

    tables: Mapping[str, list[DraftTable]]
    lists: list[Codes]
    target: str
    people: Sequence[tuple[str, str, Roles]]
    homeless: Sequence[DraftTable] = ()
    further: Sequence[DraftRegister] = ()


def _refuse(dumps: Mapping[str, str | Path], target: str | None) -> None:
    if not all(map(_SYSTEM.fullmatch, dumps)):
        hint = "letters, digits, _ and -, at most 40, the first a letter or digit"
        raise CasebridgeError("the old system cannot be called so", hint=hint)
    if len(dumps) > 1:
        check_names(list(dumps))
        if target is not None:
            hint = "draft them without --target, and map the specs to its tables; or draft each by itself"
            raise CasebridgeError("several dumps are drafted onto a target of their own only", hint=hint)


def _profiled(dump: str | Path, system: str, report: Reporter | None, schemas: Sequence[str]) -> Profile:
    profile = profile_dump(dump, report, system, views=False, schemas=schemas)
    # A list of people who must never be compared is no table to migrate.
    read = tuple(table for table in profile.tables if table.source.read.file != NO_LINK.as_posix())
    return replace(profile, tables=read)


def _of_one(system: str, drafted: tuple[list[DraftTable], list[Codes]], target: str | None) -> _Draft:
    tables, lists = drafted
    real = reflect(target) if target else None
    homeless: list[DraftTable] = []
    if real is not None and real.tables:
        tables, homeless = onto_target(tables, real)
        tables, real = as_they_stand(tables, real)
        used = {column.codes for table in tables for column in table.columns}
        lists = [codes for codes in lists if codes.name in used]
    text = real_target_text(real, tables) if real is not None and real.tables else target_text(tables)
    found = people(tables)
    register = [("", found[0].name, found[1])] if found else []
    further = further_registers(tables, found[0], system) if found else []
    return _Draft({system: tables}, lists, text, register, homeless, further)


def _of_several(drafted: Mapping[str, tuple[list[DraftTable], list[Codes]]]) -> _Draft:
    made = together(drafted)
    of = {table.name: system for system, own in made.tables.items() for table in own}
    register = [(of[table.name], table.name, roles) for table, roles in made.people]
    return _Draft(made.tables, made.lists, target_text(made.target), register)


def is_url(dump: str | Path) -> bool:
    """Whether a dump is a database, and not a folder."""
    return "://" in str(dump)


def _dump(folder: Path, dump: str | Path) -> str:
    """A dump as the settings name it: a folder as seen from the project, a file of SQLite by its whole path."""
    return absolute(Path(), str(dump)) if is_url(dump) else dump_below(folder, Path(dump))


def marks_of(table: DraftTable) -> list[str]:
    """The columns of a table that look like marks of restriction, as settings name them."""
    return [f"{table.profile.name}.{title_of(column.source)}" for column in table.columns if column.marks]


def _defaults(profile: Profile) -> dict[str, str]:
    """The encoding and the delimiter of most files."""
    reads = [table.source.read for table in profile.tables if table.source.read.format == "csv"]
    encodings, delimiters = Counter(read.encoding for read in reads), Counter(read.delimiter for read in reads)
    return {
        "encoding": encodings.most_common(1)[0][0] if reads else "utf-8",
        "delimiter": delimiters.most_common(1)[0][0] if reads else ",",
    }


def _settings(folder: Path, target: str | None, systems: Sequence[str]) -> str:
    lines = [
        "# One migration project. Paths are relative to this file; ${NAME} takes a value from the environment.",
        "",
        "[project]",
        f"name = {quoted(folder.resolve().name)}",
        "",
        "[target]",
        f"url = {quoted(target or 'sqlite:///target.db')}",
        "",
        "[control]",
        "# What people decided. Name a PostgreSQL here when many review at once.",
        'url = "sqlite:///control.db"',
        *systems,
    ]
    return "\n".join(lines) + "\n"


def _system(
    folder: Path, dump: str | Path, name: str, defaults: dict[str, str], marks: Sequence[str] | None
) -> str:
    """One system. `marks`: its columns that look like marks of restriction; None where no system has any."""
    lines = [
        "",
        f"[systems.{name}]",
        f"dump = {quoted(_dump(folder, dump))}",
        *([] if is_url(dump) else [f"{key} = {quoted(text)}" for key, text in defaults.items()]),
        "# A two-digit year yy means 20yy up to this one, else 19yy.",
        "century_pivot = 30",
    ]
    lines += [] if is_url(dump) else no_link_line(folder, Path(dump)).splitlines()
    if marks is not None:
        why = "called like marks of restriction" if marks else "no column is called like marks of restriction"
        lines.append(guess(f"restriction = {listed(marks)}", why))
    return "\n".join(lines)
