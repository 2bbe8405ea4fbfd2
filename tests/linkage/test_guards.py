"""What must never happen: suppressed people found, forbidden pairs met, two people in one cluster."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.kinds import PLAIN
from benchmarks.registers import make_register
from casebridge.dedupe.linkage import LinkOptions, RegisterError, link
from casebridge.dedupe.linkage.clusters import (
    DECIDED,
    Edges,
    build_clusters,
    cluster_names,
    connected,
    weak_bridges,
)
from casebridge.dedupe.linkage.comparisons.levels import SURE
from casebridge.dedupe.linkage.kinds.guards import TWINS
from tests.linkage.registers_for_tests import as_set, fields_of, proposed

FIELDS = fields_of(PLAIN)


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return make_register(2000, PLAIN, seed=21)


@pytest.fixture(scope="module")
def plain(frame):
    return link(frame, FIELDS)


def test_no_link_leaves_no_trace(frame, plain, tmp_path):
    """With people suppressed, everything is as if their rows had never been in the file."""
    hidden = sorted({person for pair in sorted(proposed(plain))[:40] for person in pair})
    suppressed = link(frame, FIELDS, LinkOptions(no_link=hidden))
    without = link(frame.filter(~pl.col("id").is_in(hidden)), FIELDS)
    assert suppressed.pairs.equals(without.pairs)
    assert suppressed.clusters.equals(without.clusters)
    assert suppressed.model == without.model
    assert {k: v for k, v in suppressed.diagnostics.items() if k != "steps"} == {
        k: v for k, v in without.diagnostics.items() if k != "steps"
    }
    suppressed.write(tmp_path)
    told = "".join(path.read_text() for path in tmp_path.glob("*.json"))
    assert not any(f'"{person}"' in told for person in hidden)


def test_no_link_of_another_type_is_an_error(frame):
    with pytest.raises(RegisterError, match="another type"):
        link(frame, FIELDS, LinkOptions(no_link=[7]))
    numbered = frame.with_columns(id=pl.col("id").cast(pl.Int64))
    with pytest.raises(RegisterError, match="another type"):
        link(numbered, FIELDS, LinkOptions(no_link=["7"]))
    gone = link(numbered, FIELDS, LinkOptions(no_link=[7]))
    assert 7 not in gone.clusters["id"]


def test_pairs_that_may_not_meet(frame, plain):
    forbidden = sorted(proposed(plain))[:50]
    found = link(frame, FIELDS, LinkOptions(not_pairs=[(b, a) for a, b in forbidden]))
    met = {(a, b) for a, b, _ in as_set(found)}
    assert met.isdisjoint(forbidden)
    assert found.diagnostics["cascade"]["candidates"] == plain.diagnostics["cascade"]["candidates"] - len(
        forbidden
    )


def test_recorded_relationship_speaks_for_two_people(frame, plain):
    two = plain.clusters.filter(pl.len().over("cluster") == 2)["id"].to_list()  # a third record would speak too
    chosen = [pair for pair in sorted(proposed(plain)) if {*pair} <= {*two}][:30]
    assert len(chosen) == 30
    found = link(frame, FIELDS, LinkOptions(related=chosen))
    weight = [
        {frozenset((a, b)): w for a, b, w in k.pairs.select("left_id", "right_id", "weight").iter_rows()}
        for k in (plain, found)
    ]
    lighter = [weight[0][frozenset(pair)] - weight[1].get(frozenset(pair), -10.0) for pair in chosen]
    assert min(lighter) > 5


def test_decided_different_never_share_a_cluster(frame, plain):
    decided = sorted(proposed(plain))[:40]
    found = link(frame, FIELDS, LinkOptions(different_pairs=decided))
    cluster = dict(found.clusters.iter_rows())
    assert all(cluster[a] != cluster[b] for a, b in decided)


def test_decided_same_always_share_a_cluster(frame):
    decided = [("00000001", "00000002"), ("00000002", "00000003")]
    cluster = dict(link(frame, FIELDS, LinkOptions(same_pairs=decided)).clusters.iter_rows())
    assert cluster["00000001"] == cluster["00000002"] == cluster["00000003"]


def test_two_valid_nhs_numbers_never_share_a_cluster(frame, plain):
    numbers = frame.select("id", "nhs").join(plain.clusters, on="id")
    valid = numbers.filter(pl.col("nhs").map_elements(_valid, return_dtype=pl.Boolean))
    assert valid.group_by("cluster").agg(pl.col("nhs").n_unique())["nhs"].max() == 1


def _valid(number: str) -> bool:
    digits = [int(d) for d in number]
    check = (11 - sum(d * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11) % 11
    return len(digits) == 10 and check == digits[9]


def test_cluster_names_outlive_a_run(frame, plain):
    names = dict(plain.clusters.iter_rows())
    renamed = {person: f"entity {name}" for person, name in names.items()}
    again = link(frame.filter(pl.int_range(pl.len()) % 50 > 0), FIELDS, LinkOptions(previous_clusters=renamed))
    kept = again.clusters.join(pl.DataFrame({"id": list(renamed), "was": list(renamed.values())}), on="id")
    assert (kept["cluster"] == kept["was"]).mean() > 0.99


def test_new_cluster_takes_no_name_in_use():
    ids = pl.Series("id", ["a", "b", "c"])
    names = cluster_names(ids, np.array([0, 1, 1]), {"a": "b"})
    assert names[0] == "b"
    assert names[1] == names[2] != "b"


def test_weak_bridge_is_cut_and_shown():
    edges = [(0, 1, 0.99), (1, 2, 0.99), (0, 2, 0.99), (3, 4, 0.99), (2, 3, 0.6)]
    assert weak_bridges(edges) == {(2, 3)}
    assert weak_bridges([*edges, (0, 4, 0.6)]) == set()
    assert weak_bridges([(a, b, 0.99) for a, b, _ in edges]) == set()
    left, right, p = (np.array(column) for column in zip(*edges, strict=True))
    found = build_clusters(5, Edges(left, right, p), {}, {})
    assert found.of.tolist() == [0, 0, 0, 3, 3]
    assert found.cut == [(2, 3, "weak bridge")]


def test_two_who_could_be_twins_are_not_joined_through_a_third():
    """1 = 2 = 3, where 1 and 3 are likelier two than one: the weaker pair is cut, unless a person decided it."""
    twins = {TWINS: np.array([0 << 32 | 2], dtype=np.uint64)}
    left, right = np.array([0, 1]), np.array([1, 2])
    found = build_clusters(3, Edges(left, right, np.array([0.99, 0.98])), twins, {})
    assert found.of.tolist() == [0, 0, 2]
    assert found.cut == [(1, 2, "two who could be twins")]
    assert build_clusters(3, Edges(left, right, np.array([2.0, 2.0])), twins, {}).of.tolist() == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
@settings(max_examples=150, deadline=None)
def test_connected_is_connected(edges):
    left, right = (np.array([e[k] for e in edges], dtype=np.int64) for k in (0, 1))
    label = connected(20, left, right)
    groups = {row: {row} for row in range(20)}
    for a, b in edges:
        joined = groups[a] | groups[b]
        for row in joined:
            groups[row] = joined
    assert label.tolist() == [min(groups[row]) for row in range(20)]


PEOPLE = 9
PLACES = st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1)).filter(lambda pair: pair[0] != pair[1])
EDGES = st.lists(st.tuples(PLACES, st.sampled_from([0.6, 0.8, 0.97, 0.99, 2.0])), max_size=16)
Apart = dict[str, set[tuple[int, int]]]


@given(EDGES, st.sets(PLACES, max_size=4), st.sets(PLACES, max_size=4),
       st.lists(st.integers(0, 3), min_size=PEOPLE, max_size=PEOPLE))  # fmt: skip
@settings(max_examples=250)
def test_clusters_are_those_of_their_definition(edges, decided, twins, numbers):
    """Surest pairs first, each unless a guard objects; then weak bridges go. As slow and plain as can be here."""
    apart = {DECIDED: decided, TWINS: twins}
    of, cut = _by_definition(edges, apart, numbers)
    left, right = (np.array([pair[side] for pair, _ in edges], dtype=np.int64) for side in (0, 1))
    found = build_clusters(
        PEOPLE,
        Edges(left, right, np.array([p for _, p in edges], dtype=np.float64)),
        {guard: np.unique(np.array([min(pair) << 32 | max(pair) for pair in pairs], dtype=np.uint64))
         for guard, pairs in apart.items()},
        {"numbers": np.array(numbers, dtype=np.uint64)},
    )  # fmt: skip
    assert found.of.tolist() == of
    assert sorted(found.cut) == sorted(cut)


def _by_definition(edges, apart: Apart, numbers: list[int]) -> tuple[list[int], list[tuple[int, int, str]]]:
    group = {row: {row} for row in range(PEOPLE)}
    same = {frozenset(pair) for pair, p in edges if p > 1}
    used, cut = [], []
    for (a, b), p in sorted(edges, key=lambda edge: (-edge[1], edge[0])):
        if group[a] is not group[b]:
            between = {(x, y) for x in group[a] for y in group[b]}
            between |= {(y, x) for x, y in between}
            reason = next(
                (g for g, pairs in apart.items() if pairs & between and not (g == TWINS and p > 1)), None
            )
            held = [{numbers[row] for row in group[side]} - {0} for side in (a, b)]
            seen = any(numbers[x] and numbers[y] and frozenset((x, y)) in same for x, y in between)
            if not reason and all(held) and len(held[0] | held[1]) > 1 and not seen:
                reason = "numbers"
            if reason:
                cut.append((a, b, reason))
                continue
            joined = group[a] | group[b]
            group.update(dict.fromkeys(joined, joined))
        used.append((a, b, p))
    weak = [n for n, (a, b, p) in enumerate(used) if p < SURE and _parts(used, n, a, b)]
    cut += [(*used[n][:2], "weak bridge") for n in weak]
    kept = [edge for n, edge in enumerate(used) if n not in weak]
    return [min(_reached(kept, row)) for row in range(PEOPLE)], cut


def _reached(edges, row: int) -> set[int]:
    there, now = {row}, {row}
    while now:
        now = {b for x, y, _ in edges for a, b in ((x, y), (y, x)) if a in now} - there
        there |= now
    return there


def _parts(used, without: int, a: int, b: int) -> bool:
    """Whether this pair alone holds together two groups of two or more."""
    rest = [edge for n, edge in enumerate(used) if n != without]
    return b not in _reached(rest, a) and min(len(_reached(rest, a)), len(_reached(rest, b))) >= 2


def test_written_files(plain, tmp_path):
    plain.write(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {
        "pairs.parquet",
        "clusters.parquet",
        "cut.parquet",
        "model.json",
        "diagnostics.json",
    }
    model = json.loads((tmp_path / "model.json").read_text())
    assert 0 < model["thresholds"]["propose"] < 1
    pairs = pl.read_parquet(tmp_path / "pairs.parquet")
    assert pairs.columns[:5] == ["left_id", "right_id", "p_same", "relation", "weight"]
    assert set(pairs["relation"].cast(pl.String).unique()) <= {
        "same",
        "twin_or_sibling",
        "household",
        "chance",
    }
