"""Which evidence the ledger names now, of which run, and whether it is what that run wrote."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from casebridge.dedupe.review.evidence_file import BASE, BASE_HEAD, HEAD, KIND, NAME, EvidenceFile
from casebridge.dedupe.review.evidence_store import changed, head_of, text_digest
from casebridge.project.batch import Batch, file_digest, keep, write_text
from casebridge.project.ledger import Ledger

STAGE = "dedupe"


def keep_evidence(beside: Path, path: Path, head: str, *, inputs: str, rows: int) -> tuple[Batch, Batch]:
    """Put a file that was filled, and its head, in their places for good: both as batches to be recorded."""
    write_text(head_of(path), head)
    file = keep(beside, path, stage=STAGE, table=NAME, number=0, kind=KIND, inputs=inputs, rows=rows)
    return file, head_batch(file, text_digest(head))


def head_batch(file: Batch, sha256: str) -> Batch:
    """The head of an evidence file, as a batch."""
    return replace(file, kind=HEAD, path=head_of(file.path), rows=0, sha256=sha256)


def delete_unused(work: Path, in_use: Collection[Path]) -> None:
    """Delete the evidence that no run has any more."""
    for path in (work / STAGE / NAME).glob(f"*.{KIND}.*"):
        if path not in in_use:
            path.unlink()


def sealed_evidence(ledger: Ledger, scope: str) -> EvidenceFile | None:
    """The evidence that a run has, or a scan, opened to read; None where it has none that this casebridge
    reads."""
    files = ledger.sealed(scope, STAGE, NAME, KIND)
    heads = ledger.sealed(scope, STAGE, NAME, HEAD)
    if not files or not heads or not files[0].path.is_file():
        return None
    return EvidenceFile(files[0].path, head=heads[0].sha256)


@dataclass(frozen=True)
class OnRecord:
    """The evidence that the ledger names now: of which run, its file, and the sha256 of its head."""

    run: str
    path: Path
    head: str


def standing_evidence(work: Path) -> OnRecord | None:
    """The evidence that the ledger names now; None where there is none, or none that this casebridge reads."""
    there = {kind: (run, path, sha256) for run, kind, path, sha256 in _on_record(work)}
    if KIND not in there or HEAD not in there or not there[KIND][1].is_file():
        return None
    run, path, _ = there[KIND]
    return OnRecord(run, path, there[HEAD][2])


def current_evidence(work: Path) -> Path | None:
    """The evidence file that the ledger names now."""
    found = standing_evidence(work)
    return found.path if found else None


def evidence_problem(work: Path) -> str:
    """What is wrong with the evidence that the ledger names now, the file on which it stands with it, in a
    sentence; empty when it is what the run wrote, or when there is none. Every byte is read."""
    found = _on_record(work)
    if not {KIND, HEAD} <= {kind for _, kind, _, _ in found}:
        return ""
    for _, _, path, sha256 in found:
        if not path.is_file() or file_digest(path) != sha256:
            return changed(path).message
    return ""


def _on_record(work: Path) -> list[tuple[str, str, Path, str]]:
    """Of the file, of the one on which it stands and of the heads of both: the run, the kind, the path, and the
    digest that the ledger has."""
    path = work / "ledger.db"
    if not path.is_file():
        return []
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)
    kinds = (KIND, HEAD, BASE, BASE_HEAD)
    try:
        found = connection.execute(
            "SELECT standing.run, files.kind, files.path, files.sha256, files.inputs FROM files "
            "JOIN standing USING (stage, name, number, inputs) "
            "WHERE files.stage = 'dedupe' AND files.name = ? AND files.kind IN (?, ?, ?, ?) "
            "ORDER BY standing.rowid DESC, files.kind IN (?, ?)",
            (NAME, *kinds, BASE, BASE_HEAD),
        ).fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()
    return [(run, kind, work / name, sha256) for run, kind, name, sha256, inputs in found
            if (run, inputs) == (found[0][0], found[0][4])]  # fmt: skip
