"""Where each legacy key of a target table went: the crosswalk of any table, not of registers alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from casebridge.load.resolution.key_map import KeyMap, read_crosswalk
from casebridge.project.contracts import KEY
from casebridge.project.identity import ANY
from casebridge.project.job import Job
from casebridge.project.spec import Source

EVERY_KEY: Mapping[str, pl.DataType] = {
    "system": pl.String(), "source": pl.String(), "legacy_key": pl.String(), "survivor_system": pl.String(),
    "survivor_key": pl.String(), "target_id": pl.String(), "place": pl.String(),
}  # fmt: skip
"""A legacy key: whose record it became (itself, but for people who were merged), the id in the target as text
(null where it is not there), and its place where it stayed behind."""


def every_key(job: Job, target: str) -> pl.DataFrame:
    """All keys of a target table, in EVERY_KEY, by system, source and key. Read only."""
    crosswalk = read_crosswalk(job)
    folded = crosswalk.folded.select("system", pl.col("key").alias(KEY), "survivor_system", "survivor_key")
    frames = [pl.DataFrame(schema=dict(EVERY_KEY))]
    for system, sources, named in _asked(job, target, crosswalk.register):
        key_map = KeyMap(job, target, system, crosswalk, source=named)
        keys = key_map.keys.unique(KEY, maintain_order=True)
        keys = keys.with_columns(system=pl.lit(key_map.space), source=pl.lit(", ".join(sources)))
        keys = keys.filter(pl.col(KEY).is_not_null()).join(folded, on=["system", KEY], how="left")
        shown = keys.select(
            "system", "source", pl.col(KEY).alias("legacy_key"),
            pl.col("survivor_system").fill_null(pl.col("system")), pl.col("survivor_key").fill_null(pl.col(KEY)),
            pl.col("id").cast(pl.String).alias("target_id"), "place",
        )  # fmt: skip
        # Of one table: its name need not stand behind the system.
        shown = shown.with_columns(pl.col("system", "survivor_system").str.replace("/.*$", ""))
        frames.append(_by_digest(shown) if _of_files(job, system, sources) else shown)
    return pl.concat(frames).sort("system", "source", "legacy_key")


def _asked(job: Job, target: str, register: frozenset[str]) -> list[tuple[str, list[str], str]]:
    """The systems and sources that fill a table. One of people is asked as a whole: a merge may cross sources."""
    filling: dict[str, set[str]] = {}
    whole = False
    for spec in job.specs:
        if spec.target == target:
            filling.setdefault(spec.system, set()).add(spec.sources[0].name)
            whole |= spec.name in register
    if whole:
        return [(system, sorted(names), ANY) for system, names in sorted(filling.items())]
    return [(system, [name], name) for system, names in sorted(filling.items()) for name in sorted(names)]


def _of_files(job: Job, system: str, sources: list[str]) -> bool:
    return any(job.reads()[Source(system, name)].format == "files" for name in sources)


def _by_digest(keys: pl.DataFrame) -> pl.DataFrame:
    """Documents by the SHA-256 of their names: people's names stand in them."""
    names = ("legacy_key", "survivor_key")
    digests = {text: hashlib.sha256(text.encode()).hexdigest() for name in names for text in keys[name]}
    return keys.with_columns(pl.col(name).replace(digests) for name in names)
