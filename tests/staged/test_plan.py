"""A plan says what the run then does, and leaves the project as it is; frozen rules stay what they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from casebridge.migrate.pipeline import open_job, run_stages
from casebridge.project.batch import file_digest
from casebridge.project.journal import Journal
from tests.councils import Migration, casebridge
from tests.shelf import NOTHING, Shelf, copy_of, with_its_dump


@pytest.fixture
def migration(shelf: Shelf, tmp_path: Path) -> Migration:
    """The loaded project, to spoil, and its dump."""
    return with_its_dump(copy_of(shelf.after("reconcile"), tmp_path))


def _plan(migration: Migration, *words: str) -> dict[str, dict[str, Any]]:
    done = migration.cli("run", "--plan", "--json", *words)
    assert done.returncode == 0, done.stderr
    return {stage["stage"]: stage for stage in json.loads(done.stdout)["stages"]}


def _states(stage: dict[str, Any], state: str) -> set[str]:
    return {table["table"] for table in stage["tables"] if table["state"] == state}


def _files(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path): file_digest(path) for path in found if path.suffix not in {".db-wal", ".db-shm"}}


def _worked(migration: Migration, run: str | None = None) -> dict[str, set[str]]:
    """What a run then really does: the tables by stage."""
    with open_job(migration.folder, run) as job:
        for _ in run_stages(job):
            pass
        return {stage: {n for s, n in job.ledger.worked if s == stage} for stage, _ in job.ledger.worked}


def test_nothing_is_pending_after_a_run(migration: Migration) -> None:
    """Only reconciliation counts again; a run of another name shares all files."""
    for words in ((), ("--name", "trial-2")):
        plan = _plan(migration, *words)
        assert [plan[stage]["state"] for stage in plan] == ["done", "done", "done", "done", "pending"]
        assert plan["transform"]["expected_seconds"] == 0
        assert plan["reconcile"]["last"]["run"] == "trial-1"


def test_a_plan_leaves_everything_as_it_is(migration: Migration) -> None:
    """Also where it says that much is to be done."""
    (migration.folder / "codes" / "title.csv").write_text(_without_last_line(migration, "title"))
    before = _files(migration.folder)
    _plan(migration)
    _plan(migration, "--name", "trial-2", "--until", "load")
    assert _files(migration.folder) == before


def test_nothing_is_made_for_a_plan_of_a_new_project(shelf: Shelf, tmp_path: Path) -> None:
    """Everything is pending or follows; no target, no control database."""
    fresh = copy_of(shelf.after(NOTHING), tmp_path)
    plan = _plan(fresh)
    assert _states(plan["extract"], "done") == set()
    assert {plan[stage]["state"] for stage in ("transform", "dedupe", "load", "reconcile")} == {"follows"}
    assert plan["load"]["expected_seconds"] is None
    assert not (fresh.folder / "target.db").exists()
    assert not (fresh.folder / "control.db").exists()


def test_the_run_does_what_the_plan_says(migration: Migration) -> None:
    """A changed code list: the specs that use it are pending, what hangs on them follows."""
    (migration.folder / "codes" / "warning_type.csv").write_text(_without_last_line(migration, "warning_type"))
    plan = _plan(migration)
    assert _states(plan["transform"], "pending") == {"warnings"}
    assert _states(plan["dedupe"], "done") == {
        "candidates", "crosswalk", "persons", "candidates-organisations", "organisations",
        "candidates-addresses", "properties",
    }  # fmt: skip
    assert _states(plan["load"], "follows") == {"warnings"}
    last = plan["transform"]["last"]
    [pending] = [table for table in plan["transform"]["tables"] if table["state"] == "pending"]
    expected = last["seconds"] * pending["rows"] / last["rows"]
    assert plan["transform"]["expected_seconds"] == pytest.approx(expected, abs=0.01)
    worked = _worked(migration)
    assert worked["transform"] == {"warnings"}
    assert worked.get("load", set()) <= {"warnings"}  # nothing, when what was converted came out the same
    assert "extract" not in worked


def test_a_changed_file_is_pending_and_its_tables_follow(migration: Migration) -> None:
    """The next delivery: one line less of one file."""
    path = migration.council / "dump" / "CF_WARNING.csv"
    path.write_bytes(path.read_bytes().rsplit(b"\r\n", 2)[0] + b"\r\n")
    (migration.council / "dump" / "MANIFEST.csv").unlink(missing_ok=True)
    plan = _plan(migration, "--name", "trial-2")
    assert _states(plan["extract"], "pending") == {"carefirst.CF_WARNING"}
    assert _states(plan["transform"], "follows") == {"carefirst.CF_WARNING", "warnings"}
    assert _states(plan["load"], "follows") == {"warnings"}
    worked = _worked(migration, "trial-2")
    assert worked["extract"] == {"carefirst.CF_WARNING"}
    assert worked.get("load", set()) <= {"warnings"}


def test_rows_that_left_the_target_are_pending(migration: Migration) -> None:
    """The files are all there, the target is new: every batch has to be written again."""
    (migration.folder / "target.db").unlink()
    plan = _plan(migration)
    assert plan["dedupe"]["state"] == "done"
    rows = {table["table"]: table["rows"] for table in plan["load"]["tables"] if table["state"] == "pending"}
    assert rows["persons"] > 500


def test_status_shows_how_long_it_took(migration: Migration) -> None:
    """A stage that finds all done does not hide the time of the one that did the work."""
    before = json.loads(migration.cli("status", "--json").stdout)["timings"]
    assert [timing["stage"] for timing in before] == ["extract", "transform", "dedupe", "load", "reconcile"]
    assert all(timing["rows"] > 0 for timing in before)
    migration.run()
    after = json.loads(migration.cli("status", "--json").stdout)["timings"]
    assert after[:4] == before[:4]
    assert "transform: " in migration.cli("status").stdout


def test_frozen_rules_are_refused_when_they_change(migration: Migration) -> None:
    """Spec, code list, target schema, encoding: each is named, and nothing is done."""
    assert migration.cli("freeze", "trial-1").returncode == 0
    spec, codes = migration.folder / "tables" / "persons.toml", migration.folder / "codes" / "sex.csv"
    settings, kept = migration.folder / "casebridge.toml", codes.read_text()
    spec.write_text(spec.read_text() + "# a remark\n")
    codes.write_text(kept + "9,U,not known,mapped,,,,\n")
    text = settings.read_text()
    settings.write_text(text.replace("century_pivot = 26", "century_pivot = 27"))
    for words in (("run", "--name", "cut-over"), ("transform",), ("run", "--plan", "--name", "cut-over")):
        done = migration.cli(*words)
        assert done.returncode == 1
        for name in ("tables/persons.toml", "codes/sex.csv", "casebridge.toml systems.carefirst"):
            assert name in done.stderr
        assert "--lift" in done.stderr
    with open_job(migration.folder) as job:
        assert [run.name for run in job.ledger.runs()] == ["trial-1"]
    assert migration.cli("freeze", "--lift").returncode == 0
    assert migration.cli("run", "--name", "trial-2", "--until", "transform").returncode == 0


def test_data_and_decisions_are_not_frozen(migration: Migration) -> None:
    """Cut-over night: the final dump, the last decisions, the rehearsed rules."""
    assert migration.cli("freeze").returncode == 0
    path = migration.council / "dump" / "CF_WARNING.csv"
    path.write_bytes(path.read_bytes().rsplit(b"\r\n", 2)[0] + b"\r\n")
    (migration.council / "dump" / "MANIFEST.csv").unlink(missing_ok=True)
    done = migration.cli("run", "--name", "cut-over")
    assert done.returncode == 0, done.stderr
    assert "frozen since" in migration.cli("status").stdout


def test_only_what_was_rehearsed_can_be_frozen(migration: Migration) -> None:
    """Rules changed after the rehearsal, or a run that never was."""
    spec = migration.folder / "tables" / "persons.toml"
    spec.write_text(spec.read_text() + "# a remark\n")
    done = migration.cli("freeze")
    assert done.returncode == 1
    assert "tables/persons.toml" in done.stderr
    assert migration.cli("freeze", "rehearsal").returncode == 1
    with open_job(migration.folder) as job:
        assert Journal(job.ledger).frozen() is None


def test_a_stage_that_is_none_is_no_plan(migration: Migration) -> None:
    """The same word of help as without --plan."""
    done = casebridge("run", "--plan", "--until", "transfrom", "--project", str(migration.folder))
    assert done.returncode == 1
    assert "transform" in done.stderr


def _without_last_line(migration: Migration, name: str) -> str:
    lines = (migration.folder / "codes" / f"{name}.csv").read_text().splitlines(keepends=True)
    return "".join(lines[:-1])
