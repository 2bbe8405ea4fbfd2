"""Commands that look leave the project as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.councils import casebridge

SETTINGS = """
[project]
name = "test"
[target]
url = "sqlite:///target.db"
[systems.old]
dump = "dump"
encoding = "utf-8"
"""
TARGET = """
[persons]
primary_key = "id"
[persons.columns]
id = { type = "bigint" }
name = { type = "varchar(9)" }
"""
SPEC = """
[table]
system = "old"
source = "PERSON"
target = "persons"
key = ["NO"]
[columns.name]
from = "NAME"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("tables", "codes", "dump"):
        (folder / name).mkdir(parents=True)
    (folder / "casebridge.toml").write_text(SETTINGS)
    (folder / "target.toml").write_text(TARGET)
    (folder / "tables" / "persons.toml").write_text(SPEC)
    (folder / "dump" / "PERSON.csv").write_text("NO,NAME\n1,ann\n2,bob\n")
    return folder


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
