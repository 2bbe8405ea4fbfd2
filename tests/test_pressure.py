"""Under pressure: full disks, rights, changed targets and stops are told in words, before or when they are met."""

from __future__ import annotations

import errno
import json
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import psycopg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from casebridge.load.writing import retry
from casebridge.migrate import room
from casebridge.migrate.pipeline import open_job
from casebridge.migrate.stage_watch import StageWatch
from casebridge.project import database
from casebridge.project.attempts import AT_WORK, DONE, STOPPED, Attempt, Attempts, together
from casebridge.project.database import open_database, refusal
from casebridge.project.job import Silent
from casebridge.project.refusals import HINTS, Refusal, refused, refused_files
from casebridge.project.settings import read_settings
from casebridge.project.tally import Tally
from tests.councils import as_nobody, copy_of
from tests.kin import Kin, make_kin, person

FRAME = pl.DataFrame({"a": range(100_000)})
FULL = "/dev/full"


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Kin:
    made = make_kin(tmp_path_factory.mktemp("pressure") / "kin", [person(1, "Ng"), person(2, "Li")])
    made.run()
    return made


@pytest.fixture
def kin(loaded: Kin, tmp_path: Path) -> Kin:
    """Two people, loaded, to spoil."""
    folder = copy_of(loaded.folder, tmp_path / "kin")
    return Kin(folder, f"sqlite:///{folder / 'target.db'}")


def _verdict(kin: Kin) -> str:
    return json.loads(kin.cli("status", "--json").stdout)["runs"][-1]["verdict"]


# One refusal, whoever words it


def _arrow() -> None:
    with Path(FULL).open("wb") as file, pq.ParquetWriter(file, FRAME.to_arrow().schema) as writer:
        writer.write_table(FRAME.to_arrow())


def _polars(write: Callable[[pl.DataFrame, object], object]) -> Callable[[], object]:
    def act() -> object:
        with Path(FULL).open("wb") as file:
            return write(FRAME, file)

    return act


def _full_sqlite() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE a (b)")
    connection.execute("INSERT INTO a VALUES (zeroblob(100000))")


@pytest.mark.parametrize(
    "act",
    [
        _polars(pl.DataFrame.write_parquet), _polars(pl.DataFrame.write_csv),
        lambda: FRAME.write_parquet(FULL), _arrow,
        lambda: duckdb.connect().execute("COPY (SELECT range a FROM range(1000000)) TO '/dev/full'"), _full_sqlite,
        lambda: Path(FULL).write_bytes(b"x" * 100_000),
    ],
    ids=["polars parquet", "polars csv", "polars by path", "arrow", "duckdb", "sqlite", "python"],
)  # fmt: skip
def test_a_full_disk_is_one_thing_whoever_meets_it(act: Callable[[], object]) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - each library raises its own
        act()
    assert refused(caught.value) is Refusal.FULL
    told = refused_files(caught.value, Path("/data/work"))
    assert told is not None
    assert told.message.startswith("no room left on the disk")
    assert "make room on that disk" in told.hint


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.EDQUOT, "x"), Refusal.FULL), (PermissionError(errno.EACCES, "x"), Refusal.RIGHTS),
        (OSError(errno.EROFS, "x"), Refusal.READ_ONLY), (OSError(errno.EIO, "x"), Refusal.FAILED),
        (sqlite3.OperationalError("disk I/O error"), Refusal.FAILED), (psycopg.errors.DiskFull(), Refusal.FULL),
        (psycopg.errors.InsufficientPrivilege(), Refusal.RIGHTS),
        (psycopg.errors.ReadOnlySqlTransaction(), Refusal.READ_ONLY),
        (psycopg.errors.LockNotAvailable(), Refusal.LOCKED),
        (sa.exc.OperationalError("x", None, psycopg.errors.DiskFull()), Refusal.FULL),
        (psycopg.OperationalError("connection failed: Connection refused"), Refusal.DOWN),
        (psycopg.OperationalError("failed to resolve host 'nowhere'"), Refusal.NO_HOST),
        (psycopg.OperationalError('password authentication failed for user "x"'), Refusal.LOGIN),
        (psycopg.OperationalError('database "x" does not exist'), Refusal.NO_DATABASE),
        (ValueError("no space left on device"), None), (OSError(errno.ENOENT, "x"), None),
        (pl.exceptions.ComputeError("found a cell 'permission'"), None),
    ],
)  # fmt: skip
def test_each_refusal_is_known(error: Exception, kind: Refusal | None) -> None:
    assert refused(error) is kind


