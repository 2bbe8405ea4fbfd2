"""A whole migration, from CSV files to a reconciled PostgreSQL: every stage's time, and our memory.

    python -m benchmarks.end_to_end --records 16000000 [--dump DIR] [--against 1000000]

The council is made first and not timed (`--dump` takes one that is there). Then: init, every stage, and all
of them once more with nothing changed, and the floor: the files read with Polars, the target's rows in bare COPY.
`--against` does the same for a smaller council first and says how
the time grew.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import tempfile
import warnings
from pathlib import Path
from time import perf_counter

import click
import polars as pl

from benchmarks.floor import copying, reading
from benchmarks.server import ServersMemory, database, own_peak, postgres
from casebridge.migrate.pipeline import open_job, run_stages
from casebridge.migrate.projects import init_project
from casebridge.synthetic import make_council

Stages = list[tuple[str, int, float]]


def migrate(folder: Path, run: str, answer: multiprocessing.Queue) -> None:  # type: ignore[type-arg]
    """All stages; their rows and seconds, and this process's peak memory."""
    warnings.simplefilter("ignore")
    with open_job(folder, run) as job:
        stages = [(done.stage, done.tally.read, done.seconds) for done in run_stages(job)]
    answer.put((stages, own_peak()))


def in_a_process_of_its_own(folder: Path, run: str) -> tuple[Stages, float, float]:
    """Stages, peak memory, and wall time with start-up and all."""
    processes = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[tuple[Stages, float]] = processes.Queue()
    started = perf_counter()
    process = processes.Process(target=migrate, args=(folder, run, answer))
    process.start()
    stages, peak = answer.get(timeout=7200)
    process.join()
    return stages, peak, perf_counter() - started


def one(dump: Path, records: int, work: Path) -> float:
    """Migrate one dump and print what it took; the seconds of the first run."""
    with postgres() as server, ServersMemory(server) as theirs, database(server) as url:
        project = work / f"project-{records}"
        init_project(project, dump, url)
        stages, peak, wall = in_a_process_of_its_own(project, "trial-1")
        again, _, wall_again = in_a_process_of_its_own(project, "trial-1")
        delta, _, _ = in_a_process_of_its_own(project, "trial-2")
        read, copied = reading(dump), copying(server, url)
    total, second, third = (sum(s for *_, s in found) for found in (stages, again, delta))
    click.echo(
        f"\n{records:,} records\n\n| stage | rows in | seconds | share | rows/s |\n|---|---:|---:|---:|---:|"
    )
    for stage, rows, seconds in stages:
        rate = f"{rows / seconds:,.0f}" if rows else ""
        click.echo(f"| {stage} | {rows:,} | {seconds:.1f} | {seconds / total:.0%} | {rate} |")
    click.echo(f"| all | {records:,} | {total:.1f} | 100% | {records / total:,.0f} |\n")
    click.echo(f"with start-up: {wall:.1f} s; our peak memory {peak:.2f} GiB, PostgreSQL's {theirs.peak:.2f} GiB")
    click.echo(f"again, nothing changed: {second:.1f} s, {second / total:.1%} (with start-up {wall_again:.1f} s); "
          f"under another name: {third:.1f} s, {third / total:.1%}")  # fmt: skip
    floor = read + copied
    click.echo(f"the floor: {floor:.1f} s (Polars reads the CSV files {read:.1f} s, bare COPY of the target's "
          f"rows {copied:.1f} s); the first run took {total / floor:.1f} times as long")  # fmt: skip
    click.echo("  by stage: " + ", ".join(f"{stage} {seconds:.1f} s" for stage, _, seconds in again))
    shutil.rmtree(project)
    return total


def records_in(dump: Path) -> int:
    """How many source records the truth beside a dump knows."""
    path = dump.parent / "truth" / "dispositions.parquet"
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def main() -> None:
    """Make, migrate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--dump", type=Path)
    parser.add_argument("--against", type=int)
    given = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="casebridge-end-to-end-"))
    seconds = {}
    for records in [given.against, given.records] if given.against else [given.records]:
        dump = given.dump if given.dump and records == given.records else work / f"council-{records}" / "dump"
        if not dump.exists():
            make_council(dump.parent, people=max(500, records // 26), records=records, seed=1)
        seconds[records] = one(dump, records_in(dump), work)
    if given.against:
        growth = seconds[given.records] / seconds[given.against]
        click.echo(f"\n{given.records / given.against:g} times the records took {growth:.1f} times as long")
    shutil.rmtree(work)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
