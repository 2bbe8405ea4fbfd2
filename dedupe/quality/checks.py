"""Blind checks: somebody else looks at a pair of the sample and says what he sees; what was decided is not shown.

A check moves nothing by itself. Where it contradicts what was decided, it is an objection: a senior reviewer
speaks third, and the next run takes apart what was merged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from casebridge.dedupe.quality.strata import MERGED
from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.desk_words import Form, Open, Refused, Viewer
from casebridge.dedupe.review.samples import Pair, last_sample
from casebridge.dedupe.review.verdicts import SETTLING, Act, Opinion, Place
from casebridge.project.database import writing

_DECIDED = frozenset({Place.DONE, Place.HELD})
WHY = "a blind check of the sample saw it otherwise"


class Checks:
    """The lane of checks at one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def _drawn(self) -> dict[Pair, str]:
        """The pairs of the last sample, and what had become of each when it was drawn."""
        sample = last_sample(self._desk.engine)
        return {pair: one.outcome for one in sample.strata for pair in one.pairs} if sample else {}

    def waiting(self, viewer: Viewer) -> list[Open]:
        """The pairs of the sample that this viewer may check: he sees them, and has not judged them before."""
        mine = self._desk.of_pairs(viewer, sorted(self._drawn()))
        return [one for one in mine if not self._desk.checks(one.pair.item) and self._is_new(viewer, one)]

    def _is_new(self, viewer: Viewer, one: Open) -> bool:
        return all(said.login != viewer.login for said in self._desk.acts(one.pair.item))

    def find(self, viewer: Viewer, item: str) -> Open | None:
        """One pair that waits for this viewer's check."""
        one = self._desk.find(viewer, item)
        pair = (one.pair.left_id, one.pair.right_id) if one else None
        if one is None or pair not in self._drawn() or self._desk.checks(item):
            return None
        return one if self._is_new(viewer, one) else None

    def blind(self, viewer: Viewer, pairs: Iterable[Open]) -> set[Pair]:
        """Those of some pairs of which this viewer must not see what was decided: they wait for a check, and he
        may be who makes it."""
        decided = [one for one in pairs if one.standing.place in _DECIDED]
        drawn = self._drawn() if decided else {}
        return {
            pair for one in decided
            if (pair := (one.pair.left_id, one.pair.right_id)) in drawn and not self._desk.checks(one.pair.item)
            and self._is_new(viewer, one)
        }  # fmt: skip

    def take_next(self, viewer: Viewer) -> str | None:
        """Claim the next pair to check; None when there is none."""
        for one in self.waiting(viewer):
            if one.holder in {"", viewer.login} and self._desk.claims.take(one.pair.item, viewer.login):
                return one.pair.item
        return None

    def say(self, viewer: Viewer, form: Form) -> None:
        """Take a check. Refused when the pair is not what the page showed, or somebody else has it."""
        one = self.find(viewer, form.item)
        if one is None:
            raise Refused("this pair waits for no check of yours", hint="take the next one")
        if one.pair.evidence != form.evidence:
            raise Refused("the records changed since this page was made", hint="read the page again")
        desk, contradicts = self._desk, self._contradicts(one, form)
        with writing(desk.engine).begin() as connection:
            desk.log.alone(connection)
            if not desk.claims.holds(connection, form.item, viewer.login):
                raise Refused("somebody else has this pair now", hint="take the next one")
            desk.record(connection, viewer, one.pair, Act.CHECK, form)
            desk.claims.drop(connection, form.item)
            if contradicts:
                objection = replace(form, reason=WHY, key=f"{form.key[:60]}-o")
                desk.write(connection, viewer, one.pair, Act.OBJECTION, objection, 0)

    def _contradicts(self, one: Open, form: Form) -> bool:
        """Whether a check says something else than what stands; what waits is not decided, so nothing is."""
        if one.standing.place not in _DECIDED or form.verdict not in SETTLING:
            return False
        agreed = one.standing.agreed
        there = self._drawn().get((one.pair.left_id, one.pair.right_id))
        merged = agreed[0].verdict == Opinion.SAME if agreed else there == MERGED
        return (form.verdict == Opinion.SAME) != merged
