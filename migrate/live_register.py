"""A project that scans a register which never migrated with Casebridge: tables reflected, columns guessed at."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from casebridge.dedupe.review.merge_rules import FILE as MERGE
from casebridge.dedupe.scan.config import FILE as LINKAGE
from casebridge.dedupe.scan.config import read_scan, read_scans
from casebridge.dedupe.scan.live_preflight import TARGET
from casebridge.migrate.drafting.names import quoted, toml_key
from casebridge.migrate.drafting.people import roles_named, tell_people
from casebridge.migrate.further_registers import drafted, of_the_pack
from casebridge.migrate.live_check import lacking, lacks_of
from casebridge.migrate.profiling.headings import bare_word
from casebridge.migrate.projects import PACK
from casebridge.project.batch import write_text
from casebridge.project.errors import CasebridgeError, SpecError
from casebridge.project.relations import Relation
from casebridge.project.settings import read_settings
from casebridge.project.snapshot import open_snapshot
from casebridge.project.urls import FILE

_MARKS = frozenset({"restricted", "sensitive", "confidential", "accessrestricted", "isrestricted"})
_CHANGED = frozenset(
    {"lastupdatedon", "lastupdated", "updatedon", "updatedat", "modifiedon", "lastmodified", "amendedon"}
)
_MOSAIC = "dm_persons"
_CUT = ("# role = column", "# What a reviewer", "# After cut-over")
"""Where the pack's linkage.toml has the roles, what follows them, and the scan."""
_FOR_TEAMS = frozenset({"people_workers"})
_TEAMS = (("# The teams that work", 'flags = """'), ("[scan.tables.people_workers]", "# Lists for somebody's day"))
"""Where, in the scan, the parts that say which teams there are begin and end."""
_SETTINGS = """\
# A project that looks through a live register every night. ${{NAME}} takes a value from the environment.

[project]
name = {name}

[control]
# What people decided. Name a PostgreSQL here when many review at once.
url = "sqlite:///control.db"

[scan]
url = {url}
"""
_DRAFT = Template('''\
# What linkage sees of a person, drafted from the names of columns: look at each line.

[fields]
$fields

[scan]
query = """
SELECT
    $key AS id,
    $marks AS restricted,
    $columns
FROM $name
"""

[scan.tables.$table]
key = "$key"
person = "$key"
columns = [$read]
$changed''')


@dataclass(frozen=True)
class DraftedScan:
    """A project that was made: its settings file, the table of people, the roles and their columns."""

    path: Path
    table: str
    roles: Mapping[str, str]


def init_scan(folder: Path, url: str) -> DraftedScan:
    """Make a project for a live register. Nothing is read of it but the names of its tables and columns.

    CasebridgeError where no table looks like people; SourceError where the register cannot be reached.
    """
    if (folder / FILE).exists():
        raise CasebridgeError(f"{folder} is a project already", hint="choose another folder; nothing was changed")
    with open_snapshot(url) as snapshot:
        relations = snapshot.relations()
    like_the_pack = _like_the_pack(relations)
    text, table, roles = like_the_pack or _drafted(relations)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / LINKAGE, text)
    for name in (MERGE, TARGET) if like_the_pack else ():
        write_text(folder / name, (_pack() / name).read_text(encoding="utf-8"))
    write_text(folder / FILE, _SETTINGS.format(name=quoted(folder.resolve().name), url=quoted(url)))
    return DraftedScan(folder / FILE, table, roles)


def _pack() -> Traversable:
    return resources.files("casebridge.project") / "packs" / PACK


def _like_the_pack(relations: Sequence[Relation]) -> tuple[str, str, Mapping[str, str]] | None:
    """The pack's own words, where the register has all tables and columns that they name."""
    text = (_pack() / LINKAGE).read_text(encoding="utf-8")
    roles, rest, scan = (text.index(mark) for mark in _CUT)
    with resources.as_file(_pack()) as pack:
        config = read_scan(pack)
        further = [one for one in read_scans(pack)[1:] if not lacking(one, relations)]
    beside = of_the_pack(text[rest:scan], further)
    unfit = {chore.name for chore in config.chores if lacks_of(config, chore, relations)}
    config = replace(config, chores=())
    drafted_scan = text[roles:rest] + beside + _without_chores(text[scan:], unfit)
    if not lacking(config, relations):
        return drafted_scan, _MOSAIC, dict(config.fields)
    bare = replace(
        config, lookups=(), tables=tuple(table for table in config.tables if table.name not in _FOR_TEAMS)
    )
    if lacking(bare, relations):
        return None
    return _without_teams(drafted_scan), _MOSAIC, dict(config.fields)


def _without_chores(text: str, names: Collection[str]) -> str:
    """The same without the lists that the register has no tables for."""
    head, *chores = re.split(r"(?m)^(?=\[scan\.chores\.\w+\]$)", text)
    return head + "".join(one for one in chores if one[len("[scan.chores.") : one.index("]")] not in names)


def _without_teams(text: str) -> str:
    """The same for a register that does not say which team works with whom."""
    for begin, end in _TEAMS:
        start = text.index(begin)
        text = text[:start] + text[text.index(end, start) :]
    return text


def _drafted(relations: Sequence[Relation]) -> tuple[str, str, Mapping[str, str]]:
    found = [(len(roles), relation, roles) for relation in relations
             if tell_people(roles := roles_named([name for name, _ in relation.columns]))]  # fmt: skip
    if not found:
        hint = "name the table and its columns in linkage.toml yourself: docs/specs.md has the keys of [scan]"
        raise CasebridgeError("no table of the register looks like people", hint=hint)
    _, relation, roles = max(found, key=lambda item: item[0])
    names = [name for name, _ in relation.columns]
    key = relation.primary_key[0] if len(relation.primary_key) == 1 else names[0]
    marks = _named(names, _MARKS)
    changed = _named(names, _CHANGED)
    text = _DRAFT.substitute(
        fields="\n".join(f"{role} = {quoted(column)}" for role, column in roles.items()),
        key=key, marks=_sql(marks) if marks else "NULL",
        columns=",\n    ".join(_sql(column) for column in roles.values()),
        name=_sql(relation.name), table=toml_key(relation.name),
        read=", ".join(quoted(name) for name in dict.fromkeys([*roles.values(), *([marks] if marks else [])])),
        changed=f'# changed = {quoted(changed)}  # only if it moves whenever the row does\n' if changed else "",
    )  # fmt: skip
    warning = (
        ""
        if marks
        else "# Nothing here says whose record is restricted: say so in `query` before anybody reviews.\n"
    )
    return warning + text + drafted(relations, relation.name), relation.name, roles


def _named(names: Sequence[str], words: frozenset[str]) -> str:
    return next((name for name in names if bare_word(name) in words), "")


def _sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def scans_only(folder: Path) -> bool:
    """Whether a project has no dump, but a live register; no, where its settings cannot be read."""
    try:
        return not read_settings(folder).systems
    except SpecError:
        return False
