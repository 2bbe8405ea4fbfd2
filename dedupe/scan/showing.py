"""What the desk shows of the scan's candidates: the people in them, their tables' rows, family and household."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence, Set
from typing import Any

import polars as pl

from casebridge.dedupe.review.clearance import OPEN, RESTRICTED
from casebridge.dedupe.review.evidence_file import Held, Kin, Person
from casebridge.dedupe.review.gathering import SHOWN, home_of, households, plain
from casebridge.dedupe.scan.changes import HASH
from casebridge.dedupe.scan.config import RESTRICTED as MARK
from casebridge.dedupe.scan.config import LiveTable, ScanConfig
from casebridge.dedupe.scan.kept_rows import IN_PARTS, KeptRows
from casebridge.dedupe.scan.people import LiveTables, Tables
from casebridge.project.batch import digest
from casebridge.project.restriction import is_marked


def shown_people(
    config: ScanConfig,
    register: KeptRows,
    tables: LiveTables,
    members: Set[str],
    related: Sequence[tuple[str, str]],
    said: Callable[[str, Tables], Mapping[str, tuple[str, ...]]],
    more: Collection[str] = (),
) -> dict[str, Person]:
    """The people of some pairs, whoever is beside them, and `more` who are beside somebody. said: asks `teams`
    or `flags` of the rows of these people."""
    roles_of = dict(config.fields)
    homes = households(_homes(register, home_of(roles_of), members), roles_of, members)
    at_home = homes if config.is_people else {}
    kin = defaultdict[str, list[Kin]](list)
    for left, right in sorted(pair for pair in related if not members.isdisjoint(pair)):
        for one, other in ((left, right), (right, left)):
            if one in members:
                kin[one].append(Kin(other, "relationship on file"))
    for one, others in at_home.items():
        known = {item.id for item in kin[one]}
        kin[one] += [Kin(other, "same address") for other in others if other not in known]
    beside = {item.id for some in kin.values() for item in some} | members | set(more)
    mine = register.of("id", beside)
    secret = set(mine.filter(is_marked(pl.col(MARK), config.not_restricted)).get_column("id"))
    roles = {str(row["id"]): _roles(row, config) for row in mine.iter_rows(named=True)}
    keys = [item.partition(":")[2] for item in members]
    around = {table.name: tables[table.name].of(table.person, keys) for table in config.tables}
    teams, flags = (said(name, around) for name in ("teams", "flags"))
    held, all_fields = _held(config, around), _fields(around[config.register.name], config.register)
    people = {}
    for item in sorted(roles):
        key, restricted = item.partition(":")[2], item in secret
        if item not in members:
            people[item] = Person(item, RESTRICTED if restricted else OPEN, roles[item])
            continue
        fields = all_fields.get(key, {})
        marks = {*flags.get(item, ()), *(["restricted"] if restricted else [])}
        people[item] = Person(
            item, RESTRICTED if restricted else OPEN, roles[item], fields, tuple(held.get(key, ())),
            tuple(one for one in kin[item] if one.id in roles), teams.get(item, ()), tuple(sorted(marks)),
            digest(roles[item], fields),
        )  # fmt: skip
    return people


def _homes(register: KeptRows, parts: Sequence[str], members: Collection[str]) -> pl.DataFrame:
    """The id and address of all who are at an address of some records."""
    read = register.lazy("id", *parts)
    if not parts:
        return read.collect().clear()
    ids = pl.Series("id", sorted(members), dtype=pl.String).to_frame().lazy()
    mine = read.join(ids, on="id", how="semi").select(parts).drop_nulls().unique().collect(engine=IN_PARTS)
    return read.join(mine.lazy(), on=parts, how="semi").collect(engine=IN_PARTS)


def _roles(row: Mapping[str, Any], config: ScanConfig) -> dict[str, Any]:
    columns = {**dict(config.fields), **dict(config.other)}
    columns |= {name: name for name in ("previous_surnames", "previous_postcodes") if name in row}
    found: dict[str, Any] = {}
    for role, column in columns.items():
        value = row[column]
        if value is not None and value != []:
            found[role] = [plain(one) for one in value] if isinstance(value, list) else plain(value)
    return found


def _fields(rows: pl.DataFrame, table: LiveTable) -> dict[str, dict[str, str]]:
    """The columns of the people's table that hold something, by key."""
    first = rows.drop(HASH, strict=False).unique(table.key, keep="first", maintain_order=True)
    return {
        str(row[table.key]): {name: str(value) for name, value in row.items() if value}
        for row in first.iter_rows(named=True)
    }


def _held(config: ScanConfig, around: Tables) -> dict[str, list[Held]]:
    """Rows of each other table, by key of the person."""
    found = defaultdict[str, list[Held]](list)
    for table in config.tables:
        if table.key == table.person or table.others:
            continue
        rows = around[table.name].sort(table.key).drop(HASH, strict=False)
        groups = rows.group_by(table.person, maintain_order=True)
        shown = defaultdict[str, list[dict[str, str]]](list)
        for row in groups.tail(SHOWN).iter_rows(named=True):
            said = {name: str(value) for name, value in row.items() if value and name in table.columns}
            shown[str(row[table.person])].append(said)
        for key, count in groups.len().iter_rows():
            found[str(key)].append(Held(table.name, count, "", tuple(shown[str(key)]) if config.is_people else ()))
    return found
