"""The evidence of a night, and how the desk comes to show it: after the night counts, and again after a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from casebridge.dedupe.review.evidence_file import (
    BASE,
    BASE_HEAD,
    KIND,
    NAME,
    Base,
    PairEvidence,
    Person,
    write_evidence_file,
)
from casebridge.dedupe.review.evidence_on_record import delete_unused, head_batch, keep_evidence
from casebridge.dedupe.review.evidence_store import text_digest
from casebridge.dedupe.scan.state import ScanState
from casebridge.project.batch import Batch, digest, new_file
from casebridge.project.errors import CasebridgeError
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings
from casebridge.project.tally import Tally

STAGE, SCOPE = "dedupe", "scan"
"""Under what the ledger names the evidence of a scan."""


def write_night(
    settings: Settings,
    night: int,
    people: Sequence[Person],
    pairs: Sequence[PairEvidence],
    facts: Mapping[str, str],
    base: Base | None = None,
) -> tuple[Batch, Batch]:
    """The evidence of a night and its head, in files that nobody looks at yet; or what of it is otherwise than in
    `base`. people: sorted by id."""
    folder = settings.work / STAGE / NAME
    with new_file(folder / f"{night:05d}.{KIND}.db") as file:
        beside = Path(file.name)
        head = write_evidence_file(beside, people, pairs, {"run": SCOPE, **facts}, base)
        # Nights are counted again where somebody deleted the state: only what is shown tells two files apart.
        inputs = digest(SCOPE, night, text_digest(head), base.path.name if base else "")
        path = folder / f"{night:05d}-{inputs[:16]}.{KIND}.db"
        return keep_evidence(beside, path, head, inputs=inputs, rows=len(pairs))


def held(evidence: tuple[Batch, Batch], settings: Settings) -> dict[str, object]:
    """Evidence as a fact of the state: the batch of its file, with the sha256 of its head."""
    file, head = evidence
    return {**vars(file), "path": file.path.relative_to(settings.work).as_posix(), "head": head.sha256}


def evidence_of(fact: Mapping[str, Any] | None, settings: Settings) -> tuple[Batch, Batch] | None:
    """The evidence of a fact; None where there is none that this casebridge reads."""
    if fact is None or "head" not in fact:
        return None
    told = {name: value for name, value in fact.items() if name != "head"}
    file = Batch(**{**told, "path": settings.work / str(fact["path"])})
    return file, head_batch(file, str(fact["head"]))


def publish(ledger: Ledger, settings: Settings, state: ScanState) -> None:
    """Have the desk show the evidence of the last night that counts. Nothing is done where it does already, or
    where a migration's run has put its own in the place since."""
    shown = evidence_of(state.facts.get("evidence"), settings)
    if shown is None or any(one.inputs == shown[0].inputs for one in ledger.sealed(SCOPE, STAGE, NAME, KIND)):
        return
    batch, base = shown[0], evidence_of(state.facts.get("evidence_base"), settings) or shown
    files = list(shown)
    if base[0].path != batch.path:
        files += [replace(one, kind=kind) for one, kind in zip(base, (BASE, BASE_HEAD), strict=True)]
    if not all(one.path.is_file() for one in files):
        raise CasebridgeError("the evidence of the last scan is gone", hint="restore work/ from a backup")
    ledger.attempt(STAGE, NAME, 0, batch.inputs)
    ledger.record(STAGE, NAME, 0, batch.inputs, files, Tally())
    ledger.seal(SCOPE, STAGE, NAME, [(0, batch.inputs)])
    for run in ledger.runs():
        ledger.seal(str(run.name), STAGE, NAME, [])
    delete_unused(settings.work, ledger.in_use(STAGE))
