"""Clusters and their names, on groups small enough to be worked out by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebridge.dedupe.linkage import Fields
from casebridge.dedupe.linkage.clusters import (
    DECIDED,
    Edges,
    build_clusters,
    cluster_names,
    connected,
    edges_of,
    grouped,
)
from casebridge.dedupe.linkage.kinds.guards import TWINS
from casebridge.dedupe.linkage.kinds.person import PERSON
from casebridge.dedupe.linkage.register.reading import read_register

SURELY = 0.99


def _keys(*pairs: tuple[int, int]) -> np.ndarray:
    return np.array([a << 32 | b for a, b in pairs], dtype=np.uint64)


def _edges(*edges: tuple[int, int, float]) -> Edges:
    left, right, p = zip(*edges, strict=True) if edges else ((), (), ())
    return Edges(np.array(left, np.int64), np.array(right, np.int64), np.array(p, np.float64))


def test_what_was_decided_the_same_comes_first_and_counts_once() -> None:
    left, right = (np.array(rows, np.uint32) for rows in ((0, 2, 4, 1), (1, 3, 5, 6)))
    joined = np.array([True, True, False, True])
    edges = edges_of(left, right, np.array([0.9, 0.8, 0.7, 0.6]), joined, _keys((2, 3), (7, 8)))
    assert edges.left.tolist() == [2, 7, 0, 1]
    assert edges.right.tolist() == [3, 8, 1, 6]
    assert edges.p.tolist() == [2.0, 2.0, 0.9, 0.6]
    assert edges.left.dtype == edges.right.dtype == np.int64


def test_a_guard_is_asked_for_each_cluster_alone() -> None:
    """Rows far apart in the register, clusters that no guard has to do with, and a mark that is the highest."""
    edges = _edges((10, 11, SURELY), (11, 12, 0.98), (20, 21, SURELY), (30, 31, SURELY), (40, 41, 2.0))
    mark = np.zeros(50, dtype=np.uint64)
    mark[[20, 30, 31, 40, 41]] = 5, np.iinfo(np.uint64).max, 7, 8, 9
    found = build_clusters(50, edges, {TWINS: _keys((10, 12), (21, 30)), DECIDED: _keys((1, 2))}, {"marks": mark})
    assert found.cut == [(30, 31, "marks"), (11, 12, TWINS)]
    want = list(range(50))
    want[11], want[21], want[41] = 10, 20, 40
    assert found.of.tolist() == want


def test_two_who_could_be_twins_are_not_joined_through_a_third():
    """1 = 2 = 3, where 1 and 3 are likelier two than one: the weaker pair is cut, unless a person decided it."""
    twins = {TWINS: np.array([0 << 32 | 2], dtype=np.uint64)}
    left, right = np.array([0, 1]), np.array([1, 2])
    found = build_clusters(3, Edges(left, right, np.array([0.99, 0.98])), twins, {})
    assert found.of.tolist() == [0, 0, 2]
    assert found.cut == [(1, 2, "two who could be twins")]
    assert build_clusters(3, Edges(left, right, np.array([2.0, 2.0])), twins, {}).of.tolist() == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=40))
@settings(max_examples=100)
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
@settings(max_examples=200)
def test_clusters_are_those_of_their_definition(edges, decided, twins, numbers):
    """Surest pairs first, each unless a guard objects. As slow and plain as can be here."""
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
    cut = []
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
    return [min(group[row]) for row in range(PEOPLE)], cut


def test_a_pair_that_is_certain_is_not_decided() -> None:
    """However sure the machine is: only a person overrules a guard."""
    apart = {TWINS: _keys((0, 1))}
    assert build_clusters(2, _edges((0, 1, 1.0)), apart, {}).cut == [(0, 1, TWINS)]
    assert build_clusters(2, _edges((0, 1, 2.0)), apart, {}).cut == []
    marks = {"marks": np.array([1, 2], dtype=np.uint64)}
    assert build_clusters(2, _edges((0, 1, 1.0)), {}, marks).cut == [(0, 1, "marks")]
    assert build_clusters(2, _edges((0, 1, 2.0)), {}, marks).cut == []


def test_two_marks_are_seen_whichever_record_was_named_first() -> None:
    """5 and 6 bear two marks and were decided the same: nothing objects to 2 = 1, which comes before."""
    edges = _edges((0, 2, 2.0), (0, 5, 2.0), (1, 6, 2.0), (2, 1, 2.0), (6, 5, 2.0))
    found = build_clusters(7, edges, {}, {"marks": np.array([0, 0, 0, 0, 0, 1, 2], dtype=np.uint64)})
    assert (found.of.tolist(), found.cut) == ([0, 0, 0, 3, 4, 0, 0], [])


NAMES: dict[str, tuple[list[str], list[int], Mapping[object, object] | None, list[str] | None, list[str]]] = {
    "the smallest id": (["c", "a", "b", "d"], [0, 0, 2, 0], None, None, ["a", "a", "b", "a"]),
    "the smallest as text": (["9", "10", "8"], [0, 0, 2], None, None, ["10", "10", "8"]),
    "a name that was": (["a", "b", "c"], [0, 0, 2], {"a": "X", "b": "X"}, None, ["X", "X", "c"]),
    "what most had": (["a", "b", "c"], [0, 0, 0], {"a": "Y", "b": "X", "c": "X"}, None, ["X", "X", "X"]),
    "most of it": (["a", "b", "c"], [0, 1, 1], {"a": "X", "b": "X", "c": "X"}, None, ["a", "X", "X"]),
    "as much of it": (["d", "b", "c", "a"], [0, 1, 0, 1], dict.fromkeys("abcd", "X"), None, ["c", "X", "c", "X"]),
    "as many": (["a", "b"], [0, 0], {"a": "Y", "b": "X"}, None, ["X", "X"]),
    "the next that is free": (
        ["a", "b", "c", "d", "e", "f"], [0, 0, 0, 3, 3, 3],
        {"a": "X", "b": "X", "c": "X", "d": "X", "e": "X", "f": "Y"}, None, ["X", "X", "X", "Y", "Y", "Y"],
    ),
    "one name a cluster": (["a", "b", "c"], [0, 0, 2], {"a": "X", "b": "Y", "c": "Y"}, None, ["X", "X", "Y"]),
    "an id that another bears": (["a", "b", "c"], [0, 1, 1], {"a": "b"}, None, ["b", "b~", "b~"]),
    "an id that others bear": (["b"], [0], None, ["b", "b~", "c"], ["b~~"]),
    "others that are not near": (["b"], [0], {}, ["a", "c~"], ["b"]),
    "one that is free": (["b", "b~"], [0, 1], None, ["b"], ["b~~", "b~"]),
    "each another": (["b", "b~"], [0, 1], None, ["b", "b~"], ["b~~", "b~~~"]),
    "a name kept among others": (["a", "b"], [0, 1], {"a": "X"}, ["X", "b"], ["X", "b~"]),
    "the name of one that has another": (
        ["a", "b", "b~"], [0, 1, 2], {"a": "b", "b~": "X"}, None, ["b", "b~", "X"],
    ),
    "an id with a mark": (["b~"], [0], None, ["b~"], ["b~~"]),
    "numbers": (["7", "8"], [0, 0], {7: 70, 8: 70}, None, ["70", "70"]),
    "nobody that is here": (["a"], [0], {"z": "X"}, None, ["a"]),
    "one record of many": (["a", "b", "c"], [0, 1, 2], {"b": "X"}, None, ["a", "X", "c"]),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_cluster_keeps_the_name_that_most_of_it_had(name: str) -> None:
    """A new one is named after its smallest id, with marks behind it where somebody bears that name."""
    ids, of, previous, others, names = NAMES[name]
    series = pl.Series("id", ids if name != "numbers" else [int(item) for item in ids])
    borne = None if others is None else pl.Series("cluster", others)
    found = cluster_names(series, np.array(of), previous, borne)
    assert (found.name, found.to_list()) == ("cluster", names)


@pytest.mark.parametrize("previous", [None, {"p": "was", "q": "was"}])
def test_clusters_of_a_register_are_named_and_what_was_cut_is_told(previous: dict[str, str] | None) -> None:
    """p = q = r by the edges, and r has another valid NHS number than p."""
    people = pl.DataFrame(
        {"id": ["p", "q", "r", "s"], "last": ["Ng"] * 4, "nhs": ["9434765919", None, "9434765870", None]}
    )
    register = read_register(people, Fields(id="id", roles={"surname": "last", "nhs_number": "nhs"}), PERSON)
    row = {item: place for place, item in enumerate(register.ids)}
    edges = _edges((row["p"], row["q"], SURELY), (row["q"], row["r"], 0.98))
    clusters, cut = grouped(register, edges, {}, previous)
    one = "was" if previous else "p"
    assert dict(clusters.iter_rows()) == {"p": one, "q": one, "r": "r", "s": "s"}
    assert clusters.columns == ["id", "cluster"]
    assert cut.to_dicts() == [{"left_id": "q", "right_id": "r", "guard": "two different valid NHS numbers"}]
    clusters, cut = grouped(register, _edges(), {}, None)
    assert clusters["cluster"].to_list() == clusters["id"].to_list()
    assert (cut.height, cut.schema["guard"]) == (0, pl.String)
