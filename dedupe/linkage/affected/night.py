"""What changed records do to pairs and clusters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from casebridge.dedupe.linkage.affected.linked import LinkedRegister
from casebridge.dedupe.linkage.engine import Progress
from casebridge.dedupe.linkage.errors import RegisterError
from casebridge.dedupe.linkage.fields import LinkOptions

ENDS = ("left_id", "right_id")


@dataclass(frozen=True)
class Affected:
    """What changed records did to a linked register.

    linked: the register as it is now. pairs: as `Linkage.pairs`, those that are new or of which anything changed,
    with p_before and zone_before (null: new). gone: left_id, right_id, p_before, zone_before of pairs that stand
    no more. clusters: id, cluster, before (null: a new record) of records whose cluster changed. left: ids that
    left the register. cut: pairs that a guard of the clusters set aside. counts: of records and pairs looked at.
    """

    linked: LinkedRegister
    pairs: pl.DataFrame
    gone: pl.DataFrame
    clusters: pl.DataFrame
    left: pl.Series
    cut: pl.DataFrame
    counts: dict[str, int]
    warnings: list[str]


def link_affected(
    linked: LinkedRegister,
    changed: pl.DataFrame | pl.LazyFrame,
    gone: Iterable[Any] = (),
    options: LinkOptions | None = None,
    progress: Progress | None = None,
) -> Affected:
    """Bring a linked register up to date: `changed` are rows that are new or say something else now, `gone` ids of
    records that are no more.

    The pairs, cuts and clusters are those of a full run with the same model on the register as it is now. options:
    all decisions as they stand; what the model says of how to score is taken from the model. Raises RegisterError
    for rows that cannot be read as the model's register was.
    """
    options = options or LinkOptions()
    key = linked.fields.id
    before = linked.frames["register"]
    fresh = changed.lazy().select(before.columns).collect()
    if fresh.schema[key] != before.schema[key]:
        raise RegisterError(f"The ids of the changed rows are {fresh.schema[key]}, not {before.schema[key]}.")
    out = pl.Series([*gone, *options.no_link], dtype=before.schema[key])
    kept_rows = before.filter(~pl.col(key).is_in(fresh[key].implode()) & ~pl.col(key).is_in(out.implode()))
    register = pl.concat([kept_rows, fresh.cast(before.schema)])
    names = dict(linked.clusters().filter(pl.col("id").is_in(register[key].implode())).iter_rows())
    now = LinkedRegister.of(register, linked.fields, linked.kept, options, progress, names)
    pairs, gone_pairs = pairs_changed(linked.pairs(), now.pairs())
    clusters = now.clusters().join(linked.clusters().rename({"cluster": "before"}), on="id", how="left")
    left = before[key].filter(~before[key].is_in(now.ids().implode()))
    counts = {"rows": now.rows, "changed": fresh.height, "gone": len(left)}
    return Affected(
        now, pairs, gone_pairs, clusters.filter(pl.col("cluster").ne_missing(pl.col("before"))), left, now.cut(),
        counts, [],
    )  # fmt: skip


def pairs_changed(before: pl.DataFrame, now: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pairs that are new or of which anything changed, with p and zone before; and those that stand no more."""
    same = now.join(before, on=now.columns, how="semi", nulls_equal=True).select(ENDS)
    was = before.select(*ENDS, pl.col("p_same").alias("p_before"), pl.col("zone").alias("zone_before"))
    found = now.join(same, on=ENDS, how="anti", maintain_order="left")
    gone = was.join(now.select(ENDS), on=ENDS, how="anti", maintain_order="left")
    return found.join(was, on=ENDS, how="left", maintain_order="left"), gone
