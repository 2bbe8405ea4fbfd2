"""What a project says of the live register, held against the register itself, before the night."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from casebridge.dedupe.review.merge_rules import FILE as MERGE
from casebridge.dedupe.scan.chores import nobody_knows_whose
from casebridge.dedupe.scan.config import FILE as LINKAGE
from casebridge.dedupe.scan.config import Chore, LiveTable, ScanConfig, WholeTable, read_scans
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.dedupe.scan.keys import has_a_list
from casebridge.dedupe.scan.live_preflight import read_live_rules, unread_blockers
from casebridge.dedupe.scan.people import LiveQueries
from casebridge.dedupe.scan.state import FILE as STATE
from casebridge.dedupe.scan.state import FOLDER
from casebridge.project.errors import CasebridgeError, Problem, SourceError, SpecError, did_you_mean
from casebridge.project.job import council_day
from casebridge.project.relations import Relation
from casebridge.project.settings import Settings, read_settings
from casebridge.project.snapshot import Snapshot, open_snapshot


def was_scanned(folder: Path) -> bool:
    """Whether a night of this project counts; no, where its settings cannot be read."""
    try:
        return (read_settings(folder).work / FOLDER / STATE).is_file()
    except SpecError:
        return False


def check_live(folder: Path, notes: list[str]) -> list[str]:
    """All that is wrong with what a project says of the live register; empty when it is sound. notes: takes what
    merge pre-flight could not look for there."""
    try:
        return _problems(read_settings(folder), read_scans(folder), notes)
    except SpecError as error:
        return [str(problem) for problem in error.problems]
    except CasebridgeError as error:
        return [error.message + (f" ({error.hint})" if error.hint else "")]


def _problems(settings: Settings, configs: Sequence[ScanConfig], notes: list[str]) -> list[str]:
    rules = read_live_rules(settings, configs[0])
    with open_snapshot(settings.live.url if settings.live else settings.target_url) as snapshot:
        relations = snapshot.relations()
        missing = [problem for config in configs for problem in lacking(config, relations)]
        missing += [] if missing else _unreadable(snapshot, configs)
    missing += _unclear(configs[0]) if has_a_list(settings) else ()
    asked = (problem for config in configs for problem in _queries(settings, config))
    unread = unread_blockers(settings, configs[0], rules)
    notes += (f"{MERGE}: blockers.{name}: cannot be looked for in the register: {why}"
              for name, why in unread.items())  # fmt: skip
    return [*([rules.why] if rules.why else []), *(str(problem) for problem in missing or asked)]


def lacking(config: ScanConfig, relations: Sequence[Relation]) -> list[Problem]:
    """Tables and columns that the register does not have. Names in another schema are left to the scan."""
    known = _columns_of(relations)
    problems = [problem for chore in config.chores for problem in lacks_of(config, chore, relations)]
    for table in config.tables:
        where, columns = config.at(f"tables.{table.name}"), known.get(table.name.lower())
        if columns is None and "." not in table.name:
            problems.append(Problem(LINKAGE, where, "is no table there", did_you_mean(table.name, known)))
        for column in (name for name in table.wanted if columns is not None and name.lower() not in columns):
            hint = did_you_mean(column, columns or ())
            problems.append(Problem(LINKAGE, where, f"has no column {column} there", hint))
    return problems + [problem for table in config.lookups
                       for problem in _lacks(table, config.at(f"lookups.{table.name}"), known)]  # fmt: skip


def _columns_of(relations: Sequence[Relation]) -> dict[str, set[str]]:
    return {relation.name.lower(): {name.lower() for name, _ in relation.columns} for relation in relations}


def lacks_of(config: ScanConfig, chore: Chore, relations: Sequence[Relation]) -> list[Problem]:
    """What the register has not of a list's tables; nothing where the list says what that means (`absent`)."""
    known, where = _columns_of(relations), config.at(f"chores.{chore.name}.tables")
    tables = () if chore.absent else chore.tables
    return [problem for table in tables for problem in _lacks(table, f"{where}.{table.name}", known)]


def _lacks(table: WholeTable, where: str, known: Mapping[str, set[str]]) -> list[Problem]:
    columns = known.get(table.name.lower())
    if columns is None:
        hint = did_you_mean(table.name, known)
        return [] if "." in table.name else [Problem(LINKAGE, where, "is no table there", hint)]
    gone = (name for name in table.wanted if name.lower() not in columns)
    return [Problem(LINKAGE, where, f"has no column {name} there", did_you_mean(name, columns)) for name in gone]


def _unreadable(snapshot: Snapshot, configs: Sequence[ScanConfig]) -> list[Problem]:
    """The tables that the server does not let this login read, asked for no row of them."""
    named: dict[str, LiveTable | WholeTable] = {}
    for config in configs:
        named |= {config.at(f"tables.{table.name}"): table for table in config.tables}
        named |= {config.at(f"lookups.{table.name}"): table for table in config.lookups}
        named |= {config.at(f"chores.{chore.name}.tables.{table.name}"): table
                  for chore in config.chores if not chore.absent for table in chore.tables}  # fmt: skip
    return [Problem(LINKAGE, where, why) for where, table in named.items() if (why := _refused(snapshot, table))]


def _refused(snapshot: Snapshot, table: LiveTable | WholeTable) -> str:
    try:
        _ = list(snapshot.read(table.name, table.wanted, sa.literal(1) == 0))
    except SourceError as error:
        if why := snapshot.refused(error):
            return why
        raise
    return ""


def _unclear(config: ScanConfig) -> list[Problem]:
    """The lists that nobody can keep clear of who is on a no-link list."""
    hint = "name the columns that hold somebody's key in `people`, or [] where none does"
    found = ((chore.name, nobody_knows_whose(config, chore)) for chore in config.chores)
    return [Problem(LINKAGE, config.at(f"chores.{name}"), why, hint) for name, why in found if why]


def _queries(settings: Settings, config: ScanConfig) -> list[Problem]:
    """What the queries cannot be asked, tried on no rows."""
    tables = {table.name: pl.DataFrame(schema=dict.fromkeys(table.wanted, pl.String())) for table in config.tables}
    rows = {table.name: KeptRows.whole(table.key, tables[table.name]) for table in config.tables}
    lookups = _empty(config.lookups)
    queries, problems = LiveQueries(settings, config, rows, council_day(), lookups), list[Problem]()
    asked: tuple[Callable[[], object], ...] = (
        queries.register, lambda: queries.pairs("related"), lambda: queries.pairs("duplicates"),
        lambda: queries.pairs("unborn"),
        lambda: queries.pairs("merged", "gone", "kept"), lambda: queries.texts("teams", tables),
        lambda: queries.texts("flags", tables), lambda: queries.texts("made_by", tables),
        *(partial(queries.keys, chore.query, config.at(f"chores.{chore.name}"), _empty(chore.tables), chore.of)
          for chore in config.chores),
    )  # fmt: skip
    for ask in asked:
        try:
            ask()
        except SpecError as error:
            problems += error.problems
    return problems


def _empty(tables: Sequence[WholeTable]) -> dict[str, pl.DataFrame]:
    """These tables without a row."""
    return {one.name: pl.DataFrame(schema=dict.fromkeys(one.wanted, pl.String())) for one in tables}
