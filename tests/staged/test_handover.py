"""Files for the supplier and back: only the same rows are acknowledged, only in order, only unchanged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from casebridge.load.handover import MANIFEST
from tests.councils import Migration, copy_of
from tests.shelf import SMALL, Shelf
from tests.shelf import copy_of as project_copy


@pytest.fixture(scope="module")
def prepared(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Migration:
    folder = tmp_path_factory.mktemp("handover")
    before = project_copy(shelf.after("dedupe", batch_rows=SMALL), folder / "before")
    assert before.cli("handover", "prepare", "trial-1").returncode == 1  # nothing was loaded yet
    migration = project_copy(shelf.after("reconcile", batch_rows=SMALL), folder)
    done = migration.cli("handover", "prepare", "trial-1")
    assert done.returncode == 0, done.stderr
    return migration


@pytest.fixture
def migration(prepared: Migration, tmp_path: Path) -> Migration:
    """The prepared project, to spoil."""
    folder = copy_of(prepared.folder, tmp_path / "project")
    return Migration(folder, prepared.council, f"sqlite:///{folder / 'target.db'}")


def _files(migration: Migration) -> Path:
    return migration.folder / "handover" / "trial-1"


def _states(migration: Migration) -> list[str]:
    done = migration.cli("handover", "show", "trial-1", "--json")
    return [state["state"] for state in json.loads(done.stdout)]


def _readback(migration: Migration, tmp_path: Path) -> Path:
    """What the supplier exports: the same rows, each table in one file, in another order."""
    assert migration.cli("handover", "handed", "trial-1", "--to", "Supplier Ltd").returncode == 0
    for table in (path for path in _files(migration).iterdir() if path.is_dir()):
        rows = pl.concat([pl.read_csv(path, infer_schema=False) for path in table.glob("*.csv")])
        (tmp_path / "readback" / table.name).mkdir(parents=True)
        rows.reverse().write_csv(tmp_path / "readback" / table.name / "export.csv")
    return tmp_path / "readback"


def test_the_manifest_has_the_control_totals(prepared: Migration) -> None:
    """Rows, keys and money by file and table are those of the report."""
    manifest = json.loads((_files(prepared) / MANIFEST).read_text(encoding="utf-8"))
    report = json.loads(prepared.report_path().read_text(encoding="utf-8"))
    assert {t["target"]: t["rows"] for t in report["targets"]} == {
        name: table["rows"] for name, table in manifest["tables"].items()
    }
    money = {(c["target"], c["column"]): c["in_target"] for c in report["control_totals"]}
    assert money
    for (table, column), pounds in money.items():
        assert f"{float(manifest['tables'][table]['sums'][column]):.2f}" == pounds.replace(",", "").lstrip("£")
    assert len(manifest["files"]) > len([t for t in manifest["tables"].values() if t["rows"]])
    assert _states(prepared) == ["prepared"]


def test_a_whole_readback_is_acknowledged(migration: Migration, tmp_path: Path) -> None:
    """Every step is a line that stays; the target of the run is as it was."""
    readback = _readback(migration, tmp_path)
    before = (migration.folder / "target.db").read_bytes()
    done = migration.cli("handover", "acknowledge", "trial-1", str(readback), "--by", "A. Owner")
    assert (done.returncode, done.stdout) == (0, "acknowledged: run trial-1\n"), done.stderr
    assert _states(migration) == ["prepared", "handed_over", "acknowledged"]
    assert (migration.folder / "target.db").read_bytes() == before
    for step, *words in (("prepare",), ("handed", "--to", "B"), ("acknowledge", str(readback))):
        assert migration.cli("handover", step, "trial-1", *words).returncode == 1


def test_a_lost_row_and_a_changed_value_are_found(migration: Migration, tmp_path: Path) -> None:
    """By table and count, without a value; a whole read-back afterwards is still taken."""
    readback = _readback(migration, tmp_path)
    whole = copy_of(readback, tmp_path / "whole")
    warnings, persons = (readback / name / "export.csv" for name in ("warnings", "dm_persons"))
    pl.read_csv(warnings, infer_schema=False).slice(1).write_csv(warnings)
    rows = pl.read_csv(persons, infer_schema=False).with_row_index()
    changed = pl.when(pl.col("index") == 3).then(pl.lit("Zzyzx")).otherwise("last_name").alias("last_name")
    rows.with_columns(changed).drop("index").write_csv(persons)
    done = migration.cli("handover", "acknowledge", "trial-1", str(readback))
    assert done.returncode == 6
    assert "warnings: all_written" in done.stdout
    assert "dm_persons: contents_equal" in done.stdout
    assert "1 row differs in last_name (1)" in done.stdout
    assert "Zzyzx" not in done.stdout + done.stderr
    assert _states(migration)[-1] == "differs"
    assert migration.cli("handover", "acknowledge", "trial-1", str(whole)).returncode == 0
    assert _states(migration)[-1] == "acknowledged"


def test_a_row_that_came_back_twice_is_found(migration: Migration, tmp_path: Path) -> None:
    """The supplier imported a file twice."""
    readback = _readback(migration, tmp_path)
    shutil.copy(readback / "warnings" / "export.csv", readback / "warnings" / "again.csv")
    done = migration.cli("handover", "acknowledge", "trial-1", str(readback))
    assert done.returncode == 6
    assert "warnings: keys_unique" in done.stdout


def test_steps_out_of_order_are_refused(migration: Migration, tmp_path: Path) -> None:
    """Nothing is acknowledged that nobody has; the hint says what comes first."""
    done = migration.cli("handover", "acknowledge", "trial-1", str(tmp_path))
    assert done.returncode == 1
    assert "casebridge handover handed" in done.stderr
    assert migration.cli("handover", "handed", "trial-2", "--to", "B").returncode == 1
    assert _states(migration) == ["prepared"]


@pytest.mark.parametrize("what", ["changed", "gone", "more", "manifest"])
def test_files_that_somebody_touched_are_not_handed_over(migration: Migration, what: str) -> None:
    """One byte, one file less, one file more, another manifest."""
    files = _files(migration)
    victim = next(iter(sorted((files / "warnings").iterdir())))
    if what == "changed":
        victim.write_bytes(victim.read_bytes()[:-2] + b"x\n")
    elif what == "gone":
        victim.unlink()
    elif what == "more":
        shutil.copy(victim, victim.with_name("one-more.csv"))
    else:
        (files / MANIFEST).write_text((files / MANIFEST).read_text().replace("warnings", "WARNINGS"))
    done = migration.cli("handover", "handed", "trial-1", "--to", "Supplier Ltd")
    assert done.returncode == 1
    assert "not as they were prepared" in done.stderr
    assert _states(migration) == ["prepared"]


def test_somebodys_own_file_is_not_deleted(migration: Migration) -> None:
    """To prepare again takes away what was prepared, and nothing else."""
    files = _files(migration)
    letter, victim = files / "warnings" / "letter.csv", next(iter(sorted((files / "warnings").glob("*.csv"))))
    letter.write_text("Dear all")
    before = victim.read_bytes()
    victim.write_bytes(b"spoilt")
    done = migration.cli("handover", "prepare", "trial-1")
    assert done.returncode == 1
    assert "letter.csv in handover/trial-1 was not written by casebridge" in done.stderr
    assert (letter.read_text(), victim.read_bytes()) == ("Dear all", b"spoilt")
    letter.unlink()
    assert migration.cli("handover", "prepare", "trial-1").returncode == 0
    assert victim.read_bytes() == before


def test_a_readback_that_is_no_csv_is_told_without_a_value(migration: Migration, tmp_path: Path) -> None:
    """A file in another encoding, or one without a column: the file is named, nothing of what is in it."""
    readback = _readback(migration, tmp_path)
    path = readback / "warnings" / "export.csv"
    good = path.read_bytes()
    path.write_bytes(good + b"\xff\xfesecret,\n")
    done = migration.cli("handover", "acknowledge", "trial-1", str(readback))
    assert done.returncode == 3
    assert "warnings/export.csv" in done.stderr
    assert "secret" not in done.stderr
    path.write_bytes(good.replace(b"person_id", b"person", 1))
    done = migration.cli("handover", "acknowledge", "trial-1", str(readback))
    assert done.returncode == 3
    assert "person_id" in done.stderr
    assert _states(migration)[-1] == "handed_over"
