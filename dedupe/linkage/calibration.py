"""Which pairs bear witness to the calibration, and what they make of the model (see `witnesses`)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dedupe.linkage.blocking import Candidates
from dedupe.linkage.model import Model
from dedupe.linkage.patterns import count_codes, distinct
from dedupe.linkage.scoring import Scored, Scorer
from dedupe.linkage.witnesses import fit_curve


def hear_witnesses(model: Model, scorer: Scorer, candidates: Candidates, scored: Scored) -> Model:
    """The model with its log odds put right by the pairs of which both records hold a number that names a
    person. Both kinds of witness are chosen without the number: the rest of the evidence would have kept them,
    and a rule that does not ask for the number has brought them in."""
    number = scorer.number
    if number is None:
        return model
    radix = scorer.radix
    alike = np.flatnonzero(radix.digit(scored.codes, number.place) == number.same)
    found, place = distinct(scored.codes[alike])
    pairs = alike[scorer.reach(number.without(radix.decode(found)))[place]]
    others = Candidates(tuple(b for b in candidates.blocks if model.comparisons[number.place] not in b.rule))
    pairs = pairs[others.captures(scored.left[pairs], scored.right[pairs]) > 0]
    same, differs = count_codes(scored.codes[pairs]), count_codes(scored.witnesses)
    codes = np.union1d(same[0], differs[0])
    if not len(codes):
        return model
    counts = np.zeros((2, len(codes)))
    for row, (which, many) in enumerate((same, differs)):
        counts[row, np.searchsorted(codes, which)] = many
    without = number.without(radix.decode(codes))
    chances = [np.exp(model.log_chances[number.place][:, level]) for level in (number.same, number.differs)]
    rates = [
        float(np.average((chances[0] / (chances[0] + chances[1]))[who], weights=model.shares[who]))
        for who in (model.same, ~model.same)
    ]
    curve = fit_curve(number, model.log_odds(without), counts[0], counts[1], (rates[0], rates[1]))
    return replace(model, curve=curve)
