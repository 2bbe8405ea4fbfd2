"""Is the model to be trusted? What it looks like, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.comparisons.levels import Comparison
from casebridge.dedupe.linkage.fields import LinkOptions
from casebridge.dedupe.linkage.model.background import ENOUGH
from casebridge.dedupe.linkage.model.calibration import KNOTS
from casebridge.dedupe.linkage.model.mixture import Model
from casebridge.dedupe.linkage.model.patterns import Patterns
from casebridge.dedupe.linkage.model.third_records import LABELS, ThirdRecords
from casebridge.dedupe.linkage.model.third_records import NAME as THIRD_RECORD
from casebridge.dedupe.linkage.register.encoding import Register

FEW_PAIRS = 30.0
UNSURE = 0.25
THIN = 0.9
MUCH_LOST = 0.1


def describe(model: Model, thirds: ThirdRecords, options: LinkOptions) -> dict[str, Any]:
    """The model as model.json has it: each component's share of the candidate pairs and chances by level."""
    return {
        "seed": options.seed,
        "versions": {"polars": pl.__version__, "numpy": np.__version__},
        "rounds": model.rounds,
        "converged": model.converged,
        "log_likelihood_per_pair": model.log_likelihood,
        "components": [
            {"name": c.name, "relation": c.relation, "share": float(s)}
            for c, s in zip(model.components, model.shares, strict=True)
        ],
        "background": _background(model),
        "namesakes": _namesakes(model),
        "calibration": _calibration(model),
        THIRD_RECORD: _thirds(thirds),
        "comparisons": [
            {"name": name, "levels": [_level(model, place, n, label) for n, label in enumerate(labels)]}
            for place, (name, labels) in enumerate(zip(model.comparisons, model.labels, strict=True))
        ],
    }


def _namesakes(model: Model) -> dict[str, float] | None:
    """Pairs of strangers who share forename, surname and birth date, as counted with dates moved."""
    pairs = None if model.held is None else model.held.count.pairs
    return None if pairs is None else {"pairs": pairs}


def _calibration(model: Model) -> dict[str, Any] | None:
    """The shift of the log odds (natural) that numbers borne as witnesses ask for, that of pairs of one name and
    date apart, and how many spoke."""
    if model.curve is None:
        return None
    return {
        "number": model.comparisons[model.curve.number.place],
        "witnesses": model.curve.witnesses,
        "log_odds": KNOTS.tolist(),
        "shift": model.curve.shift[0].tolist(),
        "shift_of_namesakes": model.curve.shift[1].tolist(),
    }


def _thirds(thirds: ThirdRecords) -> dict[str, Any]:
    """The comparison with third records: chances among pairs of one person and of two, and pairs that had one."""
    levels = [
        {"label": label, "m": float(m), "u": float(u), "bits": float(np.log2(m / u))}
        for label, m, u in zip(LABELS, *thirds.chances, strict=True)
    ]
    return {"pairs": thirds.pairs, "levels": levels}


def _background(model: Model) -> dict[str, Any]:
    """Pairs of strangers as a multiple of the candidate pairs, where fewer than `enough` of the comparisons
    `telling` are known."""
    floor = model.background
    telling = [name for place, name in enumerate(model.comparisons) if floor.telling >> place & 1]
    return {"share": float(np.exp(floor.share)), "enough": ENOUGH, "telling": telling}


def _level(model: Model, place: int, number: int, label: str) -> dict[str, Any]:
    chances = np.exp(model.log_chances[place][:, number])
    m, u = m_and_u(model, place)
    return {
        "label": label,
        "m": float(m[number]),
        "u": float(u[number]),
        "bits": float(np.log2(m[number] / u[number])),
        "by_component": [float(c) for c in chances],
        "at_random": float(np.exp(model.background.log_chances[place][number])),
    }


