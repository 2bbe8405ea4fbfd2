"""How fast the load is, against other ways to put the same rows into the same tables with the same keys.

    python -m benchmarks.load --records 1000000 --rounds 3 [--project DIR] [--dlt PYTHON]

Every arm fills an empty database on one server: tables with their primary keys, the rows, then the unique
and foreign keys. Arms take turns; a ratio is of medians. `--dlt` names a Python that has dlt, when this one
has not. `--project` takes a project whose load was done, instead of making one.
"""

from __future__ import annotations

import argparse
import importlib.util
import multiprocessing
import shutil
import statistics
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import click
import petl
import polars as pl
import psycopg

from benchmarks.server import database, own_peak, postgres
from casebridge import load
from casebridge.load.stage import in_order
from casebridge.load.writing.tables import TargetTables
from casebridge.load.writing.writers import copy_text
from casebridge.migrate.pipeline import open_job, run_stages
from casebridge.migrate.projects import init_project
from casebridge.project.batch import Batch
from casebridge.project.database import open_database
from casebridge.project.job import Job
from casebridge.project.target import TargetTable
from casebridge.synthetic import make_council

Files = Sequence[tuple[TargetTable, Batch]]
BLOCK = 1 << 20


def files_of(job: Job) -> list[tuple[TargetTable, Batch]]:
    """Every file of rows of the project's run, in the order of the load."""
    return [
        (job.target.by_name[spec.target], batch)
        for spec in in_order(job)
        for batch in job.ledger.sealed(job.run, "load", spec.name, "rows")
        if batch.rows
    ]


def rows_of(table: TargetTable, batch: Batch) -> pl.DataFrame:
    """The rows as the table has them."""
    return batch.read([column.name for column in table.columns])


def ours(url: str, folder: Path, _: Path) -> None:
    """The load stage: rows, records of what was done, crosswalk, keys."""
    with open_job(folder) as job:
        load.run(replace(job, settings=replace(job.settings, target_url=url)))


def copy_bytes(url: str, folder: Path, encoded: Path) -> None:
    """psycopg COPY of bytes that were encoded beforehand, one connection."""
    _bare_copy(url, folder, encoded, "copy", "")


def copy_csv(url: str, folder: Path, encoded: Path) -> None:
    """psycopg COPY of CSV files, one connection."""
    _bare_copy(url, folder, encoded, "csv", " WITH (FORMAT csv)")


def _bare_copy(url: str, folder: Path, encoded: Path, kind: str, how: str) -> None:
    def write(files: Files) -> None:
        with psycopg.connect(url) as connection:
            for number, (table, _) in enumerate(files):
                names = ", ".join(column.name for column in table.columns)
                statement = f"COPY {table.name} ({names}) FROM STDIN{how}"
                with (
                    (encoded / f"{number}.{kind}").open("rb") as file,
                    connection.cursor() as cursor,
                    cursor.copy(statement) as copy,  # type: ignore[arg-type]
                ):
                    while block := file.read(BLOCK):
                        copy.write(block)
                connection.commit()

    _with_keys(url, folder, write)


def inserts(url: str, folder: Path, _: Path) -> None:
    """SQLAlchemy's batched inserts."""

    def write(files: Files) -> None:
        engine = open_database(url)
        with open_job(folder, alone=False) as job:
            tables = TargetTables(engine, job.target)
        for table, batch in files:
            with engine.begin() as connection:
                for piece in rows_of(table, batch).iter_slices(50_000):
                    connection.execute(tables.table(table.name).insert(), piece.to_dicts())
        engine.dispose()

    _with_keys(url, folder, write)


def petl_todb(url: str, folder: Path, _: Path) -> None:
    """petl.appenddb: `todb` without its truncation, for many files go into one table."""

    def write(files: Files) -> None:
        with psycopg.connect(url) as connection:
            for table, batch in files:
                frame = rows_of(table, batch)
                petl.appenddb([frame.columns, *frame.iter_rows()], connection, table.name, commit=True)

    _with_keys(url, folder, write)


def _with_keys(url: str, folder: Path, write: Callable[[Files], None]) -> None:
    """Tables with their primary keys, the rows, the other keys."""
    with open_job(folder, alone=False) as job:
        engine = open_database(url)
        tables, files = TargetTables(engine, job.target), files_of(job)
        with engine.begin() as connection:
            tables.create(connection)
        write(files)
        with engine.begin() as connection:
            tables.tighten(connection)
        engine.dispose()


ARMS: Mapping[str, Callable[[str, Path, Path], None]] = {
    "casebridge": ours,
    "psycopg COPY of encoded bytes": copy_bytes,
    "psycopg COPY of CSV": copy_csv,
    "dlt, Arrow to CSV": lambda *_: None,
    "SQLAlchemy inserts": inserts,
    "petl.todb": petl_todb,
    "casebridge on SQLite": ours,
}


