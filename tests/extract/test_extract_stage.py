"""Batches: numbered, complete, never done twice, the same bytes however often a run was killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
from small_projects import Recorder, files_below, job_of, make, standing

from casebridge.extract import run, stage
from casebridge.extract.dump import Part
from casebridge.project.batch import remove_left_over
from casebridge.project.contracts import FILE, LINE, LINES, ORIGIN, ROW, UNREADABLE
from casebridge.project.errors import SourceError
from casebridge.project.tally import Tally


def rows(count: int, *, start: int = 1) -> bytes:
    """Records of which every fifth spans two lines, every seventh is ragged, every eleventh is broken."""
    made = []
    for number in range(start, start + count):
        line = f"{number},caf\xe9 {number}"
        if number % 5 == 0:
            line = f'{number},"one\r\ntwo"'
        elif number % 7 == 0:
            line = f"{number},a,b"
        elif number % 11 == 0:
            line = f'{number},"a'
        made.append(line + "\r\n")
    return "".join(made).encode("cp1252")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dump = make(tmp_path, {"A": ["K", "V"], "B": ["K", "V"]}, read={"B": 'file = "B*.csv"'}, batch_rows=10)
    (dump / "A.csv").write_bytes(b"K,V\r\n" + rows(35))
    (dump / "B1.csv").write_bytes(b"K,V\r\n" + rows(12))
    (dump / "B2.csv").write_bytes(b"V,K\r\n" + b"x,1001\r\ny,1002\r\n")
    return tmp_path


def test_every_record_and_every_unreadable_line_has_its_number(folder: Path) -> None:
    job = job_of(folder)
    tally = run(job)
    assert tally == Tally(read=35 + 14, passed=28 + 12, rejected=7 + 2)
    first = job.ledger.first_row(next(iter(job.reads())))
    raw, bad = standing(job, "A"), standing(job, "A", "unreadable")
    assert raw.schema == {**ORIGIN, "K": pl.String(), "V": pl.String()}
    assert bad.schema == UNREADABLE
    assert sorted([*raw[ROW], *bad[ROW]]) == [first + number for number in range(1, 36)]
    assert raw.filter(pl.col("K") == "10").row(0)[1:] == ("A.csv", 12, 2, "10", "one\r\ntwo")
    assert bad.select(LINE, "reason", "raw").row(0) == (9, "ragged_line", b"7,a,b")
    lines = pl.concat([raw.select(LINE, LINES), bad.select(LINE, LINES)]).sort(LINE)
    assert lines[LINE].to_list() == [2, *(lines[LINE] + lines[LINES])[:-1]]


def test_batches_hold_so_many_records_each(folder: Path) -> None:
    job = job_of(folder)
    run(job)
    sizes = {
        name: [
            raw.rows + bad.rows
            for raw, bad in zip(
                job.ledger.sealed("trial-1", "extract", name, "raw"),
                job.ledger.sealed("trial-1", "extract", name, "unreadable"),
                strict=True,
            )
        ]
        for name in job.ledger.names("trial-1", "extract")
    }
    assert sizes == {"old.A": [10, 10, 10, 5], "old.B": [10, 4]}


def test_files_of_one_table_are_read_in_order_whatever_the_order_of_their_columns(folder: Path) -> None:
    job = job_of(folder)
    run(job)
    last = standing(job, "B").filter(pl.col(FILE) == "B2.csv")
    assert last.select(LINE, "K", "V").rows() == [(2, "1001", "x"), (3, "1002", "y")]
    assert standing(job, "B")[ROW].is_sorted()


def test_a_second_run_does_nothing(folder: Path) -> None:
    tally = run(job_of(folder))
    before = {path: path.stat().st_mtime_ns for path in (folder / "work" / "extract").rglob("*")}
    report = Recorder()
    assert run(job_of(folder, report=report)) == tally
    assert {path: path.stat().st_mtime_ns for path in (folder / "work" / "extract").rglob("*")} == before
    assert (report.rows, report.rejected) == (tally.read, tally.rejected)


def test_another_run_shares_the_files(folder: Path) -> None:
    tally = run(job_of(folder))
    before = files_below(folder / "work")
    job = job_of(folder, run="trial-2")
    assert run(job) == tally
    assert files_below(folder / "work").keys() - before.keys() == {"extract/trial-2-manifest.json"}
    assert standing(job, "A").equals(standing(job_of(folder), "A"))


def test_a_changed_file_is_read_again_and_no_other(folder: Path) -> None:
    run(job_of(folder))
    before = files_below(folder / "work" / "extract")
    (folder / "dump" / "B1.csv").write_bytes(b"K,V\r\n" + rows(13))
    job = job_of(folder)
    assert run(job).read == 35 + 15
    after = files_below(folder / "work" / "extract")
    changed = {name.split("/")[0] for name, sha256 in after.items() if before.get(name) != sha256}
    assert changed == {"old.B", "trial-1-manifest.json"}
    assert standing(job, "B").height == 13


def test_a_batch_file_that_has_gone_is_made_again(folder: Path) -> None:
    tally = run(job_of(folder))
    before = files_below(folder / "work" / "extract")
    (lost,) = (folder / "work" / "extract" / "old.A").glob("00001-*.raw.parquet")
    lost.unlink()
    assert run(job_of(folder)) == tally
    assert files_below(folder / "work" / "extract") == before


def test_a_table_without_rows_has_an_empty_batch_with_its_columns(tmp_path: Path) -> None:
    (make(tmp_path, {"A": ["K", "V"]}) / "A.csv").write_bytes(b"K,V\r\n")
    job = job_of(tmp_path)
    assert run(job) == Tally()
    assert standing(job, "A").schema == {**ORIGIN, "K": pl.String(), "V": pl.String()}
    assert standing(job, "A").height == standing(job, "A", "unreadable").height == 0


def test_the_manifest_says_what_was_read(folder: Path) -> None:
    run(job_of(folder))
    path = folder / "work" / "extract" / "trial-1-manifest.json"
    files = {entry.pop("path"): entry for entry in json.loads(path.read_text())["files"]}
    assert files["B1.csv"].pop("sha256") == files_below(folder / "dump")["B1.csv"]
    size = (folder / "dump" / "B1.csv").stat().st_size
    want = {"bytes": size, "lines": 15, "records": 10, "unreadable": 2}
    assert files["B1.csv"] == {"system": "old", "source": "B", **want}
    assert (files["B2.csv"]["records"], files["B2.csv"]["unreadable"]) == (2, 0)


def test_the_window_does_not_show_in_the_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(job_of(folder))
    before = files_below(folder / "work" / "extract" / "old.A")
    for path in (folder / "work" / "extract" / "old.A").iterdir():
        path.unlink()
    monkeypatch.setattr("casebridge.extract.records.split.__defaults__", (50,))
    run(job_of(folder))
    assert files_below(folder / "work" / "extract" / "old.A") == before


KILLED = """
import os, signal, sys
from pathlib import Path
import casebridge.extract.stage
from small_projects import job_of

