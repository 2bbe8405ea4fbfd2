"""What a disk, a right, a lock or a server that is down refuses, told apart in one place.

Python, Polars, DuckDB, Arrow, SQLite and PostgreSQL word the same refusal in their own ways. Who meets one asks
`refused` what it is; the sentence for files and what to do about each kind stand here.
"""

from __future__ import annotations

import enum
import errno
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

from casebridge.project.errors import CasebridgeError


class Refusal(enum.Enum):
    """What is refused."""

    FULL = "full"
    RIGHTS = "rights"
    READ_ONLY = "read-only"
    FAILED = "failed"
    LOCKED = "locked"
    DOWN = "down"
    NO_HOST = "no host"
    LOGIN = "login"
    NO_DATABASE = "no database"


AGAIN = "then run the same command again: what was finished stays done"
HINTS: Mapping[Refusal, str] = {
    Refusal.FULL: "make room on that disk (`df -h` shows what is left, `casebridge purge --dry-run` what of work/ "
    f"may go), {AGAIN}",
    Refusal.RIGHTS: f"see that this login may read and write there, {AGAIN}",
    Refusal.READ_ONLY: f"it was made read-only, or the disk is failing: have its owner look, {AGAIN}",
    Refusal.FAILED: "see that the disk is sound and has room (`df -h`), and that no limit holds files small, "
    f"{AGAIN}",
    Refusal.LOCKED: f"wait until that session ends its transaction, or have it ended, {AGAIN}",
    Refusal.DOWN: "no server answers there: see that it runs (`pg_isready -h HOST -p PORT`) and that host and "
    f"port in target.url are its own, {AGAIN}",
    Refusal.NO_HOST: f"nobody knows a host of that name: look at target.url, at the network, at the VPN; {AGAIN}",
    Refusal.LOGIN: "the server is there and does not let this login in: look at the user in target.url, and at "
    "the password, or at the variable that it comes from",
    Refusal.NO_DATABASE: "the server is there and has no database of that name: look at target.url, or have it "
    "made",
}

_ERRNO = {
    errno.ENOSPC: Refusal.FULL, errno.EDQUOT: Refusal.FULL, errno.EFBIG: Refusal.FULL,
    errno.EACCES: Refusal.RIGHTS, errno.EPERM: Refusal.RIGHTS, errno.EROFS: Refusal.READ_ONLY,
    errno.EIO: Refusal.FAILED,
}  # fmt: skip
_SQLITE = {
    sqlite3.SQLITE_FULL: Refusal.FULL, sqlite3.SQLITE_READONLY: Refusal.READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: Refusal.RIGHTS, sqlite3.SQLITE_PERM: Refusal.RIGHTS,
    sqlite3.SQLITE_IOERR: Refusal.FAILED, sqlite3.SQLITE_BUSY: Refusal.LOCKED,
    sqlite3.SQLITE_LOCKED: Refusal.LOCKED,
}  # fmt: skip
_SQLSTATE = {
    "53100": Refusal.FULL, "42501": Refusal.RIGHTS, "25006": Refusal.READ_ONLY, "55P03": Refusal.LOCKED,
    "28000": Refusal.LOGIN, "28P01": Refusal.LOGIN, "3D000": Refusal.NO_DATABASE,
}  # fmt: skip
_WORDS = (
    (re.compile(r"no space left|disk is full|disk full|quota exceeded|os error (28|122)\b", re.I), Refusal.FULL),
    (re.compile(r"read-only file system|os error 30\b|readonly database", re.I), Refusal.READ_ONLY),
    (re.compile(r"permission denied|operation not permitted|os error (1|13)\b", re.I), Refusal.RIGHTS),
    (re.compile(r"disk i/o error|input/output error|os error 5\b", re.I), Refusal.FAILED),
    (re.compile(r"database is locked", re.I), Refusal.LOCKED),
    (re.compile(r"password authentication failed|no pg_hba|role .* does not exist", re.I), Refusal.LOGIN),
    (re.compile(r"database .* does not exist", re.I), Refusal.NO_DATABASE),
    (re.compile(r"could not translate host|failed to resolve host|name or service not", re.I), Refusal.NO_HOST),
    (re.compile(r"connection refused|connection timed? ?out|timeout expired|no route to host|is the server running"
                r"|network is unreachable|no such file or directory", re.I), Refusal.DOWN),
)  # fmt: skip
_OF_FILES = (Refusal.FULL, Refusal.RIGHTS, Refusal.READ_ONLY, Refusal.FAILED)
_SAID = {
    Refusal.FULL: "no room left on the disk",
    Refusal.RIGHTS: "Permission denied",
    Refusal.READ_ONLY: "the disk is read-only",
    Refusal.FAILED: "the disk failed while it was read or written",
}
_SPEAKS_OF_DISKS = ("polars", "duckdb", "pyarrow", "sqlite3", "psycopg", "sqlalchemy")
"""Libraries in whose errors these words mean the disk, and not something of a file that was read."""


def refused(error: BaseException) -> Refusal | None:
    """What an error means, whoever raised it; None when it means something else."""
    for one in _causes(error):
        found = _told(one)
        if found is not None:
            return found
    return None


def refused_files(error: BaseException, folder: Path | None = None) -> CasebridgeError | None:
    """The sentence about files that a full disk, a right or a read-only disk refuses; None for all else. `folder`
    is named where the error does not say where."""
    kind = refused(error)
    if kind not in _OF_FILES or kind is None:
        return None
    where, said = folder, _SAID[kind]
    for one in _causes(error):
        if isinstance(one, OSError) and one.errno:
            said = one.strerror if kind is Refusal.RIGHTS and one.strerror else said
            if one.filename is not None:
                where = Path(os.fsdecode(one.filename)).parent
                break
    return CasebridgeError(said + (f", in {where}" if where else ""), hint=HINTS[kind])


def _told(error: BaseException) -> Refusal | None:
    if isinstance(error, OSError) and error.errno:
        return _ERRNO.get(error.errno)
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None:
        return _SQLITE.get(int(code) & 0xFF)
    state = getattr(error, "sqlstate", None)
    if state:
        return _SQLSTATE.get(str(state))
    if not isinstance(error, OSError) and not type(error).__module__.lstrip("_").startswith(_SPEAKS_OF_DISKS):
        return None
    text = str(error)
    return next((kind for words, kind in _WORDS if words.search(text)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that it came from."""
    seen: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in seen:
        seen.append(one)
        yield one
        one = getattr(one, "orig", None) or one.__cause__
