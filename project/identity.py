"""Target ids: given out once for each (system, target table, legacy key), and kept for good.

They stand in immutable segments under `work/ids`, each a table's newly seen keys with their numbers. New
keys are numbered in the order of (system, length, key), after all older ones, so the ids do not depend on
the order or the parallelism in which rows were read. A key keeps its id whatever becomes of its row.
"""

from __future__ import annotations

import polars as pl

from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import KEY
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job
from casebridge.project.tally import Tally

STAGE, KIND, EVERY_RUN = "ids", "ids", ""
RESTORE = (
    "restore work/ids from a backup: ids that were given out cannot be made anew. Then look at the disk. "
    "Without a backup: a new migration project, and an empty target"
)
"""What to do when a segment is lost."""


def segments(job: Job, target: str) -> tuple[Batch, ...]:
    """The segments of a target table, oldest first. CasebridgeError when one is gone."""
    found = job.ledger.sealed(EVERY_RUN, STAGE, target, KIND)
    for batch in found:
        if not batch.path.is_file():
            raise _lost(job, batch, "is gone")
    return found


def ids_of(job: Job, target: str, system: str) -> pl.DataFrame:
    """All ids given out for one system's keys in a target table: KEY, `id`."""
    found = [_read(job, batch) for batch in segments(job, target)]
    if not found:
        return pl.DataFrame(schema={KEY: pl.String(), "id": pl.Int64()})
    return pl.concat(found).filter(pl.col("system") == system).select(KEY, "id")


def give_out(job: Job, target: str, system: str, keys: pl.Series) -> None:
    """Number the keys that have no id yet. Crash-safe: a segment counts once it is sealed."""
    old = segments(job, target)
    known = ids_of(job, target, system).get_column(KEY)
    fresh = pl.DataFrame({KEY: keys.drop_nulls().unique()}).filter(~pl.col(KEY).is_in(known.implode()))
    if fresh.is_empty():
        return
    fresh = fresh.sort(pl.col(KEY).str.len_chars(), KEY)
    first = 1 + sum(batch.rows for batch in old)
    numbered = fresh.select(
        pl.lit(system).alias("system"),
        KEY,
        (pl.int_range(pl.len(), dtype=pl.Int64) + first).alias("id"),
    )
    number, inputs = (
        len(old),
        digest([batch.inputs for batch in old], system, fresh.height, _fingerprint(fresh)),
    )
    job.ledger.attempt(STAGE, target, number, inputs)
    batch = write_batch(job.work, STAGE, target, number, KIND, inputs, numbered)
    job.ledger.record(STAGE, target, number, inputs, [batch], Tally(read=batch.rows, passed=batch.rows))
    sealed = [(old_batch.number, old_batch.inputs) for old_batch in old]
    job.ledger.seal(EVERY_RUN, STAGE, target, [*sealed, (number, inputs)])


def _read(job: Job, batch: Batch) -> pl.DataFrame:
    """A segment's rows. What was changed is not read: a wrong id would join two people's records."""
    if not batch.whole():
        raise _lost(job, batch, "is not what was written")
    return batch.read()


def _lost(job: Job, batch: Batch, what: str) -> CasebridgeError:
    path = batch.path.relative_to(job.work).as_posix()
    return CasebridgeError(f"work/{path} {what}", hint=RESTORE)


def _fingerprint(keys: pl.DataFrame) -> int:
    return int(keys.get_column(KEY).hash(seed=0).sum() or 0)
