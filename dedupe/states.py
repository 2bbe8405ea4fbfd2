"""What became of each candidate pair: it waits, it was decided, or it is below what is put forward."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import polars as pl

from casebridge.dedupe.candidates import CandidatePairs
from casebridge.dedupe.review.crosswalk import Groups
from casebridge.dedupe.review.decisions import SETTLING, Decision

Pair = tuple[str, str]


def with_states(
    every: Sequence[CandidatePairs], decisions: Sequence[Decision], grouped: Groups, asked: Collection[Pair],
    raised: pl.DataFrame,
) -> pl.DataFrame:  # fmt: skip
    """The candidate pairs of all registers: left_id, right_id, p_same, relation, weight, zone, guard, a level for
    each comparison of any register, and as `_with_state` has it."""
    frames = []
    for found in every:
        mine = [said for said in decisions if found.of.owns(said.left_id)]
        wanted = [pair for pair in asked if found.of.owns(pair[0])]
        frames.append(_with_state(found, mine, grouped, wanted, raised))
    if len(frames) == 1:
        return frames[0]
    plain = [frame.with_columns(pl.col(pl.Enum, pl.Categorical).cast(pl.String)) for frame in frames]
    return pl.concat(plain, how="diagonal_relaxed")


def _with_state(
    found: CandidatePairs, decisions: Sequence[Decision], grouped: Groups, asked: Sequence[Pair],
    raised: pl.DataFrame,
) -> pl.DataFrame:  # fmt: skip
    """The candidate pairs of a register, each undecided, decided, or below what is put forward. `conflict`:
    decisions contradict; `asked_for`: somebody asked for it, and linkage did not put it forward; `changed`: why a
    pair that was decided *different* comes back."""
    ruled = pl.DataFrame(
        {
            "left_id": [item.left_id for item in decisions],
            "right_id": [item.right_id for item in decisions],
            "ruling": [str(item.verdict) for item in decisions],
        },
        schema={"left_id": pl.String, "right_id": pl.String, "ruling": pl.String},
    )
    torn = sorted({item for ids in grouped.conflicts if found.of.owns(ids[0]) for item in ids})
    together = {item: number for number, ids in enumerate(grouped.merging) for item in ids}
    group = {side: pl.col(side).replace_strict(together, default=None, return_dtype=pl.Int64)
             for side in ("left_id", "right_id")}  # fmt: skip
    decided = pl.col("ruling").is_in([str(item) for item in SETTLING])
    conflict = pl.col("left_id").is_in(torn) & pl.col("right_id").is_in(torn)
    state = (
        pl.when(conflict | pl.col("changed").is_not_null()).then(pl.lit("undecided"))
        .when(decided | (group["left_id"] == group["right_id"]).fill_null(False)).then(pl.lit("decided"))
        .when((pl.col("p_same") >= found.propose) | pl.col("asked_for")).then(pl.lit("undecided"))
        .otherwise(pl.lit("below"))
    )  # fmt: skip
    wanted = pl.DataFrame(asked, schema={"left_id": pl.String, "right_id": pl.String}, orient="row")
    more = pl.concat([_contradicted(found, ruled, torn), _not_found(found, wanted)]).unique(maintain_order=True)
    pairs = pl.concat([found.pairs.read(), more], how="diagonal_relaxed")
    pairs = pairs.join(ruled, on=["left_id", "right_id"], how="left", maintain_order="left")
    wanted = wanted.with_columns(asked_for=pl.lit(True))
    pairs = pairs.join(wanted, on=["left_id", "right_id"], how="left", maintain_order="left")
    pairs = pairs.join(raised, on=["left_id", "right_id"], how="left", maintain_order="left")
    put_forward = (pl.col("p_same") >= found.propose).fill_null(False)
    return pairs.with_columns(asked_for=pl.col("asked_for").fill_null(False) & ~put_forward).with_columns(
        state.alias("state"), conflict.alias("conflict")
    )


def _contradicted(found: CandidatePairs, ruled: pl.DataFrame, torn: list[str]) -> pl.DataFrame:
    """Pairs of conflicting decisions that linkage did not propose: they too go back to review."""
    in_conflict = pl.col("left_id").is_in(torn) & pl.col("right_id").is_in(torn)
    return _not_found(found, ruled.filter(in_conflict).select("left_id", "right_id"))


def _not_found(found: CandidatePairs, wanted: pl.DataFrame) -> pl.DataFrame:
    """Those of some pairs that linkage did not find."""
    return wanted.join(found.pairs.read(["left_id", "right_id"]), on=["left_id", "right_id"], how="anti")