def test_a_server_that_is_down_has_a_hint_of_its_own() -> None:
    engine = open_database("postgresql://me@127.0.0.1:1/db")
    with pytest.raises(sa.exc.OperationalError) as caught:
        engine.connect()
    assert refusal("postgresql://me@127.0.0.1:1/db", caught.value).hint == HINTS[Refusal.DOWN]


def test_a_stage_that_meets_a_full_disk_says_so_and_leaves_no_half_file(
    kin: Kin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What Polars calls a ComputeError."""
    kin.dump([person(1, "Ng"), person(2, "Other")])
    write = pl.DataFrame.write_parquet

    def full(frame: pl.DataFrame, _: object, **how: object) -> None:
        write(frame, FULL, **how)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(pl.DataFrame, "write_parquet", full)
        done = kin.cli("run")
    assert done.returncode == 1
    assert f"casebridge: no room left on the disk, in {kin.folder / 'work'}\n" in done.stderr
    assert not list(kin.folder.rglob("*.part"))
    kin.run()


def test_what_a_killed_command_left_is_taken_away_by_the_next_that_writes(kin: Kin) -> None:
    left = [kin.folder / "work" / "load" / "persons" / ".a.parquet.1.part", kin.folder / "reports" / ".b.1.part"]
    for path in left:
        path.write_text("half")
    assert kin.cli("status").returncode == 0
    assert all(path.exists() for path in left)
    kin.run()
    assert not any(path.exists() for path in left)


def test_room_is_looked_at_before_a_stage(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(room.shutil, "disk_usage", lambda _: usage(10, 9, 1000))
    kin.dump([person(1, "Ng"), person(2, "Other")])
    done = kin.cli("run")
    assert done.returncode == 1
    assert "extract needs about 1.0 MB on the disk of" in done.stderr
    assert "nothing of this stage was begun" in done.stderr
    assert _verdict(kin) == "balanced"


def test_a_folder_that_may_only_be_read(kin: Kin) -> None:
    """For a login that is not the superuser."""
    for path in (kin.folder, *kin.folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for path in kin.folder.parents:
        path.chmod(path.stat().st_mode | 0o055) if path.is_relative_to("/tmp/pytest-of-root") else None
    with as_nobody():
        done = kin.cli("run")
    for path in (kin.folder, *kin.folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert done.returncode == 1
    assert "Permission denied" in done.stderr
    assert "may read and write there" in done.stderr


# What is refused is refused first


def _other_target(kin: Kin) -> None:
    settings = kin.folder / "casebridge.toml"
    settings.write_text(settings.read_text().replace("sqlite:///target.db", "sqlite:///other.db"))


def _other_columns(kin: Kin) -> None:
    with sqlite3.connect(kin.folder / "target.db") as connection:
        connection.execute("ALTER TABLE persons DROP COLUMN phone")
    connection.close()


def _frozen(kin: Kin) -> None:
    assert kin.cli("freeze", "trial-1").returncode == 0
    (kin.folder / "tables" / "relations.toml").write_text(
        (kin.folder / "tables/relations.toml").read_text() + "# x\n"
    )


def _no_file(kin: Kin) -> None:
    (kin.folder / "dump" / "PERSON.csv").unlink()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [(_other_target, "was begun with target"), (_other_columns, "persons.phone is missing"),
     (_frozen, "changed since: tables/relations.toml"), (_no_file, "is not in the dump folder")],
)  # fmt: skip
def test_a_run_is_refused_before_any_stage_and_keeps_its_verdict(
    kin: Kin, spoil: Callable[[Kin], None], said: str
) -> None:
    if spoil is not _no_file:
        kin.dump([person(1, "Ng"), person(2, "Li"), person(3, "New")])
    spoil(kin)
    done = kin.cli("run")
    assert done.returncode != 0
    assert said in done.stderr
    assert "✓" not in done.stderr
    assert _verdict(kin) == "balanced"
    assert len(list((kin.folder / "work" / "extract" / "old.PERSON").glob("*.raw.parquet"))) == 1


def test_missing_columns_of_the_target_are_found_by_check(kin: Kin) -> None:
    _other_columns(kin)
    done = kin.cli("check")
    assert done.returncode == 2
    assert "persons.phone is missing" in done.stdout


# Passwords


@pytest.mark.parametrize(
    ("template", "made"),
    [
        ("postgresql://me:${PW}@host/db", "postgresql://me:p%40s%2Fs%3A%25%3F@host/db"),
        ("postgresql://${PW}:x@host/db", "postgresql://p%40s%2Fs%3A%25%3F:x@host/db"),
        (
            "postgresql://host/db?user=me&password=${PW}",
            "postgresql://host/db?user=me&password=p%40s%2Fs%3A%25%3F",
        ),
        ("postgresql://me@${HOST}/db", "postgresql://me@db.example:5433/db"),
        ("${URL}", "postgresql://a:b%40c@d/e"),
        ("sqlite:////${HOST}/x.db", "sqlite:////db.example:5433/x.db"),
    ],
)
def test_a_password_may_hold_any_sign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str, made: str
) -> None:
    for name, value in (("PW", "p@s/s:%?"), ("HOST", "db.example:5433"), ("URL", "postgresql://a:b%40c@d/e")):
        monkeypatch.setenv(name, value)
    (tmp_path / "casebridge.toml").write_text(f'[target]\nurl = "{template}"\n[systems.a]\ndump = "d"\n')
    assert read_settings(tmp_path).target_url == made
    url = sa.make_url(made)
    assert "p@s/s:%?" in {url.password, url.username, url.query.get("password")} or "PW" not in template


# Times


def _attempt(stage: str, worked: int, seconds: float, outcome: str = STOPPED) -> Attempt:
    return Attempt(1, "r", stage, "", worked, seconds, outcome)


@pytest.mark.parametrize(
    ("attempts", "made"),
    [
        ([_attempt("load", 700, 60.0, AT_WORK), _attempt("load", 0, 2.7, DONE)], (700, 62.7, 2)),
        ([_attempt("load", 0, 9.0), _attempt("load", 700, 60.0, DONE)], (700, 69.0, 2)),
        ([_attempt("transform", 0, 9.0), _attempt("transform", 700, 60.0, DONE)], (700, 60.0, 1)),
        ([_attempt("reconcile", 0, 50.0), _attempt("reconcile", 700, 60.0, DONE)], (700, 60.0, 1)),
        ([_attempt("load", 0, 0.1, DONE)], (0, 0.1, 1)),
    ],
)
def test_the_time_of_a_work_is_that_of_all_its_attempts(
    attempts: list[Attempt], made: tuple[int, float, int]
) -> None:
    assert together(tuple(attempts)) == made


def test_a_stage_that_was_killed_and_resumed_is_forecast_from_the_whole_work(kin: Kin) -> None:
    """Two attempts at one load: 600 rows in 60 s, then the process is gone; the next finds nothing to make."""
    with open_job(kin.folder, "trial-1") as job:
        killed = Attempts(job.ledger).begin(job.run, "load")
        Attempts(job.ledger).note(killed, 600, 60.0)
        StageWatch(job, "load", lambda: 0).done(Tally(read=600, passed=600), None)
    told = json.loads(kin.cli("status", "--json").stdout)
    (load,) = [time for time in told["timings"] if time["stage"] == "load"]
    assert (load["rows"], load["attempts"]) == (600, 2)
    assert load["seconds"] >= 60
    assert "load: 600 rows in 60.0 s, in 2 attempts" in kin.cli("status").stdout
    (plan,) = [s for s in json.loads(kin.cli("run", "--plan", "--json").stdout)["stages"] if s["stage"] == "load"]
    assert plan["last"]["seconds"] >= 60


def test_what_was_skipped_and_what_was_stopped_say_so(kin: Kin) -> None:
    kin.run("trial-2")
    assert "extract: nothing to do, its 2 rows were done before" in kin.cli("status").stdout
    shutil.rmtree(kin.folder / "dump")
    assert kin.cli("run").returncode == 3
    assert "extract: not finished; 0 rows in" in kin.cli("status").stdout


# Locks


def test_who_holds_a_lock_is_said_while_it_is_waited_for(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By pid, application and since when; a session that holds nothing of these tables is not blamed."""
    monkeypatch.setattr(database, "PATIENCE", "100ms")
    monkeypatch.setattr(retry, "WAITS", (0.2, 0.2, 0.2))
    holder = psycopg.connect(postgres_url, application_name="their report")
    idle = psycopg.connect(postgres_url, application_name="somebody else", autocommit=True)
    holder.execute("CREATE TABLE persons (id INT)")
    holder.commit()
    holder.execute("LOCK TABLE persons")
    pid, heard = holder.info.backend_pid, list[str]()

    class Listening(Silent):
        def note(self, text: str) -> None:
            heard.append(text)
            if len(heard) == 2:
                holder.commit()

    engine = open_database(postgres_url)
    retry.in_transaction(
        engine, lambda c: c.execute(sa.text("INSERT INTO persons VALUES (1)")), retry.repeatable, Listening(),
        ["persons"],
    )  # fmt: skip
    assert len(heard) == 2
    assert f"held by pid {pid} (their report, user postgres, idle in transaction, since 20" in heard[0]
    assert "somebody else" not in heard[0]
    holder.execute("LOCK TABLE persons")
    with pytest.raises(sa.exc.OperationalError) as caught, engine.connect() as connection:
        connection.execute(sa.text("SELECT * FROM persons"))
    told = refusal(postgres_url, caught.value)
    assert f"pid {pid} (their report" in told.message
    assert told.hint == HINTS[Refusal.LOCKED]
    for connection in (holder, idle):
        connection.close()
    engine.dispose()


def test_what_the_owner_of_a_database_says_of_locks_holds(postgres_url: str) -> None:
    name = postgres_url.split("/")[3].split("?")[0]
    for said, holds in (("0", "10s"), ("3s", "3s")):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(f"ALTER DATABASE {name} SET lock_timeout = '{said}'")  # type: ignore[arg-type]
        engine = open_database(postgres_url)
        with engine.connect() as connection:
            assert connection.scalar(sa.text("SHOW lock_timeout")) == holds
        engine.dispose()


def test_an_sqlite_file_that_somebody_writes_is_named(kin: Kin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "WAITS", (0.01,))
    connect = sqlite3.dbapi2.connect

    def hasty(*words: object, **more: object) -> sqlite3.Connection:
        return connect(*words, **{**more, "timeout": 0.05})  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(sqlite3.dbapi2, "connect", hasty)
    writer = sqlite3.connect(kin.folder / "target.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    kin.dump([person(1, "Ng"), person(2, "Other")])
    done = kin.cli("run")
    writer.close()
    assert done.returncode == 3
    assert f"another program is writing to {kin.folder / 'target.db'}" in done.stderr
    assert "wait until that session ends its transaction" in done.stderr
    kin.run()


# Decisions


def test_decisions_that_contradict_one_another_are_named_when_a_run_finds_them(kin: Kin) -> None:
    """Each time, and by record and reviewer; the log keeps only that there are some."""
    kin.dump([person(n, name) for n, name in ((1, "Ng"), (2, "Li"), (3, "Wu"))])
    kin.run()
    kin.decide((1, 2), (2, 3))
    kin.decide((1, 3), ruling="different")
    for _ in range(2):
        done = kin.cli("run")
        assert done.returncode == 0
        assert (
            "1 contradiction among the decisions, nothing of which merges: old:1 = old:2 (B. Second)"
            in done.stderr
        )
        assert "old:1 ≠ old:3 (B. Second)" in done.stderr
    assert len(kin.people()) == 3
    log = (kin.folder / "work" / "logs" / "trial-1.log").read_text(encoding="utf-8")
    assert "1 contradiction among the decisions" in log
    assert "B. Second" not in log
