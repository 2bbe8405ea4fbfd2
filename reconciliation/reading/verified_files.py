"""The files that a run stands on, each compared with the digest the ledger has of it.

A file that is gone or was changed proves nothing: it is left out of the account, so that its rows
come out as unexplained instead of being believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from casebridge.project.batch import Batch, digest, file_digest
from casebridge.project.job import Job

KINDS: dict[str, tuple[str, ...]] = {
    "extract": ("raw", "unreadable"),
    "transform": ("clean", "quarantine"),
    "dedupe": ("pairs", "crosswalk", "golden", "withheld", "preflight", "apart", "displaced", "spaces"),
    "load": ("rows", "quarantine"),
    "restriction": ("raised",),
}


@dataclass(frozen=True)
class RunFiles:
    """All batch files of a run. `broken` are those whose bytes are no longer what was recorded."""

    batches: tuple[Batch, ...]
    broken: frozenset[Path] = field(default_factory=frozenset)

    def of(self, stage: str, name: str, kind: str) -> Iterator[Batch]:
        """The sound files of one kind, in order."""
        for batch in self.batches:
            same = (batch.stage, batch.table, batch.kind) == (stage, name, kind)
            if same and batch.path not in self.broken:
                yield batch

    @property
    def basis(self) -> str:
        """A fingerprint of everything this run stands on, as the ledger has it."""
        facts = [(b.stage, b.table, b.number, b.kind, b.rows, b.sha256) for b in self.batches]
        return digest(*sorted(facts))


def recorded_files(job: Job) -> RunFiles:
    """The files as the ledger has them, not looked into."""
    batches = tuple(
        batch
        for stage, kinds in KINDS.items()
        for name in job.ledger.names(job.run, stage)
        for kind in kinds
        for batch in job.ledger.sealed(job.run, stage, name, kind)
    )
    return RunFiles(batches)


def verified_files(job: Job) -> RunFiles:
    """The files, each one's bytes compared with its recorded digest."""
    files = recorded_files(job)
    with ThreadPoolExecutor(2) as pool:
        sound = list(pool.map(_sound, files.batches))
    pairs = zip(files.batches, sound, strict=True)
    return RunFiles(files.batches, frozenset(batch.path for batch, good in pairs if not good))


def _sound(batch: Batch) -> bool:
    return batch.path.is_file() and file_digest(batch.path) == batch.sha256
