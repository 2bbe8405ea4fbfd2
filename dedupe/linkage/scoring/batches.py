"""All candidate pairs of a register scored, batch by batch, and what they then look like."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, Pairs
from casebridge.dedupe.linkage.blocking.yields import Judge
from casebridge.dedupe.linkage.comparisons.levels import Comparison
from casebridge.dedupe.linkage.fields import LinkOptions
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Patterns, Radix, count_patterns, distinct
from casebridge.dedupe.linkage.scoring.cascade import Prune, Scored, Scorer


def score_all(scorer: Scorer, candidates: BlockedPairs, options: LinkOptions) -> tuple[Scored, Prune]:
    """Score every candidate pair, batch by batch; the result is in the order of the batches."""
    prune = Prune()
    candidates = candidates.largest_first()

    def work(piece: tuple[int, int, int]) -> tuple[Scored, Prune]:
        return scorer.score(*candidates.pairs(piece))

    with ThreadPoolExecutor(options.threads) as pool:
        parts = list(pool.map(work, candidates.slices(options.batch)))
    prune.merge(part for _, part in parts)
    none = np.zeros(0, dtype=np.int32)
    empty = Scored(none, none, none.astype(np.int64), none.astype(np.int64))
    kept = [part for part, _ in parts] or [empty]
    together = Scored(
        np.concatenate([part.left for part in kept]),
        np.concatenate([part.right for part in kept]),
        np.concatenate([part.codes for part in kept]),
        np.concatenate([part.witnesses for part in kept]),
    )
    return together, prune


def among_all(scorer: Scorer) -> Judge:
    """Judges any pairs of records, whoever brought them together."""

    def judge(pairs: Pairs) -> tuple[Pairs, NDArray[np.float64]]:
        scored, _ = scorer.score(*pairs)
        codes, place = distinct(scored.codes)
        return (scored.left, scored.right), scorer.model.among_all(scorer.radix.decode(codes))[place]

    return judge


def complete(
    model: Model, comparisons: Sequence[Comparison], sample: Patterns, kept: NDArray[np.int64], keep: float
) -> Patterns:
    """Patterns of every kept pair, and of the sampled pairs that were not kept: where decisions are made
    the model need not rest on a sample."""
    radix = Radix.of(comparisons)
    below = (
        model.log_odds(sample.levels) < np.log(keep / (1 - keep))
        if keep > 0
        else np.zeros(len(sample.weight), bool)
    )
    lesser = radix.encode(list(sample.levels[below].T))
    weight = np.concatenate([np.ones(len(kept)), sample.weight[below]])
    return count_patterns(radix, np.concatenate([kept, lesser]), weight)
