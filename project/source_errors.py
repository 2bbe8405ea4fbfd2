"""What went wrong with a database that is read, in a sentence, and what to do about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from casebridge.project.database import DRIVER_ERRORS, refusal, shown
from casebridge.project.errors import SourceError, TargetError
from casebridge.project.refusals import HINTS, Refusal, refused

_HINT = "see that the server runs, that the URL is its own and that this login may read there; then run it again"
_DAMAGED = (
    "the file is damaged, or was copied while somebody wrote to it: fetch it again, then run the same command"
)
_LOST = "the connection was lost: run the same command again"


def _hint(error: Exception, *, lost: bool) -> str:
    """What to do about what a source refused."""
    code = getattr(getattr(error, "orig", None) or error, "sqlite_errorcode", 0)
    if code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return _DAMAGED
    if refused(error) is Refusal.LOCKED:
        return HINTS[Refusal.LOCKED]
    return _LOST if lost else _HINT


@contextmanager
def told(url: str, where: str = "") -> Iterator[None]:
    """SourceError in the place of what a driver says, with what to do. where: what stands before the reason."""
    try:
        yield
    except TargetError as error:  # of a URL: it is not known there what it is for
        raise SourceError(error.target, error.reason, hint=error.hint) from error
    except DRIVER_ERRORS as error:
        found = refusal(url, error)
        hint = _hint(error, lost=found.retryable)
        raise SourceError(shown(url), f"{where}{found.reason}", hint=hint, lost=found.retryable) from error
    except pa.ArrowInvalid as error:
        raise SourceError(shown(url), f"{where}sent rows that cannot be read", hint=_HINT) from error
