"""How fast a table of PostgreSQL becomes batches, beside a bare COPY TO of the same table by the same driver.

    python -m benchmarks.extract --rows 2000000 --times 5

The table has eleven columns, as a register of people has. Both read all of it over the same socket; the bare one
throws the bytes away. Ours writes Parquet files, fsyncs them, and holds the database's totals against them. Each
round is both, twice, by turns, and the quicker of each two counts; of all rounds the medians.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.server import database, own_peak, postgres
from casebridge.migrate.pipeline import open_job, run_stages

_TABLE = """
CREATE TABLE person AS SELECT i AS no, 'SURNAME' || (i % 5000) AS surname, 'Forename' || (i % 800) AS forename,
    date '1950-01-01' + (i % 20000) AS born, CASE WHEN i % 3 = 0 THEN NULL ELSE 'N' END AS flag,
    ((i % 10000) / 100.0)::numeric(10, 2) AS amount, timestamp '2001-01-01' + i * interval '1 minute' AS made,
    'some longer text of a record, no ' || i AS note, '' AS empty, i % 77 AS team, md5(i::text) AS mark
FROM generate_series(1, {rows}) i
"""
_COLUMNS = ["no", "surname", "forename", "born", "flag", "amount", "made", "note", "empty", "team", "mark"]


def bare(url: str) -> float:
    """Seconds of a COPY TO whose bytes nobody keeps."""
    began = time.perf_counter()
    copied = "COPY person TO STDOUT (FORMAT csv)"
    with psycopg.connect(url) as connection, connection.cursor() as cursor, cursor.copy(copied) as copy:
        for _ in copy:
            pass
    return time.perf_counter() - began


def ours(folder: Path, url: str) -> float:
    """Seconds of the extract stage, without the start of the program."""
    (folder / "tables").mkdir(parents=True)
    (folder / "casebridge.toml").write_text(f'[systems.old]\ndump = "{url}"\n', encoding="utf-8")
    target = "".join(f'[person.columns.{column}]\ntype = "text"\n' for column in _COLUMNS)
    key = '[person]\nprimary_key = "id"\n[person.columns.id]\ntype = "bigint"\n'
    (folder / "target.toml").write_text(key + target, encoding="utf-8")
    spec = '[table]\nsystem = "old"\nsource = "person"\ntarget = "person"\nkey = ["no"]\n'
    spec += "".join(f'[columns.{column}]\nfrom = "{column}"\n' for column in _COLUMNS)
    (folder / "tables" / "person.toml").write_text(spec, encoding="utf-8")
    with open_job(folder) as job:
        job.code("extract")  # what the program is made of is looked at once
        began = time.perf_counter()
        list(run_stages(job, "extract"))
        return time.perf_counter() - began


@dataclass(frozen=True)
class Round:
    """One round: seconds of the quicker bare COPY and of the quicker of ours, and the least processor seconds of
    our process."""

    bare: float
    ours: float
    cpu: float


def one_round(url: str) -> Round:
    """Both, twice, by turns."""
    found = [(bare(url), *measured(url)) for _ in range(2)]
    return Round(*(min(one) for one in zip(*found, strict=True)))


def measured(url: str) -> tuple[float, float]:
    """Seconds of ours, by the clock and of our process."""
    with tempfile.TemporaryDirectory() as work:
        busy = time.process_time()
        taken = ours(Path(work) / "project", url)
        return taken, time.process_time() - busy


def main() -> None:
    """Print both rates and their ratio."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rows", type=int, default=2_000_000)
    asked.add_argument("--times", type=int, default=3)
    rows, times = asked.parse_args().rows, asked.parse_args().times
    with postgres() as server, database(server) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_TABLE.format(rows=rows).encode())
            connection.execute("VACUUM ANALYZE person")
        rounds = [one_round(url) for _ in range(times)]
    copied, taken = (median(getattr(one, name) for one in rounds) for name in ("bare", "ours"))
    print(f"bare COPY TO  {copied:7.1f} s  {rows / copied:12,.0f} rows/s")  # noqa: T201
    print(f"extract       {taken:7.1f} s  {rows / taken:12,.0f} rows/s")  # noqa: T201
    ratios = sorted(one.bare / one.ours for one in rounds)
    cpu = min(one.cpu for one in rounds) / rows * 1e6
    print(f"ratio {median(ratios):.2f} of the bare rate ({ratios[0]:.2f} to {ratios[-1]:.2f})")  # noqa: T201
    print(f"{cpu:.2f} processor seconds a million rows, peak {own_peak():.2f} GiB")  # noqa: T201


if __name__ == "__main__":
    main()
