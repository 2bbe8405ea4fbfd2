"""A signature is bound to bytes."""

from __future__ import annotations

import json

import pytest
from hand_made import World

from casebridge import reconciliation
from casebridge.project.audit import AuditLog
from casebridge.project.errors import CasebridgeError, ReconciliationFailed
from casebridge.project.ledger import Ledger
from casebridge.reconciliation.signoff import Verified, sign, verify


def test_sign_and_verify(small_world: World) -> None:
    reconciliation.run(small_world.job)
    path = sign(small_world.job, "A. Owner", "data owner", "agreed at the board")
    statement = json.loads(path.read_text(encoding="utf-8"))
    assert (statement["signed_by"], statement["role"], statement["verdict"]) == (
        "A. Owner",
        "data owner",
        "balanced",
    )
    assert small_world.job.ledger.signature("trial-1")
    assert verify(small_world.job) == Verified(())


@pytest.mark.parametrize("step", [(AuditLog, "note"), (Ledger, "sign_run")], ids=["before the log", "after it"])
def test_a_signature_that_was_broken_off_is_given_again(
    small_world: World, monkeypatch: pytest.MonkeyPatch, step: tuple[type, str]
) -> None:
    """Until the ledger has it the run is not signed; then nothing speaks against it."""
    reconciliation.run(small_world.job)
    with monkeypatch.context() as broken:
        broken.setattr(*step, _killed)
        with pytest.raises(KeyboardInterrupt):
            sign(small_world.job, "A. Owner", "data owner", "")
    with pytest.raises(CasebridgeError, match="not signed"):
        verify(small_world.job)
    sign(small_world.job, "A. Owner", "data owner", "")
    assert verify(small_world.job) == Verified(())


def _killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_an_unbalanced_run_cannot_be_signed(small_world: World) -> None:
    small_world.execute("DELETE FROM phones")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(small_world.job)
    with pytest.raises(ReconciliationFailed):
        sign(small_world.job, "A. Owner", "data owner", "")
    assert small_world.job.ledger.signature("trial-1") is None


def test_a_signed_run_is_closed(small_world: World) -> None:
    reconciliation.run(small_world.job)
    sign(small_world.job, "A. Owner", "data owner", "")
    with pytest.raises(CasebridgeError, match="signed"):
        reconciliation.run(small_world.job)
    with pytest.raises(CasebridgeError, match="signed already"):
        sign(small_world.job, "B. Other", "board", "")


def test_without_a_report_there_is_nothing_to_sign(small_world: World) -> None:
    with pytest.raises(CasebridgeError, match="no report"):
        sign(small_world.job, "A. Owner", "data owner", "")
    with pytest.raises(CasebridgeError, match="not signed"):
        verify(small_world.job)


def test_a_report_that_is_older_than_the_run(small_world: World) -> None:
    reconciliation.run(small_world.job)
    batch = small_world.batch("dedupe", "golden", {"golden": small_world.quarantine("PERSON")})
    small_world.seal("dedupe", "persons", batch)
    small_world.job.ledger.seal("trial-1", "load", "phones", [])
    with pytest.raises(CasebridgeError, match="has gone on"):
        sign(small_world.job, "A. Owner", "data owner", "")


@pytest.mark.parametrize("name", ["report.json", "report.html", "dispositions.parquet", "signoff.json"])
def test_tampering_is_noticed(small_world: World, name: str) -> None:
    reconciliation.run(small_world.job)
    sign(small_world.job, "A. Owner", "data owner", "")
    path = small_world.folder / name
    path.write_bytes(path.read_bytes() + b" ")
    (found,) = verify(small_world.job).changed
    assert found.startswith(name)
    path.unlink()
    (found,) = verify(small_world.job).changed
    assert found.startswith(name)


def test_a_changed_batch_is_noticed(small_world: World) -> None:
    reconciliation.run(small_world.job)
    sign(small_world.job, "A. Owner", "data owner", "")
    batch = small_world.job.ledger.sealed("trial-1", "load", "notes", "rows")[0]
    batch.path.write_bytes(b"")
    (found,) = verify(small_world.job).changed
    assert found.startswith(f"notes/{batch.path.name}")
