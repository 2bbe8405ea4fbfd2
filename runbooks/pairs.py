"""Prints the undecided pairs of a project's latest run, as a file of decisions to be filled in.

    python runbooks/pairs.py [PROJECT] > pairs.csv

One line a pair, the likeliest first. It holds record keys and probabilities, nothing about the people:
look the records up where they live. Fill in verdict, reviewer and reason, and hand the file to
`casebridge decide`; the column p_same is not read there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import polars as pl

from migrate.pipeline import open_job


def undecided(project: Path) -> pl.DataFrame:
    """left, right, verdict, reviewer, reason (the last three empty) and p_same."""
    empty = pl.lit(None, pl.String)
    with open_job(project, alone=False) as job:
        batches = job.ledger.standing(job.run, "dedupe", "pairs", "pairs")
        wanted = ["left_id", "right_id", "p_same", "state"]
        schema = {"left_id": pl.String, "right_id": pl.String, "p_same": pl.Float64, "state": pl.String}
        pairs = pl.concat([pl.DataFrame(schema=schema), *(batch.read(wanted) for batch in batches)])
    waiting = pairs.filter(pl.col("state") == "undecided")
    waiting = waiting.sort("p_same", "left_id", "right_id", descending=[True, False, False])
    return waiting.select(
        pl.col("left_id").alias("left"),
        pl.col("right_id").alias("right"),
        empty.alias("verdict"),
        empty.alias("reviewer"),
        empty.alias("reason"),
        pl.col("p_same").round(4),
    )


if __name__ == "__main__":
    sys.stdout.write(undecided(Path(sys.argv[1] if len(sys.argv) > 1 else ".")).write_csv())
