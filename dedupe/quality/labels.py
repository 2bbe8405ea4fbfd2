"""What people found in samples, as labels: each pair with the answer and how many pairs it stands for.

Only blind checks of drawn pairs are labels: their chance of being looked at is known. What reviewers took from
the queue says nothing of the pairs that nobody took, and made-up pairs are of nobody.

Each sample by itself tells of the whole register. Several are put together as a composite estimator does
(Hartley 1962; Lohr, *Sampling*, ch. 13): each sample's weights times its share of all answers, so that they
tell of the register once; what a pair has of several samples is added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.dedupe.quality.strata import MERGED, WAITING
from casebridge.dedupe.review.decisions import SETTLING, Decision, Ruling
from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.samples import Pair, Sample, all_samples
from casebridge.dedupe.review.verdicts import Act, Opinion


@dataclass(frozen=True)
class Label:
    """A pair of a sample, whether people found that it is one person, and its weight: the pairs of its stratum for
    each that was judged (the inverse of its chance of being judged), times the sample's share of all answers."""

    left_id: str
    right_id: str
    same: bool
    weight: float


def answer(check: str, outcome: str, third: str | None) -> bool:
    """Whether a pair is one person, by its blind check; where that contradicts what was decided, or nothing was,
    by the third person's word as soon as it is there."""
    says = check == Opinion.SAME
    agrees = says == (outcome == MERGED) and outcome != WAITING
    return says if agrees or third is None else third == Opinion.SAME


def labels_of(engine: sa.Engine, decisions: Sequence[Decision], clearance: int) -> list[Label]:
    """The labels of all samples, of strata for a reader with this clearance. Read only."""
    samples = all_samples(engine)
    if not samples:
        return []
    checks = _checks(engine)
    third = {(d.left_id, d.right_id): str(d.verdict) for d in decisions if d.verdict in SETTLING}
    judged = [_judged(sample, checks, clearance) for sample in samples]
    answers = sum(map(len, judged))
    same, weight = dict[Pair, bool](), defaultdict[Pair, float](float)
    for found in judged:
        for pair, (outcome, stands_for) in found.items():
            same[pair] = answer(checks[pair], outcome, third.get(pair))
            weight[pair] += stands_for * len(found) / answers
    return [Label(*pair, same[pair], weight[pair]) for pair in same]


def _judged(sample: Sample, checks: Mapping[Pair, str], clearance: int) -> dict[Pair, tuple[str, float]]:
    """The pairs of one sample that were judged: what had become of each, and how many pairs of the register it
    stands for."""
    found: dict[Pair, tuple[str, float]] = {}
    for stratum in (one for one in sample.strata if one.clearance <= clearance):
        mine = [pair for pair in stratum.pairs if pair in checks]
        found |= {pair: (stratum.outcome, stratum.size / len(mine)) for pair in mine}
    return found


def _checks(engine: sa.Engine) -> dict[Pair, str]:
    """What the last blind check of each pair said, where it said anything."""
    columns = (VERDICTS.c.left_id, VERDICTS.c.right_id, VERDICTS.c.verdict)
    settling = [str(Opinion(str(ruling))) for ruling in (Ruling.SAME, Ruling.DIFFERENT, Ruling.RELATED)]
    query = sa.select(*columns).where(VERDICTS.c.act == str(Act.CHECK), VERDICTS.c.verdict.in_(settling))
    with engine.connect() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(query.order_by(VERDICTS.c.number))}
