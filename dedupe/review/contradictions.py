"""Decisions that contradict one another, told with who decided what: A = B, B = C, A ≠ C."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casebridge.dedupe.review.crosswalk import groups
from casebridge.dedupe.review.decisions import Decision, Ruling

_SIGNS = {Ruling.SAME: "=", Ruling.DIFFERENT: "≠", Ruling.RELATED: "≠ (related)", Ruling.UNSURE: "? (unsure)"}


@dataclass(frozen=True)
class Contradiction:
    """A group of records and the decisions within it. Nothing in it merges until a person resolves it."""

    ids: tuple[str, ...]
    decisions: tuple[Decision, ...]

    def __str__(self) -> str:
        said = [f"{d.left_id} {_SIGNS[d.verdict]} {d.right_id} ({d.reviewer})" for d in self.decisions]
        return ", ".join(said)


def contradictions(decisions: Sequence[Decision]) -> list[Contradiction]:
    """The groups in which decisions contradict. decisions: the latest on each pair."""
    ids = {item for decision in decisions for item in (decision.left_id, decision.right_id)}
    found = []
    for group in groups(decisions, ids).conflicts:
        inside = set(group)
        mine = [d for d in decisions if d.left_id in inside and d.right_id in inside]
        found.append(Contradiction(group, tuple(mine)))
    return found


def with_new(standing: Sequence[Decision], new: Sequence[Decision]) -> list[Decision]:
    """What would stand if these were said now."""
    last = {(d.left_id, d.right_id): d for d in (*standing, *new)}
    return [last[pair] for pair in sorted(last)]
