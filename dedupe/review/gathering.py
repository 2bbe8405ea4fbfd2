"""What stands around a person in the tables of a run: names, addresses, work, family, household.

Which tables those are is read off the target: a column that refers to the register makes its row a row of that
person; a second one makes it a relationship. Texts that people wrote are never copied, only counted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from casebridge.dedupe.config import LinkageConfig
from casebridge.dedupe.review.evidence_file import Held, Kin
from casebridge.project.contracts import EVIDENCE, KEY
from casebridge.project.job import Job
from casebridge.project.spec import TableSpec

SHOWN = 12
"""Rows of one table that are kept of one person, the latest: all are counted."""
HOUSEHOLD = 12
_OWNER, _OTHER, _DAY = "__owner", "__other", "__day"


@dataclass(frozen=True)
class Around:
    """What was found, by record."""

    held: Mapping[str, list[Held]]
    kin: Mapping[str, list[Kin]]


def around(job: Job, config: LinkageConfig, ids: Collection[str]) -> Around:
    """Rows and relationships of some records, as `space:key`. Of a register that is not of people its rows are
    counted only: an invoice says whose it is, and not everybody may see who that is."""
    register = {spec.target for spec in job.specs if spec.name in config.tables}
    held, kin = defaultdict[str, list[Held]](list), defaultdict[str, list[Kin]](list)
    for spec in job.specs:
        if spec.name in config.tables or spec.merged_only:
            continue
        people = _people_columns(job, spec, register)
        space = config.space(spec.system)
        mine = {item.partition(":")[2] for item in ids if item.startswith(f"{space}:")}
        if people and mine and not config.is_people:
            for key, rows in _rows_of(job, spec, people[0], mine).items():
                held[f"{space}:{key}"].append(replace(rows, rows=()))
        elif len(people) == 1 and mine:
            for key, rows in _rows_of(job, spec, people[0], mine).items():
                held[f"{space}:{key}"].append(rows)
        elif len(people) > 1 and mine:
            for item, relations in _relations(job, spec, people[:2], mine).items():
                kin[item] += relations
    return Around(held, {item: _once(found) for item, found in kin.items()})


def _people_columns(job: Job, spec: TableSpec, register: Collection[str]) -> list[str]:
    """The columns that name somebody of the register, in the order of the target: its first one is whose row it
    is, whatever the order in the spec."""
    found = {column.name for column in spec.columns if column.references in register and not column.evidence}
    order = [column.name for column in job.target.by_name[spec.target].columns]
    return sorted(found, key=lambda name: order.index(name) if name in order else len(order))


def _clean(job: Job, spec: TableSpec) -> pl.LazyFrame | None:
    batches = job.ledger.sealed(job.run, "transform", spec.name, "clean")
    return pl.concat([batch.scan() for batch in batches]) if batches else None


def _rows_of(job: Job, spec: TableSpec, owner: str, keys: set[str]) -> dict[str, Held]:
    rows = _clean(job, spec)
    if rows is None:
        return {}
    schema = rows.collect_schema()
    days = [name for name, kind in schema.items() if kind.is_temporal() and not name.startswith(EVIDENCE)]
    until = _past(days)
    mine = rows.filter(pl.col(owner).is_in(sorted(keys))).with_columns(
        pl.max_horizontal(until).alias(_DAY) if until else pl.lit(None, dtype=pl.String).alias(_DAY)
    )
    shown = [column.name for column in spec.columns if _may_be_shown(column.name, spec, owner)]
    counted = mine.group_by(owner).agg(pl.len(), pl.col(_DAY).max())
    latest = mine.sort(_DAY, KEY, descending=[True, False], nulls_last=True).group_by(owner, maintain_order=True)
    frame = latest.head(SHOWN).select(owner, *shown).collect()
    rows_by = defaultdict[str, list[dict[str, str]]](list)
    for row in _with_labels(job, spec, frame, owner).iter_rows(named=True):
        key = row.pop(owner)
        rows_by[key].append({name: text for name, value in row.items() if (text := plain(value))})
    return {
        str(key): Held(spec.name, count, day or "", tuple(rows_by[key]))
        for key, count, day in counted.collect().iter_rows()
    }


def _past(days: Sequence[str]) -> list[pl.Expr]:
    """Days as text, those to come left out: an end that is planned is no activity."""
    today = dt.date.today().isoformat()  # noqa: DTZ011 (the council's day)
    texts = [pl.col(name).cast(pl.Date).cast(pl.String) for name in days]
    return [pl.when(text <= today).then(text) for text in texts]


def _may_be_shown(name: str, spec: TableSpec, owner: str) -> bool:
    column = next(column for column in spec.columns if column.name == name)
    return not column.evidence and name != owner and column.type.name != "text" and column.value is None


def _with_labels(job: Job, spec: TableSpec, frame: pl.DataFrame, owner: str) -> pl.DataFrame:
    """Keys of other tables replaced by what is called a name there, where there is one."""
    for column in spec.columns:
        if column.references and column.name != owner and column.name in frame.columns:
            names = _names_in(job, column.references, spec.system, set(frame.get_column(column.name).drop_nulls()))
            known = pl.col(column.name).replace_strict(names, default=None, return_dtype=pl.String)
            frame = frame.with_columns(known.alias(column.name))
    return frame


def _names_in(job: Job, target: str, system: str, keys: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for spec in job.specs:
        rows = _clean(job, spec) if spec.target == target and spec.system == system else None
        if rows is None:
            continue
        there = rows.collect_schema().names()
        names = [column.name for column in spec.loaded if "name" in column.name and column.name in there][:2]
        if names:
            text = pl.concat_str(
                [pl.col(name).cast(pl.String) for name in names], separator=" ", ignore_nulls=True
            )
            mine = rows.filter(pl.col(KEY).is_in(sorted(keys))).select(KEY, text.alias("text"))
            found |= dict(mine.collect().iter_rows())
    return found


def _relations(job: Job, spec: TableSpec, people: Sequence[str], keys: set[str]) -> dict[str, list[Kin]]:
    """Relationships from either side; one that is mirrored in another spec is told once by `_once`."""
    rows = _clean(job, spec)
    if rows is None:
        return {}
    owner, other = people
    there = rows.collect_schema()
    kind = next((c.name for c in spec.loaded if c.name not in people and there.get(c.name) == pl.String), None)
    day = next((name for name, dtype in there.items() if dtype.is_temporal()), None)
    mine = rows.filter(pl.col(owner).is_in(sorted(keys)) | pl.col(other).is_in(sorted(keys))).select(
        pl.col(owner).alias(_OWNER),
        pl.col(other).alias(_OTHER),
        (pl.col(kind) if kind else pl.lit("related")).alias("what"),
        (pl.col(day).cast(pl.Date).cast(pl.String) if day else pl.lit("")).alias("since"),
    )
    found = defaultdict[str, list[Kin]](list)
    for one, two, what, since in mine.collect().iter_rows():
        for this, that, words in ((one, two, said(what)), (two, one, f"has as {said(what)}")):
            if this in keys and that is not None and this != that:
                found[f"{spec.system}:{this}"].append(Kin(f"{spec.system}:{that}", words, since or ""))
    return found


def _once(found: Sequence[Kin]) -> list[Kin]:
    """One relation to each other person, the one that says what the other is to this one where there is one."""
    best: dict[str, Kin] = {}
    for kin in sorted(found, key=lambda kin: (kin.what.startswith("has as "), kin.what, kin.since)):
        best.setdefault(kin.id, kin)
    return sorted(best.values(), key=lambda kin: (kin.what, kin.id))


def households(register: pl.DataFrame, roles: Mapping[str, str], ids: Collection[str]) -> dict[str, list[str]]:
    """Who else is at the same address, for each of some records; large houses are cut short."""
    parts = home_of(roles)
    if not parts or not ids:
        return {}
    lived = register.filter(pl.all_horizontal(pl.col(part).is_not_null() for part in parts)).select("id", *parts)
    mine = lived.filter(pl.col("id").is_in(sorted(ids)))
    lived = lived.join(mine.select(parts).unique(), on=parts, how="semi")
    beside = mine.join(lived, on=parts, how="inner", suffix="_other").filter(pl.col("id") != pl.col("id_other"))
    found = defaultdict[str, list[str]](list)
    for one, other in beside.select("id", "id_other").sort("id", "id_other").iter_rows():
        if len(found[one]) < HOUSEHOLD:
            found[one].append(other)
    return found


def home_of(roles: Mapping[str, str]) -> list[str]:
    """The columns that make an address by which people belong to one household; none where too few are there."""
    parts = [roles[role] for role in ("house", "street", "postcode") if role in roles]
    return parts if len(parts) > 1 else []


def said(code: str | None) -> str:
    """A code in small letters with blanks: HALF_SIBLING is a half sibling."""
    return (code or "related").replace("_", " ").lower()


def plain(value: Any) -> str:
    """A value as a person reads it; a time at midnight is a day."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    return str(value)
