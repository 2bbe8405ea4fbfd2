"""The named moments of a scan, for those who watch: tests pull the plug at each of them."""

from __future__ import annotations

FAILPOINTS = ("after reading", "after linking", "evidence written", "before commit", "after commit", "published")


def failpoint(moment: str) -> None:
    """A scan has come to this moment."""
    assert moment in FAILPOINTS, moment
