"""The queue of one viewer: what waits for him, how much there is, what comes next.

Whoever has nothing kept from him beyond his clearance reads it off the ranking. What is kept from somebody else is
taken out of each count; a partner's few pairs are gone through one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge

from casebridge.dedupe.review.desk_state import DeskState
from casebridge.dedupe.review.desk_words import ALL, Filters, Open, Viewer, is_wanted
from casebridge.dedupe.review.evidence_file import PairEvidence
from casebridge.dedupe.review.ranking import Ranking
from casebridge.dedupe.review.sight import Sight
from casebridge.dedupe.review.verdicts import Place

_WAITING = tuple(place for place in Place if place is not Place.DONE)


@dataclass(frozen=True)
class Queue:
    """What a viewer's queue shows: how many pairs are his, the first of them, how many stand where, whose they
    are, what they look like."""

    found: int
    first: Sequence[Open]
    counts: Mapping[Place, int]
    teams: Sequence[str]
    relations: Collection[str]
    preflight: bool


def is_for(viewer: Viewer, one: Open) -> bool:
    """Whether there is something for this viewer to do: nobody confirms himself, seniors resolve."""
    if one.standing.place in {Place.SECOND, Place.OPEN}:
        return one.standing.said_by(viewer.login) is None
    if one.standing.place is Place.ESCALATED:
        return viewer.senior and one.standing.said_by(viewer.login) is None
    return True


class View:
    """The pairs of a desk's state as one viewer sees them."""

    def __init__(self, state: DeskState, sight: Sight, viewer: Viewer) -> None:
        self._state, self._sight, self._viewer = state, sight, viewer
        self._other: dict[str, Open | None] = {}
        if sight.teams is None:
            self._ranking = state.ranking(viewer.clearance)
            self._other = self._seen_otherwise() if sight.kept else {}
        else:
            mine = [pair for there in state.pairs if (pair := sight.of(there)) is not None]
            self._ranking = Ranking(mine, viewer.clearance, lambda pair: state.stands(pair).place)

    def _seen_otherwise(self) -> dict[str, Open | None]:
        """The pairs that he does not see (None), and those whose group is another for him."""
        kept = self._sight.kept
        gone: dict[str, Open | None] = {
            item: None for record in kept for item in self._state.of_record(record) if item in self._ranking.rank
        }
        for there, group in self._ranking.grouped:
            pair = self._sight.of(there) if group & kept and there.item not in gone else None
            if pair is not None:
                gone[pair.item] = Open(pair, self._state.stands(pair))
        return gone

    def counts(self, *, known: bool = True) -> Counter[Place]:
        """How many pairs stand where; without known ones if need be."""
        found = self._ranking.counts()
        for item, one in self._other.items():
            found[self._ranking.place(item)] -= self._ranking.lists(item)
            if one is not None:
                found[one.standing.place] += 1
        for item in () if known else self._ranking.known:
            if item not in self._other:
                found[self._ranking.place(item)] -= 1
        return found

    def teams(self) -> list[str]:
        """Whose pairs he sees."""
        found = Counter(self._ranking.teams)
        for item, one in self._other.items():
            if one is None:
                found.subtract(self._state.by_item[item].teams)
        return sorted(team for team, count in found.items() if count > 0)

    def in_order(self, places: Collection[Place], wanted: Filters = ALL) -> Iterator[Open]:
        """The pairs at some places that suit the filters, the most valuable first."""
        everything, ranked = replace(wanted, place=None) == ALL, self._ranking.in_order(places)
        mine = ((number, self._open(pair)) for number, pair in ranked
                if pair.item not in self._other and (everything or is_wanted(pair, wanted)))  # fmt: skip
        own = sorted(
            (self._ranking.rank[item], one) for item, one in self._other.items()
            if one is not None and one.standing.place in places and is_wanted(one.pair, wanted)
        )  # fmt: skip
        return (one for _, one in (merge(mine, own, key=lambda ranked: ranked[0]) if own else mine))

    def _open(self, pair: PairEvidence) -> Open:
        return self._state.open_of(pair) if self._sight.teams is None else Open(pair, self._state.stands(pair))

    def queue(self, wanted: Filters, most: int, holders: Mapping[str, str]) -> Queue:
        """What the page of the queue shows; the first `most` pairs."""
        counts = self.counts()
        places = _WAITING if wanted.place is None else (wanted.place,)
        if replace(wanted, place=None) == ALL:
            found = sum(counts[place] for place in places) - self._not_for_him(places)
            first = []
            for one in self.in_order(places):
                if is_for(self._viewer, one):
                    first.append(one)
                if len(first) == most:
                    break
        else:
            some = [one for one in self.in_order(places, wanted) if is_for(self._viewer, one)]
            found, first = len(some), some[:most]
        held = [replace(one, holder=holders.get(one.pair.item, "")) for one in first]
        preflight = self._ranking.judged > self._unseen_judged()
        return Queue(found, held, counts, self.teams(), self._ranking.relations, preflight)

    def _unseen_judged(self) -> int:
        return sum(bool(self._state.by_item[item].preflight) for item, one in self._other.items() if one is None)

    def _not_for_him(self, places: Collection[Place]) -> int:
        few = [place for place in places if place in {Place.SECOND, Place.ESCALATED}]
        return sum(not is_for(self._viewer, one) for one in self.in_order(few)) if few else 0
