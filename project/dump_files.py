"""The files of a dump."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from casebridge.project.urls import FILE


def files_of(dump: Path) -> Iterator[Path]:
    """Every file below a dump's folder, in the order of the paths. A migration project that stands in a folder
    below it is no part of it: its batches and reports would be taken for what came from the source."""
    for folder, below, names in os.walk(dump):
        here = Path(folder)
        if here != dump and FILE in names:
            below.clear()
            continue
        yield from (path for name in names if (path := here / name).is_file())
