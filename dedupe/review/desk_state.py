"""What the desk keeps in memory: the pairs of the evidence, and what was said of them since."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from casebridge.dedupe.review.decisions import SETTLING, Ruling
from casebridge.dedupe.review.desk_tables import DECISIONS, FAMILY, VERDICTS
from casebridge.dedupe.review.desk_words import Open
from casebridge.dedupe.review.evidence_file import EvidenceFile, PairEvidence
from casebridge.dedupe.review.ranking import Ranking
from casebridge.dedupe.review.reraise import read_basis
from casebridge.dedupe.review.verdicts import OPEN, Act, Place, Said, Standing, standing
from casebridge.project.database import reading

EVERYTHING = 1
_LAST = sa.select(
    *(sa.select(sa.func.max(table.c.number)).scalar_subquery() for table in (VERDICTS, DECISIONS)),
    sa.select(sa.func.count()).select_from(FAMILY).scalar_subquery(),
)
"""The last act and the last decision: who adds one has the log alone, so numbers come in their order. Who declares
somebody has not, so these are counted: nothing is ever taken from them."""


class DeskState:
    """Pairs by item, acts by item, and the last decision on each pair."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._lock = reading(engine), threading.Lock()
        self.declared: int | None = None
        """How many people were declared by anybody, as of the last `catch_up`."""
        self.of: object = None
        self.pairs: tuple[PairEvidence, ...] = ()
        self.by_item: Mapping[str, PairEvidence] = {}
        self.acts: dict[str, list[Said]] = {}
        self.checks: dict[str, list[Said]] = {}
        self.verdicts_then = self._decisions_then = 0
        self._decided: dict[tuple[str, str], tuple[int, Ruling]] = {}
        self._last_act = self._last_decision = 0
        self.worked_out: dict[str, Open] = {}
        """Where pairs stand, as far as somebody asked since anything was said of them."""
        self._item_of: dict[tuple[str, str], str] = {}
        self._of_record: dict[str, list[str]] = {}
        self._rankings: dict[int, Ranking] = {}

    def take(self, evidence: EvidenceFile, key: object) -> None:
        """Start again with this evidence, without the pairs of those whom the no-link list hides now."""
        with self._lock:
            everyone = evidence.pairs(EVERYTHING)
            self.pairs = tuple(p for p in everyone if evidence.hidden.isdisjoint((p.left_id, p.right_id)))
            self.by_item = {pair.item: pair for pair in self.pairs}
            self._item_of = {(pair.left_id, pair.right_id): pair.item for pair in self.pairs}
            self.worked_out.clear()
            self.verdicts_then = int(evidence.fact("verdicts") or 0)
            self._decisions_then = int(evidence.fact("decisions") or 0)
            self._of_record.clear()
            for pair in self.pairs:
                for record in (pair.left_id, pair.right_id):
                    self._of_record.setdefault(record, []).append(pair.item)
            self._rankings.clear()
            self.of = key

    def catch_up(self) -> None:
        """Read what was added since: all of it, or nothing where the database goes away meanwhile."""
        columns = (DECISIONS.c.number, DECISIONS.c.left_id, DECISIONS.c.right_id, DECISIONS.c.verdict)
        moved = set[str]()
        with self._lock:
            later = sa.select(VERDICTS).where(VERDICTS.c.number > self._last_act).order_by(VERDICTS.c.number)
            fresh = sa.select(*columns).where(DECISIONS.c.number > self._last_decision)
            with self._engine.connect() as connection:
                said, decided, declared = (int(number or 0) for number in connection.execute(_LAST).one())
                acts = connection.execute(later).all() if said > self._last_act else []
                decided_later = fresh.order_by(DECISIONS.c.number)
                decisions = connection.execute(decided_later).all() if decided > self._last_decision else []
            self.declared = declared
            for row in acts:
                act = self.said(row._mapping)
                (self.checks if act.act is Act.CHECK else self.acts).setdefault(row.item, []).append(act)
                moved.add(row.item)
                self._last_act = row.number
            for row in decisions:
                self._decided[row.left_id, row.right_id] = (row.number, Ruling(row.verdict))
                moved.add(self._item_of.get((row.left_id, row.right_id), ""))
                self._last_decision = row.number
            for item in moved & self.by_item.keys():
                self.worked_out.pop(item, None)
                place = self.stands(self.by_item[item]).place
                for ranking in self._rankings.values():
                    ranking.move(item, place)

    def stands(self, pair: PairEvidence) -> Standing:
        """Where a pair stands."""
        acts: Sequence[Said] = self.acts.get(pair.item, ())
        stands = standing(acts, needs_two=pair.needs_two) if acts else OPEN
        if stands.place is Place.DONE and pair.open and acts[-1].number <= self.verdicts_then:
            stands = OPEN  # it came back with a later run
        return replace(stands, place=Place.DONE) if self.is_settled(pair) else stands

    def is_settled(self, pair: PairEvidence) -> bool:
        """Whether decisions settle the pair: as the last run saw them, or since."""
        since = self.settled_since(pair)
        return not pair.open if since is None else since

    def open_of(self, pair: PairEvidence) -> Open:
        """A pair with where it stands, worked out once."""
        return self.worked_out.get(pair.item) or self.worked_out.setdefault(
            pair.item, Open(pair, self.stands(pair))
        )

    def ranking(self, clearance: int) -> Ranking:
        """The pairs of a clearance by value, made once for each evidence."""
        with self._lock:
            if clearance not in self._rankings:
                self._rankings[clearance] = Ranking(self.pairs, clearance, lambda pair: self.stands(pair).place)
            return self._rankings[clearance]

    def of_record(self, record: str) -> Sequence[str]:
        """The items of the pairs that a record is in."""
        return self._of_record.get(record, ())

    def of_pair(self, left: str, right: str) -> PairEvidence | None:
        """A pair by its records."""
        return self.by_item.get(self._item_of.get((left, right), ""))

    def settled_since(self, pair: PairEvidence) -> bool | None:
        """Whether the last decision on the pair since its evidence was written, here or elsewhere, settles it;
        None when there was none. Where two people are needed, the desk's own count says when that is."""
        number, ruling = self._decided.get((pair.left_id, pair.right_id), (0, Ruling.UNSURE))
        if number <= self._decisions_then:
            return None
        alone = ruling is Ruling.SAME and not pair.proposed
        return ruling in SETTLING and not alone

    @staticmethod
    def said(row: Mapping[Any, Any]) -> Said:
        """A row of the desk's log."""
        return Said(
            row["number"], row["login"], row["name"], Act(row["act"]), row["verdict"], row["code"], row["reason"],
            row["until"], row["at"], supervised=read_basis(row["basis"]).supervised,
        )  # fmt: skip
