"""Records as reviewers see them, one after the other in the order of their ids: what stands around them is kept in
tables, and one record at a time is made of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

import polars as pl

from casebridge.dedupe.candidates import ask_evidence
from casebridge.dedupe.config import LinkageConfig
from casebridge.dedupe.review.clearance import OPEN, RESTRICTED, restricted
from casebridge.dedupe.review.evidence_file import Kin, Person
from casebridge.dedupe.review.gathering import (
    SAME_ADDRESS,
    Around,
    TableRows,
    around,
    as_text,
    at_home,
    keys_of,
    plain,
)
from casebridge.project.batch import digest
from casebridge.project.contracts import EVIDENCE, KEY, REST, ROW
from casebridge.project.job import Job
from casebridge.project.spec import TableSpec

Texts = Mapping[str, Sequence[str]]


class InOrder:
    """A table, sorted by its first column, of which the rows of one record after the other are asked for."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._groups = groupby(frame.iter_rows(), key=itemgetter(0))
        self._next()

    def _next(self) -> None:
        found = next(self._groups, None)
        self._at = None if found is None else (found[0], list(found[1]))

    def of(self, item: str) -> list[tuple[Any, ...]]:
        """The rows of a record; no earlier one may be asked for after it."""
        while self._at is not None and self._at[0] < item:
            self._next()
        return self._at[1] if self._at is not None and self._at[0] == item else []


@dataclass(frozen=True)
class _Values:
    """What one table of a register says of its records: the columns that are shown, then of each other column
    whether it holds something."""

    shown: tuple[str, ...]
    others: tuple[str, ...]
    frame: pl.DataFrame

    def of(self, rows: Sequence[tuple[Any, ...]]) -> tuple[dict[str, str], int, tuple[str, ...]]:
        """The columns that are shown, how many hold something in all, and which of those are not shown."""
        row = rows[-1][1:]
        texts = {name: value if type(value) is str else plain(value)
                 for name, value in zip(self.shown, row, strict=False) if value is not None}  # fmt: skip
        held = [name for name, there in zip(self.others, row[len(self.shown) :], strict=True) if there]
        unshown = tuple(sorted(name for name in held if not name.startswith(EVIDENCE)))
        return {name: text for name, text in texts.items() if text}, len(texts) + len(held), unshown


@dataclass(frozen=True)
class People:
    """All that is known of the records of one register that may be shown. `everyone`: their ids, sorted;
    `members`: those in pairs; `secret`: those that are restricted."""

    everyone: pl.Series
    members: frozenset[str]
    secret: frozenset[str]
    roles: Sequence[str]
    said: pl.DataFrame
    held: Sequence[TableRows]
    kin: pl.DataFrame
    values: Sequence[_Values]
    teams: Texts
    flags: Texts

    def __iter__(self) -> Iterator[Person]:
        said, kin = InOrder(self.said), InOrder(self.kin)
        held = [(table, InOrder(table.frame)) for table in self.held]
        values = [(table, InOrder(table.frame)) for table in self.values]
        for item in self.everyone:
            rows, clearance = said.of(item), RESTRICTED if item in self.secret else OPEN
            roles = _roles(self.roles, rows[-1][1:]) if rows else {}
            if item not in self.members:
                yield Person(item, clearance, roles)
                continue
            fields, filled, unshown = next(
                (table.of(found) for table, there in values if (found := there.of(item))), ({}, 0, ())
            )
            marks = {*self.flags.get(item, ()), *(["restricted"] if clearance else [])}
            yield Person(
                item, clearance, roles, fields,
                tuple(table.held(found) for table, there in held if (found := there.of(item))),
                tuple(Kin(*row[1:]) for row in kin.of(item)), tuple(self.teams.get(item, ())),
                tuple(sorted(marks)), digest(roles, fields), filled, unshown,
            )  # fmt: skip


