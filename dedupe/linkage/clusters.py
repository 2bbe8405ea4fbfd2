"""Clusters of records that stand for one person: connected components of the proposed pairs, with guards.

Guards: a pair decided different never shares a cluster; nor do two records that could be twins and are likelier
two people than one, nor two marks that keep people apart (two different valid NHS numbers, Twin 1 and Twin 2, Snr
and Jnr), through a third record either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from casebridge.dedupe.linkage.register.encoding import Register, ends, pair_key
from casebridge.dedupe.linkage.register.pair_rows import Rows

DECIDED = "decided different"
MARK = "~"
Cannot = Mapping[str, NDArray[np.uint64]]
"""By the name of the guard: keys of pairs that may share no cluster."""
Marks = Mapping[str, NDArray[np.integer]]
"""By the name of the guard: a number a row (0: none) of which no cluster may hold two."""


@dataclass(frozen=True)
class Edges:
    """Pairs to join: rows and p_same; those decided the same have a p above 1 and come first."""

    left: NDArray[np.int64]
    right: NDArray[np.int64]
    p: NDArray[np.float64]


@dataclass
class Clusters:
    """`of` is each row's cluster number (the smallest row in it); `cut` the pairs that a guard set aside,
    with the guard's name."""

    of: NDArray[np.int64]
    cut: list[tuple[int, int, str]] = field(default_factory=list)


