"""What one viewer may see: by clearance, by what is kept from him and by what his agreement covers.

All three are asked in one place, before anything is counted, ordered or shown. What he may not see is answered as
if it were not there.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa

from casebridge.dedupe.review.crosswalk import together
from casebridge.dedupe.review.desk_words import Viewer
from casebridge.dedupe.review.evidence_file import EvidenceFile, PairEvidence, Person
from casebridge.dedupe.review.family import ACCESS, NameIndex, declared_by, kept_by_access
from casebridge.project.settings import Settings


@dataclass(frozen=True)
class Sight:
    """What one viewer sees of one evidence file. `kept`: records kept from him, those of a no-link list among
    them; `teams`: those whose people he may see (None: all)."""

    evidence: EvidenceFile
    clearance: int
    kept: frozenset[str] = frozenset()
    teams: frozenset[str] | None = None

    @property
    def plain(self) -> bool:
        """Whether nothing but clearance counts for him."""
        return not self.kept and self.teams is None

    def of(self, pair: PairEvidence) -> PairEvidence | None:
        """A pair as he sees it; None when he does not. A group is what it is without those he does not see."""
        if pair.clearance > self.clearance or not self._covers(pair.teams):
            return None
        if self.kept and (pair.left_id in self.kept or pair.right_id in self.kept):
            return None
        if pair.group and not self.plain:
            return replace(pair, group=self._group(pair))
        return pair

    def _covers(self, teams: Sequence[str]) -> bool:
        return self.teams is None or (bool(teams) and set(teams) <= self.teams)

    def _group(self, pair: PairEvidence) -> tuple[str, ...]:
        members = list(self.people(pair.group))
        joined = [(p.left_id, p.right_id) for p in self.evidence.between(members, self.clearance) if p.open]
        group = next((ids for ids in together(joined) if pair.left_id in ids), ())
        return group if len(group) > 2 else ()

    def people(self, ids: Sequence[str]) -> dict[str, Person]:
        """Those of some records that he may see. A relative of whom no team is known is no case of a partner's."""
        found = self.evidence.people([item for item in ids if item not in self.kept], self.clearance)
        return {item: person for item, person in found.items() if self._covers(person.teams)}

    def between(self, ids: Sequence[str]) -> list[PairEvidence]:
        """The pairs that any two of some records make."""
        found = (self.of(pair) for pair in self.evidence.between(ids, self.clearance))
        return [pair for pair in found if pair is not None]


class Sights:
    """The sights of one desk; what is kept from somebody is worked out once for each evidence and each change of
    what was declared."""

    def __init__(self, engine: sa.Engine, settings: Settings) -> None:
        self._engine, self._settings = engine, settings
        self._lock = threading.Lock()
        self._names: tuple[EvidenceFile, NameIndex] | None = None
        self._kept: dict[str, tuple[object, frozenset[str]]] = {}

    def of(self, viewer: Viewer, evidence: EvidenceFile, declared: int) -> Sight:
        """What this viewer sees of this evidence. declared: how many people were declared by anybody."""
        access = self._settings.folder / ACCESS
        listed = access.stat().st_mtime_ns if access.is_file() else 0
        if not declared and not listed:
            return Sight(evidence, viewer.clearance, evidence.hidden, viewer.teams)
        key = (evidence.path, declared, listed, viewer.groups)
        there = self._kept.get(viewer.login)
        if there is None or there[0] != key:
            there = self._kept[viewer.login] = (key, self._worked_out(viewer, evidence))
        return Sight(evidence, viewer.clearance, there[1] | evidence.hidden, viewer.teams)

    def _worked_out(self, viewer: Viewer, evidence: EvidenceFile) -> frozenset[str]:
        """The records of the evidence that may be those whom he declared, and those of other groups."""
        kept = kept_by_access(self._settings.folder / ACCESS, list(self._settings.systems), viewer.groups)
        mine = declared_by(self._engine, viewer.login)
        if mine:
            kept |= {item for one in mine for item in self._names_of(evidence).may_be(one)}
        return frozenset(kept)

    def _names_of(self, evidence: EvidenceFile) -> NameIndex:
        with self._lock:
            if self._names is None or self._names[0] is not evidence:
                self._names = (evidence, NameIndex(evidence.roles()))
            return self._names[1]
