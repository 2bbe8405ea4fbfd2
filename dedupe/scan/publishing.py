"""The evidence of a night, and how the desk comes to show it: after the night counts, and again after a crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from casebridge.dedupe.review.evidence_file import (
    BASE,
    KIND,
    NAME,
    Base,
    PairEvidence,
    Person,
    write_evidence_file,
)
from casebridge.dedupe.scan.state import ScanState
from casebridge.project.batch import Batch, digest, file_digest, keep, new_file
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
) -> Batch:
    """The evidence of a night, in a file that nobody looks at yet; or what of it is otherwise than in `base`."""
    folder = settings.work / STAGE / NAME
    with new_file(folder / f"{night:05d}.{KIND}.db") as file:
        beside = Path(file.name)
        write_evidence_file(beside, people, pairs, {"run": SCOPE, **facts}, base)
        # Nights are counted again where somebody deleted the state: only what is shown tells two files apart.
        inputs = digest(SCOPE, night, file_digest(beside), base.path.name if base else "")
        path = folder / f"{night:05d}-{inputs[:16]}.{KIND}.db"
        return keep(beside, path, stage=STAGE, table=NAME, number=0, kind=KIND, inputs=inputs, rows=len(pairs))


def held(batch: Batch, settings: Settings) -> dict[str, object]:
    """A batch as a fact of the state."""
    return {**vars(batch), "path": batch.path.relative_to(settings.work).as_posix()}


def batch_of(fact: Mapping[str, Any], settings: Settings) -> Batch:
    """The batch of a fact."""
    return Batch(**{**fact, "path": settings.work / str(fact["path"])})


def publish(ledger: Ledger, settings: Settings, state: ScanState) -> None:
    """Have the desk show the evidence of the last night that counts. Nothing is done where it does already, or
    where a migration's run has put its own in the place since."""
    fact = state.facts.get("evidence")
    if fact is None or any(one.inputs == fact["inputs"] for one in ledger.sealed(SCOPE, STAGE, NAME, KIND)):
        return
    batch, base = batch_of(fact, settings), batch_of(state.facts.get("evidence_base", fact), settings)
    if not batch.path.is_file() or not base.path.is_file():
        raise CasebridgeError("the evidence of the last scan is gone", hint="restore work/ from a backup")
    files = [batch] if base.path == batch.path else [batch, replace(base, kind=BASE)]
    ledger.attempt(STAGE, NAME, 0, batch.inputs)
    ledger.record(STAGE, NAME, 0, batch.inputs, files, Tally())
    for run in ledger.runs():
        ledger.seal(str(run.name), STAGE, NAME, [])
    ledger.seal(SCOPE, STAGE, NAME, [(0, batch.inputs)])
    in_use = ledger.in_use(STAGE)
    for path in batch.path.parent.glob(f"*.{KIND}.db"):
        if path not in in_use:
            path.unlink()
