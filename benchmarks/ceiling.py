"""How well the same evidence could be weighed if the truth were known: gradient boosting on levels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

from casebridge.dedupe.linkage import Fields, LinkOptions
from casebridge.dedupe.linkage.blocking.candidates import blocked_pairs
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.reading import read_register


def supervised_f1(frame: pl.DataFrame, fields: Fields, rules: Sequence[tuple[str, ...]], total: int) -> float:
    """Best F1, by two-fold cross-validation over people, of boosting on every candidate pair's levels and on
    how often the names agreed on are held; recall over all `total` true pairs."""
    register = read_register(frame, fields, PERSON)
    person = frame["person"].to_numpy()[register_order(register, frame, fields)]
    comparisons = comparisons_for(register, tuple(fields.other))
    candidates = blocked_pairs(register, fields, LinkOptions(rules=tuple(rules)))
    parts, hits, fold = [], [], []
    for piece in candidates.slices(1 << 20):
        left, right = candidates.pairs(piece)
        sides = register.sides(left, right)
        parts.append(np.stack([c.full(*sides) for c in comparisons], axis=1))
        hits.append(person[left] == person[right])
        fold.append((np.minimum(person[left], person[right]) * 2654435761 >> 7) % 2)
    levels, hit, half = np.concatenate(parts), np.concatenate(hits), np.concatenate(fold)
    score = np.zeros(len(hit))
    for k in (0, 1):
        model = HistGradientBoostingClassifier(max_iter=300, learning_rate=0.1, max_leaf_nodes=63, random_state=1)
        score[half == k] = model.fit(levels[half != k], hit[half != k]).predict_proba(levels[half == k])[:, 1]
    order = np.argsort(-score, kind="stable")
    f1 = 2 * np.cumsum(hit[order]) / (np.arange(len(hit)) + 1 + total)
    return float(f1.max())


def register_order(register: object, frame: pl.DataFrame, fields: Fields) -> np.ndarray:
    """Row of the file behind each row of the encoded register."""
    rows = frame.select(pl.col(fields.id).alias("id")).with_row_index("row")
    ids = pl.DataFrame({"id": register.ids})  # type: ignore[attr-defined]
    return ids.join(rows, on="id", how="left", maintain_order="left")["row"].to_numpy()
