"""Which pairs bear witness to the calibration, and what they make of the model (see `witnesses`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from casebridge.dedupe.linkage.blocking.keys import BlockedPairs
from casebridge.dedupe.linkage.fields import CALIBRATION
from casebridge.dedupe.linkage.model.calibration import Number, fit_curve
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Radix, count_codes, distinct
from casebridge.dedupe.linkage.scoring.cascade import Scored, Scorer


def hear_witnesses(
    model: Model, scorer: Scorer, candidates: BlockedPairs, scored: Scored, without: frozenset[str] = frozenset()
) -> Model:
    """The model with its log odds put right by the pairs of which both records hold a number that names a
    person. Both kinds of witness are chosen without the number: the rest of the evidence would have kept them,
    and a rule that does not ask for the number has brought them in."""
    number = scorer.number
    if number is None or CALIBRATION in without:
        return model
    radix = scorer.radix
    alike = np.flatnonzero(radix.digit(scored.codes, number.place) == number.same)
    found, place = distinct(scored.codes[alike])
    pairs = alike[scorer.reach(number.without(radix.decode(found)))[place]]
    others = BlockedPairs(tuple(b for b in candidates.blocks if model.comparisons[number.place] not in b.rule))
    pairs = pairs[others.captures(scored.left[pairs], scored.right[pairs]) > 0]
    witnesses = [scored.codes[pairs], scored.witnesses]
    if not len(np.concatenate(witnesses)):
        return model
    codes, counts = _without_number(number, radix, witnesses)
    chances = [np.exp(model.log_chances[number.place][:, level]) for level in (number.same, number.differs)]
    rates = [
        float(np.average((chances[0] / (chances[0] + chances[1]))[who], weights=model.shares[who]))
        for who in (model.same, ~model.same)
    ]
    levels = radix.decode(codes)
    curve = fit_curve(
        number, model.log_odds(levels), counts[0], counts[1], (rates[0], rates[1]), model.counted(levels)
    )
    return replace(model, curve=curve)


def _without_number(
    number: Number, radix: Radix, witnesses: list[NDArray[np.int64]]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Codes of the witnesses' patterns, the number left out, in order; how many of each kind of witness show
    each, shape (kinds, patterns)."""
    found = []
    for codes in witnesses:
        which, many = count_codes(codes)
        found.append((radix.encode(list(number.without(radix.decode(which)).T)), many))
    patterns = np.unique(np.concatenate([which for which, _ in found]))
    counts = [np.bincount(np.searchsorted(patterns, which), many, len(patterns)) for which, many in found]
    return patterns, np.stack(counts)