def connected(size: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """The smallest row each row is connected to, itself included."""
    label = np.arange(size)
    while len(left):
        np.minimum.at(label, np.maximum(left, right), np.minimum(left, right))
        while not np.array_equal(further := label[label], label):
            label = further
        left, right = label[left], label[right]
        apart = left != right
        left, right = left[apart], right[apart]
    return label


def build_clusters(size: int, edges: Edges, cannot: Cannot, marks: Marks) -> Clusters:
    """Clusters under the guards. What was decided the same is held apart by a decision or a mark only."""
    label = connected(size, edges.left, edges.right)
    found = Clusters(label)
    suspects = _suspects(label, cannot, marks)
    if not len(suspects):
        return found
    flagged = np.zeros(size, dtype=bool)
    flagged[suspects] = True
    members = np.flatnonzero(flagged[label[edges.left]])
    order = members[np.lexsort((edges.right[members], edges.left[members], -edges.p[members]))]
    rows = np.flatnonzero(flagged[label])
    sets = {guard: _cannot_sets(keys, flagged, label) for guard, keys in cannot.items()}
    _rebuild(found, edges, order, rows, sets, marks)
    return found


def _suspects(label: NDArray[np.int64], cannot: Cannot, marks: Marks) -> NDArray[np.int64]:
    """Clusters a guard may have something to say about; all others stand as they are."""
    found = [np.zeros(0, dtype=np.int64)]
    for keys in cannot.values():
        a, b = ends(keys)
        found.append(label[a[label[a] == label[b]]])
    for mark in marks.values():
        marked = np.flatnonzero(mark)
        lowest = np.full_like(mark, np.iinfo(mark.dtype).max)
        np.minimum.at(lowest, label[marked], mark[marked])
        found.append(label[marked[mark[marked] != lowest[label[marked]]]])
    return np.unique(np.concatenate(found))


def _cannot_sets(
    keys: NDArray[np.uint64], flagged: NDArray[np.bool_], label: NDArray[np.int64]
) -> dict[int, set[int]]:
    sets: dict[int, set[int]] = {}
    left, right = ends(keys)
    within = (label[left] == label[right]) & flagged[label[left]]
    for a, b in np.stack([left[within], right[within]], axis=1).tolist():
        sets.setdefault(a, set()).add(b)
        sets.setdefault(b, set()).add(a)
    return sets


class _Groups:
    """Union-find that knows the members, the marks and the forbidden rows of each group.

    Not connected components: whether a pair joins depends on what the surer pairs have joined before it.
    """

    def __init__(
        self, rows: Sequence[int], cannot: Mapping[str, dict[int, set[int]]],
        marks: Mapping[str, Mapping[int, int]],
        decided: Iterable[tuple[int, int]],
    ) -> None:  # fmt: skip
        self.marks = marks
        self.decided: dict[int, set[int]] = {}
        for a, b in decided:
            self.decided.setdefault(a, set()).add(b)
            self.decided.setdefault(b, set()).add(a)
        self.parent = {row: row for row in rows}
        self.members = {row: {row} for row in rows}
        self.cannot = {guard: {row: set(pairs.get(row, ())) for row in rows} for guard, pairs in cannot.items()}
        self.held = {
            guard: {row: {mark[row]} if row in mark else set[int]() for row in rows}
            for guard, mark in marks.items()
        }

    def find(self, row: int) -> int:
        while self.parent[row] != row:
            self.parent[row] = self.parent[self.parent[row]]
            row = self.parent[row]
        return row

    def objection(self, a: int, b: int, decided: bool) -> str | None:
        """The guard that keeps two groups apart, of which two records were `decided` the same or not. Two marks
        say nothing more where a person saw both and decided the two records the same."""
        for guard, pairs in self.cannot.items():
            if not (decided and guard != DECIDED) and not pairs[a].isdisjoint(self.members[b]):
                return guard
        for guard, held in self.held.items():
            if held[a] and held[b] and len(held[a] | held[b]) > 1 and not self.seen(a, b, self.marks[guard]):
                return guard
        return None

    def seen(self, a: int, b: int, mark: Mapping[int, int]) -> bool:
        """Whether two records of these groups that both bear a mark were decided the same."""
        bearers = (row for row in self.members[a] if row in mark and row in self.decided)
        return any(other in mark and other in self.members[b] for row in bearers for other in self.decided[row])

    def join(self, a: int, b: int) -> None:
        keep, gone = min(a, b), max(a, b)
        self.parent[gone] = keep
        for table in (self.members, *self.cannot.values(), *self.held.values()):
            table[keep] |= table.pop(gone)


def _rebuild(
    found: Clusters, edges: Edges, order: NDArray[np.int64], rows: NDArray[np.int64],
    cannot: Mapping[str, dict[int, set[int]]], marks: Marks,
) -> None:  # fmt: skip
    """Join the surest pairs first, each only if no guard objects."""
    held = {guard: {int(r): int(mark[r]) for r in rows if mark[r] > 0} for guard, mark in marks.items()}
    decided = [(int(edges.left[edge]), int(edges.right[edge])) for edge in order if edges.p[edge] > 1]
    groups = _Groups([int(r) for r in rows], cannot, held, decided)
    for edge in order:
        left, right = int(edges.left[edge]), int(edges.right[edge])
        a, b = groups.find(left), groups.find(right)
        reason = groups.objection(a, b, bool(edges.p[edge] > 1)) if a != b else None
        if reason:
            found.cut.append((left, right, reason))
            continue
        if a != b:
            groups.join(a, b)
    found.of[rows] = [groups.find(int(row)) for row in rows]


def edges_of(
    left: Rows, right: Rows, p: NDArray[np.float64], joined: NDArray[np.bool_], same: NDArray[np.uint64]
) -> Edges:
    """The pairs that are `joined`, and those decided the `same` (pair keys)."""
    joined = joined & ~np.isin(pair_key(left, right), same)
    decided = ends(same)
    return Edges(
        np.concatenate([decided[0], left[joined].astype(np.int64)]),
        np.concatenate([decided[1], right[joined].astype(np.int64)]),
        np.concatenate([np.full(len(same), 2.0), p[joined]]),
    )


def grouped(
    register: Register, edges: Edges, cannot: Cannot, previous: Mapping[Any, str] | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The clusters of a register's rows, named, and the pairs that a guard cut. previous: id to cluster as it
    was."""
    found = build_clusters(register.size, edges, cannot, register.kind.guards.marks(register))
    names = cluster_names(register.ids, found.of, previous)
    return pl.DataFrame({"id": register.ids, "cluster": names}), cuts(register.ids, found.cut)


def cuts(ids: pl.Series, found: Sequence[tuple[int, int, str]]) -> pl.DataFrame:
    """Pairs of rows that guards cut, by the ids of these."""
    left, right = (ids.gather(pl.Series([one[end] for one in found], dtype=pl.UInt32)) for end in (0, 1))
    guard = pl.Series([one[2] for one in found], dtype=pl.String)
    return pl.DataFrame({"left_id": left, "right_id": right, "guard": guard})


def cluster_names(
    ids: pl.Series, of: NDArray[np.int64], previous: Mapping[Any, str] | None, others: pl.Series | None = None
) -> pl.Series:
    """A name for each row's cluster that outlives this run. others: names that other clusters bear.

    A cluster keeps the earlier name most of its records had (each name goes to one cluster, the one
    with most of its records); a new one is named after the smallest id in it.
    """
    text = ids.cast(pl.String)
    rows = np.flatnonzero(np.bincount(of).take(of) > 1)
    several = pl.DataFrame({"row": rows, "of": of[rows], "id": text.gather(pl.Series(rows.astype(np.uint32)))})
    smallest = several.group_by("of").agg(pl.col("row").get(pl.col("id").arg_min()))
    bearer = np.arange(len(of))
    bearer[smallest["of"].to_numpy()] = smallest["row"].to_numpy()
    names = text.gather(pl.Series(bearer.take(of).astype(np.uint32)))
    if not previous and others is None:
        return names.rename("cluster")
    borne = pl.Series(dtype=pl.String) if others is None else others
    return _kept_names(text, of, names, previous or {}, borne)


def _kept_names(
    text: pl.Series, of: NDArray[np.int64], names: pl.Series, previous: Mapping[Any, str], others: pl.Series
) -> pl.Series:
    earlier = pl.DataFrame(
        {"id": [str(k) for k in previous], "earlier": [str(v) for v in previous.values()]},
        schema={"id": pl.String, "earlier": pl.String},
    )
    now = pl.DataFrame({"id": text, "of": of, "name": names})
    votes = (
        now.join(earlier, on="id").group_by("of", "earlier").agg(pl.len().alias("n"), pl.col("name").first())
        .sort(["n", "name", "earlier"], descending=[True, False, False])
    )  # fmt: skip
    taken: set[str] = set()
    keeps: dict[int, str] = {}
    for cluster, name in votes.select("of", "earlier").iter_rows():
        if cluster not in keeps and name not in taken:
            keeps[cluster] = name
            taken.add(name)
    fresh = now.filter(~pl.col("of").is_in(list(keeps)))["name"].unique()
    near = others.filter(others.str.strip_chars_end(MARK).is_in(fresh.str.strip_chars_end(MARK).implode()))
    return _without_clashes(now, keeps, fresh, taken | {*near})


def free_name(name: str, borne: Set[str]) -> str:
    """A name that no cluster bears: this one, or with marks behind it."""
    while name in borne:
        name += MARK
    return name


def _without_clashes(now: pl.DataFrame, keeps: dict[int, str], fresh: pl.Series, taken: set[str]) -> pl.Series:
    """New clusters must not be named after an id whose name an earlier cluster still bears."""
    borne = taken | {*fresh}
    renamed = {}
    for name in sorted(taken.intersection(fresh)):
        renamed[name] = free_name(name, borne)
        borne.add(renamed[name])
    kept = pl.DataFrame(
        {"of": list(keeps), "kept": list(keeps.values())}, schema={"of": pl.Int64, "kept": pl.String}
    )
    joined = now.join(kept, on="of", how="left", maintain_order="left")
    fresh_name = pl.col("name").replace(renamed)
    return joined.select(pl.coalesce("kept", fresh_name).alias("cluster")).to_series()
