"""The short test before somebody sees real pairs: six made-up ones, of which five must be seen for what they are,
and none of two people called one.

A paper is drawn from its name, a keyed digest of who sits it and how often he has tried, so that nobody can bring
the answers of another paper.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from casebridge.dedupe.review.evidence_file import Person
from casebridge.dedupe.review.known_pairs import made_up_pair
from casebridge.dedupe.review.words import Line, compare

QUESTIONS, NEEDED = 6, 5


@dataclass(frozen=True)
class Question:
    """One made-up pair: its lines, its answer (same or different), and why it is so."""

    number: int
    lines: Sequence[Line]
    answer: str
    why: str


def paper(name: str) -> list[Question]:
    """The questions of one paper, each kind of pair at least once."""
    chance = random.Random(name)
    made = []
    for number in range(QUESTIONS):
        answer, why, one, other = made_up_pair(chance, number)
        left, right = Person("a", 0, _filled(one)), Person("b", 0, _filled(other))
        made.append(Question(number, compare(left, right, {}), answer, why))
    chance.shuffle(made)
    return made


def _filled(roles: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in roles.items() if value}


def passed(questions: Sequence[Question], answers: Mapping[int, str]) -> bool:
    """Whether the answers will do: enough are right, and nobody merged two people."""
    right = sum(answers.get(one.number) == one.answer for one in questions)
    merged = any(one.answer == "different" and answers.get(one.number) == "same" for one in questions)
    return right >= NEEDED and not merged