def measured(arm: str, url: str, folder: Path, encoded: Path, dlt: str) -> tuple[float, float]:
    """Seconds and peak memory of one arm, in a process of its own that has imported everything."""
    if arm.startswith("dlt"):
        script = str(Path(__file__).with_name("load_dlt.py"))
        done = subprocess.run([dlt, script, url, str(encoded)], check=True, capture_output=True, text=True)
        seconds, peak = done.stdout.split()[-2:]
        return float(seconds) + _keyed_afterwards(url, folder), float(peak)
    processes = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[tuple[float, float]] = processes.Queue()
    process = processes.Process(target=_timed, args=(arm, url, folder, encoded, answer))
    process.start()
    found = answer.get(timeout=3600)
    process.join()
    return found


def _timed(arm: str, url: str, folder: Path, encoded: Path, answer: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    started = perf_counter()
    ARMS[arm](url, folder, encoded)
    answer.put((perf_counter() - started, own_peak()))


def _keyed_afterwards(url: str, folder: Path) -> float:
    """dlt makes its own tables, without keys: they are added to it, and their time with them."""
    started = perf_counter()
    with open_job(folder, alone=False) as job:
        engine = open_database(url)
        with engine.begin() as connection:
            for name in {table.name: table for table, _ in files_of(job)}:
                key = job.target.by_name[name].primary_key
                connection.exec_driver_sql(f"ALTER TABLE {name} ADD PRIMARY KEY ({key})")
        tables = TargetTables(engine, job.target)
        with engine.begin() as connection:
            tables.metadata.create_all(connection)
            tables.tighten(connection)
        engine.dispose()
    return perf_counter() - started


def make_project(into: Path, records: int) -> Path:
    """A made-up council's migration, done up to the files that the load writes from."""
    make_council(into / "council", people=max(500, records // 26), records=records, seed=1)
    init_project(into / "project", into / "council" / "dump")
    with open_job(into / "project") as job:
        for _ in run_stages(job, "load"):
            pass
    return into / "project"


def encode(folder: Path, into: Path) -> int:
    """The same rows as bytes for COPY, as CSV and as Parquet; how many they are."""
    with open_job(folder, alone=False) as job:
        files = files_of(job)
    for number, (table, batch) in enumerate(files):
        frame = rows_of(table, batch)
        (into / f"{number}.copy").write_bytes(copy_text(frame))
        frame.write_csv(into / f"{number}.csv", include_header=False, quote_style="non_numeric", null_value="")
        frame.write_parquet(into / f"{number}.{table.name}.parquet")
    return sum(batch.rows for _, batch in files)


def main() -> None:
    """Run all arms and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--dlt", default=sys.executable if importlib.util.find_spec("dlt") else "")
    parser.add_argument("--arms", default=",".join(ARMS))
    given = parser.parse_args()
    arms = [arm for arm in ARMS if any(arm.startswith(name) for name in given.arms.split(","))]
    if not given.dlt and "dlt, Arrow to CSV" in arms:
        click.echo(
            "dlt is not installed: its arm is left out (pip install 'dlt[postgres]', or name a --dlt PYTHON)"
        )
        arms.remove("dlt, Arrow to CSV")
    work = Path(tempfile.mkdtemp(prefix="casebridge-load-"))
    (work / "encoded").mkdir()
    folder = given.project or make_project(work, given.records)
    rows = encode(folder, work / "encoded")
    click.echo(f"{rows:,} rows into {len(files_and_tables(folder))} tables, {given.rounds} rounds")
    times = _rounds(arms, given.rounds, folder, work, given.dlt)
    _show(times, rows)
    shutil.rmtree(work)


def files_and_tables(folder: Path) -> set[str]:
    """The tables that get rows."""
    with open_job(folder, alone=False) as job:
        return {table.name for table, _ in files_of(job)}


def _rounds(
    arms: Sequence[str], rounds: int, folder: Path, work: Path, dlt: str
) -> dict[str, list[tuple[float, float]]]:
    times: dict[str, list[tuple[float, float]]] = {arm: [] for arm in arms}
    with postgres() as server:
        for number in range(rounds):
            for arm in arms[number % len(arms) :] + arms[: number % len(arms)]:
                with database(server) as url:
                    target = f"sqlite:///{work / 'target.db'}" if arm.endswith("SQLite") else url
                    (work / "target.db").unlink(missing_ok=True)
                    times[arm].append(measured(arm, target, folder, work / "encoded", dlt))
                click.echo(f"  round {number + 1}: {arm}: {times[arm][-1][0]:.2f} s")
    return times


def _show(times: Mapping[str, Sequence[tuple[float, float]]], rows: int) -> None:
    medians = {arm: statistics.median(seconds for seconds, _ in found) for arm, found in times.items()}
    base = medians.get("casebridge", next(iter(medians.values())))
    best = {arm: min(seconds for seconds, _ in found) for arm, found in times.items()}
    click.echo("\n| arm | seconds | best | rows/s | peak memory, GiB | our rate ÷ its rate | of the best |")
    click.echo("|---|---:|---:|---:|---:|---:|---:|")
    for arm, seconds in medians.items():
        peak = max(peak for _, peak in times[arm])
        ratios = f"{seconds / base:.2f} | {best[arm] / best[next(iter(best))]:.2f}"
        shown = f"{seconds:.2f} | {best[arm]:.2f} | {rows / seconds:,.0f} | {peak:.2f} | {ratios}"
        click.echo(f"| {arm} | {shown} |")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
