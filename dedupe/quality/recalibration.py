"""Reviewers' answers put linkage's probabilities right: a shift of the log odds, within bounds.

The shift is linear between knots, monotone, and fitted by penalised logistic regression as the engine's own curve
is (`linkage.model.calibration`; Eilers and Marx 1996), with a rate of wrong answers allowed for. Each label counts
by the inverse of its chance of being judged (pseudo-likelihood); within a band of p the weights add up to the
effective number of labels, (Σw)²/Σw² (Kish, *Survey Sampling*, 1965), so that few heavy ones do not pass for many.

Bounds, however many answers are wrong: fewer than FEWEST labels, or than LEAST_OF_EACH of either kind, change
nothing; no pair's odds change by more than e^MOST; what linkage put forward stays put forward. Zones, cuts,
clusters and guards are left as they were, so no answer makes a pair one person by itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.model.calibration import KNOTS, ROUNDS, SIZE, STEP
from casebridge.dedupe.quality.labels import Label
from casebridge.dedupe.quality.strata import BANDS

FEWEST, LEAST_OF_EACH = 100, 5
"""Labels below which nothing changes: of all, and of each answer."""
MOST = 1.5
"""The most that log odds (natural) are shifted either way: a factor of 4.5 in the odds."""
SLIPS = 0.02
"""Answers that are wrong, as they are allowed for."""
ENGINE = "p_engine"
"""The column of pairs that keeps what linkage itself made of them."""
CALIBRATION = "calibration"
"""The fact of a run's evidence that tells what labels did."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class LabelBand:
    """Labels of one band of linkage's p: how many, and three shares of one person (of 1), each weighted: what
    linkage expected, what people found, what is expected now."""

    words: str
    labels: int
    linkage: float
    found: float
    now: float


@dataclass(frozen=True)
class Recalibration:
    """What labels did to linkage's probabilities. `used`: there were enough of them. `forward`: how many more
    pairs are put forward."""

    labels: int
    same: int
    used: bool
    forward: int = 0
    bands: tuple[LabelBand, ...] = ()

    @property
    def sentence(self) -> str:
        """In words, of which none says how many pairs there are."""
        have = f"{self.labels:,} blind check{'' if self.labels == 1 else 's'}"
        if self.used:
            return f"Linkage's probabilities were put right by what people found in {have}."
        return f"Linkage learns by {FEWEST} blind checks and more, {LEAST_OF_EACH} of each answer; it has {have}."

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), sort_keys=True)


def read_recalibration(text: str) -> Recalibration | None:
    """What `Recalibration.text` wrote; None where there is none."""
    if not text:
        return None
    body = json.loads(text)
    return Recalibration(**{**body, "bands": tuple(LabelBand(**band) for band in body["bands"])})


def enough(labels: Sequence[Label]) -> bool:
    """Whether so many labels may change anything."""
    same = sum(label.same for label in labels)
    return len(labels) >= FEWEST and min(same, len(labels) - same) >= LEAST_OF_EACH


def recalibrate(
    pairs: pl.DataFrame, labels: Sequence[Label], propose: float
) -> tuple[pl.DataFrame, Recalibration]:
    """The pairs with `p_same` put right and what linkage made of them under ENGINE; and what changed. Labels of
    pairs that linkage does not find now are left out. propose: `p_same` from which a pair is put forward."""
    rows = [(one.left_id, one.right_id, one.same, one.weight) for one in labels]
    schema = {"left_id": pl.String, "right_id": pl.String, "same": pl.Boolean, "label_weight": pl.Float64}
    said = pl.DataFrame(rows, schema=schema, orient="row").join(
        pairs.select("left_id", "right_id", "p_same").drop_nulls("p_same"), on=["left_id", "right_id"],
        maintain_order="left",
    )  # fmt: skip
    p, same, weight = (
        said.get_column(name).cast(pl.Float64).to_numpy() for name in ("p_same", "same", "label_weight")
    )
    if not enough([Label("", "", bool(one), 0.0) for one in same]):
        return pairs, Recalibration(len(same), int(same.sum()), used=False)
    shift = fit_shift(_log_odds(p), same, _effective(p, weight))
    before = pairs.get_column("p_same")
    after = pl.Series("p_same", _put_right(before.to_numpy(), shift, propose))
    forward = int(((after >= propose) & (before < propose)).sum())
    now = _put_right(p, shift, propose)
    found = Recalibration(len(same), int(same.sum()), True, forward, tuple(_bands(p, same, weight, now)))
    return pairs.with_columns(after, before.alias(ENGINE)), found


def fit_shift(log_odds: Array, same: Array, weight: Array) -> Array:
    """By how much log odds (natural) are shifted at each of KNOTS. log_odds: of each label; same: 1 or 0."""
    basis = np.stack([np.interp(log_odds, KNOTS, row) for row in np.eye(len(KNOTS))], axis=1)
    steps = np.diff(np.eye(len(KNOTS)), axis=0)
    penalty = steps.T @ steps / STEP**2 + np.eye(len(KNOTS)) / SIZE**2
    shift = np.zeros(len(KNOTS))
    for _ in range(ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(log_odds + basis @ shift, -40, 40)))
        expected = SLIPS + (1 - 2 * SLIPS) * p
        slope, spread = (1 - 2 * SLIPS) * p * (1 - p), expected * (1 - expected)
        pull, information = weight * (same - expected) / spread * slope, weight * slope**2 / spread
        step = np.linalg.solve(
            basis.T @ (information[:, None] * basis) + penalty, basis.T @ pull - penalty @ shift
        )
        shift = shift + np.clip(step, -0.5, 0.5)
    # More likely before is never less likely after.
    rising: Array = np.maximum.accumulate(KNOTS + np.clip(shift, -MOST, MOST)) - KNOTS
    return np.clip(rising, -MOST, MOST)


def _put_right(p: Array, shift: Array, propose: float) -> Array:
    """Probabilities with the shift; what was put forward stays so."""
    log_odds = _log_odds(p)
    made: Array = 1 / (1 + np.exp(-(log_odds + np.interp(log_odds, KNOTS, shift))))
    return np.where(p >= propose, np.maximum(made, propose), made)


def _log_odds(p: Array) -> Array:
    inside = np.clip(p, 1e-12, 1 - 1e-12)
    return np.asarray(np.log(inside / (1 - inside)))


def _band_of(p: Array) -> NDArray[np.int64]:
    return np.searchsorted(np.array(BANDS), p, side="right")


def _effective(p: Array, weight: Array) -> Array:
    """The weights, made to add up in each band to how many labels of equal weight would tell as much."""
    found, band = weight.copy(), _band_of(p)
    for one in np.unique(band):
        mine = weight[band == one]
        found[band == one] = mine * mine.sum() / (mine**2).sum()
    return found


def _bands(p: Array, same: Array, weight: Array, now: Array) -> list[LabelBand]:
    band, edges = _band_of(p), (0.0, *BANDS, 1.0)
    return [
        LabelBand(f"{edges[one]:g} to {edges[one + 1]:g}", int((band == one).sum()),
                  *(round(float(np.average(part[band == one], weights=weight[band == one])), 4)
                    for part in (p, same, now)))
        for one in np.unique(band)
    ]  # fmt: skip
