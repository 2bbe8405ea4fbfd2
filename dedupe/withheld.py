"""Source rows of the register that did not come through: rejected, held or excluded."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from casebridge.project.contracts import KEY, REST, ROW, ROW_VERDICTS
from casebridge.project.job import Job


def withheld_rows(job: Job, spaces: Mapping[str, str], ids: Collection[str]) -> pl.DataFrame:
    """`id` and ROW of every such row of these records (`space:key`), whichever of a key's rows it is. spaces: of
    the registers' specs."""
    found = [pl.DataFrame(schema={"id": pl.String, ROW: pl.Int64})]
    specs = [spec for spec in job.specs if spec.name in spaces]
    for spec in specs if ids else ():
        front = f"{spaces[spec.name]}:"
        keys = sorted(item.removeprefix(front) for item in ids if item.startswith(front))
        if not keys:
            continue
        # What goes no further than its source (doubled, asked for by no spec) stands under the source's name.
        names = [spec.name, *(str(source) for source in spec.sources)]
        for name in dict.fromkeys(names):
            for batch in job.ledger.sealed(job.run, "transform", name, "quarantine"):
                found.append(_rows(batch.scan().filter(pl.col(KEY).is_in(keys)), front))
    return pl.concat(found).unique().sort("id", ROW)


def _rows(quarantine: pl.LazyFrame, front: str) -> pl.DataFrame:
    places = [str(verdict) for verdict in ROW_VERDICTS]
    rows = quarantine.filter(pl.col("verdict").is_in(places)).select(
        (pl.lit(front) + pl.col(KEY)).alias("id"), ROW, pl.col(REST).cast(pl.List(pl.Int64))
    )
    every = pl.concat_list(pl.concat_list(ROW), pl.col(REST).fill_null([]))
    return rows.select("id", every.alias(ROW)).explode(ROW).drop_nulls(ROW).collect()
