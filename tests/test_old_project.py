"""A project that an older casebridge made goes on; one that a newer made is refused in words."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.councils import casebridge
from tests.old_project import ask, files_of, tell, unpack_old_project

IDS = "SELECT legacy_id, person_id FROM persons ORDER BY person_id"
PAID = "SELECT payment_id, person_id FROM payments ORDER BY payment_id"
WAYS = "SELECT legacy_key, target_id FROM casebridge_crosswalk ORDER BY 2, 1"
NO_VERSION = "SELECT count(*) FROM sqlite_master WHERE name LIKE '%schema'"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return unpack_old_project(tmp_path / "project")


def cli(project: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = casebridge(*words, "--project", str(project))
    assert done.returncode == code, done.stdout + done.stderr
    return done


def given_out(project: Path) -> set[tuple[object, ...]]:
    """All target ids that were ever given out: table, key, id."""
    found = set[tuple[object, ...]]()
    for path in (project / "work" / "ids").rglob("*.parquet"):
        rows = pl.read_parquet(path)
        found |= {(path.parent.name, *row) for row in rows.select("_key", "id").rows()}
    return found


def test_what_an_older_casebridge_made_can_be_looked_at(project: Path) -> None:
    """And is left as it is; what was signed before there was an audit log is verified all the same."""
    before = files_of(project)
    cli(project, "check")
    runs = json.loads(cli(project, "status", "--json").stdout)["runs"]
    assert [(run["name"], run["verdict"], run["signed"]) for run in runs] == [("trial-1", "balanced", True)]
    assert "signed, and nothing has changed since" in cli(project, "report").stdout
    plan = json.loads(cli(project, "run", "--plan", "--name", "trial-2", "--json").stdout)["stages"]
    assert plan[0]["state"] == "pending"
    assert files_of(project) == before


def test_what_an_older_casebridge_signed_is_looked_at_in_the_target(project: Path) -> None:
    tell(project / "target.db", "UPDATE payments SET amount = '4.51' WHERE payment_id = 4")
    assert "the target: contents_equal does not hold any more" in cli(project, "report", code=6).stderr


def test_the_next_run_goes_on(project: Path) -> None:
    """Ids stay, the old decisions hold and are in the audit log, the new one is taken up with what hangs on it."""
    target, ids, signed = project / "target.db", given_out(project), files_of(project / "reports" / "trial-1")
    people, payments = dict(ask(target, IDS)), dict(ask(target, PAID))
    assert ask(target, WAYS)[9:11] == [("10", 10), ("101", 10)]
    cli(project, "run", "--name", "trial-2")
    assert given_out(project) == ids
    assert dict(ask(target, IDS)) == {key: number for key, number in people.items() if key != "6"}
    moved = {number for number, person in payments.items() if person == 6}
    assert moved == {5, 51}
    assert dict(ask(target, PAID)) == {n: 5 if n in moved else person for n, person in payments.items()}
    assert {("5", 5), ("6", 5), ("10", 10), ("101", 10)} <= set(ask(target, WAYS))
    assert ask(project / "control.db", "SELECT kind FROM audit") == [("decision",)] * 3
    assert "the audit log is whole: 3 entries" in cli(project, "audit", "verify").stdout
    assert files_of(project / "reports" / "trial-1") == signed
    assert "signed; superseded by run trial-2" in cli(project, "report", "trial-1").stdout
    cli(project, "run", "--name", "trial-1", code=1)
    cli(project, "sign", "trial-2", "--by", "B", "--role", "board")
    assert "signed, and nothing has changed since" in cli(project, "report", "trial-2").stdout


def test_money_of_a_folded_person_counts_as_the_survivors(project: Path) -> None:
    """On both sides of the books: 5 and 6 are one person, and so is what was paid to them."""
    cli(project, "run", "--name", "trial-2")
    totals = pl.read_csv(project / "reports" / "trial-2" / "control_totals.csv", infer_schema=False)
    theirs = totals.filter(pl.col("party").is_in(["5", "6"]))
    assert theirs.select("party", "source_loaded", "in_target").rows() == [("5", "112.00", "112.00")]
    tell(project / "target.db", "UPDATE payments SET person_id = 7 WHERE payment_id = 51")
    failed = cli(project, "reconcile", "--name", "trial-2", code=6).stderr
    assert "2 reconciliation checks failed: contents_equal, control_totals" in failed


def test_versions_are_noted_where_it_writes(project: Path) -> None:
    ledger, target = project / "work" / "ledger.db", project / "target.db"
    assert ask(ledger, NO_VERSION) == ask(target, NO_VERSION) == [(0,)]
    cli(project, "run", "--name", "trial-2")
    versions = "SELECT part, version FROM schema ORDER BY 1"
    assert ask(ledger, versions) == [("ids", 1), ("journal", 1), ("ledger", 1)]
    assert ask(target, "SELECT part, version FROM casebridge_schema") == [("side tables", 1)]


def test_old_decisions_come_before_the_first_entry_of_another_kind(project: Path) -> None:
    """In a log that has begun they would be decisions that somebody else added."""
    cli(project, "pairs")
    kinds = [kind for (kind,) in ask(project / "control.db", "SELECT kind FROM audit ORDER BY number")]
    assert kinds == ["decision", "decision", "decision", "export"]
    cli(project, "audit", "verify")
    cli(project, "run", "--name", "trial-2")


READING = (("status",), ("report",), ("run", "--plan"), ("pairs",), ("check",))
WRITING = (("run", "--name", "trial-2"), ("freeze",), ("purge",))


@pytest.mark.parametrize("part", ["ledger", "journal", "ids", "a part of later days"])
def test_a_ledger_of_a_newer_casebridge_is_refused(project: Path, part: str) -> None:
    tell(
        project / "work" / "ledger.db",
        "CREATE TABLE schema (part VARCHAR(40) PRIMARY KEY, version INTEGER NOT NULL)",
        f"INSERT INTO schema VALUES ('{part}', 2)",  # noqa: S608
    )
    before = files_of(project)
    for words in (*READING, *WRITING):
        done = cli(project, *words, code=2 if words == ("check",) else 1)
        said = done.stdout + done.stderr
        assert f"was written by a newer casebridge: {part} in version 2, known is" in said
        assert "use the release that wrote it, or a newer one" in said
    after = files_of(project)
    assert {name: after[name] for name in before} == before


def test_a_target_of_a_newer_casebridge_is_refused(project: Path) -> None:
    tell(
        project / "target.db",
        "CREATE TABLE casebridge_schema (part VARCHAR(40) PRIMARY KEY, version INTEGER NOT NULL)",
        "INSERT INTO casebridge_schema VALUES ('side tables', 2)",
    )
    before = files_of(project)["target.db"]
    asking = (("report",), ("check",), ("run", "--name", "trial-2"), ("rollback", "trial-1"), ("purge",))
    for words in asking:
        done = cli(project, *words, code=2 if words == ("check",) else 1)
        said = done.stdout + done.stderr
        assert "side tables in version 2, known is 1" in said or "is signed and closed" in said
    assert files_of(project)["target.db"] == before
