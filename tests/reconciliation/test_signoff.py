"""A signature is bound to bytes."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hand_made import World

from casebridge import reconciliation
from casebridge.project.audit import AuditLog, login
from casebridge.project.errors import CasebridgeError, Excess, LimitExceeded, ReconciliationFailed
from casebridge.project.ledger import Ledger
from casebridge.reconciliation.signoff import Verified, sign, verify

RUNS = "CREATE TABLE casebridge_runs (number INTEGER PRIMARY KEY, run TEXT)"


def test_sign_and_verify(small_world: World) -> None:
    """A run is signed while it is what stands in the target; afterwards it is told when it is not any more."""
    job = small_world.job
    reconciliation.run(job)
    small_world.execute(RUNS)
    with pytest.raises(CasebridgeError, match="trial-1 is not what stands in the target; no run is"):
        sign(job, "A. Owner", "data owner")
    small_world.execute("INSERT INTO casebridge_runs VALUES (7, 'trial-1'), (2, 'old'), (9, 'trial-2')")
    with pytest.raises(CasebridgeError, match="in the target; run trial-2 is") as caught:
        sign(job, "A. Owner", "data owner")
    assert caught.value.hint.startswith("a run that was rolled back, or that another one followed")
    small_world.execute("DELETE FROM casebridge_runs WHERE number = 9")
    path = sign(job, "Å. Owner", "data owner", "agreed at the board", decisions_since=3)
    report, statement = (json.loads(one.read_text("utf-8")) for one in (path.with_name("report.json"), path))
    told = {name: statement[name] for name in ("run", "signed_by", "role", "note", "verdict", "decisions_since")}
    assert told == {
        "run": "trial-1", "signed_by": "Å. Owner", "role": "data owner", "note": "agreed at the board",
        "verdict": "balanced", "decisions_since": 3,
    }  # fmt: skip
    assert [statement[name] for name in ("undecided_pairs", "totals", "limits_accepted")] == [
        report[name] for name in ("undecided_pairs", "totals", "limits")
    ]
    (entry,) = job.audit_log().entries("sign")
    sha256 = hashlib.sha256(path.read_bytes()[:-1]).hexdigest()
    assert entry.body == {
        "run": "trial-1", "who": "Å. Owner", "role": "data owner", "sha256": sha256, "login": login(),
    }  # fmt: skip
    assert '\n  "signed_by": "Å. Owner",\n' in path.read_text("utf-8")  # for people to read
    assert dt.datetime.fromisoformat(statement["signed_at"]) <= dt.datetime.now(dt.UTC)
    assert statement["audit"]["entry"] == entry.number - 1
    assert verify(job) == Verified(())
    small_world.execute("INSERT INTO casebridge_runs VALUES (9, 'trial-2')")
    assert verify(job) == Verified((), "trial-2")
    small_world.execute("DELETE FROM phones")  # another run stands there now: its rows are not this one's
    assert verify(job) == Verified((), "trial-2")
    small_world.execute("DELETE FROM casebridge_runs WHERE number = 9")
    changed = verify(job).changed
    assert changed
    assert all(re.fullmatch(r"the target: .+ does not hold any more", one) for one in changed)
    small_world.execute("DELETE FROM casebridge_runs")
    assert verify(job) == Verified((), "(none)")


@pytest.mark.parametrize(("who", "role"), [("", "data owner"), ("A. Owner", " ")])
def test_who_signs_has_a_name_and_a_role(small_world: World, who: str, role: str) -> None:
    with pytest.raises(CasebridgeError, match=r"^a signature needs a name and a role") as caught:
        sign(small_world.job, who, role)
    assert caught.value.hint == "--by NAME --role ROLE"


def test_a_run_over_its_limits_is_signed_once_somebody_accepted_them(small_world: World) -> None:
    """Only those that nobody accepted are told."""
    reconciliation.run(small_world.job)
    path = small_world.folder / "report.json"
    line = {
        "name": "persons",
        "kind": "held",
        "rows": 3,
        "asked": 9,
        "limit": 0.1,
        "accepted_by": "",
        "reason": "",
    }
    limits = [line, {**line, "kind": "rejected", "accepted_by": "A. Owner"}]
    body = {**json.loads(path.read_text("utf-8")), "verdict": "over the limits", "limits": limits}
    path.write_text(json.dumps(body), "utf-8")
    with pytest.raises(LimitExceeded, match="1 limit passed in run trial-1") as caught:
        sign(small_world.job, "A. Owner", "data owner")
    assert caught.value.excesses == (Excess("persons", "held", 3, 9, 0.1),)
    assert str(path.with_name("report.html")) in caught.value.hint
    assert small_world.job.ledger.signature("trial-1") is None


def test_a_signature_that_the_audit_log_does_not_know_is_told(small_world: World) -> None:
    """Such as after an older copy of the control database was put back. One from before there was a log is not in
    it."""
    reconciliation.run(small_world.job)
    log = small_world.job.audit_log()
    log.note("other", run="trial-1")
    control = Path(str(log.engine.url.database))
    with closing(sqlite3.connect(control)) as connection:
        connection.execute("VACUUM INTO ?", (str(small_world.folder / "copy.db"),))
    path = sign(small_world.job, "A. Owner", "data owner")
    for copy, told in ((small_world.folder / "copy.db", 1), (None, 2)):
        small_world.job.audit_log().engine.dispose()
        for old in control.parent.glob(f"{control.name}*"):
            old.unlink()
        if copy:
            shutil.copyfile(copy, control)
        changed = verify(small_world.job).changed
        assert (changed[-1], len(changed)) == ("the audit log has no such signature", told)
    statement = json.loads(path.read_text("utf-8"))
    assert (statement["note"], statement["decisions_since"]) == ("", 0)
    del statement["audit"]
    for one, told in (
        ({**statement, "basis": "x"}, ("the run stands on other batches than those that were signed",)),
        (statement, ()),
    ):
        path.write_text(json.dumps(one) + "\n", "utf-8")
        small_world.job.ledger.sign_run("trial-1", json.dumps(one))
        assert verify(small_world.job) == Verified(told)


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
    with pytest.raises(CasebridgeError, match="signed already") as caught:
        sign(small_world.job, "B. Other", "board", "")
    assert str(small_world.folder / "signoff.json") in caught.value.hint


def test_without_a_report_there_is_nothing_to_sign(small_world: World) -> None:
    with pytest.raises(CasebridgeError, match="run trial-1 has no report") as caught:
        sign(small_world.job, "A. Owner", "data owner", "")
    assert caught.value.hint == "do `casebridge run` to its end first"
    with pytest.raises(CasebridgeError, match="not signed") as caught:
        verify(small_world.job)
    assert caught.value.hint == "`casebridge sign NAME` signs a balanced run"


def test_a_report_that_is_older_than_the_run(small_world: World) -> None:
    reconciliation.run(small_world.job)
    batch = small_world.batch("dedupe", "golden", {"golden": small_world.quarantine("PERSON")})
    small_world.seal("dedupe", "persons", batch)
    small_world.job.ledger.seal("trial-1", "load", "phones", [])
    with pytest.raises(CasebridgeError, match="has gone on") as caught:
        sign(small_world.job, "A. Owner", "data owner", "")
    assert caught.value.hint.startswith("do `casebridge reconcile` again")


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
