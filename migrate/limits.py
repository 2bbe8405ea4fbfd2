"""Limits judged before anything is loaded, and the word of the person who accepts what is above them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import polars as pl

from casebridge.project.acceptances import Acceptances
from casebridge.project.batch import with_rows
from casebridge.project.contracts import ROW, Verdict
from casebridge.project.errors import CasebridgeError, Excess, LimitExceeded, SpecError
from casebridge.project.job import Job
from casebridge.project.limits import Measure, over, unknown_names
from casebridge.project.urls import FILE

_ASIDE = [str(Verdict.SET_ASIDE), str(Verdict.TRUNCATED)]


def check_names(job: Job) -> None:
    """SpecError for limits of specs or sources that are not there."""
    known = [*(spec.name for spec in job.specs), *(source.name for source in job.reads())]
    problems = unknown_names(FILE, job.settings.limits, known)
    if problems:
        raise SpecError(problems)


def check_limits(job: Job) -> None:
    """LimitExceeded when more stays behind than was agreed and nobody has accepted it. Read only."""
    accepted = Acceptances(job.ledger)
    excesses = [excess for excess in before_load(job) if accepted.covering(job.run, excess) is None]
    if excesses:
        raise LimitExceeded(job.run, excesses)


def before_load(job: Job) -> list[Excess]:
    """What is above the limits by what extract and transform left behind."""
    return over(job.settings.limits, _measures(job))


def _measures(job: Job) -> Iterator[Measure]:
    ledger, run = job.ledger, job.run
    for source in job.reads():
        read, whole = ledger.tally(run, "extract", str(source)), ledger.tally(run, "transform", str(source))
        rows = {"rejected": read.rejected + whole.rejected, "held": whole.held}
        yield Measure(source.name, read.read, rows)
    for spec in job.specs:
        tally = ledger.tally(run, "transform", spec.name)
        held = 0 if spec.holds_all else tally.held
        rows = {"rejected": tally.rejected, "held": held, "set_aside": _aside(job, spec.name)}
        yield Measure(spec.name, tally.read, rows)


def _aside(job: Job, name: str) -> int:
    """How many rows have a value set aside or cut."""
    found = [pl.LazyFrame(schema={ROW: pl.Int64})]
    for batch in with_rows(job.ledger.sealed(job.run, "transform", name, "quarantine")):
        found.append(batch.scan().filter(pl.col("verdict").is_in(_ASIDE)).select(ROW))
    return int(pl.concat(found).select(pl.col(ROW).n_unique()).collect().item())


def accept(job: Job, who: str, reason: str) -> list[Excess]:
    """Take a named person's word for all that is above the limits of this run now. Gives what was accepted."""
    if job.ledger.signature(job.run):
        raise CasebridgeError(f"run {job.run} is signed and closed", hint="there is nothing left to accept")
    if not who.strip() or not reason.strip():
        raise CasebridgeError("nothing was accepted: --by or --reason is empty", hint="a name and a sentence")
    accepted = Acceptances(job.ledger)
    found = {(e.name, e.kind, e.rows, e.asked): e for e in (*before_load(job), *_reported(job))}
    fresh = [excess for excess in found.values() if accepted.covering(job.run, excess) is None]
    if not fresh:
        raise CasebridgeError(
            f"nothing is above the limits of run {job.run}, or it is accepted already",
            hint="`casebridge report` shows what was accepted, by whom",
        )
    accepted.accept(job.run, fresh, who.strip(), reason.strip())
    return fresh


def _reported(job: Job) -> list[Excess]:
    """What the run's last report says is above its limits: load may leave more behind than transform did."""
    path = job.settings.reports / job.run / "report.json"
    if not path.is_file():
        return []
    lines = json.loads(path.read_text(encoding="utf-8")).get("limits", [])
    return [Excess(line["name"], line["kind"], line["rows"], line["asked"], line["limit"]) for line in lines]
