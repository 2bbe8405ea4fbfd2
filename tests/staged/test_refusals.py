"""What a command refuses says why and what to do: lost files, unknown runs, stages out of order."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from casebridge.project.journal import Journal
from casebridge.project.ledger import Ledger
from tests.councils import Migration, casebridge, copy_of, make_migration, small_council


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Migration:
    folder = tmp_path_factory.mktemp("refusals")
    migration = make_migration(folder / "project", small_council(folder / "council"))
    migration.run()
    return migration


@pytest.fixture
def migration(loaded: Migration, tmp_path: Path) -> Migration:
    """The loaded project, to spoil; nothing spoils its dump."""
    (tmp_path / "council").symlink_to(loaded.council)
    folder = copy_of(loaded.folder, tmp_path / "project")
    return Migration(folder, tmp_path / "council", f"sqlite:///{folder / 'target.db'}")


def _refused(migration: Migration, *words: str) -> str:
    done = migration.cli(*words)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "unexpected" not in done.stderr
    return done.stderr


def _cut(path: Path) -> None:
    os.truncate(path, 50)


def test_a_ledger_that_is_none(migration: Migration) -> None:
    for old in (migration.folder / "work").glob("ledger.db*"):
        old.unlink()
    (migration.folder / "work" / "ledger.db").write_text("garbage\n")
    for words in (("run",), ("status",), ("rollback", "trial-1")):
        said = _refused(migration, *words)
        assert "ledger.db: file is not a database" in said
        assert "restore the whole work folder from a backup" in said


def test_a_control_database_that_is_none(migration: Migration) -> None:
    for old in migration.folder.glob("control.db*"):
        old.unlink()
    (migration.folder / "control.db").write_text("garbage\n")
    said = _refused(migration, "run")
    assert "control.db: file is not a database" in said
    assert "control.url" in said
    assert "control.url" in migration.cli("check").stdout


def test_a_ledger_that_may_not_be_written(migration: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root nothing is read-only, so SQLite is told to refuse."""
    opened = sqlite3.connect

    def read_only(*words: object, **more: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = opened(*words, **more)  # type: ignore[call-overload]
        connection.execute("PRAGMA query_only = ON")
        return connection

    monkeypatch.setattr(sqlite3.dbapi2, "connect", read_only)
    said = _refused(migration, "extract")
    assert "ledger.db: attempt to write a readonly database" in said
    assert "may read and write it" in said


def test_a_folder_that_refuses_a_batch_is_named(migration: Migration, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def refusing(path: Path, mode: str = "r", *words: object, **more: object) -> object:
        if path.suffix == ".part":
            raise PermissionError(1, "Operation not permitted", str(path))
        return opened(path, mode, *words, **more)  # type: ignore[call-overload]

    clean = next((migration.folder / "work" / "transform" / "workers").glob("*.clean.parquet"))
    clean.unlink()
    monkeypatch.setattr(Path, "open", refusing)
    said = _refused(migration, "run")
    assert f"Operation not permitted, in {clean.parent}" in said


def test_a_folder_that_refuses_the_account_is_named(migration: Migration) -> None:
    """As root every folder may be written; what stands in the file's place may not."""
    reports = migration.folder / "reports" / "trial-1"
    (reports / f".dispositions.parquet.{os.getpid()}.part").mkdir()
    said = _refused(migration, "reconcile")
    assert f"casebridge: Is a directory, in {reports}\n" in said
    assert "see that this login may read and write there" in said


@pytest.mark.parametrize(
    ("words", "files", "hint"),
    [
        (("run", "--plan"), "dedupe/candidates/*.model.parquet", "made again"),
        (("pairs",), "dedupe/pairs/*.parquet", "made again"),
        (("rollback", "trial-1"), "load/persons/*.rows.parquet", "restore work/load from a backup"),
    ],
)
def test_every_command_names_a_damaged_file(
    migration: Migration, words: tuple[str, ...], files: str, hint: str
) -> None:
    """Not only the stages: whatever reads the work folder."""
    (file,) = (migration.folder / "work").glob(files)
    _cut(file)
    said = _refused(migration, *words)
    assert f"damaged since it was written: work/{file.relative_to(migration.folder / 'work')}" in said
    assert hint in said


def test_ids_that_are_gone_are_noticed_though_nothing_is_new(migration: Migration) -> None:
    shutil.rmtree(migration.folder / "work" / "ids")
    said = _refused(migration, "run")
    assert "ids.parquet is gone" in said
    assert "restore work/ids from a backup" in said


@pytest.mark.parametrize(
    "words",
    [
        ("sign", "trial-7", "--by", "x", "--role", "y"),
        ("handover", "prepare", "trial-7"),
        ("handover", "handed", "trial-7", "--to", "x"),
        ("handover", "show", "trial-7"),
        ("report", "trial-7"),
        ("rollback", "trial-7"),
        ("freeze", "trial-7"),
        ("status", "--name", "trial-7"),
        ("pairs", "--name", "trial-7"),
    ],
)
def test_a_run_that_never_was(migration: Migration, words: tuple[str, ...]) -> None:
    said = _refused(migration, *words)
    assert "no run trial-7" in said
    assert "did you mean `trial-1`?" in said


def test_names_that_differ_in_capitals_only(migration: Migration) -> None:
    """Two runs, one folder of reports: on some disks."""
    said = _refused(migration, "run", "--name", "TRIAL-1")
    assert "the run trial-1" in said
    assert "would share a folder" in said
    assert "did you mean `trial-1`?" in _refused(migration, "report", "Trial-1")


def test_stages_have_an_order(loaded: Migration, tmp_path: Path) -> None:
    """A stage alone does not begin before the stages it goes on from; a plan and a whole run do."""
    fresh = make_migration(tmp_path / "project", loaded.council)
    for stage in ("transform", "dedupe", "load", "reconcile"):
        said = _refused(fresh, stage)
        assert "nothing was extracted yet for run trial-1" in said
        assert "`casebridge run` does all stages in order" in said
    assert fresh.cli("run", "--plan").returncode == 0
    assert fresh.cli("extract").returncode == 0
    for stage in ("dedupe", "load", "reconcile"):
        assert "nothing was transformed yet for run trial-1" in _refused(fresh, stage)
    assert "nothing was extracted yet for run other" in _refused(fresh, "transform", "--name", "other")
    assert fresh.cli("transform").returncode == 0


def test_only_a_run_that_balances_can_be_frozen(migration: Migration) -> None:
    assert migration.cli("run", "--name", "other", "--until", "extract").returncode == 0
    said = _refused(migration, "freeze", "other")
    assert "run other has no report that balances (not finished)" in said
    assert migration.cli("freeze", "trial-1").returncode == 0


def _decided(migration: Migration) -> Path:
    """Two pairs are decided and followed; gives the file of decisions."""
    pairs = pl.read_csv(migration.cli("pairs", "--limit", "2").stdout.encode(), infer_schema=False)
    decided = pairs.with_columns(verdict=pl.lit("same"), reviewer=pl.lit("R"), reason=pl.lit("looked at both"))
    path = migration.folder / "decided.csv"
    decided.select("left", "right", "verdict", "reviewer", "reason").write_csv(path)
    assert migration.cli("decide", str(path)).returncode == 0
    assert migration.cli("run").returncode == 0
    return path


def _lose_control(migration: Migration) -> None:
    for path in migration.folder.glob("control.db*"):
        path.unlink()


def _taken_again(migration: Migration, file: Path) -> None:
    assert migration.cli("decide", str(file)).returncode == 0


def _given_up(migration: Migration, _file: Path) -> None:
    assert migration.cli("run", "--without-lost-decisions").returncode == 0


@pytest.mark.parametrize(("way_on", "followed"), [(_taken_again, 2), (_given_up, 0)])
def test_decisions_that_were_followed_do_not_vanish(
    migration: Migration, way_on: Callable[[Migration, Path], None], followed: int
) -> None:
    """A lost control database stops run, plan and signature, until it is back or given up in so many words."""
    file = _decided(migration)
    _lose_control(migration)
    for words in (("run",), ("run", "--plan"), ("dedupe",), ("sign", "trial-1", "--by", "x", "--role", "y")):
        said = _refused(migration, *words)
        assert "2 decisions that run trial-1 followed are gone from the control database" in said
        assert "--without-lost-decisions" in said
    assert not (migration.folder / "control.db").exists()
    way_on(migration, file)
    assert migration.cli("run").returncode == 0
    ledger = Ledger(migration.folder / "work")
    last = Journal(ledger).followed()
    ledger.close()
    assert last is not None
    assert last.pairs == followed


def test_a_signature_is_not_given_by_what_was_done_before_the_decisions(migration: Migration) -> None:
    """Batches made from other decisions are in the ledger; what was loaded counts."""
    ledger = Ledger(migration.folder / "work")
    before = [
        (batch.number, batch.inputs) for batch in ledger.sealed("trial-1", "dedupe", "crosswalk", "crosswalk")
    ]
    _decided(migration)
    ledger.seal("trial-1", "dedupe", "crosswalk", before)
    ledger.close()
    said = _refused(migration, "sign", "trial-1", "--by", "x", "--role", "y")
    assert "decisions were taken since it was loaded" in said


def test_a_fresh_projects_plan_counts_lines(loaded: Migration, tmp_path: Path) -> None:
    """Nobody has read the records yet, and one may span several lines."""
    fresh = make_migration(tmp_path / "project", loaded.council)
    said = casebridge("run", "--plan", "--until", "extract", "--project", str(fresh.folder)).stdout
    assert "about" in said
