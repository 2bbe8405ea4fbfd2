"""The cascade against scoring everything to the end: three comparisons made up, so that each step is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebridge.dedupe.linkage.comparisons.levels import Comparison, Level
from casebridge.dedupe.linkage.kind import CHANCE, SAME
from casebridge.dedupe.linkage.model.background import ALL_ANSWER, Background
from casebridge.dedupe.linkage.model.mixture import Component, Model
from casebridge.dedupe.linkage.scoring.cascade import KEEP, KNOWN, SPEAKS, CutCache, Prune, Scorer

ROWS = 24
RANDOM = np.random.default_rng(4)
NAME = RANDOM.integers(0, 4, (ROWS, ROWS)).astype(np.uint8)
"""What looking at the names gives: the same, alike, unlike, missing."""
NUMBER = RANDOM.choice(np.array([0, 1, 2, 2], np.uint8), (ROWS, ROWS))
"""Of a number that names a person: the same, another, missing."""
TOWN = RANDOM.choice(np.array([0, 1, 1, 2], np.uint8), (ROWS, ROWS))
LEVELS = (NAME, NUMBER, TOWN)
UNSETTLED = 4


@dataclass(frozen=True)
class Side:
    """Rows on one side of pairs."""

    rows: np.ndarray

    def take(self, places: np.ndarray) -> Side:
        return Side(self.rows.take(places))


class Rows:
    """A register that knows nothing but its rows."""

    def sides(self, left: np.ndarray, right: np.ndarray) -> tuple[Side, Side]:
        return Side(left), Side(right)


def _quick_name(left: Any, right: Any) -> np.ndarray:
    """Unlike or missing is seen at once; the same or alike only when it is looked at."""
    found = NAME[left.rows, right.rows]
    return np.where(found < 2, UNSETTLED, found).astype(np.uint8)


def _levels(*labels: str) -> tuple[Level, ...]:
    return tuple(Level(label, (0.5, 0.5)) for label in labels)


COMPARISONS = (
    Comparison("name", _levels("same", "alike", "unlike"), _quick_name,
               settle=lambda left, right: NAME[left.rows, right.rows], opens=((0, 1),)),
    Comparison("number", _levels("same", "another"), lambda left, right: NUMBER[left.rows, right.rows],
               identifier=True, witness=(0, 1)),
    Comparison("town", _levels("same", "another"), lambda left, right: TOWN[left.rows, right.rows]),
)  # fmt: skip
CHANCES = (
    [[0.7, 0.25, 0.05], [0.02, 0.08, 0.9]], [[0.95, 0.05], [0.001, 0.999]], [[0.8, 0.2], [0.3, 0.7]],
)  # fmt: skip
"""Of each comparison: the chances of its levels in pairs of one person, and in pairs of two."""


def _model(turned: bool = False) -> Model:
    """`turned`: two different numbers speak for one person."""
    chances = [CHANCES[0], CHANCES[1][::-1] if turned else CHANCES[1], CHANCES[2]]
    log = tuple(np.concatenate([np.log(table), np.zeros((2, 1))], axis=1) for table in map(np.array, chances))
    components = tuple(Component(name, relation, 0.5, (), ()) for name, relation in (("s", SAME), ("c", CHANCE)))
    labels = tuple(tuple(comparison.labels()) for comparison in COMPARISONS)
    names = tuple(comparison.name for comparison in COMPARISONS)
    return Model(names, labels, components, np.array([0.1, 0.9]), log, 1, True, 0.0, _no_floor(log))


def _no_floor(log_chances: Sequence[np.ndarray]) -> Background:
    """Strangers of whom none stand beside the components."""
    return Background.of([np.ones(table.shape[1] - 1) for table in log_chances], 1.0, ALL_ANSWER)


LEFT, RIGHT = (side.astype(np.int32) for side in np.triu_indices(ROWS, 1))
FULL = np.stack([table[LEFT, RIGHT] for table in LEVELS], axis=1)
UNNUMBERED = np.stack([FULL[:, 0], np.full(len(FULL), 2, np.uint8), FULL[:, 2]], axis=1)


@pytest.mark.parametrize("keep", [0.0, 0.02, 0.3, 0.9])
@pytest.mark.parametrize(("numbered", "turned"), [(True, False), (True, True), (False, False)])
def test_what_is_kept_is_what_scoring_everything_keeps(keep: float, numbered: bool, turned: bool) -> None:
    comparisons = COMPARISONS if numbered else (COMPARISONS[0], COMPARISONS[2])
    whole = _model(turned)
    places = [0, 1, 2] if numbered else [0, 2]
    log = tuple(whole.log_chances[place] for place in places)
    model = replace(whole, log_chances=log, background=_no_floor(log))
    scorer = Scorer(Rows(), model, comparisons, keep)  # type: ignore[arg-type]
    needed = np.log(keep / (1 - keep)) if keep else -np.inf
    patterns = FULL[:, places]
    kept = model.log_odds(patterns) >= needed
    # An open name is at best the same one, for both.
    best = np.where(patterns[:, [0]] < 2, 0, patterns[:, [0]])
    may = model.log_odds(np.hstack([best, patterns[:, 1:]]).astype(np.uint8)) >= needed
    speaks = np.zeros(len(kept), dtype=bool)
    if numbered:
        differs = FULL[:, 1] == 1
        speaks = differs & (model.log_odds(UNNUMBERED) >= needed)
        free = np.where(UNNUMBERED[:, [0]] < 2, 0, UNNUMBERED)[:, [0]]
        unnumbered = np.hstack([free, UNNUMBERED[:, 1:]]).astype(np.uint8)
        may |= differs & (model.log_odds(unnumbered) >= needed)
    for _ in range(2):  # what was found of a pattern is found of it again
        found, prune = scorer.score(LEFT, RIGHT)
        assert list(zip(found.left, found.right, strict=True)) == list(zip(LEFT[kept], RIGHT[kept], strict=True))
        assert found.codes.tolist() == scorer.radix.encode(list(patterns[kept].T)).tolist()
        assert found.witnesses.tolist() == scorer.radix.encode(list(patterns[speaks].T)).tolist()
        assert prune.seen == {
            "candidates": len(LEFT), "after cheap evidence": may.sum(),
            "looked at: name": (may & (NAME[LEFT, RIGHT] < 2)).sum(), "kept": kept.sum(),
        }  # fmt: skip
    assert bool(keep) == bool(0 < kept.sum() < len(kept))
    assert not numbered or turned or bool(keep) == (may & ~kept).any()
    assert scorer.reach(patterns).tolist() == kept.tolist()


def test_a_pair_on_the_threshold_is_kept() -> None:
    """However the sums of logarithms are rounded."""
    model = _model()
    for level in FULL[:40]:
        p = float(1 / (1 + np.exp(-model.log_odds(level[None, :])[0])))
        scorer = Scorer(Rows(), model, COMPARISONS, p)  # type: ignore[arg-type]
        assert scorer.reach(level[None, :]).all()
        assert not scorer.reach(level[None, :].copy()).any() or scorer.needed <= model.log_odds(level[None, :])[0]
        above = Scorer(Rows(), model, COMPARISONS, min(p * 1.0001, 1 - 1e-9))  # type: ignore[arg-type]
        assert not above.reach(level[None, :]).any()


@given(st.lists(st.lists(st.integers(0, 2**61 - 1), max_size=30), max_size=6))
@settings(max_examples=30)
def test_each_pattern_is_judged_once(batches: list[list[int]]) -> None:
    """And a code that stands where another stood is judged again, never taken for it."""
    cache, judged = CutCache(), []

    def judge(codes: np.ndarray) -> np.ndarray:
        judged.extend(codes.tolist())
        assert len(set(codes.tolist())) == len(codes)
        return (np.where(codes % 2 == 0, KEEP, 0) | np.where(codes % 3 == 0, SPEAKS, 0) | KNOWN).astype(np.uint8)

    for batch in batches:
        codes = np.array(batch, dtype=np.int64)
        for _ in range(2):
            verdict = cache.of(codes, judge)
            assert (verdict & KEEP != 0).tolist() == [code % 2 == 0 for code in batch]
            assert (verdict & SPEAKS != 0).tolist() == [code % 3 == 0 for code in batch]
    few = np.array([5, 7, 5, 5, 7, 0], dtype=np.int64)
    for _ in range(3):
        cache.of(few, judge)
    judged.clear()
    cache.of(few, judge)
    assert judged == []


def test_what_was_pruned_adds_up() -> None:
    one, other = Prune(), Prune()
    for step, pairs in (("candidates", 5), ("kept", 2), ("kept", 1)):
        one.add(step, pairs)
    other.add("candidates", 7)
    other.merge([one, one])
    assert (one.seen, other.seen) == ({"candidates": 5, "kept": 3}, {"candidates": 17, "kept": 6})
