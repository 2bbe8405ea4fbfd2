"""Candidate pairs with the probabilities that reviewers' answers put right, as a file of the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from casebridge.dedupe.candidates import STAGE, CandidatePairs
from casebridge.dedupe.quality.labels import Label, labels_of
from casebridge.dedupe.quality.recalibration import Recalibration, enough, read_recalibration, recalibrate
from casebridge.dedupe.review.clearance import OPEN
from casebridge.dedupe.review.decisions import Decision
from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.job import Job
from casebridge.project.tally import Tally

NAME = "calibrated"
TOLD = "told"


def calibrated(
    job: Job, found: Sequence[CandidatePairs], decisions: Sequence[Decision]
) -> tuple[list[CandidatePairs], Recalibration]:
    """The candidates by what people found in the sample, and what that changed; samples are of people. Answers on
    restricted pairs are left out: what they change in others' probabilities would tell of them."""
    labels = labels_of(job.audit_log().engine, decisions, OPEN)
    told = Recalibration(len(labels), sum(label.same for label in labels), used=False)
    made, sealed = list(found), []
    for place, one in enumerate(found):
        if one.of.is_people and enough(labels):
            inputs = _inputs(job, one, labels)
            made[place], told = _of_files(one, _made(job, one, labels, inputs))
            sealed.append((0, inputs))
    job.ledger.seal(job.run, STAGE, NAME, sealed)
    return made, told


def _made(job: Job, found: CandidatePairs, labels: Sequence[Label], inputs: str) -> Sequence[Batch]:
    done = job.ledger.done(STAGE, NAME, 0, inputs)
    if done is None:
        job.ledger.attempt(STAGE, NAME, 0, inputs)
        done = _kept(job, inputs, *recalibrate(found.pairs.read(), labels, found.propose))
    return done


def calibrated_before(
    job: Job, found: Sequence[CandidatePairs], decisions: Sequence[Decision]
) -> list[CandidatePairs] | None:
    """The same, without what it changed, as far as it was worked out before; None where it was not. Writes
    nothing."""
    labels, made = labels_of(job.audit_log().engine, decisions, OPEN) if job.ledger.in_use(STAGE) else [], []
    for one in found:
        done: Sequence[Batch] | None = ()
        if one.of.is_people and enough(labels):
            done = job.ledger.done(STAGE, NAME, 0, _inputs(job, one, labels))
        if done is None:
            return None
        made.append(_of_files(one, done)[0] if done else one)
    return made


def _inputs(job: Job, found: CandidatePairs, labels: Sequence[Label]) -> str:
    return digest(job.code(STAGE), found.digest, found.propose, [repr(label) for label in labels])


def _kept(job: Job, inputs: str, pairs: pl.DataFrame, told: Recalibration) -> tuple[Batch, ...]:
    frames = {"pairs": pairs, TOLD: pl.DataFrame({TOLD: [told.text()]})}
    files = tuple(write_batch(job.work, STAGE, NAME, 0, kind, inputs, frame) for kind, frame in frames.items())
    job.ledger.record(STAGE, NAME, 0, inputs, files, Tally())
    return files


def _of_files(found: CandidatePairs, done: Sequence[Batch]) -> tuple[CandidatePairs, Recalibration]:
    files = {batch.kind: batch for batch in done}
    told = read_recalibration(str(files[TOLD].read().item()))
    assert told is not None
    return replace(found, pairs=files["pairs"]), told
