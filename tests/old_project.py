"""A project that an older casebridge made, as it stood when the code was changed: 47 persons, 60 payments.

Run `trial-1` was loaded, 10 and 101 were merged by a decision, and it was signed. Then 5 and 6, both with
payments, were decided to be the same; no run has taken that up yet. There was no audit log, and no schema version.
"""

from __future__ import annotations

import hashlib
import sqlite3
import tarfile
from collections.abc import Sequence
from pathlib import Path

MADE = Path(__file__).parent / "old_projects" / "before_versions.tar.xz"


def unpack_old_project(folder: Path) -> Path:
    """A copy of it, to go on with."""
    with tarfile.open(MADE) as packed:
        packed.extractall(folder, filter="data")
    return folder


def files_of(folder: Path) -> dict[str, str]:
    """Every file by name, with the digest of its bytes."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def ask(database: Path, query: str) -> list[tuple[object, ...]]:
    """Rows of a SQLite file, with what stands in its log."""
    connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    rows = [tuple(row) for row in connection.execute(query)]
    connection.close()
    return rows


def tell(database: Path, *statements: str, values: Sequence[object] = ()) -> None:
    """Change a SQLite file."""
    connection = sqlite3.connect(database, isolation_level=None)
    for statement in statements:
        connection.execute(statement, values)
    connection.close()