class Killer:
    left = int(sys.argv[2])
    def table(self, *_): pass
    def note(self, *_): pass
    def skip(self, *_): pass
    def advance(self, *_):
        Killer.left -= 1
        if Killer.left == 0 and sys.argv[3] == "between":
            os.kill(os.getpid(), signal.SIGKILL)

write = casebridge.extract.stage.write_batch
def write_then_die(*args, **more):
    batch = write(*args, **more)
    if Killer.left == 1 and sys.argv[3] == "within":
        batch.path.with_name("." + batch.path.name + ".1.part").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    return batch

casebridge.extract.stage.write_batch = write_then_die
casebridge.extract.stage.run(job_of(Path(sys.argv[1]), report=Killer()))
"""


@pytest.mark.parametrize(("batches", "where"), [(2, "between"), (1, "within"), (5, "within")])
def test_killed_and_run_again_the_files_are_the_same(folder: Path, batches: int, where: str) -> None:
    paths = os.pathsep.join([str(Path(stage.__file__).parents[1]), str(Path(__file__).parent)])
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(batches), where],
        env={**os.environ, "PYTHONPATH": paths},
        check=False,
    )
    assert killed.returncode == -9
    remove_left_over(folder / "work")  # as each command does that holds the project
    tally = run(job_of(folder))
    after = files_below(folder / "work" / "extract")
    del after["trial-1-manifest.json"]
    other = folder / "other"
    (other / "dump").mkdir(parents=True)
    for name in ("casebridge.toml", "target.toml", "tables", "dump"):
        (other / name).rmdir() if name == "dump" else None
        (other / name).symlink_to(folder / name)
    assert run(job_of(other)) == tally
    whole = files_below(other / "work" / "extract")
    del whole["trial-1-manifest.json"]
    assert after == whole


def test_a_file_that_changes_while_it_is_read_stops_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = stage.write_batch

    def written_to(*args: object, **more: object) -> object:
        (folder / "dump" / "A.csv").write_bytes(b"K,V\r\n" + rows(36))
        return write(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(stage, "write_batch", written_to)
    job = job_of(folder)
    with pytest.raises(SourceError, match=r"A\.csv: changed while it was being read"):
        run(job)
    assert files_below(folder / "work") == {}
    assert job.ledger.names("trial-1", "extract") == ()
    monkeypatch.undo()
    assert run(job_of(folder)).read == 36 + 14


def test_a_file_that_becomes_shorter_while_it_is_read_stops_the_run(tmp_path: Path) -> None:
    path = tmp_path / "A.csv"
    path.write_bytes(b"K\n1\n")
    status = path.stat()
    part = Part(path, "A.csv", 400, 2, "", (status.st_size, status.st_mtime_ns, status.st_ino))
    with pytest.raises(SourceError, match=r"A\.csv: changed"), part.open():
        raise EOFError


def test_a_record_that_no_window_can_hold_stops_the_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casebridge.extract.records.split.__defaults__", (50,))
    with (folder / "casebridge.toml").open("a") as settings:
        settings.write('[reading]\nlongest_record = "1KB"\n')
    (folder / "dump" / "A.csv").write_bytes(b'K,V\r\n1,"' + b"x\n" * 1000 + b'"\r\n')
    with pytest.raises(SourceError, match=r"A\.csv: has a record of more than 1,024 bytes, from byte 5 on"):
        run(job_of(folder))


def test_nothing_is_in_the_ledger_that_is_not_done(folder: Path) -> None:
    job = job_of(folder)
    run(job)
    engine = sa.create_engine(f"sqlite:///{folder / 'work' / 'ledger.db'}")
    with engine.connect() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM attempts WHERE done IS NULL").scalar()
    engine.dispose()
    assert count == 0
