"""Decisions to groups of records that are one person, and each group's survivor.

A = B and B = C makes one group of three; A ≠ C inside it is a conflict: the group goes back to review and
nothing in it merges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.review.decisions import Decision, Ruling


@dataclass(frozen=True)
class Groups:
    """`merging`: groups of ids (two or more) that become one record each, ids in order. `conflicts`:
    groups in which the decisions contradict one another."""

    merging: tuple[tuple[str, ...], ...]
    conflicts: tuple[tuple[str, ...], ...]


def groups(decisions: Iterable[Decision], present: Collection[str]) -> Groups:
    """The groups that the decisions make of the ids that are present; decisions on others wait."""
    parent: dict[str, str] = {}

    def root(item: str) -> str:
        while parent.setdefault(item, item) != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    known = [d for d in decisions if d.left_id in present and d.right_id in present]
    for item in known:
        if item.verdict is Ruling.SAME:
            first, second = sorted((root(item.left_id), root(item.right_id)))
            parent[second] = first
    together: dict[str, list[str]] = defaultdict(list)
    for item_id in sorted(parent):
        together[root(item_id)].append(item_id)
    torn = {
        root(d.left_id)
        for d in known
        if d.verdict is not Ruling.SAME and d.left_id in parent and d.right_id in parent
        and root(d.left_id) == root(d.right_id)
    }  # fmt: skip
    made = {head: tuple(ids) for head, ids in together.items() if len(ids) > 1}
    return Groups(
        merging=tuple(ids for head, ids in sorted(made.items()) if head not in torn),
        conflicts=tuple(ids for head, ids in sorted(made.items()) if head in torn),
    )


def survivors(merging: Sequence[Sequence[str]], filled: Mapping[str, int]) -> dict[str, str]:
    """Each id of each group to the id of the group's survivor.

    The record with the most filled fields survives, because Mosaic keeps only the survivor's own basic
    details; among equals the oldest key.
    """
    chosen: dict[str, str] = {}
    for ids in merging:
        best = min(ids, key=lambda item: (-filled.get(item, 0), len(item), item))
        chosen.update(dict.fromkeys(ids, best))
    return chosen
