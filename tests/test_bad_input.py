"""What is bad gives one clear message that says what to do next, and leaves everything as it was."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from casebridge.migrate.pipeline import open_job
from tests.cases_run import command
from tests.councils import Migration, casebridge, make_migration
from tests.dumps import write_dump
from tests.shelf import Shelf, copy_of

PERSON = {"PI_NO": "00000001", "SURNAME": "Müller", "SEX": "F", "CARESECURE_YN": "N"}


@pytest.fixture
def migration(tmp_path: Path) -> Migration:
    names = ("Müller", "Smith", "Begum", "O'Neill", "Nowak", "Jones", "Okafor")
    people = [
        {**PERSON, "PI_NO": f"{n:08d}", "SURNAME": names[n % 7], "FORENAMES": f"Ann{chr(97 + n % 26)}"}
        for n in range(1, 200)
    ]
    write_dump(tmp_path / "council" / "dump", {"CF_PERSON": people})
    return make_migration(tmp_path / "project", tmp_path / "council")


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _missing(path: Path) -> None:
    path.unlink()


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _headless(path: Path) -> None:
    path.write_bytes(path.read_bytes().partition(b"\r\n")[2])


def _other_header(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"CARESECURE_YN", b"CARE_SECURE", 1))


def _utf16(path: Path) -> None:
    path.write_bytes(path.read_bytes().decode("cp1252").encode("utf-16"))


def _utf8(path: Path) -> None:
    path.write_bytes(path.read_bytes().decode("cp1252").encode("utf-8"))


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-12])


def _binary(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04" + bytes(range(256)) * 20)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_missing, "CF_PERSON.csv"),
        (_empty, "empty"),
        (_headless, "header"),
        (_other_header, "CARESECURE_YN"),
        (_utf16, "UTF-16"),
        (_utf8, "UTF-8"),
        (_truncated, "cut short"),
        (_binary, "ZIP"),
    ],
)
def test_a_spoiled_file(migration: Migration, spoil: Callable[[Path], None], says: str) -> None:
    """Exit code 3, the file named, a hint, and nobody's data in the message; no trace of a load."""
    spoil(migration.council / "dump" / "CF_PERSON.csv")
    before = _files(migration.folder)
    done = migration.cli("run")
    assert done.returncode == 3
    assert says.lower() in done.stderr.lower()
    assert "CF_PERSON.csv" in done.stderr
    assert "→" in done.stderr
    assert "ller" not in done.stderr
    assert done.stdout == ""
    own = ("/work/l", "/work/code.json")  # the lock, the ledger, and what the program says of its own code
    left = {name: data for name, data in _files(migration.folder).items() if not any(of in name for of in own)}
    assert left == before


def test_several_spoiled_files_are_told_at_once(migration: Migration) -> None:
    """Nobody should mend one file at a time."""
    for name in ("CF_PERSON.csv", "CF_ALIAS.csv", "CF_WARNING.csv"):
        (migration.council / "dump" / name).unlink()
    done = migration.cli("run")
    assert done.returncode == 3
    assert all(name in done.stderr for name in ("CF_PERSON.csv", "CF_ALIAS.csv", "CF_WARNING.csv"))


def test_a_spec_with_five_mistakes(migration: Migration) -> None:
    """All five in one message, each with its file, its place and a suggestion; exit code 2."""
    path = migration.folder / "tables" / "persons.toml"
    text = path.read_text(encoding="utf-8")
    for right, wrong in (
        ('"dm_persons"', '"dm_person"'),
        ('"nhs_number_text"', '"nhs_number_txt"'),
        ('["upn"]', '["upm"]'),
        ('codes   = "religion"', 'codes   = "religon"'),
        ('on_fail  = "hold"', 'on_fail  = "holt"'),
    ):
        assert right in text
        text = text.replace(right, wrong, 1)
    path.write_text(text, encoding="utf-8")
    done = migration.cli("check")
    assert done.returncode == 2
    told = done.stdout + done.stderr
    for suggestion in ("dm_persons", "nhs_number_text", "upn", "religion", "hold"):
        assert f"did you mean `{suggestion}`?" in told
    assert migration.cli("run").returncode == 2


def test_a_birth_in_a_year_that_cannot_be_is_set_aside(tmp_path: Path) -> None:
    """The person arrives, without it. The unborn have a year too."""
    births = {"1": "01/05/1800", "2": "01/05/2199", "3": "01/05/1907", "4": "01/05/2026"}
    people = [{**PERSON, "PI_NO": key, "DOB": day, "EXP_DELIVERY": ""} for key, day in births.items()]
    write_dump(tmp_path / "council" / "dump", {"CF_PERSON": people})
    migration = make_migration(tmp_path / "project", tmp_path / "council")
    migration.run(until="transform")
    with open_job(migration.folder) as job:
        (clean,) = job.ledger.sealed(job.run, "transform", "persons", "clean")
        (left,) = job.ledger.sealed(job.run, "transform", "persons", "quarantine")
        years = dict(clean.read().select("_key", pl.col("date_of_birth").dt.year()).iter_rows())
        aside = left.read().filter(pl.col("column") == "date_of_birth").select("_key", "verdict", "rule", "value")
    assert years == {"1": None, "2": None, "3": 1907, "4": 2026}
    assert aside.rows() == [(key, "set_aside", "years", births[key]) for key in ("1", "2")]


