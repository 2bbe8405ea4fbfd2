"""What a command refuses says why and what to do: lost files, unknown runs, stages out of order."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from casebridge.project.journal import Journal
from casebridge.project.ledger import Ledger
from tests.councils import Migration, casebridge
from tests.kin import Kin, make_kin, person
from tests.shelf import NOTHING, Shelf, copy_of


@pytest.fixture
def migration(shelf: Shelf, tmp_path: Path) -> Migration:
    """The loaded project, to spoil; nothing spoils its dump."""
    return copy_of(shelf.after("reconcile"), tmp_path)


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    """Four people, loaded, and loaded again after two pairs of them were decided to be the same."""
    made = make_kin(tmp_path_factory.mktemp("followed") / "kin", [person(n, f"Ng{n}") for n in range(1, 5)])
    made.run()
    made.decide((1, 2), (3, 4))
    made.run()
    return made


@pytest.fixture
def kin(followed: Kin, tmp_path: Path) -> Kin:
    """The same, to spoil."""
    folder = Path(shutil.copytree(followed.folder, tmp_path / "kin"))
    return Kin(folder, f"sqlite:///{folder / 'target.db'}")


def _refused(migration: Migration | Kin, *words: str) -> str:
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


def test_stages_have_an_order(shelf: Shelf, tmp_path: Path) -> None:
    """A stage alone does not begin before the stages it goes on from; a plan and a whole run do."""
    fresh = copy_of(shelf.after(NOTHING), tmp_path)
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


def _taken_again(kin: Kin) -> None:
    assert kin.cli("decide", str(kin.folder / "decisions.csv")).returncode == 0


def _given_up(kin: Kin) -> None:
    assert kin.cli("run", "--without-lost-decisions").returncode == 0


@pytest.mark.parametrize(("way_on", "followed_now"), [(_taken_again, 2), (_given_up, 0)])
def test_decisions_that_were_followed_do_not_vanish(
    kin: Kin, way_on: Callable[[Kin], None], followed_now: int
) -> None:
    """A lost control database stops run, plan and signature, until it is back or given up in so many words."""
    for path in kin.folder.glob("control.db*"):
        path.unlink()
    for words in (("run",), ("run", "--plan"), ("dedupe",), ("sign", "trial-1", "--by", "x", "--role", "y")):
        said = _refused(kin, *words)
        assert "2 decisions that run trial-1 followed are gone from the control database" in said
        assert "--without-lost-decisions" in said
    assert not (kin.folder / "control.db").exists()
    way_on(kin)
    assert kin.cli("run").returncode == 0
    ledger = Ledger(kin.folder / "work")
    last = Journal(ledger).followed()
    ledger.close()
    assert last is not None
    assert last.pairs == followed_now


def test_a_signature_is_not_given_by_what_was_done_before_the_decisions(tmp_path: Path) -> None:
    """Batches made from other decisions are in the ledger; what was loaded counts."""
    kin = make_kin(tmp_path, [person(n, f"Ng{n}") for n in range(1, 3)])
    kin.run()
    ledger = Ledger(kin.folder / "work")
    before = [
        (batch.number, batch.inputs) for batch in ledger.sealed("trial-1", "dedupe", "crosswalk", "crosswalk")
    ]
    kin.decide((1, 2))
    kin.run()
    ledger.seal("trial-1", "dedupe", "crosswalk", before)
    ledger.close()
    said = _refused(kin, "sign", "trial-1", "--by", "x", "--role", "y")
    assert "decisions were taken since it was loaded" in said


def test_a_fresh_projects_plan_counts_lines(shelf: Shelf, tmp_path: Path) -> None:
    """Nobody has read the records yet, and one may span several lines."""
    fresh = copy_of(shelf.after(NOTHING), tmp_path)
    said = casebridge("run", "--plan", "--until", "extract", "--project", str(fresh.folder)).stdout
    assert "about" in said
