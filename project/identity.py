"""Target ids: given out once for each (system, source table, target table, legacy key), and kept for good.

They stand in immutable segments under `work/ids`, each a table's newly seen keys with their numbers. New
keys are numbered by source in the order of (length, key), after all older ones, so the ids do not depend on
the order or the parallelism in which rows were read. A key keeps its id whatever becomes of its row.

Older projects gave ids to (system, target table, key): such an id belongs to the first source that has the
key, in the order of the specs, from the moment it asks.
"""

from __future__ import annotations

import hashlib

import polars as pl

from casebridge.project.batch import Batch, digest, write_batch
from casebridge.project.contracts import KEY
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job
from casebridge.project.tally import Tally

STAGE, KIND, EVERY_RUN = "ids", "ids", ""
ANY = ""
"""No source in particular."""
RESTORE = (
    "restore work/ids from a backup: ids that were given out cannot be made again. Then look at the disk. "
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


def ids_of(job: Job, target: str, system: str, source: str = ANY) -> pl.DataFrame:
    """All ids given out for the keys of one source of a system in a target table, or of all its sources: KEY,
    `id` in the type of the table's key. None where the specs say what the key is."""
    mine = _given(job, target).filter(pl.col("system") == system)
    if source != ANY:
        mine = pl.concat([mine.filter(pl.col("source") == source), _nobodys(mine)])
    table = job.target.by_name[target]
    if table.natural_key:
        return pl.DataFrame(schema={KEY: pl.String(), "id": table.id_type})
    if table.by_name[table.id_column].type.name == "uuid":
        return mine.select(KEY, uuids(target, mine.get_column("id")))
    return mine.select(KEY, "id")


def uuids(target: str, numbers: pl.Series) -> pl.Series:
    """Numbers (from 1, below 2^62) as uuids of version 8 (RFC 9562, 5.8), one to one: 60 bits of the SHA-256 of
    the target table's name, and the number in the last 62. A number is the same uuid everywhere and always."""
    name = hashlib.sha256(f"casebridge {target}".encode()).hexdigest()
    front = f"{name[:8]}-{name[8:12]}-8{name[12:15]}-"
    ends = ((number | 1 << 63).to_bytes(8).hex() for number in numbers)
    return pl.Series("id", [f"{front}{end[:4]}-{end[4:]}" for end in ends], dtype=pl.String)


def give_out(job: Job, target: str, system: str, keys: pl.Series, source: str = ANY) -> None:
    """Number the keys that have no id yet. Crash-safe: a segment counts once it is sealed."""
    old, given = segments(job, target), _given(job, target)
    fresh = pl.DataFrame({KEY: keys.drop_nulls().unique()})
    taken_over = given.select(KEY, "id").clear()
    if given.height:
        mine = given.filter(pl.col("system") == system)
        known = mine.filter(pl.col("source") == source).get_column(KEY)
        asked = fresh.filter(~pl.col(KEY).is_in(known.implode()))
        taken_over = _nobodys(mine).join(asked, on=KEY, how="semi").select(KEY, "id")
        fresh = asked.filter(~pl.col(KEY).is_in(taken_over.get_column(KEY).implode()))
    if fresh.is_empty() and taken_over.is_empty():
        return
    fresh = fresh.sort(pl.col(KEY).str.len_chars(), KEY)
    first = _first_free(job, target, given, fresh.height)
    numbered = fresh.select(KEY, (pl.int_range(pl.len(), dtype=pl.Int64) + first).alias("id"))
    rows = pl.concat([taken_over.sort("id"), numbered])
    rows = rows.select(pl.lit(system).alias("system"), pl.lit(source).alias("source"), KEY, "id")
    number = len(old)
    inputs = digest([batch.inputs for batch in old], system, source, rows.height, _fingerprint(rows))
    job.ledger.attempt(STAGE, target, number, inputs)
    batch = write_batch(job.work, STAGE, target, number, KIND, inputs, rows)
    job.ledger.record(STAGE, target, number, inputs, [batch], Tally(read=batch.rows, passed=batch.rows))
    sealed = [(old_batch.number, old_batch.inputs) for old_batch in old]
    job.ledger.seal(EVERY_RUN, STAGE, target, [*sealed, (number, inputs)])


def _first_free(job: Job, target: str, given: pl.DataFrame, wanted: int) -> int:
    """The first of so many new ids. CasebridgeError when the table's range has no room for them."""
    table = job.target.by_name[target]
    first = max(table.first_id, 1 + int(given.select(pl.col("id").max().fill_null(0)).item()))
    if table.last_id is not None and first + wanted - 1 > table.last_id:
        what = f"{target} has ids from {table.first_id:,} to {table.last_id:,}, and {wanted:,} more are needed"
        raise CasebridgeError(f"{what} from {first:,} on", hint="widen the range in target.toml: last_id")
    return first


def _given(job: Job, target: str) -> pl.DataFrame:
    """Every id of a target table: system, source (empty where an older project did not note it), KEY, `id`."""
    found = [pl.DataFrame(schema=dict.fromkeys(("system", "source", KEY), pl.String()) | {"id": pl.Int64()})]
    for batch in segments(job, target):
        rows = _read(job, batch)
        noted = pl.col("source") if "source" in rows.columns else pl.lit(ANY).alias("source")
        found.append(rows.select("system", noted, KEY, "id"))
    return pl.concat(found)


def _nobodys(given: pl.DataFrame) -> pl.DataFrame:
    """The ids that no source has taken over yet."""
    free = given.filter(pl.col("source") == ANY)
    return free.join(given.filter(pl.col("source") != ANY), on=KEY, how="anti") if free.height else free


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
