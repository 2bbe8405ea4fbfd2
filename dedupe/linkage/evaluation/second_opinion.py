"""A second opinion: recordlinkage's ECM on the same patterns. The only door to recordlinkage (and pandas)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import recordlinkage
from numpy.typing import NDArray

from casebridge.dedupe.linkage.evaluation.diagnosis import m_and_u
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Patterns

MOST_ROWS = 50_000
ALIKE = 0.9


def second_opinion(model: Model, patterns: Patterns, seed: int) -> dict[str, Any]:
    """What a two-class, two-level ECM (Fellegi-Sunter by EM, as recordlinkage has it) makes of the patterns.

    Each comparison becomes one column: does the level speak for one person. The ECM knows no households and
    no missing values, so it is no judge; but where it calls sure pairs of ours unsure, something is wrong.
    Returns share_ours, share_ecm (of pairs called one person), `agree` (share of pairs both call alike),
    and `sure_apart`: of the pairs this engine is sure of (p >= 0.99), the share the ECM rejects.
    """
    rows = _sampled(patterns, seed)
    features = _agreements(model, patterns)[rows]
    varied = [name for n, name in enumerate(model.comparisons) if 0 < features[:, n].sum() < len(features)]
    p = model.relations(patterns.levels)[rows, 0]
    if len(varied) < 2 or len(rows) < 10:
        return {"ran": False, "reason": "too little varies"}
    frame = pd.DataFrame(features, columns=list(model.comparisons))[varied]
    frame.index = pd.MultiIndex.from_arrays([np.arange(len(rows)), np.arange(len(rows)) + len(rows)])
    found = recordlinkage.ECMClassifier(init="jaro", max_iter=100, atol=1e-4).fit_predict(frame)
    ecm = np.zeros(len(rows), dtype=bool)
    ecm[found.get_level_values(0).to_numpy()] = True
    ours, sure = p >= 0.5, p >= 0.99
    apart = float((~ecm[sure]).mean()) if sure.any() else 0.0
    return {
        "ran": True, "share_ours": float(ours.mean()), "share_ecm": float(ecm.mean()),
        "agree": float((ours == ecm).mean()), "sure_apart": apart,
        "alarm": float((ours == ecm).mean()) < ALIKE,
    }  # fmt: skip


def _agreements(model: Model, patterns: Patterns) -> NDArray[np.int64]:
    columns = []
    for place in range(len(model.comparisons)):
        m, u = m_and_u(model, place)
        speaks = np.append(m > u, False)
        columns.append(speaks[patterns.levels[:, place]].astype(np.int64))
    return np.stack(columns, axis=1)


def _sampled(patterns: Patterns, seed: int) -> NDArray[np.int64]:
    """Patterns repeated as often as they stand, or a sample of that."""
    total = patterns.weight.sum()
    if total <= MOST_ROWS:
        return np.repeat(np.arange(len(patterns.weight)), np.round(patterns.weight).astype(np.int64))
    random = np.random.default_rng(seed)
    return random.choice(len(patterns.weight), MOST_ROWS, p=patterns.weight / total)
