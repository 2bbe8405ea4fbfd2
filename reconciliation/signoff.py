"""Signing a run: who answers for which report, bound to its bytes.

A signature names the digests of the report, the page and the dispositions, and of everything the run
stood on. It stands in the ledger and beside the report. `verify` says what has changed since.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from casebridge.project.batch import file_digest, write_text
from casebridge.project.errors import CasebridgeError, Excess, LimitExceeded, ReconciliationFailed
from casebridge.project.job import Job
from casebridge.project.ledger import now
from casebridge.reconciliation.counting.unchanged import FILES
from casebridge.reconciliation.reading.verified_files import recorded_files, verified_files
from casebridge.reconciliation.reporting.facts import BALANCED, OVER_LIMITS

FILE = "signoff.json"


def sign(job: Job, who: str, role: str, note: str = "") -> Path:
    """Close a balanced run for good. Gives the path of the signature."""
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
        "totals": report["totals"],
        "limits_accepted": report["limits"],
        "basis": basis,
        "sha256": {name: file_digest(folder / name) for name in FILES},
    }
    text = json.dumps(statement, ensure_ascii=False, indent=2)
    write_text(folder / FILE, text + "\n")
    job.ledger.sign_run(job.run, text)
    return folder / FILE


def verify(job: Job) -> tuple[str, ...]:
    """What has changed since a run was signed; nothing when all stands as it was."""
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
    return tuple(filter(None, changed))


def _changed(path: Path, sha256: str) -> str:
    if not path.is_file():
        return f"{path.name} is gone"
    return "" if file_digest(path) == sha256 else f"{path.name} was changed"


def _read(path: Path, run: str) -> dict[str, Any]:
    if not path.is_file():
        raise CasebridgeError(f"run {run} has no report yet", hint="do `casebridge run` to its end first")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found
