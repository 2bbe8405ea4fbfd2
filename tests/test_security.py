"""What docs/security.md promises of files, names, messages and the log; attacks by way of the command line."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path

import polars as pl
import pytest

from casebridge.project.errors import MOST_SHOWN, Problem, SpecError, printable
from casebridge.project.headers import nameable
from tests.councils import Migration, casebridge, copy_of, make_migration, small_council
from tests.kin import Kin, make_kin, person


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a letter that bears a name."""
    made = small_council(tmp_path_factory.mktemp("security") / "council", people=500)
    letters = made / "dump" / "documents" / "letters"
    letters.mkdir(parents=True, exist_ok=True)
    (letters / "QUIGGLESWORTH Zebulon 09081990.doc").write_text("x")
    (made / "dump" / "MANIFEST.csv").unlink()
    return made


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


@pytest.fixture(scope="module")
def loaded_kin(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    """Four people, loaded."""
    people = [person(n, "Quigglesworth", secure="NY"[n == 4]) for n in range(1, 5)]
    made = make_kin(tmp_path_factory.mktemp("kin") / "project", people)
    made.run()
    return made


@pytest.fixture
def kin(loaded_kin: Kin, tmp_path: Path) -> Kin:
    """The four people, to spoil."""
    folder = copy_of(loaded_kin.folder, tmp_path / "kin")
    return Kin(folder, f"sqlite:///{folder / 'target.db'}")


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


def test_a_planted_link_is_not_written_through(tmp_path: Path, kin: Kin) -> None:
    """Neither where the report goes, nor where it is written first."""
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    folder = kin.folder / "reports" / "trial-2"
    folder.mkdir(parents=True)
    (folder / "report.html").symlink_to(victim)
    kin.run("trial-2")
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


def test_a_documents_name_stands_in_no_report(ran: Migration) -> None:
    for path in (ran.folder / "reports").rglob("*"):
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
        control.execute("DROP TRIGGER audit_no_update")
        control.execute("UPDATE audit SET kind = 'view' WHERE kind = 'export'")
    done = ran.cli("audit", "verify")
    assert done.returncode == 6
    assert "of the audit log is not what was written" in done.stderr


def test_purge_takes_what_nothing_rests_on_and_the_books_still_hold(kin: Kin) -> None:
    stray = kin.folder / "work" / "load" / "persons" / "00099-0.rows.parquet"
    stray.write_bytes(b"left over")
    told = json.loads(kin.cli("purge", "--dry-run", "--json").stdout)
    assert sum(item["gone"] for item in told["folders"]) >= 1
    assert stray.exists()
    assert kin.cli("purge").returncode == 0
    assert not stray.exists()
    assert kin.cli("reconcile").returncode == 0
    assert kin.cli("rollback", "trial-1").returncode == 0


@pytest.mark.parametrize(
    ("text", "said"), [("KEY\n", "is empty"), (None, "is not there"), ("\xff", "no text in UTF-8")]
)
def test_a_list_that_protects_nobody_is_found_before_a_run(kin: Kin, text: str | None, said: str) -> None:
    kin.protect("KEY", "1")
    path = kin.folder / "NO_LINK.csv"
    path.unlink()
    if text:
        path.write_bytes(text.encode("latin-1"))
    for command in ("check", "run"):
        done = kin.cli(command)
        assert done.returncode in {2, 3}
        assert said in done.stdout + done.stderr


@pytest.mark.parametrize(
    "lines",
    [
        "1,2,same,J. Smith,mother Zebulon Quigglesworth says so\n",
        "left,right,verdict,reviewer,reason\n1,2,Zebulon Quigglesworth,J,x\n",
        "left,right,verdict,reviewer,reason\n1,2,\x1b]0;OWNED\x07\x1b[8m,J,x\n",
        "left,right,verdict,reviewer,reason\nZebulon Quigglesworth,2,same,J,x\n",
        "left,right,verdict,reviewer,reason\n1,2,same,\x1b]0;OWNED\x07Zebulon,x\n",
        "left,right,verdict,reviewer,reason\n1,2,same,Zebulon\u200b,x\n",
        'left,right,verdict,reviewer,reason\n1,2,same,"Zebulon\nQuigglesworth",x\n',
        "left,right,verdict,reviewer,reason\n1,2,same,1234,Zebulon\n",
    ],
)
def test_no_message_repeats_what_stands_in_a_file_of_decisions(kin: Kin, lines: str) -> None:
    path = kin.folder / "given.csv"
    path.write_text(lines, encoding="utf-8")
    done = kin.cli("decide", str(path))
    assert done.returncode == 2
    assert "given.csv: line" in done.stderr
    assert not any(word in done.stderr for word in ("Zebulon", "Quigglesworth", "OWNED", "\x1b"))


def test_a_read_back_without_its_header_is_not_repeated(kin: Kin, tmp_path: Path) -> None:
    assert kin.cli("handover", "prepare", "trial-1").returncode == 0
    assert kin.cli("handover", "handed", "trial-1", "--to", "Supplier").returncode == 0
    into = tmp_path / "readback" / "persons"
    into.mkdir(parents=True)
    for file in (kin.folder / "handover" / "trial-1" / "persons").glob("*.csv"):
        (into / file.name).write_text(file.read_text().split("\n", 1)[1])
    done = kin.cli("handover", "acknowledge", "trial-1", str(into.parent))
    assert done.returncode == 3
    assert "has no column" in done.stderr
    assert "Quigglesworth" not in done.stderr


def _by_its_owner(database: Path, statement: str) -> None:
    """Who owns a database drops the triggers that refuse a change, and makes it."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)


@pytest.mark.parametrize(
    ("database", "statement"),
    [
        ("target.db", "UPDATE persons SET restricted = 'N' WHERE restricted = 'Y'"),
        ("target.db", "DELETE FROM persons WHERE legacy_id = '2'"),
        ("control.db", "UPDATE decisions SET reviewer = 'Somebody Else'"),
        ("control.db", "UPDATE decisions SET verdict = 'same'"),
        ("control.db", "DELETE FROM decisions"),
    ],
)
def test_what_is_changed_after_a_signature_is_said(kin: Kin, database: str, statement: str) -> None:
    kin.decide((1, 2), ruling="different")
    kin.run()
    assert kin.cli("sign", "trial-1", "--by", "A. Owner", "--role", "board").returncode == 0
    assert "nothing has changed since" in kin.cli("report").stdout
    _by_its_owner(kin.folder / database, statement)
    for words in (("report",), ("report", "--json")):
        done = kin.cli(*words)
        assert done.returncode == 6
        assert "changed since it was signed" in done.stderr
        assert "nothing has changed since" not in done.stdout


def test_a_different_made_same_by_hand_merges_nobody(kin: Kin) -> None:
    kin.decide((1, 2), ruling="different")
    _by_its_owner(kin.folder / "control.db", "UPDATE decisions SET verdict = 'same'")
    done = kin.cli("run")
    assert done.returncode == 1
    assert "the decisions are not what was recorded" in done.stderr
    assert len(kin.people()) == 4


def test_one_file_of_decisions_about_everyone_names_nobody(kin: Kin) -> None:
    """Who pairs each with each reads the same words and counts with a list as without."""
    path = kin.folder / "all.csv"
    pairs = [f"{a},{b},same,J,x" for a in range(1, 5) for b in range(a + 1, 5)]
    path.write_text("\n".join(["left,right,verdict,reviewer,reason", *pairs, ""]), encoding="utf-8")
    told = []
    for listed in (False, True):
        for old in kin.folder.glob("control.db*"):
            old.unlink()
        (kin.folder / "audit.key").unlink(missing_ok=True)
        if listed:
            kin.protect("KEY", "3")
        both = [kin.cli("decide", str(path)) for _ in range(2)]
        told.append([(done.returncode, done.stdout, done.stderr) for done in both])
    assert told[0] == told[1]


def test_a_query_that_copies_a_file_elsewhere_is_never_asked(kin: Kin, tmp_path: Path) -> None:
    linkage = kin.folder / "linkage.toml"
    theft = f"COPY (SELECT 1) TO '{tmp_path / 'stolen'}'; SELECT"
    linkage.write_text(linkage.read_text().replace('query = "SELECT', f'query = "{theft}'), encoding="utf-8")
    for command in ("check", "run"):
        assert kin.cli(command).returncode == 2
    assert not (tmp_path / "stolen").exists()
