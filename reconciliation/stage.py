"""Prove the books: count both sides again, judge, write the report, and refuse what does not balance."""

from __future__ import annotations

import json

from sqlalchemy.exc import SQLAlchemyError

from casebridge.project.batch import file_digest, write_text
from casebridge.project.contracts import Verdict
from casebridge.project.database import refusal, shown
from casebridge.project.errors import CasebridgeError, LimitExceeded, ReconciliationFailed
from casebridge.project.job import Job
from casebridge.project.journal import Journal
from casebridge.project.ledger import now
from casebridge.project.tally import Tally
from casebridge.reconciliation.checks import run_checks
from casebridge.reconciliation.counting.recount import Books, recount
from casebridge.reconciliation.counting.unchanged import forget, remember, unchanged
from casebridge.reconciliation.reporting.dispositions import write_dispositions
from casebridge.reconciliation.reporting.evidence import write_control_totals, write_evidence
from casebridge.reconciliation.reporting.facts import BALANCED, OVER_LIMITS, Facts, facts_of
from casebridge.reconciliation.reporting.program import program_of
from casebridge.reconciliation.reporting.report import write_report


def run(job: Job) -> Tally:
    """The row account of the whole run, or ReconciliationFailed with the report written."""
    if job.ledger.signature(job.run):
        raise CasebridgeError(
            f"run {job.run} is signed and closed",
            hint="its report stays as it was signed; run under another name: `casebridge run --name NAME`",
        )
    started = now()
    forget(job)
    try:
        books = recount(job)
    except SQLAlchemyError as error:
        raise refusal(job.settings.target_url, error) from error
    folder = job.settings.reports / job.run
    findings = run_checks(books)
    facts = facts_of(books, findings)
    write_dispositions(books, folder / "dispositions.parquet")
    write_control_totals(books, folder / "control_totals.csv")
    write_evidence(books, folder)
    program = program_of(job)
    report = write_report(facts, program, folder)
    about = json.dumps(_about(books, started, program), ensure_ascii=False, indent=2)
    write_text(folder / "run.json", about + "\n")
    job.ledger.close_run(job.run, facts["verdict"])
    if facts["verdict"] == OVER_LIMITS:
        raise LimitExceeded(job.run, [excess for excess, word in books.over_limits if word is None], report)
    if facts["failed_checks"]:
        raise ReconciliationFailed(facts["failed_checks"], report)
    tally = _tally(books)
    remember(job, books.state, tally)
    return tally


def still_holds(job: Job) -> Tally | None:
    """The row account of the run's last report, when counting again is proved to find the same."""
    try:
        tally = unchanged(job)
    except SQLAlchemyError as error:
        raise refusal(job.settings.target_url, error) from error
    proof = Journal(job.ledger).proof(job.run)
    if tally and proof:
        told = f"nothing has changed since the report of {proof.at}: it stands (`reconcile` counts again)"
        job.report.note(told)
        job.ledger.close_run(job.run, BALANCED)
    return tally


def _about(books: Books, started: str, program: Facts) -> dict[str, object]:
    """What differs from one attempt to the next, and which rules and files this one stood on."""
    job = books.job
    return {
        "run": job.run,
        "target": shown(job.settings.target_url),
        "started": started,
        "finished": now(),
        "basis": books.files.basis,
        "specs": {spec.name: spec.digest for spec in job.specs},
        "program": program,
        "codes": {path.name: file_digest(path) for path in sorted((job.folder / "codes").glob("*.csv"))},
    }


def _tally(books: Books) -> Tally:
    places = books.book.totals()
    warned = sum(count for *_, verdict, count in books.values if verdict == Verdict.WARNED)
    return Tally(
        read=sum(places.values()),
        passed=places["loaded"],
        combined=places["combined"],
        merged=places["merged"],
        rejected=places["rejected"],
        excluded=places["excluded"],
        held=places["held"],
        set_aside=sum(count for *_, count in books.values) - warned,
        warned=warned,
    ).balanced("reconciliation")
