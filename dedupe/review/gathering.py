"""What stands around a person in the tables of a run: names, addresses, work, family, household.

Which tables those are is read off the target: a column that refers to the register makes its row a row of that
person; a second one makes it a relationship. Texts that people wrote are never copied, only counted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from casebridge.dedupe.config import LinkageConfig
from casebridge.dedupe.review.evidence_file import Held
from casebridge.project.contracts import EVIDENCE, KEY
from casebridge.project.job import Job
from casebridge.project.spec import TableSpec

SHOWN = 12
"""Rows of one table that are kept of one person, the latest: all are counted."""
HOUSEHOLD = 12
SAME_ADDRESS = "same address"
_OWNER, _OTHER, _DAY, _COUNT = "__owner", "__other", "__day", "__count"
_KIN = pl.Schema({"id": pl.String(), "other": pl.String(), "what": pl.String(), "since": pl.String()})


@dataclass(frozen=True)
class TableRows:
    """The latest rows of one table that some records have, sorted by record: `frame` has the record's id, how many
    rows there are in all, the latest day in them, and the columns that are shown."""

    table: str
    columns: tuple[str, ...]
    frame: pl.DataFrame

    def held(self, rows: Sequence[tuple[Any, ...]]) -> Held:
        """What one record has, from its rows of the frame."""
        shown = [
            {name: text for name, value in zip(self.columns, row[3:], strict=True)
             if value is not None and (text := value if type(value) is str else plain(value))}
            for row in rows
        ]  # fmt: skip
        return Held(self.table, rows[0][1], rows[0][2] or "", tuple(shown) if self.columns else ())


@dataclass(frozen=True)
class Around:
    """What was found: rows by table, and who is related to whom (`id`, `other`, `what`, `since`), once each,
    sorted by `id`."""

    held: Sequence[TableRows]
    kin: pl.DataFrame


def around(job: Job, config: LinkageConfig, ids: pl.Series) -> Around:
    """Rows and relationships of some records, as `space:key`. Of a register that is not of people its rows are
    counted only: an invoice says whose it is, and not everybody may see who that is."""
    register = {spec.target for spec in job.specs if spec.name in config.tables}
    keys = {space: keys_of(ids, space) for space in {config.space(spec.system) for spec in job.specs}}
    held, kin = list[TableRows](), [pl.DataFrame(schema=_KIN)]
    for spec in job.specs:
        if spec.name in config.tables or spec.merged_only:
            continue
        people, space = _people_columns(job, spec, register), config.space(spec.system)
        rows = _clean(job, spec) if people and keys[space].len() else None
        if rows is None:
            continue
        if config.is_people and len(people) > 1:
            kin.append(_relations(spec, rows, people, keys[space], space))
        else:
            held.append(
                _rows_of(job, spec, rows, people[0], keys[space], space, counted_only=not config.is_people)
            )
    return Around(held, _once(pl.concat(kin)))


def keys_of(ids: pl.Series, space: str) -> pl.Series:
    """The keys of the records of one space, as they stand in its tables."""
    before = f"{space}:"
    return ids.filter(ids.str.starts_with(before)).str.slice(len(before)).alias(KEY)


def _people_columns(job: Job, spec: TableSpec, register: Collection[str]) -> list[str]:
    """The columns that name somebody of the register, in the order of the target: its first one is whose row it
    is, whatever the order in the spec."""
    found = {column.name for column in spec.columns if column.references in register and not column.evidence}
    order = [column.name for column in job.target.by_name[spec.target].columns]
    return sorted(found, key=lambda name: order.index(name) if name in order else len(order))


def _clean(job: Job, spec: TableSpec) -> pl.LazyFrame | None:
    batches = job.ledger.sealed(job.run, "transform", spec.name, "clean")
    return pl.concat([batch.scan() for batch in batches]) if batches else None


def _rows_of(
    job: Job, spec: TableSpec, rows: pl.LazyFrame, owner: str, keys: pl.Series, space: str, *, counted_only: bool
) -> TableRows:
    days = [
        name
        for name, kind in rows.collect_schema().items()
        if kind.is_temporal() and not name.startswith(EVIDENCE)
    ]
    until = _past(days, job.day)
    shown = [] if counted_only else [c.name for c in spec.columns if _may_be_shown(c.name, spec, owner)]
    found = (
        rows.join(keys.to_frame().lazy(), left_on=owner, right_on=KEY, how="semi")
        .select(
            pl.col(owner).alias(_OWNER), pl.col(KEY).alias("__key"), *shown,
            (pl.max_horizontal(until) if until else pl.lit(None, dtype=pl.String)).alias(_DAY),
        )
        .sort(_OWNER, _DAY, "__key", descending=[False, True, False], nulls_last=True)
        .with_columns(pl.len().over(_OWNER).alias(_COUNT), pl.col(_DAY).max().over(_OWNER))
        .filter(pl.int_range(pl.len()).over(_OWNER) < (1 if counted_only else SHOWN))
        .collect()
    )  # fmt: skip
    named = _with_labels(job, spec, found, owner)
    record = (pl.lit(f"{space}:") + pl.col(_OWNER)).alias("id")
    return TableRows(
        spec.name, tuple(shown), named.select(record, _COUNT, _DAY, *(as_text(named, n) for n in shown))
    )


def as_text(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A column as `plain` writes its values, where that can be said for all at once; else as it is."""
    kind, column = frame.schema[name], pl.col(name)
    if kind == pl.Date or kind.is_integer():
        return column.cast(pl.String)
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        day, minute = column.dt.strftime("%Y-%m-%d"), column.dt.strftime("%Y-%m-%d %H:%M")
        return pl.when(column.dt.time() == dt.time()).then(day).otherwise(minute).alias(name)
    return column


