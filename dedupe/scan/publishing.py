"""The evidence of a night, and how the desk comes to show it: after the night counts, and again after a crash."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from casebridge.dedupe.review.evidence_file import KIND, MADE_FROM, NAME, PairEvidence, Person, write_evidence_file
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
    then: Mapping[str, str],
    made_from: Mapping[str, Sequence[str]],
) -> Batch:
    """The evidence of a night, in a file that nobody looks at yet. made_from: legacy keys of records."""
    folder = settings.work / STAGE / NAME
    with new_file(folder / f"{night:05d}.{KIND}.db") as file:
        beside = Path(file.name)
        mine = {person.id: made_from[person.id] for person in people if person.id in made_from}
        facts = {"run": SCOPE, MADE_FROM: json.dumps(mine), **then}
        write_evidence_file(beside, people, pairs, facts)
        # Nights are counted anew where somebody deleted the state: only what is shown tells two files apart.
        inputs = digest(SCOPE, night, file_digest(beside))
        path = folder / f"{night:05d}-{inputs[:16]}.{KIND}.db"
        return keep(beside, path, stage=STAGE, table=NAME, number=0, kind=KIND, inputs=inputs, rows=len(pairs))


def publish(ledger: Ledger, settings: Settings, state: ScanState) -> None:
    """Have the desk show the evidence of the last night that counts. Nothing is done where it does already, or
    where a migration's run has put its own in the place since."""
    held = state.facts.get("evidence")
    if held is None or any(one.inputs == held["inputs"] for one in ledger.sealed(SCOPE, STAGE, NAME, KIND)):
        return
    batch = Batch(**{**held, "path": settings.work / str(held["path"])})
    if not batch.path.is_file():
        raise CasebridgeError("the evidence of the last scan is gone", hint="restore work/ from a backup")
    ledger.attempt(STAGE, NAME, 0, batch.inputs)
    ledger.record(STAGE, NAME, 0, batch.inputs, [batch], Tally())
    for run in ledger.runs():
        ledger.seal(str(run.name), STAGE, NAME, [])
    ledger.seal(SCOPE, STAGE, NAME, [(0, batch.inputs)])
    in_use = ledger.in_use(STAGE)
    for path in batch.path.parent.glob(f"*.{KIND}.db"):
        if path not in in_use:
            path.unlink()
