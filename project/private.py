"""Files that only their owner reads, whatever the umask: nearly all that we write is somebody's record."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OWNER_ONLY, SHARED = 0o077, 0o007
"""What a new file does not give: to group and others; or, where a group works together, to others alone."""


@contextmanager
def private_files(*, shared: bool = False) -> Iterator[None]:
    """All that this process writes meanwhile is its owner's only (`shared`: and the folder's group's)."""
    before = os.umask(SHARED if shared else OWNER_ONLY)
    try:
        yield
    finally:
        os.umask(before)


def make_private(folder: Path, *, shared: bool = False) -> None:
    """Take rights off a project that was made with others: its folder, what stands in it, and all below the
    folders that we write. What this login may not change stays as it is."""
    hidden = SHARED if shared else OWNER_ONLY
    below = [path for name in ("work", "reports", "handover") for path in (folder / name).rglob("*")]
    for path in (folder, *folder.iterdir(), *below):
        mode = path.lstat().st_mode
        if mode & hidden and not stat.S_ISLNK(mode):
            with suppress(PermissionError):
                path.chmod(stat.S_IMODE(mode) & ~hidden)
