"""Clusters again where something changed; and the linked register as it is now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from casebridge.dedupe.linkage.affected.change import Change
from casebridge.dedupe.linkage.affected.linked import ENDS, LinkedRegister, decisions_of, standing_pairs
from casebridge.dedupe.linkage.affected.part import Flags, Part, Rows, Seen, without_guards
from casebridge.dedupe.linkage.clusters import connected
from casebridge.dedupe.linkage.model.kept import KeptModel
from casebridge.dedupe.linkage.scoring.zones import SAME


@dataclass(frozen=True)
class Affected:
    """What changed records did to a linked register.

    linked: the register as it is now, made when it is asked for. pairs: as `Linkage.pairs`, those that are new or
    of which anything changed, with p_before and zone_before (null: new). gone: left_id, right_id, p_before,
    zone_before of pairs that stand no more. clusters: id, cluster, before (null: a new record) of records whose
    cluster changed. left: ids that left the register. cut: pairs that a guard of the clusters set aside. counts:
    of records and pairs looked at.
    """

    pairs: pl.DataFrame
    gone: pl.DataFrame
    clusters: pl.DataFrame
    left: pl.Series
    cut: pl.DataFrame
    counts: dict[str, int]
    warnings: list[str]
    _now: _Now

    @cached_property
    def linked(self) -> LinkedRegister:
        """The register as it is now. Who only wants its pairs does without: it is as large as the register."""
        return self._now.linked()

    def standing(self, least: float, also: Collection[tuple[Any, Any]] = ()) -> pl.DataFrame:
        """The pairs that stand with a p of `least` at least, as `Linkage.pairs` has them, in no order; and those
        of some ids that stand in a pair of `also`."""
        return standing_pairs(self._now.whole, self._now.standing, least, also)


@dataclass(frozen=True)
class _Now:
    """What the linked register is made of: all records that there were and are; kept pairs, standing pairs and
    cuts by their numbers in these; the rows that were grouped again, and their clusters."""

    change: Change
    seen: Seen
    standing: pl.DataFrame
    guarded: pl.DataFrame
    rows: Rows
    names: pl.Series

    @property
    def whole(self) -> LinkedRegister:
        """All records that there were and are, to name pairs by."""
        return replace(self.change.linked, records=self.change.applied.records)

    def linked(self) -> LinkedRegister:
        """Without the records that left: the others are numbered again."""
        change = self.change
        new = pl.Series([None], dtype=pl.String).new_from_index(0, len(change.came))
        borne = pl.concat([change.linked.names, new]).scatter(self.rows, self.names)
        kept = np.flatnonzero(~change.left)
        number = np.cumsum(~change.left) - 1
        ends = {name: number.astype(np.uint32) for name in ENDS}

        def numbered(pairs: pl.DataFrame) -> pl.DataFrame:
            return pairs.with_columns(
                **{name: pl.Series(table[pairs[name].to_numpy()]) for name, table in ends.items()}
            )

        return replace(
            change.linked,
            records=change.applied.records.take(kept).without_unused(),
            keys=tuple(key[kept] for key in change.keys),
            seen=replace(self.seen, left=number[self.seen.left], right=number[self.seen.right]),
            standing=numbered(self.standing),
            names=borne.gather(kept),
            guarded=numbered(self.guarded),
            decisions=decisions_of(change.applied.options, change.linked.records.ids.dtype),
        )


def grouped_again(change: Change, seen: Seen, standing: pl.DataFrame, region: Flags, scored: int) -> Affected:
    """Clusters again where a pair of the region stands in or next to them; and all as it is now."""
    linked, old = change.linked, change.linked.records
    looked = _looked_at(change, standing, region)
    part = change.applied.part(np.flatnonzero(looked))
    within = _within(standing, looked)
    previous, others = _names(change, part, looked)
    names, pairs, cut = part.group(standing.filter(within), previous, others)
    standing = pl.concat([standing.filter(~within), pairs])
    ids = pl.DataFrame({"id": part.register.ids, "cluster": names})
    before = pl.DataFrame({"id": [*previous], "before": [*previous.values()]}, schema=_named_as(old.ids))
    moved = ids.join(before, on="id", how="left", maintain_order="left")
    now = _Now(change, seen, standing, _guarded(linked.guarded, looked | change.left, cut), part.rows, names)
    named, whole = LinkedRegister.named, now.whole
    was = linked.standing.filter(
        _within(linked.standing, looked) | pl.Series(touching(linked.standing, region | change.left))
    )
    is_now = standing.filter(_within(standing, looked) | pl.Series(touching(standing, region)))
    changed, gone = pairs_changed(named(whole, was), named(whole, is_now))
    left = old.ids.filter(pl.Series(change.left[: len(old)]))
    counts = {
        "rows": int((~change.left).sum()), "changed": len(change.came), "pairs_scored": scored,
        "pairs_judged": int(region.sum()),
        "records_grouped": len(part.rows),
    }  # fmt: skip
    came = change.applied.records.ids.gather(change.came)
    return Affected(
        changed, gone, moved.filter(pl.col("cluster").ne_missing(pl.col("before"))),
        left.filter(~left.is_in(came.implode())), named(whole, cut), counts, _drift(linked.kept, standing), now,
    )  # fmt: skip


def _looked_at(change: Change, standing: pl.DataFrame, region: Flags) -> Flags:
    """Records of the clusters, before any guard, in or next to which a pair of the region stands or stood."""
    decided = change.rows_of_pairs(change.applied.options.same_pairs)
    edges, old = _edges(standing), _edges(change.linked.standing)
    started = region.copy()
    for left, right in (edges, old, decided):
        near = (region | change.left)[left] | (region | change.left)[right]
        started[left[near]] = started[right[near]] = True
    left, right = (np.concatenate([edges[k], decided[k]]) for k in (0, 1))
    component = connected(change.size, left, right)
    found = np.zeros(change.size, dtype=bool)
    found[component[started & ~change.left]] = True
    return np.asarray(found[component] & ~change.left)


def _edges(standing: pl.DataFrame) -> tuple[Rows, Rows]:
    """The pairs that clusters join, before any guard."""
    joined = without_guards(standing).filter(pl.col("zone") == SAME)
    return joined["left_id"].to_numpy().astype(np.int64), joined["right_id"].to_numpy().astype(np.int64)


def _within(pairs: pl.DataFrame, rows: Flags) -> pl.Series:
    return pl.Series(rows[pairs["left_id"].to_numpy()] & rows[pairs["right_id"].to_numpy()])


def touching(pairs: pl.DataFrame, rows: Flags) -> Flags:
    """Pairs of which one record at least is flagged."""
    return np.asarray(rows[pairs["left_id"].to_numpy()] | rows[pairs["right_id"].to_numpy()])


def _names(change: Change, part: Part, looked: Flags) -> tuple[dict[Any, str], pl.Series]:
    """The cluster of each of the part's ids as it was, by the options where they tell of it, and the names of all
    other clusters."""
    old = change.linked.records
    was = pl.DataFrame({"id": old.ids, "cluster": change.linked.names})
    mine = dict(was.join(part.register.ids.to_frame("id"), on="id", how="semi").iter_rows())
    since = change.applied.options.previous_clusters or {}
    mine |= {item: since[item] for item in part.register.ids if item in since}
    outside = ~(looked | change.left)[: len(old)]
    return mine, change.linked.names.filter(pl.Series(outside)).unique()


def _named_as(ids: pl.Series) -> dict[str, Any]:
    return {"id": ids.dtype, "before": pl.String}


def _guarded(guarded: pl.DataFrame, looked: Flags, cut: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([guarded.filter(pl.Series(~touching(guarded, looked))), cut])


def _drift(kept: KeptModel, standing: pl.DataFrame) -> list[str]:
    """Warnings of how far pairs of one person have drifted from those of the model's register."""
    weight, seen = standing["p_same"].to_numpy(), []
    for name, before in zip(kept.final.comparisons, kept.seen, strict=True):
        levels = standing[name].to_physical().cast(pl.Int64).fill_null(len(before)).to_numpy()
        counts = np.bincount(levels, weights=weight, minlength=len(before) + 1)[:-1]
        seen.append(counts.astype(np.float64))
    return kept.drift(seen)


def pairs_changed(before: pl.DataFrame, now: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Pairs that are new or of which anything changed, with p and zone before; and those that stand no more."""
    same = now.join(before, on=now.columns, how="semi", nulls_equal=True).select(ENDS)
    was = before.select(*ENDS, pl.col("p_same").alias("p_before"), pl.col("zone").alias("zone_before"))
    found = now.join(same, on=ENDS, how="anti", maintain_order="left")
    gone = was.join(now.select(ENDS), on=ENDS, how="anti", maintain_order="left")
    return found.join(was, on=ENDS, how="left", maintain_order="left"), gone