def test_check_tries_the_queries_before_anything_is_read(migration: Migration) -> None:
    """On the dump's columns, and on those that the specs give: each mistake is told with its file."""
    assert migration.cli("check").returncode == 0
    for file, right, wrong in (
        ("tables/documents.toml", "doc.CREATED_BY,", "doc.CREATED_BY, doc.CREATED_BYE AS NOBODY,"),
        ("linkage.toml", "person.gender", "person.gendr"),
    ):
        path = migration.folder / file
        text = path.read_text(encoding="utf-8")
        assert right in text
        path.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    done = migration.cli("check")
    assert done.returncode == 2
    assert "2 problems" in done.stderr
    told = done.stdout.splitlines()
    for place, name in (
        ("tables/documents.toml: table.source", "CREATED_BYE"),
        ("linkage.toml: register.query", "gendr"),
    ):
        assert any(line.startswith(f"{place}: the query fails") and name in line for line in told), place
    assert not list((migration.folder / "work").glob("*/*"))


def test_check_tells_of_files_and_of_queries_at_once(migration: Migration) -> None:
    """Whoever mends the project should not have to fetch a file first."""
    dump = migration.council / "dump"
    (dump / "CF_ALIAS.csv").unlink()
    (dump / "CF_WARNING.csv").write_bytes(b"")
    person = dump / "CF_PERSON.csv"
    person.write_bytes(person.read_bytes().replace(b"MAINFRAME_SEQ", b"MAINFRAME_NO", 1))
    path = migration.folder / "tables" / "documents.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("doc.CREATED_BY,", "doc.CREATED_BY, doc.CREATED_BYE AS NOBODY,"), encoding="utf-8"
    )
    rule = '[[check]]\nrule = "r"\nexpect = "SURNAM <> \'x\'"\n'
    with (migration.folder / "tables" / "persons.toml").open("a", encoding="utf-8") as spec:
        spec.write(rule)
    done = migration.cli("check")
    assert done.returncode == 2
    for told in ("CREATED_BYE", "CF_ALIAS.csv", "CF_WARNING.csv", "missing MAINFRAME_SEQ, SURNAM"):
        assert told in done.stdout, told


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/nothing", "sqlite:////proc/nowhere/target.db", "nonsense"]
)
def test_a_target_that_refuses(migration: Migration, url: str) -> None:
    """Exit code 3 and a hint; what was extracted and converted stays done."""
    settings = migration.folder / "casebridge.toml"
    settings.write_text(settings.read_text().replace("sqlite:///target.db", url), encoding="utf-8")
    done = migration.cli("run")
    assert done.returncode == 3, done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_no_project(tmp_path: Path) -> None:
    """The message says how to make one."""
    done = casebridge("run", "--project", str(tmp_path))
    assert done.returncode == 2
    assert "casebridge init" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_two_runs_at_once(migration: Migration) -> None:
    """The second one is told at once, and nothing is mixed up."""
    from casebridge.migrate.pipeline import open_job

    with open_job(migration.folder):
        done = migration.cli("run")
    assert done.returncode == 1
    assert "another casebridge command" in done.stderr


@pytest.mark.parametrize("harm", [lambda b: b[: len(b) // 2], lambda b: b[:40] + b"\x00" * (len(b) - 44) + b[-4:]])
def test_a_damaged_batch_is_named_and_made_again(
    shelf: Shelf, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    migration = copy_of(shelf.after("transform"), tmp_path)
    (clean,) = (migration.folder / "work" / "transform" / "persons").glob("*.clean.parquet")
    whole = clean.read_bytes()
    clean.write_bytes(harm(whole))
    stopped = migration.cli("run")
    assert stopped.returncode == 1
    assert f"work/transform/persons/{clean.name}" in stopped.stderr
    assert "damaged since it was written" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    clean.unlink()
    assert migration.cli("run", "--until", "transform").returncode == 0
    assert clean.read_bytes() == whole


def test_a_folder_that_cannot_be_written(shelf: Shelf, tmp_path: Path) -> None:
    migration = copy_of(shelf.after("load"), tmp_path)
    shutil.rmtree(migration.folder / "reports", ignore_errors=True)
    (migration.folder / "reports").write_text("a file in its place")
    stopped = migration.cli("run")
    assert stopped.returncode == 1
    assert "see that this login may read and write there" in stopped.stderr
    (migration.folder / "reports").unlink()
    assert migration.cli("run").returncode == 0


class _Panic(BaseException):
    """As compiled libraries raise it: no Exception."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (_Panic("no such value: Jane Doe"), "unexpected _Panic"),
        (sqlite3.OperationalError("disk I/O error: Jane Doe"), "the disk failed while it was read or written"),
        (PermissionError(13, "Permission denied", "/data/work/Jane Doe.csv"), "Permission denied, in /data/work"),
    ],
    ids=["panic", "disk", "rights"],
)
def test_what_a_library_raises_tells_nobodys_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr("casebridge.migrate.cli.main.cli", fail)
    ran = command(tmp_path, "run")
    assert ran.code == 1
    assert said in ran.said
    assert "Jane" not in ran.said