def m_and_u(model: Model, place: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Chance of each level of a comparison among pairs of one person, and among all other candidate pairs."""
    chances = np.exp(model.log_chances[place][:, :-1])
    same = model.same
    return (
        np.average(chances[same], axis=0, weights=model.shares[same]),
        np.average(chances[~same], axis=0, weights=model.shares[~same]),
    )


def thin_evidence(hangs: Mapping[str, float], expected_f1: float, believed: bool) -> list[str]:
    """Warnings that the columns do not tell: what the decisions hang on, and how much is expected to be missed.
    Where there is one, only pairs that are expected to be right in 95 of 100 cases are put forward; only
    those that share a number where nothing else is `believed`."""
    what = "Only what is safe" if believed else "Nothing but what shares a number that names one person or thing"
    found = [
        f"The columns do not tell {name}: {share:.0%} of the decisions hang on what is believed of it. {what} is "
        "put forward; more columns would help."
        for name, share in hangs.items()
    ]
    if expected_f1 < THIN:
        found.append(
            f"The columns are thin: at best an F1 of {expected_f1:.2f} is expected, so true pairs are missed. "
            f"{what} is put forward."
        )
    elif not believed:
        found.append(f"Nothing tells those of one home apart. {what} is put forward.")
    return found


def blocking_loses(found: float, missed: float, uneven: float) -> list[str]:
    """A warning where blocking may lose much: true pairs found, and missed. uneven: the share that is
    found where pairs differ much in how easily they are. Of fewer than FEW_PAIRS in all no share is told."""
    least = missed / max(found + missed, 1e-9)
    most = max(least, 1 - uneven)
    if most <= MUCH_LOST or found + missed < FEW_PAIRS:
        return []
    share = f"{least:.0%} to {most:.0%}" if round(100 * least) < round(100 * most) else f"{most:.0%}"
    return [
        f"No blocking rule brings together {share} of the true pairs, as is estimated from a sample "
        "and from how many rules make each pair: these are missed whatever the threshold."
    ]


def neighbours_only(rules: Sequence[Mapping[str, Any]], most: int) -> list[str]:
    """A warning where records are alike in so much that they are not all compared. rules: facts of each; most:
    records of a block."""
    many = max((int(rule["blocks_windowed"]) for rule in rules), default=0)
    if not many:
        return []
    return [
        f"{many:,} groups of more than {most:,} records are alike in all that groups are divided by: each of "
        "these records is compared with its neighbours only, and what is expected of them is too low."
    ]


def diagnose(
    model: Model,
    comparisons: Sequence[Comparison],
    patterns: Patterns,
    p: NDArray[np.float64],
    register: Register,
) -> dict[str, Any]:
    """Facts about the fit and `warnings`, each a sentence to show to whoever runs the linkage. p: the chance that
    pairs of each pattern are of one entity."""
    expected = float((p * patterns.weight).sum())
    between = float((p * (1 - p) * patterns.weight).sum()) / max(expected, 1e-9)
    warnings = list(register.notes)
    if not model.converged:
        warnings.append(
            f"The model had not settled after {model.rounds} rounds: treat its probabilities with care."
        )
    if expected < FEW_PAIRS:
        warnings.append(
            "Fewer than 30 duplicate pairs are expected: the probabilities rest on the starting beliefs."
        )
    if between > UNSURE:
        warnings.append(
            f"The columns do not separate one {register.kind.name.replace('_', ' ')} from two: most decisions are "
            "close to a guess."
        )
    if len(comparisons) < 3:
        warnings.append("Fewer than three comparisons: the relations can hardly be told apart.")
    warnings += [note for name, note in register.kind.guards.lacking.items() if name not in model.comparisons]
    disorder = out_of_order(model, patterns) if expected >= 1 else []
    warnings += [
        f"{name}: agreement weighs less than disagreement; look whether the column holds what its role says."
        for name in disorder
    ]
    return {
        "expected_same_in_sample": expected,
        "unsure": between,
        "out_of_order": disorder,
        "warnings": warnings,
    }


def out_of_order(model: Model, patterns: Patterns) -> list[str]:
    """Comparisons whose best agreement (the first levels that pairs show) says less for one person than the last
    one."""
    found = []
    for place, name in enumerate(model.comparisons):
        if len(model.labels[place]) < 2:
            continue
        seen = np.bincount(
            patterns.levels[:, place], weights=patterns.weight, minlength=len(model.labels[place]) + 1
        )
        m, u = m_and_u(model, place)
        bits = np.log2(m / u)[: model.groups[place][0]]
        shown = bits[seen[: len(bits)] > 0]
        if len(shown) > 1 and shown[: max(1, len(shown) // 3)].max() < shown[-1]:
            found.append(name)
    return found
