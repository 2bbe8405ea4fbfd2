"""The dlt arm of benchmarks/load.py, in a Python that has dlt: Arrow tables, written by COPY of CSV.

python load_dlt.py URL FOLDER    prints seconds and peak memory in GiB
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import dlt
import pyarrow.parquet as pq


def main(url: str, folder: Path) -> None:
    """Load NUMBER.TABLE.parquet files into the schema `public`."""
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    by_table: dict[str, list[Path]] = {}
    for path in sorted(folder.glob("*.parquet"), key=lambda path: int(path.name.split(".")[0])):
        by_table.setdefault(path.name.split(".")[1], []).append(path)
    host = re.sub(r"^postgresql://([^@]*)@/([^?]*)\?host=(.*)$", r"host=\3 dbname=\2 user=postgres", url)
    started = time.perf_counter()
    pipeline = dlt.pipeline(
        "benchmark",
        pipelines_dir=tempfile.mkdtemp(),
        destination=dlt.destinations.postgres(_credentials(host), create_indexes=False),
        dataset_name="public",
    )
    resources = [_resource(name, paths) for name, paths in by_table.items()]
    pipeline.run(resources, loader_file_format="csv").raise_on_failed_jobs()
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{seconds} {_peak()}\n")


def _peak() -> float:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024**2


def _credentials(dsn: str) -> str:
    parts = dict(part.split("=", 1) for part in dsn.split())
    return f"postgresql://{parts['user']}:none@localhost/{parts['dbname']}?host={parts['host']}"


def _resource(name: str, paths: list[Path]):  # type: ignore[no-untyped-def]
    def tables() -> Iterator[object]:
        for path in paths:
            yield pq.read_table(path)

    return dlt.resource(tables, name=name, write_disposition="append")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
