"""The nightly scan against a large register on PostgreSQL: people changed, found by change date and by row.

python -m benchmarks.scan [--people 1000000] [--changed 500 10000]

Seconds are of the whole command in a process of its own, memory is that process's peak. The first night (read
everybody, fit a model, link) is told apart.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import tempfile
import time
from pathlib import Path

import polars as pl
import psycopg

from benchmarks.registers import make_register
from benchmarks.server import database, postgres

COLUMNS = {"id": "client_id", "first": "first_name", "last": "last_name", "dob": "date_of_birth", "sex": "sex",
           "street": "street", "postcode": "postcode", "nhs": "nhs_number", "phone": "phone"}  # fmt: skip
_TABLE = "clients"


def fill(url: str, people: int) -> int:
    """A table of about so many people. Returns how many rows it has."""
    day = pl.date(2025, 1, 1) + pl.duration(days=pl.int_range(pl.len()) % 364)
    named = [pl.col(name).alias(to) for name, to in COLUMNS.items()]
    rows = make_register(people, seed=11).select(*named, day.alias("last_updated"))
    columns = ", ".join(f"{name} text" for name in COLUMNS.values())
    with psycopg.connect(url) as connection:
        connection.execute(f"CREATE TABLE {_TABLE} ({columns}, restricted text DEFAULT 'N', "  # type: ignore[arg-type]
                           "last_updated timestamp, PRIMARY KEY (client_id))")  # fmt: skip
        into = f"COPY {_TABLE} ({', '.join(rows.columns)}) FROM STDIN WITH (FORMAT csv)"
        with connection.cursor().copy(into) as copy:  # type: ignore[arg-type]
            for part in rows.iter_slices(50_000):
                text = io.BytesIO()
                part.write_csv(text, include_header=False)
                copy.write(text.getvalue())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE INDEX ON {_TABLE} (last_updated)")  # type: ignore[arg-type]
        connection.execute(f"ANALYZE {_TABLE}")  # type: ignore[arg-type]
    return rows.height


def change(url: str, people: int, night: int) -> None:
    """Staff change so many records: half of them have another surname, all another date."""
    with psycopg.connect(url) as connection:
        connection.execute(
            f"UPDATE {_TABLE} SET last_updated = timestamp '2026-02-01' + %s * interval '10 days', last_name = "  # type: ignore[arg-type] # noqa: S608
            f"CASE WHEN random() < 0.5 THEN last_name || 'E' ELSE last_name END "
            f"WHERE client_id IN (SELECT client_id FROM {_TABLE} ORDER BY random() LIMIT %s)",
            [night, people],
        )


def scan(folder: Path, *words: str) -> dict[str, float]:
    """One scan in a process of its own: seconds, its peak in megabytes, and how many people had changed."""
    out = folder / "told.json"
    began = time.perf_counter()
    pid = os.posix_spawn(
        sys.executable, [sys.executable, "-m", "casebridge", "scan", "--json", "--project", str(folder), *words],
        os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, str(out), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                                  (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)],
    )  # fmt: skip
    _, status, used = os.wait4(pid, 0)
    seconds = time.perf_counter() - began
    assert status == 0, f"the scan failed: {status}"
    told = json.loads(out.read_text(encoding="utf-8"))
    return {"seconds": round(seconds, 2), "cpu": round(used.ru_utime + used.ru_stime, 2),
            "megabytes": round(used.ru_maxrss / 1024), "changed": told["changed"],
            "new": told["new"], "rows_read": told["rows_read"][_TABLE]}  # fmt: skip


def main() -> None:
    """Run, and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, nargs="+", default=[500, 10_000])
    asked = parser.parse_args()
    found: dict[str, object] = {}
    with postgres() as server, database(server) as url, tempfile.TemporaryDirectory() as where:
        found["rows"] = fill(url, asked.people)
        folder = Path(where) / "project"
        os.spawnv(
            os.P_WAIT, sys.executable, [sys.executable, "-m", "casebridge", "init", str(folder), "--scan", url]
        )
        linkage = folder / "linkage.toml"
        linkage.write_text(linkage.read_text().replace("# changed =", "changed ="), encoding="utf-8")
        found["first night"] = scan(folder)
        for night, people in enumerate(asked.changed):
            change(url, people, night)
            found[f"{people} changed, by date"] = scan(folder)
        change(url, asked.changed[0], len(asked.changed))
        found[f"{asked.changed[0]} changed, every row read"] = scan(folder, "--whole")
    print(json.dumps(found, indent=1))  # noqa: T201


if __name__ == "__main__":
    main()
