"""What a night costs: `python -m benchmarks.affected --rows 1000000 --changed 500 10000`.

A made-up register is linked and kept once. Then, for each number of changed records, a process of its own reads
what was kept, scores what they affect and keeps the result: rows, seconds of the whole process and of its steps,
processor seconds, peak memory. Half of the changed records are new, half have another surname and postcode.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter, process_time

import polars as pl

from benchmarks.kinds import PLAIN
from benchmarks.linkage import fields_for
from benchmarks.registers import make_register
from benchmarks.server import own_peak
from casebridge import LinkedRegister, link, link_affected

FIELDS = fields_for(PLAIN.columns)
PEOPLE_A_ROW = 0.885  # people behind each row of a register of this kind


def first(rows: int, folder: Path, changed: list[int]) -> dict[str, float]:
    """Link a register and keep it, with the changed records of each night beside it."""
    made = make_register(int(rows * PEOPLE_A_ROW), PLAIN, seed=4)
    new = max(changed) // 2
    old = made.head(made.height - new)
    for many in changed:
        half = old.sample(many - many // 2, seed=many).with_columns(
            last=pl.col("last").shuffle(seed=1), postcode=pl.col("postcode").shuffle(seed=2)
        )
        pl.concat([made.tail(many // 2), half]).write_parquet(folder / f"changed-{many}.parquet")
    start = perf_counter()
    kept = link(old, FIELDS).kept
    assert kept is not None
    trained = perf_counter()
    linked = LinkedRegister.of(old, FIELDS, kept)
    whole = perf_counter()
    linked.save(folder / "linked")
    return {
        "rows": old.height, "pairs": linked.standing.height, "train": trained - start, "whole": whole - trained,
        "save": perf_counter() - whole,
        "folder_mb": sum(file.stat().st_size for file in (folder / "linked").iterdir()) / 1e6,
    }  # fmt: skip


def night(folder: Path, changed: Path) -> None:
    """One night in this process; prints what it cost."""
    start = perf_counter()
    linked = LinkedRegister.read(folder)
    read = perf_counter()
    found = link_affected(linked, pl.scan_parquet(changed))
    scored = perf_counter()
    found.linked.save(folder)
    facts = {
        "read": read - start, "score": scored - read, "save": perf_counter() - scored, "cpu": process_time(),
        "gib": own_peak(), "new_or_other_pairs": found.pairs.height, **found.counts,
    }  # fmt: skip
    tell(facts)


def tell(facts: Mapping[str, float]) -> None:
    """A line of JSON."""
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure nights, each from the same start."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, nargs="+", default=[500, 10_000])
    parser.add_argument("--night", type=Path, nargs=2, metavar=("LINKED", "CHANGED"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.night:
        night(*asked.night)
        return
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where)
        tell(first(asked.rows, folder, asked.changed))
        for many in asked.changed:
            shutil.copytree(folder / "linked", folder / "tonight")
            command = [sys.executable, "-m", "benchmarks.affected", "--night"]
            start = perf_counter()
            run = subprocess.run(
                [*command, str(folder / "tonight"), str(folder / f"changed-{many}.parquet")],
                check=True, capture_output=True, text=True,
            )  # fmt: skip
            tell({"changed": many, "seconds": perf_counter() - start, **json.loads(run.stdout)})
            shutil.rmtree(folder / "tonight")


if __name__ == "__main__":
    main()
