"""The evidence of a night, and how the desk comes to show it: after the night counts, and again after a crash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from casebridge.dedupe.review.evidence_file import KIND, NAME, PairEvidence, Person, write_evidence_file
from casebridge.dedupe.scan.state import ScanState
from casebridge.project.batch import Batch, digest, keep, new_file
from casebridge.project.errors import CasebridgeError
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings
from casebridge.project.tally import Tally

STAGE, SCOPE = "dedupe", "scan"
"""Under what the ledger names the evidence of a scan."""


def write_night(
    settings: Settings,
    night: int,
    people: Iterable[Person],
    pairs: Sequence[PairEvidence],
    then: Mapping[str, str],
) -> Batch:
    """The evidence of a night, in a file that nobody looks at yet."""
    inputs = digest(SCOPE, night, sorted((pair.item, pair.evidence, pair.open) for pair in pairs), dict(then))
    path = settings.work / STAGE / NAME / f"{night:05d}-{inputs[:16]}.{KIND}.db"
    with new_file(path) as file:
        beside = Path(file.name)
        write_evidence_file(beside, people, pairs, {"run": SCOPE, **then})
        return keep(beside, path, stage=STAGE, table=NAME, number=0, kind=KIND, inputs=inputs, rows=len(pairs))


def publish(ledger: Ledger, settings: Settings, state: ScanState) -> None:
    """Have the desk show the evidence of the last night that counts. Nothing is done where it does already, or
    where a migration's run has put its own in the place since."""
    held = state.facts.get("evidence")
    if held is None or ledger.done(STAGE, NAME, 0, str(held["inputs"])) is not None:
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
