"""What was said of a row before: every fault that any run found, and since when it is found no more.

The quarantine files that the ledger ever noted are the history. Before `purge` takes files away, what they say is
put down in `work/history`: keys and rules, no values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from casebridge.project.batch import write_file
from casebridge.project.contracts import KEY
from casebridge.project.job import Job

FOLDER = "history"
_FILE = "verdicts.parquet"
_SAID = ("name", "stage", KEY, "column", "rule", "verdict")

HISTORY: Mapping[str, pl.DataType] = {
    **dict.fromkeys(_SAID, pl.String()), "first_seen": pl.String(), "last_seen": pl.String(),
}  # fmt: skip
"""A fault of a row: `name` is the spec or the source that was judged; the times are those of the ledger."""


def history_of(job: Job) -> pl.DataFrame:
    """Every fault that was ever found of a row, in HISTORY. Read only."""
    return _together([_kept(job.work), *_said(job)])


def put_down(job: Job, going: Collection[Path]) -> None:
    """Keep what quarantine files say that are about to go."""
    frames = _said(job, going)
    if frames:
        kept = _together([_kept(job.work), *frames])
        write_file(job.work / FOLDER / _FILE, lambda file: kept.write_parquet(file, compression="zstd"))


def _kept(work: Path) -> pl.DataFrame:
    path = work / FOLDER / _FILE
    return pl.read_parquet(path) if path.is_file() else pl.DataFrame(schema=dict(HISTORY))


def _said(job: Job, only: Collection[Path] | None = None) -> list[pl.DataFrame]:
    frames = []
    for batch, done in job.ledger.ever("quarantine"):
        if batch.rows and batch.path.is_file() and (only is None or batch.path in only):
            rows = batch.read([KEY, "column", "rule", "verdict"])
            told = {"name": batch.table, "stage": batch.stage, "first_seen": done, "last_seen": done}
            rows = rows.with_columns(pl.lit(text).alias(name) for name, text in told.items())
            frames.append(rows.select(pl.col(n).cast(kind) for n, kind in HISTORY.items()))
    return frames


def _together(frames: list[pl.DataFrame]) -> pl.DataFrame:
    grouped = pl.concat(frames).group_by(*_SAID, maintain_order=True)
    return grouped.agg(pl.col("first_seen").min(), pl.col("last_seen").max()).select(*HISTORY)
