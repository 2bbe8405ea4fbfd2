"""What nobody foresaw may be the fault of a file between two stages: then that is said, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from casebridge.project import identity
from casebridge.project.batch import Batch
from casebridge.project.errors import CasebridgeError
from casebridge.project.job import Job
from casebridge.project.refusals import refused_files

_AGAIN = "delete what is damaged and run again: it is made again from what it was made of; then look at the disk"
_HINTS = {
    identity.STAGE: identity.RESTORE,
    "load": "restore work/load from a backup. Without one: if nothing was changed since this run was loaded, "
    "delete it and do `casebridge run` again, which makes it again; then look at the disk",
}


@contextmanager
def corruption_named(job: Job) -> Iterator[None]:
    """An unforeseen error becomes a CasebridgeError when a disk or a right refuses, whichever library met it, or
    when a recorded file is no longer what was written."""
    try:
        yield
    except (CasebridgeError, BrokenPipeError):
        raise
    except Exception as error:
        refused = refused_files(error, job.work)
        if refused is not None:
            raise refused from error
        if isinstance(error, OSError) and error.filename is not None:
            raise  # the system says itself what it refuses
        found = corruption(job)
        if found is None:
            raise
        raise found from error


def corruption(job: Job) -> CasebridgeError | None:
    """The damaged files by name, those first that cannot be made again. Reads every file of the work folder."""
    damaged = sorted(job.ledger.damaged(), key=lambda batch: batch.stage not in _HINTS)
    if not damaged:
        return None
    names = [f"work/{batch.path.relative_to(job.work).as_posix()}" for batch in damaged]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return CasebridgeError(f"damaged since it was written: {', '.join(names[:10])}{more}", hint=_hint(damaged))


def _hint(damaged: list[Batch]) -> str:
    """One file's hint; with files of several kinds, which hint is for which."""
    hints: dict[str, list[str]] = {}
    for batch in damaged:
        hints.setdefault(_HINTS.get(batch.stage, _AGAIN), []).append(f"work/{batch.stage}")
    if len(hints) == 1:
        return next(iter(hints))
    return "; ".join(f"{', '.join(sorted(set(where)))}: {hint}" for hint, where in hints.items())