def _past(days: Sequence[str], today: dt.date) -> list[pl.Expr]:
    """Days as text, those to come left out: an end that is planned is no activity."""
    texts = [pl.col(name).cast(pl.Date).cast(pl.String) for name in days]
    return [pl.when(text <= today.isoformat()).then(text) for text in texts]


def _may_be_shown(name: str, spec: TableSpec, owner: str) -> bool:
    column = next(column for column in spec.columns if column.name == name)
    return not column.evidence and name != owner and column.type.name != "text" and column.value is None


def _with_labels(job: Job, spec: TableSpec, frame: pl.DataFrame, owner: str) -> pl.DataFrame:
    """Keys of other tables replaced by what is called a name there, where there is one."""
    for column in spec.columns:
        if column.references and column.name != owner and column.name in frame.columns:
            names = _names_in(job, column.references, spec.system, frame.get_column(column.name))
            known = frame.join(names, left_on=column.name, right_on=KEY, how="left", maintain_order="left")
            frame = known.with_columns(pl.col("__text").alias(column.name)).drop("__text")
    return frame


def _names_in(job: Job, target: str, system: str, keys: pl.Series) -> pl.DataFrame:
    """KEY and `__text`, one row for each of these keys that has a name."""
    found = [pl.DataFrame(schema={KEY: pl.String, "__text": pl.String})]
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
            wanted = keys.unique().alias(KEY).to_frame().lazy()
            found.append(rows.select(KEY, text.alias("__text")).join(wanted, on=KEY, how="semi").collect())
    return pl.concat(found).unique(KEY, keep="last", maintain_order=True)


def _relations(
    spec: TableSpec, rows: pl.LazyFrame, people: Sequence[str], keys: pl.Series, space: str
) -> pl.DataFrame:
    """Relationships from either side; one that is mirrored in another spec is told once by `_once`."""
    owner, other = people[:2]
    there = rows.collect_schema()
    kind = next((c.name for c in spec.loaded if c.name not in people[:2] and there.get(c.name) == pl.String), None)
    day = next((name for name, dtype in there.items() if dtype.is_temporal()), None)
    words = (pl.col(kind) if kind else pl.lit(None, dtype=pl.String)).replace("", None).fill_null("related")
    what = words.str.replace_all("_", " ", literal=True).str.to_lowercase()
    since = (pl.col(day).cast(pl.Date).cast(pl.String) if day else pl.lit(None, dtype=pl.String)).fill_null("")
    mine = rows.select(
        pl.col(owner).alias(_OWNER), pl.col(other).alias(_OTHER), what.alias("what"), since.alias("since")
    )
    back = mine.select(
        pl.col(_OTHER).alias(_OWNER), pl.col(_OWNER).alias(_OTHER), pl.lit(_HAS) + pl.col("what"), "since"
    )
    both = pl.concat([mine, back.rename({"literal": "what"})]).filter(pl.col(_OWNER) != pl.col(_OTHER))
    found = both.join(keys.to_frame().lazy(), left_on=_OWNER, right_on=KEY, how="semi")
    before = pl.lit(f"{space}:")
    return found.select(
        (before + pl.col(_OWNER)).alias("id"), (before + pl.col(_OTHER)).alias("other"), "what", "since"
    ).collect()


_HAS = "has as "


def _once(found: pl.DataFrame) -> pl.DataFrame:
    """One relation to each other person, the one that says what the other is to this one where there is one."""
    first = found.sort(pl.col("what").str.starts_with(_HAS), "what", "since")
    return first.unique(["id", "other"], keep="first", maintain_order=True).sort("id", "what", "other")


def at_home(register: pl.DataFrame, roles: Mapping[str, str], ids: pl.Series) -> pl.DataFrame:
    """Who else is at the same address (`id`, `other`, sorted by both), for each of some records; large houses are
    cut short."""
    parts = home_of(roles)
    if not parts or not ids.len():
        return pl.DataFrame(schema={"id": pl.String, "other": pl.String})
    lived = register.select("id", *parts).drop_nulls(parts)
    mine = lived.join(ids.alias("id").to_frame(), on="id", how="semi")
    lived = lived.join(mine.select(parts).unique(), on=parts, how="semi")
    beside = mine.join(lived, on=parts, how="inner", suffix="_other").filter(pl.col("id") != pl.col("id_other"))
    found = beside.select("id", pl.col("id_other").alias("other")).sort("id", "other")
    return found.filter(pl.int_range(pl.len()).over("id") < HOUSEHOLD)


def households(register: pl.DataFrame, roles: Mapping[str, str], ids: Collection[str]) -> dict[str, list[str]]:
    """The same, by record."""
    found = defaultdict[str, list[str]](list)
    for one, other in at_home(register, roles, pl.Series(sorted(ids), dtype=pl.String)).iter_rows():
        found[one].append(other)
    return found


def home_of(roles: Mapping[str, str]) -> list[str]:
    """The columns that make an address by which people belong to one household; none where too few are there."""
    parts = [roles[role] for role in ("house", "street", "postcode") if role in roles]
    return parts if len(parts) > 1 else []


def plain(value: Any) -> str:
    """A value as a person reads it; a time at midnight is a day."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ", "minutes")
    return str(value)
