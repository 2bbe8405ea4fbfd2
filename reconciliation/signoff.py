"""Signing a run: who answers for which report, bound to its bytes.

A signature names the digests of the report, the page and the dispositions, and of everything the run
stood on, and the head of the audit log. It stands in the ledger, beside the report, and by its digest in the audit
log. `verify` looks at all of it again, and at the target while the run is the last that loaded it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from casebridge.project.audit import Head, login
from casebridge.project.batch import file_digest, write_text
from casebridge.project.database import refusal
from casebridge.project.errors import CasebridgeError, Excess, LimitExceeded, ReconciliationFailed
from casebridge.project.job import Job
from casebridge.project.ledger import now
from casebridge.reconciliation.checks import run_checks
from casebridge.reconciliation.counting.recount import recount
from casebridge.reconciliation.counting.unchanged import FILES, unchanged
from casebridge.reconciliation.findings import Outcome
from casebridge.reconciliation.reading.verified_files import recorded_files, verified_files
from casebridge.reconciliation.reporting.facts import BALANCED, OVER_LIMITS

FILE = "signoff.json"
KIND = "sign"
RUNS = "casebridge_runs"
"""Load's table of the runs that loaded a target, in the target: read by its name, for load's code is not ours."""


@dataclass(frozen=True)
class Verified:
    """What became of a signed run: sentences on what is not as it was signed, and the run that loaded the target
    after it (empty for none), whose rows stand there now."""

    changed: tuple[str, ...]
    superseded_by: str = ""


def sign(job: Job, who: str, role: str, note: str = "", *, decisions_since: int = 0) -> Path:
    """Close a balanced run for good. Gives the path of the signature.

    decisions_since: how many decisions were taken after the run, and are not in it.
    """
    if not who.strip() or not role.strip():
        raise CasebridgeError("a signature needs a name and a role", hint="--by NAME --role ROLE")
    folder = job.settings.reports / job.run
    report = _read(folder / "report.json", job.run)
    if job.ledger.signature(job.run):
        raise CasebridgeError(f"run {job.run} is signed already", hint=f"the signature is {folder / FILE}")
    if report["verdict"] == OVER_LIMITS:
        open_ones = [line for line in report["limits"] if not line["accepted_by"]]
        excesses = [
            Excess(**{key: line[key] for key in ("name", "kind", "rows", "asked", "limit")}) for line in open_ones
        ]
        raise LimitExceeded(job.run, excesses, folder / "report.html")
    if report["verdict"] != BALANCED:
        raise ReconciliationFailed(report["failed_checks"], folder / "report.html")
    last = _last_run(job)
    if last not in {None, job.run}:
        raise CasebridgeError(
            f"run {job.run} is not what stands in the target; " + (f"run {last} is" if last else "no run is"),
            hint="a run that was rolled back, or that another one followed, cannot be signed any more",
        )
    basis = recorded_files(job).basis
    if _read(folder / "run.json", job.run)["basis"] != basis:
        raise CasebridgeError(
            f"run {job.run} has gone on since its report was written",
            hint="do `casebridge reconcile` again, read the new report, and sign that one",
        )
    statement = {
        "run": job.run,
        "signed_by": who,
        "role": role,
        "note": note,
        "signed_at": now(),
        "verdict": report["verdict"],
        "undecided_pairs": report["undecided_pairs"],
        "decisions_since": decisions_since,
        "totals": report["totals"],
        "limits_accepted": report["limits"],
        "basis": basis,
        "sha256": {name: file_digest(folder / name) for name in FILES},
    }
    head = job.audit_log().head()
    statement["audit"] = {"entry": head.number, "link": head.link}
    text = json.dumps(statement, ensure_ascii=False, indent=2)
    write_text(folder / FILE, text + "\n")
    # The run is signed when the ledger says so: what is killed before is done again, and the log has it twice.
    job.audit_log().note(KIND, run=job.run, who=who, role=role, sha256=_digest(text), login=login())
    job.ledger.sign_run(job.run, text)
    return folder / FILE


def verify(job: Job) -> Verified:
    """What has changed since a run was signed. Reads the target too, while nothing was loaded after the run."""
    folder = job.settings.reports / job.run
    text = job.ledger.signature(job.run)
    if text is None:
        raise CasebridgeError(f"run {job.run} is not signed", hint="`casebridge sign NAME` signs a balanced run")
    statement = json.loads(text)
    changed = [_changed(folder / name, sha256) for name, sha256 in statement["sha256"].items()]
    if not (folder / FILE).is_file() or (folder / FILE).read_text(encoding="utf-8") != text + "\n":
        changed.append(f"{FILE} is not what the ledger has")
    files = verified_files(job)
    if files.basis != statement["basis"]:
        changed.append("the run stands on other batches than those that were signed")
    changed += [f"{path.parent.name}/{path.name} is gone or was changed" for path in sorted(files.broken)]
    changed += _audit_says(job, statement, text)
    last = _last_run(job)
    if last in {None, job.run} and not files.broken:  # what is damaged cannot be counted against
        changed += _target_says(job)
    return Verified(tuple(filter(None, changed)), "" if last in {None, job.run} else last or "(none)")


def _audit_says(job: Job, statement: dict[str, Any], text: str) -> list[str]:
    """What the audit log has against a signature. One from before there was a log is not in it."""
    if "audit" not in statement:
        return []
    log, head = job.audit_log(), statement["audit"]
    found = list(log.problems([Head(head["entry"], head["link"])] if head["entry"] else []))
    signed = [entry.body or {} for entry in log.entries(KIND)]
    if not any(body.get("run") == job.run and body.get("sha256") == _digest(text) for body in signed):
        found.append("the audit log has no such signature")
    return found


def _target_says(job: Job) -> list[str]:
    """What is wrong in the target; it is counted again unless it is proved to be as it was."""
    try:
        if unchanged(job):
            return []
        failed = sorted({f.check for f in run_checks(recount(job)) if f.verdict is Outcome.FAILED})
    except SQLAlchemyError as error:
        raise refusal(job.settings.target_url, error) from error
    return [f"the target: {name} does not hold any more" for name in failed]


def _last_run(job: Job) -> str | None:
    """The run that loaded the target last, as the target says; empty when none did, None when it has no list."""
    engine = job.open_target()
    try:
        if not sa.inspect(engine).has_table(RUNS):
            return None
        number: sa.ColumnClause[int] = sa.column("number")
        run: sa.ColumnClause[str] = sa.column("run")
        query = sa.select(run).select_from(sa.table(RUNS)).order_by(number.desc()).limit(1)
        with engine.connect() as connection:
            return str(connection.scalar(query) or "")
    except SQLAlchemyError as error:
        raise refusal(job.settings.target_url, error) from error
    finally:
        engine.dispose()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _changed(path: Path, sha256: str) -> str:
    if not path.is_file():
        return f"{path.name} is gone"
    return "" if file_digest(path) == sha256 else f"{path.name} was changed"


def _read(path: Path, run: str) -> dict[str, Any]:
    if not path.is_file():
        raise CasebridgeError(f"run {run} has no report yet", hint="do `casebridge run` to its end first")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
