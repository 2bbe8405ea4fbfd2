"""From a run's pairs to a sample: every pair that linkage kept is in one stratum, and so can be drawn."""

from __future__ import annotations

import json
from collections.abc import Collection

import polars as pl

from casebridge.dedupe.candidates import NAME as CANDIDATES
from casebridge.dedupe.config import read_people
from casebridge.dedupe.quality.sampling import Plan, draw, plan_for
from casebridge.dedupe.quality.strata import APART, MERGED, WAITING, Candidate, strata_of
from casebridge.dedupe.review.clearance import RESTRICTED, restricted
from casebridge.dedupe.review.samples import Drawn, Sample, keep_sample
from casebridge.project.audit import AuditLog, Said
from casebridge.project.control import bring_up_control
from casebridge.project.database import writing
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job
from casebridge.project.ledger import now

STAGE = "dedupe"


def candidates_of(job: Job) -> list[Candidate]:
    """Every pair of people of this run that linkage kept or reviewers spoke of. CasebridgeError when there is no
    run."""
    batches = job.ledger.sealed(job.run, STAGE, "pairs", "pairs")
    if not batches:
        raise CasebridgeError("there are no pairs to draw from", hint="`casebridge run` finds pairs first")
    pairs = pl.concat([batch.read() for batch in batches], how="diagonal_relaxed")
    people = read_people(job.folder, job.specs)
    mine = [people is not None and people.owns(item) for item in pairs.get_column("left_id")]
    pairs = pairs.filter(pl.Series(mine, dtype=pl.Boolean))
    secret = _restricted(job, {*pairs.get_column("left_id"), *pairs.get_column("right_id")})
    level = (
        pl.col("nhs_number").cast(pl.String) if "nhs_number" in pairs.columns else pl.lit(None, dtype=pl.String)
    )
    rows = pairs.select("left_id", "right_id", outcome(), "p_same", level.alias("level"))
    return [
        Candidate(left, right, what, p, found, RESTRICTED if {left, right} & secret else 0)
        for left, right, what, p, found in rows.iter_rows()
    ]


def outcome() -> pl.Expr:
    """What became of a pair in the run: one record, two, or nobody knows yet."""
    state = pl.col("state")
    merged = (state == "decided") & (pl.col("ruling").fill_null("same") == "same")
    return (
        pl.when(state == "undecided").then(pl.lit(WAITING)).when(merged).then(pl.lit(MERGED))
        .otherwise(pl.lit(APART))
        .alias("outcome")
    )  # fmt: skip


def _restricted(job: Job, ids: Collection[str]) -> set[str]:
    config, found = read_people(job.folder, job.specs), set[str]()
    for spec in (spec for spec in job.specs if config and spec.name in config.tables):
        keys = {item.partition(":")[2] for item in ids if item.startswith(f"{spec.system}:")}
        found |= {f"{spec.system}:{key}" for key in restricted(job, spec, keys)}
    return found


def plans_of(job: Job, margin: float, confidence: float, budget: int | None) -> list[Plan]:
    """A plan for what was merged, and one for what was not. budget: for both together; CasebridgeError when it
    cannot give the margin."""
    strata = strata_of(candidates_of(job))
    parts = [[one for one in strata if (one.outcome == MERGED) is merged] for merged in (True, False)]
    plans = [plan_for(part, margin, confidence) for part in parts if part]
    needed = sum(plan.total for plan in plans)
    if not plans:
        raise CasebridgeError("there are no pairs to draw from", hint="`casebridge run` finds pairs first")
    if budget is not None and needed > budget:
        raise CasebridgeError(
            f"{budget:,} pairs cannot say it to {100 * margin:g} points at {100 * confidence:g} %",
            hint=f"the smallest budget that can is {needed:,}; or allow a wider margin",
        )
    return plans


def draw_sample(job: Job, plans: list[Plan], log: AuditLog, login: str) -> Sample:
    """Draw the pairs of some plans and keep them, each in its stratum. The draw is the project's own: who is
    looked at already stays in a later draw of the same pairs."""
    seed = log.keyed("sample", "")
    strata = [
        Drawn(share.stratum.name, share.stratum.outcome, share.stratum.clearance, share.stratum.size,
              share.stratum.expected, tuple((pair.left_id, pair.right_id) for pair in draw(share, seed)))
        for plan in plans for share in plan.shares
    ]  # fmt: skip
    sample = Sample(job.run, max(plan.margin for plan in plans), _missed(job), now(), tuple(strata))
    with writing(log.engine).begin() as connection:
        bring_up_control(connection)
        keep_sample(connection, sample, login)
        drawn = sum(len(one.pairs) for one in strata)
        log.append(connection, "sample", [Said({"run": job.run, "drawn": drawn, "login": login})])
    return sample


def _missed(job: Job) -> float:
    """How many duplicates linkage expects among the pairs that blocking never brought together."""
    for batch in job.ledger.sealed(job.run, STAGE, CANDIDATES, "model"):
        model = json.loads(str(batch.read(["model"]).item()))
        return float(model.get("blocking", {}).get("recall", {}).get("missed") or 0.0)
    return 0.0
