"""A report holds while nothing has changed, and no longer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from hand_made import World

from casebridge import reconciliation
from casebridge.project.errors import ReconciliationFailed
from casebridge.project.fingerprint import fingerprints
from casebridge.project.journal import Journal
from casebridge.project.target import TargetTable
from casebridge.reconciliation.counting import recount
from casebridge.reconciliation.reading.target import Held


def test_a_report_holds_until_something_changes(world: World) -> None:
    first = reconciliation.run(world.job)
    assert reconciliation.still_holds(world.job) == first
    assert reconciliation.still_holds(world.job) == first
    assert [run.verdict for run in world.job.ledger.runs()] == ["balanced"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE phones SET number = '0191 498 0999' WHERE phone_id = (SELECT min(phone_id) FROM phones)",
        "DELETE FROM phones WHERE phone_id = (SELECT min(phone_id) FROM phones)",
        "INSERT INTO phones (phone_id, person_id, number) SELECT 999, min(person_id), '1' FROM phones",
        "UPDATE phones SET phone_id = phone_id + 100",
        "ALTER TABLE phones RENAME COLUMN number TO digits",
    ],
)
def test_nothing_done_to_the_target_goes_unseen(world: World, statement: str) -> None:
    reconciliation.run(world.job)
    world.execute(statement)
    assert reconciliation.still_holds(world.job) is None
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(world.job)
    assert reconciliation.still_holds(world.job) is None


def test_rows_taken_out_and_put_back_otherwise_are_seen(world: World) -> None:
    """As many rows as before, under the same keys."""
    reconciliation.run(world.job)
    world.execute("CREATE TABLE aside AS SELECT * FROM phones")
    world.execute("DELETE FROM phones")
    world.execute("INSERT INTO phones SELECT phone_id, person_id, '7' FROM aside")
    assert reconciliation.still_holds(world.job) is None


def test_a_report_that_was_edited_or_lost_holds_no_longer(small_world: World) -> None:
    reconciliation.run(small_world.job)
    page: Path = small_world.job.settings.reports / "trial-1" / "report.html"
    page.write_text(page.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert reconciliation.still_holds(small_world.job) is None
    reconciliation.run(small_world.job)
    page.unlink()
    assert reconciliation.still_holds(small_world.job) is None


def test_other_rules_or_a_damaged_batch_end_it(small_world: World) -> None:
    job = small_world.job
    reconciliation.run(job)
    Journal(job.ledger).note_rules(job.run, {"tables/persons.toml": "another"})
    assert reconciliation.still_holds(job) is None
    reconciliation.run(job)
    assert reconciliation.still_holds(job)
    batch = job.ledger.sealed(job.run, "load", "phones", "rows")[0]
    batch.path.write_bytes(batch.path.read_bytes()[:-1])
    assert reconciliation.still_holds(job) is None


def test_a_report_of_other_code_is_written_again(small_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it says, and what it keeps to itself, may be otherwise now."""
    reconciliation.run(small_world.job)
    made = {**fingerprints(), "reconcile": fingerprints()["load"]}
    monkeypatch.setattr("casebridge.project.job.fingerprints", lambda *_, **__: made)
    assert reconciliation.still_holds(small_world.job) is None


def test_a_count_that_failed_leaves_no_older_report_holding(small_world: World) -> None:
    job = small_world.job
    reconciliation.run(job)
    small_world.execute("ALTER TABLE phones RENAME TO gone")
    with pytest.raises(ReconciliationFailed):
        reconciliation.run(job)
    small_world.execute("ALTER TABLE gone RENAME TO phones")
    assert reconciliation.still_holds(job) is None


def test_what_is_written_while_we_count_ends_the_proof(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Our snapshot does not see it, so the report does not tell of it."""
    seen = recount.look

    def look(connection: sa.Connection, tables: Sequence[TargetTable]) -> dict[str, Held]:
        found = seen(connection, tables)
        looks.append(connection)
        if len(looks) == 2:
            world.execute("UPDATE phones SET number = '7'")
        return found

    looks: list[sa.Connection] = []
    monkeypatch.setattr(recount, "look", look)
    reconciliation.run(world.job)
    assert len(looks) == 2
    assert reconciliation.still_holds(world.job) is None
