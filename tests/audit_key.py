"""The audit key of the projects that tests make.

Which pairs two people must judge and which pairs are made up hangs on a project's audit key. By chance, one run in
twenty would ask a second person where a test has one.
"""

from __future__ import annotations

from pathlib import Path

from casebridge.project.audit import KEY_FILE


def lay_key(folder: Path) -> None:
    """The same key in every project; one that is there stays."""
    path = folder / KEY_FILE
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text("5a" * 32 + "\n", encoding="ascii")
