"""Decisions to groups of records that are one person.

A = B and B = C makes one group of three; A ≠ C inside it is a conflict: the group goes back to review and nothing
in it merges.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from casebridge.dedupe.review.decisions import Decision, Ruling


@dataclass(frozen=True)
class Groups:
    """`merging`: groups of ids (two or more) that become one record each, ids in order. `conflicts`:
    groups in which the decisions contradict one another."""

    merging: tuple[tuple[str, ...], ...]
    conflicts: tuple[tuple[str, ...], ...]


def groups(
    decisions: Iterable[Decision], present: Collection[str], cut: Collection[tuple[str, str]] = ()
) -> Groups:
    """The groups that the decisions make of the ids that are present; decisions on others wait. cut: pairs
    (smaller id left) that a guard of the engine's clusters set aside: a group that needs one goes back to
    review."""
    known = [d for d in decisions if d.left_id in present and d.right_id in present]
    same = [d for d in known if d.verdict is Ruling.SAME]
    made = together((d.left_id, d.right_id) for d in same)
    head = {item: number for number, group in enumerate(made) for item in group}
    torn = {
        head[d.left_id]
        for d in known
        if d.verdict is not Ruling.SAME and d.left_id in head and head[d.left_id] == head.get(d.right_id)
    }
    torn |= {head[d.left_id] for d in same if (d.left_id, d.right_id) in cut}
    return Groups(
        merging=tuple(group for number, group in enumerate(made) if number not in torn),
        conflicts=tuple(group for number, group in enumerate(made) if number in torn),
    )


def withheld(
    decisions: Iterable[Decision], present: Collection[str], absent: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """For each absent id, those present that people said are the same person, in however many steps. An id is
    absent when its record did not come through: it can merge with nobody, but its mark of restriction counts.
    Nothing of groups in which the decisions contradict one another."""
    here, gone = set(present), set(absent) - set(present)
    merging = groups(decisions, here | gone).merging if gone else ()
    return {item: tuple(i for i in ids if i in here) for ids in merging for item in ids if item in gone}


def together(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The groups of ids that pairs join, each in order."""
    head: dict[str, str] = {}

    def first(item: str) -> str:
        while head.setdefault(item, item) != item:
            head[item] = head[head[item]]
            item = head[item]
        return item

    for one, other in pairs:
        a, b = sorted((first(one), first(other)))
        head[b] = a
    found: dict[str, list[str]] = defaultdict(list)
    for item in sorted(head):
        found[first(item)].append(item)
    return [tuple(ids) for ids in found.values()]
