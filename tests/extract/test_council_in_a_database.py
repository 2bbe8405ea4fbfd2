"""A council whose files have no faults of lines: from a database it is the same as from its files."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from casebridge.migrate.drafting import draft_project
from casebridge.migrate.pipeline import check, open_job, run_stages
from casebridge.migrate.profiling import profile_dump
from casebridge.migrate.projects import init_project
from casebridge.project.contracts import FILE, LINE, LINES
from casebridge.project.database import open_database
from tests.councils import Migration, casebridge, contents, make_migration
from tests.shelf import Shelf, copy_of, with_its_dump

Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class FromFiles:
    """A council migrated from its files, and the rows of those that are delimited text."""

    migration: Migration
    frames: Frames


def extracted(folder: Path) -> Frames:
    """Every readable row of each delimited source."""
    with open_job(folder) as job:
        list(run_stages(job, "extract"))
        sources = [source for source, read in job.reads().items() if read.format in {"csv", "table"}]
        return {
            source.name: pl.concat(
                batch.read() for batch in job.ledger.sealed(job.run, "extract", str(source), "raw")
            ).drop(FILE, LINE, LINES)
            for source in sources
        }


@pytest.fixture(scope="module")
def from_files(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> FromFiles:
    folder = tmp_path_factory.mktemp("council")
    spoilt = with_its_dump(copy_of(shelf.after("extract"), folder))
    council = spoilt.council
    with open_job(spoilt.folder) as job:
        reads = {read.file for read in job.reads().values() if read.format == "csv"}
    rows = extracted(spoilt.folder)
    dump = council / "dump"
    (dump / "MANIFEST.csv").unlink()
    for path in (path for pattern in reads for path in dump.glob(pattern)):
        path.unlink()
    for name, frame in rows.items():
        text = frame.drop("_row").write_csv(quote_style="always")
        (dump / f"{name}.csv").write_bytes(text.encode("cp1252"))
    shutil.rmtree(spoilt.folder)
    migration = make_migration(folder / "files", council)
    migration.run()
    return FromFiles(migration, extracted(migration.folder))


def put_into(url: str, frames: Frames) -> None:
    """Each source as a table of texts, in the order of its lines."""
    engine = open_database(url)
    meta = sa.MetaData()
    with engine.begin() as connection:
        for name, frame in frames.items():
            columns = [column for column in frame.columns if column != "_row"]
            table = sa.Table(name, meta, *(sa.Column(column, sa.Text) for column in columns))
            table.create(connection)
            if frame.height:
                connection.execute(table.insert(), frame.select(columns).to_dicts())
    engine.dispose()


def project_of(folder: Path, url: str, dump: Path) -> Migration:
    """The pack's project, its system a database with files beside it."""
    init_project(folder, url)
    settings = folder / "casebridge.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("[systems.carefirst]", f'[systems.carefirst]\nfiles = "{dump}"'))
    return Migration(folder, dump.parent, f"sqlite:///{folder / 'target.db'}")


@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgres"])
def test_it_gives_the_same_rows_from_each_kind(
    kind: str, from_files: FromFiles, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/old.db" if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    put_into(url, from_files.frames)
    made = project_of(tmp_path / "project", url, from_files.migration.council / "dump")
    rows = extracted(made.folder)
    assert rows.keys() == from_files.frames.keys()
    for name, frame in from_files.frames.items():
        if kind == "postgres":  # rows lie there in another order than they were put in
            frame, rows[name] = (f.drop("_row").sort(frame.columns[1:]) for f in (frame, rows[name]))  # noqa: PLW2901
        assert rows[name].equals(frame), name
    if kind == "sqlite":
        made.run()
        told, before = (json.loads(m.report_path().read_text()) for m in (made, from_files.migration))
        assert (told["verdict"], told["sources"]) == (before["verdict"], before["sources"])
        assert told["targets"] == before["targets"]
        ours, theirs = (
            {name: rows for name, rows in contents(m.target).items() if not name.startswith("casebridge_")}
            for m in (made, from_files.migration)
        )
        assert ours == theirs


def test_a_project_is_made_for_a_database_and_says_what_its_files_lack(tmp_path: Path) -> None:
    with sa.create_engine(f"sqlite:///{tmp_path}/old.db").begin() as connection:
        connection.exec_driver_sql("CREATE TABLE CF_PERSON (PI_NO text)")
    url = f"sqlite:///{tmp_path}/old.db"
    assert casebridge("init", str(tmp_path / "p"), "--dump", url).returncode == 0
    told = casebridge("check", "--project", str(tmp_path / "p"))
    assert told.returncode == 2
    assert "name the folder with its files: `files` of carefirst" in told.stdout


def drafted(folder: Path, dump: str) -> tuple[object, dict[str, list[tuple[object, ...]]]]:
    """A project drafted from a dump and run as it is: its account, and what stands in its target."""
    profile_dump(dump)
    draft_project(folder, dump)
    assert check(folder) == []
    with open_job(folder, "trial-1") as job:
        list(run_stages(job))
    told = json.loads((folder / "reports" / "trial-1" / "report.json").read_text(encoding="utf-8"))
    assert told["verdict"] == "balanced"
    found = contents(f"sqlite:///{folder / 'target.db'}")
    return told["sources"], {name: rows for name, rows in found.items() if not name.startswith("casebridge_")}


def test_drafts_of_files_and_of_each_kind_give_the_same_account(
    from_files: FromFiles, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """From nothing but a folder or a URL to a balanced run: profile, draft, check, run."""
    people, addresses = from_files.frames["CF_PERSON"].head(150), from_files.frames["CF_ADDRESS"]
    mine = addresses.filter(pl.col("PI_NO").is_in(people.get_column("PI_NO").implode()))
    frames = {"CF_PERSON": people, "CF_ADDRESS": mine}
    (tmp_path / "dump").mkdir()
    for name, frame in frames.items():
        frame.drop("_row").write_csv(tmp_path / "dump" / f"{name}.csv", quote_style="always")
    account, there = drafted(tmp_path / "files", str(tmp_path / "dump"))
    for kind in ("sqlite", "mariadb", "postgres"):
        url = f"sqlite:///{tmp_path}/old.db" if kind == "sqlite" else str(request.getfixturevalue(f"{kind}_url"))
        put_into(url, frames)
        assert drafted(tmp_path / kind, url) == (account, there), kind
