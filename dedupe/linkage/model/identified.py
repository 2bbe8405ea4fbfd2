"""Does the answer come from the register, or from what was believed beforehand?

The mixture is fitted again from other beliefs: strangers whose agreement is bounded by nothing that was measured;
one person's dates that differ as they will, and hardly a parent and child of one name; records written worse than
expected, with beliefs of little weight.
Where columns tell people apart, all roads lead to the same decisions. Where they do not, the decisions hang on the
beliefs, and that must be said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from casebridge.dedupe.linkage.kind import CHANCE, SAME, Profile
from casebridge.dedupe.linkage.model.mixture import Component, Model
from casebridge.dedupe.linkage.model.patterns import Patterns

STRANGERS, WORSE = "how strangers agree", "how well records are written"
UNLIKE, DOUBTED = {STRANGERS: 0.03, WORSE: 0.05}, 0.0125
"""Share of the pairs called one person, beyond which two sets of decisions are not one answer. Tried on public and
made-up registers: below these the threshold lies within 0.01 F1 of the best."""
MOST_PATTERNS = 6_000  # more are shown only where columns are many, and there the fits agree
FLAT, LESS = 0.3, 0.3  # share of a flat profile in what is believed of worse records, and the weight it keeps
HARDLY = 1e-6
LINE = 0.5

Fit = Callable[[Sequence[Component]], Model]


def alternatives(components: Sequence[Component], profiles: Sequence[Profile]) -> dict[str, list[Component]]:
    """Other beliefs to start from, by name."""
    free = {one.name for one in components if not one.steady}
    doubted = {profile.doubted: profile.name for profile in profiles if profile.doubted and profile.name in free}
    return {
        STRANGERS: [replace(one, ceilings=()) if one.relation == CHANCE else one for one in components],
        **{doubt: [_hardly(one, name) for one in components] for doubt, name in doubted.items()},
        WORSE: [_worse(one) if one.relation == SAME else one for one in components],
    }


def _hardly(one: Component, doubted: str) -> Component:
    """One name and home, dates years apart: a wrong date, or a parent and child? Here hardly ever the latter."""
    if one.name == doubted:
        return replace(one, share=HARDLY, most=HARDLY)
    return replace(one, ceilings=()) if one.relation == SAME else one


def _worse(one: Component) -> Component:
    flat = tuple(np.full(len(start), start.sum() / len(start)) for start in one.start)
    start = tuple((1 - FLAT) * a + FLAT * b for a, b in zip(one.start, flat, strict=True))
    return replace(one, start=start, prior=tuple(p if np.isinf(p) else p * LESS for p in one.prior))


def hangs_on(
    model: Model, components: Sequence[Component], profiles: Sequence[Profile], patterns: Patterns, fit: Fit
) -> dict[str, float]:
    """The beliefs on which decisions hang: pairs that only one of two fits calls one person, as a share of those
    that either does, by the name of the belief. Empty where the register tells, or shows too many patterns to
    ask."""
    if len(patterns.weight) > MOST_PATTERNS:
        return {}
    mine = model.relations(patterns.levels)[:, 0] >= LINE
    found = {}
    for name, other in alternatives(components, profiles).items():
        theirs = fit(other).relations(patterns.levels)[:, 0] >= LINE
        either = patterns.weight[mine].sum() + patterns.weight[theirs].sum()
        share = float(patterns.weight[mine != theirs].sum() / max(either, 1.0))
        if share > UNLIKE.get(name, DOUBTED):
            found[name] = share
    return found
