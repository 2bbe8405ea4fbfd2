"""What of the work folder may go, and what must stay for the books.

A file goes when no run has it, the target was not loaded from it, and no run before would be put back from it.
Evidence goes when its run is closed: nobody reviews any more what was signed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from casebridge.dedupe.review.evidence_file import HEAD
from casebridge.dedupe.review.evidence_file import KIND as EVIDENCE_KIND
from casebridge.dedupe.review.evidence_file import NAME as EVIDENCE
from casebridge.load import files_needed
from casebridge.migrate.quarantine.history import FOLDER as HISTORY
from casebridge.migrate.quarantine.history import put_down
from casebridge.project.job import Job

DEDUPE = "dedupe"
KEPT = {
    "ids": "the ids that were given out stand in them",
    "handover": "the read-back of a hand-over",
    "logs": "what was done when",
    "scan": "what the nightly scan knows of the live register",
    HISTORY: "what was said of rows before",
}
"""Folders of work/ that are never thinned out, and why."""


@dataclass(frozen=True)
class Purged:
    """One folder of work/: how many files go and how many stay, and their bytes."""

    stage: str
    gone: int
    gone_bytes: int
    kept: int
    kept_bytes: int
    why: str


def purge(job: Job, *, dry_run: bool) -> list[Purged]:
    """Delete what may go. With `dry_run` nothing is deleted."""
    needed, closed = files_needed(job), _closed_evidence(job)
    done = [_of_stage(job, folder, needed, closed, dry_run=dry_run) for folder in _folders(job.work)]
    for run in job.ledger.runs() if closed and not dry_run else ():
        if run.signed:
            job.ledger.seal(str(run.name), DEDUPE, EVIDENCE, [])
    return done


def _closed_evidence(job: Job) -> set[Path]:
    """What signed runs showed to reviewers."""
    signed = [str(run.name) for run in job.ledger.runs() if run.signed]
    return {b.path for name in signed for kind in (EVIDENCE_KIND, HEAD)
            for b in job.ledger.sealed(name, DEDUPE, EVIDENCE, kind)}  # fmt: skip


def _folders(work: Path) -> Iterator[Path]:
    yield from sorted(path for path in work.iterdir() if path.is_dir())


def _of_stage(job: Job, folder: Path, needed: set[str], closed: set[Path], *, dry_run: bool) -> Purged:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    stage, kept = folder.name, job.ledger.in_use(folder.name) - closed
    stays = [path for path in files if stage in KEPT or path in kept or path.name in needed]
    goes = [path for path in files if path not in set(stays)]
    sizes = [sum(path.stat().st_size for path in part) for part in (goes, stays)]
    if not dry_run:
        put_down(job, set(goes))
        for path in goes:
            path.unlink()
    why = KEPT.get(stage, "a run, the target or a way back rests on them" if stays else "")
    return Purged(stage, len(goes), sizes[0], len(stays), sizes[1], why)
