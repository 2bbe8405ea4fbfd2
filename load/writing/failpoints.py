"""The named moments of a load, for those who watch: tests pull the plug at each of them."""

from __future__ import annotations

FAILPOINTS = (
    "before the run is noted",
    "before begin",
    "after delete",
    "after copy",
    "before commit",
    "after commit",
    "between tables",
    "after loosen",
    "before tighten",
    "in rollback",
    "before the run is forgotten",
)


def failpoint(moment: str) -> None:
    """A load has come to this moment."""
    assert moment in FAILPOINTS, moment
