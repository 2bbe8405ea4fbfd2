"""Some records of a linked register, scored and grouped under its kept model by themselves.

What is said of a pair depends on the two records and the model, so a part gives what the whole would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs
from casebridge.dedupe.linkage.clusters import DECIDED, build_clusters, cluster_names, cuts, edges_of
from casebridge.dedupe.linkage.comparisons.levels import SURE, Comparison
from casebridge.dedupe.linkage.engine import compared
from casebridge.dedupe.linkage.fields import Fields, LinkOptions
from casebridge.dedupe.linkage.kind import Kind
from casebridge.dedupe.linkage.model.kept import KeptModel
from casebridge.dedupe.linkage.register.encoding import Register, ends, pair_key
from casebridge.dedupe.linkage.register.records import Records
from casebridge.dedupe.linkage.scoring.cascade import Scored, Scorer
from casebridge.dedupe.linkage.scoring.probabilities import (
    pairs_frame,
    score_patterns,
    score_together,
    surest_first,
)
from casebridge.dedupe.linkage.scoring.zones import REVIEW, SAME, with_zones, zones

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]
NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Seen:
    """Pairs that blocking makes and the model keeps, each judged alone: numbers of the two records, the one whose
    id comes first on the left; code of the pattern; p."""

    left: Rows
    right: Rows
    codes: NDArray[np.int64]
    p: NDArray[np.float64]

    def at(self, which: NDArray[Any]) -> Seen:
        """Some of the pairs."""
        return Seen(self.left[which], self.right[which], self.codes[which], self.p[which])

    @classmethod
    def together(cls, parts: Sequence[Seen]) -> Seen:
        """All pairs of several."""

        def all_of(name: str) -> NDArray[Any]:
            return np.concatenate([NONE, *(getattr(one, name) for one in parts)])

        p = np.concatenate([np.zeros(0), *(one.p for one in parts)])
        return cls(all_of("left"), all_of("right"), all_of("codes"), p)

    def touching(self, rows: Flags) -> Flags:
        """Pairs of which one record at least is flagged."""
        return np.asarray(rows[self.left] | rows[self.right])

    @property
    def sure(self) -> Flags:
        """Pairs that are one person without more."""
        return np.asarray(self.p >= SURE)


@dataclass(frozen=True)
class Applied:
    """A kept model, what people decided, and the records it is applied to."""

    kept: KeptModel
    fields: Fields
    kind: Kind
    options: LinkOptions
    records: Records

    def part(self, rows: Rows) -> Part:
        """Some of the records, by number, each once."""
        register, ordered = self.records.register(rows, empty_register(self.kind, self.kept))
        return self.of(register, ordered.astype(np.int64))

    def of(self, register: Register, rows: Rows, comparisons: list[Comparison] | None = None) -> Part:
        """A register that holds these rows, in their order; comparisons: its own, where they are at hand."""
        where = np.full(len(self.records), -1, dtype=np.int32)
        where[rows] = np.arange(len(rows), dtype=np.int32)
        comparisons = comparisons or compared(register, self.fields, self.options, self.kept)
        source = register.source if self.fields.link_only else None
        allowed = BlockedPairs((), source, register.pair_keys(self.options.not_pairs))
        return Part(self, register, rows, where, comparisons, allowed)


def empty_register(kind: Kind, kept: KeptModel) -> Register:
    """A register without rows, read as the kept model reads."""
    shared = set(kept.known.names("shared"))
    return Register(0, pl.Series("id", [], dtype=pl.String), kind, {}, {}, known=kept.known, shared=shared)


@dataclass(frozen=True)
class Part:
    """Records as a register of their own. rows: the number of each in the whole; where: of each in the whole its
    row here, or -1. allowed: pairs that may meet."""

    of: Applied
    register: Register
    rows: Rows
    where: NDArray[np.int32]
    comparisons: list[Comparison]
    allowed: BlockedPairs

    def score(self, pairs: NDArray[np.uint64]) -> Seen:
        """Of these pairs (keys of numbers in the whole) those that the model keeps, each judged alone."""
        one, other = (self.where[rows] for rows in ends(pairs))
        left, right = np.minimum(one, other), np.maximum(one, other)
        may = self.allowed.allowed(left, right)
        left, right = left[may], right[may]
        options = self.of.options
        self.register.build_row_table()
        scorer = Scorer(self.register, self.of.kept.first, self.comparisons, options.keep)
        pieces = [slice(at, at + options.batch) for at in range(0, len(left), options.batch)]
        with ThreadPoolExecutor(options.threads) as pool:
            batches = pool.map(lambda piece: scorer.score(left[piece], right[piece]), pieces)
            parts = [self.seen(scored) for scored, _ in batches]
        self.register.table = None
        return Seen.together(parts)

    def seen(self, scored: Scored) -> Seen:
        """Scored pairs of this register by their numbers in the whole."""
        judged = score_patterns(self.of.kind, self.of.kept.final, self.comparisons, scored.codes)
        return Seen(self.rows[scored.left], self.rows[scored.right], scored.codes, judged.p[judged.place])

    def judge(self, seen: Seen, region: Flags) -> pl.DataFrame:
        """Pairs with what third records say of them, as `Linkage.pairs` has them before clusters are made, with
        the numbers of the records for their ids; those of which one record at least is in `region`. seen: all kept
        pairs of the region's records, and the sure ones of those that these are paired with."""
        options, kept = self.of.options, self.of.kept
        left, right = self.where[seen.left], self.where[seen.right]
        scored = Scored(left, right, seen.codes, NONE)
        scored, judged, _ = score_together(
            self.register, kept.final, self.comparisons, self.allowed, scored, options, kept.thirds
        )
        at = np.flatnonzero(region[self.rows[scored.left]] | region[self.rows[scored.right]])
        scored = replace(scored, left=scored.left[at], right=scored.right[at], codes=scored.codes[at])
        judged = replace(judged, place=judged.place[at])
        p = judged.p[judged.place]
        keys = pair_key(scored.left, scored.right)
        same, different = (self.keys(pairs) for pairs in (options.same_pairs, options.different_pairs))
        zone = zones(p, judged.doubt[judged.place], kept.propose, np.isin(keys, same), np.isin(keys, different))
        order = surest_first(scored, p)
        numbered = replace(self.register, ids=pl.Series(self.rows.astype(np.uint32)))
        return with_zones(pairs_frame(numbered, self.comparisons, scored, judged, order), zone[order], no_cuts())

    def keys(self, pairs: Any) -> NDArray[np.uint64]:
        """Pair keys, in this register, of pairs of ids."""
        return self.register.pair_keys(pairs)

    def group(
        self, pairs: pl.DataFrame, previous: Mapping[Any, str] | None, others: pl.Series | None = None
    ) -> tuple[pl.Series, pl.DataFrame, pl.DataFrame]:
        """Cluster names of the records; the pairs with their zones after the guards; and what the guards cut.
        pairs: all that stand between these records. previous: cluster of each id as it was; others: names of other
        clusters."""
        before = without_guards(pairs)
        left, right = (self.where[pairs[name].to_numpy()] for name in ("left_id", "right_id"))
        p, zone = before["p_same"].to_numpy(), before["zone"]
        same, different = (self.keys(p) for p in (self.of.options.same_pairs, self.of.options.different_pairs))
        doubted = (zone == REVIEW).to_numpy() & (p < self.of.kept.propose)
        guards = self.register.kind.guards
        cannot = {DECIDED: different, guards.cut: np.sort(pair_key(left, right)[doubted])}
        edges = edges_of(left, right, p, (zone == SAME).to_numpy(), same)
        found = build_clusters(self.register.size, edges, cannot, guards.marks(self.register))
        names = cluster_names(self.register.ids, found.of, previous, others)
        cut = cuts(pl.Series(self.rows.astype(np.uint32)), found.cut)
        return names, with_zones(before.drop("zone"), _places(zone), cut), cut


def without_guards(pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs in their zones as they were before the guards of the clusters."""
    held = pl.col("guard").is_not_null() & (pl.col("zone") == REVIEW)
    zone = pl.when(held).then(pl.lit(SAME, dtype=pairs.schema["zone"])).otherwise(pl.col("zone"))
    return pairs.with_columns(zone=zone).drop("guard")


def _places(zone: pl.Series) -> NDArray[np.uint8]:
    return zone.to_physical().cast(pl.UInt8).to_numpy()


def no_cuts() -> pl.DataFrame:
    """Nothing that a guard cut."""
    return cuts(pl.Series(dtype=pl.UInt32), [])
