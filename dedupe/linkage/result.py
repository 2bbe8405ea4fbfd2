"""What a linkage gives back, and the files it is written to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from casebridge.dedupe.linkage.model.kept import KeptModel
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Patterns
from casebridge.project.batch import write_file, write_text


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
        """Write pairs, clusters and cut (.parquet), model and diagnostics (.json) into `folder`."""
        where = Path(folder)
        for name, frame in (("pairs", self.pairs), ("clusters", self.clusters), ("cut", self.cut)):
            write_file(where / f"{name}.parquet", frame.write_parquet)
        write_text(where / "model.json", json.dumps(self.model, indent=1) + "\n")
        write_text(where / "diagnostics.json", json.dumps(self.diagnostics, indent=1) + "\n")
