"""The pairs of one clearance in the order of their value, kept by where they stand: a queue of 100,000 pairs is
looked up and not gone through at every page."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from heapq import merge

from casebridge.dedupe.review.evidence_file import PairEvidence
from casebridge.dedupe.review.verdicts import Place


class Ranking:
    """Pairs, the most valuable first; `teams` counts the pairs of each team, `relations` is
    what they look like. One thread at a time changes it."""

    def __init__(
        self, pairs: Iterable[PairEvidence], clearance: int, place_of: Callable[[PairEvidence], Place]
    ) -> None:
        self.pairs = [pair for pair in pairs if pair.clearance <= clearance]
        self.rank = {pair.item: number for number, pair in enumerate(self.pairs)}
        self._place = [place_of(pair) for pair in self.pairs]
        self._at: dict[Place, list[int]] = {place: [] for place in Place}
        for number, place in enumerate(self._place):
            if self._is_listed(number, place):
                self._at[place].append(number)
        self.teams = Counter(team for pair in self.pairs for team in pair.teams)
        self.relations = frozenset(pair.relation for pair in self.pairs)
        self.judged = sum(bool(pair.preflight) for pair in self.pairs)
        grouped = (pair for pair in self.pairs if pair.group)
        self.grouped = [(pair, frozenset(pair.group)) for pair in grouped]
        self.known = [pair.item for pair in self.pairs if pair.known]

    def move(self, item: str, place: Place) -> None:
        """A pair stands elsewhere now."""
        number = self.rank.get(item)
        if number is None or self._place[number] is place:
            return
        if self._is_listed(number, self._place[number]):
            there = self._at[self._place[number]]
            there.pop(bisect_left(there, number))
        if self._is_listed(number, place):
            insort(self._at[place], number)
        self._place[number] = place

    def _is_listed(self, number: int, place: Place) -> bool:
        """Whether a pair is in the lists: one that only a sample holds is not, until somebody speaks of it."""
        return place is not Place.DONE or not self.pairs[number].drawn

    def lists(self, item: str) -> bool:
        """Whether a pair of this ranking is in the lists now."""
        number = self.rank[item]
        return self._is_listed(number, self._place[number])

    def place(self, item: str) -> Place:
        """Where a pair stands."""
        return self._place[self.rank[item]]

    def counts(self) -> Counter[Place]:
        """How many pairs stand where."""
        return Counter({place: len(numbers) for place, numbers in self._at.items()})

    def in_order(self, places: Collection[Place]) -> Iterator[tuple[int, PairEvidence]]:
        """Those that stand at some places, by rank. They are taken as they stand now, whatever moves meanwhile."""
        for number in merge(*(tuple(self._at[place]) for place in places)):
            yield number, self.pairs[number]
