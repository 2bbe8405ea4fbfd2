"""Which program made a run: version, commit, the code of each stage, libraries, and what a person accepted."""

from __future__ import annotations

from dataclasses import asdict

from casebridge.project.batch import digest
from casebridge.project.fingerprint import STAGES, rule_of, version_and_commit
from casebridge.project.job import Job
from casebridge.project.journal import Journal
from casebridge.reconciliation.reporting.facts import Facts


def program_of(job: Job) -> Facts:
    """For run.json and the page. The code of a stage is the one with which the run last came to it; empty where
    nobody wrote that down."""
    journal = Journal(job.ledger)
    rules = {**(journal.rules(job.run) or {}), rule_of("reconcile"): job.code("reconcile")}
    stages = {stage: rules.get(rule_of(stage), "") for stage in STAGES}
    libraries = {name: version for made in job.fingerprints.values() for name, version in made.libraries.items()}
    version, commit = version_and_commit()
    return {
        "version": version,
        "commit": commit,
        "fingerprint": digest(stages),
        "stages": stages,
        "libraries": dict(sorted(libraries.items())),
        "accepted": [asdict(item) for item in journal.accepted_code()],
    }
