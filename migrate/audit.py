"""Everything that is kept against tampering, looked at together: the chain, the decisions, every signature."""

from __future__ import annotations

import json

from casebridge.dedupe.review.evidence_on_record import evidence_problem
from casebridge.migrate.decision_guard import decisions_say, heads_noted
from casebridge.project.audit import KEY_FILE, READS, AuditLog, Head
from casebridge.project.job import Job


def audit_problems(job: Job) -> list[str]:
    """What is wrong, in sentences. Read only."""
    signed = [json.loads(run.signed) for run in job.ledger.runs() if run.signed]
    heads = [Head(item["audit"]["entry"], item["audit"]["link"]) for item in signed if "audit" in item]
    kept = [head for head in (*heads_noted(job), *heads) if head.number]
    read = AuditLog(job.audit_log().engine, job.folder / KEY_FILE, reading=True, entries=READS)
    found = [*job.audit_log().problems(kept), *decisions_say(job)]
    found += [what.replace("the audit log", "the log of what was read") for what in read.problems()]
    told = {body.get("run") for entry in job.audit_log().entries("sign") if (body := entry.body)}
    lost = [item["run"] for item in signed if "audit" in item and item["run"] not in told]
    found += [wrong for wrong in [evidence_problem(job.work)] if wrong]
    return list(dict.fromkeys([*found, *(f"the signature of run {run} is not in the audit log" for run in lost)]))
