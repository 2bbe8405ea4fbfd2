"""The survivors' rows: each column with the value that the rules and the reviewers chose (`value_rules`).

A restriction is never lowered: the survivor has the strictest mark of all its records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import polars as pl

from casebridge.dedupe.review.gathering import plain
from casebridge.dedupe.review.value_rules import Overrides, Record, Survivorship, kept, survivor_of
from casebridge.project.contracts import KEY, REST, ROW
from casebridge.project.restriction import rank
from casebridge.project.target import Marks

ID, TABLE = "__id", "__table"
"""A record of people: `system:key`, and the name of its spec. A column of the target may be called `id`."""
OWN = (ID, TABLE, KEY, ROW, REST)
"""Columns of a record that are no values of its person."""
_AS_SHIPPED = Survivorship()
_NONE_SAID = Overrides()
Survivors = Mapping[str, str]
"""Each id of each group to the id of the group's survivor."""


def records_of(people: pl.DataFrame) -> dict[str, Record]:
    """The records of people (OWN, the target's columns, evidence columns), by id."""
    found = {}
    for row in people.iter_rows(named=True):
        values = {name: value for name, value in row.items() if name not in OWN and value is not None}
        texts = {name: text for name, value in values.items() if (text := plain(value))}
        found[row[ID]] = Record(row[ID], texts, len(values))
    return found


def survivors(
    merging: Sequence[Sequence[str]],
    records: Mapping[str, Record],
    rules: Survivorship = _AS_SHIPPED,
    overrides: Overrides = _NONE_SAID,
) -> dict[str, str]:
    """Who survives in each group. As shipped the record with the most filled columns, because Mosaic keeps only
    the survivor's own basic details; among equals the oldest key."""
    chosen: dict[str, str] = {}
    for ids in merging:
        group = [records.get(item, Record(item, {})) for item in ids]
        chosen.update(dict.fromkeys(ids, survivor_of(group, rules, overrides.inside(ids))))
    return chosen


def golden_rows(
    people: pl.DataFrame,
    survivor_of_each: Survivors,
    marks: Sequence[Marks],
    rules: Survivorship = _AS_SHIPPED,
    overrides: Overrides = _NONE_SAID,
    own: Collection[str] = (),
) -> pl.DataFrame:
    """The rows of survivors, in the shape of `people`, which has OWN and the target's columns for every record of
    the groups; `marks` are the columns that keep marks of restriction. A row keeps the
    survivor's key and source row, and its values in the columns `own`; the other rows are accounted for as merged,
    by the crosswalk."""
    rows = {row[ID]: row for row in people.iter_rows(named=True)}
    records, groups = records_of(people), defaultdict[str, list[str]](list)
    for item, survivor in sorted(survivor_of_each.items()):
        if item in rows:
            groups[survivor].append(item)
    strictest = _strictest(people, survivor_of_each, marks)
    made = []
    for survivor, ids in sorted(groups.items()):
        whose = kept([records[item] for item in ids], survivor, rules, overrides.inside(ids))
        values: dict[str, Any] = {name: rows[item][name] for name, item in whose.items()}
        blank = dict.fromkeys(people.columns)
        made.append(
            {**blank, **values, **strictest[survivor], **{name: rows[survivor][name] for name in (*OWN, *own)}}
        )
    return pl.DataFrame(made, schema=people.schema)


def _strictest(
    people: pl.DataFrame, survivor_of_each: Survivors, marks: Sequence[Marks]
) -> dict[str, dict[str, Any]]:
    """The strictest mark of each group, by survivor and column."""
    columns = [item for item in marks if item.column in people.columns]
    head = pl.col(ID).replace_strict(dict(survivor_of_each), default=None, return_dtype=pl.String)
    rows = people.with_columns(head.alias("__head")).drop_nulls("__head").sort(pl.col(ID).str.len_chars(), ID)
    folded = rows.group_by("__head").agg(
        pl.col(item.column)
        .sort_by(rank(item, pl.col(item.column)), descending=True, maintain_order=True)
        .drop_nulls()
        .first()
        for item in columns
    )
    return {row.pop("__head"): row for row in folded.iter_rows(named=True)}


def displaced(people: pl.DataFrame, golden: pl.DataFrame, columns: Collection[str]) -> list[str]:
    """The keys (KEY) of survivors of which a value of their own in one of these columns gave way to another's."""
    own = people.join(golden.select(ID, *columns), on=ID, suffix="__now")
    apart = [pl.col(name).is_not_null() & pl.col(name).ne_missing(pl.col(f"{name}__now")) for name in columns]
    return own.filter(pl.any_horizontal(pl.lit(False), *apart)).get_column(KEY).sort().to_list()
