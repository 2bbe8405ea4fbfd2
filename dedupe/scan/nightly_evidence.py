"""What the desk shows after a night: all of it in one file, or what changed in a small one on a larger."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from casebridge.dedupe.review.evidence_file import MADE_FROM, Base, EvidenceFile, PairEvidence, Person
from casebridge.dedupe.review.evidence_pairs import item_of, pairs_evidence
from casebridge.dedupe.scan.config import ScanConfig
from casebridge.dedupe.scan.kept_rows import KeptRows
from casebridge.dedupe.scan.keys import made_from
from casebridge.dedupe.scan.live_preflight import blocked
from casebridge.dedupe.scan.pairs import BESIDE
from casebridge.dedupe.scan.people import TONIGHT, LiveQueries, LiveTables
from casebridge.dedupe.scan.publishing import evidence_of, held, write_night
from casebridge.dedupe.scan.remade import ENDS, in_a_pair, made_again, of_age
from casebridge.dedupe.scan.showing import shown_people
from casebridge.dedupe.scan.state import ScanState
from casebridge.project.batch import Batch
from casebridge.project.settings import Settings

SHOWN, STIRRED = "shown", "stirred"
"""Of the state: the candidates of the last night of which all evidence was written, and the people whom a later
one may show otherwise."""
MOST = 0.25
"""The share of pairs from which on all evidence is written again."""
Facts = dict[str, Any]
Kept = tuple[Batch, Batch]
"""An evidence file and its head."""


@dataclass(frozen=True)
class Beside:
    """What the desk shows of registers that are not of people."""

    people: tuple[Person, ...] = ()
    pairs: tuple[PairEvidence, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.pairs)

    def with_more(self, other: Beside) -> Beside:
        """Both."""
        return Beside((*self.people, *other.people), (*self.pairs, *other.pairs))


@dataclass(frozen=True)
class NightlyEvidence:
    """Writes the evidence of one night. keyed: gives each pair the name that it has to the outside. pairs: the
    candidates. stirred: whom it may show otherwise than the night before; None for everybody. beside: what is
    shown of other registers, always in the small file: it is never a base. merges: what is told of merge rules."""

    settings: Settings
    config: ScanConfig
    state: ScanState
    keyed: Callable[..., str]
    queries: LiveQueries
    register: KeptRows
    tables: LiveTables
    crosswalk: pl.DataFrame
    related: Sequence[tuple[str, str]]
    pairs: pl.DataFrame
    stirred: Collection[str] | None
    hidden: Collection[str]
    day: dt.date
    beside: Beside = field(default_factory=Beside)
    merges: str = ""

    def write(self, then: Mapping[str, str]) -> Facts:
        """The file, and what of the state tells of it. then: facts about the whole."""
        base = self._base()
        found = self._since(base, then) if base else None
        return found or self._whole(then)

    def _base(self) -> Kept | None:
        """The evidence on which tonight's may stand."""
        kept, known = evidence_of(self.state.facts.get("evidence_base"), self.settings), self.state.frame(SHOWN)
        if self.stirred is None or kept is None or known is None or set(known.columns) != set(self.pairs.columns):
            return None
        by_day = any(TONIGHT in query.casefold() for query in (self.config.teams, self.config.flags))
        if by_day or not all(one.path.is_file() for one in kept):
            return None
        with closing(_opened(kept)) as file:
            return None if file.holds(self.hidden) else kept

    def _whole(self, then: Mapping[str, str]) -> Facts:
        members = frozenset(item for side in ENDS for item in self.pairs.get_column(side))
        people = self._people(members, ())
        self.state.put(SHOWN, self.pairs)
        self.state.put(STIRRED, pl.DataFrame(schema={"id": pl.String()}))
        base = self._written(people, self.pairs, then)
        over = _over(base, (), ())
        evidence = self._written({}, self.pairs.clear(), then, over, people) if self.beside else base
        return {
            "evidence": held(evidence, self.settings),
            "evidence_base": held(base, self.settings),
            "evidence_day": self.day.isoformat(),
        }

    def _since(self, base: Kept, then: Mapping[str, str]) -> Facts | None:
        known, before = self.state.frame(SHOWN), self.state.frame(STIRRED)
        assert known is not None
        assert before is not None
        since = dt.date.fromisoformat(self.state.facts["evidence_day"])
        stir = {*before.get_column("id"), *(self.stirred or ())}
        found = made_again(self.pairs, known, stir | of_age(self.register, self.config, since, self.day))
        if found.pairs.height > MOST * self.pairs.height:
            return None
        with closing(_opened(base)) as file:
            people = self._people(found.members, file.holds(found.others))
            same = in_a_pair(self.pairs, people) - found.members
            people = {item: person for item, person in people.items() if item not in same}
            there = file.ids() if self.crosswalk.height else set[str]()
        self.state.put(STIRRED, pl.DataFrame({"id": sorted(stir)}, schema={"id": pl.String()}))
        items = [item_of(self.keyed, *pair) for pair in found.before.select(ENDS).iter_rows()]
        over = _over(base, people.keys() | found.others, items)
        evidence = held(self._written(people, found.pairs, then, over, there), self.settings)
        return {
            "evidence": evidence,
            "evidence_base": held(base, self.settings),
            "evidence_day": since.isoformat(),
        }

    def _people(self, members: frozenset[str], more: Collection[str]) -> dict[str, Person]:
        asked = self.queries.texts
        return shown_people(self.config, self.register, self.tables, members, self.related, asked, more)

    def _written(
        self,
        people: Mapping[str, Person],
        pairs: pl.DataFrame,
        then: Mapping[str, str],
        base: Base | None = None,
        there: Collection[str] = (),
    ) -> Kept:
        """there: records of the base."""
        made = pairs_evidence(self.keyed, pairs.drop(BESIDE), people, blocked(pairs), self.day)
        beside = self.beside if base else Beside()
        people = {**people, **{one.id: one for one in beside.people}}
        facts = {**then, "merge": self.merges, MADE_FROM: json.dumps(made_from(self.crosswalk, {*people, *there}))}
        shown = [*made, *beside.pairs]
        mine = [people[item] for item in sorted(people)]
        return write_night(self.settings, self.state.night + 1, mine, shown, facts, base)


def _opened(kept: Kept) -> EvidenceFile:
    return EvidenceFile(kept[0].path, head=kept[1].sha256)


def _over(kept: Kept, people: Collection[str], pairs: Collection[str]) -> Base:
    return Base(kept[0].path, kept[1].sha256, people, pairs)
