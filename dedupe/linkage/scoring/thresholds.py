"""Where to draw the line, from what the model itself expects: no truth is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LEAST = 0.5
HOPELESS = 0.75
"""An expected F1, of the pairs that blocking brings together, below which no p is believed but where a number
agrees that names one entity."""
PROMISED, FIRM = 0.95, 0.9
"""Where the columns do not tell: the share of what is put forward that is to be right; and the least p of a pair
where a column is lacking without which relations cannot be told apart, and the rest is thin: such a model is too
sure of the middle."""
OPTIMISM, HOMELESS, LUCK = 2.0, 1.25, 1.8
"""Of what few columns put forward twice as many are wrong as the model expects where an address is held: people of
one home look alike in more than their names. Where none is held as many are wrong as it expects, and a quarter
is to spare (442 of `benchmarks.thin`, pairs at 0.9 or more: 1.86 and 0.99 times as many). LUCK: the standard
errors to spare, so that luck breaks the promise in 1 register of 10: wrong pairs come several at once, of all
records of two people."""
ENOUGH = 0.9
"""Where such an F1 is expected of the pairs that blocking brings together, relations can be told apart, and no
decision hangs on a belief (or on one whose careful side was taken), the columns are not few: the model is believed
as it stands (historical_figures_50k: own F1 0.837, it was 0.807; of 20,000 organisations, whose decisions hang on
a belief, 0.864 would be right, not 0.965)."""
ONE_PAIR = 1.0
"""Where fewer pairs of one person are expected in all, and none is more likely one person than two, there is
nothing to judge the columns by: the register may be clean. The threshold is LEAST then, so that a model kept of it
finds what comes later."""


def best_expected_f1(p: NDArray[np.float64], weight: NDArray[np.float64], beyond: float) -> tuple[float, float]:
    """The p, LEAST or more, that maximises the expected F1 of proposing all pairs at or above it, and that F1.

    weight: pairs each p stands for. beyond: true pairs expected elsewhere (below the kept pairs, or lost to
    blocking). Expected F1 = 2 TP / (proposed + true), in expectation over independent pairs; its optimum is
    near half the best F1 (Lipton, Elkan and Naryanaswamy 2014). Where the columns are thin and the best F1 is low
    that is a p at which most pairs are two people: F1 counts one more found as dearly as one more wrong. A tool
    that merges people may not, and stops at LEAST: no pair is proposed that is more likely two people than one.
    """
    if len(p) == 0:
        return LEAST, 0.0
    order = np.argsort(-p, kind="stable")
    ordered, many = p[order], weight[order]
    true = float((ordered * many).sum()) + beyond
    hits, proposed = np.cumsum(ordered * many), np.cumsum(many)
    f1 = 2 * hits / np.maximum(proposed + true, 1e-12)
    last = np.append(ordered[1:] != ordered[:-1], True) & (ordered >= LEAST)
    if not last.any():
        return LEAST, 0.0
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float(ordered[best]), float(f1[best])


def safe_threshold(
    p: NDArray[np.float64], chance: NDArray[np.float64], weight: NDArray[np.float64], expected_f1: float,
    spare: bool, blind: bool, homes: bool = True, hangs: bool = False,
    hidden: float | NDArray[np.float64] = 0.0,
) -> float:  # fmt: skip
    """The least p, LEAST or more, from which on PROMISED of the pairs are one person even if the model errs by
    OPTIMISM, where columns are few or decisions hang on a belief (by HOMELESS where it is blind and no `homes` are
    held), and by LUCK where that is to `spare`; 1 where there is none. FIRM or more where the register is `blind`,
    and columns are few or decisions hang on a belief.
    chance: what is believed of each; p is held below that where a person is to decide, which is a rule and no
    estimate. hangs: whether decisions hang on a belief of which no careful side was taken. hidden: pairs of two
    for each pair of one person among which they hide, nothing telling them (`identified.hidden`)."""
    order = np.argsort(-p, kind="stable")
    ordered, many = p[order], weight[order]
    few = OPTIMISM if homes or not blind else HOMELESS
    errs = few if blind or hangs or expected_f1 < ENOUGH else 1.0
    wrong = np.cumsum(((errs * (1 - chance) + hidden * chance) * weight)[order])
    if spare:
        wrong += LUCK * np.sqrt(wrong)
    promised = wrong <= (1 - PROMISED) * np.cumsum(many)
    last = np.append(ordered[1:] != ordered[:-1], True)[: len(p)]
    unsure = blind and (hangs or expected_f1 < ENOUGH)
    safe = last & (ordered >= (FIRM if unsure else LEAST)) & promised
    return float(ordered[safe].min()) if safe.any() else 1.0


def expected_false_merges(p: NDArray[np.float64], weight: NDArray[np.float64]) -> list[dict[str, float]]:
    """For a scale of thresholds: pairs proposed, how many of them the model expects to be wrong, and how
    many true pairs it expects below."""
    rows = []
    for threshold in (0.5, 0.8, 0.9, 0.95, 0.99, 0.999):
        above = p >= threshold
        rows.append(
            {
                "p": threshold,
                "proposed": float(weight[above].sum()),
                "expected_false": float(((1 - p) * weight)[above].sum()),
                "expected_missed": float((p * weight)[~above].sum()),
            }
        )
    return rows