def _roles(names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """What linkage compares: texts, and lists of texts."""
    return {
        role: value if type(value) is str else [*map(plain, value)] if type(value) is list else plain(value)
        for role, value in zip(names, row, strict=True)
        if value is not None and value != []
    }


def people_around(
    job: Job,
    config: LinkageConfig,
    register: pl.DataFrame,
    members: Collection[str],
    hidden: Callable[[Collection[str]], set[str]],
) -> People:
    """The records of pairs (`members`), whoever is beside them, and what there is of all. hidden: whom a
    no-link list hides."""
    ids = pl.Series("id", sorted(members), dtype=pl.String)
    found, homes = around(job, config, ids), pl.DataFrame(schema={"id": pl.String, "other": pl.String})
    if config.is_people:
        homes = at_home(register, dict(config.fields), ids)
    kin = _without(hidden, _kin(found, homes))
    everyone = pl.concat([ids, kin.get_column("other")]).unique().sort()
    teams, flags = (ask_evidence(job, config, name, members) for name in ("teams", "flags"))
    names, said = _said(register, config, everyone)
    return People(
        everyone, frozenset(members), _restricted(job, config, everyone), names, said, found.held, kin,
        _values(job, config, ids), teams, flags,
    )  # fmt: skip


def _kin(found: Around, homes: pl.DataFrame) -> pl.DataFrame:
    """`id`, `other`, `what`, `since`: those who are related on file first, then those at the same address."""
    more = homes.join(found.kin, on=["id", "other"], how="anti", maintain_order="left").with_columns(
        what=pl.lit(SAME_ADDRESS), since=pl.lit("")
    )
    both = [found.kin.with_columns(place=pl.lit(0)), more.with_columns(place=pl.lit(1))]
    return pl.concat(both).sort("id", "place", maintain_order=True).drop("place")


def _without(hidden: Callable[[Collection[str]], set[str]], kin: pl.DataFrame) -> pl.DataFrame:
    gone = hidden(kin.get_column("other").unique().to_list())
    return kin.filter(~pl.col("other").is_in(sorted(gone))) if gone else kin


def _said(register: pl.DataFrame, config: LinkageConfig, ids: pl.Series) -> tuple[list[str], pl.DataFrame]:
    """The roles that linkage compares, and what stands under them for some records."""
    columns = {**dict(config.fields), **dict(config.other)}
    columns |= {name: name for name in ("previous_surnames", "previous_postcodes") if name in register.columns}
    mine = register.join(ids.to_frame(), on="id", how="semi").sort("id", maintain_order=True)
    texts = [as_text(mine, column).alias(f"_{role}") for role, column in columns.items()]
    return [*columns], mine.select("id", *texts)


def _values(job: Job, config: LinkageConfig, ids: pl.Series) -> list[_Values]:
    """The target's columns of some records, table by table."""
    found = []
    for spec, space in _tables(job, config):
        keys = keys_of(ids, space).to_frame().lazy()
        batches = job.ledger.sealed(job.run, "transform", spec.name, "clean")
        if not batches:
            continue
        rows = pl.concat([b.scan().join(keys, on=KEY, how="semi").drop(ROW, REST).collect() for b in batches])
        may = {column.name for column in spec.loaded if column.type.name != "text" and not column.references}
        shown = [name for name in rows.columns if name in may]
        others = [name for name in rows.columns if name not in may and name != KEY]
        record = (pl.lit(f"{space}:") + pl.col(KEY)).alias("id")
        there = (pl.col(name).is_not_null() for name in others)
        frame = rows.select(record, *(as_text(rows, name) for name in shown), *there)
        found.append(_Values(tuple(shown), tuple(others), frame.sort("id", maintain_order=True)))
    return found


def _restricted(job: Job, config: LinkageConfig, ids: pl.Series) -> frozenset[str]:
    return frozenset(
        f"{space}:{key}"
        for spec, space in _tables(job, config)
        for key in restricted(job, spec, keys_of(ids, space).to_list(), space)
    )


def _tables(job: Job, config: LinkageConfig) -> Iterator[tuple[TableSpec, str]]:
    """The specs of a register, and what stands before their keys."""
    return ((spec, config.space(spec.system)) for spec in job.specs if spec.name in config.tables)
