"""Decisions that a run followed do not vanish: they are counted, and the head of the log is noted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from casebridge.dedupe.review.decision_log import DecisionLog
from casebridge.dedupe.review.decisions import Ruling, decision
from casebridge.dedupe.review.desk_tables import DECISIONS
from casebridge.migrate.decision_guard import (
    Looked,
    check_decisions_followed,
    decided_pairs,
    decisions_say,
    decisions_since,
    has_control,
    heads_noted,
    log_was_lost,
    look_at_decisions,
    note_decisions_followed,
    note_new_log,
    take_over_old_decisions,
)
from casebridge.project.audit import START, Head
from casebridge.project.audit_heads import AuditHeads
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job, Silent
from casebridge.project.journal import Journal
from casebridge.project.ledger import Ledger
from casebridge.project.settings import Settings, System
from casebridge.project.target import Target

PAIRS = [("a:1", "a:2"), ("a:3", "a:4"), ("a:5", "a:6")]


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    control = f"sqlite:///{tmp_path / 'control.db'}"
    settings = Settings(tmp_path, "Northam", "sqlite:///t.db", control, {"a": System("a", tmp_path)})
    job = Job(settings, Target(()), (), Ledger(settings.work), "trial-1", Silent())
    yield job
    job.close()
    job.ledger.close()


def _decide(job: Job, count: int, ruling: Ruling = Ruling.SAME) -> None:
    """Decisions on so many pairs, which linkage put forward."""
    said = [decision(*pair, ruling, "J", "seen") for pair in PAIRS[:count]]
    DecisionLog(job.audit_log(writing=True)).decide(said, PAIRS)


def _lose_control(job: Job) -> Job:
    job.close()
    for file in job.folder.glob("control.db*"):
        file.unlink()
    return replace(job, _controls={})


def test_where_nobody_decided_nothing_is_made_and_nothing_missed(job: Job) -> None:
    check_decisions_followed(job, "dedupe")
    assert (has_control(job), decided_pairs(job), decisions_since(job), decisions_say(job)) == (False, 0, 0, ())
    assert look_at_decisions(job) == Looked(0, Head(0, START))
    take_over_old_decisions(job)
    assert heads_noted(job) == ()
    note_decisions_followed(job)
    assert Journal(job.ledger).followed() is None
    assert (heads_noted(job), log_was_lost(job)) == ((Head(0, START),), False)
    assert not (job.folder / "control.db").exists()
    server = replace(job, settings=replace(job.settings, control_url="postgresql://host/control"))
    assert has_control(server)


def test_what_a_run_followed_and_what_came_after_it(job: Job) -> None:
    _decide(job, 2)
    looked = look_at_decisions(job)
    assert (looked.pairs, looked.head) == (2, job.audit_log().head())
    third = decision(*PAIRS[2], Ruling.SAME, "J", "seen")
    DecisionLog(job.audit_log(writing=True)).decide([third], PAIRS[:2])  # linkage did not put it forward
    for _ in range(2):
        note_decisions_followed(job, looked)
    followed = Journal(job.ledger).followed()
    assert followed is not None
    assert (followed.run, followed.pairs) == ("trial-1", 2)
    with job.ledger.engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM followed")) == 1
    assert heads_noted(job) == (looked.head,)
    assert (decided_pairs(job), decisions_since(job), decisions_say(job)) == (3, 1, ())
    assert decisions_since(replace(job, run="trial-2")) == 0
    for stage in ("extract", "transform", "dedupe", "load"):
        check_decisions_followed(job, stage)
    note_decisions_followed(job)
    last = Journal(job.ledger).followed()
    assert (last and last.pairs, decisions_since(job)) == (3, 0)
    assert heads_noted(job) == (job.audit_log().head(),)


@pytest.mark.parametrize(
    ("count", "said"),
    [(1, "1 decision that run trial-1 followed is gone"), (2, "2 decisions that run trial-1 followed are gone")],
)
def test_a_lost_control_database_stops_all_that_reads_decisions(job: Job, count: int, said: str) -> None:
    """Until they are given up; that the log starts again is on record."""
    _decide(job, count)
    note_decisions_followed(job)
    lost = _lose_control(job)
    for stage in ("extract", "transform", "dedupe"):
        with pytest.raises(CasebridgeError) as caught:
            check_decisions_followed(lost, stage)
        assert str(caught.value).startswith(f"{said} from the control database")
        assert caught.value.hint == (
            "restore the database that control.url names, or take the files of decisions in again with "
            "`casebridge decide FILE.csv`. To go on without them, which takes merged records apart again: "
            "`casebridge run --without-lost-decisions`"
        )
    check_decisions_followed(lost, "load")
    assert log_was_lost(lost)
    note_new_log(lost)
    assert (AuditHeads(lost.ledger).last(), log_was_lost(lost)) == ((0, START), False)
    note_decisions_followed(lost)
    given_up = Journal(lost.ledger).followed()
    assert given_up is not None
    assert given_up.pairs == 0
    check_decisions_followed(lost, "dedupe")


def test_another_log_with_as_many_decisions_is_not_the_one_that_was_followed(job: Job) -> None:
    _decide(job, 2)
    note_decisions_followed(job)
    other = _lose_control(job)
    _decide(other, 3, Ruling.DIFFERENT)
    assert not log_was_lost(other)
    with pytest.raises(CasebridgeError):
        check_decisions_followed(other, "dedupe")
    assert decisions_say(other)


def test_decisions_without_a_log_are_taken_over_until_a_run_has_looked(job: Job) -> None:
    row = {"number": 1, "left_id": "a:1", "right_id": "a:2", "verdict": "same", "reviewer": "J", "reason": "x",
           "decided_at": "2026-01-01T00:00:00Z"}  # fmt: skip
    with job.open_control(writing=True).begin() as connection:
        DECISIONS.create(connection)
        connection.execute(DECISIONS.insert().values(row))
    note_decisions_followed(job, Looked(0, Head(0, START)))
    take_over_old_decisions(job)
    assert job.audit_log().head().number == 0
    with job.ledger.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM audit_heads"))
    take_over_old_decisions(replace(job, keeps=False))
    assert (job.audit_log().head().number, decided_pairs(job)) == (1, 1)
