"""A wheel has every file of the rooms and the runbooks, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from casebridge.migrate.cli.main import RUNBOOKS, cli

ROOT = Path(__file__).parent.parent
INSTALLED = (
    "migrate", "extract", "transform", "dedupe", "load", "reconciliation", "project", "synthetic", "runbooks",
)  # fmt: skip


def _kept() -> set[str]:
    """What git keeps of the rooms and the package, by the names they are installed under."""
    files = [name for name in _listed() if not (ROOT / name).is_symlink()]
    return {name if name.startswith("casebridge/") else f"casebridge/{name}" for name in files}


def _listed() -> list[str]:
    if not (ROOT / ".git").exists():  # an unpacked archive: what was packed was kept
        found = (path for top in (*INSTALLED, "casebridge") for path in (ROOT / top).rglob("*") if path.is_file())
        return [path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts]
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--", *INSTALLED, "casebridge"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name]


def test_a_wheel_has_what_git_keeps(tmp_path: Path) -> None:
    """Packs, templates and pages too; no scratch file of somebody's checkout."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.iterdir()
    with zipfile.ZipFile(wheel) as files:
        names = {name for name in files.namelist() if ".dist-info/" not in name}
    assert names == _kept()


@pytest.mark.parametrize("columns", ["60", "120"])
def test_help_names_a_page_that_can_be_opened(columns: str) -> None:
    """Whole and on a line of its own, however narrow the terminal."""
    shown = CliRunner().invoke(cli, ["--help"], env={"COLUMNS": columns}).output
    assert str(RUNBOOKS / "errors.md") in [line.strip() for line in shown.splitlines()]
    assert (RUNBOOKS / "errors.md").is_file()
