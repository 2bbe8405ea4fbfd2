"""What can be said of the register's quality, from the last sample and what reviewers found in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casebridge.dedupe.quality.agreement import Agreement, agreement
from casebridge.dedupe.quality.estimates import Estimate, Seen, found_share, share_of
from casebridge.dedupe.quality.labels import answer, labels_of
from casebridge.dedupe.quality.recalibration import CALIBRATION, Recalibration, read_recalibration
from casebridge.dedupe.quality.strata import MERGED
from casebridge.dedupe.review.desk import Desk
from casebridge.dedupe.review.desk_figures import known_of
from casebridge.dedupe.review.samples import Drawn, Sample, last_sample
from casebridge.dedupe.review.supervision import is_supervised
from casebridge.dedupe.review.verdicts import SETTLING, Act, Place, Said


@dataclass(frozen=True)
class Band:
    """One stratum: how many pairs it has, were drawn and were judged, what linkage expected (a share of 1), and
    what was found, with its interval; None while nobody has judged one."""

    name: str
    outcome: str
    size: int
    drawn: int
    judged: int
    expected: float
    found: Estimate | None


@dataclass(frozen=True)
class Statement:
    """The figures, and the sentences for a board. None where the sample is not judged far enough to say it."""

    precision: Estimate | None
    found: Estimate | None
    bands: tuple[Band, ...]
    waiting: int
    twice: Agreement | None
    at: str
    calibration: Recalibration | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """In words."""
        if not self.bands:
            return ("No sample has been drawn: `casebridge quality draw`.",)
        said = [
            f"Of the merges made, an estimated {self.precision} are right."
            if self.precision else "How many of the merges made are right cannot be said yet.",
            f"Of the duplicates in the register, an estimated {self.found} are found."
            if self.found else "How many of the duplicates in the register are found cannot be said yet.",
        ]  # fmt: skip
        if self.waiting:
            verb = "waits" if self.waiting == 1 else "wait"
            said.append(f"{self.waiting:,} of the pairs drawn {verb} to be judged.")
        if self.precision and self.precision.judged and self.precision.share == 1:
            most = f"{3 / self.precision.judged:.2%}"
            said.append(f"Nothing wrong in {self.precision.judged:,} merges: at 95 %, at most {most} of such are.")
        return tuple(said)


def state(desk: Desk, clearance: int) -> Statement:
    """What can be said to a reader with this clearance: restricted pairs are in it for the cleared only."""
    sample = last_sample(desk.engine)
    twice = agreement(_judged_twice(desk, clearance))
    if sample is None:
        return Statement(None, None, (), 0, twice, "")
    calibration = read_recalibration(desk.evidence().fact(CALIBRATION))
    parts = [one for one in sample.strata if one.clearance <= clearance]
    seen = [(one, _seen(desk, one)) for one in parts]
    merged = [found for one, found in seen if one.outcome == MERGED]
    others = [found for one, found in seen if one.outcome != MERGED]
    waiting = sum(len(one.pairs) - found.judged for one, found in seen)
    bands, found = tuple(_band(one, there) for one, there in seen), _found(merged, others, sample)
    return Statement(share_of(merged), found, bands, waiting, twice, sample.at, calibration)


def _found(merged: Sequence[Seen], others: Sequence[Seen], sample: Sample) -> Estimate | None:
    return found_share(merged, others, sample.missed)


def _band(one: Drawn, found: Seen) -> Band:
    return Band(one.name, one.outcome, one.size, len(one.pairs), found.judged, one.expected, share_of([found]))


def _seen(desk: Desk, one: Drawn) -> Seen:
    judged = [said for pair in one.pairs if (said := judged_same(desk, pair, one.outcome)) is not None]
    return Seen(one.name, one.size, len(judged), sum(judged))


def judged_same(desk: Desk, pair: tuple[str, str], outcome: str) -> bool | None:
    """Whether a pair of a sample is one person, as far as people have said: the blind check; where it contradicts
    what was decided, the third person's word as soon as it is there. None while nobody can say."""
    one = desk.of_pair(*pair)
    check = next((said for said in reversed(desk.checks(one.pair.item)) if _tells(said)), None) if one else None
    if one is None or check is None:
        return None
    later = one.standing.agreed if one.standing.place in {Place.DONE, Place.HELD} else ()
    return answer(check.verdict, outcome, later[0].verdict if later else None)


def _tells(said: Said) -> bool:
    return said.verdict in SETTLING


def _judged_twice(desk: Desk, clearance: int) -> list[tuple[str, str]]:
    """Two verdicts of two people, neither of whom knew of the other, on each pair that has them."""
    found = []
    for pair, acts in desk.said(clearance):
        if pair.known:
            continue
        first: dict[str, str] = {}
        for said in acts:
            if said.act in {Act.VERDICT, Act.CHECK} and _tells(said):
                first.setdefault(said.login, said.verdict)
        if len(first) > 1:
            one, other, *_ = first.values()
            found.append((one, other))
    return found


@dataclass(frozen=True)
class Mine:
    """How one reviewer's work goes, for himself: known pairs judged and right; pairs that somebody else judged
    too, and the share on which both said the same (None while there are none); whether his verdicts need
    another's."""

    known: int
    right: int
    twice: int
    agreed: float | None
    supervised: bool = False


def mine(desk: Desk, login: str, clearance: int) -> Mine:
    """The figures of one reviewer, who has this clearance."""
    asked, right = known_of(desk, login)
    twice = agreed = 0
    for pair, acts in desk.said(clearance):
        told = [said for said in acts if said.act in {Act.VERDICT, Act.CHECK} and _tells(said)]
        own = next((said for said in told if said.login == login), None)
        others = [said for said in told if said.login != login]
        if own is not None and others and not pair.known:
            twice += 1
            agreed += others[0].verdict == own.verdict
    with desk.engine.connect() as connection:
        supervised = is_supervised(connection, login)
    return Mine(asked, right, twice, agreed / twice if twice else None, supervised)


def labels(desk: Desk, clearance: int) -> list[tuple[str, str, float, bool, float]]:
    """What people found in the sample, to calibrate linkage by: left, right, p, whether they are one person, and
    the weight: how many pairs of the register each stands for. Made-up pairs are never among them."""
    desk.catch_up()
    found = labels_of(desk.engine, desk.decisions.standing(), clearance)
    there = ((one, desk.of_pair(one.left_id, one.right_id)) for one in found)
    return [(one.left_id, one.right_id, pair.pair.p, one.same, one.weight) for one, pair in there if pair]
