"""Commands that look leave the project as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.councils import casebridge
from tests.staged import two_people


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return two_people(tmp_path / "project")


def _tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its time of change and its bytes, and every folder."""
    return {
        str(path): (path.stat().st_mtime_ns, path.read_bytes()) if path.is_file() else (0, b"")
        for path in sorted(folder.rglob("*"))
    }


def test_a_project_that_did_nothing_yet_is_left_alone(project: Path) -> None:
    """No work folder, no ledger, no database appears."""
    before = _tree(project)
    for words, code in ((("check",), 0), (("run", "--plan"), 0), (("status",), 0), (("report",), 1)):
        done = casebridge(*words, "--project", str(project))
        assert done.returncode == code, done.stderr
        assert _tree(project) == before, words


def test_a_project_that_ran_is_left_alone(project: Path) -> None:
    """No byte and no time of change; and what they say is what the ledger has."""
    assert casebridge("run", "--project", str(project)).returncode == 0
    before = _tree(project)
    for words in (("check",), ("run", "--plan"), ("status",), ("report",)):
        done = casebridge(*words, "--project", str(project))
        assert done.returncode == 0, done.stderr
        assert _tree(project) == before, words
    assert "trial-1: begun" in casebridge("status", "--project", str(project)).stdout
