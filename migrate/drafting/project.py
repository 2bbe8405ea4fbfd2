"""A drafted project in a folder: settings, specs, code lists, target, linkage."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from casebridge.migrate.drafting.code_lists import code_list_text
from casebridge.migrate.drafting.guesses import UNMATCHED, guesses
from casebridge.migrate.drafting.names import quoted, title_of
from casebridge.migrate.drafting.people import people
from casebridge.migrate.drafting.real_target import reflect
from casebridge.migrate.drafting.reflected import as_they_stand, onto_target, real_target_text
from casebridge.migrate.drafting.specs import guess, linkage_text, listed, spec_text, target_text
from casebridge.migrate.drafting.tables import DraftTable, draft_tables
from casebridge.migrate.profiling import Profile, profile_dump
from casebridge.migrate.projects import NO_LINK, dump_below, no_link_line, refuse_folder
from casebridge.project.batch import write_text
from casebridge.project.database import open_database
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Reporter
from casebridge.project.urls import FILE

_SQLITE = "sqlite:///"
_SYSTEM = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


@dataclass(frozen=True)
class Drafted:
    """What was drafted: the settings file, how many tables, columns, code lists and guesses; the table of people;
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
    dump: str | Path,
    target: str | None = None,
    *,
    system: str = "legacy",
    report: Reporter | None = None,
) -> Drafted:
    """Make a project in `folder` from the headers and the data of a dump.

    SourceError when the dump cannot be read, CasebridgeError when there is a project already.
    """
    refuse_folder(folder, [dump])
    if not _SYSTEM.fullmatch(system):
        hint = "letters, digits, _ and -, at most 40, the first a letter or digit"
        raise CasebridgeError("the old system cannot be called so", hint=hint)
    open_database(target or "sqlite:///target.db").dispose()
    profile = profile_dump(dump, report, system, views=False)
    # A list of people who must never be compared is no table to migrate.
    read = tuple(table for table in profile.tables if table.source.read.file != NO_LINK.as_posix())
    profile = replace(profile, tables=read)
    tables, lists = draft_tables(profile)
    # Whatever becomes of the columns: marks that nothing keeps must stop a project, not be dropped.
    marks = {table.name: marks_of(table) for table in tables}
    real = reflect(target) if target else None
    homeless: list[DraftTable] = []
    if real is not None and real.tables:
        tables, homeless = onto_target(tables, real)
        tables, real = as_they_stand(tables, real)
        used = {column.codes for table in tables for column in table.columns}
        lists = [codes for codes in lists if codes.name in used]
    folder.mkdir(parents=True, exist_ok=True)
    defaults = _defaults(profile)
    for table in tables:
        write_text(folder / "tables" / f"{table.name}.toml", spec_text(table, system, defaults))
    for codes in lists:
        write_text(folder / "codes" / f"{codes.name}.csv", code_list_text(codes))
    for table in homeless:
        write_text(folder / UNMATCHED / f"{table.name}.toml", spec_text(table, system, defaults))
    text = real_target_text(real, tables) if real is not None and real.tables else target_text(tables)
    write_text(folder / "target.toml", text)
    found = people(tables)
    if found:
        write_text(folder / "linkage.toml", linkage_text(*found))
    write_text(
        folder / FILE,
        _settings(
            folder, dump, target, system, defaults, [name for table in tables for name in marks[table.name]]
        ),
    )
    columns = sum(len(table.profile.columns) for table in [*tables, *homeless])
    unread = tuple(f"{item.file}: {item.why}" for item in profile.unread)
    named = found[0].name if found else ""
    unmatched = tuple(table.profile.name for table in homeless)
    return Drafted(folder / FILE, len(tables), columns, len(lists), len(guesses(folder)), named, unread, unmatched)


def is_url(dump: str | Path) -> bool:
    """Whether a dump is a database, and not a folder."""
    return "://" in str(dump)


def _dump(folder: Path, dump: str | Path) -> str:
    """A dump as the settings name it: a folder as seen from the project, a file of SQLite by its whole path."""
    before, slashes, path = str(dump).partition(_SQLITE)
    if slashes and not before and not path.startswith("/"):
        return f"{_SQLITE}{Path(path).resolve()}"
    return str(dump) if is_url(dump) else dump_below(folder, Path(dump))


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


def _settings(
    folder: Path,
    dump: str | Path,
    target: str | None,
    system: str,
    defaults: dict[str, str],
    marks: Sequence[str],
) -> str:
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
        "",
        f"[systems.{system}]",
        f"dump = {quoted(_dump(folder, dump))}",
        *([] if is_url(dump) else [f"{key} = {quoted(text)}" for key, text in defaults.items()]),
        "# A two-digit year yy means 20yy up to this one, else 19yy.",
        "century_pivot = 30",
    ]
    lines += [] if is_url(dump) else no_link_line(folder, Path(dump)).splitlines()
    if marks:
        lines.append(guess(f"restriction = {listed(marks)}", "called like marks of restriction"))
    return "\n".join(lines) + "\n"
