"""What a linkage gives back, and the files it is written to."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.dedupe.linkage.model.kept import KeptModel
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Patterns
from casebridge.dedupe.linkage.own_files import refuse_others
from casebridge.project.batch import write_file, write_text

DIAGNOSTICS = "diagnostics.json"
RESULTS = (
    DIAGNOSTICS, "model.json", "pairs.parquet", "clusters.parquet", "cut.parquet", "evaluation.json",
    "evaluation.html",
)  # fmt: skip
"""What a linkage leaves in a folder. Diagnostics are written first, and say that the others are a linkage's."""


@dataclass(frozen=True)
class Linkage:
    """What a linkage found.

    pairs: left_id, right_id, p_same, relation, weight (log2 odds of one person), and one level column a
    comparison (label; null where there was no evidence), zone (same, review, apart) and guard (of the clusters,
    where one cut the pair). clusters: id, cluster. model: what model.json
    holds. diagnostics: counts of the run, seconds by step, warnings. cut: pairs a cluster guard set aside.
    fitted and patterns: the model and the pattern counts it was fitted to, for `second_opinion`.
    kept: what scores other registers without training.
    """

    pairs: pl.DataFrame
    clusters: pl.DataFrame
    model: dict[str, Any]
    diagnostics: dict[str, Any]
    cut: pl.DataFrame
    fitted: Model
    patterns: Patterns
    kept: KeptModel | None = None

    def write(self, folder: str | Path) -> None:
        """Write diagnostics and model (.json), pairs, clusters and cut (.parquet) into `folder`, in place of
        another linkage's. Raises RegisterError where one of these files is somebody else's."""
        where = Path(folder)
        refuse_others_results(where)
        write_text(where / DIAGNOSTICS, json.dumps(self.diagnostics, indent=1) + "\n")
        frames = {"pairs": self.pairs, "clusters": self.clusters, "cut": self.cut}
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda name: write_file(where / f"{name}.parquet", frames[name].write_parquet), frames))
        write_text(where / "model.json", json.dumps(self.model, indent=1) + "\n")


def refuse_others_results(folder: str | Path) -> None:
    """Raises RegisterError where a folder holds a file that a linkage would write over and none wrote."""
    refuse_others(Path(folder), RESULTS, DIAGNOSTICS, "rows", "steps")
