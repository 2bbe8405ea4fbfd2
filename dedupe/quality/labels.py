"""What people found in the sample, as labels: each pair with the answer and how many pairs it stands for.

Only blind checks of drawn pairs are labels: their chance of being looked at is known. What reviewers took from the
queue says nothing of the pairs that nobody took, and made-up pairs are of nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from casebridge.dedupe.quality.strata import MERGED, WAITING
from casebridge.dedupe.review.decisions import SETTLING, Decision, Ruling
from casebridge.dedupe.review.desk_tables import VERDICTS
from casebridge.dedupe.review.samples import Pair, last_sample
from casebridge.dedupe.review.verdicts import Act, Opinion


@dataclass(frozen=True)
class Label:
    """A pair of the sample, whether people found that it is one person, and its weight: the pairs of its stratum
    for each that was judged (the inverse of its chance of being judged)."""

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
    """The labels of the last sample, of strata for a reader with this clearance. Read only."""
    sample = last_sample(engine)
    if sample is None:
        return []
    checks = _checks(engine)
    third = {(d.left_id, d.right_id): str(d.verdict) for d in decisions if d.verdict in SETTLING}
    found = []
    for stratum in (one for one in sample.strata if one.clearance <= clearance):
        judged = [pair for pair in stratum.pairs if pair in checks]
        for pair in judged:
            same = answer(checks[pair], stratum.outcome, third.get(pair))
            found.append(Label(*pair, same, stratum.size / len(judged)))
    return found


def _checks(engine: sa.Engine) -> dict[Pair, str]:
    """What the last blind check of each pair said, where it said anything."""
    columns = (VERDICTS.c.left_id, VERDICTS.c.right_id, VERDICTS.c.verdict)
    settling = [str(Opinion(str(ruling))) for ruling in (Ruling.SAME, Ruling.DIFFERENT, Ruling.RELATED)]
    query = sa.select(*columns).where(VERDICTS.c.act == str(Act.CHECK), VERDICTS.c.verdict.in_(settling))
    with engine.connect() as connection:
        return {(row[0], row[1]): row[2] for row in connection.execute(query.order_by(VERDICTS.c.number))}
