"""Who may read a project's folder and not write there can look at all of it, and leaves nothing behind."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.councils import as_nobody, casebridge, copy_of
from tests.old_project import files_of, unpack_old_project

LOOKS = (("check",), ("status",), ("report",), ("run", "--plan", "--name", "trial-3"))


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """It has an audit log and its key; and this process has loaded all that it needs to look."""
    with tempfile.TemporaryDirectory() as name:
        project = unpack_old_project(Path(name) / "project")
        for words in (("run", "--name", "trial-2"), ("sign", "trial-2", "--by", "A", "--role", "board"), *LOOKS):
            assert casebridge(*words, "--project", str(project)).returncode == 0
        yield project


@pytest.fixture
def project(made: Path) -> Iterator[Path]:
    """A copy where others may come."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield copy_of(made, Path(name) / "project")


def only_readable(project: Path) -> None:
    for path in (project, *project.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.mark.parametrize("words", LOOKS)
def test_who_may_only_read_can_look(project: Path, words: tuple[str, ...]) -> None:
    only_readable(project)
    before = files_of(project)
    with as_nobody():
        done = casebridge(*words, "--project", str(project))
    assert done.returncode == 0, done.stdout + done.stderr
    assert files_of(project) == before


def _but_the_index(project: Path) -> dict[str, str]:
    """The writer is of this process, and what one process maps it maps once: marks of readers come into it."""
    return {name: digest for name, digest in files_of(project).items() if not name.endswith("-shm")}


def test_what_is_only_in_the_log_of_the_database_is_seen(project: Path) -> None:
    """A load is at work, or was killed: what it has committed stands beside the file, and counts."""
    writer = sqlite3.connect(project / "target.db", isolation_level=None)
    writer.execute("UPDATE payments SET amount = '4.51' WHERE payment_id = 4")
    only_readable(project)
    before = _but_the_index(project)
    with as_nobody():
        done = casebridge("report", "trial-2", "--project", str(project))
    assert (done.returncode, "the target: contents_equal does not hold any more" in done.stderr) == (6, True)
    assert _but_the_index(project) == before
    writer.close()


def test_an_export_that_cannot_be_noted_is_not_given_out(project: Path) -> None:
    """Who took pairs out is on record; where that cannot be written, they stay, and nobody wonders why."""
    only_readable(project)
    with as_nobody():
        done = casebridge("pairs", "--project", str(project))
    assert (done.returncode, done.stdout) == (1, "")
    assert "the pairs are not given out: this could not be written into the audit log" in done.stderr


def test_a_key_that_may_not_be_read_is_named(project: Path) -> None:
    only_readable(project)
    (project / "audit.key").chmod(0)
    with as_nobody():
        done = casebridge("audit", "verify", "--project", str(project))
    assert done.returncode == 1
    assert "audit.key cannot be read" in done.stderr


def test_looking_makes_no_control_database_and_no_key(project: Path) -> None:
    (project / "audit.key").unlink()
    (project / "control.db").unlink()
    for words in (("status",), ("run", "--plan", "--name", "trial-3")):
        casebridge(*words, "--project", str(project))
    assert not (project / "control.db").exists()
    assert not (project / "audit.key").exists()
