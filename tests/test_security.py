"""What docs/security.md promises of files, names, messages and the log; attacks by way of the command line."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path

import polars as pl
import pytest

from casebridge.project.errors import MOST_SHOWN, Problem, SpecError, printable
from casebridge.project.headers import nameable
from tests.councils import Migration, casebridge, make_migration, small_council


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_council(tmp_path_factory.mktemp("security") / "council", people=500)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, council: Path) -> Migration:
    """A project that has run, made under the widest umask there is."""
    before = os.umask(0)
    try:
        migration = make_migration(tmp_path_factory.mktemp("ran") / "project", council)
        assert migration.cli("run").returncode == 0
    finally:
        os.umask(before)
    return migration


def test_all_that_is_written_is_its_owners_only(ran: Migration) -> None:
    """Through the project's folder nobody else comes at all; and what a run writes is closed by itself."""
    written = [path for name in ("work", "reports") for path in (ran.folder / name).rglob("*")]
    for path in (ran.folder, *ran.folder.iterdir(), *written):
        assert not path.lstat().st_mode & 0o077, path.name


def test_a_group_that_works_together_may_read_and_others_not(tmp_path: Path, council: Path) -> None:
    migration = make_migration(tmp_path / "project", council)
    settings = migration.folder / "casebridge.toml"
    settings.write_text(settings.read_text().replace("[project]\n", "[project]\nshared_group = true\n"))
    assert migration.cli("run", "--until", "extract").returncode == 0
    made = list((migration.folder / "work").rglob("*.parquet"))
    assert made
    assert all(path.stat().st_mode & 0o077 == 0o060 for path in made)


def test_a_planted_link_is_not_written_through(tmp_path: Path, council: Path) -> None:
    """Neither where the report goes, nor where it is written first."""
    migration = make_migration(tmp_path / "project", council)
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    folder = migration.folder / "reports" / "trial-1"
    folder.mkdir(parents=True)
    (folder / "report.html").symlink_to(victim)
    assert migration.cli("run").returncode == 0
    assert victim.read_text() == "untouched"
    assert not (folder / "report.html").is_symlink()


@pytest.mark.parametrize("name", ["a/../../../../outside", "..", "a\\b", "", "a b", "x" * 41, "-a"])
def test_a_systems_name_does_not_lead_out_of_the_project(tmp_path: Path, council: Path, name: str) -> None:
    migration = make_migration(tmp_path / "project", council)
    for path in (migration.folder / "casebridge.toml", *(migration.folder / "tables").glob("*.toml")):
        text = path.read_text().replace("[systems.carefirst]", f"[systems.{json.dumps(name)}]")
        path.write_text(text.replace('"carefirst"', json.dumps(name)))
    done = migration.cli("run")
    assert done.returncode == 2
    assert not list(tmp_path.glob("outside*"))


def test_no_message_shows_a_record_that_stands_where_a_header_should(tmp_path: Path) -> None:
    register, fields = tmp_path / "register.csv", tmp_path / "fields.toml"
    register.write_text("9,Zebulon,Quigglesworth,1990-08-09\n10,Ann,Other,1991-01-02\n")
    fields.write_text('id = "ID"\n[fields]\nforename = "FIRST"\nsurname = "LAST"\nbirth_date = "DOB"\n')
    done = casebridge("link", str(register), "--fields", str(fields), "--out", str(tmp_path / "out"))
    assert done.returncode != 0
    assert "no column" in done.stderr
    assert not {"Zebulon", "Quigglesworth", "1990-08-09"} & set(done.stderr.replace(",", " ").split())


def test_columns_are_named_only_where_the_line_is_a_header() -> None:
    wanted = ("ID", "FIRST", "LAST", "DOB")
    assert nameable(("id", "first", "name", "dob", "x\x1b[1m"), wanted) == ["id", "first", "name", "dob"]
    assert nameable(("9", "Zebulon", "LAST", "1990-08-09"), wanted) == []
    assert nameable((), wanted) == []


def test_what_a_terminal_would_obey_is_spelt_out() -> None:
    assert printable("a\x1b]0;OWNED\x07\x9b2J\u202eb\nc") == "a\\x1b]0;OWNED\\x07\\x9b2J\\u202eb\nc"


def test_a_message_of_many_problems_is_short() -> None:
    error = SpecError([Problem("a.csv", f"line {n}", "is wrong") for n in range(200_000)])
    assert len(error.message) < 100 * MOST_SHOWN
    assert "199,800 more" in error.message
    assert len(error.problems) == 200_000


def test_a_documents_name_stands_in_no_report(tmp_path: Path) -> None:
    council = small_council(tmp_path / "council", people=500)
    letters = council / "dump" / "documents" / "letters"
    letters.mkdir(parents=True, exist_ok=True)
    (letters / "QUIGGLESWORTH Zebulon 09081990.doc").write_text("x")
    (council / "dump" / "MANIFEST.csv").unlink()
    migration = make_migration(tmp_path / "project", council)
    migration.cli("run")
    for path in (migration.folder / "reports").rglob("*"):
        if path.suffix == ".parquet":
            assert not any("QUIGGLESWORTH" in str(row) for row in pl.read_parquet(path).iter_rows())
        elif path.is_file():
            assert b"QUIGGLESWORTH" not in path.read_bytes()


def test_exports_and_freezes_are_on_record_and_a_changed_log_is_named(ran: Migration) -> None:
    assert ran.cli("pairs").returncode == 0
    assert ran.cli("freeze", "trial-1").returncode == 0
    assert ran.cli("freeze", "--lift").returncode == 0
    assert ran.cli("audit", "verify").returncode == 0
    with sqlite3.connect(ran.folder / "control.db") as control:
        kinds = [kind for (kind,) in control.execute("SELECT kind FROM audit ORDER BY number")]
        assert kinds[-3:] == ["export", "freeze", "freeze lifted"]
        control.execute("UPDATE audit SET kind = 'view' WHERE kind = 'export'")
    done = ran.cli("audit", "verify")
    assert done.returncode == 6
    assert "of the audit log is not what was written" in done.stderr


def test_purge_takes_what_nothing_rests_on_and_the_books_still_hold(tmp_path: Path, council: Path) -> None:
    migration = make_migration(tmp_path / "project", council)
    assert migration.cli("run").returncode == 0
    stray = migration.folder / "work" / "load" / "persons" / "00099-0.rows.parquet"
    stray.write_bytes(b"left over")
    told = json.loads(migration.cli("purge", "--dry-run", "--json").stdout)
    assert sum(item["gone"] for item in told["folders"]) >= 1
    assert stray.exists()
    assert migration.cli("purge").returncode == 0
    assert not stray.exists()
    assert migration.cli("reconcile").returncode == 0
    assert migration.cli("rollback", "trial-1").returncode == 0
