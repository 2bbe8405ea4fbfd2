"""The answer depends on the rows alone: not on their order, the batches or the threads."""

from __future__ import annotations

import dataclasses

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import Linkage, LinkOptions, link
from casebridge.dedupe.linkage.blocking.candidates import blocked_pairs
from casebridge.dedupe.linkage.blocking.keys import BlockedPairs, build_blocks
from casebridge.dedupe.linkage.comparisons.registry import comparisons_for
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.model import namesakes
from casebridge.dedupe.linkage.model.beliefs import RandomAgreement
from casebridge.dedupe.linkage.model.patterns import Radix
from casebridge.dedupe.linkage.model.training import Learner, Strangers, training_patterns
from casebridge.dedupe.linkage.register.encoding import Register
from casebridge.dedupe.linkage.register.reading import read_register
from casebridge.dedupe.linkage.scoring.cascade import Scorer
from tests.linkage.registers_for_tests import as_set, fields_of

FIELDS = fields_of(PLAIN)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return make_register(2500, PLAIN, seed=5)


@pytest.fixture(scope="module")
def register(frame: pl.DataFrame) -> Register:
    return read_register(frame, FIELDS, PERSON)


@pytest.fixture(scope="module")
def first(frame: pl.DataFrame) -> Linkage:
    return link(frame, FIELDS)


def test_order_of_rows(frame, first):
    second = link(frame.sample(fraction=1.0, shuffle=True, seed=8), FIELDS)
    assert first.pairs.equals(second.pairs)
    assert first.model == second.model
    assert first.clusters.sort("id").equals(second.clusters.sort("id"))


@pytest.mark.parametrize(
    "options", [LinkOptions(batch=977), LinkOptions(threads=1), LinkOptions(batch=1 << 22, threads=4)]
)
def test_batches_and_threads(frame, first, options):
    assert as_set(link(frame, FIELDS, options)) == as_set(first)


def test_seed_is_the_only_luck_and_lazy_is_eager(frame, first):
    again = link(frame.lazy(), FIELDS)
    assert again.model == first.model
    assert as_set(again) == as_set(first)


@pytest.fixture(scope="module")
def fitted(register):
    """Comparisons, candidates, the model fitted to them, and the levels of every candidate pair. Namesakes are
    counted, though the register is small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(namesakes, "LEAST", 1)
        comparisons, candidates = comparisons_for(register), blocked_pairs(register, FIELDS, LinkOptions())
        samples, sampled = training_patterns(register, candidates, comparisons, Radix.of(comparisons), 100_000)
        chance_of = RandomAgreement(register, comparisons, 20)
        strangers = Strangers(chance_of, False, candidates.blocks)
        model = Learner(chance_of, candidates, strangers).learn(samples, candidates, sampled)
    return comparisons, candidates, model


def test_comparisons_are_symmetric(register):
    random = np.random.default_rng(3)
    left, right = random.integers(0, register.size, (2, 4000)).astype(np.int32)
    near = np.minimum(left + 1, register.size - 1)
    for comparison in comparisons_for(register):
        for a, b in ((left, right), (left, near)):
            there, back = comparison.full(*register.sides(a, b)), comparison.full(*register.sides(b, a))
            np.testing.assert_array_equal(there, back, err_msg=comparison.name)


def test_no_pair_twice(register):
    found = blocked_pairs(register, FIELDS, LinkOptions())
    for size in (500, 10**9):
        batches = [found.pairs(piece) for piece in found.slices(size)]
        keys = np.concatenate([a.astype(np.int64) << 32 | b for a, b in batches])
        assert len(keys) == len(np.unique(keys))
        assert all((a < b).all() for a, b in batches)


def test_candidates_are_all_pairs_that_share_a_key(register):
    found = blocked_pairs(
        register, FIELDS, LinkOptions(rules=(("surname", "birth_date"), ("postcode", "forename")))
    )
    made = {(int(a), int(b)) for piece in found.slices(1000) for a, b in zip(*found.pairs(piece), strict=True)}
    rows = pl.DataFrame(
        {k: register.columns[k] for k in ("surname", "birth_date", "postcode", "forename")}
    ).with_row_index("row")
    wanted = set()
    for keys in (["surname", "birth_date"], ["postcode", "forename"]):
        held = rows.filter(
            pl.all_horizontal((pl.col(k) > 0) | ((pl.col(k) == 0) & (pl.lit(k) != "birth_date")) for k in keys)
        )
        pairs = held.join(held, on=keys).filter(pl.col("row") < pl.col("row_right"))
        wanted |= set(pairs.select("row", "row_right").iter_rows())
    assert wanted <= made
    assert len(made - wanted) <= 2  # two keys may share 32 bits by accident


def test_cascade_keeps_what_scoring_everything_keeps(register, fitted):
    comparisons, candidates, model = fitted
    scorers = {keep: Scorer(register, model, comparisons, keep) for keep in (0.01, 0.3, 0.9)}
    brute, kept = {keep: set() for keep in scorers}, {keep: set() for keep in scorers}
    for piece in candidates.slices(20_000):
        left, right = candidates.pairs(piece)
        levels = np.stack([c.full(*register.sides(left, right)) for c in comparisons], axis=1)
        p = model.relations(levels)[:, 0]
        for keep, scorer in scorers.items():
            good = p >= keep
            brute[keep] |= set(zip(left[good].tolist(), right[good].tolist(), strict=True))
            found, prune = scorer.score(left, right)
            kept[keep] |= set(zip(found.left.tolist(), found.right.tolist(), strict=True))
            assert prune.seen["after cheap evidence"] <= prune.seen["candidates"] == len(left)
    assert kept == brute
    assert len(kept[0.9]) > 100


def test_bound_is_never_below_what_is_reached(register, fitted):
    comparisons, candidates, model = fitted
    left, right = candidates.pairs(candidates.slices(10**6)[0])
    assert model.held is not None
    quick = np.stack([c.quick(*register.sides(left, right)) for c in comparisons], axis=1)
    full = np.stack([c.full(*register.sides(left, right)) for c in comparisons], axis=1)
    assert (model.bound(quick, [c.opens for c in comparisons]) >= model.log_odds(full) - 1e-9).all()


@given(st.lists(st.integers(0, 6), min_size=2, max_size=60), st.integers(2, 9))
@settings(max_examples=60, deadline=None)
def test_blocks_pair_each_two_alike_once(values, limit):
    register = Register(
        len(values), pl.Series(range(len(values))), PERSON, {"forename": np.array(values, dtype=np.int32)}, {}
    )
    blocks = build_blocks(register, ("forename",), limit)
    made = [
        p
        for piece in BlockedPairs((blocks,)).slices(7)
        for p in zip(*BlockedPairs((blocks,)).pairs(piece), strict=True)
    ]
    alike = {(i, j) for i, a in enumerate(values) for j in range(i + 1, len(values)) if a == values[j]}
    assert len(made) == len(set(made))
    assert set(made) <= alike
    if max(values.count(v) for v in values) <= limit:
        assert set(made) == alike


def test_options_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LinkOptions().keep = 0.5  # type: ignore[misc]
