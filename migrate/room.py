"""Room on the disks, looked at before each stage: a full disk is told before the work, not in the middle of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job
from casebridge.project.readspec import TABLE
from casebridge.project.refusals import HINTS, Refusal

_READS = {"transform": "extract", "dedupe": "transform", "load": "transform", "reconcile": "extract"}
"""The stage whose files a stage reads."""
_SHARE: Mapping[str, float] = {"extract": 0.3, "transform": 1.0, "dedupe": 0.3, "load": 1.0, "reconcile": 0.1}
"""What a stage writes, as a share of the bytes that it reads. Of a made-up council: extract 0.3 of the dump's
text, transform 1.6 of the batches (codes and documents weigh much in a small one), load 0.8, reports less."""
_SQLITE_SHARE = 4.0
"""A table in SQLite, of the bytes of its batches: they are packed, it is not."""
LEAST = 1 << 20
"""Bytes that every stage needs: the ledger grows, too."""


@dataclass(frozen=True)
class _Need:
    """Bytes that are to be written below a folder."""

    folder: Path
    size: float


def check_room(job: Job, stage: str) -> None:
    """CasebridgeError when a disk has less room than the stage will need. What stands there from before is taken
    for done, so that a stage that has nothing to do is never refused."""
    needs = list(_needs(job, stage))
    for disk in {need.folder.stat().st_dev for need in needs}:
        mine = [need for need in needs if need.folder.stat().st_dev == disk]
        needed, free = sum(need.size for need in mine), shutil.disk_usage(mine[0].folder).free
        if free < needed:
            raise CasebridgeError(
                f"{stage} needs about {_shown(needed)} on the disk of {mine[0].folder}: {_shown(free)} are left",
                hint=f"nothing of this stage was begun: {HINTS[Refusal.FULL]}",
            )


def _needs(job: Job, stage: str) -> Iterator[_Need]:
    read = _dump(job) if stage == "extract" else _bytes_below(job.work / _READS[stage])
    written = job.settings.reports if stage == "reconcile" else job.work / stage
    yield _Need(job.work, max(LEAST, _SHARE[stage] * read - _bytes_below(written)))
    url = sa.make_url(job.settings.target_url)
    if stage == "load" and url.get_backend_name() == "sqlite" and url.database:
        database = Path(url.database)
        there = database.stat().st_size if database.is_file() else 0
        yield _Need(database.parent, max(0, _SQLITE_SHARE * read - there))


def _dump(job: Job) -> int:
    """The bytes of the dump's files; of a folder of documents only the list is written. How large the tables of a
    database are, nobody knows before they are read."""
    systems = job.settings.systems
    found = (
        path
        for source, read in job.reads().items()
        if (dump := systems[source.system].dump) and read.format != TABLE
        for path in _glob(dump, read.file)
    )
    return sum(path.stat().st_size for path in set(found) if path.is_file())


def _glob(dump: Path, pattern: str) -> Iterator[Path]:
    if not Path(pattern).is_absolute() and ".." not in Path(pattern).parts:
        yield from dump.glob(pattern)


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _shown(size: float) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
